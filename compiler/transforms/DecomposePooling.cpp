// Attention that pools, as reductions, products, gates and attention.
#include "compiler/transforms/Decomposition.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using attn::detail::typeOf;
using data::DimExpr;

namespace {
class PoolingDecomposition : Decomposition {
public:
  explicit PoolingDecomposition(Operation *op) : Decomposition(op, "operands do not fit each other") {}
  void run(attn::ChannelAttentionOp attention);
  void run(attn::SpatialAttentionOp attention);
  void run(attn::AttentionPoolOp pool);
  void run(attn::PooledAttentionOp attention);

private:
  Value largest(Value tensor, StringRef loops, StringRef letters, StringRef result, Sizes sizes);
  Value mean(Value tensor, StringRef loops, StringRef letters, StringRef result, Sizes sizes, const DimExpr &count);
  Value paddedAround(Value tensor, int64_t margin);
  Value pooled(Value rows, ArrayRef<int64_t> grid, ArrayRef<int64_t> kernel, ArrayRef<int64_t> stride,
               attn::WindowPool pool);
  Value sigmoid(Scalars &s, Value x) { return attn::SigmoidOp::create(s.b, s.loc, x); }
};
} // namespace

Value PoolingDecomposition::largest(Value tensor, StringRef loops, StringRef letters, StringRef result, Sizes sizes) {
  return generic(filled(sizes, typeOf(tensor).getElementType(), -INFINITY), loops, result, {{tensor, letters}},
                 [](Scalars &s, ValueRange args) { return s.max(args[1], args[0]); });
}

Value PoolingDecomposition::mean(Value tensor, StringRef loops, StringRef letters, StringRef result, Sizes sizes,
                                 const DimExpr &count) {
  Type type = typeOf(tensor).getElementType();
  Value sum = generic(filled(sizes, type, 0), loops, result, {{tensor, letters}},
                      [](Scalars &s, ValueRange args) { return s.add(args[1], args[0]); });
  Value all = data::materialize(b, loc, count);
  return elementwise(type, result, {{sum, result}}, sizes,
                     [&](Scalars &s, ValueRange args) { return s.div(args[0], s.narrow(s.wide(all))); });
}

//===-- Gates ===//

void PoolingDecomposition::run(attn::ChannelAttentionOp attention) {
  Value source = attention.getSource(), squeeze = attention.getSqueeze(), expand = attention.getExpand();
  int64_t rank = typeOf(source).getRank();
  Type type = typeOf(source).getElementType();
  for (int64_t d = 0; d < rank; ++d)
    require(attention.getInit(), d, source, d);
  require(squeeze, 0, source, 1), require(expand, 1, source, 1), require(expand, 0, squeeze, 1);
  if (Value bias = attention.getSqueezeBias())
    require(bias, 0, squeeze, 1);
  if (Value bias = attention.getExpandBias())
    require(bias, 0, expand, 1);
  StringRef all = letters(rank), channels = all.take_front(2);
  Sizes sizes{size(source, 0), size(source, 1)};
  DimExpr count(1);
  for (int64_t d = 2; d < rank; ++d)
    count = count * dims.get(source, d);
  SmallVector<Value> summaries{mean(source, all, all, channels, sizes, count)};
  bool both = attention.getPool() == attn::ChannelPool::mean_max;
  if (both)
    summaries.push_back(largest(source, all, all, channels, sizes));
  Sizes narrow{size(source, 0), size(squeeze, 1)};
  SmallVector<std::pair<Value, StringRef>> hidden;
  for (Value summary : summaries)
    hidden.push_back({product(type, "brc", "br", {{summary, "bc"}, {squeeze, "cr"}}, narrow), "br"});
  if (Value bias = attention.getSqueezeBias())
    hidden.push_back({bias, "r"});
  // What follows the activation is linear: both summaries go through it at once.
  Value active = elementwise(type, "br", hidden, narrow, [&](Scalars &s, ValueRange args) {
    Value sum;
    for (size_t i = 0; i < summaries.size(); ++i) {
      Value x = attention.getSqueezeBias() ? s.add(args[i], args[summaries.size()]) : args[i];
      x = s.max(x, s.number(0));
      sum = sum ? s.add(sum, x) : x;
    }
    return sum;
  });
  SmallVector<std::pair<Value, StringRef>> gates{
      {product(type, "bcr", "bc", {{active, "br"}, {expand, "rc"}}, sizes), "bc"}};
  if (Value bias = attention.getExpandBias())
    gates.push_back({bias, "c"});
  Value gate = elementwise(type, "bc", gates, sizes, [&](Scalars &s, ValueRange args) {
    Value x = args[0];
    if (attention.getExpandBias())
      x = s.add(x, both ? s.mul(args[1], s.number(2)) : args[1]);
    return sigmoid(s, x);
  });
  replace(elementwise(type, all, {{source, all}, {gate, channels}}, attention.getInit(),
                      [](Scalars &s, ValueRange args) { return s.mul(args[0], args[1]); }));
}

