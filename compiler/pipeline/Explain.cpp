#include "compiler/pipeline/Explain.h"
#include "compiler/lowering/Machine.h"
#include "compiler/lowering/Weights.h"
#include "compiler/pipeline/Costs.h"
#include "compiler/pipeline/Refusals.h"
#include "compiler/target/vulkan/Figures.h"
#include "dialects/attn/Attn.h"
#include "dialects/exec/Exec.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

#include <fmt/format.h>
#include <map>

using namespace mlir;
using namespace fovea;
namespace json = llvm::json;

/// The kernels that hold a node of the source, in program order.
using KernelsOfNodes = llvm::StringMap<llvm::SetVector<StringRef>>;

std::string fovea::nodeOf(Location location) {
  std::string name = "?";
  location->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

std::vector<std::string> fovea::attentionNodes(ModuleOp module) {
  std::vector<std::string> nodes;
  module.walk([&](attn::AttentionOp op) { nodes.push_back(nodeOf(op.getLoc())); });
  return nodes;
}

/// A number where the size is one, else an expression.
static json::Value number(const data::DimExpr &expr) {
  if (auto constant = expr.getConstant())
    return *constant;
  return expr.str();
}

/// Remarks of one reason together, with the kernels that hold their nodes.
static json::Array groupRemarks(ArrayRef<MissedRemark> missed, const KernelsOfNodes &kernelsOf) {
  std::vector<std::pair<const MissedRemark *, std::vector<std::string>>> groups; // in the order of the first of each
  for (const MissedRemark &remark : missed) {
    auto it = llvm::find_if(groups, [&](const auto &group) {
      return group.first->phase == remark.phase && group.first->reason == remark.reason;
    });
    if (it == groups.end())
      it = groups.insert(groups.end(), {&remark, {}});
    if (!llvm::is_contained(it->second, remark.node))
      it->second.push_back(remark.node);
  }
  json::Array all;
  for (auto &[first, nodes] : groups) {
    json::Object group{{"kind", first->phase}, {"reason", first->reason}, {"nodes", json::Array(nodes)}};
    llvm::SetVector<StringRef> kernels;
    for (const std::string &node : nodes)
      if (auto known = kernelsOf.find(node); known != kernelsOf.end())
        kernels.insert(known->second.begin(), known->second.end());
    group["kernels"] = json::Array(kernels.getArrayRef());
    if (const Refusal *refusal = refusalOf(first->reason)) {
      group["operation"] = refusal->operation;
      group["remedy"] = refusal->remedy;
    }
    all.push_back(std::move(group));
  }
  return all;
}

static json::Array strings(ArrayAttr names) {
  json::Array all;
  for (auto name : names.getAsRange<StringAttr>())
    all.push_back(name.str());
  return all;
}

static json::Object describe(exec::DispatchOp dispatch, exec::KernelDefOp kernel) {
  json::Object result{{"kernel", kernel.getSymName()}, {"node", dispatch.getNode()}};
  if (auto nodes = dispatch->getAttrOfType<ArrayAttr>("nodes"))
    result["nodes"] = strings(nodes);
  json::Object schedule;
  for (NamedAttribute choice : kernel.getSchedule()) {
    std::string text;
    if (auto flag = dyn_cast<BoolAttr>(choice.getValue()))
      schedule[choice.getName().str()] = flag.getValue();
    else if (auto integer = dyn_cast<IntegerAttr>(choice.getValue());
             integer && integer.getType().isSignlessInteger(64))
      schedule[choice.getName().str()] = integer.getInt();
    else if (auto string = dyn_cast<StringAttr>(choice.getValue()))
      schedule[choice.getName().str()] = string.str();
    else {
      llvm::raw_string_ostream(text) << choice.getValue();
      schedule[choice.getName().str()] = text;
    }
  }
  result["lowering"] = kernel.getSchedule().getAs<StringAttr>("kind").getValue();
  schedule.erase("kind");
  result["schedule"] = std::move(schedule);
  SmallVector<std::string> shapes = shapesOf(kernel, dispatch);
  json::Array inputs, outputs;
  for (auto [i, layout] : llvm::enumerate(kernel.getLayouts())) {
    json::Object tensor{{"shape", shapes[i]}, {"layout", lowering::describeLayout(layout)}};
    unsigned inputCount = shapes.size() - kernel.getInitCount();
    if (i >= inputCount)
      if (int64_t under = dispatch.getInputUnder(kernel, i - inputCount); under >= 0)
        tensor["in_place_of"] = under;
    (i < inputCount ? inputs : outputs).push_back(std::move(tensor));
  }
  result["inputs"] = std::move(inputs);
  result["outputs"] = std::move(outputs);
  KernelCost cost = costOf(kernel, dispatch);
  result["flops"] = number(cost.flops);
  result["bytes"] = number(cost.bytes);
  result["activation_bytes"] = number(cost.activations);
  if (auto predicted = dispatch->getAttrOfType<IntegerAttr>("predicted_ns"))
    result["predicted_us"] = predicted.getInt() / 1000.0;
  if (auto shaders = kernel->getAttrOfType<ArrayAttr>("shaders")) {
    json::Array all;
    for (auto shader : shaders.getAsRange<DictionaryAttr>()) {
      json::Object figures;
      for (NamedAttribute figure : shader)
        if (auto integer = dyn_cast<IntegerAttr>(figure.getValue()))
          figures[figure.getName().str()] = integer.getInt();
        else if (auto real = dyn_cast<FloatAttr>(figure.getValue()))
          figures[figure.getName().str()] = real.getValueAsDouble();
        else
          figures[figure.getName().str()] = cast<StringAttr>(figure.getValue()).str();
      all.push_back(std::move(figures));
    }
    result["shaders"] = std::move(all);
  }
  return result;
}

json::Object fovea::explain(ModuleOp module, ArrayRef<std::string> attention, ArrayRef<MissedRemark> missed) {
  json::Array entries, attentions;
  SymbolTable symbols(module);
  llvm::StringMap<std::string> kernelOf;
  KernelsOfNodes kernelsOf;
  for (auto program : module.getOps<exec::ProgramOp>()) {
    json::Array kernels;
    data::DimExpr flops(0), activations(0);
    double microseconds = 0;
    for (auto dispatch : program.getBody().getOps<exec::DispatchOp>()) {
      auto kernel = symbols.lookup<exec::KernelDefOp>(dispatch.getKernel());
      bool attends =
          llvm::any_of(kernel.getBody().front(), [](Operation &op) { return isa<attn::AttentionInterface>(op); });
      if (auto nodes = dispatch->getAttrOfType<ArrayAttr>("nodes"))
        for (auto name : nodes.getAsRange<StringAttr>()) {
          kernelsOf[name].insert(kernel.getSymName());
          if (attends)
            kernelOf[name] = kernel.getSymName().str();
        }
      KernelCost cost = costOf(kernel, dispatch);
      flops = flops + cost.flops;
      activations = activations + cost.activations;
      if (auto predicted = dispatch->getAttrOfType<IntegerAttr>("predicted_ns"))
        microseconds += predicted.getInt() / 1000.0;
      kernels.push_back(describe(dispatch, kernel));
    }
    json::Object entry{{"name", program.getSymName()},
                       {"kernels", std::move(kernels)},
                       {"flops", number(flops)},
                       {"activation_bytes", number(activations)},
                       {"predicted_us", microseconds}};
    if (auto target = program->getAttrOfType<StringAttr>(exec::ExecDialect::kTargetAttr))
      if (auto machine = lowering::Machine::ofTarget(target.getValue()); succeeded(machine))
        entry["variant"] = machine->variant();
    if (auto arena = program->getAttrOfType<StringAttr>("arena"))
      entry["arena"] = arena.str();
    json::Array over;
    for (auto output : program.getOutputs().getAsRange<DictionaryAttr>())
      if (auto under = output.getAs<IntegerAttr>("over")) {
        auto input = cast<DictionaryAttr>(program.getInputs()[under.getInt()]);
        over.push_back(json::Object{{"output", output.getAs<StringAttr>("name").str()},
                                    {"input", input.getAs<StringAttr>("name").str()}});
      }
    entry["may_be_written_over"] = std::move(over);
    entries.push_back(std::move(entry));
  }
  for (const std::string &node : attention)
    attentions.push_back(json::Object{{"node", node}, {"kernel", kernelOf.lookup(node)}});
  int64_t weights = 0, weightBytes = 0;
  for (auto weight : module.getOps<exec::WeightDataOp>())
    ++weights, weightBytes += lowering::packedBytes(weight);
  return json::Object{{"entries", std::move(entries)},
                      {"attention", std::move(attentions)},
                      {"weights", weights},
                      {"weight_bytes", weightBytes},
                      {"missed", groupRemarks(missed, kernelsOf)}};
}

/// A string, or a number as text.
static std::string text(const json::Value *value) {
  if (!value)
    return "?";
  if (auto string = value->getAsString())
    return string->str();
  std::string result;
  llvm::raw_string_ostream(result) << *value;
  return result;
}

static std::string listText(const json::Array &list, const char *separator) {
  std::string result;
  for (const json::Value &value : list)
    result += (result.empty() ? "" : separator) + text(&value);
  return result;
}

/// Which input an output is written over.
static std::string placeText(const json::Object &kernel, const json::Object &tensor) {
  std::optional<int64_t> under = tensor.getInteger("in_place_of");
  return under ? fmt::format(", in place of input {} of {}", *under + 1, kernel.getArray("inputs")->size()) : "";
}

/// What a shader asks of a GPU; flops and bytes are those of its hottest loop.
static std::string shaderText(const json::Object &shader) {
  auto integer = [&](const char *name) { return *shader.getInteger(name); };
  auto perByte = [&](const char *bytes, const char *of) {
    return integer(bytes) ? fmt::format(", {:.2f} flops a byte {}",
                                        static_cast<double>(integer("loop_flops")) / integer(bytes), of)
                          : "";
  };
  return fmt::format(
      "      shader {}: {} invocations, {} registers, {} bytes shared{}{}, occupancy {:.0f} % ({} workgroups)\n",
      shader.getString("name")->str(), integer("invocations"), integer("registers"), integer("shared_bytes"),
      perByte("loop_buffer_bytes", "from buffers"), perByte("loop_shared_bytes", "from shared memory"),
      100 * *shader.getNumber("occupancy"), integer("workgroups_of_unit"));
}

static std::string kernelText(const json::Object &kernel, size_t number) {
  std::map<std::string, std::string> choices; // sorted, which a JSON object is not
  for (auto &[key, value] : *kernel.getObject("schedule"))
    choices[llvm::StringRef(key).str()] = text(&value);
  std::string schedule;
  for (auto &[key, value] : choices)
    schedule += fmt::format(" {}={}", key, value);
  std::string result = fmt::format("{:4}  {}  {}\n", number, kernel.getString("kernel")->str(),
                                   kernel.getArray("nodes") ? listText(*kernel.getArray("nodes"), ", ")
                                                            : kernel.getString("node")->str());
  result += fmt::format("      {}{}\n", kernel.getString("lowering")->str(), schedule);
  for (auto [key, arrow] : {std::pair("inputs", "<-"), std::pair("outputs", "->")})
    for (const json::Value &tensor : *kernel.getArray(key))
      result += fmt::format("      {} {}, {}{}\n", arrow, text(tensor.getAsObject()->get("shape")),
                            text(tensor.getAsObject()->get("layout")), placeText(kernel, *tensor.getAsObject()));
  if (const json::Array *shaders = kernel.getArray("shaders"))
    for (const json::Value &shader : *shaders)
      result += shaderText(*shader.getAsObject());
  std::string predicted =
      kernel.get("predicted_us") ? fmt::format(", predicted {:.1f} us", *kernel.getNumber("predicted_us")) : "";
  return result + fmt::format("      {} flops, {} bytes, moves {} bytes of activations{}\n", text(kernel.get("flops")),
                              text(kernel.get("bytes")), text(kernel.get("activation_bytes")), predicted);
}

std::string fovea::explainText(const json::Object &report) {
  std::string result;
  for (const json::Value &value : *report.getArray("entries")) {
    const json::Object &entry = *value.getAsObject();
    std::optional<llvm::StringRef> variant = entry.getString("variant");
    result += fmt::format("entry {}{}\n", entry.getString("name")->str(),
                          variant ? ", variant " + variant->str() + " for Vulkan" : "");
    for (auto [i, kernel] : llvm::enumerate(*entry.getArray("kernels")))
      result += kernelText(*kernel.getAsObject(), i);
    result += fmt::format(
        "  {} kernels, {} flops, {} bytes of activations moved, predicted {:.1f} us with one thread, arena {} bytes\n",
        entry.getArray("kernels")->size(), text(entry.get("flops")), text(entry.get("activation_bytes")),
        *entry.getNumber("predicted_us"), text(entry.get("arena")));
    if (llvm::any_of(*entry.getArray("kernels"), [](const json::Value &k) { return k.getAsObject()->get("shaders"); }))
      result += fmt::format(
          "  occupancy is that of a unit of a GPU with {} KiB of shared memory, {} registers, {} invocations\n",
          vulkan::GpuUnit::kSharedBytes >> 10, vulkan::GpuUnit::kRegisters, vulkan::GpuUnit::kInvocations);
    for (const json::Value &pair : *entry.getArray("may_be_written_over"))
      result += fmt::format("  output {} may be written over input {}\n", text(pair.getAsObject()->get("output")),
                            text(pair.getAsObject()->get("input")));
  }
  // Before the plan phase there are no kernels to name.
  if (!report.getArray("entries")->empty()) {
    result += fmt::format("{} weights, {} bytes\n", text(report.get("weights")), text(report.get("weight_bytes")));
    for (const json::Value &value : *report.getArray("attention")) {
      std::string kernel = text(value.getAsObject()->get("kernel"));
      result += fmt::format("attention {} -> {}\n", text(value.getAsObject()->get("node")),
                            kernel.empty() ? "(no kernel of its own)" : kernel);
    }
  }
  if (const json::Array *inserted = report.getArray("inserted"))
    for (const json::Value &value : *inserted)
      result += fmt::format("inserted after {}: {}\n", text(value.getAsObject()->get("after")),
                            text(value.getAsObject()->get("pipeline")));
  for (const json::Value &value : *report.getArray("missed")) {
    const json::Object &group = *value.getAsObject();
    result += fmt::format("missed: {}: {}\n  nodes: {}\n", text(group.get("kind")), text(group.get("reason")),
                          listText(*group.getArray("nodes"), ", "));
    if (const json::Array &kernels = *group.getArray("kernels"); !kernels.empty())
      result += fmt::format("  kernels: {}\n", listText(kernels, ", "));
    if (const json::Value *remedy = group.get("remedy"))
      result += fmt::format("  remedy: {}\n", text(remedy));
  }
  return result;
}
