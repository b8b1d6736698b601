#!/usr/bin/env python3
"""Makes skeletons in the current folder: source, registration and lit tests, all of which build and pass as they are.

    new.py project NAME    a plugin without passes and operations: NAME.so, dialect NAME
    new.py pass NAME       a pass, NAME in kebab-case with the plugin's name in front: mine-check-heads
    new.py op NAME         an elementwise operation, NAME in snake_case: softsign becomes mine.softsign
"""
import argparse, os, re, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ABOVE = "new.py adds above."

PROJECT = {
    "CMakeLists.txt": """\
# cmake -S . -B build -DCMAKE_PREFIX_PATH=PREFIX && cmake --build build && ctest --test-dir build
cmake_minimum_required(VERSION 3.25)
project(@plugin LANGUAGES C CXX)
find_package(Fovea REQUIRED)

fovea_add_dialect(@plugin_tablegen Ops.td @plugin)
fovea_add_plugin(@plugin
  Plugin.cpp
  Dialect.cpp
  # new.py adds above.
)
add_dependencies(@plugin @plugin_tablegen)
# MLIR's headers cost more than the sources.
target_precompile_headers(@plugin PRIVATE <dialects/attn/Attn.h> <mlir/Dialect/Linalg/IR/Linalg.h> <mlir/Pass/Pass.h>)

enable_testing()
fovea_add_plugin_tests(@plugin test)
""",
    "Plugin.cpp": """\
// The entry points, and all that this plugin adds.
#include "Dialect.h"
#include "Passes.h"

#include "compiler/pipeline/Plugin.h"

static void registerDialects(mlir::DialectRegistry &registry) { registry.insert<@plugin::@PluginDialect>(); }

static void registerExtensions() {
  // new.py adds above.
}

FOVEA_PLUGIN("@plugin", registerDialects, registerExtensions)
""",
    "Passes.h": """\
// What this plugin registers; see Plugin.cpp.
#ifndef @PLUGIN_PASSES_H
#define @PLUGIN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace @plugin {
// new.py adds above.
} // namespace @plugin

#endif // @PLUGIN_PASSES_H
""",
    "Ops.td": """\
// The @plugin dialect.
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/data/Interfaces.td"

def @Plugin_Dialect : Dialect {
  let name = "@plugin";
  let cppNamespace = "::@plugin";
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}
""",
    "Dialect.h": """\
// The @plugin dialect; Ops.td describes its operations.
#ifndef @PLUGIN_DIALECT_H
#define @PLUGIN_DIALECT_H

#include "dialects/data/Structured.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "Dialect.h.inc"
#define GET_OP_CLASSES
#include "Ops.h.inc"

#endif // @PLUGIN_DIALECT_H
""",
    "Dialect.cpp": """\
#include "Dialect.h"

using namespace @plugin;

#include "Dialect.cpp.inc"
#define GET_OP_CLASSES
#include "Ops.cpp.inc"

void @PluginDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "Ops.cpp.inc"
      >();
}
""",
}

PASS = {
    "@Name.cpp": """\
// What the pass does, why, and what it leaves alone.
#include "Passes.h"

#include "dialects/attn/Attn.h"

using namespace mlir;
using fovea::attn::AttentionOp;

namespace {
/// What is to be done to one operation.
struct Plan {
  AttentionOp op;
};
} // namespace

/// Decides, and changes nothing. Each refusal is a remark, which fovea-compile --explain shows.
static FailureOr<Plan> analyze(AttentionOp op) {
  op.emitRemark("@name does nothing yet");
  return failure();
}

/// Changes, and decides nothing.
static void rewrite(Plan &plan) {}

namespace {
struct @NamePass : PassWrapper<@NamePass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(@NamePass)
  StringRef getArgument() const override { return "@name"; }
  StringRef getDescription() const override { return "what the pass does, in a clause"; }
  void runOnOperation() override {
    getOperation()->walk([](AttentionOp op) {
      if (FailureOr<Plan> plan = analyze(op); succeeded(plan))
        rewrite(*plan);
    });
  }
};
} // namespace

std::unique_ptr<Pass> @plugin::create@Name() { return std::make_unique<@NamePass>(); }
""",
    "test/@name.mlir": """\
// RUN: fovea-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(@name)' --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @attention
// CHECK: attn.attention
func.func @attention(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  // expected-remark @below {{@name does nothing yet}}
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}
""",
}

OP_TD = """
def @NameOp : Op<@Plugin_Dialect, "@name", [Pure, DestinationStyleOpInterface, DeclareOpInterfaceMethods<StructuredOpInterface>]> {
  let summary = "in a clause";
  let description = "The formula: `result = source * source`.";
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`ins` `(` $source `:` type($source) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}
"""

