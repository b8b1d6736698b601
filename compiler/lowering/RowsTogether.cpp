// Long rows on machines that run shaders: a workgroup does a row together. Each invocation goes over every so many-th
// element of a reduction, the parts are joined in shared memory, and so every invocation knows the statistics; then
// each computes its own elements of the row.
#include "compiler/lowering/LoopsCode.h"

#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static constexpr int64_t kGroup = 64;
/// More rows than that do well with an invocation each.
static constexpr double kMostRows = 1024;

/// Whether parts of what the loops of the node reduce can be joined.
static bool canJoin(const Node &node) {
  Type type = computedType(node.element);
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() < 32)
    return false;
  TypedAttr neutral;
  return node.kind != Node::reduce || combinerOf(*cast<linalg::LinalgOp>(node.op).getBlock(), neutral);
}

bool fovea::lowering::suitsWorkgroups(KernelLoops &loops, Nest &nest, const NestShape &shape, int64_t least) {
  if (nest.scan >= 0 || shape.lane >= 0)
    return false;
  double rows = 1;
  for (unsigned v : shape.outer)
    rows *= static_cast<double>(loops.sizes[v].getConstant().value_or(128));
  bool any = false, all = rows <= kMostRows;
  SmallVector<Ref> roots;
  for (Output &output : nest.outputs)
    roots.push_back(output.value);
  walkNodes(roots, [&](Node &node) {
    // Of parts only the run knows which one an invocation computes.
    all &= node.kind != Node::part;
    if (!node.hasLoops())
      return;
    any = true;
    all &= canJoin(node);
    auto size = loops.sizes[laneOfReduction(loops, node)].getConstant();
    all &= !size || *size >= least; // what only the run knows may be long
    for (unsigned v : dependencies(node))
      all &= !llvm::is_contained(shape.inner, v) &&
             llvm::none_of(loops.nodes, [&](Node &other) { return llvm::is_contained(other.loops, v); });
  });
  return any && all;
}

void NestCode::formWorkgroup() {
  if (!workgroups || !suitsWorkgroups(loops, nest, shape, kLeastOfWorkgroup))
    return;
  code = std::make_unique<KernelCode>(b, loc, machine);
  group = std::make_unique<Workgroup>(frame, *code, kGroup, /*valueWords=*/2);
}

Values NestCode::spread(unsigned counter, ValueRange state, llvm::function_ref<Values(Value, ValueRange)> body) {
  together = false;
  Values after =
      frame.loop(group->lane(), sizeOf(counter), group->size, state, [&](Value i, ValueRange s) { return body(i, s); });
  together = true;
  return after;
}

Values NestCode::join(ValueRange parts, Combine combine) {
  return group->reduce(parts, [&](ValueRange x, ValueRange y) {
    Values joined;
    for (unsigned i = 0; i < x.size(); ++i)
      joined.push_back(combine(i, x[i], y[i]));
    return joined;
  });
}
