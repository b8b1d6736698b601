// The operations of the attn dialect that are no kernels become operations that are; DecomposeMatching.cpp,
// DecomposeMemory.cpp, DecomposePooling.cpp and DecomposePositional.cpp say how, one family each.
#include "compiler/transforms/Decomposition.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;

namespace fovea {
#define GEN_PASS_DEF_DECOMPOSEATTN
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

namespace {
struct DecomposeAttnPass : fovea::impl::DecomposeAttnBase<DecomposeAttnPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (!isa_and_nonnull<attn::AttnDialect>(op->getDialect()))
        return;
      for (auto family : {decomposeMatching, decomposeMemory, decomposePooling, decomposePositional})
        if (family(op))
          return;
    });
  }
};
} // namespace
