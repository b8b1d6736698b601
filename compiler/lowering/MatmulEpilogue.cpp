// What follows the sums of a product while they are still in the first-level cache: bias, activation, residual,
// normalisation of rows.
#include "compiler/lowering/Body.h"
#include "compiler/lowering/Matmul.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

Value RowPlaces::origin(const Access &access, ArrayRef<Value> batchIndices) {
  Value place = frame.size(access.offset);
  for (auto [d, index] : llvm::zip(form.batch, batchIndices))
    place = c.add(place, c.mul(index, frame.size(access.strides[d])));
  return c.address(frame.buffer(access.base), elementOf(access), place);
}

SmallVector<Value> RowPlaces::indices(ArrayRef<int64_t> which, Value m) {
  SmallVector<Value> result(which.size());
  for (size_t i = which.size(); i-- > 1;) {
    Value size = frame.size(form.sizes[which[i]]);
    result[i] = c.rem(m, size);
    m = c.div(m, size);
  }
  if (!which.empty())
    result[0] = m;
  return result;
}

Value RowPlaces::row(const Access &access, Value m) {
  // Runs of dims that lie one after the other count as one.
  struct Run {
    DimExpr size, stride;
  };
  SmallVector<Run> runs;
  for (int64_t d : llvm::reverse(form.rows)) {
    if (form.sizes[d].isConstant(1))
      continue;
    if (!runs.empty() && access.strides[d] == runs.back().stride * runs.back().size)
      runs.back().size = runs.back().size * form.sizes[d];
    else
      runs.push_back({form.sizes[d], access.strides[d]});
  }
  Value place = c.constant(0);
  for (auto [i, run] : llvm::enumerate(runs)) {
    bool outermost = i + 1 == runs.size();
    Value index = outermost ? m : c.rem(m, frame.size(run.size));
    place = c.add(place, c.mul(index, frame.size(run.stride)));
    if (!outermost)
      m = c.div(m, frame.size(run.size));
  }
  return place;
}

Value RowPlaces::column(Value n) {
  if (!form.panel)
    return form.column < 0 ? c.constant(0) : c.mul(n, frame.size(form.w.strides[form.column]));
  Value panel = c.mul(c.div(n, form.panel), c.mul(frame.size(form.k), form.panel));
  return c.add(panel, c.rem(n, c.constant(form.panel)));
}

Value RowPlaces::step() { return form.panel ? c.constant(form.panel) : frame.size(form.w.strides[form.sizes.size()]); }

Value MatmulEpilogue::rowOf(const Access &access, ArrayRef<Value> batchIndices, Value m) {
  return c.address(places.origin(access, batchIndices), elementOf(access), places.row(access, m));
}

static DimExpr columnStride(const MatmulForm &form, const Access &access) {
  return form.column < 0 ? DimExpr(0) : access.strides[form.column];
}

Value MatmulEpilogue::read(const Access &access, Value row, Type element, const Columns &columns) {
  DimExpr stride = columnStride(form, access);
  if (stride.isConstant(0))
    return c.load(element, row);
  VectorType type = c.vector(element, columns.lanes);
  Value place = c.address(row, element, c.mul(columns.from, frame.size(stride)));
  return stride.isConstant(1) ? c.load(type, place, columns.mask)
                              : c.gather(type, place, frame.size(stride), columns.mask);
}

void MatmulEpilogue::write(const Access &access, Value row, Value value, const Columns &columns) {
  DimExpr stride = columnStride(form, access);
  Type element = elementOf(access);
  if (!isa<VectorType>(value.getType()))
    value = c.splat(c.vector(value.getType(), columns.lanes), value);
  // A stride of 0 is that of a single column: the mask leaves its lane.
  if (stride.isConstant(0) || stride.isConstant(1))
    return c.store(value, c.address(row, element, columns.from), columns.mask, element);
  c.scatter(value, c.address(row, element, c.mul(columns.from, frame.size(stride))), frame.size(stride), columns.mask,
            element);
}

