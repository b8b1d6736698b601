# What plugins build against: the library, the headers below, the dialects with their .td and generated files.
target_include_directories(FoveaCompiler INTERFACE $<INSTALL_INTERFACE:${FOVEA_COMPILER_INCLUDE_DIR}> ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
set_target_properties(FoveaCompiler PROPERTIES INSTALL_RPATH $ORIGIN)
install(TARGETS FoveaCompiler EXPORT FoveaTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS fovea-compile fovea-opt fovea-lsp-server fovea-reduce RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(header
    pipeline/Plugin.h                                                                          # the entry points of a plugin
    transforms/Ops.h transforms/Structured.h transforms/View.h                                 # questions about operations
    lowering/Lowering.h lowering/Machine.h lowering/KernelCode.h lowering/Body.h                   # kernel lowerings
    lowering/Elements.h lowering/Matmul.h lowering/Attention.h lowering/KeyParts.h                 # kernels taken apart
    reference/Reference.h reference/Evaluator.h)                                               # reference functions
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${FOVEA_COMPILER_INCLUDE_DIR}/compiler/${folder})
endforeach()
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/pipeline/Version.h DESTINATION ${FOVEA_COMPILER_INCLUDE_DIR}/compiler/pipeline)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/dialects ${PROJECT_BINARY_DIR}/dialects DESTINATION ${FOVEA_COMPILER_INCLUDE_DIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc" PATTERN CMakeFiles EXCLUDE PATTERN pch.h EXCLUDE)
