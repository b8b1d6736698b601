#include "compiler/lowering/Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

KernelView::KernelView(exec::KernelOp kernel)
    : op(kernel), body(&kernel.getBody().front()), symbols(kernel.getSymbols().size()), inits(kernel.getInits().size()),
      shapes(kernel.getShapes()), layouts(kernel.getLayoutsAttr()) {}

KernelView::KernelView(exec::KernelDefOp kernel)
    : op(kernel), body(&kernel.getBody().front()), symbols(kernel.getSymbolCount()), inits(kernel.getInitCount()),
      shapes(kernel.getShapes()), layouts(kernel.getLayouts()) {}

AffineExpr fovea::lowering::affineOf(const DimExpr &size, MLIRContext *context) {
  return size.toAffine(
      context, [](const data::DimAtom &atom) -> unsigned { return cast<BlockArgument>(atom.value).getArgNumber(); });
}

// Field numbers of fovea_kernel_args.
enum { kBuffers = 0, kScalars = 1, kFault = 2 };

StageFrame::StageFrame(const KernelView &kernel, ModuleOp code, StringRef name)
    : kernel(kernel), b(code.getContext()), location(kernel.op->getLoc()) {
  b.setInsertionPointToEnd(code.getBody());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  function = mlir::func::FuncOp::create(b, location, name, b.getFunctionType({pointer, i64, i64, pointer}, {}));
  // Buffers may be the same memory only where the plan says so, and each kernel allows for that.
  for (unsigned i : {0u, 3u})
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  b.setInsertionPointToStart(function.addEntryBlock());
  prologueEnd = mlir::func::ReturnOp::create(b, location);
  b.setInsertionPoint(prologueEnd);
  // A marker between the prologue and the body: sizes asked for later are still computed in front of it.
  prologueEnd = arith::ConstantIntOp::create(b, location, b.getI64Type(), 0);
}

void StageFrame::finish() {
  if (prologueEnd->use_empty())
    prologueEnd->erase();
}

Value StageFrame::constant(int64_t value) { return arith::ConstantIntOp::create(b, location, b.getI64Type(), value); }

Value StageFrame::add(Value x, Value y) { return arith::AddIOp::create(b, location, x, y); }
Value StageFrame::mul(Value x, Value y) { return arith::MulIOp::create(b, location, x, y); }

Value StageFrame::address(Value pointer, Type element, Value elements) {
  if (element.isInteger(1))
    element = b.getI8Type();
  return LLVM::GEPOp::create(b, location, pointer.getType(), element, pointer, ArrayRef<LLVM::GEPArg>{elements});
}

Value StageFrame::address(Value pointer, Type element, int64_t elements) {
  if (element.isInteger(1))
    element = b.getI8Type();
  return LLVM::GEPOp::create(b, location, pointer.getType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(elements)});
}

Value StageFrame::load(Type type, Value pointer, unsigned alignment) {
  if (!alignment) {
    Type element = getElementTypeOrSelf(type);
    alignment = std::max(1u, element.isIndex() ? 8u : element.getIntOrFloatBitWidth() / 8);
  }
  return LLVM::LoadOp::create(b, location, type, pointer, alignment);
}

void StageFrame::store(Value value, Value pointer, unsigned alignment) {
  if (!alignment) {
    Type element = getElementTypeOrSelf(value.getType());
    alignment = std::max(1u, element.isIndex() ? 8u : element.getIntOrFloatBitWidth() / 8);
  }
  LLVM::StoreOp::create(b, location, value, pointer, alignment);
}

/// Loads field `field` of the kernel's arguments, and of that array element `index`.
static Value loadArgument(OpBuilder &b, Location loc, Value args, int32_t field, int32_t index, Type type) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value slot = LLVM::GEPOp::create(b, loc, pointer, pointer, args, ArrayRef<LLVM::GEPArg>{field});
  Value array = LLVM::LoadOp::create(b, loc, pointer, slot, 8);
  if (!type)
    return array;
  Value element = LLVM::GEPOp::create(b, loc, pointer, type, array, ArrayRef<LLVM::GEPArg>{index});
  return LLVM::LoadOp::create(b, loc, type, element, 8);
}

Value StageFrame::buffer(BlockArgument argument) {
  unsigned index = argument.getArgNumber() - kernel.symbols;
  Value &v = buffers[index];
  if (!v) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(prologueEnd);
    v = loadArgument(b, location, function.getArgument(0), kBuffers, index, LLVM::LLVMPointerType::get(b.getContext()));
  }
  return v;
}

Value StageFrame::fault() {
  if (!faultAddress) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(prologueEnd);
    faultAddress = loadArgument(b, location, function.getArgument(0), kFault, 0, {});
  }
  return faultAddress;
}

int64_t StageFrame::faultNumber() const {
  auto number = kernel.op->getAttrOfType<IntegerAttr>("fault_number");
  return number ? number.getInt() : 1;
}

Value StageFrame::symbol(unsigned index) {
  Value &v = symbols[index];
  if (!v) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(prologueEnd);
    v = loadArgument(b, location, function.getArgument(0), kScalars, index, b.getI64Type());
  }
  return v;
}

void StageFrame::setGroupSize(int64_t invocations) {
  function->setAttr(kGroupSizeAttr, b.getI64IntegerAttr(invocations));
}

Value StageFrame::sharedMemory(int64_t words, bool byFour) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  Type pointer = LLVM::LLVMPointerType::get(b.getContext(), kSharedAddressSpace);
  return LLVM::AllocaOp::create(b, location, pointer, b.getI32Type(), constant(words), byFour ? kByFourAlignment : 4);
}

Value StageFrame::size(const DimExpr &expr) {
  for (auto &[known, value] : sizes)
    if (known == expr)
      return value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  Value sum;
  for (auto &[monomial, coefficient] : expr.getTerms()) {
    Value product;
    for (const data::DimAtom &atom : monomial) {
      Value factor = symbol(cast<BlockArgument>(atom.value).getArgNumber());
      b.setInsertionPoint(prologueEnd);
      product = product ? mul(product, factor) : factor;
    }
    if (!product)
      product = constant(coefficient);
    else if (coefficient != 1)
      product = mul(product, constant(coefficient));
    sum = sum ? add(sum, product) : product;
  }
  if (!sum)
    sum = constant(0);
  sizes.emplace_back(expr, sum);
  return sum;
}

SmallVector<Value> StageFrame::loop(Value from, Value to, int64_t step, ValueRange state, const Body &body) {
  auto loop = scf::ForOp::create(b, location, from, to, constant(step), state);
  OpBuilder::InsertionGuard guard(b);
  Block *block = loop.getBody();
  if (!block->empty() && state.empty())
    b.setInsertionPoint(block->getTerminator());
  else
    b.setInsertionPointToEnd(block);
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!state.empty())
    scf::YieldOp::create(b, location, next);
  return SmallVector<Value>(loop.getResults());
}
