// The sample dialect; Ops.td describes its operations.
#ifndef SAMPLE_DIALECT_H
#define SAMPLE_DIALECT_H

#include "dialects/attn/Attn.h"
#include "dialects/data/Structured.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "Dialect.h.inc"
#define GET_OP_CLASSES
#include "Ops.h.inc"

#endif // SAMPLE_DIALECT_H
