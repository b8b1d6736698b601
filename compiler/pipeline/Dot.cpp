#include "compiler/pipeline/Dot.h"
#include "compiler/pipeline/Costs.h"
#include "compiler/transforms/Ops.h"
#include "dialects/attn/Attn.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;

namespace {
class DotWriter {
public:
  explicit DotWriter(llvm::raw_ostream &stream) : out(stream) {}
  void write(ModuleOp module);

private:
  void writeFunction(mlir::func::FuncOp function);
  void writeBlock(Block &block);
  void writeProgram(exec::ProgramOp program, ModuleOp module);
  unsigned node(const std::string &label, StringRef color, StringRef shape = "box");
  void edge(unsigned from, unsigned to, const std::string &label);
  std::optional<unsigned> sourceOf(Value value);

  llvm::raw_ostream &out;
  DenseMap<Value, unsigned> nodes; ///< who makes a value
  unsigned nodeCount = 0, clusterCount = 0;
  std::vector<std::string> edges; ///< written behind the nodes, else they would pull nodes into clusters
};
} // namespace

static std::string quoted(StringRef text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + '"';
}

static std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) {
    stream << type;
    return text;
  }
  for (int64_t size : tensor.getShape())
    stream << (ShapedType::isDynamic(size) ? std::string("?") : std::to_string(size)) << "x";
  stream << tensor.getElementType();
  return text;
}

static StringRef colorOf(Operation *op) {
  if (isa<attn::AttentionInterface>(op))
    return "orange";
  if (isa<attn::SoftmaxOp, attn::RotaryEmbeddingOp>(op))
    return "gold";
  if (isa<attn::LayerNormOp, attn::RmsNormOp>(op))
    return "palegreen";
  if (isContraction(op))
    return "lightskyblue";
  return isPointwise(op) ? "lavender" : "white";
}

unsigned DotWriter::node(const std::string &label, StringRef color, StringRef shape) {
  out << "  n" << nodeCount << " [label=" << quoted(label) << ", shape=" << shape
      << ", style=filled, fillcolor=" << color << "];\n";
  return nodeCount++;
}

void DotWriter::edge(unsigned from, unsigned to, const std::string &label) {
  edges.push_back("  n" + std::to_string(from) + " -> n" + std::to_string(to) + " [label=" + quoted(label) + "];\n");
}

/// Sizes, empty tensors and constants are no nodes: they would hide the rest.
static bool isShown(Operation *op) {
  if (op->hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp, tensor::DimOp, linalg::FillOp>(op) ||
      op->hasTrait<OpTrait::IsTerminator>())
    return false;
  return llvm::any_of(op->getResultTypes(), [](Type type) { return isa<RankedTensorType>(type); });
}

std::optional<unsigned> DotWriter::sourceOf(Value value) {
  auto it = nodes.find(value);
  if (it != nodes.end())
    return it->second;
  Operation *op = value.getDefiningOp();
  if (!isa<RankedTensorType>(value.getType()) || !isa_and_nonnull<arith::ConstantOp, exec::WeightOp>(op))
    return std::nullopt;
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getNumElements() <= 1)
    return std::nullopt;
  std::string name = nodeName(op);
  return nodes[value] = node(name.empty() ? "constant" : name, "gray95", "note");
}

static std::string labelOf(Operation *op) {
  std::string label = op->getName().getStringRef().str(), name = nodeName(op);
  if (isContraction(op))
    label += " (contraction)";
  return name.empty() ? label : label + "\n" + name;
}

/// What an operand is to attention.
static std::string roleOf(OpOperand &operand) {
  auto attention = dyn_cast<attn::AttentionInterface>(operand.getOwner());
  if (!attention)
    return "";
  static constexpr const char *kRoles[] = {"query ", "key ", "value "};
  if (operand.getOperandNumber() < 3)
    return kRoles[operand.getOperandNumber()];
  return llvm::is_contained(attention.getCaptures(), operand.get()) ? "mask " : "";
}

