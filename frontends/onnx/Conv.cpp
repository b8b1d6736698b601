// Convolutions with 1 to 3 spatial dims as loops over an (if need be padded) input; patch embedding as a matrix
// product.
#include "frontends/onnx/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

static Value multiplyAdd(OpBuilder &b, Location loc, ValueRange e) {
  return arith::AddFOp::create(b, loc, e[2], arith::MulFOp::create(b, loc, e[0], e[1]));
}

static SmallVector<int64_t> kernelOf(const Node &node, ArrayRef<DimExpr> weight) {
  SmallVector<int64_t> kernel;
  for (const DimExpr &k : weight.drop_front(2)) {
    if (!k.getConstant() || *k.getConstant() < 1)
      failUnsupported("a kernel whose size is not static");
    kernel.push_back(*k.getConstant());
  }
  if (node.has("kernel_shape") && node.integers("kernel_shape") != kernel)
    failInput("kernel_shape is not the shape of the weight");
  return kernel;
}

static int64_t groupOf(Importer &im, const Node &node, ArrayRef<DimExpr> input, ArrayRef<DimExpr> weight) {
  int64_t group = node.integer("group", 1);
  if (group < 1)
    failInput("group is " + Twine(group) + ", expected at least 1");
  auto features = weight[0].getConstant();
  if (!features || *features % group != 0)
    failInput("the " + weight[0].str() + " features do not divide into " + Twine(group) + " groups");
  im.checkEqual(weight[1] * DimExpr(group), input[1], "the weight does not fit the channels");
  return group;
}

/// Kernels side by side: each input element is read once, so the patches are rows of a matrix.
static Value importPatches(Importer &im, Value in, Value weight, const Window &w) {
  Shape x = im.shape(in), f = im.shape(weight), split{x[0], x[1]}, rows{x[0]}, out{x[0], f[0]};
  SmallVector<int64_t> order{0};
  int64_t dims = w.kernel.size();
  DimExpr patches(1), depth = x[1];
  for (int64_t d = 0; d < dims; ++d) {
    DimExpr count(*x[2 + d].getConstant() / w.kernel[d]);
    split.push_back(count), split.push_back(w.kernel[d]);
    order.push_back(2 + 2 * d);
    patches = patches * count, depth = depth * DimExpr(w.kernel[d]);
    out.push_back(count);
  }
  order.push_back(1);
  for (int64_t d = 0; d < dims; ++d)
    order.push_back(3 + 2 * d);
  Value a = im.reshape(im.transpose(im.reshape(in, split), order), {x[0], patches, depth});
  Value matrix = im.reshape(weight, {f[0], depth});
  AffineExpr n = im.dim(0), p = im.dim(1), m = im.dim(2), k = im.dim(3);
  Value product =
      im.generic({a, matrix}, {im.affineMap(4, {n, p, k}), im.affineMap(4, {m, k})},
                 im.fill({x[0], patches, f[0]}, im.elementType(in), 0), im.affineMap(4, {n, p, m}), multiplyAdd);
  return im.reshape(im.transpose(product, {0, 2, 1}), out);
}

/// Loops: n, [group], feature, positions, channel, kernel.
static Value importLoops(Importer &im, Value in, Value weight, const Window &w, int64_t group) {
  Shape x = im.shape(in), f = im.shape(weight);
  size_t dims = w.kernel.size();
  bool grouped = group > 1;
  Shape out{x[0]}, result{x[0], f[0]};
  if (grouped) {
    DimExpr g(group), channels = f[1], features = im.quotient(f[0], g);
    Shape splitX{x[0], g, channels}, splitF{g, features, channels};
    splitX.append(x.begin() + 2, x.end()), splitF.append(f.begin() + 2, f.end());
    in = im.reshape(in, splitX), weight = im.reshape(weight, splitF);
    out.push_back(g), out.push_back(features);
  } else {
    out.push_back(f[0]);
  }
  unsigned next = 0, loops = 1 + grouped + 1 + dims + 1 + dims;
  AffineExpr n = im.dim(next++), g = grouped ? im.dim(next++) : AffineExpr(), m = im.dim(next++);
  SmallVector<AffineExpr> readX{n}, readF, write{n};
  if (grouped)
    readX.push_back(g), readF.push_back(g), write.push_back(g);
  readF.push_back(m), write.push_back(m);
  AffineExpr c = im.dim(next + dims);
  readX.push_back(c), readF.push_back(c);
  for (size_t d = 0; d < dims; ++d) {
    AffineExpr o = im.dim(next + d), k = im.dim(next + dims + 1 + d);
    readX.push_back(o * w.strides[d] + k * w.dilations[d]);
    readF.push_back(k), write.push_back(o);
    out.push_back(w.positions[d]);
    result.push_back(out.back());
  }
  Value product = im.generic({in, weight}, {im.affineMap(loops, readX), im.affineMap(loops, readF)},
                             im.fill(out, im.elementType(in), 0), im.affineMap(loops, write), multiplyAdd);
  return im.reshape(product, result);
}

static void importConv(Importer &im, const Node &node) {
  Value in = im.input(node, 0), weight = im.input(node, 1);
  im.checkFloat(in);
  im.checkTypes({in, weight});
  Shape x = im.shape(in), f = im.shape(weight);
  if (x.size() < 3 || x.size() > 5)
    failUnsupported("an input with " + Twine(x.size()) + " dims");
  if (f.size() != x.size())
    failInput("the weight has " + Twine(f.size()) + " dims, expected " + Twine(x.size()));
  Window w = readWindow(im, node, kernelOf(node, f), ArrayRef(x).drop_front(2));
  int64_t group = groupOf(im, node, x, f);
  Value padded = pad(im, in, w, im.constant(im.elementType(in), 0));
  bool patches = padded == in && group == 1;
  for (size_t d = 0; d < w.kernel.size(); ++d)
    patches &= w.kernel[d] == w.strides[d] && w.dilations[d] == 1 && x[2 + d].getConstant() &&
               *x[2 + d].getConstant() % w.kernel[d] == 0;
  Value result = patches ? importPatches(im, in, weight, w) : importLoops(im, padded, weight, w, group);
  if (node.hasInput(2)) {
    Shape column{f[0]};
    column.append(w.kernel.size(), DimExpr(1));
    Value bias = im.reshape(im.input(node, 2), column);
    result = im.map({result, bias}, im.elementType(result), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
      return arith::AddFOp::create(b, loc, e[0], e[1]);
    });
  }
  im.setOutput(node, 0, result);
}

static RegisterOps family{{"Conv", importConv}};
