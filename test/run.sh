#!/usr/bin/env bash
# Installs what is missing, builds the release preset and runs every test.   test/run.sh [ctest options]
set -euo pipefail
cd "$(dirname "$0")/.."
.ci/install test
# Python packages of the tests, in an environment of their own.
if ! build/venv/bin/python -c 'import numpy, onnx, onnxruntime, scipy, tokenizers' 2>/dev/null; then
  python3 -m venv build/venv
  build/venv/bin/pip install -q numpy scipy onnx onnxruntime tokenizers
fi
# The runtime under sanitizers: its tests and the corpora of its readers.
for preset in asan-ubsan tsan; do
  cmake --preset $preset -DFOVEA_BUILD_COMPILER=OFF -DPython3_EXECUTABLE="$PWD/build/venv/bin/python" >/dev/null
  cmake --build --preset $preset --parallel "$(nproc)" -- --quiet
  ctest --test-dir build/$preset --output-on-failure --timeout 900 --label-regex runtime --quiet
done
cmake --preset release -DFOVEA_BUILD_TESTS=ON -DFOVEA_PYTHON="$PWD/build/venv/bin/python" -DPython3_EXECUTABLE="$PWD/build/venv/bin/python" >/dev/null
cmake --build --preset release --parallel "$(nproc)" -- --quiet
ctest --test-dir build/release --output-on-failure --timeout 1500 --parallel "$(nproc)" "$@"
