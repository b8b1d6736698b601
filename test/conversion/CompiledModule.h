// Compiles a module of functions in memory and calls them: for tests of what code computes.
#ifndef FOVEA_TEST_CONVERSION_COMPILEDMODULE_H
#define FOVEA_TEST_CONVERSION_COMPILEDMODULE_H

#include "compiler/lowering/Machine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

#include <string>
#include <vector>

namespace fovea::test {

/// A context with all that Fovea's phases use, loaded; one a process.
mlir::MLIRContext &context();

/// Machine code of functions of arith, math, scf, vector and llvm operations.
class CompiledModule {
public:
  /// Takes the functions of `module` (changed on the way) for `machine`; aborts the test program with a message if that
  /// fails.
  CompiledModule(mlir::ModuleOp module, const std::vector<std::string> &functions, const lowering::Machine &machine);
  CompiledModule(const CompiledModule &) = delete;
  ~CompiledModule();
  template <typename Function> Function *function(unsigned i) const {
    return reinterpret_cast<Function *>(const_cast<void *>(table[i]));
  }
  const std::string &llvmText() const { return text; }

private:
  void *handle = nullptr;
  const void *const *table = nullptr;
  std::string text;
};

} // namespace fovea::test

#endif // FOVEA_TEST_CONVERSION_COMPILEDMODULE_H
