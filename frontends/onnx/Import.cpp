// The import as a whole: inputs, nodes in order, outputs; and what is refused, all of it in one message.
#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"
#include "dialects/exec/Exec.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace fovea::frontend;
using fovea::exec::ExecDialect;

std::vector<OpEntry> &fovea::frontend::registeredOps() {
  static std::vector<OpEntry> ops;
  return ops;
}

std::vector<OnnxOp> fovea::frontend::listOnnxOps() {
  std::vector<OnnxOp> list;
  for (const OpEntry &op : registeredOps())
    if (op.domain != StringRef(kOwnDomain))
      list.push_back({op.domain, op.name, op.since, op.until});
  llvm::sort(list,
             [](const OnnxOp &a, const OnnxOp &b) { return std::tie(a.domain, a.name) < std::tie(b.domain, b.name); });
  return list;
}

static std::string domainOf(const onnx::NodeProto &node) { return node.domain() == "ai.onnx" ? "" : node.domain(); }

/// The handler of a node, or why there is none.
static std::pair<Handler, std::string> findHandler(const onnx::NodeProto &node, int64_t opset) {
  std::string reason = "not supported";
  for (const OpEntry &op : registeredOps()) {
    if (node.op_type() != op.name || domainOf(node) != op.domain)
      continue;
    if (op.domain[0] == 0 && (opset < op.since || opset > op.until)) {
      reason = "supported in opsets " + std::to_string(op.since) + " to " + std::to_string(op.until);
      continue;
    }
    return {op.handler, ""};
  }
  if (domainOf(node).empty() && llvm::is_contained({"NonZero", "Compress", "Unique"}, StringRef(node.op_type())))
    reason = "not supported: the size of its result depends on the data";
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.has_g() || attribute.graphs_size() != 0)
      reason = "control flow is not supported";
  return {nullptr, reason};
}

static std::string refusal(const Node &node, const std::string &reason) {
  std::string domain = domainOf(node.proto);
  return node.op().str() + " (" + (domain.empty() ? "ai.onnx" : domain) + ", opset " + std::to_string(node.opset) +
         ") \"" + node.proto.name() + "\" at graph position " + std::to_string(node.position) + ": " + reason;
}

void Importer::checkOperators() {
  for (const auto &node : nodes)
    if (auto [handler, reason] = findHandler(node->proto, node->opset); !handler)
      refusals.push_back(refusal(*node, reason));
  for (const auto &initializer : model->graph().initializer())
    if (!mlirType(b.getContext(), initializer.data_type()))
      refusals.push_back("initializer \"" + initializer.name() + "\": element type " +
                         elementTypeName(initializer.data_type()));
  if (model->graph().sparse_initializer_size() != 0)
    refusals.push_back("sparse initializers");
}

/// Type and names of the dims of an input.
RankedTensorType Importer::declareInput(const onnx::ValueInfoProto &input, SmallVector<Attribute> &names) {
  if (!input.type().has_tensor_type())
    failUnsupported("input \"" + input.name() + "\" is not a tensor");
  const auto &tensor = input.type().tensor_type();
  Type element = mlirType(b.getContext(), tensor.elem_type());
  if (!element)
    failUnsupported("input \"" + input.name() + "\" has the element type " + elementTypeName(tensor.elem_type()));
  if (!tensor.has_shape())
    failUnsupported("input \"" + input.name() + "\" has no rank");
  SmallVector<int64_t> sizes;
  for (auto [d, dim] : llvm::enumerate(tensor.shape().dim())) {
    std::string name = dim.dim_param().empty() ? input.name() + "." + std::to_string(d) : dim.dim_param();
    int64_t size = ShapedType::kDynamic;
    if (dim.has_dim_value()) {
      size = dim.dim_value();
      if (size < 0 || size > std::numeric_limits<int32_t>::max())
        failInput("input \"" + input.name() + "\" has the size " + Twine(size) + " in dim " + Twine(d));
    } else if (auto it = options.dims.find(name); it != options.dims.end()) {
      if (it->second.min < 0 || it->second.min > it->second.max)
        failInput("dim \"" + name + "\" has the range " + Twine(it->second.min) + ".." + Twine(it->second.max));
      if (it->second.min == it->second.max)
        size = it->second.min;
      else
        ranges[name] = it->second;
    }
    sizes.push_back(size);
    names.push_back(ShapedType::isDynamic(size) ? Attribute(b.getStringAttr(name)) : b.getI64IntegerAttr(size));
  }
  return RankedTensorType::get(sizes, element);
}

