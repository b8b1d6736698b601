"""A C program and find_package(Fovea), with the shared and the static library; and the tools where they were moved to."""
import os, re
from installed import Installed, expect

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)
find_package(Fovea 0.1.0 REQUIRED)
foreach(library fovea_runtime fovea_runtime_static)
  add_executable(with_${library} main.c)
  target_link_libraries(with_${library} PRIVATE Fovea::${library})
  set_target_properties(with_${library} PROPERTIES LINKER_LANGUAGE CXX)
endforeach()
"""
PROGRAM = """
#include <fovea/fovea.h>
#include <stdio.h>
int main(void) {
  printf("fovea %s\\n", fovea_version());
  return 0;
}
"""
with Installed() as t:
    headers = os.path.join(t.prefix, "include", "fovea-compiler")
    for folder, _, names in os.walk(headers):
        for name in (name for name in names if name.endswith(".h")):
            for included in re.findall(r'^#include "((?:compiler|dialects)/[^"]+)"', open(os.path.join(folder, name)).read(), re.M):
                expect(os.path.exists(os.path.join(headers, included)), f"{included}, which {name} includes, to be installed")
    for name, text in (("CMakeLists.txt", PROJECT), ("main.c", PROGRAM)):
        with open(os.path.join(t.work, name), "w") as file:
            file.write(text)
    t.run(t.args.cmake, "-G", "Ninja", "-S", ".", "-B", "build", f"-DCMAKE_C_COMPILER={t.args.cc}", f"-DCMAKE_CXX_COMPILER={t.args.cxx}", f"-DCMAKE_PREFIX_PATH={t.prefix}")
    t.run(t.args.cmake, "--build", "build")
    for library in ("fovea_runtime", "fovea_runtime_static"):
        expect(t.run(f"build/with_{library}").startswith("fovea 0.1."), "the version of the library")
    for tool in ("fovea-compile", "fovea-run", "fovea-bench", "fovea-inspect", "fovea-opt"):
        t.tool(tool, "--version")
