#include "compiler/lowering/Attention.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/lowering/Matching.h"
#include "compiler/lowering/Matmul.h"
#include "compiler/lowering/Weights.h"

using namespace fovea::lowering;

bool fovea::lowering::takeRequested(mlir::DictionaryAttr requested, llvm::StringRef name, int64_t least, int64_t most,
                                    int64_t step, int64_t &value, std::string &reason) {
  auto attribute = requested ? requested.getAs<mlir::IntegerAttr>(name) : mlir::IntegerAttr();
  if (!attribute)
    return true;
  value = attribute.getInt();
  if (value >= least && value <= most && value % step == 0)
    return true;
  reason = ("expected " + name + (step > 1 ? " as a multiple of " + llvm::Twine(step) : "") + " from " +
            llvm::Twine(least) + " to " + llvm::Twine(most) + ", got " + llvm::Twine(value))
               .str();
  return false;
}

int64_t fovea::lowering::windowsOf(mlir::Value tensor, mlir::Attribute layout, int64_t windowBytes) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
  if (!type.hasStaticShape())
    return 1;
  return std::max<int64_t>(1, (packedBytes(type, layout) + windowBytes - 1) / windowBytes);
}

bool fovea::lowering::needsWindows(const KernelView &kernel, llvm::ArrayRef<mlir::Attribute> layouts,
                                   int64_t windowBytes) {
  return llvm::any_of(llvm::zip(kernel.tensors(), layouts),
                      [&](auto pair) { return windowsOf(std::get<0>(pair), std::get<1>(pair), windowBytes) > 1; });
}

namespace {
struct Registry {
  std::vector<std::unique_ptr<KernelLowering>> owned;
  std::vector<const KernelLowering *> all;
  std::vector<std::string> taken;

  void add(std::unique_ptr<KernelLowering> lowering) {
    all.push_back(lowering.get());
    owned.push_back(std::move(lowering));
  }
  Registry() {
    add(createMatmulLowering());
    add(createMatmulCooperativeLowering());
    add(createMatmulWorkgroupLowering());
    add(createMatmulThreadsLowering());
    add(createAttentionLowering());
    add(createAttentionThreadsLowering());
    add(createAttentionWorkgroupLowering());
    add(createAttentionGeneralLowering());
    add(createMatchingLowering());
    add(createMatchingThreadsLowering());
    add(createTopKLowering());
    add(createScatterLowering());
    add(createLinearAttentionLowering());
    add(createCausalConvLowering());
    add(createCacheAppendLowering());
    add(createPagedAppendLowering());
    add(createPagedAttentionLowering());
    add(createLoopsLowering());
  }
};
} // namespace

/// Fovea's own first, then those of plugins.
static Registry &registry() {
  static Registry registry;
  return registry;
}

void fovea::lowering::registerKernelLowering(std::unique_ptr<KernelLowering> lowering) {
  Registry &r = registry();
  if (llvm::any_of(r.all, [&](const KernelLowering *other) { return other->name() == lowering->name(); }))
    r.taken.push_back(lowering->name().str());
  else
    r.add(std::move(lowering));
}

llvm::ArrayRef<std::string> fovea::lowering::takenLoweringNames() { return registry().taken; }

llvm::ArrayRef<const KernelLowering *> fovea::lowering::kernelLowerings() { return registry().all; }
