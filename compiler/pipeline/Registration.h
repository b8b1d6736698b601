// Everything a tool has to know by name: dialects and passes.
#ifndef FOVEA_COMPILER_PIPELINE_REGISTRATION_H
#define FOVEA_COMPILER_PIPELINE_REGISTRATION_H

namespace mlir {
class DialectRegistry;
}

namespace fovea {
/// Fovea's dialects and those of MLIR that occur in its phases, with their interfaces.
void registerDialects(mlir::DialectRegistry &registry);
/// Fovea's passes and the general ones of MLIR (canonicalize, cse, ...).
void registerPasses();
} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_REGISTRATION_H
