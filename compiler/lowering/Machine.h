// What the CPU target knows of the machine it generates code for. Every tile size is derived from these figures.
#ifndef FOVEA_COMPILER_LOWERING_MACHINE_H
#define FOVEA_COMPILER_LOWERING_MACHINE_H

#include "mlir/Support/LLVM.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace fovea::lowering {

struct Machine {
  std::string name;                  ///< what the user asked for: "native", "x86-64-v3"
  std::string llvmCpu;               ///< -mcpu
  std::vector<std::string> features; ///< that code may use, LLVM's names without '+'
  int64_t vectorBits = 256;
  int64_t vectorRegisters = 16;
  int64_t l1Bytes = 32 << 10, l2Bytes = 1 << 20, l3Bytes = 16 << 20; ///< data caches that one core sees

  /// Kernels are to become shaders: a task is as little as can be, an invocation does one of them, in single lanes.
  bool shaders = false;
  /// With `shaders`: the device is a CPU. Registers and caches are what it has; memory of a workgroup is memory, too.
  bool deviceIsCpu = false;
  /// With `shaders`: what a binding can hold; larger tensors are bound in parts. Every device takes that much.
  int64_t bindingBytes = 128 << 20;
  /// With `shaders`: the invocations of a subgroup, where code may depend on it; 0: any.
  int64_t subgroupSize = 0;
  /// With `shaders`: subgroups make products of f16 with sums of f32, m x k times k x n; 0: they do not.
  struct {
    int64_t m = 0, n = 0, k = 0;
  } cooperativeMatrix;

  int64_t lanes(int64_t elementBits) const { return std::max<int64_t>(1, vectorBits / elementBits); }
  bool has(llvm::StringRef feature) const;
  std::string featureString() const; ///< "+avx2,+fma,..."

  /// This computer, or one of x86-64, x86-64-v2, -v3, -v4 or a CPU that LLVM knows; fails with a message for any other
  /// name. `native` reads the cache sizes from the system. Behind the name figures may be given:
  /// `x86-64-v3:l1=48K:l2=2M:l3=32M`.
  static mlir::FailureOr<Machine> named(llvm::StringRef name, std::string *error = nullptr);
  /// Devices that run SPIR-V, by variant: `portable` (the minimum profile), `cpu`, or `cooperative-MxNxK-S` (subgroups
  /// of S); `cooperative` alone is the one that most GPUs offer. Fails with a message for any other.
  static mlir::FailureOr<Machine> ofShaders(llvm::StringRef variant, std::string *error = nullptr);
  /// The same by the name of the machine, which schedules and programs have: "vulkan", "vulkan-cpu", ...
  static mlir::FailureOr<Machine> ofTarget(llvm::StringRef name, std::string *error = nullptr);
  std::string variant() const;
  /// The larger, the more a device has to offer beyond the minimum profile.
  int demands() const { return cooperativeMatrix.m ? 2 : deviceIsCpu ? 1 : 0; }
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_MACHINE_H