Value MatmulEpilogue::finish(ArrayRef<Value> batchIndices, Value m, Value sums, const Columns &columns) {
  DenseMap<Value, Value> values;
  values[form.product->getResult(0)] = sums;
  SmallVector<Value> rowIndices;
  BodyContext context;
  context.lanes = columns.lanes;
  context.mask = columns.mask;
  context.laneDim = form.column;
  context.extents = form.sizes;
  context.index = [&](int64_t d) -> Value {
    if (d == form.column)
      return c.iota(columns.lanes, columns.from);
    if (auto it = llvm::find(form.batch, d); it != form.batch.end())
      return batchIndices[it - form.batch.begin()];
    if (rowIndices.empty())
      rowIndices = places.indices(form.rows, m);
    return rowIndices[llvm::find(form.rows, d) - form.rows.begin()];
  };
  for (auto [generic, accesses] : llvm::zip(form.epilogue, form.operands)) {
    SmallVector<Value> arguments;
    for (auto [operand, access] : llvm::zip(generic.getInputs(), accesses)) {
      Type element = getElementTypeOrSelf(operand.getType());
      arguments.push_back(access.base ? read(access, rowOf(access, batchIndices, m), element, columns)
                                      : values.lookup(operand));
    }
    // Inits are not read.
    for (Value init : generic.getOutputs())
      arguments.push_back(
          arith::ConstantOp::create(c.b, c.loc, c.b.getZeroAttr(computedType(getElementTypeOrSelf(init.getType())))));
    SmallVector<Value> results = emitBody(frame, *generic.getBlock(), arguments, context);
    for (auto [result, value] : llvm::zip(generic.getResults(), results))
      values[result] = value;
  }
  for (const MatmulOutput &output : form.outputs)
    if (Value value = values.lookup(output.value))
      write(output.access, rowOf(output.access, batchIndices, m), value, columns);
  return form.norm ? broadcastLanes(frame, values.lookup(form.norm->getOperand(0)), columns.lanes) : Value();
}

void MatmulEpilogue::tile(ArrayRef<Value> batchIndices, Value m0, Value rows, Value n0, int64_t vectors, int64_t lanes,
                          Value sums, Value sumStep) {
  Value n = frame.size(form.n), zero = c.constant(0);
  auto row = [&](Value r) { return c.address(sums, form.element, c.mul(r, sumStep)); };
  auto vector = [&](Value r, Value column, const Columns &columns) {
    Value place = c.address(row(r), form.element, column);
    if (Value left = finish(batchIndices, c.add(m0, r), c.load(c.vector(form.element, lanes), place), columns))
      c.store(left, place);
  };
  auto whole = [&] {
    c.loop(zero, rows, 1, [&](Value r) {
      for (int64_t v = 0; v < vectors; ++v)
        vector(r, c.constant(v * lanes), {c.add(n0, v * lanes), {}, lanes});
    });
  };
  auto edge = [&] {
    c.loop(zero, rows, 1, [&](Value r) {
      c.loop(zero, c.min(c.constant(vectors), c.ceilDiv(c.sub(n, n0), lanes)), 1, [&](Value v) {
        Value column = c.mul(v, lanes), from = c.add(n0, column);
        vector(r, column, {from, c.lanesBelow(lanes, from, n), lanes});
      });
    });
  };
  // Parts of the last panel may lie behind the last column.
  if (auto known = KernelCode::known(n); known && *known % (vectors * lanes) == 0)
    return c.when(c.less(n0, n), whole);
  if (auto known = KernelCode::known(n); known && *known < vectors * lanes)
    return edge();
  c.when(c.compare(arith::CmpIPredicate::sle, c.add(n0, vectors * lanes), n), whole, edge);
}