/// What an argument or result of the function is called, and what its type does not say.
DictionaryAttr Importer::describe(StringRef name, ArrayRef<Attribute> dims) {
  SmallVector<NamedAttribute> attributes{b.getNamedAttr(ExecDialect::kNameAttr, b.getStringAttr(name)),
                                         b.getNamedAttr(ExecDialect::kDimsAttr, b.getArrayAttr(dims))};
  if (entries[name].isUnsigned)
    attributes.push_back(b.getNamedAttr(ExecDialect::kUnsignedAttr, b.getUnitAttr()));
  return b.getDictionaryAttr(attributes);
}

void Importer::makeFunction() {
  llvm::StringSet<> initialized;
  for (const auto &initializer : model->graph().initializer())
    initialized.insert(initializer.name());
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  SmallVector<std::string> inputs;
  for (const auto &input : model->graph().input()) {
    if (initialized.contains(input.name()))
      continue;
    SmallVector<Attribute> names;
    types.push_back(declareInput(input, names));
    entries[input.name()].isUnsigned = isUnsignedType(input.type().tensor_type().elem_type());
    attributes.push_back(describe(input.name(), names));
    inputs.push_back(input.name());
  }
  for (const auto &[name, range] : options.dims)
    if (range.min != range.max && !ranges.count(name))
      failInput("no input has a dim \"" + name + "\"");
  b.setInsertionPointToStart(module->getBody());
  function = func::FuncOp::create(b, loc, options.entryName, b.getFunctionType(types, {}));
  function.setAllArgAttrs(attributes);
  SmallVector<NamedAttribute> bounds;
  for (const auto &[name, range] : ranges)
    bounds.push_back(b.getNamedAttr(name, b.getI64ArrayAttr({range.min, range.max})));
  if (!bounds.empty())
    function->setAttr(ExecDialect::kRangesAttr, b.getDictionaryAttr(bounds));
  b.setInsertionPointToStart(function.addEntryBlock());
  for (auto [name, argument] : llvm::zip(inputs, function.getArguments()))
    entries[name].tensor = argument;
}

void Importer::importNode(const Node &node) {
  loc = locate(node);
  bool skip =
      llvm::any_of(node.proto.input(), [&](const std::string &name) { return !name.empty() && entry(name).failed; });
  for (auto [i, output] : llvm::enumerate(node.proto.output()))
    if (!output.empty())
      entries[output].producer = &node, entries[output].isUnsigned = yieldsUnsigned(node, i);
  try {
    Handler handler = findHandler(node.proto, node.opset).first;
    if (!skip && handler) {
      if (!evaluateScalars(node, /*demand=*/false))
        handler(*this, node);
      return;
    }
  } catch (ImportFailure &failure) {
    if (failure.kind == ImportError::input)
      failInput(node.describe() + ": " + failure.message);
    refusals.push_back(refusal(node, failure.message));
  }
  for (const std::string &output : node.proto.output())
    entries[output].failed = true;
}

/// Gives the names that are in the map their new ones, in the graphs of the attributes too.
static void renameValues(onnx::NodeProto &node, const llvm::StringMap<std::string> &names) {
  auto rename = [&](std::string &name) {
    if (auto it = names.find(name); it != names.end())
      name = it->second;
  };
  llvm::for_each(*node.mutable_input(), rename);
  llvm::for_each(*node.mutable_output(), rename);
  for (onnx::AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.has_g())
      for (onnx::NodeProto &inner : *attribute.mutable_g()->mutable_node())
        renameValues(inner, names);
}

SmallVector<Importer::GraphValue> Importer::importGraph(const Node &node, const onnx::GraphProto &graph,
                                                        const Twine &prefix, ArrayRef<GraphValue> inputs) {
  std::string own = prefix.str();
  llvm::StringMap<std::string> names;
  for (auto [value, input] : llvm::zip_equal(graph.input(), inputs)) {
    Entry &entry = entries[names[value.name()] = own + value.name()];
    entry.tensor = input.tensor, entry.isUnsigned = input.isUnsigned;
  }
  for (const onnx::TensorProto &initializer : graph.initializer()) {
    if (!mlirType(b.getContext(), initializer.data_type()))
      failUnsupported("initializer \"" + initializer.name() + "\" of its graph: element type " +
                      elementTypeName(initializer.data_type()));
    Entry &entry = entries[names[initializer.name()] = own + initializer.name()];
    entry.initializer = &initializer, entry.isUnsigned = isUnsignedType(initializer.data_type());
  }
  if (graph.sparse_initializer_size() != 0)
    failUnsupported("sparse initializers in its graph");
  for (const onnx::NodeProto &inner : graph.node())
    for (const std::string &output : inner.output())
      if (!output.empty() && !names.try_emplace(output, own + output).second)
        failInput("the value \"" + output + "\" of its graph is made twice");
  for (const onnx::NodeProto &inner : graph.node()) {
    onnx::NodeProto &copy = innerProtos.emplace_back(inner);
    copy.set_name(own + inner.name());
    renameValues(copy, names);
    innerNodes.push_back(std::make_unique<Node>(copy, node.position, node.opset));
    const Node &converted = *innerNodes.back();
    if (auto [handler, reason] = findHandler(copy, node.opset); !handler)
      failUnsupported("in its graph: " + refusal(converted, reason));
    importNode(converted);
  }
  loc = locate(node);
  SmallVector<GraphValue> results;
  for (const auto &output : graph.output()) {
    auto it = names.find(output.name());
    StringRef name = it == names.end() ? StringRef(output.name()) : StringRef(it->second);
    if (entry(name).failed)
      failUnsupported("its graph has what is not supported");
    results.push_back({tensorOf(name), entry(name).isUnsigned});
  }
  return results;
}

