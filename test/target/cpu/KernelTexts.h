// Texts of kernels around a matrix product and around attention, as the fuse phase makes them.
#pragma once

#include <cstdint>
#include <string>

namespace fovea::lowering {

struct MatmulText {
  int64_t m, n, k; ///< m < 0: dynamic, symbol s0
  bool bias = false, residual = false;
  std::string activation = {}; ///< "", "gelu", "relu"
  std::string norm = {};       ///< "", "layer", "rms"
  bool keepSum = false;        ///< the values that are normalised are a result too
  bool panels = true;
  std::string element = "f32";
  bool transposed = false; ///< w is N x K
};

/// Buffers: a, w, [bias], [residual], [scale, shift], [sum], out.
std::string matmulText(const MatmulText &options);
/// The width of panels that the lowering wants.
inline int64_t panelWidthFor(int64_t n) { return n % 48 == 0 ? 48 : n <= 16 ? 16 : n <= 32 ? 32 : 64; }

struct AttentionText {
  int64_t batch, heads, keyHeads, m, n, d, e; ///< m, n < 0: dynamic, symbols s0 (m and n, if both)
  bool merged = false; ///< q, k, v out of one buffer B x S x (3 * heads * d), out as B x S x (heads * e)
  double scale = 0.125;
  std::string attributes = {}; ///< ", causal = #attn.causal<top_left>" and the like, with the comma
  std::string mask = {};       ///< "", "keys" (B x 1 x 1 x N, added), "full" (B x H x M x N, added), "softcap"
  bool lengths = false;
  std::string element = "f32";
  int64_t parts = 1;     ///< more than 1: the keys of a row are split
  bool additive = false; ///< scores are sums of w[d] * tanh(q[d] + k[d])
  bool weights = false;  ///< the weights are a result, B x H x M x N of f32 (f64)
  /// What the parts take, in bytes; m is static then.
  int64_t scratchBytes() const { return batch * heads * m * parts * (e + 2) * (element == "f64" ? 8 : 4); }
};

/// Buffers: q, k, v (merged: qkv), [w], [mask], [lengths], out, [weights], [scratch].
std::string attentionText(const AttentionText &options);

} // namespace fovea::lowering
