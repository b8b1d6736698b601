// The exec dialect: what the runtime will be asked to do.
#ifndef FOVEA_DIALECTS_EXEC_EXEC_H
#define FOVEA_DIALECTS_EXEC_EXEC_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/exec/Dialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/exec/Attrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/exec/Types.h.inc"
#define GET_OP_CLASSES
#include "dialects/exec/Ops.h.inc"

#endif // FOVEA_DIALECTS_EXEC_EXEC_H
