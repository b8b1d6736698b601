// A kernel around one attention, as the attention lowerings see it.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTION_H
#define FOVEA_COMPILER_LOWERING_ATTENTION_H

#include "compiler/lowering/KeyParts.h"
#include "compiler/lowering/Matmul.h"
#include "dialects/attn/Attn.h"

namespace fovea::lowering {

struct AttentionForm {
  KernelView kernel;
  data::DimAnalysis dims;
  attn::AttentionInterface op;
  mlir::Type element;                 ///< of q, k and v
  int64_t heads, group;               ///< query heads, query heads for each key head
  int64_t d, e;                       ///< sizes of keys and values; kDynamic: known at run time only
  data::DimExpr keySize, valueSize;   ///< the same
  data::DimExpr batch, m, n;          ///< queries and keys
  Access q, k, v, out;                ///< in (b, head, row, column); out is the result or the accumulator
  std::optional<Access> lengths;      ///< in (b)
  std::optional<Access> offset;       ///< in (b)
  std::optional<Access> sinks;        ///< in (h)
  std::optional<Access> blockMask;    ///< in (b, h, block of queries, block of keys)
  llvm::SmallVector<Access> captures; ///< in (b, h, i, j)

  /// A result besides the output, in (b, head, row) or (b, head, row, key).
  struct Extra {
    attn::Extra kind;
    Access access;
  };
  llvm::SmallVector<Extra> extras;

  /// Of attn.online_attention: maximum, sum and accumulator before, in (b, head, row, column).
  struct State {
    std::optional<Access> access; ///< none: everywhere `value`
    double value = 0;
  };
  State max, sum, accumulator;
  Access newMax, newSum; ///< in (b, head, row)

  explicit AttentionForm(const KernelView &kernel) : kernel(kernel) {}
  static mlir::FailureOr<std::unique_ptr<AttentionForm>> of(const KernelView &kernel, std::string &reason);

  /// What attention reads and writes, in whatever order, and what the parts of its keys leave where it is split.
  llvm::SmallVector<Traffic> traffic();
  /// What is left by `count` parts of the keys of each row.
  KeyParts parts(int64_t count) const {
    return {batch * data::DimExpr(heads) * m, valueSize, attn::AttentionInterface(op).getScoreType(), count};
  }
  /// The operation if it goes on from a state.
  attn::OnlineAttentionOp online() const {
    return mlir::dyn_cast<attn::OnlineAttentionOp>(attn::AttentionInterface(op).getOperation());
  }
  /// Null if it goes on from a state.
  attn::AttentionOp whole() const {
    return mlir::dyn_cast<attn::AttentionOp>(attn::AttentionInterface(op).getOperation());
  }
  attn::Normalizer normalizer() const { return online() ? attn::Normalizer::softmax : whole().getNormalizer(); }
  bool hasExtra(attn::Extra kind) const { return whole() && whole().hasExtra(kind); }
  bool hasStaticSizes() const { return !mlir::ShapedType::isDynamic(d) && !mlir::ShapedType::isDynamic(e); }
  /// Whether weights have to be final before they meet the values.
  bool needsWeights() const { return whole() && (!whole().getWeight().empty() || hasExtra(attn::Extra::weights)); }
  /// False if the fast kernel has scores in units of log 2.
  bool naturalScores() const {
    attn::AttentionInterface attention = op;
    return attention.hasScoreRegion() || !attention.getCombine().empty() || normalizer() != attn::Normalizer::softmax ||
           hasExtra(attn::Extra::scores);
  }
  /// What an empty row gives.
  double emptyValue() const;
  bool causal() const { return attn::AttentionInterface(op).getCausal() != attn::Causal::none; }
  /// Keys that depend on the query are dead.
  bool banded() const {
    return causal() || attn::AttentionInterface(op).getWindow()[0] >= 0 ||
           attn::AttentionInterface(op).getWindow()[1] >= 0;
  }
  /// Some keys are dead to all queries of a block, for whatever reason.
  bool hasDeadKeys() const { return banded() || lengths; }

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

/// Whether the mask of blocks shows block `keys` of the keys to query i.
mlir::Value blockIsLive(StageFrame &frame, KernelCode &c, AttentionForm &form, mlir::Value b, mlir::Value h,
                        mlir::Value i, mlir::Value keys);

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

/// For machines that run shaders: each invocation does a query row with its state in registers.
std::unique_ptr<KernelLowering> createAttentionThreadsLowering();
/// For machines that run shaders: a workgroup does a query row, or a part of its keys.
std::unique_ptr<KernelLowering> createAttentionWorkgroupLowering();

llvm::SmallVector<Stage> emitAttention(exec::KernelDefOp kernel, AttentionForm &form, const AttentionSchedule &schedule,
                                       const Machine &machine, mlir::ModuleOp code);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTION_H
