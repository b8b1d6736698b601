#!/usr/bin/env bash
# From nothing to sentence embeddings: installs what is missing, builds Fovea, fetches all-MiniLM-L6-v2, compiles it, embeds sentences.
#   examples/quickstart.sh [--device=vulkan] [SENTENCE...]
set -euo pipefail
cd "$(dirname "$0")/.."
device=build
for argument; do case $argument in --device=vulkan*) device=vulkan ;; esac; done
.ci/install $device
if ! build/venv/bin/python -c 'import numpy, tokenizers' 2>/dev/null; then
  python3 -m venv build/venv
  build/venv/bin/pip install -q numpy tokenizers
fi
# Tests are built by test/run.sh; a configuration that has them stays as it is.
[ -f build/release/build.ninja ] || cmake --preset release -DFOVEA_BUILD_TESTS=OFF >/dev/null
cmake --build --preset release --parallel "$(nproc)" --target fovea-compile fovea-run fovea-bench -- --quiet
exec build/venv/bin/python examples/01-sentence-embeddings/embed.py --bin build/release/bin --work build/quickstart "$@"
