#include "compiler/target/vulkan/WordPairs.h"
#include "compiler/target/vulkan/WideIntegers.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

using namespace mlir;
using namespace fovea::vulkan;
using Predicate = arith::CmpIPredicate;

Type WordPairs::type(MLIRContext *context) { return VectorType::get({2}, IntegerType::get(context, 32)); }

bool WordPairs::isPair(Type type) { return type == WordPairs::type(type.getContext()); }

bool WordPairs::cover(Operation *op) {
  if (isa<arith::SIToFPOp, arith::UIToFPOp>(op))
    return withoutLane(op->getResult(0).getType()).isF32();
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op))
    return withoutLane(op->getOperand(0).getType()).isF32();
  return isa<arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivSIOp, arith::DivUIOp,
             arith::RemSIOp, arith::RemUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::ShLIOp, arith::ShRSIOp,
             arith::ShRUIOp, arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp, arith::MaxUIOp, arith::CmpIOp,
             arith::SelectOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::IndexCastOp, arith::IndexCastUIOp,
             math::AbsIOp>(op);
}

//===-- Words ===//

Value WordPairs::number(int64_t v) {
  return arith::ConstantIntOp::create(b, at, b.getI32Type(), static_cast<int32_t>(v));
}

Value WordPairs::pair(Location loc, Value low, Value high) {
  return spirv::CompositeConstructOp::create(b, loc, type(b.getContext()), ValueRange{low, high});
}

Value WordPairs::constant(Location loc, int64_t value) {
  at = loc;
  return pair({number(value), number(value >> 32)});
}

Value WordPairs::word(Location loc, Value v, int32_t number) {
  if (auto made = v.getDefiningOp<spirv::CompositeConstructOp>())
    return made.getConstituents()[number];
  return spirv::CompositeExtractOp::create(b, loc, v, ArrayRef<int32_t>{number});
}

Value WordPairs::extended(Location loc, Value v, bool isSigned) {
  at = loc;
  if (v.getType().isInteger(1))
    v = isSigned ? b.createOrFold<arith::ExtSIOp>(at, b.getI32Type(), v)
                 : b.createOrFold<arith::ExtUIOp>(at, b.getI32Type(), v);
  return pair({v, isSigned ? make<arith::ShRSIOp>(v, number(31)) : number(0)});
}

Value WordPairs::select(Location loc, Value condition, Value x, Value y) {
  at = loc;
  return pair(choose(condition, words(x), words(y)));
}

//===-- Arithmetic ===//

WordPairs::Words WordPairs::add(Words x, Words y) {
  Value low = make<arith::AddIOp>(x.low, y.low);
  Value carry = b.createOrFold<arith::ExtUIOp>(at, b.getI32Type(), is(Predicate::ult, low, x.low));
  return {low, make<arith::AddIOp>(make<arith::AddIOp>(x.high, y.high), carry)};
}

WordPairs::Words WordPairs::sub(Words x, Words y) {
  Value borrow = b.createOrFold<arith::ExtUIOp>(at, b.getI32Type(), is(Predicate::ult, x.low, y.low));
  return {make<arith::SubIOp>(x.low, y.low), make<arith::SubIOp>(make<arith::SubIOp>(x.high, y.high), borrow)};
}

WordPairs::Words WordPairs::mul(Words x, Words y) {
  auto lows = arith::MulUIExtendedOp::create(b, at, x.low, y.low);
  Value crossed = make<arith::AddIOp>(make<arith::MulIOp>(x.low, y.high), make<arith::MulIOp>(x.high, y.low));
  return {lows.getLow(), make<arith::AddIOp>(lows.getHigh(), crossed)};
}

/// By less than 64 bits.
WordPairs::Words WordPairs::shiftedLeft(Words x, Value by) {
  Value within = make<arith::AndIOp>(by, number(31)), left = make<arith::SubIOp>(number(31), within);
  Value over = make<arith::ShRUIOp>(make<arith::ShRUIOp>(x.low, number(1)), left);
  Value low = make<arith::ShLIOp>(x.low, within), zero = number(0);
  Words few{low, make<arith::OrIOp>(make<arith::ShLIOp>(x.high, within), over)};
  return choose(is(Predicate::uge, by, number(32)), Words{zero, low}, few);
}

WordPairs::Words WordPairs::shifted(Operation *op, Words x, Value by) {
  if (isa<arith::ShLIOp>(op))
    return shiftedLeft(x, by);
  bool isSigned = isa<arith::ShRSIOp>(op);
  Value within = make<arith::AndIOp>(by, number(31)), left = make<arith::SubIOp>(number(31), within);
  Value over = make<arith::ShLIOp>(make<arith::ShLIOp>(x.high, number(1)), left);
  Value high = isSigned ? make<arith::ShRSIOp>(x.high, within) : make<arith::ShRUIOp>(x.high, within);
  Value empty = isSigned ? make<arith::ShRSIOp>(x.high, number(31)) : number(0);
  Words few{make<arith::OrIOp>(make<arith::ShRUIOp>(x.low, within), over), high};
  return choose(is(Predicate::uge, by, number(32)), Words{high, empty}, few);
}

