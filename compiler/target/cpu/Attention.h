// A kernel around one attention, as the attention lowerings see it.
#ifndef FOVEA_COMPILER_TARGET_CPU_ATTENTION_H
#define FOVEA_COMPILER_TARGET_CPU_ATTENTION_H

#include "compiler/target/cpu/Matmul.h"
#include "dialects/attn/Attn.h"

namespace fovea::cpu {

struct AttentionForm {
  KernelView kernel;
  data::DimAnalysis dims;
  attn::AttentionInterface op;
  mlir::Type element;                 ///< of q, k and v
  int64_t heads, group, d, e;         ///< query heads, query heads for each key head, sizes of keys and values
  data::DimExpr batch, m, n;          ///< queries and keys
  Access q, k, v, out;                ///< in (b, head, row, column); out is the result or the accumulator
  std::optional<Access> lengths;      ///< in (b)
  llvm::SmallVector<Access> captures; ///< in (b, h, i, j)

  /// Of attn.online_attention: maximum, sum and accumulator before, in (b, head, row, column).
  struct State {
    std::optional<Access> access; ///< none: everywhere `value`
    double value = 0;
  };
  State max, sum, accumulator;
  Access newMax, newSum; ///< in (b, head, row)

  explicit AttentionForm(const KernelView &kernel) : kernel(kernel) {}
  static mlir::FailureOr<std::unique_ptr<AttentionForm>> of(const KernelView &kernel, std::string &reason);

  /// What attention reads and writes, in whatever order.
  llvm::SmallVector<Traffic> traffic();
  /// The operation if it goes on from a state.
  attn::OnlineAttentionOp online() const {
    return mlir::dyn_cast<attn::OnlineAttentionOp>(attn::AttentionInterface(op).getOperation());
  }
  /// What an empty row gives.
  double emptyValue() const;
  bool causal() const { return attn::AttentionInterface(op).getCausal() != attn::Causal::none; }
  /// Keys that depend on the query are dead.
  bool banded() const {
    return causal() || attn::AttentionInterface(op).getWindow()[0] >= 0 ||
           attn::AttentionInterface(op).getWindow()[1] >= 0;
  }

private:
  mlir::LogicalResult readResults(std::string &reason);
  mlir::LogicalResult readState(State &state, mlir::Value tensor, std::string &reason);
};

/// The keys that some query of rows i0 ... last may see, and those that all of them see.
struct KeyRange {
  mlir::Value begin, end, wholeBegin, wholeEnd;
  mlir::Value offset; ///< added to a query's number for comparison with keys
  mlir::Value first;  ///< the number of the key that lies first in memory
};
KeyRange keyRange(StageFrame &frame, KernelCode &c, AttentionForm &form, mlir::Value b, mlir::Value i0,
                  mlir::Value last);

/// How many keys a query is computed with on average, of so many queries and keys, in blocks of `rows` queries.
double typicalKeys(AttentionForm &form, double queries, double keys, int64_t rows);

/// The address of an element of q, k, v, out or a capture; a null index counts as 0.
mlir::Value placeOf(StageFrame &frame, KernelCode &c, const Access &access, llvm::ArrayRef<mlir::Value> indices);

struct AttentionSchedule {
  int64_t vectors = 4;  ///< most vectors of queries in a block
  int64_t exact = 2048; ///< up to that many keys are held at once
  int64_t block = 512;  ///< keys of a block where there are more
  int64_t copy = 256;   ///< with more queries and keys than that, rows that are far apart are copied
  mlir::DictionaryAttr attributes(mlir::MLIRContext *context) const;
  static AttentionSchedule of(mlir::DictionaryAttr attributes);
};

llvm::SmallVector<Stage> emitAttention(exec::KernelDefOp kernel, AttentionForm &form, const AttentionSchedule &schedule,
                                       const Machine &machine, mlir::ModuleOp code);

/// Scores of a block of queries, between their products with the keys and the products with the values:
/// P^T[key][query].
class AttentionScores {
public:
  AttentionScores(StageFrame &frame, KernelCode &c, AttentionForm &form, int64_t vectors, int64_t lanes)
      : frame(frame), c(c), form(form), vectors(vectors), lanes(lanes), type(c.vector(c.b.getF32Type(), lanes)) {}

  struct Block {
    mlir::Value b, h, i0, scores; ///< scores: of key `from`
    mlir::Value from, to;         ///< keys
    mlir::Value turned;           ///< room for turnedFloats() floats
    KeyRange range;
  };
  /// True if scores have to be seen once more before their maximum is known.
  bool hasPass() const { return form.op.hasScoreRegion() || form.banded(); }
  /// Applies the score region and the masks; the maxima, going on from `maxima`.
  KernelCode::Values pass(const Block &block, KernelCode::Values maxima);
  /// Replaces scores by 2^(score - maximum); the sums of these.
  KernelCode::Values exponentiate(const Block &block, llvm::ArrayRef<mlir::Value> maxima);
  /// Floats of workspace for captures that are turned.
  static int64_t turnedFloats(AttentionForm &form, int64_t vectors, int64_t lanes);
  /// 2^x or e^x, as scores are in units of log 2 or not.
  mlir::Value exponential(mlir::Value x);

private:
  KernelCode::Values passKeys(const Block &block, mlir::Value from, mlir::Value to, bool masked,
                              KernelCode::Values maxima);
  static bool isTurned(AttentionForm &form, unsigned capture);
  void turn(const Block &block, mlir::Value from, mlir::Value to);
  mlir::Value region(const Block &block, mlir::Value score, mlir::Value j, mlir::Value group, int64_t v);
  mlir::Value score(const Block &block, mlir::Value j, int64_t v);

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  int64_t vectors, lanes;
  mlir::VectorType type;
};

} // namespace fovea::cpu

#endif // FOVEA_COMPILER_TARGET_CPU_ATTENTION_H
