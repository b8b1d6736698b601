// The data dialect: data movement and shapes that linalg does not cover.
#ifndef FOVEA_DIALECTS_DATA_DATA_H
#define FOVEA_DIALECTS_DATA_DATA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/data/Dialect.h.inc"
#include "dialects/data/Enums.h.inc"
#define GET_OP_CLASSES
#include "dialects/data/Ops.h.inc"

#endif // FOVEA_DIALECTS_DATA_DATA_H
