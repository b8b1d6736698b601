// A kernel as nests of loops over expression trees: what the loops lowering analyses before it decides or emits
// anything.
#ifndef FOVEA_COMPILER_LOWERING_LOOPSTREE_H
#define FOVEA_COMPILER_LOWERING_LOOPSTREE_H

#include "compiler/lowering/LoopsForm.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/transforms/View.h"

#include <deque>

namespace fovea::lowering {

struct Node;

/// A value of a tree: one of the results of a node.
struct Ref {
  Node *node = nullptr;
  unsigned result = 0;
};

/// low <= form < high.
struct Bound {
  Form form;
  data::DimExpr low, high;
};

/// How one element of a tensor is computed, at a place that is given in loop counters.
struct Node {
  enum Kind {
    leaf,     ///< an element of an argument's buffer
    scalar,   ///< a scalar value of the kernel
    map,      ///< the body of an elementwise operation on the children
    reduce,   ///< the body of a reduction, over `loops`
    softmax,  ///< children: the source inside of the loop over the axis, the source at the place
    norm,     ///< layer_norm, rms_norm. Children: the source in the loops over the normalised dims, at the place, then
              ///< scale, bias
    rotate,   ///< x1 c1 - x2 s1 and x2 c2 + x1 s2 of children x1, x2, c1, s1, c2, s2
    part,     ///< the first child whose bounds hold; the last one if none does
    broadcast ///< a leaf some of whose sizes may be 1 (data.expand)
  } kind = leaf;
  mlir::Type element;
  mlir::Operation *op = nullptr;
  llvm::SmallVector<Ref> children;
  mlir::BlockArgument buffer; ///< leaf, broadcast
  Form address;               ///< leaf, broadcast: the dims that are known
  mlir::Value value;          ///< scalar
  Forms index;                ///< map, reduce: of the iteration's dims. softmax, norm: of the dims that stay
  llvm::SmallVector<data::DimExpr> extents;           ///< map, reduce: sizes of the iteration's dims
  llvm::SmallVector<unsigned> loops;                  ///< reduce, softmax, norm: own counters
  llvm::SmallVector<llvm::SmallVector<Bound>> bounds; ///< part: of each child
  struct Unknown {
    Form form;
    data::DimExpr stride, size, target;
  };
  llvm::SmallVector<Unknown> unknown; ///< broadcast: dims of which only the run knows whether they are 1
  /// True for nodes with loops of their own; their results (statistics) do not depend on the place along the loops.
  bool hasLoops() const { return !loops.empty(); }
};

/// Where results go: element `place` of the buffer of an init.
struct Output {
  Ref value;
  mlir::BlockArgument init;
  Form place;
};

/// One parallel loop nest, a stage: outputs at all values of the counters `loops`.
struct Nest {
  llvm::SmallVector<unsigned> loops;
  llvm::SmallVector<Output> outputs;
  /// A running sum or product (data.cumsum, data.cumprod) along this counter; -1: none.
  int64_t scan = -1;
  bool reverse = false, exclusive = false, product = false;
};

/// All nests of a kernel, in order. Counters are numbered through the kernel; `sizes` are their ranges.
struct KernelLoops {
  std::deque<Node> nodes;
  llvm::SmallVector<data::DimExpr> sizes;
  llvm::SmallVector<Nest> nests;
};

/// Takes a kernel apart; null, with a clause in `reason`, if it has something that loops cannot do.
std::unique_ptr<KernelLoops> analyzeLoops(const KernelView &kernel, data::DimAnalysis &dims, std::string &reason);

/// Calls `visit` for each node below and at `ref`, children first, each once.
void walkNodes(llvm::ArrayRef<Ref> roots, llvm::function_ref<void(Node &)> visit);

/// True if every element of `input` is read for the last time before an element of `init` is written in its place.
/// To be asked before loops are merged.
bool mayWriteOver(const KernelLoops &loops, mlir::BlockArgument init, mlir::BlockArgument input);

/// Builds trees; part of analyzeLoops.
class TreeBuilder {
public:
  TreeBuilder(KernelLoops &loops, data::DimAnalysis &dims, std::string &reason)
      : loops(loops), dims(dims), reason(reason) {}
  /// The element of `tensor` at `place`, one form a dim. Fails with a reason.
  mlir::FailureOr<Ref> build(mlir::Value tensor, llvm::ArrayRef<Form> place);
  /// From now on this tensor is read from where it has been written, row-major.
  void setWritten(mlir::Value tensor, mlir::BlockArgument init) { written[tensor] = init; }
  unsigned newLoop(const data::DimExpr &size) {
    loops.sizes.push_back(size);
    return loops.sizes.size() - 1;
  }
  mlir::LogicalResult refuse(const llvm::Twine &why) {
    reason = why.str();
    return mlir::failure();
  }
  Node &newNode(Node::Kind kind, mlir::Operation *op, mlir::Type element);
  mlir::FailureOr<Ref> buildRotate(mlir::Operation *op, llvm::ArrayRef<Form> lead, const Form &first,
                                   const Form &second, const Form &table);

private:
  mlir::FailureOr<Ref> leafOf(const View &view, llvm::ArrayRef<Form> place, mlir::Type element);
  mlir::FailureOr<Ref> buildView(mlir::Operation *op, llvm::ArrayRef<Form> place);
  mlir::FailureOr<Ref> buildLinalg(mlir::Operation *op, unsigned result, llvm::ArrayRef<Form> place);
  mlir::FailureOr<Ref> buildRow(mlir::Operation *op, int64_t axis, int64_t axes, llvm::ArrayRef<Form> place);
  mlir::FailureOr<Ref> buildParts(mlir::Operation *op, llvm::ArrayRef<Form> place);
  mlir::FailureOr<Ref> buildExpand(mlir::Operation *op, llvm::ArrayRef<Form> place);
  mlir::FailureOr<Ref> buildScalar(mlir::Value value);
  mlir::LogicalResult addChild(Node &node, mlir::Value tensor, llvm::ArrayRef<Form> place);

  KernelLoops &loops;
  data::DimAnalysis &dims;
  std::string &reason;
  llvm::DenseMap<mlir::Value, mlir::BlockArgument> written;
  struct Known {
    mlir::Value tensor;
    Forms place;
    Ref ref;
  };
  std::vector<Known> known; ///< each tensor is built once for each place
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_LOOPSTREE_H
