// Nodes, and the values of the graph.
#include "frontends/onnx/Importer.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace fovea::frontend;

//===-- Node ===//

const onnx::AttributeProto *Node::attribute(StringRef name) const {
  for (const onnx::AttributeProto &attribute : proto.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

int64_t Node::integer(StringRef name, int64_t otherwise) const {
  const onnx::AttributeProto *a = attribute(name);
  return a ? a->i() : otherwise;
}

double Node::number(StringRef name, double otherwise) const {
  const onnx::AttributeProto *a = attribute(name);
  return a ? a->f() : otherwise;
}

std::string Node::string(StringRef name, StringRef otherwise) const {
  const onnx::AttributeProto *a = attribute(name);
  return a ? a->s() : otherwise.str();
}

SmallVector<int64_t> Node::integers(StringRef name) const {
  const onnx::AttributeProto *a = attribute(name);
  return a ? SmallVector<int64_t>(a->ints().begin(), a->ints().end()) : SmallVector<int64_t>();
}

std::string Node::describe() const {
  return proto.op_type() + " \"" + proto.name() + "\" at graph position " + std::to_string(position);
}

std::string Node::label() const {
  if (!proto.name().empty())
    return proto.name();
  return outputs() && !output(0).empty() ? output(0) : proto.op_type() + "_" + std::to_string(position);
}

//===-- Values of the graph ===//

Importer::Importer(MLIRContext &context, std::shared_ptr<OnnxModel> model, const ImportOptions &options)
    : b(&context), loc(FileLineColLoc::get(&context, llvm::sys::path::filename(model->path()), 0, 0)),
      model(std::move(model)), options(options), module(ModuleOp::create(loc)) {}

Location Importer::locate(const Node &node) {
  return NameLoc::get(b.getStringAttr(node.label()),
                      FileLineColLoc::get(b.getContext(), llvm::sys::path::filename(model->path()), 0, 0));
}

Importer::Entry &Importer::entry(StringRef name) {
  auto it = entries.find(name);
  if (it == entries.end())
    failInput("the value \"" + name + "\" is made by no node");
  Entry &e = it->second;
  // An initializer becomes a value where it is first used.
  if (e.initializer && !e.tensor && !e.scalars) {
    Location use = loc;
    loc = NameLoc::get(b.getStringAttr(name));
    e.scalars = scalarsOfInitializer(*e.initializer);
    if (!e.scalars)
      e.tensor = constantTensor(*e.initializer, name);
    loc = use;
  }
  return e;
}

Value Importer::tensorOf(StringRef name) {
  Entry &e = entry(name);
  if (!e.tensor && e.scalars)
    e.tensor = materialize(*e.scalars);
  if (!e.tensor)
    failInput("the value \"" + name + "\" is not made");
  return e.tensor;
}

Value Importer::input(const Node &node, unsigned i) {
  if (!node.hasInput(i))
    failInput("input " + Twine(i) + " is missing");
  return tensorOf(node.input(i));
}

void Importer::setOutput(const Node &node, unsigned i, Value value) {
  if (!node.hasOutput(i))
    return;
  Entry &e = entries[node.output(i)];
  e.tensor = value;
  e.isUnsigned &= isa<IntegerType>(elementType(value)) && !elementType(value).isInteger(1);
}

void Importer::setUnsigned(const Node &node, unsigned i, bool isUnsigned) {
  if (node.hasOutput(i))
    entries[node.output(i)].isUnsigned = isUnsigned;
}

bool Importer::isUnsigned(const Node &node, unsigned i) { return node.hasInput(i) && entry(node.input(i)).isUnsigned; }

bool Importer::areUnsigned(const Node &node) {
  for (unsigned i = 1; i < node.inputs(); ++i)
    if (node.hasInput(i) && isUnsigned(node, i) != isUnsigned(node, 0))
      failInput("input 0 and input " + Twine(i) + " are not both unsigned integers");
  return isUnsigned(node, 0);
}

/// Whether the results of a node that are integers are unsigned: nearly always as the first input is.
bool Importer::yieldsUnsigned(const Node &node, unsigned output) {
  StringRef op = node.op();
  if (op == "Shape" || op == "Size" || op == "ArgMax" || op == "ArgMin" || (op == "TopK" && output == 1))
    return false;
  if (op == "Cast")
    return isUnsignedType(node.integer("to", 0));
  if (op == "EyeLike" && node.has("dtype"))
    return isUnsignedType(node.integer("dtype", 0));
  if (op == "Constant" || op == "ConstantOfShape") {
    const onnx::AttributeProto *value = node.attribute("value");
    return value && isUnsignedType(value->t().data_type());
  }
  return isUnsigned(node, op == "OneHot" ? 2 : op == "Where" || op == "CastLike");
}

void Importer::setScalars(const Node &node, Scalars scalars) { entries[node.output(0)].scalars = std::move(scalars); }

Value Importer::materialize(const Scalars &scalars) {
  auto type = RankedTensorType::get(scalars.shape, scalars.type);
  unsigned width = scalars.type.getIntOrFloatBitWidth();
  if (llvm::all_of(scalars.elements, [](const DimExpr &e) { return e.getConstant().has_value(); })) {
    SmallVector<APInt> values;
    for (const DimExpr &e : scalars.elements)
      values.push_back(APInt(64, static_cast<uint64_t>(*e.getConstant())).trunc(width));
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, values));
  }
  SmallVector<Value> elements;
  for (const DimExpr &e : scalars.elements) {
    Value element = index(e);
    elements.push_back(width == 1
                           ? arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, element, index(0)).getResult()
                           : arith::IndexCastOp::create(b, loc, scalars.type, element).getResult());
  }
  return tensor::FromElementsOp::create(b, loc, type, elements);
}

