// Matrix products: MatMul with all ranks that NumPy knows, and Gemm.
#include "frontends/onnx/MatMul.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

static Value multiplyAdd(OpBuilder &b, Location loc, ValueRange e) {
  if (isa<FloatType>(e[0].getType()))
    return arith::AddFOp::create(b, loc, e[2], arith::MulFOp::create(b, loc, e[0], e[1]));
  return arith::AddIOp::create(b, loc, e[2], arith::MulIOp::create(b, loc, e[0], e[1]));
}

Value fovea::frontend::multiply(Importer &im, Value a, Value w, bool transposeA, bool transposeB) {
  im.checkTypes({a, w});
  if (im.rank(a) == 0 || im.rank(w) == 0)
    failInput("an operand is a scalar");
  bool row = im.rank(a) == 1, column = im.rank(w) == 1;
  auto batchOf = [&](Value v, bool vector) {
    Shape s = im.shape(v);
    return vector ? Shape() : Shape(s.begin(), s.end() - 2);
  };
  Shape batch = im.broadcastShape({batchOf(a, row), batchOf(w, column)});
  // Only batch dims broadcast: for them an operand is settled with its own matrix dims.
  auto settle = [&](Value v, bool vector) {
    Shape s = im.shape(v), target = batch;
    if (vector)
      return v;
    target.append(s.end() - 2, s.end());
    return im.settle(v, target);
  };
  a = settle(a, row), w = settle(w, column);
  Shape sa = im.shape(a), sw = im.shape(w);
  transposeA &= !row, transposeB &= !column;
  const DimExpr &depth = transposeA ? sa[sa.size() - 2] : sa.back();
  const DimExpr &other = column || transposeB ? sw.back() : sw[sw.size() - 2];
  im.checkEqual(depth, other, "the inner dims of the matrices differ");

  unsigned dims = batch.size() + !row + !column + 1, k = dims - 1, n = k - 1, m = batch.size();
  auto leading = [&](const Shape &s, bool vector) {
    SmallVector<AffineExpr> results;
    size_t count = vector ? 0 : s.size() - 2;
    for (size_t d = 0; d < count; ++d) {
      size_t to = batch.size() - count + d;
      results.push_back(s[d].isConstant(1) && !batch[to].isConstant(1) ? im.b.getAffineConstantExpr(0) : im.dim(to));
    }
    return results;
  };
  SmallVector<AffineExpr> readA = leading(sa, row), readW = leading(sw, column), write;
  for (unsigned d = 0; d < k; ++d)
    write.push_back(im.dim(d));
  if (!row)
    readA.push_back(im.dim(m));
  readA.push_back(im.dim(k));
  readW.push_back(im.dim(k));
  if (!column)
    readW.push_back(im.dim(n));
  if (transposeA)
    std::swap(readA.back(), readA[readA.size() - 2]);
  if (transposeB)
    std::swap(readW.back(), readW[readW.size() - 2]);
  Shape result = batch;
  if (!row)
    result.push_back(transposeA ? sa.back() : sa[sa.size() - 2]);
  if (!column)
    result.push_back(transposeB ? sw[sw.size() - 2] : sw.back());
  Value init = im.fill(result, im.elementType(a), 0);
  return im.generic({a, w}, {im.affineMap(dims, readA), im.affineMap(dims, readW)}, init, im.affineMap(dims, write),
                    multiplyAdd);
}

static void importMatMul(Importer &im, const Node &node) {
  im.setOutput(node, 0, multiply(im, im.input(node, 0), im.input(node, 1)));
}

Value fovea::frontend::gemm(Importer &im, const Node &node) {
  Value a = im.input(node, 0), w = im.input(node, 1);
  im.checkTypes({a, w});
  bool transA = node.integer("transA", 0), transB = node.integer("transB", 0);
  double alpha = node.number("alpha", 1), beta = node.number("beta", 1);
  if (im.rank(a) != 2 || im.rank(w) != 2)
    failInput("expected matrices, got ranks " + Twine(im.rank(a)) + " and " + Twine(im.rank(w)));
  Shape sa = im.shape(a), sw = im.shape(w);
  im.checkEqual(sa[!transA], sw[transB], "the inner dims of the matrices differ");
  AffineExpr m = im.dim(0), n = im.dim(1), k = im.dim(2);
  auto matrix = [&](AffineExpr r, AffineExpr c, bool swap) {
    return im.affineMap(3, swap ? ArrayRef{c, r} : ArrayRef{r, c});
  };
  Type element = im.elementType(a);
  Shape result{sa[transA], sw[!transB]};
  Value product = im.generic({a, w}, {matrix(m, k, transA), matrix(k, n, transB)}, im.fill(result, element, 0),
                             im.affineMap(3, {m, n}), multiplyAdd);
  bool add = node.hasInput(2) && beta != 0;
  if (!add && alpha == 1)
    return product;
  SmallVector<Value> in{product};
  if (add)
    in.push_back(im.input(node, 2));
  auto scale = [&](OpBuilder &b, Location loc, Value x, double factor) -> Value {
    if (factor == 1)
      return x;
    Value c = arith::ConstantOp::create(b, loc, llvm::cast<TypedAttr>(im.number(element, factor)));
    return isa<FloatType>(element) ? arith::MulFOp::create(b, loc, x, c).getResult()
                                   : arith::MulIOp::create(b, loc, x, c).getResult();
  };
  return im.map(in, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value x = scale(b, loc, e[0], alpha);
    if (!add)
      return x;
    Value c = scale(b, loc, e[1], beta);
    return isa<FloatType>(element) ? arith::AddFOp::create(b, loc, x, c).getResult()
                                   : arith::AddIOp::create(b, loc, x, c).getResult();
  });
}

static void importGemm(Importer &im, const Node &node) { im.setOutput(node, 0, gemm(im, node)); }

static RegisterOps family{{"MatMul", importMatMul}, {"Gemm", importGemm}};
