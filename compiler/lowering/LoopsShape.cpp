#include "compiler/lowering/LoopsShape.h"

#include "compiler/lowering/Body.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

static constexpr double kTypicalSize = 64; // of what is not known

static double typical(const DimExpr &e) {
  double sum = 0;
  for (auto &[monomial, coefficient] : e.getTerms())
    sum += coefficient * std::pow(kTypicalSize, monomial.size());
  return std::max(sum, 0.0);
}

static SmallVector<Ref> rootsOf(const Nest &nest) {
  SmallVector<Ref> roots;
  for (const Output &output : nest.outputs)
    roots.push_back(output.value);
  return roots;
}

SmallVector<unsigned> fovea::lowering::dependencies(const Node &node) {
  SmallVector<unsigned> all;
  for (const Form &form : node.index)
    for (auto &[v, c] : form.coefficients)
      if (!llvm::is_contained(node.loops, v) && !llvm::is_contained(all, v))
        all.push_back(v);
  return all;
}

int64_t fovea::lowering::lanesOf(ArrayRef<Ref> roots, const Machine &machine) {
  int64_t bits = 8;
  auto widen = [&](Type type) {
    if (isa<FloatType>(type))
      bits = std::max<int64_t>(bits, std::max(32u, type.getIntOrFloatBitWidth()));
    else if (type.isInteger())
      bits = std::max<int64_t>(bits, type.getIntOrFloatBitWidth());
  };
  walkNodes(roots, [&](Node &node) {
    if (node.kind != Node::scalar)
      widen(getElementTypeOrSelf(node.element));
    if (node.kind == Node::map || node.kind == Node::reduce)
      for (Operation &op : *cast<linalg::LinalgOp>(node.op).getBlock())
        for (Type type : op.getResultTypes())
          if (isa<FloatType>(type))
            widen(type);
  });
  return std::max<int64_t>(1, machine.vectorBits / bits);
}

//===-- Merging ===//

/// All expressions in the counters that the nest evaluates.
static SmallVector<const Form *> formsOf(Nest &nest) {
  SmallVector<const Form *> forms;
  for (Output &output : nest.outputs)
    forms.push_back(&output.place);
  walkNodes(rootsOf(nest), [&](Node &node) {
    if (node.kind == Node::leaf || node.kind == Node::broadcast)
      forms.push_back(&node.address);
    for (Node::Unknown &u : node.unknown)
      forms.push_back(&u.form);
    for (auto &bounds : node.bounds)
      for (Bound &bound : bounds)
        forms.push_back(&bound.form);
    if (node.kind == Node::map || node.kind == Node::reduce)
      cast<linalg::LinalgOp>(node.op).getBlock()->walk(
          [&](linalg::IndexOp op) { forms.push_back(&node.index[op.getDim()]); });
  });
  return forms;
}

/// Drops counters of size 1 and merges pairs as long as there are any.
static void mergeLoops(KernelLoops &loops, SmallVectorImpl<unsigned> &list, ArrayRef<const Form *> forms,
                       int64_t keep) {
  llvm::erase_if(list, [&](unsigned v) { return loops.sizes[v].isConstant(1) && int64_t(v) != keep; });
  for (bool changed = true; changed;) {
    changed = false;
    for (unsigned outer : list)
      for (unsigned inner : list) {
        if (changed || outer == inner || int64_t(outer) == keep || int64_t(inner) == keep ||
            !canMerge(forms, outer, inner, loops.sizes[inner]))
          continue;
        loops.sizes[inner] = loops.sizes[outer] * loops.sizes[inner];
        loops.sizes[outer] = DimExpr(1);
        llvm::erase(list, outer);
        changed = true;
      }
  }
}

SmallVector<Node *> fovea::lowering::transposedLeaves(const Nest &nest, unsigned across, unsigned lane) {
  SmallVector<Node *> leaves;
  // Only what is evaluated at the nest's own points: not what is below rows or parts.
  std::function<void(Ref)> walk = [&](Ref ref) {
    if (!ref.node || llvm::is_contained(leaves, ref.node))
      return;
    Node &node = *ref.node;
    if (node.kind == Node::map || node.kind == Node::rotate)
      llvm::for_each(node.children, walk);
    DimExpr along = node.address.coefficient(lane);
    if (node.kind == Node::leaf && node.address.coefficient(across).isConstant(1) && !along.isConstant(0) &&
        !along.isConstant(1))
      leaves.push_back(&node);
  };
  for (const Output &output : nest.outputs)
    walk(output.value);
  return leaves;
}

