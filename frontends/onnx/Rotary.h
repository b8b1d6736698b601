// Rotary embedding with tables of cosines and sines.
#ifndef FOVEA_FRONTENDS_ONNX_ROTARY_H
#define FOVEA_FRONTENDS_ONNX_ROTARY_H

#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"

namespace fovea::frontend {

/// `in`, B x .. x size with its length in dim `length`, rotated by cos and sin, which broadcast to
/// B x length x rotated/2. `rotated` is how many elements of the last dim turn, 0 for all.
Value rotate(Importer &importer, Value in, Value cos, Value sin, unsigned length, bool interleaved, int64_t rotated);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_ROTARY_H
