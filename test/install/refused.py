"""Wrong plugins get one line that says what is wrong, and exit code 1: from fovea-compile and, as far as MLIR's loader lets it, from fovea-opt."""
import os
from installed import Installed, expect

# What FOVEA_PLUGIN makes, as far as C can say it.
PLAIN = """
#include <stdint.h>
struct info { uint32_t abi; const char *name, *fovea, *llvm; void (*dialects)(void *); void (*extensions)(void); };
static void dialects(void *registry) {}
static void extensions(void) {}
const struct info *foveaPluginInfo(void) {
  static const struct info info = {ABI, "wrong", FOVEA, LLVM, dialects, extensions};
  return &info;
}
"""
# The real macro with another version.
REAL = """
#include "compiler/pipeline/Plugin.h"
#undef FOVEA_COMPILER_VERSION
#define FOVEA_COMPILER_VERSION "0.0.1"
static void dialects(mlir::DialectRegistry &) {}
static void extensions() {}
FOVEA_PLUGIN("old", dialects, extensions)
"""
# A lowering that takes the name of one of Fovea's.
TAKEN = """
#include "compiler/lowering/Lowering.h"
#include "compiler/pipeline/Plugin.h"
using namespace fovea::lowering;
struct Mine : KernelLowering {
  llvm::StringRef name() const override { return "loops"; }
  mlir::FailureOr<Schedule> plan(const KernelView &, const Machine &, mlir::DictionaryAttr, std::string &) const override { return mlir::failure(); }
  mlir::FailureOr<llvm::SmallVector<Stage>> emit(fovea::exec::KernelDefOp, const Machine &, mlir::ModuleOp) const override { return mlir::failure(); }
};
static void dialects(mlir::DialectRegistry &) {}
static void extensions() { registerKernelLowering(std::make_unique<Mine>()); }
FOVEA_PLUGIN("taken", dialects, extensions)
"""
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(wrong LANGUAGES C CXX)
find_package(Fovea REQUIRED)
fovea_add_plugin(old old.cpp)
fovea_add_plugin(taken taken.cpp)
message(STATUS "LLVM is ${LLVM_PACKAGE_VERSION}, Fovea is ${Fovea_VERSION}")
"""
MODEL = """
func.func @main(%x: tensor<4xf32> {exec.name = "x"}) -> (tensor<4xf32> {exec.name = "y"}) {
  return %x : tensor<4xf32>
}
"""

with Installed() as t:
    def write(name, text):
        with open(os.path.join(t.work, name), "w") as file:
            file.write(text)

    write("old.cpp", REAL), write("taken.cpp", TAKEN), write("CMakeLists.txt", PROJECT), write("model.mlir", MODEL)
    write("plain.c", PLAIN), write("nothing.c", "int nothing;\n"), write("lacking.c", "void f(void); void *foveaPluginInfo(void) { f(); return 0; }\n")
    write("text.so", "not a library\n" * 99)
    said = t.run(t.args.cmake, "-G", "Ninja", "-S", ".", "-B", "build", f"-DCMAKE_C_COMPILER={t.args.cc}", f"-DCMAKE_CXX_COMPILER={t.args.cxx}", f"-DCMAKE_PREFIX_PATH={t.prefix}")
    llvm, fovea = said.split("LLVM is ")[1].split(",")[0], said.split("Fovea is ")[1].split()[0]
    t.run(t.args.cmake, "--build", "build")

    def library(name, source, **macros):
        t.run(t.args.cc, "-shared", "-fPIC", "-o", name, source, *[f"-D{key}={value}" for key, value in macros.items()])

    def refused(name, *what):
        said = t.tool("fovea-compile", "model.mlir", f"--plugin={name}", code=1)
        expect(said.count("\n") == 1 and said.startswith("fovea-compile: error: --plugin: cannot load"), f"one line of error, got {said!r}")
        for part in what:
            expect(part in said, f"'{part}', got {said!r}")

    quoted = lambda text: f'"{text}"'
    library("abi.so", "plain.c", ABI=0, FOVEA=quoted(fovea), LLVM=quoted(llvm))
    library("llvm.so", "plain.c", ABI=1, FOVEA=quoted(fovea), LLVM=quoted("21.1.0"))
    library("fine.so", "plain.c", ABI=1, FOVEA=quoted(fovea), LLVM=quoted(llvm))
    library("nothing.so", "nothing.c"), library("lacking.so", "lacking.c")
    refused("abi.so", "plugin ABI 0, this is 1")
    refused("llvm.so", "LLVM and MLIR 21.1.0", llvm)
    refused("build/old.so", "Fovea 0.0.1", fovea)
    refused("build/taken.so", "there is a kernel lowering \"loops\" already")
    refused("nothing.so", "it is no plugin: it has no function foveaPluginInfo")
    refused("lacking.so", "undefined symbol: f")
    refused("text.so", "invalid ELF header")
    refused("missing.so", "there is no such file")
    t.tool("fovea-compile", "model.mlir", "--plugin=fine.so", "-o", "model.fovea")
    for flag in ("--load-pass-plugin", "--load-dialect-plugin"):
        said = t.tool("fovea-opt", "model.mlir", f"{flag}=build/old.so", code=1)
        expect(said == f"error: the plugin does not fit: it was made for Fovea 0.0.1, this is {fovea}; build it again\n", f"one line, got {said!r}")
    said = t.tool("fovea-opt", "model.mlir", "--load-pass-plugin=build/taken.so", code=1)
    expect(said == "error: the plugin does not fit: there is a kernel lowering \"loops\" already; its own needs another name\n", f"one line, got {said!r}")
    # Passes that no plugin brings, and lowerings that nobody has.
    expect("is no pipeline of passes" in t.tool("fovea-compile", "model.mlir", "--insert=after:fuse=no-such-pass", code=1), "an error")
    expect("expected [OP=][-]NAME with one of" in t.tool("fovea-compile", "model.mlir", "--lowering=linalg.matmul=-none", code=1), "an error")
