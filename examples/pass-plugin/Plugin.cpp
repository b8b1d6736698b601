// The entry points, and all that this plugin adds.
#include "Dialect.h"
#include "Passes.h"

#include "compiler/pipeline/Plugin.h"

static void registerDialects(mlir::DialectRegistry &registry) { registry.insert<sample::SampleDialect>(); }

static void registerExtensions() {
  mlir::registerPass(sample::createRaiseSwiglu);
  mlir::registerPass(sample::createWindowAttention);
  fovea::lowering::registerKernelLowering(sample::createLinearAttentionLowering());
  sample::registerSwigluReference();
  // new.py adds above.
}

FOVEA_PLUGIN("sample", registerDialects, registerExtensions)
