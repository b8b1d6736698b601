// Resize: along each axis the nearest element, or a weighted sum of the 2 (linear) or 4 (cubic) around a place in the
// input. Places are quotients of integers, so that what lies on an element lies there exactly. ONNX Resize; the cubic
// weights are those of Keys, "Cubic convolution interpolation for digital image processing" (1981).
#include "frontends/onnx/Importer.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
/// An axis that changes its size: one step in the output is p / q steps in the input.
struct Axis {
  int64_t axis;
  DimExpr from, to, p, q;
};
} // namespace

/// The quotient of the smallest integers that the number is as f32. Scales are written as f32: 0.6 means 3 / 5.
static std::pair<int64_t, int64_t> quotientOf(float number) {
  // Convergents of the continued fraction.
  int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
  double left = number;
  for (int step = 0; step < 32; ++step) {
    int64_t whole = static_cast<int64_t>(left);
    std::tie(p0, p1) = std::pair(p1, whole * p1 + p0);
    std::tie(q0, q1) = std::pair(q1, whole * q1 + q0);
    if (static_cast<float>(static_cast<double>(p1) / static_cast<double>(q1)) == number)
      break;
    left = 1 / (left - static_cast<double>(whole));
  }
  return {p1, q1};
}

static SmallVector<float> constantScales(Importer &im, const Node &node) {
  auto constant = im.input(node, 2).getDefiningOp<arith::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : nullptr;
  if (!dense || !dense.getElementType().isF32())
    failUnsupported("scales that are not constant");
  SmallVector<float> scales;
  for (const APFloat &scale : dense.getValues<APFloat>()) {
    scales.push_back(scale.convertToFloat());
    if (!(scales.back() >= 1e-6f && scales.back() <= 1e6f))
      failInput("the scale " + Twine(std::to_string(scales.back())) + " is not a positive number up to 1e6");
  }
  return scales;
}

/// One scale for all axes, so that the result is not larger (or not smaller) than what is asked for.
static void keepAspectRatio(StringRef policy, MutableArrayRef<Axis> axes) {
  auto isConstant = [](const DimExpr &e) { return e.getConstant() && *e.getConstant() > 0; };
  if (!llvm::all_of(axes, [&](const Axis &a) { return isConstant(a.from) && isConstant(a.to); }))
    failUnsupported("keep_aspect_ratio_policy \"" + policy + "\" with a symbolic or empty dim");
  auto scale = [](const Axis &a) {
    return static_cast<double>(*a.to.getConstant()) / static_cast<double>(*a.from.getConstant());
  };
  auto less = [&](const Axis &a, const Axis &b) { return scale(a) < scale(b); };
  const Axis &chosen = policy == "not_larger" ? *llvm::min_element(axes, less) : *llvm::max_element(axes, less);
  int64_t p = *chosen.from.getConstant(), q = *chosen.to.getConstant();
  for (Axis &a : axes) // rounded to the nearest size, halves up
    a.p = p, a.q = q, a.to = (2 * *a.from.getConstant() * q + p) / (2 * p);
}

