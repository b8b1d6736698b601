#!/usr/bin/env bash
# Fuzzes the readers of files, then measures how much of each its corpus covers.   test/fuzz/run.sh [SECONDS] [artifact | npy | onnx ...]
# Fails at a finding, and where a corpus covers less than 85 % of the lines. A finding lies in build/fuzz/findings; when it is fixed, it
# becomes a file of test/corpus/NAME, which every run of the tests replays.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=600
if [[ "${1-}" =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
targets=("$@")
[ $# -gt 0 ] || targets=(artifact npy onnx)
.ci/install test
.ci/venv

build() { # FOLDER TARGET-PREFIX: configured as the arguments before say
  cmake --build "$1" --parallel "$(nproc)" --target make-artifact-seeds "${targets[@]/#/$2}" -- --quiet
}
options=(-DFOVEA_BUILD_COMPILER=OFF -DFOVEA_BUILD_FRONTENDS=ON -DFOVEA_PYTHON="$PWD/build/venv/bin/python" -DPython3_EXECUTABLE="$PWD/build/venv/bin/python")
cmake --preset fuzz "${options[@]}" >/dev/null
build build/fuzz fuzz-
cmake --preset dev -B build/fuzz-coverage "${options[@]}" -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping" >/dev/null
build build/fuzz-coverage replay-

corpus() { # TARGET: the folders of its corpus, freshly made
  local seeds=build/fuzz/seeds/$1
  rm -rf "$seeds"
  case $1 in
    artifact) build/fuzz/bin/make-artifact-seeds "$seeds" ;;
    *) build/venv/bin/python "test/fuzz/make-$1-seeds.py" "$seeds" ;;
  esac
  folders=("$seeds")
  [ ! -d "test/corpus/$1" ] || folders+=("test/corpus/$1")
}

fuzz() {
  mkdir -p "build/fuzz/grown/$1" build/fuzz/findings
  build/fuzz/bin/fuzz-"$1" -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=4096 -artifact_prefix="build/fuzz/findings/$1-" \
    "build/fuzz/grown/$1" "${folders[@]}" 2>"build/fuzz/$1.log" || { tail -n 40 "build/fuzz/$1.log" >&2; return 1; }
  tail -n 1 "build/fuzz/$1.log"
}

coverage() {
  local data=build/fuzz-coverage/$1 sources
  case $1 in
    artifact) sources=(runtime/core/Artifact.cpp runtime/core/MappedFile.cpp) ;;
    npy) sources=(runtime/tools/npy.cpp runtime/tools/npz.cpp runtime/tools/NpyHeader.cpp) ;;
    onnx) sources=(frontends/onnx) ;;
  esac
  LLVM_PROFILE_FILE=$data.profraw build/fuzz-coverage/bin/replay-"$1" "${folders[@]}" >/dev/null
  llvm-profdata-22 merge -o "$data.profdata" "$data.profraw"
  llvm-cov-22 report "build/fuzz-coverage/bin/replay-$1" -instr-profile="$data.profdata" -show-region-summary=false -show-branch-summary=false \
    "${sources[@]/#/$PWD/}" | tee "$data.txt"
  awk '$1 == "TOTAL" { exit $NF + 0 < 85 }' "$data.txt" || { echo "the corpus of $1 covers less than 85 % of the lines" >&2; return 1; }
}

failures=0
for target in "${targets[@]}"; do
  echo "== $target: $seconds s"
  corpus "$target"
  fuzz "$target" || failures=$((failures + 1))
  coverage "$target" || failures=$((failures + 1))
done
exit $((failures > 0))
