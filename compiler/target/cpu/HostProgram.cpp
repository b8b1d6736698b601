// exec.program as native code.
//
// Everything that depends only on the shapes of the inputs (sizes, offsets, numbers of tasks) is computed in `prepare`
// and left in slots; `run` reads the slots, fills in buffers and launches. Slot 0 is the arena's size, then come the
// outputs' dims, then what `run` needs.
#include "compiler/target/cpu/HostProgram.h"
#include "runtime/include/fovea/abi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;

namespace {
/// Fields of fovea_host, each the size of a pointer.
enum HostField { kDims, kInputs, kOutputs, kSlots, kArena, kWeights, kFault, kLaunch, kFail };

class ProgramWriter {
public:
  ProgramWriter(exec::ProgramOp program, ModuleOp code, const llvm::StringMap<CompiledKernel> &kernels,
                const llvm::StringMap<int64_t> &weightOffsets, std::vector<LaunchRecord> &launches)
      : program(program), code(code), kernels(kernels), weightOffsets(weightOffsets), launches(launches),
        b(code.getContext()), loc(program.getLoc()), pointer(LLVM::LLVMPointerType::get(b.getContext())) {}
  LogicalResult write();
  unsigned slotCount() const { return nextSlot; }

private:
  mlir::func::FuncOp begin(StringRef suffix);
  LogicalResult writePrepare();
  LogicalResult writeRun();
  Value field(HostField field) { return loadFrom(host, pointer, static_cast<int32_t>(field)); }
  Value loadFrom(Value base, Type type, int32_t index);
  void storeTo(Value value, Value base, int32_t index);
  Value constant(int64_t value) { return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value); }
  Value toI64(Value v) { return arith::IndexCastOp::create(b, loc, b.getI64Type(), v); }
  Value evaluate(AffineExpr expr, ArrayRef<Value> symbols);
  Value byteSize(Value tensor, AffineMap shape, Attribute layout, ArrayRef<Value> symbols);
  void returnIfFailed(Value status);
  Value text(StringRef message);
  Value addressOf(Value buffer);
  unsigned slotFor(Value i64);

  exec::ProgramOp program;
  ModuleOp code;
  const llvm::StringMap<CompiledKernel> &kernels;
  const llvm::StringMap<int64_t> &weightOffsets;
  std::vector<LaunchRecord> &launches;
  OpBuilder b;
  Location loc;
  Type pointer;
  Value host, slots;
  IRMapping map; ///< program's index values -> i64 values of prepare
  unsigned nextSlot = 0, texts = 0;
  DenseMap<Value, unsigned> offsetSlots; ///< arena offsets
  struct Launch {
    SmallVector<unsigned> symbolSlots;
    unsigned tasks, workspace;
    int64_t grain;
    unsigned stage;
    bool firstOfDispatch;
    exec::DispatchOp dispatch;
  };
  std::vector<Launch> plan;
};
} // namespace

Value ProgramWriter::loadFrom(Value base, Type type, int32_t index) {
  Value address = LLVM::GEPOp::create(b, loc, pointer, type, base, ArrayRef<LLVM::GEPArg>{index});
  return LLVM::LoadOp::create(b, loc, type, address, 8);
}

void ProgramWriter::storeTo(Value value, Value base, int32_t index) {
  Value address = LLVM::GEPOp::create(b, loc, pointer, value.getType(), base, ArrayRef<LLVM::GEPArg>{index});
  LLVM::StoreOp::create(b, loc, value, address, 8);
}

mlir::func::FuncOp ProgramWriter::begin(StringRef suffix) {
  b.setInsertionPointToEnd(code.getBody());
  auto function = mlir::func::FuncOp::create(b, loc, (program.getSymName() + suffix).str(),
                                             b.getFunctionType({pointer}, {b.getI32Type()}));
  b.setInsertionPointToStart(function.addEntryBlock());
  host = function.getArgument(0);
  slots = field(kSlots);
  return function;
}

