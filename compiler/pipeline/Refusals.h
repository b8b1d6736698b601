// What the phases refuse to raise, fuse or tile: how the remarks begin, and what the author of a model can do about it.
// compiler/REFUSALS.md lists them with the reasons that follow; a test holds the two together.
#ifndef FOVEA_COMPILER_PIPELINE_REFUSALS_H
#define FOVEA_COMPILER_PIPELINE_REFUSALS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace fovea {

struct Refusal {
  llvm::StringLiteral prefix;    ///< of the remark
  llvm::StringLiteral operation; ///< what is not as fast as it could be; as --require-fused takes it
  llvm::StringLiteral remedy;
};

llvm::ArrayRef<Refusal> refusals();

/// The refusal that a remark is; null if it is none of these (a plugin's, for instance).
const Refusal *refusalOf(llvm::StringRef remark);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_REFUSALS_H
