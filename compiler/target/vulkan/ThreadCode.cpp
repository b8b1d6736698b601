// A stage's function as a shader: each invocation runs one task.
//
// The function reads and writes through addresses (!llvm.ptr). Every address in it is a place in one of the kernel's
// buffers, or in the workspace, that is known while it is being written; it becomes that buffer and a number of words
// and bytes. Integers below 32 bits are kept in 32, extended by their sign, and cut to size after each operation.
#include "compiler/target/vulkan/ThreadCode.h"
#include "compiler/lowering/Lowering.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::vulkan;

static constexpr unsigned kGroupSize = 64;

//===-- Values ===//

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
  if (type.isInteger(64))
    return wideType();
  return type;
}

Value ThreadCode::get(Value v) {
  Value known = values.lookup(v);
  assert(known && "operands are translated before their users");
  return known;
}

Value ThreadCode::getIndex(Value v) {
  Value known = get(v);
  if (WordPairs::isPair(known.getType()))
    return pairs.low(loc, known);
  return known.getType().isInteger(64) ? b.createOrFold<arith::TruncIOp>(loc, b.getI32Type(), known) : known;
}

Value ThreadCode::getWide(Value v, bool asWide) {
  Value known = get(v);
  if (asWide && isI64(v.getType()) && known.getType().isInteger(32))
    return native ? b.createOrFold<arith::ExtSIOp>(loc, b.getI64Type(), known)
                  : pairs.extended(loc, known, /*isSigned=*/true);
  return known;
}

Value ThreadCode::signExtended(Value v, unsigned bits) {
  Value by = constant(32 - bits);
  return make<arith::ShRSIOp>(make<arith::ShLIOp>(v, by), by);
}

Value ThreadCode::zeroExtended(Value v, unsigned bits) {
  return make<arith::AndIOp>(v, constant(static_cast<int64_t>((1u << bits) - 1)));
}

/// The buffer whose address becomes a number: an element of the array that a field of the arguments points to.
static std::optional<uint8_t> comparedBuffer(LLVM::PtrToIntOp op) {
  auto load = op.getArg().getDefiningOp<LLVM::LoadOp>();
  if (!load)
    return std::nullopt;
  Value array = load.getAddr();
  int64_t index = 0;
  if (auto element = array.getDefiningOp<LLVM::GEPOp>()) {
    APInt known;
    auto first = *element.getIndices().begin();
    if (auto value = dyn_cast<Value>(first); value && !matchPattern(value, m_ConstantInt(&known)))
      return std::nullopt;
    else
      index = value ? known.getSExtValue() : cast<IntegerAttr>(first).getInt();
    array = element.getBase();
  }
  if (!array.getDefiningOp<LLVM::LoadOp>() || index < 0 || index >= kWordsBinding)
    return std::nullopt;
  return static_cast<uint8_t>(index);
}

//===-- Operations ===//

LogicalResult ThreadCode::constantOp(arith::ConstantOp op) {
  TypedAttr value = op.getValue();
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    if (dense.getNumElements() != 1)
      return tables[op.getResult()] = dense, success();
    value = cast<TypedAttr>(dense.getSplatValue<Attribute>());
  }
  Type type = typeOf(op.getResult());
  if (WordPairs::isPair(type))
    return set(op.getResult(), pairs.constant(loc, cast<IntegerAttr>(value).getInt())), success();
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
    bool isPair = WordPairs::isPair(typeOf(op.getResult()));
    Value candidate = isPair ? pairs.constant(loc, cast<IntegerAttr>(value).getInt())
                             : arith::ConstantOp::create(b, loc, value).getResult();
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, at, constant(i));
    if (chosen)
      candidate = isPair ? pairs.select(loc, here, candidate, chosen)
                         : arith::SelectOp::create(b, loc, here, candidate, chosen).getResult();
    chosen = candidate;
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
    if (isa<VectorType>(v.getType()) && !WordPairs::isPair(v.getType()))
      return refuse(op, "a vector");
    if (unsigned bits = smallBits(operand.getType()); bits && isUnsigned)
      v = zeroExtended(v, bits);
    operands.push_back(v);
  }
  if (anyWide && !native)
    return set(result, pairs.operation(op, operands)), success();
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
  if (WordPairs::isPair(v.getType()) || WordPairs::isPair(to))
    return wideConversion(op, v, to);
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

