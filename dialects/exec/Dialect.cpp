#include "dialects/data/DimExpr.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fovea::exec;

#include "dialects/exec/Dialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/exec/Attrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/exec/Types.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/exec/Ops.cpp.inc"

LogicalResult ExecDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned argument,
                                                    NamedAttribute attribute) {
  if (attribute.getName() != kDimsAttr)
    return success();
  auto function = dyn_cast<FunctionOpInterface>(op);
  auto type = function ? dyn_cast<RankedTensorType>(function.getArgumentTypes()[argument]) : RankedTensorType();
  auto dims = dyn_cast<ArrayAttr>(attribute.getValue());
  auto fits = [&](Attribute dim, int64_t size) {
    auto number = dyn_cast<IntegerAttr>(dim);
    return ShapedType::isDynamic(size) ? isa<StringAttr>(dim) : number && number.getInt() == size;
  };
  if (!type || !dims || static_cast<int64_t>(dims.size()) != type.getRank() ||
      !llvm::all_of(llvm::zip_equal(dims, type.getShape()), [&](auto pair) { return std::apply(fits, pair); }))
    return op->emitOpError("expected for argument ")
           << argument << " the size of each static dim and a name for each dynamic one, got " << attribute.getValue()
           << " [dims_c1]";
  return success();
}

void ExecDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/exec/Attrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/exec/Types.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/exec/Ops.cpp.inc"
      >();
}

/// Pairs of numbers of an init and an input that have as many elements of one type, both row-major.
static LogicalResult verifyAliases(Operation *op, Block &block, ArrayAttr shapes, ArrayAttr layouts, ArrayAttr aliases,
                                   unsigned symbols, unsigned inits) {
  unsigned tensors = shapes.size(), inputs = tensors - inits;
  SmallVector<fovea::data::DimExpr> names;
  for (unsigned i = 0; i < symbols; ++i)
    names.push_back(fovea::data::DimExpr::symbol("s" + std::to_string(i)));
  auto elements = [&](unsigned tensor) {
    fovea::data::DimExpr count(1);
    for (AffineExpr size : cast<AffineMapAttr>(shapes[tensor]).getValue().getResults())
      count = count * fovea::data::DimExpr::fromAffine(size, names);
    return count;
  };
  for (Attribute attr : aliases) {
    auto pair = dyn_cast<ArrayAttr>(attr);
    auto number = [&](unsigned i) {
      auto value = dyn_cast<IntegerAttr>(pair[i]);
      return value && value.getType().isSignlessInteger(64) ? value.getInt() : -1;
    };
    if (!pair || pair.size() != 2 || number(0) < 0 || number(0) >= inits || number(1) < 0 || number(1) >= inputs)
      return op->emitOpError("expected aliases to be pairs of an init below ")
             << inits << " and an input below " << inputs << ", got " << attr << " [kernel_c5]";
    unsigned input = number(1), init = inputs + number(0);
    auto typeOf = [&](unsigned tensor) { return getElementTypeOrSelf(block.getArgument(symbols + tensor).getType()); };
    bool rowMajor = layouts && isa<RowMajorAttr>(layouts[input]) && isa<RowMajorAttr>(layouts[init]);
    if (typeOf(input) != typeOf(init) || elements(input) != elements(init) || !rowMajor)
      return op->emitOpError("expected aliases of one element type and number of elements, row major, got ")
             << block.getArgument(symbols + init).getType() << " and " << block.getArgument(symbols + input).getType()
             << " [kernel_c5]";
  }
  return success();
}

