// A stage's function as a shader: each invocation runs one task.
//
// The function reads and writes through addresses (!llvm.ptr). Every address in it is a place in one of the kernel's
// buffers, or in the workspace, that is known while it is being written; it becomes that buffer and a number of words
// and bytes. Integers below 32 bits are kept in 32, extended by their sign, and cut to size after each operation.
#include "compiler/target/vulkan/ShaderModule.h"
#include "compiler/target/vulkan/WideIntegers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::vulkan;

static constexpr unsigned kGroupSize = 64;

namespace {
/// Where an address points.
struct Place {
  enum Kind { none, arguments, buffers, symbols, data, choice } kind = none;
  uint8_t buffer = 0;           ///< data: the kernel's, or one of the other bindings. arguments: the field
  Value words = {}, bytes = {}; ///< data: from the buffer's start; null: none. Their sum is the place
  int64_t constant = 0;         ///< bytes, or for arrays elements
  /// choice: one of two places, by a condition.
  Value condition = {};
  std::shared_ptr<std::pair<Place, Place>> both = {};
};

class ThreadCode {
public:
  ThreadCode(mlir::func::FuncOp function, ModuleOp code, Shader &shader)
      : function(function), wide(function), shader(shader), frame(code, function.getLoc(), shader), b(frame.builder()),
        loc(function.getLoc()) {}
  FailureOr<spirv::ModuleOp> write();

private:
  LogicalResult refuse(Operation *op, const Twine &why) {
    return op->emitError("not supported: no shader can do ") << why;
  }
  // Values.
  Type typeOf(Value v) const;
  Value get(Value v);
  Value getIndex(Value v); ///< as i32
  Value getWide(Value v, bool asWide);
  void set(Value v, Value is) { values[v] = is; }
  Value constant(int64_t v) { return frame.constant(static_cast<int32_t>(v)); }
  Value constant(Type type, int64_t v) { return arith::ConstantIntOp::create(b, loc, type, v); }
  /// Bits of an integer of that type, where it is kept in 32 though it is smaller; else 0.
  static unsigned smallBits(Type type);
  Value signExtended(Value v, unsigned bits);
  Value zeroExtended(Value v, unsigned bits);
  template <typename Op> Value make(Value x, Value y) { return b.createOrFold<Op>(loc, x, y); }

  // Memory.
  LogicalResult address(LLVM::GEPOp op);
  LogicalResult load(Operation *op, Value result, Value pointer, Value mask, Value otherwise);
  LogicalResult store(Operation *op, Value value, Value pointer, Value mask);
  LogicalResult copy(LLVM::MemcpyOp op);
  Value loadFrom(const Place &place, Type type);
  void storeTo(const Place &place, Type type, Value value);
  struct At {
    Value word, shift; ///< shift: in bits
  };
  At at(const Place &place);
  Place advanced(Place place, Value elements, int64_t size);
  void under(Value condition, llvm::function_ref<void()> body);
  Value either(Value condition, Type type, llvm::function_ref<Value()> then, llvm::function_ref<Value()> other);
  Place placeOf(uint8_t buffer);
  static bool isWords(const Place &place);
  LogicalResult isData(Operation *op, const Place &place);

  // Operations.
  LogicalResult translate(Block &block);
  LogicalResult translate(Operation *op);
  LogicalResult constantOp(arith::ConstantOp op);
  LogicalResult entry(vector::ExtractOp op);
  LogicalResult elementwise(Operation *op);
  LogicalResult conversion(Operation *op);
  LogicalResult loop(scf::ForOp op);
  LogicalResult branch(scf::IfOp op);
  LogicalResult loop(scf::WhileOp op);
  LogicalResult choose(scf::IndexSwitchOp op);
  void yield(ValueRange from, ValueRange like);

  mlir::func::FuncOp function;
  WideIntegers wide;
  Shader &shader;
  ShaderModule frame;
  OpBuilder &b;
  Location loc;
  DenseMap<Value, Value> values;
  DenseMap<Value, Place> places;
  DenseMap<Value, DenseElementsAttr> tables; ///< constant vectors that single elements are taken of
  Value task, tasks;
};
} // namespace

//===-- Values
//---------------------------------------------------------------------------------------------------------------------===//

