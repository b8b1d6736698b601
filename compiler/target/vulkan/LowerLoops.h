// scf.for and scf.while as structured loops of SPIR-V.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_LOWERLOOPS_H
#define FOVEA_COMPILER_TARGET_VULKAN_LOWERLOOPS_H

#include "mlir/IR/PatternMatch.h"

namespace fovea::vulkan {

/// In place of MLIR's patterns for these two, for three reasons. Theirs gives undefined values for a loop that does not
/// run (MLIR 22); the body of theirs is the continue construct, where lavapipe 22 runs a loop within a loop wrongly;
/// and what theirs computes before the condition of a scf.while may be used behind the loop, where drivers give all
/// lanes that of the last round.
void populateLoopPatterns(mlir::RewritePatternSet &patterns);

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_LOWERLOOPS_H
