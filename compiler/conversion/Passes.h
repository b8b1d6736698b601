// Passes that replace operations by others of lower dialects.
#ifndef FOVEA_COMPILER_CONVERSION_PASSES_H
#define FOVEA_COMPILER_CONVERSION_PASSES_H

#include <memory>

namespace mlir {
class Pass;
}

namespace fovea {

/// expand-math: math functions and attn's scalar ones become arithmetic, on scalars and vectors of f32 and f64; f16 and
/// bf16 are storage and go through f32. Ensures: no operation is left that LLVM would turn into a call of libm or of
/// the compiler's support library, given `expandRounding` for machines without SSE4.1 (floor and its kin have no
/// instruction there) and `expandHalf` for those without F16C. Leaves alone: what LLVM has instructions for (sqrt,
/// fabs, copysign, ...), operations on other types. Example: `fovea-opt --expand-math` on `%1 = math.tanh %0 :
/// vector<8xf32>`.
std::unique_ptr<mlir::Pass> createExpandMathPass(bool expandRounding = false, bool expandHalf = false);

void registerConversionPasses();

} // namespace fovea

#endif // FOVEA_COMPILER_CONVERSION_PASSES_H
