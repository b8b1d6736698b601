// Products of matrices that a subgroup makes together (gpu.subgroup_mma_*), as cooperative matrices of SPIR-V.
//
// Matrices lie in the buffers of words, whatever their elements: SPIR-V takes what is there as elements of the matrix
// and counts the stride in words.
#include "compiler/target/vulkan/ThreadCode.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::vulkan;

Type ThreadCode::matrixType(Type type) {
  auto matrix = dyn_cast<gpu::MMAMatrixType>(type);
  if (!matrix)
    return {};
  auto use = matrix.getOperand() == "AOp"   ? spirv::CooperativeMatrixUseKHR::MatrixA
             : matrix.getOperand() == "BOp" ? spirv::CooperativeMatrixUseKHR::MatrixB
                                            : spirv::CooperativeMatrixUseKHR::MatrixAcc;
  return spirv::CooperativeMatrixType::get(matrix.getElementType(), matrix.getShape()[0], matrix.getShape()[1],
                                           spirv::Scope::Subgroup, use);
}

/// The pointer to the first word of a matrix, and words from one row to the next. Null, with an error, if there is
/// none.
FailureOr<Value> ThreadCode::matrixPlace(Operation *op, Value memref, Type element, APInt stride, Value &words) {
  auto cast = memref.getDefiningOp<UnrealizedConversionCastOp>();
  Place place = cast ? places.lookup(cast.getOperand(0)) : Place();
  int64_t bits = stride.getSExtValue() * element.getIntOrFloatBitWidth();
  if (place.kind != Place::data || windowsOf(place) > 1 || bits % 32 != 0)
    return refuse(op, "a matrix that does not lie in one buffer, with rows of whole words");
  words = spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(bits / 32));
  return frame.word(place.buffer, at(place).word);
}

/// Null for what is no operation on matrices.
std::optional<LogicalResult> ThreadCode::matrices(Operation *op) {
  using Layout = spirv::CooperativeMatrixLayoutKHR;
  auto layout = [&](bool transposed) {
    return spirv::CooperativeMatrixLayoutKHRAttr::get(b.getContext(),
                                                      transposed ? Layout::ColumnMajor : Layout::RowMajor);
  };
  Value words;
  if (auto o = dyn_cast<gpu::SubgroupMmaConstantMatrixOp>(op)) {
    set(o.getResult(),
        spirv::CompositeConstructOp::create(b, loc, matrixType(o.getType()), ValueRange(get(o.getValue()))));
  } else if (auto o = dyn_cast<gpu::SubgroupMmaLoadMatrixOp>(op)) {
    Type element = cast<gpu::MMAMatrixType>(o.getType()).getElementType();
    FailureOr<Value> pointer = matrixPlace(op, o.getSrcMemref(), element, o.getLeadDimension(), words);
    if (failed(pointer))
      return failure();
    set(o.getResult(), spirv::KHRCooperativeMatrixLoadOp::create(b, loc, matrixType(o.getType()), *pointer,
                                                                 layout(o.getTranspose().value_or(false)), words,
                                                                 spirv::MemoryAccessAttr(), IntegerAttr()));
  } else if (auto o = dyn_cast<gpu::SubgroupMmaComputeOp>(op)) {
    set(o.getResult(),
        spirv::KHRCooperativeMatrixMulAddOp::create(b, loc, get(o.getOpA()), get(o.getOpB()), get(o.getOpC())));
  } else if (auto o = dyn_cast<gpu::SubgroupMmaStoreMatrixOp>(op)) {
    Type element = cast<gpu::MMAMatrixType>(o.getSrc().getType()).getElementType();
    FailureOr<Value> pointer = matrixPlace(op, o.getDstMemref(), element, o.getLeadDimension(), words);
    if (failed(pointer))
      return failure();
    spirv::KHRCooperativeMatrixStoreOp::create(b, loc, *pointer, get(o.getSrc()),
                                               layout(o.getTranspose().value_or(false)), words,
                                               spirv::MemoryAccessAttr(), IntegerAttr());
  } else {
    return std::nullopt;
  }
  // They exist in this memory model only.
  frame.module().setMemoryModel(spirv::MemoryModel::Vulkan);
  return success();
}
