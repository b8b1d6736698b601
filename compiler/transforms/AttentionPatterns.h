// Simplifications of attn.attention itself, whether it was raised or the model named it.
#ifndef FOVEA_COMPILER_TRANSFORMS_ATTENTIONPATTERNS_H
#define FOVEA_COMPILER_TRANSFORMS_ATTENTIONPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace fovea::attention {

/// A factor at the start of the score region becomes the scale; keys and values whose heads were repeated are read as
/// they were before, captures without added dims of size 1.
void populateSimplifications(mlir::RewritePatternSet &patterns);

} // namespace fovea::attention

#endif // FOVEA_COMPILER_TRANSFORMS_ATTENTIONPATTERNS_H
