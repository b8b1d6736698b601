// Inlining of a model's own functions, and of the graphs that FlexAttention has as attributes, before anything else
// looks at the graph.
#include "frontends/onnx/Model.h"
#include "frontends/onnx/Registry.h"

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
      else if (node.op_type() == "FlexAttention" && node.domain() == kPreview)
        expandFlexAttention(node, result, depth);
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

  /// The scores, score_mod, softmax, prob_mod, the product with the values.
  void expandFlexAttention(const onnx::NodeProto &node, Nodes &result, int depth) {
    if (node.input_size() != 3 || node.output_size() != 1)
      failInput("FlexAttention \"" + node.name() + "\" does not have 3 inputs and 1 output");
    std::string prefix = (node.name().empty() ? node.op_type() : node.name()) + "." + std::to_string(count++) + "/";
    Nodes steps;
    auto add = [&](const char *op, const char *domain, std::initializer_list<std::string> inputs,
                   const std::string &output) {
      onnx::NodeProto &step = *steps.Add();
      step.set_op_type(op), step.set_domain(domain), step.set_name(node.name().empty() ? op : node.name());
      for (const std::string &input : inputs)
        *step.add_input() = input;
      *step.add_output() = output;
      return &step;
    };
    onnx::NodeProto *scores = add("FlexAttentionScores", kOwnDomain, {node.input(0), node.input(1)}, prefix + "scores");
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (!attribute.has_g())
        *scores->add_attribute() = attribute;
    std::string score = inlineModifier(node, "score_mod", prefix + "scores", prefix, steps);
    onnx::AttributeProto &axis = *add("Softmax", "", {score}, prefix + "probabilities")->add_attribute();
    axis.set_name("axis"), axis.set_type(onnx::AttributeProto::INT), axis.set_i(-1);
    std::string weights = inlineModifier(node, "prob_mod", prefix + "probabilities", prefix, steps);
    add("FlexAttentionOutput", kOwnDomain, {weights, node.input(2)}, node.output(0));
    run(steps, result, depth + 1);
  }

  /// The nodes of a graph of one input and one output; the name of its output. Names that the graph does not define are
  /// those of the graph around it.
  std::string inlineModifier(const onnx::NodeProto &node, const char *attribute, const std::string &input,
                             const std::string &prefix, Nodes &steps) {
    const onnx::GraphProto *graph = nullptr;
    for (const onnx::AttributeProto &given : node.attribute())
      if (given.name() == attribute)
        graph = &given.g();
    if (!graph)
      return input;
    if (graph->input_size() != 1 || graph->output_size() != 1 || graph->sparse_initializer_size() != 0)
      failInput("FlexAttention \"" + node.name() + "\": expected a graph of one input and one output, got " +
                attribute);
    llvm::StringMap<std::string> names;
    std::string own = prefix + attribute + "/";
    names[graph->input(0).name()] = input;
    for (const onnx::TensorProto &initializer : graph->initializer()) {
      onnx::NodeProto &constant = *steps.Add();
      constant.set_op_type("Constant"), constant.set_name(own + initializer.name());
      onnx::AttributeProto &value = *constant.add_attribute();
      value.set_name("value"), value.set_type(onnx::AttributeProto::TENSOR), *value.mutable_t() = initializer;
      *constant.add_output() = names[initializer.name()] = own + initializer.name();
    }
    for (const onnx::NodeProto &inner : graph->node())
      for (const std::string &output : inner.output())
        if (!output.empty())
          names[output] = own + output;
    auto rename = [&](std::string &name) {
      if (auto it = names.find(name); it != names.end())
        name = it->second;
    };
    for (const onnx::NodeProto &inner : graph->node()) {
      onnx::NodeProto &copy = *steps.Add();
      copy = inner;
      copy.set_name(own + inner.name());
      llvm::for_each(*copy.mutable_input(), rename);
      llvm::for_each(*copy.mutable_output(), rename);
    }
    std::string output = graph->output(0).name();
    rename(output);
    return output;
  }

  static constexpr const char *kPreview = "ai.onnx.preview";
  llvm::StringMap<const onnx::FunctionProto *> functions;
  int count = 0;
};
} // namespace

void fovea::frontend::inlineFunctions(onnx::ModelProto &model) {
  auto isFlexible = [](const onnx::NodeProto &node) { return node.op_type() == "FlexAttention"; };
  if (model.functions_size() == 0 && llvm::none_of(model.graph().node(), isFlexible))
    return;
  Nodes nodes;
  Inliner(model).run(model.graph().node(), nodes, 0);
  model.mutable_graph()->mutable_node()->Swap(&nodes);
}
