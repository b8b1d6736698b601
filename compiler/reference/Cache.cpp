// Caches of keys and values.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

static void evaluateCacheAppend(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::CacheAppendOp>(operation);
  TensorRef cache = evaluator.tensor(op.getCache()), update = evaluator.tensor(op.getUpdate());
  TensorRef positions = op.getPositions() ? evaluator.tensor(op.getPositions()) : nullptr;
  int64_t axis = static_cast<int64_t>(op.getAxis()), length = cache->shape[axis];
  SmallVector<int64_t> sizes(update->shape);
  int64_t added = std::exchange(sizes[axis], length);
  if (sizes != cache->shape || evaluator.tensor(op.getInit())->shape != cache->shape || added > length ||
      (positions && positions->shape[0] != cache->shape[0]))
    fault("cache, update and positions do not fit each other");
  Tensor result = *cache;
  SmallVector<int64_t> to = result.strides(), from = update->strides();
  forEachIndex(update->shape, [&](ArrayRef<int64_t> at) {
    int64_t start = positions ? positions->data[at[0]].i : 0;
    if (op.getRing())
      start = (start % length + length) % length;
    else if (start < 0 || start > length - added)
      fault("position " + Twine(start) + " for " + Twine(added) + " entries of a cache of " + Twine(length));
    SmallVector<int64_t> place(at);
    place[axis] = (start + at[axis]) % length;
    result.data[offsetOf(place, to)] = update->data[offsetOf(at, from)];
  });
  evaluator.set(op.getResult(), std::move(result));
}

/// Where an entry of a row of the batch lies: page * slots + slot.
static int64_t placeInPages(const Tensor &table, int64_t row, int64_t entry, int64_t pages, int64_t slots) {
  int64_t page = table.data[row * table.shape[1] + entry / slots].i;
  if (page < 0 || page >= pages)
    fault("page " + Twine(page) + " of " + Twine(pages));
  return page * slots + entry % slots;
}

static void evaluatePagedAppend(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::PagedAppendOp>(operation);
  TensorRef pages = evaluator.tensor(op.getPages()), update = evaluator.tensor(op.getUpdate()),
            table = evaluator.tensor(op.getTable()), positions = evaluator.tensor(op.getPositions());
  int64_t heads = pages->shape[1], slots = pages->shape[2], d = pages->shape[3];
  int64_t batch = update->shape[0], added = update->shape[2], room = table->shape[1] * slots;
  if (update->shape[1] != heads || update->shape[3] != d || table->shape[0] != batch || positions->shape[0] != batch ||
      evaluator.tensor(op.getInit())->shape != pages->shape)
    fault("pages, update, table and positions do not fit each other");
  Tensor result = *pages;
  for (int64_t b = 0; b < batch; ++b) {
    int64_t start = positions->data[b].i;
    if (start < 0 || start > room - added)
      fault("position " + Twine(start) + " for " + Twine(added) + " entries of " + Twine(room));
    for (int64_t t = 0; t < added; ++t) {
      int64_t place = placeInPages(*table, b, start + t, pages->shape[0], slots);
      for (int64_t g = 0; g < heads; ++g)
        for (int64_t k = 0; k < d; ++k)
          result.data[((place / slots * heads + g) * slots + place % slots) * d + k] =
              update->data[((b * heads + g) * added + t) * d + k];
    }
  }
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluatePagedAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::PagedAttentionOp>(operation);
  TensorRef query = evaluator.tensor(op.getQuery()), key = evaluator.tensor(op.getKey()),
            value = evaluator.tensor(op.getValue()), table = evaluator.tensor(op.getTable()),
            lengths = evaluator.tensor(op.getLengths());
  int64_t batch = query->shape[0], heads = query->shape[1], m = query->shape[2], d = query->shape[3];
  int64_t pages = key->shape[0], keyHeads = key->shape[1], slots = key->shape[2], e = value->shape[3];
  if (key->shape[3] != d || ArrayRef(value->shape).drop_back() != ArrayRef(key->shape).drop_back() ||
      table->shape[0] != batch || lengths->shape[0] != batch ||
      evaluator.tensor(op.getInit())->shape != SmallVector<int64_t>{batch, heads, m, e})
    fault("query, key, value, table and lengths do not fit each other");
  int64_t window = op.getWindow();
  Tensor result(query->elementType, {batch, heads, m, e});
  for (int64_t b = 0; b < batch; ++b) {
    int64_t length = lengths->data[b].i;
    if (length < 0 || length > (pages == 0 ? 0 : table->shape[1] * slots))
      fault(Twine(length) + " keys in " + Twine(table->shape[1]) + " pages of " + Twine(slots));
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < m; ++i) {
        int64_t own = length - m + i, last = op.getCausal() ? std::min(length, own + 1) : length;
        int64_t first = window >= 0 ? std::max<int64_t>(0, own - window) : 0;
        std::vector<double> weights;
        std::vector<int64_t> rows; // of the pages of all heads
        for (int64_t j = first; j < last; ++j) {
          int64_t place = placeInPages(*table, b, j, pages, slots);
          rows.push_back((place / slots * keyHeads + h / (heads / keyHeads)) * slots + place % slots);
          double score = 0;
          for (int64_t k = 0; k < d; ++k)
            score += query->data[((b * heads + h) * m + i) * d + k].f * key->data[rows.back() * d + k].f;
          weights.push_back(score * op.getScale().convertToDouble());
        }
        double largest = weights.empty() ? 0 : *llvm::max_element(weights), sum = 0;
        for (double &weight : weights)
          sum += weight = std::exp(weight - largest);
        for (int64_t k = 0; k < e; ++k) {
          double out = 0;
          for (auto [weight, row] : llvm::zip_equal(weights, rows))
            out += weight / sum * value->data[row * e + k].f;
          result.data[((b * heads + h) * m + i) * e + k].f = out;
        }
      }
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{{"attn.cache_append", evaluateCacheAppend},
                                     {"attn.paged_append", evaluatePagedAppend},
                                     {"attn.paged_attention", evaluatePagedAttention}};
