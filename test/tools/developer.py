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

# A reduction: whatever has a multiplication in it is interesting.
t.compile(small, "--compile-to=import", "-o", t.path("import.mlirbc"))
with open(t.path("fails.sh"), "w") as script:
    script.write(f"#!/bin/sh\n{os.path.join(t.bin, 'fovea-compile')} \"$1\" --compile-to=simplify | grep -q mulf && exit 7\nexit 0\n")
os.chmod(t.path("fails.sh"), 0o755)
done = t.run("fovea-reduce", t.path("import.mlirbc"), "-o", t.path("reduced.mlirbc"), "--", t.path("fails.sh"), "{}")
expect("exit code 7" in done.stdout, f"the exit code, got {done.stdout}")
text = t.run("fovea-opt", t.path("reduced.mlirbc")).stdout
expect("reduction" in text and "attn.softmax" not in text and text.count("linalg.generic") == 1, f"the product alone, got {text[:3000]}")
done = t.run("fovea-reduce", t.path("import.mlirbc"), "-o", t.path("reduced.mlirbc"), "--", "true", code=1)
expect("nothing to look for" in done.stderr, f"an error, got {done.stderr}")
t.run("fovea-reduce", t.path("missing.mlirbc"), "-o", t.path("reduced.mlirbc"), "--", "false", code=1)
t.run("fovea-reduce", t.path("import.mlirbc"), "-o", t.path("reduced.mlirbc"), "--", "no-such-command", code=1)
t.run("fovea-reduce", t.path("import.mlirbc"), "-o", t.path("no-such-folder/reduced.mlirbc"), "--", "false", code=4)

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
