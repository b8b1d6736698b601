#include "compiler/lowering/ScheduleOverride.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace fovea::lowering;
namespace json = llvm::json;

/// A number or a truth value as `--schedule` writes it; nothing for anything else.
static std::optional<std::string> valueText(const json::Value &value) {
  if (auto number = value.getAsInteger())
    return std::to_string(*number);
  if (auto flag = value.getAsBoolean())
    return *flag ? "true" : "false";
  return std::nullopt;
}

static LogicalResult parseFile(StringRef path, std::vector<ScheduleOverride> &overrides, std::string &error) {
  auto fail = [&](const Twine &what) { return error = (path + ": " + what).str(), failure(); };
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return fail(file.getError().message());
  llvm::Expected<json::Value> report = json::parse((*file)->getBuffer());
  if (!report)
    return fail(llvm::toString(report.takeError()));
  const json::Object *object = report->getAsObject();
  const json::Array *entries = object ? object->getArray("entries") : nullptr;
  if (!entries)
    return fail("expected what --explain=FILE.json writes, got no \"entries\"");
  for (const json::Value &entry : *entries) {
    const json::Object *fields = entry.getAsObject();
    const json::Array *kernels = fields ? fields->getArray("kernels") : nullptr;
    if (!kernels)
      return fail("expected \"kernels\" in each entry");
    for (const json::Value &kernel : *kernels) {
      const json::Object *figures = kernel.getAsObject();
      auto name = figures ? figures->getString("kernel") : std::nullopt;
      const json::Object *schedule = figures ? figures->getObject("schedule") : nullptr;
      if (!name || !schedule)
        return fail("expected \"kernel\" and \"schedule\" of each kernel");
      ScheduleOverride wanted{name->str(), {}};
      for (auto &[key, value] : *schedule) {
        std::optional<std::string> text = valueText(value);
        if (!text)
          return fail("kernel \"" + *name + "\": expected a number, true or false as \"" + StringRef(key) + "\"");
        wanted.values.emplace_back(StringRef(key).str(), *text);
      }
      overrides.push_back(std::move(wanted));
    }
  }
  return success();
}

LogicalResult ScheduleOverride::parse(StringRef text, std::vector<ScheduleOverride> &overrides, std::string &error) {
  if (text.consume_front("@"))
    return parseFile(text, overrides, error);
  auto [kernel, list] = text.rsplit(':');
  ScheduleOverride wanted{kernel.str(), {}};
  while (!list.empty()) {
    auto [choice, rest] = list.split(',');
    auto [key, value] = choice.split('=');
    if (key.empty() || value.empty())
      break;
    wanted.values.emplace_back(key.str(), value.str());
    list = rest;
  }
  if (kernel.empty() || wanted.values.empty() || !list.empty())
    return error = ("expected KERNEL:key=value,... or @FILE.json, got '" + text + "'").str(), failure();
  overrides.push_back(std::move(wanted));
  return success();
}

/// The value as an attribute of the type that the schedule has; null if it is none.
static Attribute parseValue(StringRef text, Attribute like) {
  Builder b(like.getContext());
  if (isa<BoolAttr>(like)) {
    if (text != "true" && text != "false")
      return {};
    return b.getBoolAttr(text == "true");
  }
  int64_t number;
  if (!isa<IntegerAttr>(like) || text.getAsInteger(10, number))
    return {};
  return b.getI64IntegerAttr(number);
}

LogicalResult ScheduleOverride::apply(DictionaryAttr schedule, NamedAttrList &requested, std::vector<bool> &used,
                                      std::string &error) const {
  for (auto [i, choice] : llvm::enumerate(values)) {
    auto &[key, value] = choice;
    Attribute present = key == "kind" ? Attribute() : schedule.get(key);
    if (!present) {
      if (kernel == "*")
        continue;
      error = "there is no '" + key + "' in its schedule";
      return failure();
    }
    Attribute wanted = parseValue(value, present);
    if (!wanted)
      return error = std::string("expected ") + (isa<BoolAttr>(present) ? "true or false" : "a number") + " as " + key +
                     ", got '" + value + "'",
             failure();
    requested.set(key, wanted);
    used[i] = true;
  }
  return success();
}