/// B x H x W with zeros around each plane.
Value PoolingDecomposition::paddedAround(Value tensor, int64_t margin) {
  if (margin == 0)
    return tensor;
  RankedTensorType type = typeOf(tensor);
  SmallVector<OpFoldResult> around{fixed(0), fixed(margin), fixed(margin)};
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t &size : MutableArrayRef(shape).drop_front())
    size += ShapedType::isDynamic(size) ? 0 : 2 * margin;
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  return tensor::PadOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), tensor, around, around,
                               zero,
                               /*nofold=*/false);
}

void PoolingDecomposition::run(attn::SpatialAttentionOp attention) {
  Value source = attention.getSource(), filter = attention.getFilter(), bias = attention.getBias();
  Type type = typeOf(source).getElementType();
  for (int64_t d = 0; d < 4; ++d)
    require(attention.getInit(), d, source, d);
  Sizes sizes{size(source, 0), size(source, 2), size(source, 3)};
  int64_t margin = typeOf(filter).getDimSize(1) / 2;
  Value most = paddedAround(largest(source, "bhwc", "bchw", "bhw", sizes), margin);
  Value middle = paddedAround(mean(source, "bhwc", "bchw", "bhw", sizes, dims.get(source, 1)), margin);
  AffineExpr n, y, x, v, u, zero = b.getAffineConstantExpr(0), one = b.getAffineConstantExpr(1);
  bindDims(b.getContext(), n, y, x, v, u);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(5, 0, exprs, b.getContext()); };
  Value sums =
      generic(filled(sizes, type, 0),
              {map({n, y + v, x + u}), map({n, y + v, x + u}), map({zero, v, u}), map({one, v, u}), map({n, y, x})},
              {most, middle, filter, filter}, [](Scalars &s, ValueRange args) {
                return s.add(args[4], s.add(s.mul(args[0], args[2]), s.mul(args[1], args[3])));
              });
  SmallVector<std::pair<Value, StringRef>> operands{{source, "bchw"}, {sums, "bhw"}};
  if (bias) {
    require(dims.get(bias, 0), 1);
    operands.push_back({reshaped(cast(bias, RankedTensorType::get(1, type)), {}, {}), ""});
  }
  replace(elementwise(type, "bchw", operands, attention.getInit(), [&](Scalars &s, ValueRange args) {
    return s.mul(args[0], sigmoid(s, bias ? s.add(args[1], args[2]) : args[1]));
  }));
}

//===-- Over time ===//

void PoolingDecomposition::run(attn::AttentionPoolOp pool) {
  Value source = pool.getSource(), weight = pool.getWeight(), query = pool.getQuery(), bias = pool.getBias(),
        mask = pool.getMask(), lengths = pool.getLengths();
  Type type = typeOf(source).getElementType();
  require(weight, 0, source, 2), require(query, 0, weight, 1);
  require(pool.getInit(), 0, source, 0), require(pool.getInit(), 1, source, 2);
  Sizes sizes{size(source, 0), size(source, 1), size(weight, 1)};
  SmallVector<std::pair<Value, StringRef>> operands{
      {product(type, "btad", "bta", {{source, "btd"}, {weight, "da"}}, sizes), "bta"}};
  if (bias) {
    require(bias, 0, weight, 1);
    operands.push_back({bias, "a"});
  }
  Value keys = elementwise(type, "bta", operands, sizes, [&](Scalars &s, ValueRange args) -> Value {
    return math::TanhOp::create(s.b, s.loc, bias ? s.add(args[0], args[1]) : args[0]);
  });
  Value values = source;
  Attention parts;
  parts.query = elementwise(type, "bhia", {{query, "a"}}, Sizes{sizes[0], fixed(1), fixed(1), sizes[2]},
                            [](Scalars &, ValueRange args) { return args[0]; });
  if (lengths)
    require(lengths, 0, source, 0);
  if (mask) {
    require(mask, 0, source, 0), require(mask, 1, source, 1);
    // A key with weight 0 still multiplies its value.
    values = elementwise(type, "btd", {{source, "btd"}, {mask, "bt"}}, source,
                         [](Scalars &s, ValueRange args) { return s.select(args[1], args[0], s.number(0)); });
    parts.capture = mask;
    parts.captureMap = AffineMap::get(4, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(3)}, b.getContext());
  }
  parts.lengths = lengths;
  parts.key = withUnit(keys, 1), parts.value = withUnit(values, 1);
  attn::AttentionOp attention = this->attention(parts);
  if (mask) {
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Type> arguments{type};
    arguments.append(4, b.getIndexType());
    arguments.push_back(b.getI1Type());
    Block *block = b.createBlock(&attention.getScore(), {}, arguments, SmallVector<Location>(6, loc));
    Scalars s{b, loc, type};
    attn::YieldOp::create(b, loc, s.select(block->getArgument(5), block->getArgument(0), s.number(-INFINITY)));
  }
  replace(reshaped(attention.getResult(), {{0, 1, 2}, {3}}, {size(pool.getInit(), 0), size(pool.getInit(), 1)}));
}

