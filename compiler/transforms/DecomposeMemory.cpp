// Memory that is addressed by content: unit vectors, then attention over the memory's rows, or products of its weights.
#include "compiler/transforms/Decomposition.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using attn::detail::typeOf;

namespace {
class MemoryDecomposition : Decomposition {
public:
  explicit MemoryDecomposition(Operation *op) : Decomposition(op, "memory and keys do not fit each other") {}
  void run(attn::MemoryReadOp read);
  void run(attn::MemoryWriteOp write);

private:
  Value unit(Value vectors, Value strengths);
};
} // namespace

/// B x N x W, each vector divided by its length and multiplied with its strength; a vector without length stays zero.
/// The squares are summed in f64, so that vectors of f32 cannot be too long.
Value MemoryDecomposition::unit(Value vectors, Value strengths) {
  Type type = typeOf(vectors).getElementType(), f64 = b.getF64Type();
  Value squares = generic(filled({size(vectors, 0), size(vectors, 1)}, f64, 0), "bnw", "bn", {{vectors, "bnw"}},
                          [](Scalars &s, ValueRange args) {
                            Value x = s.wide(args[0]);
                            return s.add(args[1], s.mul(x, x));
                          });
  SmallVector<std::pair<Value, StringRef>> operands{{vectors, "bnw"}, {squares, "bn"}};
  if (strengths)
    operands.push_back({strengths, "bn"});
  return elementwise(type, "bnw", operands, vectors, [&](Scalars &s, ValueRange args) {
    Value x = s.quotient(s.wide(args[0]), math::SqrtOp::create(s.b, s.loc, args[1]));
    return s.narrow(strengths ? s.mul(x, s.wide(args[2])) : x);
  });
}

void MemoryDecomposition::run(attn::MemoryReadOp read) {
  Value memory = read.getMemory(), keys = read.getKeys(), strengths = read.getStrengths();
  require(keys, 0, memory, 0), require(keys, 2, memory, 2);
  require(strengths, 0, keys, 0), require(strengths, 1, keys, 1);
  for (int64_t d : {0, 1, 2})
    require(read.getInit(), d, keys, d);
  Attention parts;
  parts.query = withUnit(unit(keys, strengths), 1);
  parts.key = withUnit(unit(memory, {}), 1), parts.value = withUnit(memory, 1);
  Value result = attention(parts).getResult();
  replace(reshaped(result, {{0, 1}, {2}, {3}}, {size(keys, 0), size(keys, 1), size(memory, 2)}));
}

void MemoryDecomposition::run(attn::MemoryWriteOp write) {
  Value memory = write.getMemory(), keys = write.getKeys(), strengths = write.getStrengths(), erase = write.getErase(),
        add = write.getAdd();
  require(keys, 0, memory, 0), require(keys, 2, memory, 2);
  require(strengths, 0, keys, 0), require(strengths, 1, keys, 1);
  for (int64_t d : {0, 1, 2}) {
    require(erase, d, keys, d), require(add, d, keys, d);
    require(write.getInit(), d, memory, d);
  }
  Type type = typeOf(memory).getElementType();
  Value scores = product(type, "brnw", "brn", {{unit(keys, strengths), "brw"}, {unit(memory, {}), "bnw"}},
                         {size(keys, 0), size(keys, 1), size(memory, 1)});
  Value weights = softmax(scores, /*log=*/false);
  Sizes sizes = sizesOf(memory);
  Value kept =
      generic(filled(sizes, type, 1), "bnwr", "bnw", {{weights, "brn"}, {erase, "brw"}},
              [](Scalars &s, ValueRange args) { return s.mul(args[2], s.sub(s.number(1), s.mul(args[0], args[1]))); });
  Value added = product(type, "bnwr", "bnw", {{weights, "brn"}, {add, "brw"}}, sizes);
  replace(elementwise(type, "bnw", {{memory, "bnw"}, {kept, "bnw"}, {added, "bnw"}}, write.getInit(),
                      [](Scalars &s, ValueRange args) { return s.add(s.mul(args[0], args[1]), args[2]); }));
}

bool fovea::decomposeMemory(Operation *op) {
  if (auto read = dyn_cast<attn::MemoryReadOp>(op))
    return MemoryDecomposition(read).run(read), true;
  if (auto write = dyn_cast<attn::MemoryWriteOp>(op))
    return MemoryDecomposition(write).run(write), true;
  return false;
}
