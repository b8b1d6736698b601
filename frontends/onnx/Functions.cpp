// Inlining of a model's own functions, before anything else looks at the graph.
#include "frontends/onnx/Model.h"

#include "llvm/ADT/StringMap.h"

using namespace fovea::frontend;

namespace {
using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

class Inliner {
public:
  explicit Inliner(onnx::ModelProto &model) {
    for (const auto &function : model.functions())
      functions[key(function.domain(), function.name())] = &function;
  }

  void run(const Nodes &nodes, Nodes &result, int depth) {
    if (depth > 64)
      failInput("the model's functions call each other without end");
    for (const onnx::NodeProto &node : nodes)
      if (auto it = functions.find(key(node.domain(), node.op_type())); it != functions.end())
        call(node, *it->second, result, depth);
      else
        *result.Add() = node;
  }

private:
  static std::string key(const std::string &domain, const std::string &name) {
    return (domain == "ai.onnx" ? "" : domain) + "::" + name;
  }

  void call(const onnx::NodeProto &node, const onnx::FunctionProto &function, Nodes &result, int depth) {
    llvm::StringMap<std::string> names;
    for (int i = 0; i < function.input_size(); ++i)
      names[function.input(i)] = i < node.input_size() ? node.input(i) : "";
    for (int i = 0; i < function.output_size(); ++i)
      if (i < node.output_size() && !node.output(i).empty())
        names[function.output(i)] = node.output(i);
    std::string prefix = (node.name().empty() ? node.op_type() : node.name()) + "." + std::to_string(count++) + "/";
    auto rename = [&](std::string *name) {
      if (!name->empty())
        *name = names.try_emplace(*name, prefix + *name).first->second;
    };
    Nodes body = function.node();
    for (onnx::NodeProto &inner : body) {
      inner.set_name(prefix + inner.name());
      for (std::string &input : *inner.mutable_input())
        rename(&input);
      for (std::string &output : *inner.mutable_output())
        rename(&output);
      substituteAttributes(inner, node);
    }
    run(body, result, depth + 1);
  }

  /// Attributes that refer to the function's take the call's value, or vanish where the call has none.
  static void substituteAttributes(onnx::NodeProto &inner, const onnx::NodeProto &call) {
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> attributes;
    for (const onnx::AttributeProto &attribute : inner.attribute()) {
      if (attribute.ref_attr_name().empty()) {
        *attributes.Add() = attribute;
        continue;
      }
      for (const onnx::AttributeProto &given : call.attribute())
        if (given.name() == attribute.ref_attr_name()) {
          onnx::AttributeProto *copy = attributes.Add();
          *copy = given;
          copy->set_name(attribute.name());
        }
    }
    inner.mutable_attribute()->Swap(&attributes);
  }

  llvm::StringMap<const onnx::FunctionProto *> functions;
  int count = 0;
};
} // namespace

void fovea::frontend::inlineFunctions(onnx::ModelProto &model) {
  if (model.functions_size() == 0)
    return;
  Nodes nodes;
  Inliner(model).run(model.graph().node(), nodes, 0);
  model.mutable_graph()->mutable_node()->Swap(&nodes);
}