/// Makes tiles of a nest some of whose inputs are contiguous along another counter than its outputs.
static void chooseTiles(const KernelLoops &loops, const Nest &nest, NestShape &shape) {
  int64_t width = std::min<int64_t>(shape.lanes, 16);
  auto isShort = [&](unsigned v) { return loops.sizes[v].getConstant().value_or(64) < 4; };
  if (width < 4 || isShort(shape.lane))
    return;
  for (unsigned v : shape.outer)
    if (!isShort(v) && !transposedLeaves(nest, v, shape.lane).empty())
      shape.across = v;
  if (shape.across < 0)
    return;
  llvm::erase(shape.outer, unsigned(shape.across));
  shape.lanes = shape.block = width;
  shape.unroll = 1;
}

//===-- Lanes ===//

/// How well vectors along `v` suit the accesses: contiguous ones, the same element, gathers.
static double score(const KernelLoops &loops, unsigned v, ArrayRef<Ref> roots, ArrayRef<Output> outputs) {
  double sum = 0;
  walkNodes(roots, [&](Node &node) {
    if (node.kind != Node::leaf && node.kind != Node::broadcast)
      return;
    DimExpr c = node.address.coefficient(v);
    sum += c.isConstant(1) ? 2 : c.isConstant(0) ? 0.5 : -3;
  });
  for (const Output &output : outputs) {
    DimExpr c = output.place.coefficient(v);
    sum += c.isConstant(1) ? 3 : -4;
  }
  if (auto size = loops.sizes[v].getConstant(); size && *size < 8)
    sum -= 3;
  return sum;
}

unsigned fovea::lowering::laneOfReduction(const KernelLoops &loops, Node &node) {
  unsigned best = node.loops.back();
  double bestScore = -1e9;
  for (unsigned v : node.loops)
    if (double s = score(loops, v, node.children, {}); s >= bestScore)
      bestScore = s, best = v;
  return best;
}

/// Roughly, in ns on one core: instructions in vectors, and bytes.
static double cost(const KernelLoops &loops, const Nest &nest, int64_t lanes) {
  double iterations = 1, total = 0;
  for (unsigned v : nest.loops)
    iterations *= typical(loops.sizes[v]);
  for (const Output &output : nest.outputs)
    total += iterations * std::max(1u, output.value.node->element.getIntOrFloatBitWidth() / 8) / 25.0;
  walkNodes(rootsOf(nest), [&](Node &node) {
    double times = node.hasLoops() ? 1 : iterations;
    if (node.hasLoops()) {
      for (unsigned v : node.loops)
        times *= typical(loops.sizes[v]);
      for (unsigned v : dependencies(node))
        times *= typical(loops.sizes[v]);
    }
    double instructions = 1;
    if (node.kind == Node::map || node.kind == Node::reduce)
      for (Operation &op : cast<linalg::LinalgOp>(node.op).getBlock()->without_terminator())
        instructions += isa<math::MathDialect>(op.getDialect()) || isa<attn::AttnDialect>(op.getDialect()) ? 18
                        : isa<data::LookupOp>(op)                                                          ? 8
                                                                                                           : 1;
    else if (node.kind == Node::softmax)
      instructions = 30;
    else if (node.kind == Node::norm)
      instructions = 8;
    total += times * instructions * 0.3 / lanes;
    if (node.kind == Node::leaf) {
      double touched = 1;
      for (auto &[v, c] : node.address.coefficients)
        touched *= typical(loops.sizes[v]);
      total += std::min(touched, times) * std::max(1u, node.element.getIntOrFloatBitWidth() / 8) / 25.0;
    }
  });
  return total;
}

