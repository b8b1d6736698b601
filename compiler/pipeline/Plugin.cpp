#include "compiler/pipeline/Plugin.h"
#include "compiler/lowering/Lowering.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <dlfcn.h>

using namespace fovea;

/// Releases of LLVM with the same first two numbers have one ABI.
static llvm::StringRef abiOf(llvm::StringRef llvmVersion) { return llvmVersion.take_front(llvmVersion.rfind('.')); }

std::string fovea::checkPlugin(const PluginInfo &info) {
  auto differs = [](const char *what, llvm::StringRef its, llvm::StringRef ours) {
    return (llvm::Twine("it was made for ") + what + " " + its + ", this is " + ours + "; build it again").str();
  };
  if (info.abi != FOVEA_PLUGIN_ABI)
    return differs("plugin ABI", std::to_string(info.abi), std::to_string(FOVEA_PLUGIN_ABI));
  if (llvm::StringRef(info.foveaVersion) != FOVEA_COMPILER_VERSION)
    return differs("Fovea", info.foveaVersion, FOVEA_COMPILER_VERSION);
  if (abiOf(info.llvmVersion) != abiOf(LLVM_VERSION_STRING))
    return differs("LLVM and MLIR", info.llvmVersion, LLVM_VERSION_STRING);
  if (!info.name || !info.registerDialects || !info.registerExtensions)
    return "its foveaPluginInfo() lacks a name or a function";
  return {};
}

/// What is wrong with what it registers, in one line; empty if nothing is.
static std::string registerExtensionsOf(const PluginInfo &plugin) {
  size_t before = lowering::takenLoweringNames().size();
  plugin.registerExtensions();
  llvm::ArrayRef<std::string> taken = lowering::takenLoweringNames().drop_front(before);
  return taken.empty() ? ""
                       : "there is a kernel lowering \"" + taken.front() + "\" already; its own needs another name";
}

/// Null, with one line in `error`, if it does not fit.
static const PluginInfo *loadPlugin(const std::string &path, std::string &error) {
  auto fail = [&](const llvm::Twine &why) {
    error = ("cannot load \"" + path + "\": " + why).str();
    return nullptr;
  };
  // A name without a folder would be searched for where libraries lie.
  llvm::SmallString<128> absolute(path);
  if (std::error_code code = llvm::sys::fs::make_absolute(absolute))
    return fail(code.message());
  if (!llvm::sys::fs::exists(absolute))
    return fail("there is no such file");
  void *library = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(dlerror());
  auto info = reinterpret_cast<const PluginInfo *(*)()>(dlsym(library, "foveaPluginInfo"));
  if (!info)
    return fail("it is no plugin: it has no function foveaPluginInfo");
  const PluginInfo *found = info();
  if (!found)
    return fail("its foveaPluginInfo() gives nothing");
  if (std::string why = checkPlugin(*found); !why.empty())
    return fail(why);
  if (std::string why = registerExtensionsOf(*found); !why.empty())
    return fail(why);
  return found;
}

bool fovea::loadPlugins(llvm::ArrayRef<std::string> paths, mlir::DialectRegistry &registry, std::string &error) {
  for (const std::string &path : paths) {
    const PluginInfo *plugin = loadPlugin(path, error);
    if (!plugin)
      return false;
    plugin->registerDialects(registry);
  }
  return true;
}

static void require(const std::string &why) {
  if (why.empty())
    return;
  llvm::errs() << "error: the plugin does not fit: " << why << "\n";
  exit(1);
}

void fovea::registerPassPlugin(const PluginInfo &info) {
  require(checkPlugin(info));
  require(registerExtensionsOf(info));
}

void fovea::registerDialectPlugin(const PluginInfo &info, mlir::DialectRegistry &registry) {
  require(checkPlugin(info));
  info.registerDialects(registry);
}
