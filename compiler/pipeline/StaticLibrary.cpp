// An archive for those who link a model into their program: the objects, what a runtime has to know of them as a C
// header, and the weights.
#include "compiler/lowering/Weights.h"
#include "compiler/pipeline/Artifact.h"
#include "compiler/pipeline/Code.h"
#include "compiler/pipeline/OutputFile.h"
#include "dialects/exec/Exec.h"

#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace fovea;

static std::string withExtension(StringRef path, StringRef extension) {
  llvm::SmallString<256> result(path);
  llvm::sys::path::replace_extension(result, extension);
  return result.str().str();
}

/// NAME.h -> NAME_H, only letters and digits.
static std::string macroOf(StringRef path) {
  std::string macro = "FOVEA_MODEL_";
  for (char c : llvm::sys::path::stem(path))
    macro += llvm::isAlnum(c) ? llvm::toUpper(c) : '_';
  return macro;
}

static void describeTensors(llvm::raw_ostream &out, StringRef kind, ArrayAttr tensors, DictionaryAttr ranges) {
  for (auto [i, tensor] : llvm::enumerate(tensors.getAsRange<DictionaryAttr>())) {
    out << "//   " << kind << " " << i << "  " << tensor.getAs<StringAttr>("name").getValue() << "  "
        << tensor.getAs<TypeAttr>("type").getValue() << "[";
    llvm::interleaveComma(tensor.getAs<ArrayAttr>("dims"), out, [&](Attribute dim) {
      if (auto size = dyn_cast<IntegerAttr>(dim)) {
        out << size.getInt();
        return;
      }
      StringRef name = cast<StringAttr>(dim).getValue();
      out << name;
      if (auto range = ranges.getAs<DenseI64ArrayAttr>(name))
        out << " = " << range[0] << ".." << range[1];
    });
    out << "]";
    if (auto over = tensor.getAs<IntegerAttr>("over"))
      out << ", may be written over input " << over.getInt();
    out << "\n";
  }
}

static void writeHeader(llvm::raw_ostream &out, ModuleOp module, StringRef path, const CompiledCode &code,
                        const lowering::Machine &machine) {
  std::string macro = macroOf(path), library = llvm::sys::path::filename(path).str(),
              weights = withExtension(library, ".weights");
  out << "// " << library << ": a model as objects, made by fovea-compile. Code for " << machine.llvmCpu
      << "; nothing else is needed but memcpy and its like.\n"
      << "// fovea_model_host names `prepare` and `run` of each entry, fovea_model_kernels the kernels that `run` "
         "launches through fovea_host.launch;\n"
      << "// fovea/abi.h says how they are called. fovea_host.weights is the contents of " << weights
      << ", at a multiple of 64.\n//\n";
  for (auto [program, entry] : llvm::zip(module.getOps<exec::ProgramOp>(), code.entries)) {
    out << "// entry " << entry.name << "\n";
    describeTensors(out, "input ", program.getInputs(), program.getRanges());
    describeTensors(out, "output", program.getOutputs(), program.getRanges());
    if (auto arena = program->getAttrOfType<StringAttr>("arena"))
      out << "//   arena     " << arena.getValue() << " bytes\n";
  }
  out << "#ifndef " << macro << "_H\n#define " << macro << "_H\n\n#include \"fovea/abi.h\"\n\n";
  out << "#define " << macro << "_WEIGHT_BYTES " << code.weightBytes << "\n";
  for (auto [i, entry] : llvm::enumerate(code.entries))
    out << "#define " << macro << "_ENTRY_" << StringRef(entry.name).upper() << " " << i << "\n";
  out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
      // The symbols have the names of their types, which C does not allow for variables.
      << "extern const fovea_host_image fovea_model_host __asm__(\"fovea_host_image\");\n"
      << "extern const fovea_kernel_image fovea_model_kernels __asm__(\"fovea_kernel_image\");\n"
      << "#ifdef __cplusplus\n}\n#endif\n\n#endif // " << macro << "_H\n";
}

/// The weights section as it would be in an artifact, one weight in memory at a time.
static LogicalResult writeWeights(llvm::raw_ostream &out, ModuleOp module, const CompiledCode &code) {
  uint64_t written = 0;
  std::vector<char> buffer;
  for (auto weight : module.getOps<exec::WeightDataOp>()) {
    uint64_t start = code.weightOffsets.lookup(weight.getSymName()), size = lowering::packedBytes(weight);
    out.write_zeros(start - written);
    buffer.assign(size, 0);
    if (failed(lowering::packWeight(weight, buffer.data())))
      return failure();
    out.write(buffer.data(), size);
    written = start + size;
  }
  return success();
}

LogicalResult fovea::emitStaticLibrary(ModuleOp module, StringRef path, const EmitOptions &options, bool &environment) {
  CompiledCode code;
  if (failed(compileCode(module, options.machines, /*wantLLVM=*/false, code)))
    return failure();
  auto cannotWrite = [&](StringRef file, const std::string &why) {
    environment = true;
    return module.emitError("cannot write ") << file << ": " << why;
  };
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(llvm::MemoryBufferRef(code.hostObject, "host.o"));
  members.emplace_back(llvm::MemoryBufferRef(code.kernels.front().object, "kernels.o"));
  auto write = [&](const std::string &file,
                   llvm::function_ref<LogicalResult(llvm::raw_ostream &)> contents) -> LogicalResult {
    FailureOr<std::error_code> status = writeFile(file, contents);
    if (failed(status))
      return failure();
    return *status ? LogicalResult(cannotWrite(file, status->message())) : success();
  };
  // Through memory: llvm::writeArchive ends the process where the disk is full.
  auto archive =
      llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab, llvm::object::Archive::K_GNU,
                                 /*Deterministic=*/true, /*Thin=*/false);
  if (!archive)
    return module.emitError("cannot make an archive: ") << llvm::toString(archive.takeError());
  if (failed(write(path.str(), [&](llvm::raw_ostream &out) {
        out << (*archive)->getBuffer();
        return success();
      })))
    return failure();
  if (failed(write(withExtension(path, ".h"), [&](llvm::raw_ostream &out) {
        writeHeader(out, module, path, code, options.machines.front());
        return success();
      })))
    return failure();
  return write(withExtension(path, ".weights"),
               [&](llvm::raw_ostream &out) { return writeWeights(out, module, code); });
}

LogicalResult fovea::emitLLVM(ModuleOp module, llvm::raw_ostream &stream, const EmitOptions &options) {
  CompiledCode code;
  if (failed(compileCode(module, options.machines, /*wantLLVM=*/true, code)))
    return failure();
  for (const KernelCode &kernels : code.kernels)
    stream << kernels.llvmText;
  return success();
}