/// A size in a kernel's symbols, as i64.
Value ProgramWriter::evaluate(AffineExpr expr, ArrayRef<Value> symbols) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return constant(c.getValue());
  if (auto s = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[s.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = evaluate(binary.getLHS(), symbols), rhs = evaluate(binary.getRHS(), symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::Mod:
    return arith::RemSIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    return arith::DivSIOp::create(b, loc, lhs, rhs); // sizes are not negative
  default: {
    Value up = arith::SubIOp::create(b, loc, arith::AddIOp::create(b, loc, lhs, rhs), constant(1));
    return arith::DivSIOp::create(b, loc, up, rhs);
  }
  }
}

/// Bytes of a tensor whose shape is given in a kernel's symbols.
Value ProgramWriter::byteSize(Value tensor, AffineMap shape, Attribute layout, ArrayRef<Value> symbols) {
  Value bytes = constant(std::max(1u, getElementTypeOrSelf(tensor.getType()).getIntOrFloatBitWidth() / 8));
  SmallVector<AffineExpr> sizes(shape.getResults());
  if (auto panels = dyn_cast<exec::PanelsAttr>(layout))
    sizes.back() = sizes.back().ceilDiv(panels.getWidth()) * panels.getWidth();
  for (AffineExpr size : sizes)
    bytes = arith::MulIOp::create(b, loc, bytes, evaluate(size, symbols));
  return bytes;
}

void ProgramWriter::returnIfFailed(Value status) {
  Value zero = arith::ConstantIntOp::create(b, loc, b.getI32Type(), 0);
  Value failed = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, status, zero);
  Block *current = b.getInsertionBlock();
  Block *next = current->splitBlock(b.getInsertionPoint());
  Block *leave = b.createBlock(next);
  mlir::func::ReturnOp::create(b, loc, status);
  b.setInsertionPointToEnd(current);
  cf::CondBranchOp::create(b, loc, failed, leave, next);
  b.setInsertionPointToStart(next);
}

Value ProgramWriter::text(StringRef message) {
  std::string name = (program.getSymName() + "_text" + std::to_string(texts++)).str();
  std::string bytes = message.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  OpBuilder at = OpBuilder::atBlockBegin(code.getBody());
  LLVM::GlobalOp::create(at, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name, at.getStringAttr(bytes));
  return LLVM::AddressOfOp::create(b, loc, pointer, name);
}

unsigned ProgramWriter::slotFor(Value i64) {
  storeTo(i64, slots, nextSlot);
  return nextSlot++;
}

