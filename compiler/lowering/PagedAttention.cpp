// Attention to keys and values in pages: a task is one query of one head. The scores of its keys lie in the workspace
// until the largest is known; keys and values are read where the table says, page by page, and copied nowhere.
#include "compiler/lowering/SingleOp.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

namespace {
struct PagedAttentionForm {
  SingleOp single;
  attn::PagedAttentionOp op;
  DimExpr batch, queries, pages, slots, blocks, d, e; ///< blocks: pages of a row of the batch; slots: of a page
  int64_t heads = 0, group = 0;
  Access query, result;  ///< in (b, head, row, column)
  Access key, value;     ///< in (page, head, slot, column)
  Access table, lengths; ///< in (b, block), in (b)
  PagedAttentionForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::PagedAttentionOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<PagedAttentionForm>> of(const KernelView &kernel, std::string &reason);

  /// f64 for f64, else f32.
  Type computed() const { return computedType(elementOf(query)); }
  /// Elements of the workspace: a query, then the scores, each up to a whole vector.
  AffineExpr workspaceElements(int64_t lanes) const {
    return single.inSymbols(d) + single.inSymbols(blocks) * single.inSymbols(slots) + 2 * lanes;
  }
};

/// Writes the code for one query of one head.
class PagedAttentionWriter {
public:
  PagedAttentionWriter(StageFrame &frame, KernelCode &c, PagedAttentionForm &form)
      : frame(frame), c(c), form(form), element(elementOf(form.query)), type(form.computed()),
        lanes(c.machine.lanes(type.getIntOrFloatBitWidth())), wide(c.vector(type, lanes)),
        memory(c.vector(element, lanes)), d(frame.size(form.d)), e(frame.size(form.e)) {}
  void row(Value b, Value h, Value i);

private:
  Value numberOfPage(Value block);
  Values overKeys(Values state, const Access &access, llvm::function_ref<Values(Value j, Value at, ValueRange)> body);
  void findKeys(Value i);
  void loadQuery(Value h, Value i);
  Value product(Value key);
  Value exponentiate(Value largest);
  void combine(Value h, Value i, Value factor);
  Value scoreAt(Value j) { return c.address(scoresAt, type, c.sub(j, first)); }
  void fault() { frame.store(c.constant(frame.faultNumber()), frame.fault()); }
  /// No mask where every vector of a row is whole.
  Value maskOf(const DimExpr &size, Value column) {
    std::optional<int64_t> known = size.getConstant();
    return known && *known % lanes == 0 ? Value() : c.lanesBelow(lanes, column, frame.size(size));
  }

  StageFrame &frame;
  KernelCode &c;
  PagedAttentionForm &form;
  Type element, type;
  int64_t lanes;
  VectorType wide, memory;
  Value d, e;
  Value b, g;        ///< row of the batch, head of the keys
  Value first, last; ///< the keys that the query sees: first and behind the last
  Value scoresAt;
};
} // namespace

FailureOr<std::unique_ptr<PagedAttentionForm>> PagedAttentionForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<PagedAttentionForm>(kernel, reason);
  PagedAttentionForm &f = *form;
  if (!f.single)
    return failure();
  attn::PagedAttentionOp op = f.op = cast<attn::PagedAttentionOp>(f.single.op);
  data::DimAnalysis &dims = f.single.dims;
  SmallVector<DimExpr> q = dims.shape(op.getQuery()), v = dims.shape(op.getValue());
  f.batch = q[0], f.queries = q[2], f.d = q[3], f.pages = v[0], f.slots = v[2], f.e = v[3];
  f.blocks = dims.shape(op.getTable())[1];
  f.heads = attn::detail::typeOf(op.getQuery()).getDimSize(1);
  int64_t keyHeads = attn::detail::typeOf(op.getKey()).getDimSize(1);
  f.group = f.heads / keyHeads;
  DimExpr heads(f.heads), g(keyHeads);
  if (failed(f.single.operand(op.getQuery(), q, f.query, reason)) ||
      failed(f.single.operand(op.getKey(), {f.pages, g, f.slots, f.d}, f.key, reason)) ||
      failed(f.single.operand(op.getValue(), {f.pages, g, f.slots, f.e}, f.value, reason)) ||
      failed(f.single.operand(op.getTable(), {f.batch, f.blocks}, f.table, reason)) ||
      failed(f.single.operand(op.getLengths(), f.batch, f.lengths, reason)) ||
      failed(
          f.single.contiguousResult(op.getResult(), op.getInit(), {f.batch, heads, f.queries, f.e}, f.result, reason)))
    return failure();
  return form;
}

