// Files that are written whole or not at all.
#ifndef FOVEA_COMPILER_PIPELINE_OUTPUTFILE_H
#define FOVEA_COMPILER_PIPELINE_OUTPUTFILE_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <system_error>

namespace fovea {

/// Writes a file beside `path` that takes its place at the end. If `contents` fails, the system does, or a signal ends
/// the process, it is removed, and what was at `path` is as it was. What can have nothing beside it is written to at
/// once: "-", which is standard output, and what is no regular file, such as /dev/stdout.
/// Fails if `contents` does; what the system says is returned.
mlir::FailureOr<std::error_code> writeFile(llvm::StringRef path,
                                           llvm::function_ref<mlir::LogicalResult(llvm::raw_fd_ostream &)> contents);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_OUTPUTFILE_H