LogicalResult ProgramWriter::writePrepare() {
  mlir::func::FuncOp function = begin("_prepare");
  Value dims = field(kDims);
  SmallVector<int64_t> firstDim{0};
  for (Attribute input : program.getInputs())
    firstDim.push_back(firstDim.back() + cast<DictionaryAttr>(input).getAs<ArrayAttr>("dims").size());
  auto finish = cast<exec::FinishOp>(program.getBody().front().getTerminator());
  nextSlot = 1 + finish.getOutputDims().size();
  for (Operation &op : program.getBody().front()) {
    loc = op.getLoc();
    if (auto dim = dyn_cast<exec::InputDimOp>(op)) {
      Value v = loadFrom(dims, b.getI64Type(), firstDim[dim.getInput()] + dim.getDim());
      map.map(dim.getResult(), arith::IndexCastOp::create(b, loc, b.getIndexType(), v).getResult());
    } else if (auto element = dyn_cast<exec::InputElementOp>(op)) {
      Value data = loadFrom(field(kInputs), pointer, element.getInput());
      Type type = element.getType().isInteger(1) ? b.getI8Type() : element.getType();
      Value address = LLVM::GEPOp::create(b, loc, pointer, type, data,
                                          ArrayRef<LLVM::GEPArg>{toI64(map.lookup(element.getPlace()))});
      Value v = LLVM::LoadOp::create(b, loc, type, address);
      if (type != element.getType())
        v = arith::TruncIOp::create(b, loc, element.getType(), v);
      map.map(element.getResult(), v);
    } else if (auto check = dyn_cast<exec::CheckOp>(op)) {
      Value ok = map.lookup(check.getCondition());
      Block *current = b.getInsertionBlock();
      Block *next = current->splitBlock(b.getInsertionPoint());
      Block *leave = b.createBlock(next);
      Value code = arith::ConstantIntOp::create(b, loc, b.getI32Type(), 1);
      auto type = LLVM::LLVMFunctionType::get(b.getI32Type(), {pointer, b.getI32Type(), pointer});
      Value message = text(check.getMessage());
      auto call = LLVM::CallOp::create(b, loc, type, ValueRange{field(kFail), host, code, message});
      mlir::func::ReturnOp::create(b, loc, call.getResult());
      b.setInsertionPointToEnd(current);
      cf::CondBranchOp::create(b, loc, ok, next, leave);
      b.setInsertionPointToStart(next);
    } else if (auto arena = dyn_cast<exec::ArenaBufferOp>(op)) {
      if (!offsetSlots.contains(arena.getOffset()))
        offsetSlots[arena.getOffset()] = slotFor(toI64(map.lookup(arena.getOffset())));
    } else if (auto dispatch = dyn_cast<exec::DispatchOp>(op)) {
      auto kernel = kernels.find(dispatch.getKernel());
      if (kernel == kernels.end())
        return op.emitError("unknown kernel '") << dispatch.getKernel() << "'";
      SmallVector<Value> symbols;
      SmallVector<unsigned> symbolSlots;
      for (Value symbol : dispatch.getSymbols()) {
        symbols.push_back(toI64(map.lookup(symbol)));
        symbolSlots.push_back(slotFor(symbols.back()));
      }
      if (program->hasAttr(exec::ExecDialect::kTargetAttr)) {
        // A device needs to know how far each buffer goes.
        auto definition = SymbolTable::lookupNearestSymbolFrom<exec::KernelDefOp>(dispatch, dispatch.getKernelAttr());
        for (auto [argument, shape, layout] :
             llvm::zip(definition.getTensorArgs(), definition.getShapes(), definition.getLayouts()))
          symbolSlots.push_back(slotFor(byteSize(argument, cast<AffineMapAttr>(shape).getValue(), layout, symbols)));
      }
      for (auto [i, stage] : llvm::enumerate(kernel->second.stages)) {
        unsigned tasks = slotFor(evaluate(stage.tasks, symbols));
        unsigned workspace = slotFor(evaluate(stage.workspaceBytes, symbols));
        plan.push_back({symbolSlots, tasks, workspace, stage.grain,
                        static_cast<unsigned>(kernel->second.firstStage + i), i == 0, dispatch});
      }
    } else if (op.getDialect() == b.getContext()->getLoadedDialect<arith::ArithDialect>()) {
      b.clone(op, map);
    }
  }
  storeTo(toI64(map.lookup(finish.getArena())), slots, 0);
  for (auto [i, dim] : llvm::enumerate(finish.getOutputDims()))
    storeTo(toI64(map.lookup(dim)), slots, 1 + i);
  mlir::func::ReturnOp::create(b, loc, Value(arith::ConstantIntOp::create(b, loc, b.getI32Type(), 0)));
  (void)function;
  return success();
}

Value ProgramWriter::addressOf(Value buffer) {
  Operation *op = buffer.getDefiningOp();
  auto offset = [&](Value base, Value bytes) -> Value {
    return LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{bytes});
  };
  if (auto input = dyn_cast<exec::InputBufferOp>(op))
    return loadFrom(field(kInputs), pointer, input.getInput());
  if (auto output = dyn_cast<exec::OutputBufferOp>(op))
    return loadFrom(field(kOutputs), pointer, output.getOutput());
  if (auto weight = dyn_cast<exec::WeightBufferOp>(op))
    return offset(field(kWeights), constant(weightOffsets.lookup(weight.getSource())));
  auto arena = cast<exec::ArenaBufferOp>(op);
  return offset(field(kArena), loadFrom(slots, b.getI64Type(), offsetSlots.lookup(arena.getOffset())));
}

