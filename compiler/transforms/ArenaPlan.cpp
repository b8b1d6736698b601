#include "compiler/transforms/ArenaPlan.h"
#include "compiler/transforms/Ops.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

/// What a symbolic dim is taken for where sizes are compared at compile time.
static constexpr int64_t kTypicalDim = 128;

static int64_t elementBytes(Value tensor) {
  Type element = getElementTypeOrSelf(tensor.getType());
  return element.isIndex() ? 8 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

Value fovea::baseOf(Value tensor) {
  while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(tensor.getDefiningOp()))
    tensor = tensor.getDefiningOp()->getOperand(0);
  return tensor;
}

static int64_t typical(const DimExpr &expr) {
  int64_t sum = 0;
  for (auto &[monomial, coefficient] : expr.getTerms()) {
    int64_t product = coefficient;
    for (size_t i = 0; i < monomial.size(); ++i)
      product *= kTypicalDim;
    sum += product;
  }
  return sum;
}

ArenaPlan::ArenaPlan(mlir::func::FuncOp function, DimAnalysis &dims) {
  Block &block = function.getBody().front();
  for (auto kernel : block.getOps<exec::KernelOp>())
    allKernels.push_back(kernel);
  for (auto [i, value] : llvm::enumerate(block.getTerminator()->getOperands()))
    outputs[baseOf(value)] = i;
  for (auto [number, kernel] : llvm::enumerate(allKernels)) {
    for (Value input : kernel.getInputs())
      if (auto it = buffers.find(baseOf(input)); it != buffers.end())
        it->second.last = number;
    for (Value result : kernel.getResults()) {
      if (outputs.contains(result))
        continue;
      DimExpr bytes(elementBytes(result));
      for (const DimExpr &size : dims.shape(result))
        bytes = bytes * size;
      buffers[result] =
          Buffer{result, bytes, typical(bytes), static_cast<unsigned>(number), static_cast<unsigned>(number)};
    }
  }
  assignSlots();
  findInputsUnder(block);
}

/// Whether a kernel may write a result over a tensor: in all places where the kernel reads it.
static bool mayOverwrite(exec::KernelOp kernel, OpResult result, Value base) {
  Builder b(kernel.getContext());
  ArrayAttr aliases = kernel.getAliasesAttr();
  for (auto [number, operand] : llvm::enumerate(kernel.getInputs()))
    if (baseOf(operand) == base &&
        (!aliases ||
         !llvm::is_contained(aliases, b.getI64ArrayAttr({result.getResultNumber(), static_cast<int64_t>(number)}))))
      return false;
  return true;
}

/// Whether a kernel may write its result over an input, which dies there.
bool ArenaPlan::replaces(const Buffer &result, const Buffer &input) const {
  return input.last == result.first && input.first < input.last &&
         mayOverwrite(allKernels[result.first], cast<OpResult>(result.tensor), input.tensor);
}

void ArenaPlan::findInputsUnder(Block &block) {
  DenseMap<Value, Operation *> lastReader;
  for (exec::KernelOp kernel : allKernels)
    for (Value input : kernel.getInputs())
      lastReader[baseOf(input)] = kernel;
  // What is given out as it came, and what sizes are read from, stays as it is.
  DenseSet<Value> kept;
  for (Value value : block.getTerminator()->getOperands())
    kept.insert(baseOf(value));
  block.walk([&](tensor::ExtractOp extract) { kept.insert(baseOf(extract.getTensor())); });
  for (auto [output, value] : llvm::enumerate(block.getTerminator()->getOperands())) {
    auto kernel = baseOf(value).getDefiningOp<exec::KernelOp>();
    if (!kernel)
      continue;
    for (Value operand : kernel.getInputs()) {
      auto argument = dyn_cast<BlockArgument>(baseOf(operand));
      if (!argument || argument.getOwner() != &block || lastReader.lookup(argument) != kernel ||
          !mayOverwrite(kernel, cast<OpResult>(baseOf(value)), argument) || !kept.insert(argument).second)
        continue;
      inputsUnder[output] = argument.getArgNumber();
      break;
    }
  }
}

std::optional<unsigned> ArenaPlan::inputUnder(unsigned output) const {
  auto it = inputsUnder.find(output);
  return it == inputsUnder.end() ? std::nullopt : std::optional(it->second);
}

