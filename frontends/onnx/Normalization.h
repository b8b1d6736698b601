// The normalisations of rows, for whatever operator contains one.
#ifndef FOVEA_FRONTENDS_ONNX_NORMALIZATION_H
#define FOVEA_FRONTENDS_ONNX_NORMALIZATION_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

/// Layer normalisation over the dims from `axis` on; the bias may be null.
Value layerNorm(Importer &importer, Value in, Value scale, Value bias, int64_t axis, double epsilon);
/// Normalisation by the root of the mean square.
Value rmsNorm(Importer &importer, Value in, Value scale, int64_t axis, double epsilon);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_NORMALIZATION_H
