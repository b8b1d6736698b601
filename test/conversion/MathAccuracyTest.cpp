// Errors of expanded functions against the C library's long double functions, over all magnitudes, and their special
// values.
#include "compiler/conversion/ExpandMath.h"
#include "test/conversion/CompiledModule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace fovea;

namespace {

using Wide = long double;

struct Function {
  const char *name;
  const char *code; ///< "%y = ... %x ..." with $T for the type
  Wide (*exact)(Wide);
  double ulpSingle, ulpDouble;
  /// Error that is admitted beyond that, as a share of the argument: sums that cancel in a tail, results that pass
  /// through denormal numbers.
  double shareSingle = 0, shareDouble = 0;
};

Wide gelu(Wide x) { return x == -INFINITY ? 0 : x * erfcl(-x / sqrtl(2.0L)) / 2; }
Wide geluTanh(Wide x) {
  if (x == -INFINITY)
    return 0;
  // Through the logistic function, which keeps the digits of the negative tail.
  return x / (1 + expl(-2 * sqrtl(2 / M_PIl) * (x + 0.044715L * x * x * x)));
}
Wide sigmoid(Wide x) { return 1 / (1 + expl(-x)); }
Wide silu(Wide x) { return x == -INFINITY ? 0 : x / (1 + expl(-x)); }
Wide log2Of(Wide x) { return log2l(x); }
Wide square(Wide x) { return x * x; }

const Function functions[] = {
    {"exp", "math.exp %x : $T", expl, 2, 2},
    {"exp2", "math.exp2 %x : $T", exp2l, 2, 2},
    {"expm1", "math.expm1 %x : $T", expm1l, 1, 4},
    {"log", "math.log %x : $T", logl, 2, 2},
    {"log2", "math.log2 %x : $T", log2Of, 1, 3},
    {"log10", "math.log10 %x : $T", log10l, 1, 3},
    {"log1p", "math.log1p %x : $T", log1pl, 1, 4},
    {"tanh", "math.tanh %x : $T", tanhl, 4, 4},
    {"sinh", "math.sinh %x : $T", sinhl, 1, 6},
    {"cosh", "math.cosh %x : $T", coshl, 1, 6},
    {"asinh", "math.asinh %x : $T", asinhl, 1, 6},
    {"acosh", "math.acosh %x : $T", acoshl, 1, 6},
    {"atanh", "math.atanh %x : $T", atanhl, 1, 6},
    {"erf", "math.erf %x : $T", erfl, 4, 4},
    {"erfc", "math.erfc %x : $T", erfcl, 1, 12},
    {"sin", "math.sin %x : $T", sinl, 1, 2},
    {"cos", "math.cos %x : $T", cosl, 1, 2},
    {"tan", "math.tan %x : $T", tanl, 1, 4},
    {"atan", "math.atan %x : $T", atanl, 1, 4},
    {"asin", "math.asin %x : $T", asinl, 1, 6},
    {"acos", "math.acos %x : $T", acosl, 1, 6},
    {"rsqrt", "math.rsqrt %x : $T", [](Wide x) -> Wide { return 1 / sqrtl(x); }, 2, 2},
    {"square", "math.powf %x, %two : $T", square, 1, 1},
    {"sigmoid", "attn.sigmoid %x : $T", sigmoid, 4, 4},
    {"silu", "attn.silu %x : $T", silu, 4, 4, 0x1p-149, 0x1p-1074},
    {"gelu_erf", "\"attn.gelu\"(%x) <{form = #attn.form<erf>}> : ($T) -> $T", gelu, 4, 20, 0x1p-22},
    {"gelu_tanh", "\"attn.gelu\"(%x) <{form = #attn.form<tanh>}> : ($T) -> $T", geluTanh, 4, 1500, 0x1p-22},
    {"floor", "math.floor %x : $T", floorl, 0, 0},
    {"ceil", "math.ceil %x : $T", ceill, 0, 0},
    {"trunc", "math.trunc %x : $T", truncl, 0, 0},
    {"roundeven", "math.roundeven %x : $T", roundevenl, 0, 0},
    {"round", "math.round %x : $T", roundl, 0, 0},
};

constexpr int kLanes = 16;

std::string replaceAll(std::string s, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size())
    s.replace(at, from.size(), to);
  return s;
}