//===-- Of pooled queries and keys ===//

/// Rows B x H x P x D, points of the grid, by windows.
Value PoolingDecomposition::pooled(Value rows, ArrayRef<int64_t> grid, ArrayRef<int64_t> kernel,
                                   ArrayRef<int64_t> stride, attn::WindowPool pool) {
  Type type = typeOf(rows).getElementType();
  unsigned n = grid.size(), loops = 3 + 2 * n;
  Sizes ends{size(rows, 0), size(rows, 1), size(rows, 3)}, points{ends[0], ends[1]}, windows = points, window;
  ReassociationIndices middle;
  SmallVector<AffineExpr> from{b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, to = from, inside;
  int64_t count = 1, all = 1, size = 1;
  for (unsigned a = 0; a < n; ++a) {
    int64_t places = (grid[a] - kernel[a]) / stride[a] + 1;
    points.push_back(fixed(grid[a])), windows.push_back(fixed(places)), window.push_back(fixed(kernel[a]));
    AffineExpr place = b.getAffineDimExpr(2 + a), within = b.getAffineDimExpr(3 + n + a);
    from.push_back(place * stride[a] + within), to.push_back(place), inside.push_back(within);
    middle.push_back(2 + a);
    count *= places, all *= grid[a], size *= kernel[a];
  }
  require(dims.get(rows, 2), all);
  if (llvm::all_of(kernel, [](int64_t k) { return k == 1; }) && llvm::all_of(stride, [](int64_t s) { return s == 1; }))
    return rows;
  points.push_back(ends[2]), windows.push_back(ends[2]);
  from.push_back(b.getAffineDimExpr(2 + n)), to.push_back(b.getAffineDimExpr(2 + n));
  SmallVector<ReassociationIndices> groups{{0}, {1}, middle, {2 + static_cast<int64_t>(n)}};
  // The grid is known, so the number of rows is.
  SmallVector<int64_t> shape(typeOf(rows).getShape());
  for (auto [d, s] : {std::pair(0, ends[0]), {1, ends[1]}, {3, ends[2]}})
    shape[d] = getConstantIntValue(s).value_or(ShapedType::kDynamic);
  shape[2] = all;
  Value tensor = cast(rows, RankedTensorType::get(shape, type));
  if (n > 1)
    tensor = reshaped(tensor, groups, points);
  bool most = pool == attn::WindowPool::max;
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, b.getContext()); };
  Value result = generic(filled(windows, type, most ? -INFINITY : 0), {map(from), map(inside), map(to)},
                         {tensor, empty(window, type)}, [&](Scalars &s, ValueRange args) {
                           return most ? s.max(args[2], args[0]) : s.add(args[2], s.mul(args[0], s.number(1.0 / size)));
                         });
  return n > 1 ? reshaped(result, groups, {ends[0], ends[1], fixed(count), ends[2]}) : result;
}

void PoolingDecomposition::run(attn::PooledAttentionOp op) {
  Value query = op.getQuery(), key = op.getKey(), value = op.getValue(), init = op.getInit();
  for (Value other : {key, value})
    require(other, 0, query, 0);
  require(key, 3, query, 3), require(init, 0, query, 0), require(init, 3, value, 3);
  Attention parts;
  parts.query = pooled(query, op.getQueryGrid(), op.getQueryKernel(), op.getQueryStride(), op.getPool());
  parts.key = pooled(key, op.getKeyGrid(), op.getKeyKernel(), op.getKeyStride(), op.getPool());
  parts.value = pooled(value, op.getKeyGrid(), op.getKeyKernel(), op.getKeyStride(), op.getPool());
  parts.scale = op.getScale().convertToDouble();
  require(init, 2, parts.query, 2);
  Value result = attention(parts).getResult();
  if (op.getResidual()) {
    require(value, 3, query, 3);
    result = elementwise(typeOf(init).getElementType(), "bhme", {{result, "bhme"}, {parts.query, "bhme"}}, init,
                         [](Scalars &s, ValueRange args) { return s.add(args[0], args[1]); });
  }
  replace(result);
}

bool fovea::decomposePooling(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<attn::ChannelAttentionOp, attn::SpatialAttentionOp, attn::AttentionPoolOp, attn::PooledAttentionOp>(
          [](auto pooling) { return PoolingDecomposition(pooling).run(pooling), true; })
      .Default(false);
}