unsigned ThreadCode::smallBits(Type type) {
  type = withoutLane(type);
  if (type.isInteger(8) || type.isInteger(16))
    return type.getIntOrFloatBitWidth();
  return isa<Float16Type, BFloat16Type>(type) ? 16 : 0;
}

/// What a value of the function is in the shader.
Type ThreadCode::typeOf(Value v) const {
  Type type = withoutLane(v.getType());
  if (smallBits(type) || type.isIndex() || (type.isInteger(64) && !wide.contains(v)))
    return b.getI32Type();
  return type;
}

Value ThreadCode::get(Value v) {
  Value known = values.lookup(v);
  assert(known && "operands are translated before their users");
  return known;
}

Value ThreadCode::getIndex(Value v) {
  Value known = get(v);
  return known.getType().isInteger(64) ? b.createOrFold<arith::TruncIOp>(loc, b.getI32Type(), known) : known;
}

Value ThreadCode::getWide(Value v, bool asWide) {
  Value known = get(v);
  if (asWide && isI64(v.getType()) && known.getType().isInteger(32))
    return b.createOrFold<arith::ExtSIOp>(loc, b.getI64Type(), known);
  return known;
}

Value ThreadCode::signExtended(Value v, unsigned bits) {
  Value by = constant(32 - bits);
  return make<arith::ShRSIOp>(make<arith::ShLIOp>(v, by), by);
}

Value ThreadCode::zeroExtended(Value v, unsigned bits) {
  return make<arith::AndIOp>(v, constant(static_cast<int64_t>((1u << bits) - 1)));
}

//===-- Memory
//---------------------------------------------------------------------------------------------------------------------===//

Place ThreadCode::advanced(Place place, Value elements, int64_t size) {
  if (place.kind == Place::choice) {
    place.both = std::make_shared<std::pair<Place, Place>>(advanced(place.both->first, elements, size),
                                                           advanced(place.both->second, elements, size));
    return place;
  }
  APInt known;
  if (matchPattern(elements, m_ConstantInt(&known))) {
    place.constant += known.getSExtValue() * size;
    return place;
  }
  bool whole = size % 4 == 0;
  Value &sum = whole ? place.words : place.bytes;
  int64_t factor = whole ? size / 4 : size;
  Value term = factor == 1 ? elements : make<arith::MulIOp>(elements, constant(factor));
  sum = sum ? make<arith::AddIOp>(sum, term) : term;
  return place;
}

LogicalResult ThreadCode::isData(Operation *op, const Place &place) {
  if (place.kind == Place::data || place.kind == Place::choice)
    return success();
  return refuse(op, "an address that is not one of a buffer's");
}

LogicalResult ThreadCode::address(LLVM::GEPOp op) {
  Place place = places.lookup(op.getBase());
  if (place.kind == Place::none || op.getIndices().size() != 1)
    return refuse(op, "this computation of an address");
  auto index = *op.getIndices().begin();
  Value elements = isa<Value>(index) ? getIndex(cast<Value>(index)) : constant(cast<IntegerAttr>(index).getInt());
  if (place.kind == Place::data || place.kind == Place::choice) {
    Type element = withoutLane(op.getElemType());
    places[op.getResult()] = advanced(place, elements, std::max(1u, element.getIntOrFloatBitWidth() / 8));
    return success();
  }
  APInt known;
  if (!matchPattern(elements, m_ConstantInt(&known)))
    return refuse(op, "a number of a buffer that is computed");
  if (place.kind == Place::arguments)
    place.buffer = known.getZExtValue();
  else
    place.constant = known.getZExtValue();
  places[op.getResult()] = place;
  return success();
}

ThreadCode::At ThreadCode::at(const Place &place) {
  int64_t size = place.constant;
  Value word = place.words;
  auto add = [&](Value x, Value y) { return x ? make<arith::AddIOp>(x, y) : y; };
  if (!place.bytes && size % 4 == 0)
    return {size || !word ? add(word, constant(size / 4)) : word, Value()};
  Value bytes = place.bytes ? size ? make<arith::AddIOp>(place.bytes, constant(size)) : place.bytes : constant(size);
  Value shift = make<arith::ShLIOp>(make<arith::AndIOp>(bytes, constant(3)), constant(3));
  return {add(word, make<arith::ShRUIOp>(bytes, constant(2))), shift};
}

