// Code of one loop nest.
#ifndef FOVEA_COMPILER_LOWERING_LOOPSCODE_H
#define FOVEA_COMPILER_LOWERING_LOOPSCODE_H

#include "compiler/lowering/Body.h"
#include "compiler/lowering/LoopsShape.h"
#include "compiler/lowering/Workgroup.h"
#include "dialects/attn/Attn.h"

#include <map>
#include <memory>

namespace fovea::lowering {

/// Where in the loops an expression is evaluated: one element, or `lanes` of them along a counter.
struct Point {
  int64_t lanes = 0;
  int64_t lane = -1;
  mlir::Value mask;                     ///< vector of i1: lanes that exist; null: all
  mlir::Value guard;                    ///< i1: whether there is an element at all; null: yes
  std::map<unsigned, mlir::Value> base; ///< counters; the lanes' one at the first lane
  /// Values that have been computed here.
  std::shared_ptr<std::map<Node *, llvm::SmallVector<mlir::Value>>> done =
      std::make_shared<std::map<Node *, llvm::SmallVector<mlir::Value>>>();
  Point at(unsigned counter, mlir::Value value) const;
};

using Values = llvm::SmallVector<mlir::Value>;

/// Whether a workgroup can do each row of a nest together and the rows are few, and at least `least` elements long, or
/// of a length that only the run knows: some drivers end loops after 65535 rounds (Mesa before 23), without a word.
bool suitsWorkgroups(KernelLoops &loops, Nest &nest, const NestShape &shape, int64_t least);
/// Shorter rows do well with an invocation each; on devices that are CPUs, where invocations do not share their work,
/// all do that can be.
inline constexpr int64_t kLeastOfWorkgroup = 256, kLeastOfWorkgroupOnCpu = 1 << 14;

class NestCode {
public:
  /// `workgroups`: rows that suit them are done by workgroups.
  NestCode(StageFrame &frame, KernelLoops &loops, Nest &nest, const NestShape &shape, const Machine &machine,
           bool workgroups)
      : frame(frame), b(frame.builder()), loc(frame.loc()), loops(loops), nest(nest), shape(shape), machine(machine),
        workgroups(workgroups) {}
  /// Writes the stage's function body.
  void emit();
  /// How many tasks there are.
  data::DimExpr outerTasks() const;

private:
  // LoopsCode.cpp: the loops
  void emitTask(Point point);
  void emitInner(Point point, llvm::ArrayRef<unsigned> counters);
  void emitLanes(const Point &point, mlir::Value from, mlir::Value to, std::optional<int64_t> count, int64_t unroll,
                 llvm::function_ref<void(llvm::MutableArrayRef<Point>)> body);
  void emitScan(Point point);
  void emitOutputs(llvm::MutableArrayRef<Point> points);
  void checkBroadcasts();
  mlir::Value sizeOf(unsigned counter) { return frame.size(loops.sizes[counter]); }
  void prepare(const Point &point);

  // LoopsTranspose.cpp
  void emitTransposed(const Point &point);
  void emitTile(const Point &point, mlir::Value leftAcross, mlir::Value leftAlong);

  // LoopsValues.cpp: values of nodes, all of computedType
  Values evaluate(Ref ref, llvm::MutableArrayRef<Point> points);
  mlir::Value evaluate(Ref ref, Point &point) { return evaluate(ref, llvm::MutableArrayRef(&point, 1)).front(); }
  mlir::Value placeOf(const Form &form, const Point &point);
  mlir::Value indexOf(const Form &form, const Point &point);
  mlir::Value loadAt(Node &node, Point &point);
  mlir::Value loadBroadcast(Node &node, Point &point);
  mlir::Value load(mlir::Type element, mlir::Value base, mlir::Value place, mlir::Value laneOffsets, int64_t step,
                   const Point &point);
  void storeAt(mlir::Value value, const Output &output, const Point &point);
  Values emitBodyAt(Node &node, Values arguments, const Point &point);
  mlir::Value evaluatePart(Node &node, Point &point);
  Values evaluateRotate(Node &node, Point &point);
  mlir::Value binary(llvm::StringRef op, mlir::Value x, mlir::Value y);
  mlir::Value lanes(mlir::Value v, const Point &point) { return broadcastLanes(frame, v, point.lanes); }
  mlir::Value zeroOf(mlir::Type type);
  mlir::Value laneNumbers(int64_t lanes, mlir::Type element);
  mlir::Value maskFor(int64_t lanes, mlir::Value left);

  // RowsReduce.cpp: loops inside of expressions
  using Step = llvm::function_ref<Values(Point &, Values)>;
  using Combine = llvm::function_ref<mlir::Value(unsigned, mlir::Value, mlir::Value)>;
  /// Runs `step` over all values of `counters`; the state starts as `start`. With a `combine` and a scalar point, in
  /// vectors along `lane`, and the parts are combined.
  Values over(llvm::ArrayRef<unsigned> counters, int64_t lane, int64_t width, Point &point, Values start,
              Combine combine, Step step);
  Values overLanes(unsigned counter, int64_t width, Point point, Values state, unsigned groups, Step step);
  mlir::Value horizontal(mlir::Value v, unsigned i, Combine combine);
  std::vector<Values> reduce(Node &node, llvm::MutableArrayRef<Point> points);
  // RowsTogether.cpp
  void formWorkgroup();
  /// Runs `body` for the values of a counter, each in one of the invocations; to be called where `together` is set.
  Values spread(unsigned counter, mlir::ValueRange state,
                llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);
  Values join(mlir::ValueRange parts, Combine combine);
  // RowsNormalize.cpp
  Values statistics(Node &node, Point &point);
  Values softmaxStatistics(Node &node, Point &point, llvm::function_ref<void(mlir::Value, Point &)> keep = {});
  mlir::Value guarded(attn::SoftmaxOp op, mlir::Value y);
  Values normStatistics(Node &node, Point &point);
  mlir::Value evaluateRow(Node &node, Point &point);
  bool emitSoftmaxInPlace(Point &point);
  mlir::Value exponential(mlir::Value difference);

  StageFrame &frame;
  mlir::OpBuilder &b;
  mlir::Location loc;
  KernelLoops &loops;
  Nest &nest;
  const NestShape &shape;
  const Machine &machine;
  const bool workgroups;
  std::map<Node *, Values> known; ///< statistics of the row at hand
  std::unique_ptr<KernelCode> code;
  std::unique_ptr<Workgroup> group; ///< of the invocations that do a task together; null: one does it
  bool together = false;            ///< at present all of them do the same
};

/// The operation that joins the accumulator of a reduction with what an iteration adds, if that is all its body does
/// with it, and its neutral element; else null.
mlir::Operation *combinerOf(mlir::Block &body, mlir::TypedAttr &neutral);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_LOOPSCODE_H
