// Addresses of a stage's function as places in buffers of words, and what is read and written there.
#include "compiler/lowering/Lowering.h"
#include "compiler/target/vulkan/ThreadCode.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::vulkan;

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

/// Memory of the workgroup, all of which of one kind is one array whose parts follow each other, or an array of the
/// invocation's own.
LogicalResult ThreadCode::allocate(LLVM::AllocaOp op) {
  APInt words;
  if (!op.getElemType().isIntOrFloat() || op.getElemType().getIntOrFloatBitWidth() != 32 ||
      !matchPattern(op.getArraySize(), m_ConstantInt(&words)))
    return refuse(op, "memory of this kind");
  if (cast<LLVM::LLVMPointerType>(op.getType()).getAddressSpace() != lowering::kSharedAddressSpace) {
    Place place{Place::array};
    place.variable = frame.array(words.getZExtValue());
    return places[op.getResult()] = place, success();
  }
  if (!function->hasAttr(lowering::kGroupSizeAttr))
    return refuse(op, "memory of a workgroup in a stage that has none");
  bool byFour = op.getAlignment() == lowering::kByFourAlignment;
  if (byFour && words.getZExtValue() % 4)
    return refuse(op, "vectors of four words in memory of another size");
  places[op.getResult()] = {.kind = Place::shared, .constant = 4 * sharedWords[byFour], .byFour = byFour};
  sharedWords[byFour] += words.getSExtValue();
  if (int64_t all = sharedWords[0] + sharedWords[1]; all > lowering::kMostSharedWords)
    return refuse(op, Twine(4 * all) + " bytes of memory in a workgroup");
  return success();
}

static bool holdsData(const Place &place) {
  return place.kind == Place::data || place.kind == Place::shared || place.kind == Place::array ||
         place.kind == Place::choice;
}

LogicalResult ThreadCode::isData(Operation *op, const Place &place) {
  if (holdsData(place))
    return success();
  return refuse(op, "an address that is not one of a buffer's");
}

