// Scores of a block of queries, between their products with the keys and the products with the values:
// P^T[key][query].
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONSCORES_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONSCORES_H

#include "compiler/lowering/Attention.h"

namespace fovea::lowering {

class AttentionScores {
public:
  using Values = KernelCode::Values;

  AttentionScores(StageFrame &frame, KernelCode &c, AttentionForm &form, int64_t vectors, int64_t lanes)
      : frame(frame), c(c), form(form), vectors(vectors), lanes(lanes), type(c.vector(c.b.getF32Type(), lanes)) {}

  struct Block {
    mlir::Value b, h, i0, scores; ///< scores: of key `from`
    mlir::Value from, to;         ///< keys
    mlir::Value turned;           ///< room for turnedFloats() floats
    mlir::Value tapped;           ///< room for tappedFloats() floats
    KeyRange range;
  };
  /// True if scores have to be seen once more before their maximum is known.
  bool hasPass() const {
    return form.op.hasScoreRegion() || form.banded() || form.blockMask || form.hasExtra(attn::Extra::scores);
  }
  /// Applies the score region and the masks; the maxima, going on from `maxima`. With `store`, scores and taps are
  /// stored where they are wanted.
  Values pass(const Block &block, Values maxima, bool store);
  /// Applies the score region to keys that are dead for all queries, and stores the taps.
  void tap(const Block &block);
  /// Makes weights of what exponentiate() left: times `factors` (none: 1), the weight region, stored where they are
  /// wanted. Unless weighsInPlace(), what exponentiate() left stays.
  void weigh(const Block &block, llvm::ArrayRef<mlir::Value> factors);
  bool weighsInPlace() const;
  /// Replaces scores by 2^(score - maximum); the sums of these.
  Values exponentiate(const Block &block, llvm::ArrayRef<mlir::Value> maxima);
  /// Replaces scores by weights that do not depend on other keys.
  void activate(const Block &block);
  /// What keys outside of the range have for scores and weights.
  void storeDead(const Block &all);
  /// Floats of workspace for captures that are turned, and for taps.
  static int64_t turnedFloats(AttentionForm &form, int64_t vectors, int64_t lanes);
  static int64_t tappedFloats(AttentionForm &form, int64_t vectors, int64_t lanes);
  /// 2^x or e^x, as scores are in units of log 2 or not.
  mlir::Value exponential(mlir::Value x);

private:
  /// What is done with the score of a key and a vector of queries.
  struct Step {
    mlir::Region *region;                ///< null: none
    bool taps = false;                   ///< the region's further values are stored
    std::optional<attn::Extra> extra;    ///< what is stored afterwards
    llvm::ArrayRef<mlir::Value> factors; ///< if not empty: multiplied before the region
    std::optional<double> dead;          ///< for keys that are not live; none: they are not told apart
    bool changes = true;                 ///< results are written back
  };
  Values passBands(const Block &block, const Step &step, Values maxima);
  Values passKeys(const Block &block, mlir::Value from, mlir::Value to, bool masked, const Step &step, Values maxima);
  mlir::Value hideDead(const Block &block, mlir::Value score, mlir::Value j, int64_t v, bool banded, double dead);
  static bool isStored(const Step &step, const AttentionForm::Extra &extra);
  bool stores(const Step &step) const;
  static bool isTurned(AttentionForm &form, unsigned capture);
  void turn(const Block &block, mlir::Value from, mlir::Value to);
  Values region(const Block &block, mlir::Region &region, mlir::Value score, mlir::Value j, mlir::Value group,
                int64_t v);
  void storeTurned(const Block &block, const Access &extra, mlir::Value source, mlir::Value from, mlir::Value to,
                   int64_t v, mlir::Value factor = {}, bool whole = false);
  mlir::Value score(const Block &block, mlir::Value j, int64_t v);

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  int64_t vectors, lanes;
  mlir::VectorType type;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONSCORES_H
