// What `--schedule` asks for: values in the schedules of named kernels.
#ifndef FOVEA_COMPILER_LOWERING_SCHEDULEOVERRIDE_H
#define FOVEA_COMPILER_LOWERING_SCHEDULEOVERRIDE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Support/LLVM.h"

#include <string>
#include <vector>

namespace fovea::lowering {

struct ScheduleOverride {
  std::string kernel; ///< the name of one, as the report of a compile has it; a lowering's name; or "*"
  std::vector<std::pair<std::string, std::string>> values; ///< keys of the schedule, and numbers or true or false

  /// `KERNEL:key=value,key=value`, or `@FILE.json` with the schedules in a file that `--explain=FILE.json` wrote. Adds
  /// to `overrides`; fails with a message.
  static mlir::LogicalResult parse(llvm::StringRef text, std::vector<ScheduleOverride> &overrides, std::string &error);

  /// Adds what this asks of a kernel with the given schedule to `requested`. Keys that the schedule does not have fail
  /// with a message, but are passed over by "*"; `used[i]` is set if values[i] was taken.
  mlir::LogicalResult apply(mlir::DictionaryAttr schedule, mlir::NamedAttrList &requested, std::vector<bool> &used,
                            std::string &error) const;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_SCHEDULEOVERRIDE_H
