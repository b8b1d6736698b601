// Reads of rows, as embeddings and tables of positions need them.
#ifndef FOVEA_FRONTENDS_ONNX_GATHER_H
#define FOVEA_FRONTENDS_ONNX_GATHER_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

/// The rows of a table with two dims at the indices, of any shape; the columns become the last dim.
Value lookUpRows(Importer &importer, Value table, Value indices);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_GATHER_H