LogicalResult ThreadCode::address(LLVM::GEPOp op) {
  Place place = places.lookup(op.getBase());
  if (place.kind == Place::none || op.getIndices().size() != 1)
    return refuse(op, "this computation of an address");
  auto index = *op.getIndices().begin();
  Value elements = isa<Value>(index) ? getIndex(cast<Value>(index)) : constant(cast<IntegerAttr>(index).getInt());
  if (holdsData(place)) {
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

/// An index or an address of which drivers are to see that a workgroup's invocations share it.
LogicalResult ThreadCode::uniform(gpu::SubgroupBroadcastOp op) {
  if (op.getBroadcastType() != gpu::BroadcastType::first_active_lane)
    return refuse(op, "a broadcast from a certain invocation");
  auto below = op->getAttrOfType<IntegerAttr>(lowering::kBelowAttr);
  unsigned bits = below ? llvm::Log2_64_Ceil(below.getInt()) : 32;
  if (isI64(op.getType()))
    return set(op.getResult(), frame.uniform(getIndex(op.getSrc()), bits)), success();
  Place place = places.lookup(op.getSrc());
  if (place.kind != Place::data && place.kind != Place::choice)
    return refuse(op, "a broadcast that is not of an index or an address");
  return places[op.getResult()] = uniform(place), success();
}

Place ThreadCode::uniform(Place place) {
  if (place.kind == Place::choice)
    place.both = std::make_shared<std::pair<Place, Place>>(uniform(place.both->first), uniform(place.both->second));
  for (Value *number : {&place.words, &place.bytes})
    if (*number)
      *number = frame.uniform(*number, 32);
  return place;
}

/// Of a place in a buffer or an array.
Value ThreadCode::pointer(const Place &place, Value word) {
  if (place.kind == Place::array)
    return spirv::AccessChainOp::create(b, loc, place.variable, ValueRange{word});
  if (place.kind == Place::shared)
    return frame.sharedWord(word, place.byFour);
  return frame.word(place.buffer, word);
}

/// The same of the four words from word 4 * `index` on.
Value ThreadCode::fourPointer(const Place &place, Value index) {
  return place.kind == Place::shared ? frame.sharedFour(index) : frame.fourWords(place.buffer, index);
}

/// One word, or four from word 4 * `index` on: of the window that it lies in, from `window` on.
Value ThreadCode::loadWords(const Place &place, Value index, unsigned words, unsigned window) {
  unsigned count = windowsOf(place);
  Type type = words > 1 ? Type(VectorType::get({4}, b.getI32Type())) : b.getI32Type();
  auto load = [&](uint8_t number, Value at) -> Value {
    if (number == artifact::WHOLE_BUFFER)
      return spirv::LoadOp::create(b, loc, words > 1 ? fourPointer(place, at) : pointer(place, at));
    return spirv::LoadOp::create(
        b, loc, words > 1 ? frame.fourWords(place.buffer, at, number) : frame.word(place.buffer, at, number));
  };
  if (count == 1)
    return load(artifact::WHOLE_BUFFER, index);
  int64_t size = shader.windowBytes / 4 / words;
  Value within = window ? make<arith::SubIOp>(index, constant(window * size)) : index;
  if (window + 1 == count)
    return load(window, within);
  Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index, constant((window + 1) * size));
  return either(
      here, type, [&] { return load(window, within); }, [&] { return loadWords(place, index, words, window + 1); });
}

/// The same with the pointer to a word.
void ThreadCode::withPointer(const Place &place, Value index, llvm::function_ref<void(Value)> body) {
  unsigned count = windowsOf(place);
  if (count == 1)
    return body(pointer(place, index));
  int64_t size = shader.windowBytes / 4;
  for (unsigned window = 0; window < count; ++window) {
    // Behind the end of any window the difference is a large number.
    Value within = make<arith::SubIOp>(index, constant(window * size));
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, within, constant(size));
    under(here, [&] { body(frame.word(place.buffer, within, window)); });
  }
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

/// Whether a vector of that type is one load: four floats from a multiple of 16 bytes on, which lowerings see to.
bool ThreadCode::isByFour(const Place &place, VectorType type) {
  return type.getNumElements() == 4 && type.getElementType().isF32() && isWords(place) && place.kind != Place::array &&
         (place.kind != Place::shared || place.byFour);
}

/// Which of the vectors of four of a buffer or a workgroup's memory it is.
Value ThreadCode::numberOfFour(const Place &place) {
  Value index = constant(place.constant / 16);
  return place.words ? make<arith::AddIOp>(make<arith::ShRUIOp>(place.words, constant(2)), index) : index;
}

Value ThreadCode::loadFour(const Place &place) {
  Type floats = VectorType::get({4}, b.getF32Type());
  if (place.kind == Place::choice)
    return either(
        place.condition, floats, [&] { return loadFour(place.both->first); },
        [&] { return loadFour(place.both->second); });
  return spirv::BitcastOp::create(b, loc, floats, loadWords(place, numberOfFour(place), 4));
}

Value ThreadCode::loadFrom(const Place &place, Type type) {
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (place.kind == Place::choice) {
    Type kept = bits < 32 || type.isIndex() ? b.getI32Type() : type.isInteger(64) ? wideType() : type;
    return either(
        place.condition, kept, [&] { return loadFrom(place.both->first, type); },
        [&] { return loadFrom(place.both->second, type); });
  }
  auto wordOf = [&](Value index) { return loadWords(place, index, 1); };
  At p = at(place);
  if (bits < 32) {
    Value word = wordOf(p.word);
    return signExtended(p.shift ? make<arith::ShRUIOp>(word, p.shift) : word, bits);
  }
  Value low = wordOf(p.word);
  if (type.isInteger(32) || type.isIndex())
    return low;
  if (bits == 32)
    return arith::BitcastOp::create(b, loc, type, low);
  Value high = wordOf(make<arith::AddIOp>(p.word, constant(1)));
  if (type.isF64()) {
    auto pair =
        spirv::CompositeConstructOp::create(b, loc, VectorType::get({2}, b.getI32Type()), ValueRange{low, high});
    return spirv::BitcastOp::create(b, loc, type, pair);
  }
  if (!native)
    return pairs.pair(loc, low, high);
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
  auto setWord = [&](Value index, Value v) {
    withPointer(place, index, [&](Value pointer) { spirv::StoreOp::create(b, loc, pointer, v); });
  };
  if (bits < 32) {
    // Other invocations write the other bytes of the word.
    Value mask = constant(static_cast<int64_t>((1u << bits) - 1)), shift = p.shift ? p.shift : constant(0);
    Value cleared = make<arith::XOrIOp>(make<arith::ShLIOp>(mask, shift), constant(-1));
    Value bitsInPlace = make<arith::ShLIOp>(zeroExtended(value, bits), shift);
    return withPointer(place, p.word, [&](Value pointer) {
      spirv::AtomicAndOp::create(b, loc, b.getI32Type(), pointer, spirv::Scope::Device, spirv::MemorySemantics::None,
                                 cleared);
      spirv::AtomicOrOp::create(b, loc, b.getI32Type(), pointer, spirv::Scope::Device, spirv::MemorySemantics::None,
                                bitsInPlace);
    });
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
  } else if (WordPairs::isPair(value.getType())) {
    low = pairs.low(loc, value), high = pairs.high(loc, value);
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
    set(result, frame.push(kFirstFreeWord + shader.shared.size() + shader.compared.size() + place.constant));
    return success();
  }
  if (failed(isData(op, place)))
    return failure();
  Type type = withoutLane(result.getType()), kept = typeOf(result);
  if (auto vector = dyn_cast<VectorType>(type)) {
    if (mask || !isByFour(place, vector))
      return refuse(op, "this load of a vector");
    return set(result, loadFour(place)), success();
  }
  auto whole = [&] { return loadFrom(place, type); };
  if (mask && !matchPattern(mask, m_One()))
    set(result, either(get(mask), kept, whole, [&] { return getWide(otherwise, isWide(kept)); }));
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
  if (auto vector = dyn_cast<VectorType>(type)) {
    if (mask || place.kind != Place::shared || !isByFour(place, vector))
      return refuse(op, "this store of a vector");
    Value words = spirv::BitcastOp::create(b, loc, VectorType::get({4}, b.getI32Type()), v);
    return spirv::StoreOp::create(b, loc, fourPointer(place, numberOfFour(place)), words), success();
  }
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