/// Shapes, layouts and yielded values, alike for kernels inside of a program and outlined ones.
static LogicalResult verifyKernel(Operation *op, Block &block, ArrayAttr shapes, ArrayAttr layouts, ArrayAttr aliases,
                                  unsigned symbols, unsigned inits) {
  auto tensors = block.getArguments().drop_front(symbols);
  if (shapes.size() != tensors.size())
    return op->emitOpError("expected one shape for each input and init, got ")
           << shapes.size() << " for " << tensors.size() << " [kernel_c2]";
  for (auto [attr, argument] : llvm::zip(shapes, tensors)) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    auto type = cast<RankedTensorType>(argument.getType());
    if (map.getNumDims() != 0 || map.getNumSymbols() != symbols || map.getNumResults() != type.getRank())
      return op->emitOpError("expected a shape of ")
             << type.getRank() << " sizes in " << symbols << " symbols, got " << attr << " [kernel_c2]";
    for (auto [size, expr] : llvm::zip(type.getShape(), map.getResults()))
      if (!ShapedType::isDynamic(size) && expr != getAffineConstantExpr(size, op->getContext()))
        return op->emitOpError("expected the size ") << size << ", got " << attr << " [kernel_c2]";
  }
  if (layouts && layouts.size() != tensors.size())
    return op->emitOpError("expected one layout for each input and init, got ")
           << layouts.size() << " for " << tensors.size() << " [kernel_c3]";
  if (layouts)
    for (Attribute layout : layouts)
      if (!isa<RowMajorAttr, PanelsAttr>(layout))
        return op->emitOpError("expected a layout, got ") << layout << " [kernel_c3]";
  if (block.getTerminator()->getOperandTypes() != TypeRange(tensors.take_back(inits)))
    return op->emitOpError("expected the yielded values to have the types of the inits [kernel_c4]");
  return aliases ? verifyAliases(op, block, shapes, layouts, aliases, symbols, inits) : success();
}

LogicalResult KernelOp::verify() {
  SmallVector<Type> expected(getSymbols().size(), IndexType::get(getContext()));
  llvm::append_range(expected, getInputs().getTypes());
  llvm::append_range(expected, getInits().getTypes());
  Block &block = getBody().front();
  if (block.getArgumentTypes() != TypeRange(expected))
    return emitOpError("expected block arguments (")
           << TypeRange(expected) << "), got (" << block.getArgumentTypes() << ") [kernel_c1]";
  if (getInits().getTypes() != getResults().getTypes())
    return emitOpError("expected the inits to have the types of the results [kernel_c4]");
  return verifyKernel(*this, block, getShapes(), getLayoutsAttr(), getAliasesAttr(), getSymbols().size(),
                      getInits().size());
}

LogicalResult KernelDefOp::verify() {
  Block &block = getBody().front();
  int64_t symbols = getSymbolCount(), inits = getInitCount(), count = block.getNumArguments();
  SmallVector<Type> types(block.getArgumentTypes());
  if (symbols < 0 || inits < 0 || symbols > count || inits > count - symbols ||
      !llvm::all_of(ArrayRef(types).take_front(symbols), llvm::IsaPred<IndexType>) ||
      !llvm::all_of(ArrayRef(types).drop_front(symbols), llvm::IsaPred<RankedTensorType>))
    return emitOpError("expected ") << symbols << " indices, then tensors, at least " << inits
                                    << " of them inits, got (" << types << ") [kernel_c1]";
  return verifyKernel(*this, block, getShapes(), getLayouts(), getAliases(), getSymbolCount(), getInitCount());
}

LogicalResult KernelOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &dims) {
  SmallVector<fovea::data::DimExpr> symbols;
  for (Value symbol : getSymbols())
    symbols.push_back(fovea::data::DimExpr::value(symbol));
  for (Attribute shape : getShapes().getValue().take_back(getInits().size())) {
    SmallVector<OpFoldResult> sizes;
    for (AffineExpr expr : cast<AffineMapAttr>(shape).getValue().getResults())
      sizes.push_back(
          fovea::data::materializeOrConstant(builder, getLoc(), fovea::data::DimExpr::fromAffine(expr, symbols)));
    dims.push_back(std::move(sizes));
  }
  return success();
}

RankedTensorType WeightDataOp::getTensorType() {
  return cast<RankedTensorType>(getBody().front().getTerminator()->getOperand(0).getType());
}

