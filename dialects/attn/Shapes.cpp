// What verifiers ask about shapes.
#include "dialects/attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;

bool fovea::attn::detail::agree(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return succeeded(verifyCompatibleShape(a, b));
}

bool fovea::attn::detail::isReal(Type type) { return type.isF32() || type.isF64(); }

bool fovea::attn::detail::fit(ArrayRef<std::pair<Value, StringRef>> tensors) {
  llvm::SmallDenseMap<char, int64_t> sizes;
  for (auto &[tensor, letters] : tensors) {
    ArrayRef<int64_t> shape = typeOf(tensor).getShape();
    if (shape.size() != letters.size())
      return false;
    for (auto [letter, size] : llvm::zip(letters, shape)) {
      if (ShapedType::isDynamic(size) && !llvm::isDigit(letter))
        continue;
      int64_t &known = sizes.try_emplace(letter, llvm::isDigit(letter) ? letter - '0' : size).first->second;
      if (known != size)
        return false;
    }
  }
  return true;
}