Value ThreadCode::loadFrom(const Place &place, Type type) {
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (place.kind == Place::choice) {
    Type kept = bits < 32 ? b.getI32Type() : type.isIndex() ? b.getI64Type() : type;
    return either(
        place.condition, kept, [&] { return loadFrom(place.both->first, type); },
        [&] { return loadFrom(place.both->second, type); });
  }
  auto wordAt = [&](Value index) -> Value { return spirv::LoadOp::create(b, loc, frame.word(place.buffer, index)); };
  At p = at(place);
  if (bits < 32) {
    Value word = wordAt(p.word);
    return signExtended(p.shift ? make<arith::ShRUIOp>(word, p.shift) : word, bits);
  }
  Value low = wordAt(p.word);
  if (bits == 32)
    return type.isInteger(32) ? low : arith::BitcastOp::create(b, loc, type, low).getResult();
  Value high = wordAt(make<arith::AddIOp>(p.word, constant(1)));
  if (type.isF64()) {
    auto pair =
        spirv::CompositeConstructOp::create(b, loc, VectorType::get({2}, b.getI32Type()), ValueRange{low, high});
    return spirv::BitcastOp::create(b, loc, type, pair);
  }
  Value wideHigh = arith::ExtUIOp::create(b, loc, b.getI64Type(), high);
  return make<arith::OrIOp>(make<arith::ShLIOp>(wideHigh, constant(b.getI64Type(), 32)),
                            arith::ExtUIOp::create(b, loc, b.getI64Type(), low));
}

void ThreadCode::storeTo(const Place &place, Type type, Value value) {
  if (place.kind == Place::choice) {
    under(place.condition, [&] { storeTo(place.both->first, type, value); });
    return under(make<arith::XOrIOp>(place.condition, constant(b.getI1Type(), 1)),
                 [&] { storeTo(place.both->second, type, value); });
  }
  At p = at(place);
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  auto setWord = [&](Value index, Value v) { spirv::StoreOp::create(b, loc, frame.word(place.buffer, index), v); };
  if (bits < 32) {
    // Other invocations write the other bytes of the word.
    Value mask = constant(static_cast<int64_t>((1u << bits) - 1)), shift = p.shift ? p.shift : constant(0);
    Value cleared = make<arith::XOrIOp>(make<arith::ShLIOp>(mask, shift), constant(-1));
    Value bitsInPlace = make<arith::ShLIOp>(zeroExtended(value, bits), shift);
    Value pointer = frame.word(place.buffer, p.word);
    spirv::AtomicAndOp::create(b, loc, b.getI32Type(), pointer, spirv::Scope::Device, spirv::MemorySemantics::None,
                               cleared);
    spirv::AtomicOrOp::create(b, loc, b.getI32Type(), pointer, spirv::Scope::Device, spirv::MemorySemantics::None,
                              bitsInPlace);
    return;
  }
  if (bits == 32)
    return setWord(p.word,
                   type.isInteger(32) ? value : arith::BitcastOp::create(b, loc, b.getI32Type(), value).getResult());
  Value low, high, next = make<arith::AddIOp>(p.word, constant(1));
  APInt known;
  if (type.isF64()) {
    Value pair = spirv::BitcastOp::create(b, loc, VectorType::get({2}, b.getI32Type()), value);
    low = spirv::CompositeExtractOp::create(b, loc, pair, ArrayRef<int32_t>{0});
    high = spirv::CompositeExtractOp::create(b, loc, pair, ArrayRef<int32_t>{1});
  } else if (matchPattern(value, m_ConstantInt(&known))) {
    low = constant(static_cast<int32_t>(known.getSExtValue()));
    high = constant(static_cast<int32_t>(known.getSExtValue() >> 32));
  } else if (value.getType().isInteger(32)) {
    low = value, high = make<arith::ShRSIOp>(value, constant(31));
  } else {
    low = arith::TruncIOp::create(b, loc, b.getI32Type(), value);
    high = arith::TruncIOp::create(b, loc, b.getI32Type(), make<arith::ShRUIOp>(value, constant(b.getI64Type(), 32)));
  }
  setWord(p.word, low);
  setWord(next, high);
}

void ThreadCode::under(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenBlock()->getTerminator());
  body();
}

Value ThreadCode::either(Value condition, Type type, llvm::function_ref<Value()> then,
                         llvm::function_ref<Value()> other) {
  auto branch = scf::IfOp::create(b, loc, TypeRange(type), condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(branch.thenBlock());
  scf::YieldOp::create(b, loc, then());
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, loc, other());
  return branch.getResult(0);
}