/// The page of a block of keys; page 0, with a fault, if there is no such page. There are pages.
Value PagedAttentionWriter::numberOfPage(Value block) {
  Value page = loadIndex(frame, c, form.table, {b, block});
  Value inside = c.compare(arith::CmpIPredicate::ult, page, frame.size(form.pages));
  c.when(inside, [] {}, [&] { fault(); });
  return c.select(inside, page, c.constant(0));
}

/// Calls the body with each key that the query sees and the place of its row in `access`.
Values PagedAttentionWriter::overKeys(Values state, const Access &access,
                                      llvm::function_ref<Values(Value j, Value at, ValueRange)> body) {
  Value slots = c.max(frame.size(form.slots), c.constant(1)); // without slots there are no keys
  // A query that sees nothing asks for no page.
  Value begin = c.div(first, slots), end = c.select(c.less(first, last), c.ceilDiv(last, slots), begin);
  return c.loop(begin, end, 1, state, [&](Value block, ValueRange outer) {
    Value at = placeOf(frame, c, access, {numberOfPage(block), g}), start = c.mul(block, slots);
    Value from = c.max(first, start), to = c.min(last, c.add(start, slots));
    return c.loop(from, to, 1, Values(outer), [&](Value j, ValueRange inner) {
      Value row = c.address(at, element, c.mul(c.sub(j, start), frame.size(access.strides[2])));
      return body(j, row, inner);
    });
  });
}

/// The range of keys; it is empty, with a fault, where the table has no place for them.
void PagedAttentionWriter::findKeys(Value i) {
  Value zero = c.constant(0), most = c.mul(frame.size(form.blocks), frame.size(form.slots));
  Value length = c.load(c.b.getI64Type(), placeOf(frame, c, form.lengths, {b}));
  Value noPages = c.equal(frame.size(form.pages), zero);
  Value outside = c.compare(arith::CmpIPredicate::ugt, length, c.select(noPages, zero, most));
  c.when(outside, [&] { fault(); });
  length = c.select(outside, zero, length);
  Value own = c.add(c.sub(length, frame.size(form.queries)), i); // the key of the query's own position
  first = zero, last = length;
  if (form.op.getCausal())
    last = c.max(zero, c.min(last, c.add(own, 1)));
  if (int64_t window = form.op.getWindow(); window >= 0)
    first = c.min(last, c.max(zero, c.sub(own, window)));
}

/// The query, times the scale, and zeros up to a whole vector.
void PagedAttentionWriter::loadQuery(Value h, Value i) {
  Value from = placeOf(frame, c, form.query, {b, h, i}), scale = c.number(wide, form.op.getScale().convertToDouble());
  c.loop(c.constant(0), d, lanes, [&](Value k) {
    Value x = loadColumns(frame, c, memory, from, k, form.query.strides[3], c.lanesBelow(lanes, k, d));
    c.store(c.mulf(x, scale), c.address(frame.workspace(), type, k));
  });
}

Value PagedAttentionWriter::product(Value key) {
  Value sum = c.loop(c.constant(0), d, lanes, Values{c.number(wide, 0)}, [&](Value k, ValueRange s) {
    Value y = loadColumns(frame, c, memory, key, k, form.key.strides[3], maskOf(form.d, k));
    return Values{c.fma(c.load(wide, c.address(frame.workspace(), type, k)), y, s[0])};
  })[0];
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, sum);
}

/// The scores to exponentials of their distance from the largest one; their sum.
Value PagedAttentionWriter::exponentiate(Value largest) {
  Value count = c.sub(last, first), shift = c.splat(wide, largest);
  Value sums = c.loop(c.constant(0), count, lanes, Values{c.number(wide, 0)}, [&](Value j, ValueRange s) {
    Value at = c.address(scoresAt, type, j), mask = c.lanesBelow(lanes, j, count);
    Value x = math::ExpOp::create(c.b, c.loc, c.subf(c.load(wide, at, mask), shift));
    c.store(x, at, mask);
    return Values{c.addf(s[0], c.select(mask, x, c.number(wide, 0)))};
  })[0];
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, sums);
}

