// Prints what a compiled model contains. Runs none of it, so it reads artifacts for other CPUs too.
#include "core/Artifact.h"
#include "core/Error.h"
#include "core/MappedFile.h"
#include "tools/Command.h"

#include <fmt/format.h>
#include <initializer_list>
#include <nlohmann/json.hpp>

using namespace fovea;
using namespace fovea::tools;
using nlohmann::json;

static constexpr const char *EXAMPLES = R"(  fovea-inspect model.fovea
  fovea-inspect model.fovea --verify
  fovea-inspect model.fovea --json | jq .entries[0].inputs
)";

static std::string string(const flatbuffers::String *text) { return text ? text->str() : std::string(); }

// A JSON array of what `describe` makes of each element; empty for an absent vector.
template <typename Vector, typename Describe> static json list(const Vector *vector, Describe describe) {
  json result = json::array();
  for (uint32_t i = 0; vector && i < vector->size(); ++i)
    result.push_back(describe(vector->Get(i)));
  return result;
}

static json describeTensor(const artifact::Tensor *tensor) {
  return {{"name", string(tensor->name())},
          {"dtype", fovea_dtype_name(static_cast<fovea_dtype>(tensor->dtype()))},
          {"dims", list(tensor->dims(), [](const artifact::Dim *dim) -> json {
             if (string(dim->name()).empty())
               return dim->value();
             return {{"name", string(dim->name())}, {"min", dim->min()}, {"max", dim->max()}};
           })}};
}

static json describeOutput(const artifact::Tensor *tensor, const artifact::Entry *entry) {
  json result = describeTensor(tensor);
  if (tensor->over() >= 0)
    result["may_be_written_over"] = string(entry->inputs()->Get(static_cast<uint32_t>(tensor->over()))->name());
  return result;
}

static json describeEntry(const artifact::Entry *entry, const artifact::Manifest &manifest) {
  const bool onVulkan = entry->target() == artifact::Target::vulkan;
  json result = {{"name", string(entry->name())},
                 {"target", artifact::EnumNameTarget(entry->target())},
                 {"inputs", list(entry->inputs(), describeTensor)},
                 {"outputs", list(entry->outputs(),
                                  [&](const artifact::Tensor *tensor) { return describeOutput(tensor, entry); })},
                 {"arena", string(entry->arena())},
                 {"buffers", list(entry->buffers(),
                                  [](const artifact::Buffer *buffer) -> json {
                                    return {{"name", string(buffer->name())},
                                            {"bytes", string(buffer->bytes())},
                                            {"offset", string(buffer->offset())},
                                            {"first", buffer->first()},
                                            {"last", buffer->last()}};
                                  })},
                 {"dispatches", list(entry->dispatches(), [&](const artifact::Dispatch *dispatch) -> json {
                    return {{"kernel", string(onVulkan ? manifest.shaders()->Get(dispatch->kernel())->name()
                                                       : manifest.kernels()->Get(dispatch->kernel())->name())},
                            {"node", string(dispatch->node())},
                            {"flops", dispatch->flops()},
                            {"bytes", dispatch->bytes()}};
                  })}};
  if (onVulkan)
    result["variant"] = string(manifest.variants()->Get(entry->variant())->name());
  return result;
}

// With `verify`, "checksum" is "ok" or the reader's complaint; `damaged` is set for the latter.
static json describeSection(const Artifact &file, const artifact::Section *section, bool verify, bool &damaged) {
  json result = {{"section", file.describe(*section)},
                 {"kind", artifact::EnumNameSectionKind(section->kind())},
                 {"offset", section->offset()},
                 {"bytes", section->size()},
                 {"xxh3", fmt::format("{:016x}", section->xxh3())}};
  if (section->kind() == artifact::SectionKind::kernels) {
    result["cpu"] = string(section->cpu());
    result["features"] = list(section->features(), string);
  }
  if (!verify)
    return result;
  try {
    file.verify(*section);
    result["checksum"] = "ok";
  } catch (const Error &) {
    result["checksum"] = "damaged";
    damaged = true;
  }
  return result;
}

static json describeShader(const artifact::Shader *shader) {
  json needs = json::array();
  if (shader->int64())
    needs.push_back("int64");
  if (shader->float64())
    needs.push_back("float64");
  if (shader->subgroup_size())
    needs.push_back(fmt::format("subgroups of {}", shader->subgroup_size()));
  if (shader->shared_bytes())
    needs.push_back(fmt::format("{} bytes of shared memory", shader->shared_bytes()));
  return {{"name", string(shader->name())},
          {"kind", string(shader->kind())},
          {"schedule", string(shader->schedule())},
          {"offset", shader->offset()},
          {"bytes", shader->size()},
          {"bindings", shader->bindings()->size()},
          {"shared_buffers", shader->shared() ? shader->shared()->size() : 0},
          {"sizes", shader->symbols()},
          {"buffers", shader->buffers()},
          {"workgroup", shader->group_size()},
          {"tasks_of_workgroup", shader->tasks_of_group()},
          {"needs", needs}};
}

