"""Every piece of IR in the specifications and in the descriptions of operations and passes parses, verifies and survives a round trip.

    snippets.py ROOT FOVEA-OPT

A piece is a block ```mlir. One that is no whole function or symbol is the body of one: what it uses without defining becomes an operand,
of the type that it is used with.
"""
import glob, os, re, subprocess, sys

root, opt = sys.argv[1:]


def complete(text):
    """The piece as a module."""
    if re.match(r"\s*(//[^\n]*\n\s*)*(func\.func|module|exec\.(program|kernel_def|weight_data)|#)", text):
        return text
    defined = set(re.findall(r"(%\w+)(?::\d+)?\s*=", text))
    used = sorted(set(re.findall(r"%\w+", text)) - defined)
    # The one form that the descriptions have: data.lookup %table[%i, ...] : TYPE.
    table = re.search(r"lookup (%\w+)\[[^\]]*\] : (.*)", text)
    types = {u: "index" for u in used}
    if table:
        types[table.group(1)] = table.group(2).strip()
    arguments = ", ".join(f"{u}: {t}" for u, t in types.items())
    return f"func.func @piece({arguments}) {{\n{text}\nreturn\n}}\n"


count, failed = 0, 0
paths = glob.glob(os.path.join(root, "dialects/*/SPEC.md")) + glob.glob(os.path.join(root, "dialects/*/*.td")) + \
    glob.glob(os.path.join(root, "compiler/**/*.td"), recursive=True)
for path in sorted(paths):
    for text in re.findall(r"```mlir\n(.*?)```", open(path).read(), re.S):
        count += 1
        source = complete(text)
        once = subprocess.run([opt, "-"], input=source, capture_output=True, text=True)
        twice = subprocess.run([opt, "-"], input=once.stdout, capture_output=True, text=True) if once.returncode == 0 else once
        if once.returncode != 0 or twice.returncode != 0 or twice.stdout != once.stdout:
            failed += 1
            print(f"{os.path.relpath(path, root)}:\n{source}\n{once.stderr}{twice.stderr if twice is not once else ''}")
print(count, "pieces,", failed, "failed")
sys.exit(1 if failed or count < 9 else 0)