Value WordPairs::compare(Predicate predicate, Words x, Words y) {
  Value sameHigh = is(Predicate::eq, x.high, y.high);
  if (predicate == Predicate::eq)
    return make<arith::AndIOp>(sameHigh, is(Predicate::eq, x.low, y.low));
  if (predicate == Predicate::ne)
    return make<arith::OrIOp>(is(Predicate::ne, x.high, y.high), is(Predicate::ne, x.low, y.low));
  Predicate ofHigh = predicate, ofLow = predicate;
  switch (predicate) {
  case Predicate::slt:
  case Predicate::sle:
    ofHigh = Predicate::slt, ofLow = predicate == Predicate::slt ? Predicate::ult : Predicate::ule;
    break;
  case Predicate::sgt:
  case Predicate::sge:
    ofHigh = Predicate::sgt, ofLow = predicate == Predicate::sgt ? Predicate::ugt : Predicate::uge;
    break;
  default:
    ofHigh = predicate == Predicate::ult || predicate == Predicate::ule ? Predicate::ult : Predicate::ugt;
  }
  return make<arith::OrIOp>(is(ofHigh, x.high, y.high), make<arith::AndIOp>(sameHigh, is(ofLow, x.low, y.low)));
}

WordPairs::Words WordPairs::negatedIf(Value condition, Words x) {
  return choose(condition, sub({number(0), number(0)}, x), x);
}

WordPairs::Words WordPairs::magnitude(Words x) { return negatedIf(is(Predicate::slt, x.high, number(0)), x); }

//===-- Division ===//

/// Of unsigned numbers, bit by bit.
std::pair<WordPairs::Words, WordPairs::Words> WordPairs::dividedByBits(Words x, Words y) {
  Value zero = number(0), one = number(1);
  auto loop = scf::ForOp::create(b, at, zero, number(64), one, ValueRange{x.low, x.high, zero, zero});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getBody());
    auto carried = loop.getRegionIterArgs();
    Words quotient{carried[0], carried[1]}, rest{carried[2], carried[3]};
    Value next = make<arith::ShRUIOp>(quotient.high, number(31)), over = is(Predicate::slt, rest.high, zero);
    rest = shiftedLeft(rest, one), rest.low = make<arith::OrIOp>(rest.low, next);
    quotient = shiftedLeft(quotient, one);
    Value goes = make<arith::OrIOp>(over, compare(Predicate::uge, rest, y));
    rest = choose(goes, sub(rest, y), rest);
    quotient.low = make<arith::OrIOp>(quotient.low, choose(goes, one, zero));
    scf::YieldOp::create(b, at, ValueRange{quotient.low, quotient.high, rest.low, rest.high});
  }
  auto results = loop.getResults();
  return {{results[0], results[1]}, {results[2], results[3]}};
}

