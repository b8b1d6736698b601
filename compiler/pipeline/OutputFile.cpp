#include "compiler/pipeline/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

using namespace mlir;
namespace fs = llvm::sys::fs;

static FailureOr<std::error_code> write(llvm::raw_fd_ostream &stream, bool close,
                                        llvm::function_ref<LogicalResult(llvm::raw_fd_ostream &)> contents) {
  LogicalResult result = contents(stream);
  close ? stream.close() : stream.flush();
  std::error_code status = stream.error();
  stream.clear_error();
  if (failed(result))
    return failure();
  return status;
}

FailureOr<std::error_code> fovea::writeFile(llvm::StringRef path,
                                            llvm::function_ref<LogicalResult(llvm::raw_fd_ostream &)> contents) {
  if (path == "-" || (fs::exists(path) && !fs::is_regular_file(path))) {
    std::error_code status;
    llvm::raw_fd_ostream stream(path, status);
    return status ? FailureOr<std::error_code>(status) : write(stream, /*close=*/false, contents);
  }
  // Not fs::TempFile, which takes each '%' of a path for a digit to choose.
  std::string part = (path + "." + llvm::Twine(llvm::sys::Process::getProcessId()) + ".part").str();
  int descriptor;
  if (std::error_code status = fs::openFileForWrite(part, descriptor))
    return status;
  llvm::sys::RemoveFileOnSignal(part);
  FailureOr<std::error_code> status = failure();
  {
    llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    status = write(stream, /*close=*/true, contents);
  }
  if (succeeded(status) && !*status)
    status = fs::rename(part, path);
  if (failed(status) || *status)
    (void)fs::remove(part); // what is to be said is why
  llvm::sys::DontRemoveFileOnSignal(part);
  return status;
}
