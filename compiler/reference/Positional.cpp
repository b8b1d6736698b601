// Positional encoding, by its formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

static double numberAt(const Tensor &tensor, size_t i) {
  return tensor.isFloat() ? tensor.data[i].f : static_cast<double>(tensor.data[i].i);
}

/// Refuses positions that do not have all dims of the result but the last.
static void checkPositions(const Tensor &positions, ArrayRef<int64_t> shape) {
  if (ArrayRef(positions.shape) != shape.drop_back())
    fault("positions and encoding do not fit each other");
}

static void evaluateSinusoidalEncoding(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::SinusoidalEncodingOp>(operation);
  TensorRef init = evaluator.tensor(op.getInit());
  Tensor result(init->elementType, init->shape);
  int64_t last = init->shape.back(), axes = op.getPositions().size();
  bool added = op.getAxes() == attn::Axes::added, halves = op.getLayout() == attn::SinusoidLayout::halves;
  int64_t width = added ? last : last / axes;
  double temperature = op.getTemperature().convertToDouble();
  for (auto [axis, value] : llvm::enumerate(op.getPositions())) {
    TensorRef positions = evaluator.tensor(value);
    checkPositions(*positions, init->shape);
    for (size_t row = 0; row < positions->data.size(); ++row)
      for (int64_t k = 0; k < width / 2; ++k) {
        double angle = numberAt(*positions, row) * std::pow(temperature, -2.0 * k / width);
        Element *to = &result.data[row * last + (added ? 0 : axis * width)];
        to[halves ? k : 2 * k].f += std::sin(angle);
        to[halves ? width / 2 + k : 2 * k + 1].f += std::cos(angle);
      }
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateMaskPositions(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::MaskPositionsOp>(operation);
  TensorRef mask = evaluator.tensor(op.getMask()), init = evaluator.tensor(op.getInit());
  if (mask->shape != init->shape)
    fault("positions and encoding do not fit each other");
  Tensor result(init->elementType, init->shape);
  int64_t axis = op.getAxis(), size = mask->shape[axis], stride = mask->strides()[axis];
  SmallVector<int64_t> rows = mask->shape;
  rows[axis] = std::min<int64_t>(size, 1);
  forEachIndex(rows, [&](ArrayRef<int64_t> at) {
    int64_t first = offsetOf(at, mask->strides()), count = 0;
    for (int64_t i = 0; i < size; ++i) {
      count += !mask->data[first + i * stride].i;
      result.data[first + i * stride].f = count;
    }
    for (int64_t i = 0; op.getNormalize() && i < size; ++i) {
      double &x = result.data[first + i * stride].f;
      x = (x + op.getOffset().convertToDouble()) / (count + op.getEpsilon().convertToDouble()) *
          op.getScale().convertToDouble();
    }
  });
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateLearnedEncoding(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::LearnedEncodingOp>(operation);
  TensorRef table = evaluator.tensor(op.getTable()), init = evaluator.tensor(op.getInit());
  TensorRef positions = op.getPositions() ? evaluator.tensor(op.getPositions()) : nullptr;
  int64_t width = table->shape[1], count = table->shape[0];
  Tensor result(init->elementType, init->shape);
  if (positions)
    checkPositions(*positions, init->shape);
  if (init->shape.back() != width)
    fault("positions and encoding do not fit each other");
  for (int64_t n = 0, rows = positions ? positions->data.size() : init->shape[0]; n < rows; ++n) {
    int64_t row = (positions ? positions->data[n].i : n) + static_cast<int64_t>(op.getOffset());
    if (row < 0 || row >= count)
      fault("row " + Twine(row) + " of a table with " + Twine(count) + " rows");
    std::copy_n(table->data.begin() + row * width, width, result.data.begin() + n * width);
  }
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateRotaryFrequencies(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::RotaryFrequenciesOp>(operation);
  TensorRef positions = evaluator.tensor(op.getPositions()), init = evaluator.tensor(op.getCosInit());
  checkPositions(*positions, init->shape);
  if (evaluator.tensor(op.getSinInit())->shape != init->shape)
    fault("positions and encoding do not fit each other");
  Tensor cos(init->elementType, init->shape), sin = cos;
  SmallVector<double> frequencies = op.getFrequencies();
  if (op.getScaling() == attn::RotaryScaling::dynamic_ntk) {
    double factor = op.getFactor().convertToDouble(), context = op.getOriginalContext(), length = context;
    for (size_t i = 0; i < positions->data.size(); ++i)
      length = std::max(length, 1 + numberAt(*positions, i));
    for (auto [f, power] : llvm::zip(frequencies, op.getStretchPowers()))
      f *= std::pow(factor * length / context - factor + 1, power);
  }
  for (size_t i = 0; i < cos.data.size(); ++i) {
    double angle = numberAt(*positions, i / frequencies.size()) * frequencies[i % frequencies.size()];
    cos.data[i].f = op.getAmplitude() * std::cos(angle), sin.data[i].f = op.getAmplitude() * std::sin(angle);
  }
  cos.round(), sin.round();
  evaluator.set(op.getCos(), std::move(cos));
  evaluator.set(op.getSin(), std::move(sin));
}

//===-- Biases of attention ===//

static void evaluateRelativeBias(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::RelativeBiasOp>(operation);
  TensorRef table = evaluator.tensor(op.getTable()), init = evaluator.tensor(op.getInit());
  Tensor result(init->elementType, init->shape);
  int64_t heads = init->shape[0], shift = op.getBottomRight() ? init->shape[2] - init->shape[1] : 0;
  if (table->shape[1] != heads)
    fault("tables and bias do not fit each other");
  size_t place = 0;
  forEachIndex(init->shape, [&](ArrayRef<int64_t> at) {
    result.data[place++] = table->data[op.getBucket(at[2] - at[1] - shift) * heads + at[0]];
  });
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateGridBias(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::GridBiasOp>(operation);
  TensorRef init = evaluator.tensor(op.getInit());
  SmallVector<TensorRef> tables;
  for (Value table : op.getTables())
    tables.push_back(evaluator.tensor(table));
  Tensor result(init->elementType, init->shape);
  ArrayRef<int64_t> grid = op.getGrid();
  int64_t points = 1, offsets = 1, heads = init->shape[0];
  for (int64_t size : grid)
    points *= size, offsets *= 2 * size - 1;
  bool misfit = init->shape[1] != points || init->shape[2] != points;
  for (auto [n, table] : llvm::enumerate(tables))
    misfit |= table->shape[1] != heads || table->shape[0] != (tables.size() == 1 ? offsets : 2 * grid[n] - 1);
  if (misfit)
    fault("tables and bias do not fit each other");
  size_t place = 0;
  forEachIndex(init->shape, [&](ArrayRef<int64_t> at) {
    int64_t i = at[1], j = at[2], joint = 0, step = 1;
    double sum = 0;
    for (size_t a = grid.size(); a-- > 0; i /= grid[a], j /= grid[a]) {
      int64_t d = i % grid[a] - j % grid[a] + grid[a] - 1;
      joint += d * step, step *= 2 * grid[a] - 1;
      if (tables.size() > 1)
        sum += tables[a]->data[d * heads + at[0]].f;
    }
    result.data[place++].f = tables.size() > 1 ? sum : tables[0]->data[joint * heads + at[0]].f;
  });
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateAlibiBias(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::AlibiBiasOp>(operation);
  TensorRef init = evaluator.tensor(op.getInit());
  Tensor result(init->elementType, init->shape);
  int64_t shift = op.getBottomRight() ? init->shape[2] - init->shape[1] : 0;
  size_t place = 0;
  forEachIndex(init->shape, [&](ArrayRef<int64_t> at) {
    result.data[place++].f = -op.getSlope(at[0]) * std::abs(at[1] + shift - at[2]);
  });
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{
    {"attn.sinusoidal_encoding", evaluateSinusoidalEncoding},
    {"attn.mask_positions", evaluateMaskPositions},
    {"attn.learned_encoding", evaluateLearnedEncoding},
    {"attn.rotary_frequencies", evaluateRotaryFrequencies},
    {"attn.relative_bias", evaluateRelativeBias},
    {"attn.grid_bias", evaluateGridBias},
    {"attn.alibi_bias", evaluateAlibiBias},
};
