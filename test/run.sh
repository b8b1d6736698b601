#!/usr/bin/env bash
# Installs what is missing, builds the release preset and runs every test.   test/run.sh [ctest options]
set -euo pipefail
cd "$(dirname "$0")/.."
.ci/install test
.ci/venv
.ci/vulkan-drivers
python="$PWD/build/venv/bin/python"
sanitized() { # PRESET LABELS FRONTENDS
  cmake --preset "$1" -DFOVEA_BUILD_COMPILER=OFF -DFOVEA_BUILD_FRONTENDS="$3" -DFOVEA_PYTHON="$python" -DPython3_EXECUTABLE="$python" >/dev/null
  cmake --build --preset "$1" --parallel "$(nproc)" -- --quiet
  ctest --test-dir "build/$1" --output-on-failure --timeout 900 --label-regex "$2" --quiet
}
# The runtime, and all readers on their corpora. The compiler itself is not built with sanitizers: that takes too long.
sanitized asan-ubsan 'runtime|fuzz' ON
sanitized tsan runtime OFF
cmake --preset release -DFOVEA_BUILD_TESTS=ON -DFOVEA_PYTHON="$python" -DPython3_EXECUTABLE="$python" >/dev/null
cmake --build --preset release --parallel "$(nproc)" -- --quiet
ctest --test-dir build/release --output-on-failure --timeout 1500 --parallel "$(nproc)" "$@"
