// The order of a nest's loops: which are merged, which is vectorised, which run inside of a task.
#ifndef FOVEA_COMPILER_LOWERING_LOOPSSHAPE_H
#define FOVEA_COMPILER_LOWERING_LOOPSSHAPE_H

#include "compiler/lowering/LoopsTree.h"

namespace fovea::lowering {

struct NestShape {
  llvm::SmallVector<unsigned>
      outer; ///< a task is one of their values (times one block of the lanes' loop if that is not inside)
  llvm::SmallVector<unsigned> inner; ///< run inside of a task, after the statistics of its row have been computed
  int64_t lane = -1;                 ///< the vectorised counter; -1: one element at a time, vectors only in reductions
  bool laneInside = false;           ///< the lanes' loop is the innermost of `inner`; else around them
  int64_t across = -1; ///< a counter along which inputs are contiguous while outputs are along `lane`: tiles are
                       ///< transposed in registers
  int64_t lanes = 1;   ///< elements of a vector
  int64_t unroll = 1;  ///< vectors at a time
  int64_t block =
      0; ///< elements of the lanes' loop (of `across`, if there is one) that make a task, if it is not inside; 0: all
  double nanoseconds = 0; ///< predicted, one thread
  int64_t grain = 1;
};

/// Decides, and merges counters of `loops` where that is possible. `lanes` overrides the machine's choice if it is not
/// 0.
NestShape shapeNest(KernelLoops &loops, Nest &nest, const Machine &machine, int64_t lanes);

/// Counters other than the node's own ones on which the results of its loops depend.
llvm::SmallVector<unsigned> dependencies(const Node &node);

/// The counter among a node's own that vectors run along when the node is reduced to a scalar.
unsigned laneOfReduction(const KernelLoops &loops, Node &node);

/// Leaves of elementwise nests that are contiguous along `across` but not along `lane`.
llvm::SmallVector<Node *> transposedLeaves(const Nest &nest, unsigned across, unsigned lane);

/// Lanes for the widest type that occurs.
int64_t lanesOf(llvm::ArrayRef<Ref> roots, const Machine &machine);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_LOOPSSHAPE_H