/// Functions (T* x, T* z, T* y) over kLanes values each; `z` is there for operations of two operands.
test::CompiledModule compileAll(const std::vector<std::string> &codes, const std::string &element, const char *cpu) {
  std::string type = "vector<" + std::to_string(kLanes) + "x" + element + ">", text;
  std::vector<std::string> names;
  for (const std::string &code : codes) {
    names.push_back("f" + std::to_string(names.size()));
    text +=
        "func.func @" + names.back() +
        "(%p: !llvm.ptr, %r: !llvm.ptr, %q: !llvm.ptr) {\n  %x = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> " +
        type + "\n  %z = llvm.load %r {alignment = 4 : i64} : !llvm.ptr -> " + type +
        "\n  %two = arith.constant dense<2.0> : " + type + "\n  %y = " + replaceAll(code, "$T", type) +
        "\n  llvm.store %y, %q {alignment = 4 : i64} : " + type + ", !llvm.ptr\n  return\n}\n";
  }
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &test::context());
  EXPECT_TRUE(module);
  return test::CompiledModule(*module, names, *lowering::Machine::named(cpu));
}

template <typename T> Wide unitInLastPlace(Wide exact) {
  T rounded = static_cast<T>(fabsl(exact));
  int exponent;
  if (std::isinf(rounded))
    rounded = std::numeric_limits<T>::max();
  frexpl(std::max<Wide>(rounded, std::numeric_limits<T>::min()), &exponent);
  return ldexpl(1, exponent - std::numeric_limits<T>::digits);
}

template <typename T> Wide errorInUlp(T got, Wide exact) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && std::isnan(got) ? 0 : INFINITY;
  T rounded = static_cast<T>(exact);
  if (got == rounded)
    return std::signbit(got) == std::signbit(rounded) || got != 0 || std::fabs(exact) > 0
               ? fabsl(std::isinf(got) ? 0 : (got - exact) / unitInLastPlace<T>(exact))
               : 0;
  if (std::isinf(got)) // As if the range went on.
    return fabsl((copysignl(ldexpl(1, std::numeric_limits<T>::max_exponent), got) - exact) / unitInLastPlace<T>(exact));
  if (std::isinf(rounded))
    return fabsl((got - copysignl(ldexpl(1, std::numeric_limits<T>::max_exponent), rounded)) /
                 unitInLastPlace<T>(exact));
  return fabsl((got - exact) / unitInLastPlace<T>(exact));
}

template <typename T> std::vector<T> arguments() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> xs = {0,
                       -T(0),
                       1,
                       -1,
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       Limits::min(),
                       -Limits::min(),
                       Limits::denorm_min(),
                       -Limits::denorm_min(),
                       Limits::max(),
                       -Limits::max(),
                       T(0.5),
                       T(-0.5),
                       T(1.5),
                       T(2.5),
                       T(-2.5),
                       T(0x1p23),
                       T(0x1p52)};
  // All bit patterns in even steps: all exponents.
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  Bits step = sizeof(T) == 4 ? Bits(40009) : Bits(0x0001'0000'0000'1235ull);
  for (Bits i = 0, last = 0; i >= last; last = i, i += step) {
    T x;
    std::memcpy(&x, &i, sizeof(T));
    xs.push_back(x);
  }
  // Densely where functions bend.
  std::mt19937_64 random(1);
  for (T range : {T(1e-3), T(1), T(2), T(10), T(100), T(800)}) {
    std::uniform_real_distribution<T> d(-range, range);
    for (int i = 0; i < 30000; ++i)
      xs.push_back(d(random));
  }
  while (xs.size() % kLanes)
    xs.push_back(0);
  return xs;
}

template <typename T> void checkAll(const char *element, const char *cpu) {
  std::vector<std::string> codes;
  for (const Function &f : functions)
    codes.push_back(f.code);
  test::CompiledModule compiled = compileAll(codes, element, cpu);
  std::vector<T> xs = arguments<T>(), ys(xs.size());
  for (size_t f = 0; f < std::size(functions); ++f) {
    const Function &function = functions[f];
    auto *code = compiled.function<void(const T *, const T *, T *)>(f);
    for (size_t i = 0; i < xs.size(); i += kLanes)
      code(&xs[i], &xs[i], &ys[i]);
    Wide worst = 0;
    T where = 0, value = 0;
    for (size_t i = 0; i < xs.size(); ++i) {
      Wide exact = function.exact(xs[i]);
      Wide error = errorInUlp<T>(ys[i], exact);
      if (Wide share = sizeof(T) == 4 ? function.shareSingle : function.shareDouble; share && std::isfinite(error))
        error = std::max<Wide>(0, error - fabsl(xs[i]) * share / unitInLastPlace<T>(exact));
      if (error > worst)
        worst = error, where = xs[i], value = ys[i];
    }
    std::printf("%-10s %s %-10s max %.3Lf ulp at %a\n", cpu, element, function.name, worst, static_cast<double>(where));
    EXPECT_LE(worst, sizeof(T) == 4 ? function.ulpSingle : function.ulpDouble)
        << function.name << " of " << where << " gives " << value << ", not "
        << static_cast<double>(function.exact(where));
  }
}

