// The fast attention kernel while it is being written; see AttentionCode.cpp.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONCODE_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONCODE_H

#include "compiler/lowering/AttentionScores.h"
#include "compiler/lowering/MicroKernel.h"

namespace fovea::lowering {

/// The workspace, in bytes from its start.
struct AttentionPlaces {
  int64_t queries, maxima, sums, factors, results, turned, tapped, scores, total;
  AttentionPlaces(AttentionForm &form, const AttentionSchedule &s, int64_t lanes) {
    int64_t width = s.vectors * lanes, next = 0;
    auto take = [&](int64_t floats) { return std::exchange(next, next + llvm::alignTo(floats * 4, 64)); };
    queries = take(form.d * width);
    maxima = take(width), sums = take(width), factors = take(width);
    results = take(width * llvm::alignTo(form.e, lanes));
    turned = take(AttentionScores::turnedFloats(form, s.vectors, lanes));
    tapped = take(AttentionScores::tappedFloats(form, s.vectors, lanes));
    scores = take(std::min(form.n.getConstant().value_or(s.exact), s.exact) * width);
    total = next + 64;
  }
};

/// A matrix whose rows are keys.
struct KeyRows {
  mlir::Value origin, stride, step;
};

class AttentionWriter {
public:
  AttentionWriter(StageFrame &frame, KernelCode &c, AttentionForm &form, const AttentionSchedule &schedule)
      : frame(frame), c(c), form(form), s(schedule), lanes(c.machine.lanes(32)), at(form, schedule, lanes),
        f32(c.b.getF32Type()), type(c.vector(f32, lanes)) {}
  void write();
  mlir::Value blocks() { return c.ceilDiv(c.ceilDiv(frame.size(form.m), lanes), s.vectors); }

private:
  mlir::Value holdHead(mlir::Value b, mlir::Value h, mlir::Value held);
  void copyRows(const KeyRows &from, const KeyRows &to, int64_t columns);
  void block(mlir::Value b, mlir::Value h, mlir::Value i0, int64_t vectors);
  void start(AttentionScores &scores, mlir::Value h, int64_t vectors);
  void tapDead(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors);
  void keyBlock(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors, mlir::Value live,
                mlir::Value first, mlir::Value last);
  void visibleBlocks(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors, mlir::Value live);
  void softmax(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors);
  void scoreAgain(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors);
  void finish(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors, mlir::Value live);
  mlir::Value safe(mlir::Value maximum);
  KernelCode::Values products(const AttentionScores::Block &block, int64_t vectors, bool wantMaxima);
  KernelCode::Values combined(const AttentionScores::Block &block, const TileOperands &o, int64_t vectors,
                              KernelCode::Values sums);
  /// With `rescales`, results so far are multiplied by the factors first.
  void values(const AttentionScores::Block &block, int64_t vectors, mlir::Value live, mlir::Value first,
              mlir::Value last, bool rescales);
  void valueTile(const AttentionScores::Block &block, int64_t vectors, mlir::Value live, mlir::Value first,
                 mlir::Value last, mlir::Value q0, int64_t rows, int64_t column, int64_t columns, bool rescales);
  KernelCode::Values weighValues(const AttentionScores::Block &block, const TileShape &tile, const TileOperands &o,
                                 mlir::Value q0, mlir::Value live, KernelCode::Values sums);
  KernelCode::Values weighLive(const AttentionScores::Block &block, const TileShape &tile, const TileOperands &o,
                               mlir::Value query, mlir::Value from, mlir::Value to, llvm::ArrayRef<mlir::Value> shown,
                               KernelCode::Values sums);
  mlir::Value place(int64_t bytes, int64_t element = 0) {
    return c.address(frame.workspace(), c.b.getI8Type(), bytes + element * 4);
  }
  mlir::Value lane(int64_t where, int64_t v) { return place(where, v * lanes); }
  /// Keys whose scores there is room for.
  int64_t heldKeys() const { return std::min(form.n.getConstant().value_or(s.exact), s.exact); }
  int64_t tileRows(int64_t vectors) const {
    return c.machine.vectorRegisters >= 32 ? (vectors >= 4 ? 6 : vectors == 3 ? 8 : 12) : 6;
  }

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  const AttentionSchedule &s;
  int64_t lanes;
  AttentionPlaces at;
  mlir::Type f32;
  mlir::VectorType type;
  mlir::Value copied; ///< keys and values of a head are copied
  KeyRows keys, valueRows;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONCODE_H
