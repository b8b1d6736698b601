# Functions for plugins of the compiler; part of find_package(Fovea). examples/pass-plugin uses all of them.
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# fovea_add_plugin(NAME SOURCES...): NAME.so in the build folder, for fovea-compile --plugin=NAME.so.
function(fovea_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${name} PRIVATE Fovea::FoveaCompiler)
  target_compile_options(${name} PRIVATE -Wno-unused-parameter -Wno-deprecated-declarations)
  # What Fovea does not have is an error of the build, not of a compile later on.
  target_link_options(${name} PRIVATE LINKER:-z,defs)
  set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

# fovea_add_dialect(TARGET FILE.td DIALECT): Dialect.{h,cpp}.inc and Ops.{h,cpp}.inc in the build folder, for the sources of a target
# that is made later. Such a file may include "dialects/data/Interfaces.td" and MLIR's.
function(fovea_add_dialect target file dialect)
  include_directories(SYSTEM ${FOVEA_COMPILER_INCLUDE_DIR} ${FOVEA_COMPILER_INCLUDE_DIR}/dialects ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  set(LLVM_TARGET_DEFINITIONS ${file})
  mlir_tablegen(Dialect.h.inc -gen-dialect-decls -dialect=${dialect})
  mlir_tablegen(Dialect.cpp.inc -gen-dialect-defs -dialect=${dialect})
  mlir_tablegen(Ops.h.inc -gen-op-decls -dialect=${dialect})
  mlir_tablegen(Ops.cpp.inc -gen-op-defs -dialect=${dialect})
  add_public_tablegen_target(${target})
endfunction()

# fovea_add_plugin_tests(PLUGIN FOLDER): each .mlir file of a folder with a RUN line, under lit, as the test PLUGIN.FOLDER (after enable_testing()). In RUN lines the tools of
# Fovea and LLVM are found by name, and %plugin is the plugin.
function(fovea_add_plugin_tests plugin folder)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  find_program(FOVEA_LIT NAMES lit lit-22 HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
  add_test(NAME ${plugin}.${folder}
    COMMAND ${Python3_EXECUTABLE} ${FOVEA_LIT} -v -D fovea=${FOVEA_TOOLS_DIR} -D llvm=${LLVM_TOOLS_BINARY_DIR} -D plugin=$<TARGET_FILE:${plugin}>
            -D work=${CMAKE_CURRENT_BINARY_DIR}/${folder} ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
endfunction()
