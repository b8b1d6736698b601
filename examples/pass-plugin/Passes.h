// What this plugin registers; see Plugin.cpp.
#ifndef SAMPLE_PASSES_H
#define SAMPLE_PASSES_H

#include "compiler/lowering/Lowering.h"

#include "mlir/Pass/Pass.h"

namespace sample {
std::unique_ptr<mlir::Pass> createRaiseSwiglu();
std::unique_ptr<mlir::Pass> createWindowAttention();
std::unique_ptr<fovea::lowering::KernelLowering> createLinearAttentionLowering();
/// The reference function of sample.swiglu.
void registerSwigluReference();
// new.py adds above.
} // namespace sample

#endif // SAMPLE_PASSES_H