/// Adds `term` over the columns of a row; terms of lanes outside of it are dropped.
Value MatmulEpilogue::reduceRow(Value row, int64_t lanes, llvm::function_ref<Value(Value)> term) {
  constexpr int64_t kChains = 4;
  VectorType type = c.vector(form.element, lanes);
  Value n = frame.size(form.n), zero = c.constant(0), none = c.number(type, 0);
  auto at = [&](Value column) { return c.address(row, form.element, column); };
  Value unrolled = c.sub(n, c.rem(n, c.constant(kChains * lanes))), whole = c.sub(n, c.rem(n, c.constant(lanes)));
  KernelCode::Values sums =
      c.loop(zero, unrolled, kChains * lanes, KernelCode::Values(kChains, none), [&](Value column, ValueRange state) {
        KernelCode::Values next;
        for (auto [i, sum] : llvm::enumerate(state))
          next.push_back(c.addf(sum, term(c.load(type, at(c.add(column, i * lanes))))));
        return next;
      });
  Value sum = c.addf(c.addf(sums[0], sums[1]), c.addf(sums[2], sums[3]));
  sum = c.loop(unrolled, whole, lanes, sum, [&](Value column, ValueRange state) {
    return KernelCode::Values{c.addf(state[0], term(c.load(type, at(column))))};
  })[0];
  if (auto known = KernelCode::known(n); !known || *known % lanes) {
    Value mask = c.lanesBelow(lanes, whole, n);
    sum = c.addf(sum, c.select(mask, term(c.load(type, at(whole), mask)), none));
  }
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, sum);
}

void MatmulEpilogue::normalize(ArrayRef<Value> batchIndices, Value m0, Value rows, int64_t lanes, Value values,
                               Value step) {
  auto layer = dyn_cast<attn::LayerNormOp>(form.norm);
  auto rms = dyn_cast<attn::RmsNormOp>(form.norm);
  Value n = frame.size(form.n), zero = c.constant(0);
  VectorType type = c.vector(form.element, lanes);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(1, c.b.getContext());
  std::string reason;
  auto parameter = [&](Value tensor) -> std::optional<Access> {
    if (!tensor)
      return std::nullopt;
    return *accessOf(tensor, identity, form.dims, reason);
  };
  std::optional<Access> scale = parameter(layer ? layer.getScale() : rms.getScale()),
                        bias = parameter(layer ? layer.getBias() : Value());
  double epsilon = (layer ? layer.getEpsilon() : rms.getEpsilon()).convertToDouble();
  Value count = arith::SIToFPOp::create(c.b, c.loc, form.element, n);
  c.loop(zero, rows, 1, [&](Value r) {
    Value row = c.address(values, form.element, c.mul(r, step)), m = c.add(m0, r);
    Value mean;
    if (layer)
      mean = c.splat(type, c.divf(reduceRow(row, lanes, [](Value x) { return x; }), count));
    auto centred = [&](Value x) { return mean ? c.subf(x, mean) : x; };
    Value squares = reduceRow(row, lanes, [&](Value x) {
      Value d = centred(x);
      return c.mulf(d, d);
    });
    Value deviation = math::SqrtOp::create(c.b, c.loc, c.addf(c.divf(squares, count), c.number(form.element, epsilon)));
    Value factor = c.splat(type, c.divf(c.number(form.element, 1), deviation));
    SmallVector<std::pair<const Access *, Value>> targets;
    for (const MatmulOutput &output : form.outputs)
      if (output.value == form.norm->getResult(0))
        targets.push_back({&output.access, rowOf(output.access, batchIndices, m)});
    auto columns = [&](const Columns &at) {
      Value y = c.mulf(centred(c.load(type, c.address(row, form.element, at.from), at.mask)), factor);
      auto vectorOf = [&](const Access &access) -> Value {
        Type element = elementOf(access);
        Value base = c.address(frame.buffer(access.base), element, frame.size(access.offset));
        if (access.strides[0].isConstant(0))
          return c.splat(type, c.load(element, base));
        Value stride = frame.size(access.strides[0]), place = c.address(base, element, c.mul(at.from, stride));
        VectorType stored = c.vector(element, lanes);
        return access.strides[0].isConstant(1) ? c.load(stored, place, at.mask)
                                               : c.gather(stored, place, stride, at.mask);
      };
      if (scale && bias)
        y = c.fma(y, vectorOf(*scale), vectorOf(*bias));
      else if (scale)
        y = c.mulf(y, vectorOf(*scale));
      else if (bias)
        y = c.addf(y, vectorOf(*bias));
      for (auto [access, target] : targets)
        write(*access, target, y, at);
    };
    Value whole = c.sub(n, c.rem(n, c.constant(lanes)));
    c.loop(zero, whole, lanes, [&](Value column) { columns({column, {}, lanes}); });
    if (auto known = KernelCode::known(n); !known || *known % lanes)
      columns({whole, c.lanesBelow(lanes, whole, n), lanes});
  });
}