// Its requirements in words.
static json describeVariant(const artifact::Variant *variant) {
  json needs = list(variant->device_types(), [](artifact::DeviceType type) {
    return fmt::format("a device of type {}", artifact::EnumNameDeviceType(type));
  });
  if (variant->minor_version())
    needs.push_back(fmt::format("Vulkan 1.{}", variant->minor_version()));
  for (const json &feature : list(variant->features(), string))
    needs.push_back(feature);
  for (const auto &[what, size] : {std::pair("subgroups of {}", variant->subgroup_size()),
                                   {"workgroups of {}", variant->invocations()},
                                   {"{} bytes of shared memory", variant->shared_bytes()}})
    if (size)
      needs.push_back(fmt::format(fmt::runtime(what), size));
  for (const json &matrix : list(variant->cooperative(), [](const artifact::CooperativeMatrix *one) {
         return fmt::format("cooperative matrices of {}x{}x{} {} with sums of {}", one->m(), one->n(), one->k(),
                            artifact::EnumNameDType(one->operands()), artifact::EnumNameDType(one->sums()));
       }))
    needs.push_back(matrix);
  return {{"name", string(variant->name())}, {"needs", needs}};
}

static json describe(const Artifact &file, bool verify, bool &damaged) {
  const artifact::Manifest &manifest = file.manifest();
  return {{"format_version", file.header().format_version},
          {"abi_version", manifest.abi_version()},
          {"producer", string(manifest.producer())},
          {"file_bytes", file.header().file_bytes},
          {"manifest_xxh3", fmt::format("{:016x}", file.header().manifest_xxh3)},
          {"entries",
           list(manifest.entries(), [&](const artifact::Entry *entry) { return describeEntry(entry, manifest); })},
          {"kernels", list(manifest.kernels(),
                           [](const artifact::Kernel *kernel) -> json {
                             return {{"name", string(kernel->name())},
                                     {"kind", string(kernel->kind())},
                                     {"schedule", string(kernel->schedule())},
                                     {"workspace_bytes", kernel->workspace_bytes()}};
                           })},
          {"shaders", list(manifest.shaders(), describeShader)},
          {"variants", list(manifest.variants(), describeVariant)},
          {"sections",
           list(manifest.sections(),
                [&](const artifact::Section *section) { return describeSection(file, section, verify, damaged); })},
          {"weights", list(manifest.weights(), [](const artifact::Weight *weight) -> json {
             return {{"name", string(weight->name())},
                     {"offset", weight->offset()},
                     {"bytes", weight->size()},
                     {"layout", string(weight->layout())}};
           })}};
}

static std::string text(const json &value) { return value.get<std::string>(); }

// The fields that say something, two spaces apart.
static std::string columns(std::initializer_list<std::string> fields) {
  std::string line;
  for (const std::string &field : fields)
    if (!field.empty())
      line += (line.empty() ? "" : "  ") + field;
  return line;
}

static std::string shapeText(const json &tensor) {
  std::string dims;
  for (const json &dim : tensor["dims"])
    dims += fmt::format("{}{}", dims.empty() ? "" : ",",
                        dim.is_number()
                            ? dim.dump()
                            : fmt::format("{}={}..{}", text(dim["name"]), dim["min"].dump(), dim["max"].dump()));
  return fmt::format("{}[{}]", text(tensor["dtype"]), dims);
}

static void printEntry(const json &entry) {
  fmt::print("\nentry {}{}\n", text(entry["name"]),
             text(entry["target"]) == "vulkan" ? " for Vulkan, variant " + text(entry["variant"]) : "");
  for (const json &input : entry["inputs"])
    fmt::print("  input   {}  {}\n", text(input["name"]), shapeText(input));
  for (const json &output : entry["outputs"])
    fmt::print("  output  {}  {}{}\n", text(output["name"]), shapeText(output),
               output.contains("may_be_written_over") ? ", may be written over " + text(output["may_be_written_over"])
                                                      : std::string());
  fmt::print("  arena   {} bytes, {} buffers\n", text(entry["arena"]).empty() ? "?" : text(entry["arena"]),
             entry["buffers"].size());
  for (const json &buffer : entry["buffers"])
    fmt::print("    {}  {} bytes at {}, dispatches {}..{}\n", text(buffer["name"]), text(buffer["bytes"]),
               text(buffer["offset"]), buffer["first"].dump(), buffer["last"].dump());
  fmt::print("  {} dispatches\n", entry["dispatches"].size());
  size_t number = 0;
  for (const json &dispatch : entry["dispatches"])
    fmt::print("    {}  {}  {}  {} flops  {} bytes\n", number++, text(dispatch["kernel"]), text(dispatch["node"]),
               dispatch["flops"].dump(), dispatch["bytes"].dump());
}