static SmallVector<Axis> readAxes(Importer &im, const Node &node, const Shape &x) {
  int64_t rank = x.size();
  SmallVector<int64_t> numbers = node.integers("axes");
  if (numbers.empty())
    numbers.assign(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  for (int64_t &axis : numbers)
    axis = im.axis(axis, rank, node);
  if (node.hasInput(2) == node.hasInput(3))
    failInput("expected either scales or sizes");
  SmallVector<Axis> axes;
  if (node.hasInput(2)) {
    SmallVector<float> scales = constantScales(im, node);
    if (scales.size() != numbers.size())
      failInput("expected " + Twine(numbers.size()) + " scales, got " + Twine(scales.size()));
    for (auto [axis, scale] : llvm::zip_equal(numbers, scales)) {
      auto [q, p] = quotientOf(scale);
      axes.push_back({axis, x[axis], im.quotient(x[axis] * DimExpr(q), p), p, q});
    }
    return axes;
  }
  SmallVector<DimExpr> sizes = im.shapeInput(node, 3).elements;
  if (sizes.size() != numbers.size())
    failInput("expected " + Twine(numbers.size()) + " sizes, got " + Twine(sizes.size()));
  for (auto [axis, size] : llvm::zip_equal(numbers, sizes)) {
    im.checkAtMost(0, size, "the size of dim " + Twine(axis) + " is negative");
    axes.push_back({axis, x[axis], size, x[axis], size});
  }
  std::string policy = node.string("keep_aspect_ratio_policy", "stretch");
  if (policy == "not_larger" || policy == "not_smaller")
    keepAspectRatio(policy, axes);
  else if (policy != "stretch")
    failInput("keep_aspect_ratio_policy is \"" + policy + "\"");
  return axes;
}

namespace {
/// Integers in a region.
struct Integers {
  OpBuilder &b;
  Location loc;

  Value number(int64_t n) { return arith::ConstantIndexOp::create(b, loc, n); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value subtract(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value multiply(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value twice(Value x) { return multiply(x, number(2)); }
  Value floor(Value x, Value y) { return arith::FloorDivSIOp::create(b, loc, x, y); }
  Value ceil(Value x, Value y) { return arith::CeilDivSIOp::create(b, loc, x, y); }
};

/// A place in the input: numerator / denominator.
struct Place {
  Value numerator, denominator;
};
} // namespace

static Place placeOf(Integers i, StringRef mode, Value o, Value from, Value to, Value p, Value q) {
  if (mode == "asymmetric")
    return {i.multiply(o, p), q};
  if (mode == "align_corners") {
    // o * (from - 1) / (from * q / p - 1); an output of one element lies on the first one.
    Value steps = i.subtract(i.multiply(from, q), p), zero = i.number(0);
    Value single = arith::CmpIOp::create(i.b, i.loc, arith::CmpIPredicate::eq, steps, zero);
    Value last = i.subtract(from, i.number(1));
    return {arith::SelectOp::create(i.b, i.loc, single, zero, i.multiply(i.multiply(o, last), p)),
            arith::SelectOp::create(i.b, i.loc, single, i.number(1), steps)};
  }
  if (mode == "half_pixel_symmetric") // from / 2 * (1 - to * p / (from * q)) + (o + 1/2) * p / q - 1/2
    return {i.add(i.multiply(i.subtract(from, i.number(1)), q),
                  i.multiply(i.subtract(i.add(i.twice(o), i.number(1)), to), p)),
            i.twice(q)};
  // (o + 1/2) * p / q - 1/2
  Place place{i.subtract(i.multiply(i.add(i.twice(o), i.number(1)), p), q), i.twice(q)};
  if (mode == "pytorch_half_pixel") { // an output of one element lies before the first one, so is that
    Value single = arith::CmpIOp::create(i.b, i.loc, arith::CmpIPredicate::eq, i.multiply(from, q), p);
    place.numerator = arith::SelectOp::create(i.b, i.loc, single, i.number(-1), place.numerator);
    place.denominator = arith::SelectOp::create(i.b, i.loc, single, i.number(2), place.denominator);
  }
  return place;
}

static Value nearest(Integers i, StringRef mode, const Place &place) {
  auto [x, y] = place;
  if (mode == "floor")
    return i.floor(x, y);
  if (mode == "ceil")
    return i.ceil(x, y);
  if (mode == "round_prefer_ceil")
    return i.floor(i.add(i.twice(x), y), i.twice(y));
  return i.ceil(i.subtract(i.twice(x), y), i.twice(y));
}

static Value clamp(Integers i, Value index, Value size) {
  Value last = i.subtract(size, i.number(1));
  return arith::MaxSIOp::create(i.b, i.loc, arith::MinSIOp::create(i.b, i.loc, index, last), i.number(0));
}

/// A tensor with a number for each output along the axis, made of its place.
static Value alongAxis(Importer &im, const Axis &a, Type element, StringRef mode,
                       llvm::function_ref<Value(Integers, const Place &)> make) {
  Value from = im.index(a.from), to = im.index(a.to), p = im.index(a.p), q = im.index(a.q);
  return im.generic({}, {}, im.empty(a.to, element), im.identity(1), [&](OpBuilder &b, Location loc, ValueRange) {
    Integers i{b, loc};
    return make(i, placeOf(i, mode, linalg::IndexOp::create(b, loc, 0), from, to, p, q));
  });
}

static Value resizeNearest(Importer &im, const Node &node, Value in, StringRef mode, ArrayRef<Axis> axes) {
  std::string rounding = node.string("nearest_mode", "round_prefer_floor");
  if (rounding != "round_prefer_floor" && rounding != "round_prefer_ceil" && rounding != "floor" && rounding != "ceil")
    failInput("nearest_mode is \"" + rounding + "\"");
  Shape to = im.shape(in);
  unsigned rank = to.size();
  SmallVector<Value> indices;
  SmallVector<AffineMap> maps;
  for (const Axis &a : axes) {
    to[a.axis] = a.to;
    Value size = im.index(a.from);
    indices.push_back(alongAxis(im, a, im.b.getI64Type(), mode, [&](Integers i, const Place &place) -> Value {
      return arith::IndexCastOp::create(i.b, i.loc, i.b.getI64Type(), clamp(i, nearest(i, rounding, place), size));
    }));
    maps.push_back(im.affineMap(rank, im.dim(a.axis)));
  }
  return im.generic(indices, maps, im.empty(to, im.elementType(in)), im.identity(rank),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      SmallVector<Value> place;
                      for (unsigned d = 0; d < rank; ++d)
                        place.push_back(linalg::IndexOp::create(b, loc, d));
                      for (auto [index, a] : llvm::zip(e, axes))
                        place[a.axis] = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
                      return fovea::data::LookupOp::create(b, loc, im.elementType(in), in, place);
                    });
}

/// The weights of the elements around a place that lies t behind the nearest one before it.
static SmallVector<Value> weightsOf(OpBuilder &b, Location loc, Value t, bool cubic, double a) {
  auto number = [&](double n) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(t.getType(), n)).getResult(); };
  auto add = [&](Value x, Value y) { return arith::AddFOp::create(b, loc, x, y).getResult(); };
  auto multiply = [&](Value x, Value y) { return arith::MulFOp::create(b, loc, x, y).getResult(); };
  Value back = arith::SubFOp::create(b, loc, number(1), t);
  if (!cubic)
    return {back, t};
  // Keys (1981), equation 15; the polynomial for distances from 1 to 2 as a product, which does not cancel.
  auto near = [&](Value s) {
    Value inner = add(number(-(a + 3)), multiply(number(a + 2), s));
    return add(multiply(multiply(inner, s), s), number(1));
  };
  auto far = [&](Value over, Value under) { // by so much more than 1, and less than 2
    return multiply(multiply(number(a), over), multiply(under, under));
  };
  return {far(t, back), near(t), near(back), far(back, t)};
}

/// One axis; the input has 32 bits or more.
static Value interpolate(Importer &im, const Node &node, Value in, StringRef mode, const Axis &axis, bool cubic) {
  Type element = im.elementType(in), i64 = im.b.getI64Type();
  bool excludes = node.integer("exclude_outside", 0);
  double a = node.number("cubic_coeff_a", -0.75);
  int64_t taps = cubic ? 4 : 2;
  Value before = alongAxis(im, axis, i64, mode, [&](Integers i, const Place &place) -> Value {
    return arith::IndexCastOp::create(i.b, i.loc, i64, i.floor(place.numerator, place.denominator));
  });
  Value distance = alongAxis(im, axis, element, mode, [&](Integers i, const Place &place) -> Value {
    Value whole = i.floor(place.numerator, place.denominator);
    auto toFloat = [&](Value v) -> Value {
      return arith::SIToFPOp::create(i.b, i.loc, element, arith::IndexCastOp::create(i.b, i.loc, i64, v));
    };
    Value rest = i.subtract(place.numerator, i.multiply(whole, place.denominator));
    return arith::DivFOp::create(i.b, i.loc, toFloat(rest), toFloat(place.denominator));
  });
  Shape to = im.shape(in);
  unsigned rank = to.size();
  to[axis.axis] = axis.to;
  Value size = im.index(axis.from);
  AffineMap along = im.affineMap(rank, im.dim(axis.axis));
  return im.generic({before, distance}, {along, along}, im.empty(to, element), im.identity(rank),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Integers i{b, loc};
                      SmallVector<Value> weights = weightsOf(b, loc, e[1], cubic, a), place;
                      for (unsigned d = 0; d < rank; ++d)
                        place.push_back(linalg::IndexOp::create(b, loc, d));
                      Value first = arith::IndexCastOp::create(b, loc, b.getIndexType(), e[0]);
                      Value sum, total, zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
                      for (int64_t tap = 0; tap < taps; ++tap) {
                        Value at = i.add(first, i.number(tap - (taps / 2 - 1))), weight = weights[tap];
                        if (excludes) {
                          // As unsigned numbers, those before the first element are large.
                          Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, size);
                          weight = arith::SelectOp::create(b, loc, inside, weight, zero);
                          total = total ? arith::AddFOp::create(b, loc, total, weight).getResult() : weight;
                        }
                        place[axis.axis] = clamp(i, at, size);
                        Value term = arith::MulFOp::create(b, loc, weight,
                                                           fovea::data::LookupOp::create(b, loc, element, in, place));
                        sum = sum ? arith::AddFOp::create(b, loc, sum, term).getResult() : term;
                      }
                      return excludes ? arith::DivFOp::create(b, loc, sum, total).getResult() : sum;
                    });
}