/// Conversions of 64-bit integers that are pairs of words.
LogicalResult ThreadCode::wideConversion(Operation *op, Value v, Type to) {
  Value from = op->getOperand(0), result = op->getResult(0);
  unsigned bits = smallBits(from.getType());
  bool isUnsigned = isa<arith::ExtUIOp, arith::IndexCastUIOp, arith::UIToFPOp, arith::FPToUIOp>(op);
  if (isa<arith::UIToFPOp, arith::SIToFPOp>(op))
    return set(result, pairs.toFloat(loc, v, !isUnsigned)), success();
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op))
    return set(result, pairs.fromFloat(loc, v, !isUnsigned)), success();
  if (v.getType() == to)
    return set(result, v), success();
  if (WordPairs::isPair(to)) {
    if (isUnsigned && bits)
      v = zeroExtended(v, bits);
    // An index is no negative number here.
    return set(result, pairs.extended(loc, v, !isUnsigned)), success();
  }
  v = pairs.low(loc, v);
  if (to.isInteger(1))
    v = arith::TruncIOp::create(b, loc, to, v);
  else if (unsigned left = smallBits(result.getType()))
    v = signExtended(v, left);
  return set(result, v), success();
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
  if (auto o = dyn_cast<LLVM::AllocaOp>(op))
    return allocate(o);
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
  if (std::optional<LogicalResult> done = matrices(op))
    return *done;
  if (isa<UnrealizedConversionCastOp>(op) && isa<LLVM::LLVMPointerType>(op->getOperand(0).getType()))
    return success(); // an address as the memory that matrices lie in
  if (auto o = dyn_cast<gpu::ThreadIdOp>(op))
    return set(o.getResult(), frame.invocation()), success();
  if (isa<gpu::BarrierOp>(op))
    return barrier(op);
  if (auto o = dyn_cast<gpu::SubgroupBroadcastOp>(op))
    return uniform(o);
  if (isa<LLVM::Prefetch>(op))
    return success();
  if (auto o = dyn_cast<LLVM::PtrToIntOp>(op)) {
    // To ask whether two buffers are the same memory: the launch says which are.
    std::optional<uint8_t> buffer = comparedBuffer(o);
    if (!buffer)
      return refuse(op, "an address as a number");
    auto found = llvm::find(shader.compared, *buffer);
    return set(o.getResult(), frame.push(kFirstFreeWord + shader.shared.size() + (found - shader.compared.begin()))),
           success();
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
  if (auto o = dyn_cast<vector::ExtractOp>(op); o && isa<VectorType>(get(o.getSource()).getType()) &&
                                                o.getStaticPosition().size() == 1 && !o.hasDynamicPosition())
    return set(o.getResult(),
               spirv::CompositeExtractOp::create(
                   b, loc, get(o.getSource()), ArrayRef<int32_t>{static_cast<int32_t>(o.getStaticPosition().front())})),
           success();
  if (auto o = dyn_cast<vector::FromElementsOp>(op);
      o && o.getType().getNumElements() == 4 && o.getType().getElementType().isF32()) {
    SmallVector<Value> four = llvm::map_to_vector(o.getElements(), [&](Value element) { return get(element); });
    return set(o.getResult(), spirv::CompositeConstructOp::create(b, loc, o.getType(), four)), success();
  }
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
  function.walk([&](LLVM::PtrToIntOp op) {
    if (std::optional<uint8_t> buffer = comparedBuffer(op); buffer && !llvm::is_contained(shader.compared, *buffer))
      shader.compared.push_back(*buffer);
  });
  if (!llvm::hasSingleElement(function.getBody()))
    return refuse(function, "branches to blocks");
  function.walk([&](Operation *op) {
    auto isData = [&](Value v) { return wide.contains(v); };
    if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
        (llvm::any_of(op->getOperands(), isData) || llvm::any_of(op->getResults(), isData)))
      native |= !WordPairs::cover(op);
  });
  if (auto subgroup = function->getAttrOfType<IntegerAttr>(lowering::kSubgroupSizeAttr))
    shader.subgroupSize = subgroup.getInt();
  auto together = function->getAttrOfType<IntegerAttr>(lowering::kGroupSizeAttr);
  unsigned groupSize = together ? together.getInt() : kGroupSize;
  shader.tasksOfGroup = together ? 1 : groupSize;
  if (auto counts = function->getAttrOfType<DenseI64ArrayAttr>(lowering::kWindowsAttr)) {
    windows.assign(counts.asArrayRef().begin(), counts.asArrayRef().end());
    shader.windowBytes = function->getAttrOfType<IntegerAttr>(lowering::kWindowBytesAttr).getInt();
  }
  if (!together && divergence.any())
    return refuse(function, "the invocations of a workgroup, in a stage that has none,");
  int64_t words[2] = {};
  function.walk([&](LLVM::AllocaOp op) {
    APInt size;
    if (cast<LLVM::LLVMPointerType>(op.getType()).getAddressSpace() == lowering::kSharedAddressSpace &&
        matchPattern(op.getArraySize(), m_ConstantInt(&size)))
      words[op.getAlignment() == lowering::kByFourAlignment] += size.getSExtValue();
  });
  for (bool byFour : {false, true})
    if (words[byFour])
      frame.share(words[byFour], byFour);
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
  int64_t left = kMostBindings - 3; // less these two and the words
  SmallVector<uint8_t> own;
  for (auto [binding, window] : llvm::zip(shader.bindings, shader.windows))
    if (binding > kWeightsBinding || window != artifact::WHOLE_BUFFER)
      --left;
    else if (binding != kWordsBinding)
      own.push_back(binding);
  if (left < 0)
    return function.emitError("not supported: tensors in ")
           << kMostBindings - 3 - left << " windows, and a shader binds " << kMostBindings << " at most; a larger "
           << "--vulkan-max-buffer-bytes takes fewer";
  shader.shared.assign(own.begin() + std::min<size_t>(left, own.size()), own.end());
  shader.bindings.clear(), shader.windows.clear();
  return ThreadCode(function, code, shader).write();
}