/// The weighted values times `factor`: up to eight vectors of columns at a time, in registers.
void PagedAttentionWriter::combine(Value h, Value i, Value factor) {
  constexpr int64_t kMostVectors = 8;
  int64_t vectors =
      std::clamp<int64_t>((form.e.getConstant().value_or(4 * lanes) + lanes - 1) / lanes, 1, kMostVectors);
  Value out = placeOf(frame, c, form.result, {b, h, i}), times = c.splat(wide, factor);
  c.loop(c.constant(0), e, vectors * lanes, [&](Value column) {
    Values columns, masks;
    for (int64_t v = 0; v < vectors; ++v) {
      columns.push_back(c.add(column, v * lanes));
      std::optional<int64_t> known = form.e.getConstant();
      masks.push_back(known && *known % (vectors * lanes) == 0 ? Value() : c.lanesBelow(lanes, columns.back(), e));
    }
    Values sums = overKeys(Values(vectors, c.number(wide, 0)), form.value, [&](Value j, Value row, ValueRange before) {
      Values after;
      Value weight = c.splat(wide, c.load(type, scoreAt(j)));
      for (int64_t v = 0; v < vectors; ++v) {
        Value y = loadColumns(frame, c, memory, row, columns[v], form.value.strides[3], masks[v]);
        after.push_back(c.fma(weight, y, before[v]));
      }
      return after;
    });
    for (int64_t v = 0; v < vectors; ++v) {
      Value mask = masks[v] ? masks[v] : c.lanesBelow(lanes, columns[v], e);
      c.store(c.mulf(sums[v], times), c.address(out, element, columns[v]), mask, element);
    }
  });
}

void PagedAttentionWriter::row(Value batchRow, Value h, Value i) {
  b = batchRow, g = c.div(h, form.group);
  findKeys(i);
  loadQuery(h, i);
  scoresAt = c.address(frame.workspace(), type, c.mul(c.ceilDiv(d, lanes), lanes));
  Value largest = c.number(type, -std::numeric_limits<double>::infinity());
  largest = overKeys(Values{largest}, form.key, [&](Value j, Value row, ValueRange s) {
    Value x = product(row);
    c.store(x, scoreAt(j));
    return Values{c.maxf(x, s[0])};
  })[0];
  Value sum = exponentiate(largest), none = c.equal(first, last), one = c.number(type, 1);
  combine(h, i, c.divf(one, c.select(none, one, sum)));
}

namespace {
class PagedAttentionLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "paged-attention"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<PagedAttentionForm>> form = PagedAttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    PagedAttentionForm &f = **form;
    double rows = typicalSize(f.batch) * f.heads * typicalSize(f.queries), keys = typicalSize({f.blocks, f.slots});
    int64_t lanes = machine.lanes(f.computed().getIntOrFloatBitWidth());
    double vectors = std::ceil(typicalSize(f.d) / lanes) + std::ceil(typicalSize(f.e) / lanes);
    return f.single.schedule(rows * keys * (vectors + 6) / 2.5 + 200);
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<PagedAttentionForm>> found = PagedAttentionForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("no attention to pages: ") << reason, failure();
    PagedAttentionForm &form = **found;
    SmallVector<DimExpr> space{form.batch, DimExpr(form.heads), form.queries};
    Stage stage =
        form.single.stage(kernel, machine, code, productOf(space), [&](StageFrame &frame, KernelCode &c, Value task) {
          Values at = indexOfTask(frame, c, task, space);
          PagedAttentionWriter(frame, c, form).row(at[0], at[1], at[2]);
        });
    Type type = form.computed();
    stage.workspaceBytes = form.workspaceElements(machine.lanes(type.getIntOrFloatBitWidth())) * bytesOf(type);
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createPagedAttentionLowering() {
  return std::make_unique<PagedAttentionLowering>();
}
