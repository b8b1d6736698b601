// Windows that slide over the spatial dims of a tensor N x C x spatial, as convolutions and pools have them.
#ifndef FOVEA_FRONTENDS_ONNX_WINDOW_H
#define FOVEA_FRONTENDS_ONNX_WINDOW_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

/// The window at position o of a dim reads the elements o * stride + k * dilation of the padded input, k < kernel.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations; ///< by spatial dim
  SmallVector<int64_t> before, after;              ///< elements of padding
  SmallVector<int64_t> overhang;                   ///< how far the last window may reach behind the padding
  SmallVector<DimExpr> positions;                  ///< how many windows there are

  /// How many elements lie between the first and the last one that a window reads, both included.
  int64_t reach(unsigned dim) const { return (kernel[dim] - 1) * dilations[dim] + 1; }
};

/// The attributes strides, dilations, pads, auto_pad and ceil_mode of a node, for an input with these spatial dims.
Window readWindow(Importer &importer, const Node &node, ArrayRef<int64_t> kernel, ArrayRef<DimExpr> spatial);

/// The input surrounded by the window's padding and overhang, where there is any.
Value pad(Importer &importer, Value input, const Window &window, Value number);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_WINDOW_H