void ArenaPlan::assignSlots() {
  SmallVector<Buffer *> order;
  for (auto &[value, buffer] : buffers)
    order.push_back(&buffer);
  llvm::stable_sort(order, [](Buffer *x, Buffer *y) { return x->typicalBytes > y->typicalBytes; });
  SmallVector<SmallVector<Buffer *>> slots;
  for (Buffer *buffer : order) {
    auto isFree = [&](ArrayRef<Buffer *> slot) {
      return llvm::all_of(slot, [&](Buffer *other) {
        return buffer->first > other->last || buffer->last < other->first || replaces(*buffer, *other) ||
               replaces(*other, *buffer);
      });
    };
    // Best of all is the memory of an input, which is in the cache.
    auto isInput = [&](ArrayRef<Buffer *> slot) {
      return isFree(slot) && llvm::any_of(slot, [&](Buffer *other) { return replaces(*buffer, *other); });
    };
    auto it = llvm::find_if(slots, isInput);
    if (it == slots.end())
      it = llvm::find_if(slots, isFree);
    if (it == slots.end())
      it = slots.insert(slots.end(), SmallVector<Buffer *>());
    buffer->slot = it - slots.begin();
    it->push_back(buffer);
  }
  for (auto &slot : slots)
    for (Buffer *buffer : slot)
      if (auto under = llvm::find_if(slot, [&](Buffer *other) { return replaces(*buffer, *other); });
          under != slot.end())
        buffer->over = *under;
  for (auto &slot : slots) {
    sizes.emplace_back();
    for (Buffer *buffer : slot)
      if (!llvm::is_contained(sizes.back(), buffer->bytes))
        sizes.back().push_back(buffer->bytes);
  }
}

std::optional<unsigned> ArenaPlan::outputOf(Value base) const {
  auto it = outputs.find(base);
  return it == outputs.end() ? std::nullopt : std::optional(it->second);
}

static std::string bufferName(Value tensor) {
  auto result = cast<OpResult>(tensor);
  std::string name = nodeName(result.getOwner());
  if (result.getOwner()->getNumResults() > 1)
    name += "#" + std::to_string(result.getResultNumber());
  return name;
}

void ArenaPlan::describe(exec::ProgramOp program) const {
  Builder b(program.getContext());
  DimExpr aligned;               // what is known to be a multiple of the alignment
  SmallVector<std::string> rest; // what has to be rounded up when it is known
  auto sum = [&] {
    std::string text = aligned.isConstant(0) && !rest.empty() ? "" : aligned.str();
    return text + (text.empty() || rest.empty() ? "" : " + ") + llvm::join(rest, " + ");
  };
  auto isMultiple = [](const DimExpr &e) {
    return llvm::all_of(e.getTerms(), [](const auto &term) { return term.second % kAlignment == 0; });
  };
  SmallVector<std::string> offsets;
  for (const std::vector<DimExpr> &slot : sizes) {
    offsets.push_back(sum());
    if (llvm::all_of(slot, [](const DimExpr &e) { return e.getConstant().has_value(); })) {
      int64_t most = 0;
      for (const DimExpr &e : slot)
        most = std::max(most, *e.getConstant());
      aligned = aligned + DimExpr((most + kAlignment - 1) / kAlignment * kAlignment);
    } else if (slot.size() == 1 && isMultiple(slot[0])) {
      aligned = aligned + slot[0];
    } else {
      std::string most = slot[0].str();
      for (const DimExpr &e : ArrayRef(slot).drop_front())
        most = "max(" + most + ", " + e.str() + ")";
      rest.push_back(llvm::all_of(slot, isMultiple) ? most : "align64(" + most + ")");
    }
  }
  SmallVector<Attribute> all;
  for (auto &[value, buffer] : buffers) {
    NamedAttrList facts;
    facts.set("name", b.getStringAttr(bufferName(value)));
    facts.set("bytes", b.getStringAttr(buffer.bytes.str()));
    facts.set("offset", b.getStringAttr(offsets[buffer.slot]));
    facts.set("first", b.getI64IntegerAttr(buffer.first));
    facts.set("last", b.getI64IntegerAttr(buffer.last));
    if (buffer.over)
      facts.set("in_place_of", b.getStringAttr(bufferName(buffer.over->tensor)));
    all.push_back(facts.getDictionary(b.getContext()));
  }
  program->setAttr("plan", b.getArrayAttr(all));
  program->setAttr("arena", b.getStringAttr(sum()));
}