/// The start of one of the kernel's buffers. Where a shared one lies is known when it is launched.
Place ThreadCode::placeOf(uint8_t buffer) {
  auto found = llvm::find(shader.shared, buffer);
  if (found == shader.shared.end())
    return {Place::data, buffer};
  Value place = frame.push(kFirstFreeWord + (found - shader.shared.begin()));
  Value words = make<arith::AndIOp>(place, constant(0x7fffffff));
  Place choice{Place::choice};
  choice.condition = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, place, constant(0));
  choice.both = std::make_shared<std::pair<Place, Place>>(Place{Place::data, kWeightsBinding, words},
                                                          Place{Place::data, kMemoryBinding, words});
  return choice;
}

/// True for a place between two words.
bool ThreadCode::isWords(const Place &place) {
  if (place.kind == Place::choice)
    return isWords(place.both->first) && isWords(place.both->second);
  return !place.bytes && place.constant % 4 == 0;
}

LogicalResult ThreadCode::load(Operation *op, Value result, Value pointer, Value mask, Value otherwise) {
  Place place = places.lookup(pointer);
  if (place.kind == Place::arguments) {
    // The fields of fovea_kernel_args: buffers, scalars, fault.
    if (place.buffer == 2)
      places[result] = {Place::data, kFaultBinding};
    else
      places[result] = {place.buffer == 0 ? Place::buffers : Place::symbols};
    return success();
  }
  if (place.kind == Place::buffers) {
    if (place.constant >= kWordsBinding)
      return refuse(op, "so many buffers");
    places[result] = placeOf(static_cast<uint8_t>(place.constant));
    return success();
  }
  if (place.kind == Place::symbols) {
    set(result, frame.push(kFirstFreeWord + shader.shared.size() + place.constant));
    return success();
  }
  if (failed(isData(op, place)))
    return failure();
  Type type = withoutLane(result.getType()), kept = typeOf(result);
  auto whole = [&] { return loadFrom(place, type); };
  if (mask && !matchPattern(mask, m_One()))
    set(result, either(get(mask), kept, whole, [&] { return get(otherwise); }));
  else
    set(result, whole());
  return success();
}

LogicalResult ThreadCode::store(Operation *op, Value value, Value pointer, Value mask) {
  Place place = places.lookup(pointer);
  if (failed(isData(op, place)))
    return failure();
  Type type = withoutLane(value.getType());
  Value v = get(value);
  auto whole = [&] { storeTo(place, type, v); };
  if (mask && !matchPattern(mask, m_One()))
    under(get(mask), whole);
  else
    whole();
  return success();
}

LogicalResult ThreadCode::copy(LLVM::MemcpyOp op) {
  Place to = places.lookup(op.getDst()), from = places.lookup(op.getSrc());
  if (failed(isData(op, to)) || failed(isData(op, from)))
    return failure();
  Value bytes = getIndex(op.getLen()), zero = constant(0), one = constant(1);
  auto each = [&](Value first, Value last, Type type, int64_t size) {
    auto loop = scf::ForOp::create(b, loc, first, last, one);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    Value i = loop.getInductionVar();
    storeTo(advanced(to, i, size), type, loadFrom(advanced(from, i, size), type));
  };
  Value done = zero;
  if (isWords(to) && isWords(from)) {
    Value count = make<arith::ShRUIOp>(bytes, constant(2));
    each(zero, count, b.getI32Type(), 4);
    done = make<arith::ShLIOp>(count, constant(2));
  }
  each(done, bytes, b.getI8Type(), 1);
  return success();
}

//===-- Operations
//-----------------------------------------------------------------------------------------------------------------===//

LogicalResult ThreadCode::constantOp(arith::ConstantOp op) {
  TypedAttr value = op.getValue();
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    if (dense.getNumElements() != 1)
      return tables[op.getResult()] = dense, success();
    value = cast<TypedAttr>(dense.getSplatValue<Attribute>());
  }
  Type type = typeOf(op.getResult());
  if (auto number = dyn_cast<IntegerAttr>(value)) {
    value = type.isInteger(1) ? b.getIntegerAttr(type, number.getValue().getZExtValue() & 1)
                              : b.getIntegerAttr(type, number.getValue().sextOrTrunc(64).getSExtValue());
  } else if (auto number = dyn_cast<FloatAttr>(value); number && smallBits(number.getType())) {
    value = b.getIntegerAttr(type, number.getValue().bitcastToAPInt().getSExtValue());
  }
  set(op.getResult(), arith::ConstantOp::create(b, loc, value));
  return success();
}