const Scalars *Importer::scalarsOf(StringRef name, bool demand) {
  Entry &e = entry(name);
  if (e.scalars || !demand)
    return e.scalars ? &*e.scalars : nullptr;
  if (auto type = e.tensor ? dyn_cast<RankedTensorType>(e.tensor.getType()) : nullptr;
      isa_and_nonnull<BlockArgument>(e.tensor)) {
    // The host can read the inputs before anything runs.
    if (!isa<IntegerType>(type.getElementType()) || e.isUnsigned || !type.hasStaticShape() ||
        type.getNumElements() > kMaxScalars)
      return nullptr;
    Scalars scalars{SmallVector<int64_t>(type.getShape()), {}, type.getElementType()};
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      SmallVector<Value> indices(type.getRank());
      int64_t rest = i;
      for (int64_t d = type.getRank() - 1; d >= 0; rest /= type.getDimSize(d--))
        indices[d] = index(rest % type.getDimSize(d));
      Value element = tensor::ExtractOp::create(b, loc, e.tensor, indices);
      if (type.getElementType().isInteger(1))
        element = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), element);
      else
        element = arith::IndexCastOp::create(b, loc, b.getIndexType(), element);
      scalars.elements.push_back(expr(element));
    }
    e.scalars = std::move(scalars);
  } else if (e.producer) {
    evaluateScalars(*e.producer, /*demand=*/true);
  }
  return entries[name].scalars ? &*entries[name].scalars : nullptr;
}

bool Importer::evaluateScalars(const Node &node, bool demand) {
  // Elements are followed as signed numbers.
  if (!hasScalarForm(node.op()) || yieldsUnsigned(node))
    return false;
  SmallVector<const Scalars *> inputs;
  for (unsigned i = 0; i < node.inputs(); ++i) {
    inputs.push_back(node.hasInput(i) && node.op() != "Shape" && node.op() != "Size" ? scalarsOf(node.input(i), demand)
                                                                                     : nullptr);
    if (node.hasInput(i) && !inputs.back() && node.op() != "Shape" && node.op() != "Size")
      return false;
  }
  std::optional<Scalars> result = evaluateOnScalars(*this, node, inputs);
  if (!result || result->elements.size() > kMaxScalars)
    return false;
  // Constants wrap around as their type does.
  unsigned width = result->type.getIntOrFloatBitWidth();
  for (DimExpr &e : result->elements)
    if (auto c = e.getConstant(); c && width != 64)
      e = width == 1 ? DimExpr(*c != 0) : DimExpr(APInt(64, static_cast<uint64_t>(*c)).trunc(width).getSExtValue());
  setScalars(node, std::move(*result));
  return true;
}

const Scalars *Importer::knownScalars(const Node &node, unsigned i) {
  return node.hasInput(i) ? scalarsOf(node.input(i), /*demand=*/false) : nullptr;
}

Scalars Importer::shapeInput(const Node &node, unsigned i) {
  if (!node.hasInput(i))
    failInput("input " + Twine(i) + " is missing");
  const Scalars *scalars = scalarsOf(node.input(i), /*demand=*/true);
  if (!scalars)
    failUnsupported("its input " + Twine(i) + " (\"" + node.input(i) +
                    "\") determines a shape and depends on data that is only known while the model runs");
  return *scalars;
}

SmallVector<int64_t> Importer::constantInput(const Node &node, unsigned i) {
  SmallVector<int64_t> values;
  for (const DimExpr &e : shapeInput(node, i).elements) {
    if (!e.getConstant())
      failUnsupported("its input " + Twine(i) + " (\"" + node.input(i) + "\") is not constant");
    values.push_back(*e.getConstant());
  }
  return values;
}