static void importResize(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  std::string places = node.string("coordinate_transformation_mode", "half_pixel");
  std::string mode = node.string("mode", "nearest");
  if (places == "tf_crop_and_resize")
    failUnsupported("coordinate_transformation_mode \"tf_crop_and_resize\"");
  if (places != "half_pixel" && places != "half_pixel_symmetric" && places != "pytorch_half_pixel" &&
      places != "align_corners" && places != "asymmetric")
    failInput("coordinate_transformation_mode is \"" + places + "\"");
  if (mode != "nearest" && mode != "linear" && mode != "cubic")
    failInput("mode is \"" + mode + "\"");
  if (node.integer("antialias", 0) && mode != "nearest")
    failUnsupported("antialias");
  SmallVector<Axis> axes = readAxes(im, node, im.shape(in));
  llvm::erase_if(axes, [](const Axis &a) { return (a.from - a.to).isConstant(0) && (a.p - a.q).isConstant(0); });
  for (const Axis &a : axes)
    im.checkAtMost(1, a.from, "dim " + Twine(a.axis) + " is empty, there is nothing to resize");
  Type given = im.elementType(in);
  if (mode == "nearest") {
    im.setOutput(node, 0, axes.empty() ? in : resizeNearest(im, node, in, places, axes));
    return;
  }
  if (!isa<FloatType>(given))
    failUnsupported("integers in mode \"" + mode + "\"");
  Value result = given.getIntOrFloatBitWidth() < 32 ? im.cast(in, im.b.getF32Type()) : in;
  for (const Axis &a : axes)
    result = interpolate(im, node, result, places, a, mode == "cubic");
  im.setOutput(node, 0, im.cast(result, given));
}

static RegisterOps family{{"Resize", importResize}};