/// An entry of a small constant table, by a chain of choices.
LogicalResult ThreadCode::entry(vector::ExtractOp op) {
  DenseElementsAttr table = tables.lookup(op.getSource());
  if (op.getNumIndices() != 1 || isa<VectorType>(op.getType()) || smallBits(op.getType()))
    return refuse(op, "a vector");
  OpFoldResult place = op.getMixedPosition().front();
  Value at = isa<Attribute>(place) ? constant(cast<IntegerAttr>(cast<Attribute>(place)).getInt())
                                   : getIndex(cast<Value>(place));
  Value chosen;
  for (auto [i, value] : llvm::enumerate(table.getValues<TypedAttr>())) {
    Value candidate = arith::ConstantOp::create(b, loc, value);
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, at, constant(i));
    chosen = chosen ? arith::SelectOp::create(b, loc, here, candidate, chosen).getResult() : candidate;
  }
  return set(op.getResult(), chosen), success();
}

/// The same operation on what the operands have become.
LogicalResult ThreadCode::elementwise(Operation *op) {
  if (op->getNumResults() != 1)
    return refuse(op, "'" + op->getName().getStringRef() + "'");
  Value result = op->getResult(0);
  bool anyWide = wide.contains(result) || llvm::any_of(op->getOperands(), [&](Value v) { return wide.contains(v); });
  bool isUnsigned = isa<arith::ShRUIOp, arith::DivUIOp, arith::RemUIOp, arith::UIToFPOp>(op);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (isa<LLVM::LLVMPointerType>(operand.getType()))
      return refuse(op, "'" + op->getName().getStringRef() + "' of addresses");
    Value v = getWide(operand, anyWide);
    if (isa<VectorType>(v.getType()))
      return refuse(op, "a vector");
    if (unsigned bits = smallBits(operand.getType()); bits && isUnsigned)
      v = zeroExtended(v, bits);
    operands.push_back(v);
  }
  OperationState state(loc, op->getName(), operands, {typeOf(result)}, {});
  // Flags are for what the CPU may do.
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    state.addAttribute("predicate", compare.getPredicateAttr());
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    state.addAttribute("predicate", compare.getPredicateAttr());
  Value made = b.create(state)->getResult(0);
  if (unsigned bits = smallBits(result.getType()))
    if (!isa<arith::SelectOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::MinSIOp, arith::MaxSIOp,
             arith::MinUIOp, arith::MaxUIOp>(op))
      made = signExtended(made, bits);
  set(result, made);
  return success();
}

/// Conversions between types, some of which are the same here.
LogicalResult ThreadCode::conversion(Operation *op) {
  Value from = op->getOperand(0), result = op->getResult(0), v = get(from);
  Type to = typeOf(result), source = withoutLane(from.getType()), target = withoutLane(result.getType());
  if (isa<VectorType>(v.getType()) || isa<VectorType>(to))
    return refuse(op, "a vector");
  unsigned bits = smallBits(source);
  if (isa<arith::BitcastOp>(op)) {
    if (smallBits(target) || v.getType() == to)
      return set(result, v), success();
    return set(result, arith::BitcastOp::create(b, loc, to, v)), success();
  }
  if (isa<arith::ExtUIOp, arith::IndexCastUIOp, arith::UIToFPOp>(op) && bits)
    v = zeroExtended(v, bits);
  if (isa<arith::UIToFPOp, arith::SIToFPOp>(op)) {
    // What is narrow here has been an i64 that is no larger.
    bool isSigned = isa<arith::SIToFPOp>(op) || (isI64(source) && v.getType().isInteger(32)) || bits;
    if (v.getType().isInteger(1) && isSigned) {
      Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(to, -1)),
            zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(to, 0));
      return set(result, arith::SelectOp::create(b, loc, v, one, zero)), success();
    }
    if (isSigned)
      set(result, arith::SIToFPOp::create(b, loc, to, v));
    else
      set(result, arith::UIToFPOp::create(b, loc, to, v));
    return success();
  }
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op)) {
    Value made = isa<arith::FPToSIOp>(op) || smallBits(target) ? arith::FPToSIOp::create(b, loc, to, v).getResult()
                                                               : arith::FPToUIOp::create(b, loc, to, v).getResult();
    return set(result, smallBits(target) ? signExtended(made, smallBits(target)) : made), success();
  }
  // Between integers.
  unsigned have = v.getType().getIntOrFloatBitWidth(), want = to.getIntOrFloatBitWidth();
  if (have < want) {
    bool isUnsigned = isa<arith::ExtUIOp, arith::IndexCastUIOp>(op);
    v = isUnsigned ? arith::ExtUIOp::create(b, loc, to, v).getResult()
                   : arith::ExtSIOp::create(b, loc, to, v).getResult();
  } else if (have > want) {
    v = arith::TruncIOp::create(b, loc, to, v);
  }
  if (smallBits(target) && isa<arith::TruncIOp, arith::IndexCastOp, arith::IndexCastUIOp>(op))
    v = signExtended(v, smallBits(target));
  return set(result, v), success();
}

