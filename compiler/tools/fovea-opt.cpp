// Runs passes over IR in text or bytecode form; `fovea-opt --help` lists them.
#include "compiler/pipeline/Registration.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  fovea::registerDialects(registry);
  fovea::registerPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Fovea's optimizer driver\n", registry));
}
