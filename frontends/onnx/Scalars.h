// Operators on lists of scalars; Scalars.cpp has the elementwise ones and the table of all.
#ifndef FOVEA_FRONTENDS_ONNX_SCALARS_H
#define FOVEA_FRONTENDS_ONNX_SCALARS_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

/// The number of elements; of absurd shapes some number above kMaxScalars.
int64_t elementCount(ArrayRef<int64_t> shape);
/// The place in a tensor of shape `own` that is read for the place `i` of the shape that it is broadcast to.
int64_t broadcastPlace(int64_t i, ArrayRef<int64_t> common, ArrayRef<int64_t> own);
/// The shape that all broadcast to, if there is one and it is small.
std::optional<SmallVector<int64_t>> commonShape(ArrayRef<const Scalars *> inputs);

/// Each gives nothing where its operator cannot be followed.
std::optional<Scalars> evaluateShape(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateGather(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateSlice(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateTranspose(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateConcat(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateReshape(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateConstantOfShape(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateExpand(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateRange(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
std::optional<Scalars> evaluateReduce(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_SCALARS_H