LogicalResult WeightDataOp::verify() {
  Block &block = getBody().front();
  if (block.getNumArguments() != 0 || block.getTerminator()->getNumOperands() != 1)
    return emitOpError("expected no block arguments and one yielded tensor [weight_data_c1]");
  if (!isa<RowMajorAttr, PanelsAttr>(getLayout()))
    return emitOpError("expected a layout, got ") << getLayout() << " [weight_data_c2]";
  if (isa<PanelsAttr>(getLayout()) && getTensorType().getRank() != 2)
    return emitOpError("expected a matrix for a layout of panels, got ") << getTensorType() << " [weight_data_c3]";
  if (auto panels = dyn_cast<PanelsAttr>(getLayout()); panels && panels.getWidth() < 1)
    return emitOpError("expected a panel of at least 1 column, got ") << panels.getWidth() << " [weight_data_c3]";
  return success();
}

/// Whether two buffers are known to be the same memory.
static bool isSameMemory(Value x, Value y) {
  if (x == y)
    return true;
  if (auto a = x.getDefiningOp<ArenaBufferOp>(), b = y.getDefiningOp<ArenaBufferOp>(); a && b)
    return isEqualConstantIntOrValue(getAsOpFoldResult(a.getOffset()), getAsOpFoldResult(b.getOffset()));
  Operation *a = x.getDefiningOp(), *b = y.getDefiningOp();
  return a && b && a->getNumOperands() == 0 &&
         OperationEquivalence::isEquivalentTo(a, b, OperationEquivalence::IgnoreLocations);
}

int64_t DispatchOp::getInputUnder(KernelDefOp kernel, unsigned init) {
  unsigned inputs = getBuffers().size() - kernel.getInitCount();
  for (unsigned input = 0; input < inputs; ++input)
    if (isSameMemory(getBuffers()[input], getBuffers()[inputs + init]))
      return input;
  return -1;
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto kernel = symbolTable.lookupNearestSymbolFrom<KernelDefOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("expected a kernel, got ") << getKernelAttr() << " [dispatch_c1]";
  unsigned tensors = kernel.getTensorArgs().size(), inputs = tensors - kernel.getInitCount();
  if (getSymbols().size() != kernel.getSymbolCount() || getBuffers().size() != tensors)
    return emitOpError("expected ") << kernel.getSymbolCount() << " symbols and " << tensors << " buffers, got "
                                    << getSymbols().size() << " and " << getBuffers().size() << " [dispatch_c1]";
  for (unsigned written = inputs; written < tensors; ++written)
    for (unsigned other = 0; other < written; ++other) {
      if (!isSameMemory(getBuffers()[written], getBuffers()[other]))
        continue;
      Builder b(getContext());
      Attribute pair = b.getI64ArrayAttr({written - inputs, other});
      if (other >= inputs || !llvm::is_contained(kernel.getAliases(), pair))
        return emitOpError("expected init ") << written - inputs << " to have memory of its own, got that of "
                                             << (other < inputs ? "input " : "init ")
                                             << (other < inputs ? other : other - inputs) << " [dispatch_c2]";
    }
  return success();
}

LogicalResult ProgramOp::verify() {
  Block &block = getBody().front();
  if (!block.mightHaveTerminator() || !isa<FinishOp>(block.getTerminator()))
    return emitOpError("expected the body to end with exec.finish, got ")
           << (block.empty() ? StringRef("nothing") : block.back().getName().getStringRef()) << " [program_c1]";
  llvm::SmallDenseSet<int64_t> under;
  for (auto output : getOutputs().getAsRange<DictionaryAttr>()) {
    Attribute over = output.get("over");
    if (!over)
      continue;
    auto number = dyn_cast<IntegerAttr>(over);
    if (!number || number.getInt() < 0 || number.getInt() >= static_cast<int64_t>(getInputs().size()) ||
        cast<DictionaryAttr>(getInputs()[number.getInt()]).get("type") != output.get("type") ||
        !under.insert(number.getInt()).second)
      return emitOpError("expected `over` of an output to be the number of an input of its type, of each at most once, "
                         "got ")
             << over << " [program_c2]";
  }
  return success();
}
