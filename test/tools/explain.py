"""--explain names every kernel with its figures, and the manifest carries them; --require-fused refuses what was missed."""
import json
from harness import Tools, arguments, expect

t = Tools(arguments())
small = t.small(rows=32)
text = t.compile(small, "-o", t.path("s.fovea"), "--explain").stdout
for word in ("entry main", "project", "matmul", "flops", "bytes of activations", "predicted", "arena", "weights"):
    expect(word in text, f"'{word}' in the report, got\n{text}")
t.compile(small, "-o", t.path("s.fovea"), f"--explain={t.path('s.json')}")
report = json.load(open(t.path("s.json")))
kernels = report["entries"][0]["kernels"]
matmul = next(k for k in kernels if k["lowering"] == "matmul")
expect(matmul["flops"] >= 2 * 32 * 64 * 48, f"the product's operations, got {matmul['flops']}")
expect(matmul["activation_bytes"] >= 4 * 32 * (64 + 48), f"x and the product among the bytes moved, got {matmul['activation_bytes']}")
expect(report["entries"][0]["activation_bytes"] == sum(k["activation_bytes"] for k in kernels), "the sum of the bytes moved")
expect(report["weight_bytes"] >= 4 * (64 * 48 + 48), "the weights' bytes")

# The manifest says the same.
manifest = json.loads(t.run("fovea-inspect", t.path("s.fovea"), "--json").stdout)
entry = manifest["entries"][0]
expect(sum(d["flops"] for d in entry["dispatches"]) == sum(k["flops"] for k in kernels), "the same operations in the manifest")
ends = [int(b["offset"]) + int(b["bytes"]) for b in entry["buffers"]]
expect(max(ends) <= int(entry["arena"]) < max(ends) + 64, f"an arena that just holds the buffers, got {entry['arena']} for {ends}")
for buffer in entry["buffers"]:
    expect(buffer["first"] < buffer["last"] < len(entry["dispatches"]), f"a lifetime among the dispatches, got {buffer}")

# Symbolic sizes are expressions in the dims' names.
t.compile(t.small(), "-o", t.path("d.fovea"), f"--explain={t.path('d.json')}")
kernels = json.load(open(t.path("d.json")))["entries"][0]["kernels"]
expect(any("rows" in str(k["flops"]) for k in kernels), f"operations in terms of 'rows', got {kernels}")

# Attention of the source and its kernels; nothing missed.
encoder = t.model("transformer-base-encoder-dyn")
t.compile(encoder, "-o", t.path("e.fovea"), f"--explain={t.path('e.json')}")
report = json.load(open(t.path("e.json")))
expect(len(report["attention"]) == 6 and all(a["kernel"] for a in report["attention"]), f"six attentions with kernels, got {report['attention']}")
if not report["missed"]:
    t.compile(encoder, "-o", t.path("e.fovea"), "--require-fused")

# A refusal: the attention kernel is forbidden.
done = t.compile(encoder, "-o", t.path("no.fovea"), "--lowering=-attention", "--require-fused", code=2)
expect("missed tile" in done.stderr and "it is forbidden" in done.stderr, f"the refusals, got {done.stderr}")
# Only for some operations: matrix products are all as they should be.
t.compile(encoder, "-o", t.path("no.fovea"), "--lowering=-attention", "--require-fused=linalg.matmul,attn.attention", code=2)
t.compile(encoder, "-o", t.path("e.fovea"), "--lowering=-attention", "--require-fused=linalg.matmul", f"--explain={t.path('r.json')}")
done = t.compile(encoder, "-o", t.path("no.fovea"), "--require-fused=softmax", code=1)
expect("nothing is refused for 'softmax'" in done.stderr, f"an error, got {done.stderr}")
(refused,) = [r for r in json.load(open(t.path("r.json")))["missed"] if r["kind"] == "tile"]
expect(refused["operation"] == "attn.attention" and refused["kernels"] and refused["nodes"] and refused["remedy"], f"place and remedy, got {refused}")
text = t.compile(encoder, "-o", t.path("e.fovea"), "--lowering=-attention", "--explain").stdout
expect(f"kernels: {', '.join(refused['kernels'])}" in text, f"the kernels, got {text}")
expect("missed: tile: scheduled as attention-general" in text and "remedy" in text, "the refusals in the report")

# Before there are kernels the report is what was refused.
text = t.compile(encoder, "--compile-to=fuse", "-o", t.path("fuse.mlir"), "--explain").stdout
expect("weights" not in text and "attention" not in text, f"no more than refusals, got {text}")

# What the user put between the phases.
t.compile(t.small(), "-o", t.path("i.fovea"), "--insert=after:fuse=cse", f"--explain={t.path('i.json')}")
inserted = json.load(open(t.path("i.json")))["inserted"]
expect(inserted == [{"after": "fuse", "pipeline": "cse"}], f"the inserted pass, got {inserted}")
