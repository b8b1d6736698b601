// Keys and values of earlier calls, in buffers that are longer than what they hold.
#include "frontends/onnx/microsoft/Attend.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;
using arith::CmpIPredicate;

Value fovea::frontend::firstRows(Importer &im, Value cache, const DimExpr &length) {
  Shape sizes = im.shape(cache), starts(4, DimExpr(0));
  if (sizes[2] == length)
    return cache;
  Value enough = arith::CmpIOp::create(im.b, im.loc, CmpIPredicate::sge, im.index(sizes[2]), im.index(length));
  im.check(enough, "the cache has no room for " + length.str() + " keys");
  sizes[2] = length;
  return im.slice(cache, starts, sizes, {1, 1, 1, 1});
}

/// The cache with zeros behind it, `length` rows altogether.
static Value extend(Importer &im, Value cache, const DimExpr &length) {
  Shape s = im.shape(cache);
  if (s[2] == length)
    return cache;
  Type element = im.elementType(cache);
  SmallVector<OpFoldResult> low(4, im.b.getIndexAttr(0)), high = low;
  high[2] = im.size(length - s[2]);
  s[2] = length;
  return tensor::PadOp::create(im.b, im.loc, im.type(s, element), cache, low, high, im.constant(element, 0));
}

Value fovea::frontend::insertRows(Importer &im, Value cache, Value fresh, Value starts, const DimExpr &length,
                                  Behind behind) {
  Shape f = im.shape(fresh), result = f;
  result[2] = length;
  Type element = im.elementType(fresh);
  SmallVector<Value> operands{im.broadcastTo(starts, {f[0]})};
  SmallVector<AffineMap> maps{im.affineMap(4, {im.dim(0)})};
  if (cache) {
    Shape c = im.shape(cache);
    im.checkTypes({cache, fresh});
    for (unsigned d : {0, 1, 3})
      im.checkEqual(c[d], f[d], "the cache differs from the new keys in dim " + Twine(d));
    operands.push_back(extend(im, cache, length));
    maps.push_back(im.identity(4));
  }
  Value last = im.index(f[2] - DimExpr(1)), zero = im.index(0);
  return im.generic(operands, maps, im.empty(result, element), im.identity(4),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value start = arith::IndexCastOp::create(b, loc, b.getIndexType(), e[0]);
                      Value row = linalg::IndexOp::create(b, loc, 2), step = arith::SubIOp::create(b, loc, row, start);
                      Value old = arith::CmpIOp::create(b, loc, CmpIPredicate::slt, step, zero);
                      Value beyond = arith::CmpIOp::create(b, loc, CmpIPredicate::sgt, step, last);
                      Value place = arith::MaxSIOp::create(b, loc, zero, arith::MinSIOp::create(b, loc, step, last));
                      Value given = data::LookupOp::create(b, loc, element, fresh,
                                                           ValueRange{linalg::IndexOp::create(b, loc, 0),
                                                                      linalg::IndexOp::create(b, loc, 1), place,
                                                                      linalg::IndexOp::create(b, loc, 3)});
                      Value none = arith::ConstantOp::create(b, loc, cast<TypedAttr>(im.number(element, 0)));
                      given =
                          arith::SelectOp::create(b, loc, beyond, behind == Behind::keep && cache ? e[1] : none, given);
                      return arith::SelectOp::create(b, loc, old, cache ? e[1] : none, given);
                    });
}