TEST(MathAccuracy, single) { checkAll<float>("f32", "native"); }
TEST(MathAccuracy, wide) { checkAll<double>("f64", "native"); }
TEST(MathAccuracy, singleOnBaseline) { checkAll<float>("f32", "x86-64"); }
TEST(MathAccuracy, wideOnBaseline) { checkAll<double>("f64", "x86-64"); }

template <typename T> void checkPairs(const char *element, const char *cpu, double powUlp) {
  test::CompiledModule compiled =
      compileAll({"math.powf %x, %z : $T", "arith.remf %x, %z : $T", "math.atan2 %x, %z : $T"}, element, cpu);
  auto *pow = compiled.function<void(const T *, const T *, T *)>(0);
  auto *rem = compiled.function<void(const T *, const T *, T *)>(1);
  auto *atan2 = compiled.function<void(const T *, const T *, T *)>(2);
  std::mt19937_64 random(2);
  using Limits = std::numeric_limits<T>;
  const T specials[] = {0,
                        -T(0),
                        1,
                        -1,
                        2,
                        -2,
                        T(0.5),
                        -T(0.5),
                        3,
                        -3,
                        T(2.5),
                        -T(2.5),
                        T(1e30),
                        -T(1e30),
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        Limits::min(),
                        Limits::denorm_min(),
                        Limits::max()};
  std::vector<T> xs, zs;
  for (T x : specials)
    for (T z : specials)
      xs.push_back(x), zs.push_back(z);
  std::uniform_real_distribution<T> small(-40, 40), exponent(-Limits::max_exponent + 2, Limits::max_exponent - 2),
      one(T(0.5), T(2)), large(-900, 900);
  for (int i = 0; i < 200000; ++i) {
    xs.push_back(i % 3 == 0 ? std::fabs(small(random)) : i % 3 == 1 ? std::exp2(exponent(random)) : one(random));
    zs.push_back(i % 3 == 0 ? small(random) : i % 3 == 1 ? one(random) - 1 : large(random));
  }
  while (xs.size() % kLanes)
    xs.push_back(1), zs.push_back(1);
  std::vector<T> powers(xs.size()), remainders(xs.size()), angles(xs.size());
  for (size_t i = 0; i < xs.size(); i += kLanes)
    pow(&xs[i], &zs[i], &powers[i]), rem(&xs[i], &zs[i], &remainders[i]), atan2(&xs[i], &zs[i], &angles[i]);
  Wide worst = 0, worstAngle = 0;
  size_t at = 0, atAngle = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (Wide error = errorInUlp<T>(powers[i], powl(xs[i], zs[i])); error > worst)
      worst = error, at = i;
    if (Wide error = errorInUlp<T>(angles[i], atan2l(xs[i], zs[i])); error > worstAngle)
      worstAngle = error, atAngle = i;
    T remainder = std::fmod(xs[i], zs[i]);
    ASSERT_TRUE((std::isnan(remainder) && std::isnan(remainders[i])) ||
                (remainder == remainders[i] && std::signbit(remainder) == std::signbit(remainders[i])))
        << xs[i] << " mod " << zs[i] << " gives " << remainders[i] << ", not " << remainder;
  }
  std::printf("%-10s %s pow        max %.3Lf ulp\n%-10s %s atan2      max %.3Lf ulp\n", cpu, element, worst, cpu,
              element, worstAngle);
  EXPECT_LE(worst, powUlp) << xs[at] << " ^ " << zs[at] << " gives " << powers[at];
  EXPECT_LE(worstAngle, 4) << "atan2 of " << xs[atAngle] << ", " << zs[atAngle] << " gives " << angles[atAngle];
}

TEST(MathAccuracy, pairsSingle) { checkPairs<float>("f32", "native", 1), checkPairs<float>("f32", "x86-64", 1); }
TEST(MathAccuracy, pairsWide) { checkPairs<double>("f64", "native", 45), checkPairs<double>("f64", "x86-64", 45); }

