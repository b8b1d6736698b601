// Attention to keys and values in pages, taken apart, and the code for a query of a head.
#ifndef FOVEA_COMPILER_LOWERING_PAGEDATTENTION_H
#define FOVEA_COMPILER_LOWERING_PAGEDATTENTION_H

#include "compiler/lowering/KeyParts.h"
#include "compiler/lowering/SingleOp.h"

namespace fovea::lowering {

struct PagedAttentionForm {
  SingleOp single;
  attn::PagedAttentionOp op;
  data::DimExpr batch, queries, pages, slots, blocks, d, e; ///< blocks: pages of a row of the batch; slots: of a page
  int64_t heads = 0, group = 0;
  Access query, result;  ///< in (b, head, row, column)
  Access key, value;     ///< in (page, head, slot, column)
  Access table, lengths; ///< in (b, block), in (b)
  PagedAttentionForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::PagedAttentionOp::getOperationName(), reason) {}
  static mlir::FailureOr<std::unique_ptr<PagedAttentionForm>> of(const KernelView &kernel, std::string &reason);

  /// f64 for f64, else f32.
  mlir::Type computed() const { return computedType(elementOf(query)); }
  /// Elements of the workspace: a query, then the scores of a part of the keys, each up to a whole vector.
  mlir::AffineExpr workspaceElements(int64_t lanes, int64_t parts) const {
    return single.inSymbols(d) + (single.inSymbols(blocks) * single.inSymbols(slots)).ceilDiv(parts) + 2 * lanes;
  }
  /// The keys of a row are not split where the number of queries is not known: parts take memory for each query.
  bool maySplit() const { return queries.getConstant().has_value(); }
  int64_t suitableParts() const {
    if (!maySplit())
      return 1;
    std::optional<int64_t> n = blocks.getConstant(), s = slots.getConstant();
    return KeyParts::suitable(batch.getConstant().value_or(1) * heads * *queries.getConstant(),
                              n && s ? std::optional(*n * *s) : std::nullopt);
  }
  KeyParts parts(int64_t count) const {
    return {productOf({batch, data::DimExpr(heads), queries}), e, computed(), count};
  }
};

/// Writes the code for one query of one head.
class PagedAttentionWriter {
public:
  PagedAttentionWriter(StageFrame &frame, KernelCode &c, PagedAttentionForm &form)
      : frame(frame), c(c), form(form), element(elementOf(form.query)), type(form.computed()),
        lanes(c.machine.lanes(type.getIntOrFloatBitWidth())), wide(c.vector(type, lanes)),
        memory(c.vector(element, lanes)), d(frame.size(form.d)), e(frame.size(form.e)) {}
  using Values = KernelCode::Values;
  void row(mlir::Value b, mlir::Value h, mlir::Value i);
  /// What one of `count` parts of the keys gives.
  void part(mlir::Value b, mlir::Value h, mlir::Value i, mlir::Value part, int64_t count,
            const KeyParts::Places &places);
  /// The result of a row from its parts.
  void merge(mlir::Value b, mlir::Value h, mlir::Value i, int64_t count, const KeyParts::Places &places);

private:
  using Store = llvm::function_ref<void(mlir::Value sum, mlir::Value column, mlir::Value mask)>;
  mlir::Value numberOfPage(mlir::Value block);
  Values overKeys(Values state, const Access &access,
                  llvm::function_ref<Values(mlir::Value j, mlir::Value at, mlir::ValueRange)> body);
  void findKeys(mlir::Value i);
  void loadQuery(mlir::Value h, mlir::Value i);
  mlir::Value product(mlir::Value key);
  mlir::Value exponentiate(mlir::Value largest);
  mlir::Value scores(mlir::Value h, mlir::Value i);
  void
  overColumns(llvm::function_ref<Values(llvm::ArrayRef<mlir::Value> columns, llvm::ArrayRef<mlir::Value> masks)> sums,
              Store store);
  void combine(Store store);
  mlir::Value scoreAt(mlir::Value j) { return c.address(scoresAt, type, c.sub(j, first)); }
  void fault() { frame.store(c.constant(frame.faultNumber()), frame.fault()); }
  /// No mask where every vector of a row is whole.
  mlir::Value maskOf(const data::DimExpr &size, mlir::Value column) {
    std::optional<int64_t> known = size.getConstant();
    return known && *known % lanes == 0 ? mlir::Value() : c.lanesBelow(lanes, column, frame.size(size));
  }

  StageFrame &frame;
  KernelCode &c;
  PagedAttentionForm &form;
  mlir::Type element, type;
  int64_t lanes;
  mlir::VectorType wide, memory;
  mlir::Value d, e;
  mlir::Value b, g;        ///< row of the batch, head of the keys
  mlir::Value first, last; ///< the keys that the query sees: first and behind the last
  mlir::Value scoresAt;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_PAGEDATTENTION_H