/// The values that a region hands out, in the types of what receives them.
void ThreadCode::yield(ValueRange from, ValueRange like) {
  SmallVector<Value> out;
  for (auto [v, l] : llvm::zip(from, like))
    out.push_back(getWide(v, typeOf(l).isInteger(64)));
  scf::YieldOp::create(b, loc, out);
}

LogicalResult ThreadCode::loop(scf::ForOp op) {
  if (llvm::any_of(op.getResultTypes(), llvm::IsaPred<LLVM::LLVMPointerType>))
    return refuse(op, "a loop that carries addresses");
  // The loop over the tasks: there is one.
  if (op.getLowerBound() == function.getArgument(1) && op.getUpperBound() == function.getArgument(2)) {
    set(op.getInductionVar(), task);
    for (auto [argument, init] : llvm::zip(op.getRegionIterArgs(), op.getInitArgs()))
      set(argument, getWide(init, typeOf(argument).isInteger(64)));
    if (!op->use_empty())
      return refuse(op, "tasks that pass something on");
    return translate(*op.getBody());
  }
  Value from = getIndex(op.getLowerBound()), to = getIndex(op.getUpperBound()), step = getIndex(op.getStep());
  SmallVector<Value> inits;
  for (auto [init, argument] : llvm::zip(op.getInitArgs(), op.getRegionIterArgs()))
    inits.push_back(getWide(init, typeOf(argument).isInteger(64)));
  auto made = scf::ForOp::create(b, loc, from, to, step, inits);
  OpBuilder::InsertionGuard guard(b);
  set(op.getInductionVar(), made.getInductionVar());
  for (auto [argument, is] : llvm::zip(op.getRegionIterArgs(), made.getRegionIterArgs()))
    set(argument, is);
  if (inits.empty())
    b.setInsertionPoint(made.getBody()->getTerminator());
  else
    b.setInsertionPointToEnd(made.getBody());
  if (failed(translate(*op.getBody())))
    return failure();
  if (!inits.empty())
    yield(op.getBody()->getTerminator()->getOperands(), op.getResults());
  for (auto [result, is] : llvm::zip(op.getResults(), made.getResults()))
    set(result, is);
  return success();
}

LogicalResult ThreadCode::branch(scf::IfOp op) {
  SmallVector<Type> types;
  for (Value result : op.getResults()) {
    if (isa<LLVM::LLVMPointerType>(result.getType()))
      return refuse(op, "a branch that gives an address");
    types.push_back(typeOf(result));
  }
  auto made = scf::IfOp::create(b, loc, types, get(op.getCondition()), /*withElseRegion=*/op.elseBlock() != nullptr);
  OpBuilder::InsertionGuard guard(b);
  for (auto [source, target] : llvm::zip(op->getRegions(), made->getRegions())) {
    if (source.empty())
      continue;
    Block &block = target.front();
    if (types.empty())
      b.setInsertionPoint(block.getTerminator());
    else
      b.setInsertionPointToEnd(&block);
    if (failed(translate(source.front())))
      return failure();
    if (!types.empty())
      yield(source.front().getTerminator()->getOperands(), op.getResults());
  }
  for (auto [result, is] : llvm::zip(op.getResults(), made.getResults()))
    set(result, is);
  return success();
}

