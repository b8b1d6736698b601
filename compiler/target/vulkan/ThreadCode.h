// A stage's function as a shader, while it is being written; see ThreadCode.cpp.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_THREADCODE_H
#define FOVEA_COMPILER_TARGET_VULKAN_THREADCODE_H

#include "compiler/target/vulkan/Divergence.h"
#include "compiler/target/vulkan/ShaderModule.h"
#include "compiler/target/vulkan/WideIntegers.h"
#include "compiler/target/vulkan/WordPairs.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace fovea::vulkan {

/// Where an address points.
struct Place {
  enum Kind { none, arguments, buffers, symbols, data, shared, array, choice } kind = none;
  uint8_t buffer = 0; ///< data: the kernel's, or one of the other bindings. arguments: the field
  /// data, shared, array: from the start of the buffer, of the workgroup's memory or of the array; null: none. Their
  /// sum is the place.
  mlir::Value words = {}, bytes = {};
  int64_t constant = 0; ///< bytes, or for arrays elements
  /// choice: one of two places, by a condition.
  mlir::Value condition = {};
  std::shared_ptr<std::pair<Place, Place>> both = {};
  mlir::Value variable = {}; ///< array: the invocation's own
  bool byFour = false;       ///< shared: in the memory that is vectors of four
};

class ThreadCode {
public:
  ThreadCode(mlir::func::FuncOp function, mlir::ModuleOp code, Shader &shader)
      : function(function), wide(function), divergence(function), shader(shader),
        frame(code, function.getLoc(), shader), b(frame.builder()), pairs(b), loc(function.getLoc()) {}
  mlir::FailureOr<mlir::spirv::ModuleOp> write();

private:
  mlir::LogicalResult refuse(mlir::Operation *op, const llvm::Twine &why) {
    return op->emitError("not supported: no shader can do ") << why;
  }
  // Values.
  mlir::Type typeOf(mlir::Value v) const;
  mlir::Value get(mlir::Value v);
  mlir::Value getIndex(mlir::Value v); ///< as i32
  mlir::Value getWide(mlir::Value v, bool asWide);
  /// What a 64-bit integer that is data is.
  mlir::Type wideType() const { return native ? b.getI64Type() : WordPairs::type(b.getContext()); }
  static bool isWide(mlir::Type type) { return type.isInteger(64) || WordPairs::isPair(type); }
  void set(mlir::Value v, mlir::Value is) { values[v] = is; }
  mlir::Value constant(int64_t v) { return frame.constant(static_cast<int32_t>(v)); }
  mlir::Value constant(mlir::Type type, int64_t v) { return mlir::arith::ConstantIntOp::create(b, loc, type, v); }
  /// Bits of an integer of that type, where it is kept in 32 though it is smaller; else 0.
  static unsigned smallBits(mlir::Type type);
  mlir::Value signExtended(mlir::Value v, unsigned bits);
  mlir::Value zeroExtended(mlir::Value v, unsigned bits);
  template <typename Op> mlir::Value make(mlir::Value x, mlir::Value y) { return b.createOrFold<Op>(loc, x, y); }

  // Memory.
  mlir::LogicalResult allocate(mlir::LLVM::AllocaOp op);
  mlir::LogicalResult address(mlir::LLVM::GEPOp op);
  mlir::LogicalResult uniform(mlir::gpu::SubgroupBroadcastOp op);
  Place uniform(Place place);
  mlir::Value pointer(const Place &place, mlir::Value word);
  mlir::Value loadWords(const Place &place, mlir::Value index, unsigned words, unsigned window = 0);
  void withPointer(const Place &place, mlir::Value index, llvm::function_ref<void(mlir::Value pointer)> body);
  /// Windows that a buffer is bound in.
  unsigned windowsOf(const Place &place) const {
    return place.kind == Place::data && place.buffer < windows.size() ? windows[place.buffer] : 1;
  }
  mlir::LogicalResult load(mlir::Operation *op, mlir::Value result, mlir::Value pointer, mlir::Value mask,
                           mlir::Value otherwise);
  mlir::LogicalResult store(mlir::Operation *op, mlir::Value value, mlir::Value pointer, mlir::Value mask);
  mlir::LogicalResult copy(mlir::LLVM::MemcpyOp op);
  mlir::Value loadFour(const Place &place);
  mlir::Value fourPointer(const Place &place, mlir::Value index);
  mlir::Value numberOfFour(const Place &place);
  static bool isByFour(const Place &place, mlir::VectorType type);
  mlir::Value loadFrom(const Place &place, mlir::Type type);
  void storeTo(const Place &place, mlir::Type type, mlir::Value value);
  struct At {
    mlir::Value word, shift; ///< shift: in bits
  };
  At at(const Place &place);
  Place advanced(Place place, mlir::Value elements, int64_t size);
  void under(mlir::Value condition, llvm::function_ref<void()> body);
  mlir::Value either(mlir::Value condition, mlir::Type type, llvm::function_ref<mlir::Value()> then,
                     llvm::function_ref<mlir::Value()> other);
  Place placeOf(uint8_t buffer);
  static bool isWords(const Place &place);
  mlir::LogicalResult isData(mlir::Operation *op, const Place &place);

  // Matrices of subgroups.
  static mlir::Type matrixType(mlir::Type type);
  mlir::FailureOr<mlir::Value> matrixPlace(mlir::Operation *op, mlir::Value memref, mlir::Type element,
                                           llvm::APInt stride, mlir::Value &words);
  std::optional<mlir::LogicalResult> matrices(mlir::Operation *op);

  // Operations.
  mlir::LogicalResult translate(mlir::Block &block);
  mlir::LogicalResult translate(mlir::Operation *op);
  mlir::LogicalResult constantOp(mlir::arith::ConstantOp op);
  mlir::LogicalResult entry(mlir::vector::ExtractOp op);
  mlir::LogicalResult elementwise(mlir::Operation *op);
  mlir::LogicalResult conversion(mlir::Operation *op);
  mlir::LogicalResult wideConversion(mlir::Operation *op, mlir::Value v, mlir::Type to);
  mlir::LogicalResult loop(mlir::scf::ForOp op);
  mlir::LogicalResult branch(mlir::scf::IfOp op);
  mlir::LogicalResult loop(mlir::scf::WhileOp op);
  mlir::LogicalResult choose(mlir::scf::IndexSwitchOp op);
  mlir::LogicalResult barrier(mlir::Operation *op);
  /// What values have become, in the types that those of `like` have here.
  llvm::SmallVector<mlir::Value> getLike(mlir::ValueRange from, mlir::ValueRange like);

  mlir::func::FuncOp function;
  WideIntegers wide;
  Divergence divergence;
  Shader &shader;
  llvm::SmallVector<int64_t> windows; ///< of each buffer of the kernel; empty if all are bound whole
  ShaderModule frame;
  mlir::OpBuilder &b;
  WordPairs pairs;
  bool native = false; ///< 64-bit integers that are data are the device's own, not pairs of words
  mlir::Location loc;
  llvm::DenseMap<mlir::Value, mlir::Value> values;
  llvm::DenseMap<mlir::Value, Place> places;
  llvm::DenseMap<mlir::Value, mlir::DenseElementsAttr> tables; ///< constant vectors that single elements are taken of
  mlir::Value task, tasks;
  int64_t sharedWords[2] = {}; ///< that have an owner; the second of those by four
};

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_THREADCODE_H