/// Of unsigned numbers; most fit one word.
std::pair<WordPairs::Words, WordPairs::Words> WordPairs::divided(Words x, Words y) {
  Value zero = number(0), small = is(Predicate::eq, make<arith::OrIOp>(x.high, y.high), zero);
  auto branch = scf::IfOp::create(b, at, TypeRange(SmallVector<Type>(4, b.getI32Type())), small, /*withElse=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    Value quotient = make<arith::DivUIOp>(x.low, y.low), rest = make<arith::RemUIOp>(x.low, y.low);
    scf::YieldOp::create(b, at, ValueRange{quotient, zero, rest, zero});
    b.setInsertionPointToEnd(branch.elseBlock());
    auto [longQuotient, longRest] = dividedByBits(x, y);
    scf::YieldOp::create(b, at, ValueRange{longQuotient.low, longQuotient.high, longRest.low, longRest.high});
  }
  auto results = branch.getResults();
  return {{results[0], results[1]}, {results[2], results[3]}};
}

//===-- Operations ===//

Value WordPairs::operation(Operation *op, ValueRange operands) {
  at = op->getLoc();
  if (isa<arith::SelectOp>(op))
    return select(at, operands[0], operands[1], operands[2]);
  Words x = words(operands[0]);
  Value zero = number(0), negative = is(Predicate::slt, x.high, zero);
  if (isa<math::AbsIOp>(op))
    return pair(magnitude(x));
  Words y = words(operands[1]);
  if (auto o = dyn_cast<arith::CmpIOp>(op))
    return compare(o.getPredicate(), x, y);
  if (isa<arith::AddIOp>(op))
    return pair(add(x, y));
  if (isa<arith::SubIOp>(op))
    return pair(sub(x, y));
  if (isa<arith::MulIOp>(op))
    return pair(mul(x, y));
  if (isa<arith::AndIOp>(op))
    return pair({make<arith::AndIOp>(x.low, y.low), make<arith::AndIOp>(x.high, y.high)});
  if (isa<arith::OrIOp>(op))
    return pair({make<arith::OrIOp>(x.low, y.low), make<arith::OrIOp>(x.high, y.high)});
  if (isa<arith::XOrIOp>(op))
    return pair({make<arith::XOrIOp>(x.low, y.low), make<arith::XOrIOp>(x.high, y.high)});
  if (isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op))
    return pair(shifted(op, x, y.low));
  if (isa<arith::MinSIOp>(op))
    return pair(choose(compare(Predicate::slt, x, y), x, y));
  if (isa<arith::MaxSIOp>(op))
    return pair(choose(compare(Predicate::sgt, x, y), x, y));
  if (isa<arith::MinUIOp>(op))
    return pair(choose(compare(Predicate::ult, x, y), x, y));
  if (isa<arith::MaxUIOp>(op))
    return pair(choose(compare(Predicate::ugt, x, y), x, y));
  if (isa<arith::DivUIOp>(op))
    return pair(divided(x, y).first);
  if (isa<arith::RemUIOp>(op))
    return pair(divided(x, y).second);
  auto [quotient, rest] = divided(magnitude(x), magnitude(y));
  if (isa<arith::RemSIOp>(op))
    return pair(negatedIf(negative, rest));
  Value otherSigns = is(Predicate::ne, negative, is(Predicate::slt, y.high, zero));
  return pair(negatedIf(otherSigns, quotient));
}

//===-- Floats ===//

Value WordPairs::toFloat(Location loc, Value v, bool isSigned) {
  at = loc;
  Words x = words(v);
  Value zero = number(0), one = number(1), negative = is(Predicate::slt, x.high, zero);
  if (isSigned)
    x = negatedIf(negative, x);
  // The first 32 bits from the highest one on; whether there are more is in the last of them.
  auto zeros = [&](Value word) { return b.createOrFold<math::CountLeadingZerosOp>(at, word); };
  Value many = make<arith::AddIOp>(zeros(x.low), number(32));
  Value by = choose(is(Predicate::eq, x.high, zero), many, zeros(x.high));
  by = b.createOrFold<arith::MinUIOp>(at, by, number(63)); // of zero
  Words all = shiftedLeft(x, by);
  Value more = choose(is(Predicate::ne, all.low, zero), one, zero), bits = make<arith::OrIOp>(all.high, more);
  // Of them 24 are left.
  Value kept = make<arith::ShRUIOp>(bits, number(8)), rest = make<arith::AndIOp>(bits, number(255));
  Value isOdd = make<arith::AndIOp>(kept, one);
  Value up = is(Predicate::ugt, make<arith::AddIOp>(rest, isOdd), number(128));
  kept = make<arith::AddIOp>(kept, choose(up, one, zero));
  Value exponent = make<arith::ShLIOp>(make<arith::SubIOp>(number(127 + 40), by), number(23));
  Value scale = arith::BitcastOp::create(b, at, b.getF32Type(), exponent);
  Value result = make<arith::MulFOp>(arith::SIToFPOp::create(b, at, b.getF32Type(), kept), scale);
  return isSigned ? choose(negative, arith::NegFOp::create(b, at, result), result) : result;
}

Value WordPairs::fromFloat(Location loc, Value v, bool isSigned) {
  at = loc;
  auto real = [&](double x) -> Value { return arith::ConstantOp::create(b, at, b.getF32FloatAttr(x)); };
  Value negative = arith::CmpFOp::create(b, at, arith::CmpFPredicate::OLT, v, real(0));
  Value x = choose(negative, arith::NegFOp::create(b, at, v), v);
  Value fits = arith::CmpFOp::create(b, at, arith::CmpFPredicate::OLT, x, real(isSigned ? 0x1p63 : 0x1p64));
  x = choose(fits, x, real(0));
  auto wordOf = [&](Value part) -> Value { return arith::FPToUIOp::create(b, at, b.getI32Type(), part); };
  Value high = wordOf(make<arith::MulFOp>(x, real(0x1p-32)));
  Value ofHigh = make<arith::MulFOp>(arith::UIToFPOp::create(b, at, b.getF32Type(), high), real(0x1p32));
  Words whole{wordOf(make<arith::SubFOp>(x, ofHigh)), high}; // both exact: high has 24 bits at most
  return pair(choose(fits, negatedIf(negative, whole), Words{number(0), number(INT32_MIN)}));
}
