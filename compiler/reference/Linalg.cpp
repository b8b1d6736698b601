// All of linalg's structured operations by their maps and bodies; products have a loop of their own.
#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace fovea::reference;

namespace {
/// An operand and how its place depends on the loops: base + sum of steps[d] * loop[d].
struct Access {
  TensorRef tensor; ///< null for a scalar
  Element scalar;   ///< the value of a scalar
  int64_t base = 0;
  SmallVector<int64_t> steps;
  AffineMap map; ///< used as it is if it is not linear
  bool linear = true;

  int64_t at(ArrayRef<int64_t> loop) const {
    if (linear)
      return base + offsetOf(loop, steps);
    int64_t offset = 0;
    for (auto [expr, size] : llvm::zip(map.getResults(), tensor->shape)) {
      int64_t i = evaluate(expr, loop);
      if (i < 0 || i >= size)
        fault("an indexing map leaves its operand");
      offset = offset * size + i;
    }
    return offset;
  }

  static int64_t evaluate(AffineExpr expr, ArrayRef<int64_t> loop) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return constant.getValue();
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return loop[dim.getPosition()];
    auto both = cast<AffineBinaryOpExpr>(expr);
    int64_t a = evaluate(both.getLHS(), loop), b = evaluate(both.getRHS(), loop);
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      return a + b;
    case AffineExprKind::Mul:
      return a * b;
    case AffineExprKind::FloorDiv:
      return llvm::divideFloorSigned(a, b);
    case AffineExprKind::CeilDiv:
      return llvm::divideCeilSigned(a, b);
    case AffineExprKind::Mod:
      return llvm::mod(a, b);
    default:
      fault("an indexing map has symbols");
    }
  }
};
} // namespace

static bool isLinear(AffineExpr expr) {
  bool linear = true;
  expr.walk([&](AffineExpr e) {
    linear &= e.getKind() != AffineExprKind::FloorDiv && e.getKind() != AffineExprKind::CeilDiv &&
              e.getKind() != AffineExprKind::Mod;
  });
  return linear;
}

static Access makeAccess(Evaluator &evaluator, OpOperand &operand, AffineMap map, ArrayRef<int64_t> loops) {
  Access access;
  access.steps.assign(loops.size(), 0);
  access.map = map;
  if (!isa<TensorType>(operand.get().getType())) {
    access.scalar = evaluator.scalar(operand.get());
    return access;
  }
  access.tensor = evaluator.tensor(operand.get());
  SmallVector<int64_t> origin(loops.size(), 0), strides = access.tensor->strides();
  for (auto [d, expr] : llvm::enumerate(map.getResults())) {
    access.linear &= isLinear(expr);
    int64_t first = Access::evaluate(expr, origin), low = first, high = first;
    access.base += first * strides[d];
    for (size_t l = 0; l < loops.size(); ++l) {
      SmallVector<int64_t> unit = origin;
      unit[l] = 1;
      int64_t step = Access::evaluate(expr, unit) - first;
      access.steps[l] += step * strides[d];
      (step < 0 ? low : high) += step * std::max<int64_t>(loops[l] - 1, 0);
    }
    bool empty = llvm::is_contained(loops, 0);
    if (access.linear && !empty && (low < 0 || high >= access.tensor->shape[d]))
      fault("dim " + Twine(d) + " of an operand has " + Twine(access.tensor->shape[d]) + " elements, the loops read " +
            Twine(low) + " to " + Twine(high));
  }
  return access;
}

