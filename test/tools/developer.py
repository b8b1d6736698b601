"""fovea-opt, fovea-reduce and fovea-lsp-server know all dialects and passes."""
import json, os, subprocess
from harness import Tools, arguments, expect

t = Tools(arguments())
small = t.small()
t.compile(small, "--compile-to=fuse", "-o", t.path("fuse.mlirbc"))
expect("exec.kernel" in t.run("fovea-opt", t.path("fuse.mlirbc"), "--cse").stdout, "the dump as text")
expect("--load-pass-plugin" in t.run("fovea-opt", "--help").stdout, "plugins")
done = t.run("fovea-opt", t.path("fuse.mlirbc"), "--load-pass-plugin=no-such-library.so")
expect("Failed to load passes" in done.stderr, f"MLIR's message about the plugin, got {done.stderr}")

# A reduction: whatever still has a matmul in it is interesting.
t.compile(small, "--compile-to=import", "-o", t.path("import.mlir"))
with open(t.path("interesting.sh"), "w") as script:
    script.write("#!/bin/sh\ngrep -q 'linalg' \"$1\" && exit 1\nexit 0\n")
os.chmod(t.path("interesting.sh"), 0o755)
text = t.run("fovea-reduce", t.path("import.mlir"), f"--reduction-tree=traversal-mode=0 test={t.path('interesting.sh')}").stdout
expect("linalg" in text, f"a reduced module, got {text}")

# The language server: the handshake, and the diagnostic of a module that breaks a rule of ours.
def message(**body):
    text = json.dumps({"jsonrpc": "2.0", **body})
    return f"Content-Length: {len(text)}\r\n\r\n{text}"

wrong = "%0 = exec.input_dim 0, 0 : index"
talk = message(id=1, method="initialize", params={"processId": 1, "rootUri": None, "capabilities": {}}) + message(
    method="textDocument/didOpen",
    params={"textDocument": {"uri": "test:///x.mlir", "languageId": "mlir", "version": 1, "text": wrong}}) + message(
    id=2, method="shutdown") + message(method="exit")
done = subprocess.run([os.path.join(t.bin, "fovea-lsp-server")], input=talk, capture_output=True, text=True, timeout=60)
expect(done.returncode == 0 and "capabilities" in done.stdout, f"a handshake, got {done.returncode} {done.stdout} {done.stderr}")
expect("publishDiagnostics" in done.stdout and "unregistered" not in done.stdout, f"diagnostics of known dialects, got {done.stdout}")
