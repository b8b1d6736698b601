#include "compiler/tools/Dumps.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace fovea;

static DialectResourceBlobManager &blobsOf(MLIRContext &context) {
  return DenseResourceElementsHandle::getManagerInterface(&context).getBlobManager();
}

/// The alignment that a blob can claim for where its data lies.
static size_t alignmentOf(const char *data) {
  size_t align = 64;
  while (reinterpret_cast<uintptr_t>(data) % align != 0)
    align /= 2;
  return align;
}

namespace {
/// Takes the data of some blobs away for as long as it lives: the writer has no way to leave out one blob and not
/// another.
class HiddenBlobs {
public:
  HiddenBlobs(MLIRContext &context, ArrayRef<frontend::WeightSource> weights) : blobs(blobsOf(context)) {
    for (const frontend::WeightSource &weight : weights)
      if (auto *entry = blobs.lookup(weight.key); entry && entry->getBlob()) {
        hidden.emplace_back(weight.key, std::move(*entry->getBlob()));
        entry->setBlob(AsmResourceBlob(ArrayRef<char>(), 1, {}, /*dataIsMutable=*/false));
      }
  }
  ~HiddenBlobs() {
    for (auto &[key, blob] : hidden)
      blobs.update(key, std::move(blob));
  }

private:
  DialectResourceBlobManager &blobs;
  std::vector<std::pair<std::string, AsmResourceBlob>> hidden;
};
} // namespace

LogicalResult fovea::writeDump(ModuleOp module, StringRef phase, ArrayRef<frontend::WeightSource> weights,
                               llvm::raw_ostream &stream) {
  Builder b(module.getContext());
  NamedAttrList files;
  for (const frontend::WeightSource &weight : weights) {
    // A dump is read from another folder than it was written from.
    llvm::SmallString<256> path(weight.path);
    if (llvm::sys::fs::make_absolute(path))
      return failure();
    files.set(weight.key, b.getArrayAttr({b.getStringAttr(path), b.getI64IntegerAttr(weight.offset),
                                          b.getI64IntegerAttr(weight.size)}));
  }
  DictionaryAttr before = module->getAttrDictionary();
  module->setAttr(kPhaseAttr, b.getStringAttr(phase));
  module->setAttr(kWeightFilesAttr, files.getDictionary(b.getContext()));
  LogicalResult result = success();
  {
    HiddenBlobs hidden(*module.getContext(), weights);
    result = writeBytecodeToFile(module, stream);
  }
  module->setAttrs(before);
  return result;
}

/// Gives the weights of a dump their data back. Returns an error message, or nothing.
static std::string openWeights(MLIRContext &context, ArrayRef<frontend::WeightSource> weights) {
  DialectResourceBlobManager &blobs = blobsOf(context);
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> files;
  for (const frontend::WeightSource &weight : weights) {
    auto *entry = blobs.lookup(weight.key);
    if (!entry)
      continue; // no longer used
    std::shared_ptr<llvm::MemoryBuffer> &file = files[weight.path];
    if (!file) {
      auto buffer = llvm::MemoryBuffer::getFile(weight.path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
      if (!buffer)
        return "cannot read the weights \"" + weight.path +
               "\" that the dump refers to: " + buffer.getError().message();
      file = std::move(*buffer);
    }
    if (weight.offset > file->getBufferSize() || weight.size > file->getBufferSize() - weight.offset)
      return "the file of weights \"" + weight.path + "\" has " + std::to_string(file->getBufferSize()) +
             " bytes, expected " + std::to_string(weight.size) + " at " + std::to_string(weight.offset);
    ArrayRef<char> data(file->getBufferStart() + weight.offset, weight.size);
    entry->setBlob(
        AsmResourceBlob(data, alignmentOf(data.data()), [file](void *, size_t, size_t) {}, /*dataIsMutable=*/false));
  }
  return "";
}

LoadedDump fovea::readDump(MLIRContext &context, StringRef path) {
  LoadedDump result;
  ParserConfig config(&context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, config);
  if (!module) {
    result.error = "cannot read \"" + path.str() + "\" as IR";
    return result;
  }
  if (auto phase = (*module)->getAttrOfType<StringAttr>(kPhaseAttr))
    result.phase = phase.str();
  if (auto files = (*module)->getAttrOfType<DictionaryAttr>(kWeightFilesAttr))
    for (NamedAttribute file : files) {
      auto place = dyn_cast<ArrayAttr>(file.getValue());
      auto where = place && place.size() == 3 ? dyn_cast<StringAttr>(place[0]) : nullptr;
      auto offset = where ? dyn_cast<IntegerAttr>(place[1]) : nullptr,
           size = where ? dyn_cast<IntegerAttr>(place[2]) : nullptr;
      if (!offset || !size) {
        result.error = "expected [path, offset, size] for the weight \"" + file.getName().str() + "\" of a dump";
        return result;
      }
      result.weights.push_back({file.getName().str(), where.str(), static_cast<uint64_t>(offset.getInt()),
                                static_cast<uint64_t>(size.getInt())});
    }
  (*module)->removeAttr(kPhaseAttr);
  (*module)->removeAttr(kWeightFilesAttr);
  result.error = openWeights(context, result.weights);
  if (result.error.empty())
    result.module = std::move(module);
  return result;
}

void fovea::printText(ModuleOp module, llvm::raw_ostream &stream) {
  // With any other limit MLIR writes down every weight before it drops it.
  module->print(stream,
                OpPrintingFlags().elideLargeElementsAttrs(16).elideLargeResourceString(0).enableDebugInfo(false));
}
