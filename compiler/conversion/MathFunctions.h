// Formulas of mathematical functions. Arguments are f32 or f64, scalars or vectors; what is said to be f64 is computed
// there for f32 too.
#ifndef FOVEA_COMPILER_CONVERSION_MATHFUNCTIONS_H
#define FOVEA_COMPILER_CONVERSION_MATHFUNCTIONS_H

#include "compiler/conversion/MathBuilder.h"

namespace fovea {

// MathExponential.cpp
Num expandExp(Num x);
Num expandExp2(Num x);
Num expandExpm1(Num x); ///< f64
Num expandSigmoid(Num x);
Num expandSilu(Num x);
Num expandTanh(Num x);
Num expandSinh(Num x); ///< f64
Num expandCosh(Num x); ///< f64
/// 2^(high + low), |low| far below |high|; f64.
Num expandExp2OfSum(Num high, Num low);

// MathError.cpp
Num expandErf(Num x);
Num expandErfc(Num x); ///< f64
Num expandGeluErf(Num x);
Num expandGeluTanh(Num x);

// MathLogarithm.cpp
Num expandLog(Num x);
Num expandLog2(Num x);                    ///< f64
Num expandLog10(Num x);                   ///< f64
Num expandLog1p(Num x);                   ///< f64
Num expandPow(Num x, Num y, bool single); ///< f64; `single`: the result is rounded to f32, so that 40 bits are enough

// MathTrigonometry.cpp
enum class Circular { sin, cos, tan };
Num expandCircular(Circular function, Num x); ///< f64
Num expandAtan(Num x);                        ///< f64
Num expandAtan2(Num y, Num x);                ///< f64
Num expandAsin(Num x);                        ///< f64
Num expandAcos(Num x);                        ///< f64

// MathRounding.cpp
enum class Rounding { floor, ceil, trunc, even, away };
Num expandRounding(Rounding mode, Num x);
Num expandRemainder(Num x, Num y);
/// f64 to f32, an inexact result with an odd last bit: rounding it once more, to f16 or bf16, is as rounding once.
Num toSingleOdd(Num x);
Num expandExtendBF16(Num x, mlir::Type to);
Num expandTruncateBF16(Num x, mlir::Type to);
Num expandExtendF16(Num x, mlir::Type to);
Num expandTruncateF16(Num x, mlir::Type to);

} // namespace fovea

#endif // FOVEA_COMPILER_CONVERSION_MATHFUNCTIONS_H
