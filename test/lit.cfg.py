"""Tests that are IR: a RUN line, a file, what must come out. lit.site.cfg.py in the build folder, made by CMake, says where the tools lie."""
import os

import lit.formats

config.name = "ir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.environment["PATH"] = os.pathsep.join([config.tools, config.llvm_tools, os.environ["PATH"]])
