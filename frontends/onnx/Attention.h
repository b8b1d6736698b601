// Heads, as every operator of attention has them.
#ifndef FOVEA_FRONTENDS_ONNX_ATTENTION_H
#define FOVEA_FRONTENDS_ONNX_ATTENTION_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

/// B x length x (heads * size) as B x heads x length x size.
Value splitHeads(Importer &importer, Value packed, int64_t heads);
/// B x heads x length x size as B x length x (heads * size).
Value mergeHeads(Importer &importer, Value split);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_ATTENTION_H
