// Positional encoding as elementwise operations over small constant tables.
//
// Angles are computed in f64 whatever the type of the result: a position of 10^5 in f32 leaves a hundredth of a turn to
// chance. A bias that depends on the places of query and key is arithmetic of its loops; where attention captures it,
// that arithmetic moves into the score, so that nothing of the size of the scores is ever in memory.
#include "compiler/transforms/Decomposition.h"
#include "compiler/transforms/Ops.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using attn::detail::typeOf;
using data::DimExpr;

//===-- Rows for positions ===//

namespace {
class EncodingDecomposition : Decomposition {
public:
  explicit EncodingDecomposition(Operation *op) : Decomposition(op, "positions and encoding do not fit each other") {}
  void run(attn::SinusoidalEncodingOp encoding);
  void run(attn::MaskPositionsOp positions);
  void run(attn::LearnedEncodingOp encoding);
  void run(attn::RotaryFrequenciesOp tables);

private:
  Value stretched(attn::RotaryFrequenciesOp tables, Value frequencies);
  /// The dims of x are those of y, which may have more.
  void requireLeading(Value x, Value y) {
    for (int64_t d = 0; d < typeOf(x).getRank(); ++d)
      require(x, d, y, d);
  }
};
} // namespace

void EncodingDecomposition::run(attn::SinusoidalEncodingOp encoding) {
  RankedTensorType type = typeOf(encoding.getResult());
  int64_t rank = type.getRank(), last = type.getShape().back(), width = encoding.getWidth();
  bool halves = encoding.getLayout() == attn::SinusoidLayout::halves, added = encoding.getAxes() == attn::Axes::added;
  SmallVector<double> frequencies;
  for (int64_t d = 0; d < last; ++d) {
    int64_t place = d % width, k = halves ? place % (width / 2) : place / 2;
    frequencies.push_back(std::pow(encoding.getTemperature().convertToDouble(), -2.0 * k / width));
  }
  StringRef all = letters(rank), lead = all.drop_back();
  SmallVector<std::pair<Value, StringRef>> operands{{row(frequencies, b.getF64Type()), all.take_back(1)}};
  for (Value positions : encoding.getPositions()) {
    requireLeading(positions, encoding.getInit());
    operands.push_back({positions, lead});
  }
  replace(elementwise(type.getElementType(), all, operands, encoding.getInit(), [&](Scalars &s, ValueRange args) {
    Value at = s.asInteger(s.loop(rank - 1)), place = at, cosine;
    if (!added)
      place = arith::RemSIOp::create(s.b, s.loc, at, s.integer(width));
    if (halves)
      cosine = s.compare(arith::CmpIPredicate::sge, place, s.integer(width / 2));
    else
      cosine =
          s.compare(arith::CmpIPredicate::eq, arith::AndIOp::create(s.b, s.loc, place, s.integer(1)), s.integer(1));
    auto wave = [&](Value position) -> Value {
      Value angle = s.mul(s.wide(position), args[0]);
      return s.select(cosine, math::CosOp::create(s.b, s.loc, angle), math::SinOp::create(s.b, s.loc, angle));
    };
    ValueRange positions = args.slice(1, encoding.getPositions().size());
    if (added) {
      Value sum = wave(positions[0]);
      for (Value position : positions.drop_front())
        sum = s.add(sum, wave(position));
      return s.narrow(sum);
    }
    Value position = s.wide(positions[0]);
    for (auto [axis, other] : llvm::enumerate(positions.drop_front()))
      position =
          s.select(s.compare(arith::CmpIPredicate::sge, at, s.integer((axis + 1) * width)), s.wide(other), position);
    return s.narrow(wave(position));
  }));
}

void EncodingDecomposition::run(attn::MaskPositionsOp positions) {
  Value mask = positions.getMask();
  Type type = typeOf(positions.getResult()).getElementType();
  int64_t rank = typeOf(mask).getRank(), axis = positions.getAxis();
  requireLeading(mask, positions.getInit());
  StringRef all = letters(rank);
  std::string others = (all.take_front(axis) + all.drop_front(axis + 1)).str();
  Type i64 = b.getI64Type();
  Value live = elementwise(i64, all, {{mask, all}}, mask,
                           [](Scalars &s, ValueRange args) { return s.select(args[0], s.integer(0), s.integer(1)); });
  Value count = data::CumsumOp::create(b, loc, live.getType(), live, empty(sizesOf(live), i64), axis,
                                       /*exclusive=*/false, /*reverse=*/false);
  if (!positions.getNormalize())
    return replace(
        elementwise(type, all, {{count, all}}, positions.getInit(), [](Scalars &s, ValueRange args) -> Value {
          return arith::SIToFPOp::create(s.b, s.loc, s.type, args[0]);
        }));
  Sizes sizes = sizesOf(mask);
  sizes.erase(sizes.begin() + axis);
  Value none = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
  Value init = linalg::FillOp::create(b, loc, none, empty(sizes, i64)).getResult(0);
  Value last = generic(init, others + all[axis], others, {{live, all}},
                       [](Scalars &s, ValueRange args) { return s.addi(args[1], args[0]); });
  auto number = [](llvm::APFloat x) { return x.convertToDouble(); };
  replace(elementwise(type, all, {{count, all}, {last, others}}, positions.getInit(), [&](Scalars &s, ValueRange args) {
    auto constant = [&](double x) { return s.numberOf(s.b.getF64Type(), x); };
    Value shifted = s.add(s.wide(args[0]), constant(number(positions.getOffset())));
    Value whole = s.add(s.wide(args[1]), constant(number(positions.getEpsilon())));
    return s.narrow(s.mul(s.div(shifted, whole), constant(number(positions.getScale()))));
  }));
}

