#include "compiler/lowering/Machine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <optional>
#include <unistd.h>

using namespace fovea::lowering;

bool Machine::has(llvm::StringRef feature) const { return llvm::is_contained(features, feature); }

std::string Machine::featureString() const {
  std::vector<std::string> parts;
  for (const std::string &feature : features)
    parts.push_back("+" + feature);
  return llvm::join(parts, ",");
}

/// Vector width and register count from the features.
static void deriveVectors(Machine &machine) {
  if (machine.has("avx512f") && machine.has("avx512vl")) {
    machine.vectorBits = 512, machine.vectorRegisters = 32;
  } else if (machine.has("avx2") && machine.has("fma")) {
    machine.vectorBits = 256, machine.vectorRegisters = 16;
  } else {
    machine.vectorBits = 128, machine.vectorRegisters = 16;
  }
}

static int64_t cacheBytes(int name, int64_t otherwise) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

/// "2M", "48K", "4096" as a number of bytes.
static std::optional<int64_t> parseBytes(llvm::StringRef text) {
  int64_t unit = 1, number;
  if (text.consume_back("K"))
    unit = 1 << 10;
  else if (text.consume_back("M"))
    unit = 1 << 20;
  if (text.getAsInteger(10, number) || number <= 0 || number > (int64_t(1) << 40) / unit)
    return std::nullopt;
  return number * unit;
}

/// ":l1=48K:l2=2M".
static bool applyFigures(Machine &machine, llvm::StringRef figures, std::string *error) {
  llvm::SmallVector<llvm::StringRef> parts;
  figures.split(parts, ':', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [key, value] = part.split('=');
    int64_t *figure = key == "l1"   ? &machine.l1Bytes
                      : key == "l2" ? &machine.l2Bytes
                      : key == "l3" ? &machine.l3Bytes
                                    : nullptr;
    std::optional<int64_t> bytes = parseBytes(value);
    if (!figure || !bytes) {
      if (error)
        *error = "expected l1=, l2= or l3= with a size such as 48K or 2M, got '" + part.str() + "'";
      return false;
    }
    *figure = *bytes;
  }
  return true;
}

static constexpr llvm::StringLiteral kVulkan = "vulkan";

/// "16x16x16-32", with sizes that some device may have.
static bool parseCooperative(llvm::StringRef text, Machine &machine) {
  auto [sizes, subgroup] = text.split('-');
  auto [m, rest] = sizes.split('x');
  auto [n, k] = rest.split('x');
  auto read = [](llvm::StringRef digits, int64_t most, int64_t &size) {
    return !digits.getAsInteger(10, size) && size >= 4 && size <= most && llvm::isPowerOf2_64(size);
  };
  return read(m, 64, machine.cooperativeMatrix.m) && read(n, 64, machine.cooperativeMatrix.n) &&
         read(k, 64, machine.cooperativeMatrix.k) && read(subgroup, 128, machine.subgroupSize);
}

mlir::FailureOr<Machine> Machine::ofShaders(llvm::StringRef variant, std::string *error) {
  Machine machine;
  machine.features = {"fma"};
  machine.vectorBits = 8; // one lane of whatever type
  machine.shaders = true;
  if (variant == "cooperative")
    variant = "cooperative-16x16x16-32";
  machine.name = (kVulkan + (variant == "portable" ? "" : "-" + variant)).str();
  llvm::StringRef sizes = variant;
  if (variant == "cpu") {
    machine.deviceIsCpu = true;
  } else if (variant != "portable" && (!sizes.consume_front("cooperative-") || !parseCooperative(sizes, machine))) {
    if (error)
      *error = "expected portable, cpu, cooperative or cooperative-MxNxK-S with the sizes of a device's matrices and "
               "of its subgroups, got '" +
               variant.str() + "'";
    return mlir::failure();
  }
  return machine;
}

/// "vulkan-cpu" is the variant "cpu", "vulkan" alone is "portable".
static llvm::StringRef variantOf(llvm::StringRef name) {
  return name == kVulkan ? "portable" : name.drop_front(kVulkan.size() + 1);
}

mlir::FailureOr<Machine> Machine::ofTarget(llvm::StringRef name, std::string *error) {
  if (name == kVulkan || name.starts_with((kVulkan + "-").str()))
    return ofShaders(variantOf(name), error);
  if (error)
    *error = "expected a target that is vulkan or one of its variants, got '" + name.str() + "'";
  return mlir::failure();
}

std::string Machine::variant() const { return variantOf(name).str(); }

mlir::FailureOr<Machine> Machine::named(llvm::StringRef description, std::string *error) {
  auto [name, figures] = description.split(':');
  Machine machine;
  machine.name = description.str();
  if (name == "native") {
    machine.llvmCpu = llvm::sys::getHostCPUName().str();
    for (auto &[feature, present] : llvm::sys::getHostCPUFeatures())
      if (present)
        machine.features.push_back(feature.str());
    machine.l1Bytes = cacheBytes(_SC_LEVEL1_DCACHE_SIZE, machine.l1Bytes);
    machine.l2Bytes = cacheBytes(_SC_LEVEL2_CACHE_SIZE, machine.l2Bytes);
    machine.l3Bytes = cacheBytes(_SC_LEVEL3_CACHE_SIZE, machine.l3Bytes);
  } else {
    llvm::SmallVector<llvm::StringRef> features, known;
    llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
    if (!llvm::is_contained(known, name)) {
      if (error)
        *error = "expected a CPU name (native, x86-64, x86-64-v2, x86-64-v3, x86-64-v4 or one that LLVM knows), got '" +
                 name.str() + "'";
      return mlir::failure();
    }
    machine.llvmCpu = name.str();
    llvm::X86::getFeaturesForCPU(name, features);
    for (llvm::StringRef feature : features)
      machine.features.push_back(feature.ltrim('+').str());
  }
  llvm::sort(machine.features);
  deriveVectors(machine);
  if (!applyFigures(machine, figures, error))
    return mlir::failure();
  return machine;
}