OP = {
    "@Name.cpp": """\
// @plugin.@name: what the compiler has to know of it, and what it means.
#include "Dialect.h"
#include "Passes.h"

#include "compiler/reference/Evaluator.h"

using namespace mlir;
using namespace @plugin;

LogicalResult @NameOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (getSource().getType() != type || getInit().getType() != type || !isa<FloatType>(type.getElementType()))
    return emitOpError("expected source, init and result to have one type of floats, got ")
           << getSource().getType() << ", " << getInit().getType() << " and " << type;
  return success();
}

// For tiling and fusion: the loops, and where each operand is read or written in them.
SmallVector<utils::IteratorType> @NameOp::getLoops() {
  return SmallVector<utils::IteratorType>(cast<RankedTensorType>(getResult().getType()).getRank(),
                                          utils::IteratorType::parallel);
}

SmallVector<AffineMap> @NameOp::getAccesses() {
  return SmallVector<AffineMap>(2, AffineMap::getMultiDimIdentityMap(getLoops().size(), getContext()));
}

// For the target: one element. `elements` are those of the source and of the init.
SmallVector<Value> @NameOp::buildBody(OpBuilder &b, Location loc, ValueRange elements) {
  return {arith::MulFOp::create(b, loc, elements[0], elements[0])};
}

/// The meaning, in double precision: what --check compares with.
static void evaluate(fovea::reference::Evaluator &evaluator, Operation *op) {
  fovea::reference::Tensor result = *evaluator.tensor(op->getOperand(0));
  for (fovea::reference::Element &e : result.data)
    e.f = e.f * e.f;
  result.round();
  evaluator.set(op->getResult(0), std::move(result));
}

void @plugin::register@NameReference() { fovea::reference::RegisterOpFunctions{{"@plugin.@name", evaluate}}; }
""",
    "test/@name.mlir": """\
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check

func.func @main(%x: tensor<?x7xf32> {exec.name = "x", exec.dims = ["rows", 7]}) -> (tensor<?x7xf32> {exec.name = "y", exec.dims = ["rows", 7]}) {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x7xf32>
  %empty = tensor.empty(%rows) : tensor<?x7xf32>
  %y = @plugin.@name ins(%x : tensor<?x7xf32>) outs(%empty : tensor<?x7xf32>) -> tensor<?x7xf32>
  return %y : tensor<?x7xf32>
}
""",
    "test/@name-invalid.mlir": """\
// RUN: fovea-opt %s --load-dialect-plugin=%plugin --verify-diagnostics

func.func @types(%x: tensor<4xf32>, %init: tensor<4xf64>) -> tensor<4xf64> {
  // expected-error @below {{expected source, init and result to have one type of floats, got 'tensor<4xf32>', 'tensor<4xf64>' and 'tensor<4xf64>'}}
  %y = @plugin.@name ins(%x : tensor<4xf32>) outs(%init : tensor<4xf64>) -> tensor<4xf64>
  return %y : tensor<4xf64>
}
""",
}


def camel(name):
    return "".join(part.capitalize() for part in re.split("[-_]", name))


def fill(text, plugin, name=""):
    for key, value in (("@plugin", plugin), ("@Plugin", camel(plugin)), ("@PLUGIN", plugin.upper()), ("@name", name), ("@Name", camel(name))):
        text = text.replace(key, value)
    return text


def write(files, plugin, name=""):
    files = {fill(path, plugin, name): fill(text, plugin, name) for path, text in files.items()}
    for path in files:
        if os.path.exists(path):
            sys.exit(f"new.py: error: {path} is there already")
    for path, text in files.items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        print("made   ", path)


def add(path, line):
    """Puts a line in front of the one that says where."""
    with open(path) as file:
        lines = file.readlines()
    for i, found in enumerate(lines):
        if ABOVE in found:
            lines.insert(i, found[: len(found) - len(found.lstrip())] + line + "\n")
            with open(path, "w") as file:
                file.writelines(lines)
            print("changed", path)
            return
    sys.exit(f"new.py: error: {path} has no line with '{ABOVE}'; put it where lines are to be added")


def plugin_here():
    try:
        found = re.search(r"fovea_add_plugin\((\w+)", open("CMakeLists.txt").read())
    except OSError:
        found = None
    if not found:
        sys.exit("new.py: error: there is no plugin in this folder; new.py project NAME makes one")
    return found.group(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["project", "pass", "op"])
    parser.add_argument("name")
    a = parser.parse_args()
    if not re.fullmatch({"pass": "[a-z][a-z0-9]*(-[a-z0-9]+)*"}.get(a.kind, "[a-z][a-z0-9]*(_[a-z0-9]+)*"), a.name):
        sys.exit(f"new.py: error: expected a name in {'kebab-case' if a.kind == 'pass' else 'snake_case'}, got '{a.name}'")
    if a.kind == "project":
        return write({**PROJECT, "test/lit.cfg.py": open(os.path.join(HERE, "test/lit.cfg.py")).read()}, a.name)
    plugin, name = plugin_here(), camel(a.name)
    write(PASS if a.kind == "pass" else OP, plugin, a.name)
    add("CMakeLists.txt", f"{name}.cpp")
    if a.kind == "pass":
        add("Passes.h", f"std::unique_ptr<mlir::Pass> create{name}();")
        add("Plugin.cpp", f"mlir::registerPass({plugin}::create{name});")
    else:
        with open("Ops.td", "a") as file:
            file.write(fill(OP_TD, plugin, a.name))
        print("changed Ops.td")
        add("Passes.h", f"void register{name}Reference();")
        add("Plugin.cpp", f"{plugin}::register{name}Reference();")


main()
