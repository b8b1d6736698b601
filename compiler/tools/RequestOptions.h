// The options of a compile, from text to what the phases take.
#ifndef FOVEA_COMPILER_TOOLS_REQUESTOPTIONS_H
#define FOVEA_COMPILER_TOOLS_REQUESTOPTIONS_H

#include "compiler/pipeline/Phases.h"
#include "compiler/tools/Driver.h"
#include "frontends/onnx/Onnx.h"

namespace fovea {

/// Returns kFine, or another exit code and why in `error`.
int readOptions(const CompileRequest &request, CompileOptions &options, frontend::ImportOptions &importOptions,
                std::string &error);

/// Of a phase: 1 for import, 2 for the first one after it, ...
unsigned numberOf(llvm::StringRef phase);

} // namespace fovea

#endif // FOVEA_COMPILER_TOOLS_REQUESTOPTIONS_H
