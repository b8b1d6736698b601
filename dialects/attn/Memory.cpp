// Verification of memory that is addressed by content.
#include "dialects/attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;
using fovea::attn::detail::fit;
using fovea::attn::detail::isReal;

/// Init and result have one type, and all operands its elements.
static LogicalResult verifyElements(Operation *op, Value init, StringRef label) {
  Type type = op->getResult(0).getType(), element = getElementTypeOrSelf(type);
  bool same = init.getType() == type && isReal(element);
  for (Type operand : op->getOperandTypes())
    same &= getElementTypeOrSelf(operand) == element;
  if (!same)
    return op->emitOpError("expected all operands to be f32 or all f64 and init and result of one type, got ")
           << op->getOperandTypes() << " and " << type << " [" << label << "]";
  return success();
}

LogicalResult MemoryReadOp::verify() {
  if (failed(verifyElements(*this, getInit(), "memory_read_c1")))
    return failure();
  if (!fit({{getMemory(), "bnw"}, {getKeys(), "brw"}, {getStrengths(), "br"}, {getResult(), "brw"}}))
    return emitOpError("expected memory B x N x W, keys B x R x W, strengths B x R and result B x R x W, got ")
           << getOperandTypes() << " and " << getResult().getType() << " [memory_read_c2]";
  return success();
}

LogicalResult MemoryWriteOp::verify() {
  if (failed(verifyElements(*this, getInit(), "memory_write_c1")))
    return failure();
  if (!fit({{getMemory(), "bnw"},
            {getKeys(), "brw"},
            {getStrengths(), "br"},
            {getErase(), "brw"},
            {getAdd(), "brw"},
            {getResult(), "bnw"}}))
    return emitOpError("expected memory and result B x N x W, keys, erase and add B x R x W and strengths B x R, got ")
           << getOperandTypes() << " and " << getResult().getType() << " [memory_write_c2]";
  return success();
}
