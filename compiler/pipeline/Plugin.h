// Plugins: shared libraries that add passes, dialects, kernel lowerings and reference functions.
//
// One library serves fovea-compile --plugin=LIB.so and fovea-opt --load-pass-plugin=LIB.so
// --load-dialect-plugin=LIB.so. It links libFoveaCompiler, the same one as the tools: dialects and passes are known by
// addresses in it. Example: examples/pass-plugin.
#ifndef FOVEA_COMPILER_PIPELINE_PLUGIN_H
#define FOVEA_COMPILER_PIPELINE_PLUGIN_H

#include "compiler/pipeline/Version.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Config/llvm-config.h"

#include <string>

/// Of struct PluginInfo.
#define FOVEA_PLUGIN_ABI 1

namespace fovea {

/// What a plugin says of itself, by the function `foveaPluginInfo`. Plain data, so that a plugin made for another
/// version can be read far enough to refuse it.
struct PluginInfo {
  uint32_t abi; ///< FOVEA_PLUGIN_ABI
  const char *name;
  const char *foveaVersion, *llvmVersion; ///< of the headers that it was built with
  void (*registerDialects)(mlir::DialectRegistry &registry);
  /// Passes, kernel lowerings and reference functions; called once.
  void (*registerExtensions)();
};

/// Why a plugin does not fit this library, in one line; empty if it does.
std::string checkPlugin(const PluginInfo &info);

/// Loads libraries, checks each, calls its registerExtensions and registers its dialects; false, with one line in
/// `error`, at the first that does not fit. They stay loaded.
bool loadPlugins(llvm::ArrayRef<std::string> paths, mlir::DialectRegistry &registry, std::string &error);

/// For tools that know MLIR's plugins only: end the process with exit code 1 and one line if the plugin does not fit.
void registerPassPlugin(const PluginInfo &info);
void registerDialectPlugin(const PluginInfo &info, mlir::DialectRegistry &registry);

} // namespace fovea

/// The entry points of a plugin; to be used once, at the top level of a source file. `dialects` is called with a
/// DialectRegistry &, `extensions` without arguments.
#define FOVEA_PLUGIN(pluginName, dialects, extensions)                                                                 \
  extern "C" __attribute__((visibility("default"))) const fovea::PluginInfo *foveaPluginInfo() {                       \
    static const fovea::PluginInfo info{FOVEA_PLUGIN_ABI,    pluginName, FOVEA_COMPILER_VERSION,                       \
                                        LLVM_VERSION_STRING, dialects,   extensions};                                  \
    return &info;                                                                                                      \
  }                                                                                                                    \
  extern "C" __attribute__((visibility("default"))) mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {              \
    return {MLIR_PLUGIN_API_VERSION, pluginName, FOVEA_COMPILER_VERSION,                                               \
            [] { fovea::registerPassPlugin(*foveaPluginInfo()); }};                                                    \
  }                                                                                                                    \
  extern "C" __attribute__((visibility("default"))) mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {        \
    return {MLIR_PLUGIN_API_VERSION, pluginName, FOVEA_COMPILER_VERSION,                                               \
            [](mlir::DialectRegistry *registry) { fovea::registerDialectPlugin(*foveaPluginInfo(), *registry); }};     \
  }

#endif // FOVEA_COMPILER_PIPELINE_PLUGIN_H