void EncodingDecomposition::run(attn::LearnedEncodingOp encoding) {
  Value table = encoding.getTable(), positions = encoding.getPositions(), init = encoding.getInit();
  int64_t rank = typeOf(init).getRank(), offset = encoding.getOffset();
  Type type = typeOf(init).getElementType();
  require(table, 1, init, rank - 1);
  StringRef all = letters(rank);
  if (!positions) {
    requireAtMost(dims.get(init, 0) + DimExpr(offset), dims.get(table, 0));
    Value slice = tensor::ExtractSliceOp::create(b, loc, table, ArrayRef<OpFoldResult>{fixed(offset), fixed(0)},
                                                 ArrayRef<OpFoldResult>{size(init, 0), size(init, 1)},
                                                 ArrayRef<OpFoldResult>{fixed(1), fixed(1)});
    return replace(slice);
  }
  requireLeading(positions, init);
  Value rows = data::materialize(b, loc, dims.get(table, 0));
  replace(elementwise(type, all, {{positions, all.drop_back()}}, init, [&](Scalars &s, ValueRange args) {
    Value at = s.addi(args[0], s.integer(offset)), past = s.asInteger(rows);
    // A lookup would count a negative row from the end.
    at = s.select(s.compare(arith::CmpIPredicate::slt, at, s.integer(0)), past, at);
    return s.lookup(table, {s.index(at), s.loop(rank - 1)});
  }));
}

/// The frequencies for the largest of the positions.
Value EncodingDecomposition::stretched(attn::RotaryFrequenciesOp tables, Value frequencies) {
  Value positions = tables.getPositions();
  Type f64 = b.getF64Type();
  double context = tables.getOriginalContext(), factor = tables.getFactor().convertToDouble();
  StringRef lead = letters(typeOf(positions).getRank());
  Value length =
      generic(filled({}, f64, context), lead, "", {{positions, lead}}, [](Scalars &s, ValueRange args) -> Value {
        Value past = s.add(s.wide(args[0]), s.numberOf(s.b.getF64Type(), 1));
        return arith::MaximumFOp::create(s.b, s.loc, args[1], past);
      });
  Value powers = row(tables.getStretchPowers(), f64);
  return elementwise(f64, "A", {{frequencies, "A"}, {powers, "A"}, {length, ""}}, frequencies,
                     [&](Scalars &s, ValueRange args) {
                       auto constant = [&](double x) { return s.numberOf(s.b.getF64Type(), x); };
                       Value stretch = s.add(s.mul(args[2], constant(factor / context)), constant(1 - factor));
                       Value logarithm = math::LogOp::create(s.b, s.loc, stretch);
                       return s.mul(args[0], math::ExpOp::create(s.b, s.loc, s.mul(logarithm, args[1])));
                     });
}

void EncodingDecomposition::run(attn::RotaryFrequenciesOp tables) {
  Value positions = tables.getPositions();
  RankedTensorType type = typeOf(tables.getCos());
  requireLeading(positions, tables.getCosInit());
  for (int64_t d = 0; d < type.getRank(); ++d)
    require(tables.getSinInit(), d, tables.getCosInit(), d);
  StringRef all = letters(type.getRank());
  Value frequencies = row(tables.getFrequencies(), b.getF64Type());
  if (tables.getScaling() == attn::RotaryScaling::dynamic_ntk)
    frequencies = stretched(tables, frequencies);
  double amplitude = tables.getAmplitude();
  auto table = [&](auto wave) {
    return elementwise(type.getElementType(), all, {{positions, all.drop_back()}, {frequencies, all.take_back(1)}},
                       tables.getCosInit(), [&](Scalars &s, ValueRange args) {
                         Value value = wave(s, s.mul(s.wide(args[0]), args[1]));
                         if (amplitude != 1)
                           value = s.mul(value, s.numberOf(s.b.getF64Type(), amplitude));
                         return s.narrow(value);
                       });
  };
  Value cos = table([](Scalars &s, Value angle) -> Value { return math::CosOp::create(s.b, s.loc, angle); });
  Value sin = table([](Scalars &s, Value angle) -> Value { return math::SinOp::create(s.b, s.loc, angle); });
  replace({cos, sin});
}