NestShape fovea::lowering::shapeNest(KernelLoops &loops, Nest &nest, const Machine &machine, int64_t lanes) {
  NestShape shape;
  SmallVector<Ref> roots = rootsOf(nest);
  SmallVector<const Form *> forms = formsOf(nest);
  mergeLoops(loops, nest.loops, forms, nest.scan);
  SmallVector<Node *> rows;
  bool rootReduces = false;
  walkNodes(roots, [&](Node &node) {
    if (!node.hasLoops())
      return;
    SmallVector<unsigned> own = node.loops;
    mergeLoops(loops, own, forms, -1);
    if (!own.empty()) // a reduction keeps one loop
      node.loops = own;
    else
      node.loops.resize(1);
    rows.push_back(&node);
  });

  shape.lanes = lanes ? lanes : lanesOf(roots, machine);
  double best = -1e9;
  for (unsigned v : nest.loops)
    if (int64_t(v) != nest.scan)
      if (double s = score(loops, v, roots, nest.outputs); s >= best)
        best = s, shape.lane = v;
  // A reduction of a contiguous dim to scattered results is better off with vectors along that dim.
  for (Node *row : rows) {
    SmallVector<unsigned> on = dependencies(*row);
    bool perElement = llvm::all_of(nest.loops, [&](unsigned v) { return llvm::is_contained(on, v); });
    if (!perElement || row->kind != Node::reduce)
      continue;
    rootReduces = true;
    unsigned along = laneOfReduction(loops, *row);
    double own = shape.lane < 0 ? -1e9 : score(loops, shape.lane, row->children, {});
    if (score(loops, along, row->children, {}) > own)
      shape.lane = -1;
  }
  if (shape.lane < 0 || loops.sizes[shape.lane].isConstant(1))
    shape.lane = -1;

  // Loops over which some row's statistics stay the same run inside of the task.
  for (unsigned v : nest.loops) {
    bool inside = llvm::any_of(rows, [&](Node *row) { return !llvm::is_contained(dependencies(*row), v); });
    if (int64_t(v) == nest.scan)
      inside = true;
    if (int64_t(v) == shape.lane)
      shape.laneInside = inside;
    else
      (inside ? shape.inner : shape.outer).push_back(v);
  }
  if (machine.shaders && shape.lane >= 0) {
    // Neighbours in a workgroup do neighbouring elements.
    (shape.laneInside ? shape.inner : shape.outer).push_back(shape.lane);
    shape.lane = -1, shape.laneInside = false;
  }
  if (shape.lane >= 0) {
    std::optional<int64_t> size = loops.sizes[shape.lane].getConstant();
    if (size && *size < shape.lanes)
      shape.lanes = llvm::PowerOf2Ceil(std::max<int64_t>(*size, 1));
    size_t nodes = loops.nodes.size();
    shape.unroll = nest.scan >= 0 || shape.lanes == 1 ? 1 : rootReduces ? 4 : nodes <= 6 ? 2 : 1;
    if (shape.unroll > 1 && size && *size < shape.unroll * shape.lanes)
      shape.unroll = std::max<int64_t>(1, *size / shape.lanes);
    if (!shape.laneInside) {
      shape.block = rootReduces || !shape.inner.empty() ? shape.unroll * shape.lanes * 4 : 4096;
      if (size && *size <= shape.block)
        shape.block = 0;
    }
  }
  if (rows.empty() && nest.scan < 0 && shape.lane >= 0)
    chooseTiles(loops, nest, shape);
  double perTask = 1;
  for (unsigned v : shape.inner)
    perTask *= typical(loops.sizes[v]);
  if (shape.lane >= 0)
    perTask *= shape.block && shape.across < 0 ? shape.block : typical(loops.sizes[shape.lane]);
  if (shape.across >= 0)
    perTask *= shape.block;
  for (Node *row : rows)
    if (row->kind == Node::reduce && rootReduces)
      for (unsigned v : row->loops)
        perTask *= typical(loops.sizes[v]);
  shape.grain = std::max<int64_t>(1, std::llround(16384 / std::max(perTask, 1.0)));
  shape.nanoseconds = cost(loops, nest, shape.lane >= 0 || rootReduces ? shape.lanes : 1);
  return shape;
}
