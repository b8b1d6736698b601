#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fovea::attn;

#include "dialects/attn/Dialect.cpp.inc"
#include "dialects/attn/Enums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/attn/Attrs.cpp.inc"
#include "dialects/attn/Interfaces.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/attn/Ops.cpp.inc"

void AttnDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/attn/Attrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/attn/Ops.cpp.inc"
      >();
}