static void print(const json &model, const std::string &path) {
  fmt::print("{}: {} bytes, format {}, ABI {}{}\n", path, model["file_bytes"].dump(), model["format_version"].dump(),
             model["abi_version"].dump(),
             text(model["producer"]).empty() ? "" : ", made by " + text(model["producer"]));
  for (const json &entry : model["entries"])
    printEntry(entry);
  fmt::print("\n{} kernels\n", model["kernels"].size());
  for (const json &kernel : model["kernels"])
    fmt::print("  {}\n", columns({text(kernel["name"]), text(kernel["kind"]), text(kernel["schedule"]),
                                  kernel["workspace_bytes"] < 0
                                      ? std::string("workspace depends on the dims")
                                      : fmt::format("workspace {} bytes", kernel["workspace_bytes"].dump())}));
  if (!model["variants"].empty())
    fmt::print("\n{} variants for Vulkan, the first that a device can run is taken\n", model["variants"].size());
  for (const json &variant : model["variants"]) {
    std::string needs;
    for (const json &one : variant["needs"])
      needs += (needs.empty() ? "needs " : ", ") + text(one);
    fmt::print("  {}\n", columns({text(variant["name"]), needs.empty() ? "any device" : needs}));
  }
  if (!model["shaders"].empty())
    fmt::print("\n{} shaders\n", model["shaders"].size());
  for (const json &shader : model["shaders"]) {
    std::string needs;
    for (const json &feature : shader["needs"])
      needs += (needs.empty() ? "needs " : ", ") + text(feature);
    fmt::print("  {}\n", columns({text(shader["name"]), text(shader["kind"]), text(shader["schedule"]),
                                  fmt::format("{} bytes of SPIR-V", shader["bytes"].dump()),
                                  fmt::format("{} bindings", shader["bindings"].dump()),
                                  fmt::format("workgroups of {}", shader["workgroup"].dump()), needs}));
  }
  fmt::print("\n{} weights\n", model["weights"].size());
  for (const json &weight : model["weights"])
    fmt::print("  {}\n", columns({text(weight["name"]),
                                  fmt::format("{} bytes at {}", weight["bytes"].dump(), weight["offset"].dump()),
                                  text(weight["layout"])}));
  fmt::print("\n{} sections\n", model["sections"].size());
  for (const json &section : model["sections"]) {
    fmt::print("  {}  {} bytes at {}  xxh3 {}{}\n", text(section["section"]), section["bytes"].dump(),
               section["offset"].dump(), text(section["xxh3"]),
               section.contains("checksum") ? " " + text(section["checksum"]) : "");
    std::string features;
    for (const json &feature : section.value("features", json::array()))
      features += " " + text(feature);
    if (!features.empty())
      fmt::print("    needs{}\n", features);
  }
}

static int inspect(const std::string &path, bool asJson, bool verify) {
  try {
    const MappedFile mapping(path);
    const Artifact file({mapping.data(), mapping.size()});
    bool damaged = false;
    const json model = describe(file, verify, damaged);
    if (asJson)
      fmt::print("{}\n", model.dump(2, ' ', false, json::error_handler_t::replace));
    else
      print(model, path);
    if (damaged)
      throw Failure(FOVEA_INVALID, fmt::format("'{}' is damaged: not every section matches its checksum", path));
    return FOVEA_OK;
  } catch (const Error &error) {
    throw Failure(error.status,
                  error.status == FOVEA_ENVIRONMENT ? error.message : fmt::format("'{}': {}", path, error.message));
  }
}

int main(int argc, char **argv) {
  CLI::App app("Prints what a compiled model contains: entry points, kernels, memory plan, weights, checksums.",
               "fovea-inspect");
  std::string model;
  bool asJson = false, verify = false;
  describeCommand(app, EXAMPLES);
  app.add_option("model", model, "The artifact that fovea-compile made")->type_name("MODEL.fovea")->required();
  app.add_flag("--json", asJson, "Print JSON");
  app.add_flag("--verify", verify, "Compare all sections with their checksums, weights too; exit code 1 at damage");
  return runCommand(app, argc, argv, [&] { return inspect(model, asJson, verify); });
}
