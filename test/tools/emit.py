"""What --emit writes: an archive that a C compiler takes, LLVM IR, graphs after every phase."""
import os, re, shutil, subprocess
from harness import Tools, arguments, expect, same

t = Tools(arguments())
small = t.small()

# The static library: objects, a header that C takes, the weights as the artifact has them.
t.compile(small, "--emit=static-lib", "-o", t.path("small.a"))
header, weights = open(t.path("small.h")).read(), open(t.path("small.weights"), "rb").read()
expect("extern const fovea_host_image" in header and "rows" in header, f"the entry's signature in the header, got {header}")
t.compile(small, "-o", t.path("small.fovea"))
expect(weights and weights in open(t.path("small.fovea"), "rb").read(), "the weights section of the artifact")
t.compile(small, "--emit=static-lib", "-o", t.path("again.a"))
expect(same(t.path("small.a"), t.path("again.a")), "the same archive from a second compile")
done = t.compile(small, "--emit=static-lib", "--cpu=x86-64-v3,x86-64-v4", "-o", t.path("two.a"), code=1)
expect("one table of kernels" in done.stderr, "a reason")
compiler = shutil.which("clang-22") or shutil.which("cc")
if compiler:
    with open(t.path("main.c"), "w") as file:
        file.write('#include "small.h"\n#include <stdio.h>\nint main(void) { printf("%u %u\\n", fovea_model_host.entry_count, fovea_model_kernels.kernel_count);'
                   ' return fovea_model_host.abi_version != FOVEA_ABI_VERSION; }\n')
    include = os.path.join(t.models, "..", "..", "runtime", "include")
    subprocess.run([compiler, "-I", include, "-Wall", "-Werror", "main.c", "small.a", "-o", "linked"], cwd=t.work, check=True)
    output = subprocess.run([t.path("linked")], capture_output=True, text=True, check=True).stdout
    expect(output.startswith("1 "), f"one entry, got {output}")

# LLVM IR on stdout or in a file, and nothing else.
expect("define" in t.compile(small, "--emit=llvm").stdout, "functions")
t.compile(small, "--emit=llvm", "-o", t.path("small.ll"))
expect("target triple" in open(t.path("small.ll")).read(), "a module in the file")

# Graphs: every edge joins nodes that exist, braces balance; dot itself judges where it is installed.
encoder = t.model("transformer-base-encoder-dyn")
for phase in ("import", "raise", "simplify", "fuse", "tile", "plan"):
    graph = t.compile(encoder, f"--compile-to={phase}", "--emit=dot").stdout
    nodes = set(re.findall(r"^\s*(n\d+) \[", graph, re.M))
    edges = re.findall(r"^\s*(n\d+) -> (n\d+) \[label=\"((?:[^\"\\]|\\.)*)\"\];$", graph, re.M)
    expect(graph.startswith("digraph") and graph.count("{") == graph.count("}"), f"a graph after {phase}")
    expect(len(edges) >= 40 and all(a in nodes and b in nodes for a, b, _ in edges), f"edges between nodes after {phase}, got {len(edges)}")
    expect(len(edges) == graph.count(" -> n"), f"edges of the one form after {phase}")
    expect(any("f32" in label for _, _, label in edges), f"shapes on edges after {phase}")
    if phase != "import":
        expect("fillcolor=orange" in graph, f"attention in its colour after {phase}")
    if phase in ("fuse", "tile"):
        expect("subgraph cluster_0" in graph, f"kernels as clusters after {phase}")
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tcanon"], input=graph, text=True, check=True, stdout=subprocess.DEVNULL)