LogicalResult ProgramWriter::writeRun() {
  begin("_run");
  Type i64 = b.getI64Type(), i32 = b.getI32Type();
  size_t mostBuffers = 1, mostSymbols = 1;
  for (const Launch &launch : plan) {
    mostBuffers = std::max<size_t>(mostBuffers, launch.dispatch->getNumOperands());
    mostSymbols = std::max<size_t>(mostSymbols, launch.symbolSlots.size());
  }
  Value buffers = LLVM::AllocaOp::create(b, loc, pointer, pointer, constant(mostBuffers), 8);
  Value scalars = LLVM::AllocaOp::create(b, loc, pointer, i64, constant(mostSymbols), 8);
  auto type = LLVM::LLVMFunctionType::get(i32, {pointer, i32, pointer, pointer, i64, i64, i64});
  for (const Launch &launch : plan) {
    if (launch.firstOfDispatch) {
      for (auto [i, buffer] : llvm::enumerate(exec::DispatchOp(launch.dispatch).getBuffers()))
        storeTo(addressOf(buffer), buffers, i);
      for (auto [i, slot] : llvm::enumerate(launch.symbolSlots))
        storeTo(loadFrom(slots, i64, slot), scalars, i);
    }
    Value number = arith::ConstantIntOp::create(b, loc, i32, launch.stage);
    auto call = LLVM::CallOp::create(b, loc, type,
                                     ValueRange{field(kLaunch), host, number, buffers, scalars,
                                                loadFrom(slots, i64, launch.tasks), constant(launch.grain),
                                                loadFrom(slots, i64, launch.workspace)});
    launches.push_back({launch.stage, exec::DispatchOp(launch.dispatch).getNode().str()});
    returnIfFailed(call.getResult());
  }
  mlir::func::ReturnOp::create(b, loc, Value(arith::ConstantIntOp::create(b, loc, i32, 0)));
  return success();
}

LogicalResult ProgramWriter::write() { return success(succeeded(writePrepare()) && succeeded(writeRun())); }

LogicalResult fovea::cpu::writeHostPrograms(ModuleOp module, ModuleOp code,
                                            const llvm::StringMap<CompiledKernel> &kernels,
                                            const llvm::StringMap<int64_t> &weightOffsets,
                                            std::vector<HostEntry> &entries) {
  for (auto program : module.getOps<exec::ProgramOp>()) {
    HostEntry &entry = entries.emplace_back();
    entry.name = program.getSymName().str();
    ProgramWriter writer(program, code, kernels, weightOffsets, entry.launches);
    if (failed(writer.write()))
      return failure();
    entry.slots = writer.slotCount();
  }
  return success();
}

void fovea::cpu::addHostImage(ModuleOp code, ArrayRef<HostEntry> entries) {
  OpBuilder b(code.getContext());
  Location loc = code.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i32 = b.getI32Type();
  for (auto function : code.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      function.setLinkage(LLVM::Linkage::Internal);
  b.setInsertionPointToEnd(code.getBody());
  auto insert = [&](Value aggregate, Value value, ArrayRef<int64_t> position) -> Value {
    return LLVM::InsertValueOp::create(b, loc, aggregate, value, position);
  };
  auto constant = [&](int64_t v) -> Value { return LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(v)); };
  auto entryType = LLVM::LLVMStructType::getLiteral(b.getContext(), {pointer, pointer, i32, i32, i32, i32});
  auto tableType = LLVM::LLVMArrayType::get(entryType, entries.size());
  auto imageType = LLVM::LLVMStructType::getLiteral(b.getContext(), {i32, i32, pointer});
  auto global = [&](StringRef name, Type type, LLVM::Linkage linkage, llvm::function_ref<Value()> make) {
    auto op = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, linkage, name, Attribute());
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&op.getInitializerRegion());
    LLVM::ReturnOp::create(b, loc, make());
  };
  global("fovea_entries", tableType, LLVM::Linkage::Internal, [&] {
    Value v = LLVM::UndefOp::create(b, loc, tableType);
    for (auto [i, entry] : llvm::enumerate(entries)) {
      int64_t n = i;
      v = insert(v, LLVM::AddressOfOp::create(b, loc, pointer, entry.name + "_prepare"), {n, 0});
      v = insert(v, LLVM::AddressOfOp::create(b, loc, pointer, entry.name + "_run"), {n, 1});
      // slot_count, arena_slot, output_slot, reserved
      for (auto [f, value] : llvm::enumerate(SmallVector<int64_t>{entry.slots, 0, 1, 0}))
        v = insert(v, constant(value), {n, static_cast<int64_t>(2 + f)});
    }
    return v;
  });
  global("fovea_host_image", imageType, LLVM::Linkage::External, [&] {
    Value v = LLVM::UndefOp::create(b, loc, imageType);
    v = insert(v, constant(FOVEA_ABI_VERSION), {0});
    v = insert(v, constant(entries.size()), {1});
    return insert(v, LLVM::AddressOfOp::create(b, loc, pointer, "fovea_entries"), {2});
  });
}