LogicalResult ThreadCode::loop(scf::WhileOp op) {
  SmallVector<Value> inits;
  SmallVector<Type> types;
  for (auto [init, argument] : llvm::zip(op.getInits(), op.getBeforeArguments()))
    inits.push_back(getWide(init, typeOf(argument).isInteger(64)));
  for (Value result : op.getResults())
    types.push_back(typeOf(result));
  auto made = scf::WhileOp::create(b, loc, types, inits);
  OpBuilder::InsertionGuard guard(b);
  auto start = [&](Region &source, Region &target, TypeRange arguments) {
    Block *block = b.createBlock(&target, {}, arguments, SmallVector<Location>(arguments.size(), loc));
    for (auto [argument, is] : llvm::zip(source.getArguments(), block->getArguments()))
      set(argument, is);
  };
  start(op.getBefore(), made.getBefore(), ValueRange(inits).getTypes());
  if (failed(translate(op.getBefore().front())))
    return failure();
  SmallVector<Value> passed;
  for (auto [v, result] : llvm::zip(op.getConditionOp().getArgs(), op.getResults()))
    passed.push_back(getWide(v, typeOf(result).isInteger(64)));
  scf::ConditionOp::create(b, loc, get(op.getConditionOp().getCondition()), passed);
  start(op.getAfter(), made.getAfter(), types);
  if (failed(translate(op.getAfter().front())))
    return failure();
  yield(op.getYieldOp().getOperands(), op.getBeforeArguments());
  for (auto [result, is] : llvm::zip(op.getResults(), made.getResults()))
    set(result, is);
  return success();
}

LogicalResult ThreadCode::choose(scf::IndexSwitchOp op) {
  if (op.getNumResults())
    return refuse(op, "a choice that gives values");
  OpBuilder::InsertionGuard guard(b);
  for (auto [value, region] : llvm::zip(op.getCases(), op.getCaseRegions())) {
    Value is = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, getIndex(op.getArg()), constant(value));
    auto made = scf::IfOp::create(b, loc, is, /*withElseRegion=*/true);
    b.setInsertionPoint(made.thenBlock()->getTerminator());
    if (failed(translate(region.front())))
      return failure();
    b.setInsertionPoint(made.elseBlock()->getTerminator());
  }
  return translate(op.getDefaultRegion().front());
}

LogicalResult ThreadCode::translate(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(translate(&op)))
      return failure();
  return success();
}

