// What a stage of a workgroup may do: shared memory within bounds, barriers that every invocation comes to.
#include "compiler/pipeline/Registration.h"
#include "compiler/target/vulkan/Shader.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace {
/// The message with which the stage is refused; empty if it has become a shader.
std::string refusal(const std::string &body,
                    const std::string &attributes = "attributes {fovea.group_size = 64 : i64}") {
  DialectRegistry registry;
  fovea::registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  fovea::vulkan::loadDialects(context);
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
    return success();
  });
  std::string text = R"(func.func @stage(%args: !llvm.ptr, %begin: i64, %end: i64, %workspace: !llvm.ptr) )" +
                     attributes + R"( {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c8 = arith.constant 8 : i64
    %c4096 = arith.constant 4096 : i64
    %index = gpu.thread_id x
    %lane = arith.index_cast %index : index to i64
    %f = arith.constant 1.0 : f32
)" + body + "\n return\n}";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return "not parsed: " + message;
  auto shaders = fovea::vulkan::compileShaders(*module, {"stage"});
  if (failed(shaders))
    return message.empty() ? "failed without a message" : message;
  EXPECT_FALSE(shaders->front().words.empty());
  return "";
}

const std::string kShared = R"(
    %p = llvm.alloca %c4096 x i32 : (i64) -> !llvm.ptr<3>
    %q = llvm.getelementptr %p[%lane] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, f32
    llvm.store %f, %q : f32, !llvm.ptr<3>
)";

TEST(Workgroup, SharesMemoryAndMeets) {
  EXPECT_EQ(refusal(kShared + R"(
    gpu.barrier
    %x = llvm.load %p : !llvm.ptr<3> -> f32
    llvm.store %x, %workspace : f32, !llvm.ptr)"),
            "");
}

TEST(Workgroup, AllInvocationsComeToABarrier) {
  // In loops and branches that are the same for all.
  EXPECT_EQ(refusal(kShared + R"(
    %x = llvm.load %p : !llvm.ptr<3> -> f32
    %positive = arith.cmpf ogt, %x, %f : f32
    scf.if %positive { gpu.barrier }
    scf.for %i = %c0 to %c8 step %c1 : i64 { gpu.barrier })"),
            "");
  const std::string why = "a barrier that not every invocation comes to";
  EXPECT_NE(refusal("%first = arith.cmpi eq, %lane, %c0 : i64\n scf.if %first { gpu.barrier }").find(why),
            std::string::npos);
  EXPECT_NE(refusal("scf.for %i = %lane to %c8 step %c1 : i64 { gpu.barrier }").find(why), std::string::npos);
  EXPECT_NE(refusal("%n = scf.while (%i = %lane) : (i64) -> i64 {\n %more = arith.cmpi slt, %i, %c8 : i64\n"
                    " scf.condition(%more) %i : i64\n } do {\n ^bb0(%i: i64):\n gpu.barrier\n"
                    " %next = arith.addi %i, %c1 : i64\n scf.yield %next : i64\n }")
                .find(why),
            std::string::npos);
  // The value comes from a branch on the lane.
  EXPECT_NE(
      refusal("%first = arith.cmpi eq, %lane, %c0 : i64\n %n = scf.if %first -> (i64) { scf.yield %c1 : i64 } else "
              "{ scf.yield %c8 : i64 }\n scf.for %i = %c0 to %n step %c1 : i64 { gpu.barrier }")
          .find(why),
      std::string::npos);
}

TEST(Workgroup, BoundsAreKept) {
  EXPECT_NE(
      refusal(kShared + "%r = llvm.alloca %c1 x i32 : (i64) -> !llvm.ptr<3>\n llvm.store %f, %r : f32, !llvm.ptr<3>")
          .find("16388 bytes of memory in a workgroup"),
      std::string::npos);
  EXPECT_NE(refusal("%r = llvm.alloca %lane x i32 : (i64) -> !llvm.ptr<3>\n llvm.store %f, %r : f32, !llvm.ptr<3>")
                .find("memory of this kind"),
            std::string::npos);
  EXPECT_NE(refusal("gpu.barrier", "").find("not supported"), std::string::npos);
}
TEST(Workgroup, VectorsOfFourInMemoryMadeForThem) {
  auto memory = [](const std::string &alignment) {
    return "%four = llvm.alloca %c8 x i32" + alignment + " : (i64) -> !llvm.ptr<3>\n";
  };
  const std::string move = "%x = llvm.load %four : !llvm.ptr<3> -> vector<4xf32>\n"
                           "%to = llvm.getelementptr %four[4] : (!llvm.ptr<3>) -> !llvm.ptr<3>, f32\n"
                           "llvm.store %x, %to : vector<4xf32>, !llvm.ptr<3>\n",
                    aligned = " {alignment = 16 : i64}";
  EXPECT_EQ(refusal(memory(aligned) + move +
                    "%y = llvm.load %to : !llvm.ptr<3> -> f32\n"
                    "llvm.store %y, %workspace : f32, !llvm.ptr"),
            "");
  EXPECT_NE(refusal(memory("") + move).find("this load of a vector"), std::string::npos);
  EXPECT_NE(refusal("%x = llvm.load %workspace : !llvm.ptr -> vector<4xf32>\n"
                    "llvm.store %x, %workspace : vector<4xf32>, !llvm.ptr")
                .find("this store of a vector"),
            std::string::npos);
  EXPECT_NE(refusal("%four = llvm.alloca %c1 x i32" + aligned + " : (i64) -> !llvm.ptr<3>\n" + move)
                .find("vectors of four words in memory of another size"),
            std::string::npos);
  // Memory of both kinds counts.
  EXPECT_NE(refusal(kShared + memory(aligned) + move).find("16416 bytes of memory in a workgroup"), std::string::npos);
}
} // namespace
