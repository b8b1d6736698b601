#!/usr/bin/env bash
# Installs what is missing, builds the release preset, measures kernels, whole models beside ONNX Runtime and OpenVINO, and footprints.
# Wants a machine with nothing else to do; all tables go to standard output.   test/bench/run.sh [options of peers.py]
set -euo pipefail
cd "$(dirname "$0")/../.."
.ci/install test >&2
# Rivals are the newest that PyPI has, in an environment of their own.
python=build/venv-bench/bin/python
if ! $python -c 'import numpy, onnx, onnxruntime, openvino, scipy, iree.compiler' 2>/dev/null; then
  python3 -m venv build/venv-bench
  $python -m pip install -q --upgrade numpy onnx onnxruntime openvino scipy iree-base-compiler iree-base-runtime >&2
fi
{
  cmake --preset release -DFOVEA_BUILD_TESTS=ON
  cmake --build --preset release --parallel "$(nproc)" --target fovea-compile fovea-run fovea-bench fovea_runtime fovea-bench-matmul fovea-bench-attention fovea_bench_peak -- --quiet
} >&2

title() { printf '\n== %s\n\n' "$*"; }
models=()
for name in minilm bert-base vit-b16 gpt2-prefill llama-tiny-prefill transformer-base-encoder; do models+=("test/models/$name"); done
threads=1
[ "$(nproc)" -lt 2 ] || threads=1,2

title "Machine"
grep -m 1 'model name' /proc/cpuinfo
echo "$(nproc) CPUs, load $(cut -d ' ' -f 1 /proc/loadavg)"
title "Matrix products, one thread, per cent of the multiply-add peak"
build/release/bin/fovea-bench-matmul
title "Attention, one thread, per cent of the multiply-add peak"
build/release/bin/fovea-bench-attention
title "Forms of attention beside their unfused forms and ONNX Runtime"
$python test/bench/attention.py
title "Bipartite matching beside SciPy"
$python test/bench/matching.py
title "Whole models"
$python test/bench/peers.py "${models[@]}" --threads "$threads" "$@"
title "Where the time goes"
$python test/bench/hotspots.py test/models/minilm test/models/bert-base
title "Footprint"
$python test/bench/footprint.py test/models/bert-base
title "Vulkan, on the first device that can be used"
$python test/bench/vulkan.py