TEST(MathAccuracy, exp2OfNonPositive) {
  for (const char *cpu : {"native", "x86-64"}) {
    std::string text = R"(
func.func @f(%p: !llvm.ptr, %q: !llvm.ptr) {
  %x = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
  %y = arith.negf %x : vector<16xf32>
  llvm.store %y, %q {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
  return
})";
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &test::context());
    ASSERT_TRUE(module);
    module->walk([](mlir::arith::NegFOp op) {
      mlir::OpBuilder b(op);
      op.replaceAllUsesWith(emitExp2NonPositive(b, op.getLoc(), op.getOperand()));
      op.erase();
    });
    test::CompiledModule compiled(*module, {"f"}, *lowering::Machine::named(cpu));
    auto *exp2 = compiled.function<void(const float *, float *)>(0);
    float x[16], y[16];
    Wide worst = 0;
    for (int i = 0; i < 126 * 4096; ++i)
      for (int l = 0; l < 16; ++l) {
        x[l] = -(i + l / 16.0f) / 4096;
        if (l < 15)
          continue;
        exp2(x, y);
        for (int k = 0; k < 16; ++k)
          worst = std::max(worst, errorInUlp<float>(y[k], exp2l(x[k])));
      }
    std::printf("%-10s f32 exp2 <= 0  max %.3Lf ulp\n", cpu, worst);
    EXPECT_LE(worst, 3);
    float special[16] = {-INFINITY, NAN, -127, -1000, -0.0f, 0, std::bit_cast<float>(~0u)};
    exp2(special, y);
    EXPECT_EQ(y[0], 0);
    EXPECT_TRUE(std::isnan(y[1]));
    EXPECT_TRUE(std::isnan(y[6]));
    EXPECT_EQ(y[2], 0);
    EXPECT_EQ(y[3], 0);
    EXPECT_EQ(y[4], 1);
    EXPECT_EQ(y[5], 1);
  }
}

TEST(MathAccuracy, bf16) {
  std::string text = R"(
func.func @narrow(%p: !llvm.ptr, %r: !llvm.ptr, %q: !llvm.ptr) {
  %x = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
  %y = arith.truncf %x : vector<16xf32> to vector<16xbf16>
  %z = arith.extf %y : vector<16xbf16> to vector<16xf32>
  llvm.store %z, %q {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
  return
})";
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &test::context());
  ASSERT_TRUE(module);
  test::CompiledModule compiled(*module, {"narrow"}, *lowering::Machine::named("x86-64"));
  float x[16] = {1.0f,   1.00390625f, 1.01171875f, -0.0f, INFINITY, -INFINITY, NAN, 3.4e38f,
                 1e-40f, 1.005f,      2,           3,     4,        5,         6,   7},
        y[16];
  compiled.function<void(const float *, const float *, float *)>(0)(x, x, y);
  EXPECT_EQ(y[1], 1.0f);
  EXPECT_EQ(y[2], 1.015625f);
  EXPECT_TRUE(std::signbit(y[3]));
  EXPECT_EQ(y[4], INFINITY);
  EXPECT_TRUE(std::isnan(y[6]));
  EXPECT_EQ(y[7], INFINITY);
  EXPECT_EQ(y[15], 7.0f);
}

TEST(MathAccuracy, f16) {
  std::string text = R"(
func.func @narrow(%p: !llvm.ptr, %q: !llvm.ptr, %r: !llvm.ptr) {
  %x = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
  %y = arith.truncf %x : vector<16xf32> to vector<16xf16>
  llvm.store %y, %q {alignment = 2 : i64} : vector<16xf16>, !llvm.ptr
  %z = arith.extf %y : vector<16xf16> to vector<16xf32>
  llvm.store %z, %r {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
  return
})";
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &test::context());
  ASSERT_TRUE(module);
  // Without instructions, against those of this machine's compiler.
  test::CompiledModule compiled(*module, {"narrow"}, *lowering::Machine::named("x86-64"));
  auto *narrow = compiled.function<void(const float *, uint16_t *, float *)>(0);
  for (uint64_t i = 0; i < (1ull << 32); i += 16 * 997) {
    float x[16], back[16];
    uint16_t y[16];
    for (int l = 0; l < 16; ++l) {
      uint32_t pattern = i + l * 997;
      std::memcpy(&x[l], &pattern, 4);
    }
    narrow(x, y, back);
    for (int l = 0; l < 16; ++l) {
      _Float16 want = static_cast<_Float16>(x[l]);
      uint16_t wantBits;
      std::memcpy(&wantBits, &want, 2);
      if (std::isnan(x[l])) {
        ASSERT_TRUE(std::isnan(back[l]));
        continue;
      }
      ASSERT_EQ(y[l], wantBits) << x[l];
      ASSERT_EQ(back[l], static_cast<float>(want)) << x[l];
    }
  }
}

} // namespace
