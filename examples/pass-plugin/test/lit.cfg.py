"""Tests that are IR: a RUN line, a file, what must come out. The folders come from fovea_add_plugin_tests."""
import os

import lit.formats

given = lit_config.params
config.name = "plugin"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_exec_root = given["work"]
config.substitutions.append(("%plugin", given["plugin"]))
config.environment["PATH"] = os.pathsep.join([given["fovea"], given["llvm"], os.environ["PATH"]])