static std::string joinRefusals(const std::vector<std::string> &refusals) {
  std::string message =
      refusals.size() == 1 ? "not supported: " : "not supported (" + std::to_string(refusals.size()) + " reasons):\n  ";
  return message + llvm::join(refusals, "\n  ");
}

void Importer::finish() {
  if (!refusals.empty())
    failUnsupported(joinRefusals(refusals));
  loc = function.getLoc();
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  llvm::StringSet<> seen;
  if (model->graph().output_size() == 0)
    failInput("the graph has no outputs");
  for (const auto &output : model->graph().output()) {
    if (!entries.count(output.name()))
      failInput("the output \"" + output.name() + "\" is made by no node");
    if (!seen.insert(output.name()).second)
      failInput("two outputs of the graph have the name \"" + output.name() + "\"");
    results.push_back(tensorOf(output.name()));
    SmallVector<Attribute> names;
    const auto &declared = output.type().tensor_type().shape().dim();
    for (auto [d, dim] : llvm::enumerate(shape(results.back()))) {
      std::vector<data::DimAtom> atoms = dim.atoms();
      if (auto constant = dim.getConstant())
        names.push_back(b.getI64IntegerAttr(*constant));
      else if (llvm::all_of(atoms, [](auto &atom) { return !atom.name.empty() && atom.name[0] != '?'; }))
        names.push_back(b.getStringAttr(dim.str()));
      else if (static_cast<int>(d) < declared.size() && !declared[d].dim_param().empty())
        names.push_back(b.getStringAttr(declared[d].dim_param()));
      else
        names.push_back(b.getStringAttr(output.name() + "." + Twine(d)));
    }
    attributes.push_back(describe(output.name(), names));
  }
  func::ReturnOp::create(b, loc, results);
  function.setFunctionType(b.getFunctionType(function.getArgumentTypes(), TypeRange(ValueRange(results))));
  function.setAllResultAttrs(attributes);
}

OwningOpRef<ModuleOp> Importer::run() {
  onnx::GraphProto &graph = model->graph();
  int64_t opset = model->opset();
  if (opset < kFirstOpset || opset > kLastOpset)
    failUnsupported("opset " + Twine(opset) + " of the model; supported are " + Twine(kFirstOpset) + " to " +
                    Twine(kLastOpset));
  sortNodes(graph);
  for (auto [position, proto] : llvm::enumerate(graph.node()))
    nodes.push_back(std::make_unique<Node>(proto, position, opset));
  checkOperators();
  makeFunction();
  for (const auto &initializer : graph.initializer())
    entries[initializer.name()].initializer = &initializer,
    entries[initializer.name()].isUnsigned = isUnsignedType(initializer.data_type());
  for (const auto &node : nodes)
    if (findHandler(node->proto, node->opset).first)
      importNode(*node);
    else
      for (const std::string &output : node->proto.output())
        entries[output].failed = true;
  finish();
  assumeMinima();
  // What was made for scalars and then not used goes, and equal sizes become one value.
  PassManager passes(b.getContext());
  passes.addPass(createCSEPass());
  if (failed(verify(*module)))
    throw ImportFailure{ImportError::unsupported, "the imported module is not valid; this is a bug of the importer"};
  if (failed(passes.run(*module)))
    throw ImportFailure{ImportError::unsupported,
                        "the imported module cannot be simplified; this is a bug of the importer"};
  return std::move(module);
}

ImportResult fovea::frontend::importOnnx(MLIRContext &context, StringRef path, const ImportOptions &options) {
  context.loadDialect<attn::AttnDialect, data::DataDialect, exec::ExecDialect, arith::ArithDialect, func::FuncDialect,
                      linalg::LinalgDialect, math::MathDialect, tensor::TensorDialect>();
  ImportResult result;
  try {
    auto model = OnnxModel::read(path, options.allowExternalData);
    inlineFunctions(const_cast<onnx::ModelProto &>(model->proto()));
    Importer importer(context, model, options);
    result.module = importer.run();
    result.weights = importer.takeWeights();
  } catch (ImportFailure &failure) {
    result.error = std::move(failure);
  }
  return result;
}