//===-- Biases of attention ===//

namespace {
/// `scalar` says what the bias is at (h, i, j), all index; `prepare` makes the tables that it reads.
class BiasDecomposition : protected Decomposition {
public:
  explicit BiasDecomposition(Operation *op) : Decomposition(op, "tables and bias do not fit each other") {}
  virtual ~BiasDecomposition() = default;
  void run();

protected:
  virtual void prepare() = 0;
  virtual Value scalar(Scalars &s, Value h, Value i, Value j) = 0;
  /// What is added to a query's number so that the last query meets the last key.
  Value alignment(bool bottomRight);
  Value init() { return cast<DestinationStyleOpInterface>(op).getDpsInits()[0]; }

private:
  DimExpr keysOf(attn::AttentionInterface attention);
  void absorb(attn::AttentionInterface attention, unsigned capture);
};

class RelativeDecomposition : public BiasDecomposition {
public:
  explicit RelativeDecomposition(attn::RelativeBiasOp bias) : BiasDecomposition(bias), bias(bias) {}

private:
  void prepare() override;
  Value scalar(Scalars &s, Value h, Value i, Value j) override;
  attn::RelativeBiasOp bias;
  Value shift, distances;
};

class GridDecomposition : public BiasDecomposition {
public:
  explicit GridDecomposition(attn::GridBiasOp bias) : BiasDecomposition(bias), bias(bias) {}

private:
  void prepare() override;
  Value scalar(Scalars &s, Value h, Value i, Value j) override;
  attn::GridBiasOp bias;
};

class AlibiDecomposition : public BiasDecomposition {
public:
  explicit AlibiDecomposition(attn::AlibiBiasOp bias) : BiasDecomposition(bias), bias(bias) {}

private:
  void prepare() override;
  Value scalar(Scalars &s, Value h, Value i, Value j) override;
  attn::AlibiBiasOp bias;
  Value shift, slopes;
};
} // namespace

Value BiasDecomposition::alignment(bool bottomRight) {
  return bottomRight ? data::materialize(b, loc, dims.get(init(), 2) - dims.get(init(), 1)) : Value();
}

/// How many keys there are in the whole sequence.
DimExpr BiasDecomposition::keysOf(attn::AttentionInterface attention) {
  auto block = dyn_cast<attn::OnlineAttentionOp>(attention.getOperation());
  return block ? dims.get(block.getKeys()) : dims.get(attention.getKey(), 2);
}

/// A capture at plain indices becomes arithmetic of them; others stay.
void BiasDecomposition::absorb(attn::AttentionInterface attention, unsigned capture) {
  AffineMap map = llvm::cast<AffineMapAttr>(attention.getCaptureMaps()[capture]).getValue();
  for (auto [d, expr] : llvm::enumerate(map.getResults())) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (!isa<AffineDimExpr>(expr) &&
        !(constant && constant.getValue() >= 0 && constant.getValue() < typeOf(init()).getDimSize(d)))
      return;
  }
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(attention);
    for (auto [d, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        bool key = dim.getPosition() == 3;
        requireAtMost(key ? keysOf(attention) : dims.get(attention.getQuery(), dim.getPosition()), dims.get(init(), d));
      }
  }
  for (Region *region : attention.getCapturingRegions()) {
    Block &block = region->front();
    OpBuilder inside = OpBuilder::atBlockBegin(&block);
    BlockArgument argument = block.getArgument(5 + capture);
    Scalars s{inside, loc, typeOf(init()).getElementType()};
    SmallVector<Value> at;
    for (AffineExpr expr : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        at.push_back(block.getArgument(1 + dim.getPosition()));
      else
        at.push_back(s.place(llvm::cast<AffineConstantExpr>(expr).getValue()));
    argument.replaceAllUsesWith(scalar(s, at[0], at[1], at[2]));
    block.eraseArgument(5 + capture);
  }
  SmallVector<Attribute> maps(attention.getCaptureMaps().getValue());
  maps.erase(maps.begin() + capture);
  llvm::TypeSwitch<Operation *>(attention).Case<attn::AttentionOp, attn::OnlineAttentionOp>([&](auto typed) {
    typed.getCapturesMutable().erase(capture);
    typed.setCaptureMapsAttr(b.getArrayAttr(maps));
  });
}

