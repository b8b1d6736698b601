#include "compiler/pipeline/Refusals.h"

using namespace fovea;

static constexpr Refusal kRefusals[] = {
    {"not raised to attention", "attn.attention",
     "export with the operator Attention (opset 23), or as matmul, scale, mask, softmax, matmul without other users"},
    {"scheduled as attention-general", "attn.attention",
     "fix the sizes of the heads, and keep masks additive or boolean"},
    {"scheduled as loops", "linalg.matmul", "fix the dims of the matrices with --dim, or keep the weights constant"},
    {"a copy is needed", "tensor.collapse_shape",
     "export the model so that merged dims lie one after the other, or leave the transpose to the next projection"},
};

llvm::ArrayRef<Refusal> fovea::refusals() { return kRefusals; }

const Refusal *fovea::refusalOf(llvm::StringRef remark) {
  for (const Refusal &refusal : kRefusals)
    if (remark.starts_with(refusal.prefix))
      return &refusal;
  return nullptr;
}
