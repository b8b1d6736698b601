// f16 and bf16 as types of C++, converted by LLVM's arithmetic: rounded to nearest, ties to even.
#pragma once

#include "llvm/ADT/APFloat.h"

#include <cstdint>

namespace fovea::test {

template <const llvm::fltSemantics &(*semantics)()> struct Half {
  uint16_t bits = 0;

  Half() = default;
  Half(double value) {
    llvm::APFloat number(value);
    bool lost;
    number.convert(semantics(), llvm::APFloat::rmNearestTiesToEven, &lost);
    bits = static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
  }
  operator double() const {
    llvm::APFloat number(semantics(), llvm::APInt(16, bits));
    bool lost;
    number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
    return number.convertToDouble();
  }
};

using F16 = Half<llvm::APFloat::IEEEhalf>;
using BF16 = Half<llvm::APFloat::BFloat>;

/// What rounding a number near 1 may change.
template <typename T> constexpr double kRounding = 0;
template <> inline constexpr double kRounding<F16> = 0x1p-11;
template <> inline constexpr double kRounding<BF16> = 0x1p-8;

} // namespace fovea::test