void BiasDecomposition::run() {
  prepare();
  Value result = op->getResult(0);
  for (Operation *user : usersOf(result))
    if (auto attention = dyn_cast<attn::AttentionInterface>(user))
      for (unsigned n = attention.getCaptures().size(); n-- > 0;)
        if (attention.getCaptures()[n] == result)
          absorb(attention, n);
  replace(elementwise(typeOf(result).getElementType(), "hij", {}, init(),
                      [&](Scalars &s, ValueRange) { return scalar(s, s.loop(0), s.loop(1), s.loop(2)); }));
}

/// One row for each distance up to the largest that counts: looking up needs no logarithm then.
void RelativeDecomposition::prepare() {
  int64_t most = bias.getMaxDistance();
  require(bias.getTable(), 1, init(), 0);
  SmallVector<int64_t> buckets;
  for (int64_t d = -most; d <= most; ++d)
    buckets.push_back(bias.getBucket(d));
  auto type = RankedTensorType::get(buckets.size(), b.getI64Type());
  Value numbers = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef(buckets)));
  distances = elementwise(
      typeOf(init()).getElementType(), "dh", {{numbers, "d"}}, Sizes{fixed(buckets.size()), size(init(), 0)},
      [&](Scalars &s, ValueRange args) { return s.lookup(bias.getTable(), {s.index(args[0]), s.loop(1)}); });
  shift = alignment(bias.getBottomRight());
}

Value RelativeDecomposition::scalar(Scalars &s, Value h, Value i, Value j) {
  Value d = s.subi(j, shift ? s.addi(i, shift) : i), most = s.place(bias.getMaxDistance());
  d = arith::MinSIOp::create(s.b, s.loc, d, most);
  d = arith::MaxSIOp::create(s.b, s.loc, s.addi(d, most), s.place(0));
  return s.lookup(distances, {d, h});
}

void GridDecomposition::prepare() {
  for (Value table : bias.getTables())
    require(table, 1, init(), 0);
  int64_t points = 1, offsets = 1;
  for (int64_t size : bias.getGrid())
    points *= size, offsets *= 2 * size - 1;
  for (int64_t d : {1, 2})
    require(dims.get(init(), d), points);
  for (auto [n, table] : llvm::enumerate(bias.getTables()))
    require(dims.get(table, 0), bias.getTables().size() == 1 ? offsets : 2 * bias.getGrid()[n] - 1);
}

Value GridDecomposition::scalar(Scalars &s, Value h, Value i, Value j) {
  ArrayRef<int64_t> grid = bias.getGrid();
  bool joint = bias.getTables().size() == 1;
  SmallVector<Value> rows(grid.size());
  for (int64_t a = grid.size(); a-- > 0;) {
    auto coordinate = [&](Value &point) -> Value {
      Value size = s.place(grid[a]), own = a == 0 ? point : arith::RemSIOp::create(s.b, s.loc, point, size).getResult();
      if (a > 0)
        point = arith::DivSIOp::create(s.b, s.loc, point, size);
      return own;
    };
    Value from = coordinate(i), to = coordinate(j);
    rows[a] = s.addi(s.subi(from, to), s.place(grid[a] - 1));
  }
  Value result;
  if (joint) {
    Value row = rows[0];
    for (size_t a = 1; a < grid.size(); ++a)
      row = s.addi(arith::MulIOp::create(s.b, s.loc, row, s.place(2 * grid[a] - 1)), rows[a]);
    return s.lookup(bias.getTables()[0], {row, h});
  }
  for (auto [row, table] : llvm::zip(rows, bias.getTables())) {
    Value part = s.lookup(table, {row, h});
    result = result ? s.add(result, part) : part;
  }
  return result;
}

void AlibiDecomposition::prepare() {
  RankedTensorType type = typeOf(init());
  SmallVector<double> values;
  for (int64_t h = 0; h < type.getDimSize(0); ++h)
    values.push_back(-bias.getSlope(h));
  slopes = row(values, type.getElementType());
  shift = alignment(bias.getBottomRight());
}

Value AlibiDecomposition::scalar(Scalars &s, Value h, Value i, Value j) {
  Value d = s.asInteger(s.subi(j, shift ? s.addi(i, shift) : i));
  Value distance = math::AbsFOp::create(s.b, s.loc, arith::SIToFPOp::create(s.b, s.loc, s.type, d));
  return s.mul(s.lookup(slopes, h), distance);
}

bool fovea::decomposePositional(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<attn::SinusoidalEncodingOp, attn::MaskPositionsOp, attn::LearnedEncodingOp, attn::RotaryFrequenciesOp>(
          [](auto encoding) { return EncodingDecomposition(encoding).run(encoding), true; })
      .Case([](attn::RelativeBiasOp bias) { return RelativeDecomposition(bias).run(), true; })
      .Case([](attn::GridBiasOp bias) { return GridDecomposition(bias).run(), true; })
      .Case([](attn::AlibiBiasOp bias) { return AlibiDecomposition(bias).run(), true; })
      .Default(false);
}