void DotWriter::writeBlock(Block &block) {
  for (Operation &op : block) {
    if (auto kernel = dyn_cast<exec::KernelOp>(op)) {
      std::string label = nodeName(kernel);
      if (DictionaryAttr schedule = kernel.getScheduleAttr())
        llvm::raw_string_ostream(label) << "\n" << schedule.getAs<StringAttr>("kind").getValue();
      for (auto [argument, input] : llvm::zip(kernel.getTensorArgs(), kernel.getInputs()))
        if (auto source = sourceOf(input))
          nodes[argument] = *source;
      out << "  subgraph cluster_" << clusterCount++ << " {\n  label=" << quoted(label) << ";\n";
      writeBlock(kernel.getBody().front());
      out << "  }\n";
      for (auto [result, yielded] :
           llvm::zip(kernel.getResults(), kernel.getBody().front().getTerminator()->getOperands()))
        if (auto source = sourceOf(yielded))
          nodes[result] = *source;
      continue;
    }
    if (!isShown(&op) || isa<exec::WeightOp>(op))
      continue;
    SmallVector<std::pair<unsigned, OpOperand *>> sources;
    for (OpOperand &operand : op.getOpOperands())
      if (auto source = sourceOf(operand.get()))
        sources.emplace_back(*source, &operand);
    unsigned self = node(labelOf(&op), colorOf(&op));
    for (auto &[source, operand] : sources)
      edge(source, self, roleOf(*operand) + typeText(operand->get().getType()));
    for (Value result : op.getResults())
      nodes[result] = self;
  }
}

static std::string nameOf(Attribute name, StringRef otherwise, size_t number) {
  return name ? cast<StringAttr>(name).str() : otherwise.str() + std::to_string(number);
}

void DotWriter::writeFunction(mlir::func::FuncOp function) {
  for (auto [i, argument] : llvm::enumerate(function.getArguments()))
    nodes[argument] =
        node(nameOf(function.getArgAttr(i, exec::ExecDialect::kNameAttr), "input", i), "white", "ellipse");
  writeBlock(function.getBody().front());
  for (auto [i, value] : llvm::enumerate(function.getBody().front().getTerminator()->getOperands())) {
    unsigned output =
        node(nameOf(function.getResultAttr(i, exec::ExecDialect::kNameAttr), "output", i), "white", "ellipse");
    if (auto source = sourceOf(value))
      edge(*source, output, typeText(value.getType()));
  }
}

void DotWriter::writeProgram(exec::ProgramOp program, ModuleOp module) {
  SymbolTable symbols(module);
  // Who last wrote a place: an input, an output, an offset of the arena.
  std::map<std::pair<char, int64_t>, unsigned> writers;
  DenseMap<Value, int64_t> offsets;
  auto placeOf = [&](Value buffer) -> std::optional<std::pair<char, int64_t>> {
    Operation *op = buffer.getDefiningOp();
    if (auto input = dyn_cast<exec::InputBufferOp>(op))
      return std::make_pair('i', static_cast<int64_t>(input.getInput()));
    if (auto output = dyn_cast<exec::OutputBufferOp>(op))
      return std::make_pair('o', static_cast<int64_t>(output.getOutput()));
    if (auto arena = dyn_cast<exec::ArenaBufferOp>(op))
      return std::make_pair('a', offsets.try_emplace(arena.getOffset(), offsets.size()).first->second);
    return std::nullopt;
  };
  for (auto [i, input] : llvm::enumerate(program.getInputs().getAsRange<DictionaryAttr>()))
    writers[{'i', i}] = node(input.getAs<StringAttr>("name").str(), "white", "ellipse");
  for (auto dispatch : program.getBody().getOps<exec::DispatchOp>()) {
    auto kernel = symbols.lookup<exec::KernelDefOp>(dispatch.getKernel());
    StringRef color = "white";
    for (Operation &op : kernel.getBody().front())
      if (StringRef c = colorOf(&op); isa<attn::AttentionInterface>(op) || (color == "white" && c != "white"))
        color = c;
    unsigned self = node(dispatch.getKernel().str() + "\n" + dispatch.getNode().str(), color);
    SmallVector<std::string> shapes = shapesOf(kernel, dispatch);
    unsigned inputs = dispatch.getBuffers().size() - kernel.getInitCount();
    for (auto [i, buffer] : llvm::enumerate(dispatch.getBuffers())) {
      auto place = placeOf(buffer);
      if (!place)
        continue;
      if (i >= inputs)
        writers[*place] = self;
      else if (auto writer = writers.find(*place); writer != writers.end())
        edge(writer->second, self, shapes[i]);
    }
  }
  for (auto [i, output] : llvm::enumerate(program.getOutputs().getAsRange<DictionaryAttr>())) {
    unsigned self = node(output.getAs<StringAttr>("name").str(), "white", "ellipse");
    if (auto writer = writers.find({'o', i}); writer != writers.end())
      edge(writer->second, self, "");
  }
}

void DotWriter::write(ModuleOp module) {
  out << "digraph fovea {\n  rankdir=TB;\n  node [fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", "
         "fontsize=10];\n";
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (!function.isExternal())
      writeFunction(function);
  for (auto program : module.getOps<exec::ProgramOp>())
    writeProgram(program, module);
  for (const std::string &text : edges)
    out << text;
  out << "}\n";
}

void fovea::writeDot(ModuleOp module, llvm::raw_ostream &stream) { DotWriter(stream).write(module); }