/// The size of each loop, from the operands that it is a dim of; they must agree.
static SmallVector<int64_t> loopSizes(Evaluator &evaluator, linalg::LinalgOp op) {
  SmallVector<int64_t> sizes(op.getNumLoops(), -1);
  for (auto [operand, map] : llvm::zip(op->getOpOperands(), op.getIndexingMapsArray())) {
    if (!isa<TensorType>(operand.get().getType()))
      continue;
    TensorRef tensor = evaluator.tensor(operand.get());
    for (auto [d, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        int64_t &size = sizes[dim.getPosition()], own = tensor->shape[d];
        if (size >= 0 && size != own)
          fault("operands disagree on the size of loop " + Twine(dim.getPosition()) + ": " + Twine(size) + " and " +
                Twine(own));
        size = own;
      }
  }
  if (llvm::is_contained(sizes, -1))
    fault("no operand gives the size of a loop");
  return sizes;
}

//===-- Products ===//

/// out += a * b, in any order of operands.
static bool isProduct(Block &body) {
  if (body.getNumArguments() != 3 || !llvm::hasNItems(body, 3))
    return false;
  Operation *multiply = &body.front(), *add = multiply->getNextNode();
  auto takes = [](Operation *op, Value a, Value b) {
    return (op->getOperand(0) == a && op->getOperand(1) == b) || (op->getOperand(0) == b && op->getOperand(1) == a);
  };
  return isa<arith::MulFOp>(multiply) && isa<arith::AddFOp>(add) &&
         takes(multiply, body.getArgument(0), body.getArgument(1)) &&
         takes(add, body.getArgument(2), multiply->getResult(0)) &&
         body.getTerminator()->getOperand(0) == add->getResult(0);
}

static void multiply(ArrayRef<int64_t> loops, const Access &a, const Access &b, const Access &o, Tensor &out) {
  // The innermost loop is one that runs along the rows of the output, if there is one.
  unsigned inner = loops.size() - 1;
  for (unsigned d = 0; d < loops.size(); ++d)
    if (o.steps[d] == 1 && loops[d] > 1)
      inner = d;
  SmallVector<int64_t> outer(loops);
  outer[inner] = std::min<int64_t>(loops[inner], 1);
  int64_t sa = a.steps[inner], sb = b.steps[inner], so = o.steps[inner], n = loops[inner];
  forEachIndex(outer, [&](ArrayRef<int64_t> at) {
    const Element *pa = a.tensor->data.data() + a.at(at), *pb = b.tensor->data.data() + b.at(at);
    Element *po = out.data.data() + o.at(at);
    if (sa == 0 && sb == 1 && so == 1)
      for (int64_t i = 0; i < n; ++i)
        po[i].f += pa->f * pb[i].f;
    else
      for (int64_t i = 0; i < n; ++i)
        po[i * so].f += pa[i * sa].f * pb[i * sb].f;
  });
}

//===-- All of them ===//

static void evaluateStructured(Evaluator &evaluator, Operation *operation) {
  auto op = dyn_cast<linalg::LinalgOp>(operation);
  if (!op)
    fault("the reference evaluator does not know this operation");
  SmallVector<int64_t> loops = loopSizes(evaluator, op);
  SmallVector<Access> accesses;
  for (auto [operand, map] : llvm::zip(op->getOpOperands(), op.getIndexingMapsArray()))
    accesses.push_back(makeAccess(evaluator, operand, map, loops));
  unsigned inputs = op.getNumDpsInputs(), outputs = op.getNumDpsInits();
  std::vector<Tensor> results;
  for (unsigned i = 0; i < outputs; ++i)
    results.push_back(*accesses[inputs + i].tensor);
  Block &body = *op.getBlock();
  if (inputs == 2 && outputs == 1 && isProduct(body) && accesses[0].tensor && accesses[1].tensor && !loops.empty() &&
      llvm::all_of(accesses, [](const Access &a) { return a.linear; })) {
    multiply(loops, accesses[0], accesses[1], accesses[2], results[0]);
  } else {
    ScalarProgram program(evaluator, body);
    Frame &frame = program.frame();
    SmallVector<int64_t> places(outputs);
    bool takesInits = body.getNumArguments() == inputs + outputs;
    forEachIndex(loops, [&](ArrayRef<int64_t> at) {
      for (unsigned i = 0; i < inputs; ++i)
        frame.slots[i] = accesses[i].tensor ? accesses[i].tensor->data[accesses[i].at(at)] : accesses[i].scalar;
      for (unsigned i = 0; i < outputs; ++i) {
        places[i] = accesses[inputs + i].at(at);
        if (takesInits)
          frame.slots[inputs + i] = results[i].data[places[i]];
      }
      frame.loop = at;
      program.run();
      for (unsigned i = 0; i < outputs; ++i)
        results[i].data[places[i]] = frame.slots[program.results()[i]];
    });
  }
  for (unsigned i = 0; i < outputs; ++i) {
    results[i].round();
    evaluator.set(operation->getResult(i), std::move(results[i]));
  }
}

static RegisterOpFunctions functions{{"linalg", evaluateStructured}};
