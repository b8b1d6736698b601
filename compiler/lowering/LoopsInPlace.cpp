// Whether a nest may write its results over one of its inputs.
//
// At each point of a nest all values are computed before any of them is stored, and no point is visited twice (tails
// are masked). So an element that is read only at the point that writes its place may be overwritten. Rows that are
// reduced are read whole before the first of their elements is written, and one task does all of a row.
#include "compiler/lowering/LoopsTree.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

namespace {
class Reads {
public:
  Reads(const KernelLoops &loops, const Nest &nest, BlockArgument init, BlockArgument input)
      : loops(loops), nest(nest), init(init), input(input) {}
  bool areInPlace();

private:
  bool visit(Ref ref, const Node *row);
  bool isOwnRow(const Form &read, const Node &row) const;

  const KernelLoops &loops;
  const Nest &nest;
  BlockArgument init, input;
  bool inRow = false; ///< the input was seen in a row
};
} // namespace

/// True if the row's loops read at `read` just the elements that the nest writes with the same values of its other
/// counters.
bool Reads::isOwnRow(const Form &read, const Node &row) const {
  if (nest.outputs.size() != 1 || nest.scan >= 0)
    return false;
  const Form &written = nest.outputs.front().place;
  auto isFixed = [&](unsigned v) {
    return llvm::any_of(row.index, [&](const Form &form) { return form.dependsOn(v); });
  };
  SmallVector<unsigned> along;
  Form rest = written;
  for (unsigned v : nest.loops)
    if (!isFixed(v) && !loops.sizes[v].isConstant(1)) {
      along.push_back(v);
      rest.coefficients.erase(v);
    }
  Form lead = read;
  SmallVector<unsigned> own;
  for (unsigned v : row.loops)
    if (!loops.sizes[v].isConstant(1)) {
      own.push_back(v);
      lead.coefficients.erase(v);
    }
  if (own.size() != along.size() || !(lead == rest))
    return false;
  return llvm::all_of(llvm::zip(own, along), [&](auto pair) {
    auto [r, w] = pair;
    return loops.sizes[r] == loops.sizes[w] && read.coefficient(r) == written.coefficient(w);
  });
}

/// `row`: whose loops are around.
bool Reads::visit(Ref ref, const Node *row) {
  if (!ref.node)
    return true;
  const Node &node = *ref.node;
  if (node.kind == Node::leaf && node.buffer == input) {
    if (row)
      return inRow = true, isOwnRow(node.address, *row);
    return llvm::any_of(nest.outputs,
                        [&](const Output &output) { return output.init == init && output.place == node.address; });
  }
  if (node.kind == Node::broadcast && node.buffer == input)
    return false;
  // Of softmax and normalisations only the first child is inside of the loops.
  bool onlyFirst = node.kind == Node::softmax || node.kind == Node::norm;
  for (auto [i, child] : llvm::enumerate(node.children))
    if (!visit(child, node.hasLoops() && (i == 0 || !onlyFirst) ? &node : row))
      return false;
  return true;
}

bool Reads::areInPlace() {
  SmallVector<Ref> roots;
  for (const Output &output : nest.outputs)
    roots.push_back(output.value);
  if (!llvm::all_of(roots, [&](Ref root) { return visit(root, nullptr); }))
    return false;
  if (!inRow)
    return true;
  // With rows in rows, statistics may be computed again for each element.
  unsigned rows = 0;
  walkNodes(roots, [&](Node &node) { rows += node.hasLoops(); });
  return rows == 1;
}

bool fovea::lowering::mayWriteOver(const KernelLoops &loops, BlockArgument init, BlockArgument input) {
  const Nest *reader = nullptr;
  bool written = false;
  for (const Nest &nest : loops.nests) {
    SmallVector<Ref> roots;
    for (const Output &output : nest.outputs)
      roots.push_back(output.value);
    bool reads = false;
    walkNodes(roots, [&](Node &node) {
      reads |= (node.kind == Node::leaf || node.kind == Node::broadcast) && node.buffer == input;
    });
    // Read in one stage, and not after an earlier one wrote.
    if (reads && (reader || written))
      return false;
    if (reads)
      reader = &nest;
    written |= llvm::any_of(nest.outputs, [&](const Output &output) { return output.init == init; });
  }
  return reader && Reads(loops, *reader, init, input).areInPlace();
}