LogicalResult ThreadCode::translate(Operation *op) {
  loc = op->getLoc();
  if (auto o = dyn_cast<arith::ConstantOp>(op))
    return constantOp(o);
  if (auto o = dyn_cast<LLVM::GEPOp>(op))
    return address(o);
  if (auto o = dyn_cast<LLVM::LoadOp>(op))
    return load(op, o.getResult(), o.getAddr(), {}, {});
  if (auto o = dyn_cast<LLVM::StoreOp>(op))
    return store(op, o.getValue(), o.getAddr(), {});
  if (auto o = dyn_cast<LLVM::MaskedLoadOp>(op))
    return load(op, o.getResult(), o.getData(), o.getMask(), o.getPassThru());
  if (auto o = dyn_cast<LLVM::MaskedStoreOp>(op))
    return store(op, o.getValue(), o.getData(), o.getMask());
  if (auto o = dyn_cast<LLVM::masked_gather>(op))
    return load(op, o.getResult(), o.getPtrs(), o.getMask(), o.getPassThru().front());
  if (auto o = dyn_cast<LLVM::masked_scatter>(op))
    return store(op, o.getValue(), o.getPtrs(), o.getMask());
  if (auto o = dyn_cast<LLVM::MemcpyOp>(op))
    return copy(o);
  if (auto o = dyn_cast<gpu::ThreadIdOp>(op))
    return set(o.getResult(), frame.invocation()), success();
  if (isa<LLVM::Prefetch>(op))
    return success();
  if (auto o = dyn_cast<LLVM::PtrToIntOp>(op)) {
    // To ask whether two buffers are the same memory. No shader can know that of two bindings: it takes them for two,
    // and what is copied onto itself stays as it is.
    const Place place = places.lookup(o.getArg());
    if (place.kind != Place::data || place.words || place.bytes || place.constant)
      return refuse(op, "an address as a number");
    return set(o.getResult(), constant(place.buffer)), success();
  }
  if (auto o = dyn_cast<LLVM::FMulAddOp>(op)) {
    set(o.getResult(), math::FmaOp::create(b, loc, get(o.getA()), get(o.getB()), get(o.getC())));
    return success();
  }
  if (auto o = dyn_cast<scf::ForOp>(op))
    return loop(o);
  if (auto o = dyn_cast<scf::IfOp>(op))
    return branch(o);
  if (auto o = dyn_cast<scf::WhileOp>(op))
    return loop(o);
  if (auto o = dyn_cast<scf::IndexSwitchOp>(op))
    return choose(o);
  if (auto o = dyn_cast<vector::ExtractOp>(op); o && tables.contains(o.getSource()))
    return entry(o);
  if (isa<vector::BroadcastOp, vector::ExtractOp, vector::ShuffleOp, vector::FromElementsOp, vector::ToElementsOp>(
          op)) {
    // Of one lane, all of them are the same.
    if (op->getNumResults() == 1 && !isa<VectorType>(withoutLane(op->getOperand(0).getType())) &&
        !isa<VectorType>(withoutLane(op->getResult(0).getType())))
      return set(op->getResult(0), get(op->getOperand(0))), success();
    return refuse(op, "a vector");
  }
  if (auto o = dyn_cast<vector::ReductionOp>(op);
      o && !o.getAcc() && !isa<VectorType>(withoutLane(o.getVector().getType())))
    return set(o.getResult(), get(o.getVector())), success();
  if (auto o = dyn_cast<arith::SelectOp>(op); o && isa<LLVM::LLVMPointerType>(withoutLane(o.getType()))) {
    Place place;
    place.kind = Place::choice;
    place.condition = get(o.getCondition());
    place.both =
        std::make_shared<std::pair<Place, Place>>(places.lookup(o.getTrueValue()), places.lookup(o.getFalseValue()));
    if (failed(isData(op, place.both->first)) || failed(isData(op, place.both->second)))
      return failure();
    places[o.getResult()] = place;
    return success();
  }
  if (isa<arith::BitcastOp, arith::ExtUIOp, arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp, arith::IndexCastUIOp,
          arith::UIToFPOp, arith::SIToFPOp, arith::FPToSIOp, arith::FPToUIOp>(op))
    return conversion(op);
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return elementwise(op);
  return refuse(op, "'" + op->getName().getStringRef() + "'");
}

FailureOr<spirv::ModuleOp> ThreadCode::write() {
  if (!llvm::hasSingleElement(function.getBody()))
    return refuse(function, "branches to blocks");
  auto together = function->getAttrOfType<IntegerAttr>(kGroupSizeAttr);
  unsigned groupSize = together ? together.getInt() : kGroupSize;
  shader.tasksOfGroup = together ? 1 : groupSize;
  Value group = frame.group();
  task = together ? group : make<arith::AddIOp>(make<arith::MulIOp>(group, constant(groupSize)), frame.invocation());
  tasks = frame.push(kTasksWord);
  places[function.getArgument(0)] = {Place::arguments};
  set(function.getArgument(1), task);
  set(function.getArgument(2), make<arith::AddIOp>(task, constant(1)));
  Place workspace{Place::data, kWorkspaceBinding};
  bool usesWorkspace = !function.getArgument(3).use_empty();
  LogicalResult done = success();
  under(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, task, tasks), [&] {
    if (usesWorkspace)
      workspace.words = make<arith::MulIOp>(task, frame.push(kWorkspaceWord));
    places[function.getArgument(3)] = workspace;
    done = translate(function.getBody().front());
  });
  if (failed(done))
    return failure();
  return frame.finish(groupSize);
}

FailureOr<spirv::ModuleOp> fovea::vulkan::writeThreadShader(mlir::func::FuncOp function, ModuleOp code,
                                                            Shader &shader) {
  FailureOr<spirv::ModuleOp> module = ThreadCode(function, code, shader).write();
  if (failed(module) || shader.bindings.size() <= kMostBindings)
    return module;
  // Too many: once more, with all but a few of the buffers in the bindings of the memory and of the weights.
  module->erase();
  unsigned left = kMostBindings - 3; // less these two and the words
  SmallVector<uint8_t> own;
  for (uint8_t binding : shader.bindings)
    if (binding > kWeightsBinding)
      --left;
    else if (binding != kWordsBinding)
      own.push_back(binding);
  shader.shared.assign(own.begin() + left, own.end());
  shader.bindings.clear();
  return ThreadCode(function, code, shader).write();
}
