#include "compiler/target/vulkan/Figures.h"
#include "compiler/target/vulkan/Divergence.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

#include <algorithm>
#include <vector>

using namespace mlir;
using namespace fovea::vulkan;

unsigned Figures::groupsOfUnit() const {
  unsigned groups = std::min(GpuUnit::kGroups, GpuUnit::kInvocations / std::max(1u, groupSize));
  groups = std::min(groups, GpuUnit::kRegisters / std::max(1u, registers * groupSize));
  return sharedBytes ? std::min(groups, GpuUnit::kSharedBytes / sharedBytes) : groups;
}

double Figures::occupancy() const { return static_cast<double>(groupsOfUnit()) * groupSize / GpuUnit::kInvocations; }

void Figures::add(const Figures &part, int64_t times) {
  flops += part.flops * times, bufferBytes += part.bufferBytes * times, sharedTraffic += part.sharedTraffic * times;
}

/// 32-bit words of a value in registers: none for constants, pointers and buffers.
static unsigned wordsOf(Value value) {
  Type type = value.getType();
  if (Operation *op = value.getDefiningOp(); op && op->hasTrait<OpTrait::ConstantLike>())
    return 0;
  unsigned count = 1;
  if (auto vector = dyn_cast<VectorType>(type))
    count = vector.getNumElements(), type = vector.getElementType();
  if (!type.isIntOrFloat())
    return 0;
  return count * ((type.getIntOrFloatBitWidth() + 31) / 32);
}

static int64_t flopsOf(Operation *op) {
  if (op->getNumResults() != 1 || !isa<FloatType>(getElementTypeOrSelf(op->getResult(0).getType())))
    return 0;
  auto vector = dyn_cast<VectorType>(op->getResult(0).getType());
  int64_t lanes = vector ? vector.getNumElements() : 1;
  if (isa<math::FmaOp>(op))
    return 2 * lanes;
  bool computes = isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::MaximumFOp, arith::MinimumFOp,
                      arith::MaxNumFOp, arith::MinNumFOp>(op) ||
                  isa<math::MathDialect>(op->getDialect());
  return computes ? lanes : 0;
}

namespace {
/// The words that live at each point of a function, with its operations in one order.
class Registers {
public:
  explicit Registers(spirv::FuncOp function) {
    number(function.getBody());
    changes.resize(last + 2);
    function.walk([&](Operation *op) {
      for (Value result : op->getResults())
        add(result);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            add(argument);
    });
  }
  unsigned most() const {
    int64_t now = 0, most = 0;
    for (int64_t change : changes)
      most = std::max(most, now += change);
    return most;
  }

private:
  void number(Region &region) {
    for (Operation &op : region.getOps()) {
      begin[&op] = ++last;
      for (Region &inner : op.getRegions())
        number(inner);
      end[&op] = ++last;
    }
  }
  void add(Value value) {
    unsigned words = wordsOf(value);
    if (words == 0)
      return;
    unsigned from = value.getDefiningOp() ? end[value.getDefiningOp()]
                                          : begin.lookup(cast<BlockArgument>(value).getOwner()->getParentOp());
    unsigned to = from;
    Region *home = value.getParentRegion();
    for (Operation *user : value.getUsers()) {
      to = std::max(to, begin[user]);
      // A loop reads in each trip what comes from outside of it.
      for (Operation *outer = user->getParentOp(); outer && outer->getParentRegion() && outer != home->getParentOp();
           outer = outer->getParentOp())
        if (isa<LoopLikeOpInterface>(outer))
          to = std::max(to, end[outer]);
    }
    changes[from] += words, changes[to] -= words;
  }

  DenseMap<Operation *, unsigned> begin, end;
  unsigned last = 0;
  std::vector<int64_t> changes;
};
} // namespace

/// What runs in one trip of a loop, or once: the operations in a region, those of inner branches too, and those of
/// inner loops as often as they are known to run.
static Figures inRegion(Region &region, const Divergence &divergence, unsigned groupSize) {
  Figures figures;
  for (Operation &op : region.getOps()) {
    auto loop = dyn_cast<scf::ForOp>(op);
    std::optional<APInt> trips = loop ? loop.getStaticTripCount() : std::nullopt;
    for (Region &inner : op.getRegions())
      figures.add(inRegion(inner, divergence, groupSize), trips ? trips->getSExtValue() : 1);
    figures.flops += flopsOf(&op) * groupSize;
    Value pointer, moved;
    if (auto load = dyn_cast<spirv::LoadOp>(op))
      pointer = load.getPtr(), moved = load.getValue();
    else if (auto store = dyn_cast<spirv::StoreOp>(op))
      pointer = store.getPtr(), moved = store.getValue();
    else
      continue;
    auto space = cast<spirv::PointerType>(pointer.getType()).getStorageClass();
    int64_t bytes = 4 * wordsOf(moved) * (divergence.contains(pointer) ? groupSize : 1);
    if (space == spirv::StorageClass::StorageBuffer)
      figures.bufferBytes += bytes;
    else if (space == spirv::StorageClass::Workgroup)
      figures.sharedTraffic += bytes;
  }
  return figures;
}

/// The loop whose trips `figuresOf` counts, of those that an innermost one is in.
static LoopLikeOpInterface hottest(LoopLikeOpInterface innermost) {
  for (LoopLikeOpInterface loop = innermost; loop; loop = loop->getParentOfType<LoopLikeOpInterface>()) {
    bool meet = false;
    loop->walk([&](spirv::ControlBarrierOp) { meet = true; });
    if (meet)
      return loop;
  }
  return innermost;
}

/// Bytes of the elements of an array in workgroup memory.
static unsigned bytesOf(Type type) {
  if (auto array = dyn_cast<spirv::ArrayType>(type))
    return array.getNumElements() * bytesOf(array.getElementType());
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * bytesOf(vector.getElementType());
  if (auto structure = dyn_cast<spirv::StructType>(type)) {
    unsigned sum = 0;
    for (Type member : structure.getElementTypes())
      sum += bytesOf(member);
    return sum;
  }
  return type.isIntOrFloat() ? (type.getIntOrFloatBitWidth() + 7) / 8 : 0;
}

Figures fovea::vulkan::figuresOf(spirv::ModuleOp module, unsigned groupSize) {
  auto function = *module.getOps<spirv::FuncOp>().begin();
  Divergence divergence(function);
  Figures figures = inRegion(function.getBody(), divergence, groupSize);
  int64_t most = -1;
  function.walk([&](LoopLikeOpInterface loop) {
    bool isInnermost = true;
    loop->walk([&](LoopLikeOpInterface inner) { isInnermost &= inner == loop; });
    if (!isInnermost)
      return;
    Figures trip;
    for (Region &region : hottest(loop)->getRegions())
      trip.add(inRegion(region, divergence, groupSize));
    if (trip.flops > most)
      most = trip.flops, figures = trip;
  });
  figures.groupSize = groupSize;
  figures.registers = Registers(function).most();
  for (auto variable : module.getOps<spirv::GlobalVariableOp>())
    if (auto pointer = dyn_cast<spirv::PointerType>(variable.getType());
        pointer && pointer.getStorageClass() == spirv::StorageClass::Workgroup)
      figures.sharedBytes += bytesOf(pointer.getPointeeType());
  return figures;
}
