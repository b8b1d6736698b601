// The generated classes of the ONNX schema.
#ifndef FOVEA_FRONTENDS_ONNX_PROTO_H
#define FOVEA_FRONTENDS_ONNX_PROTO_H

#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#include <onnx/onnx_pb.h>

#endif // FOVEA_FRONTENDS_ONNX_PROTO_H
