"""compiler/REFUSALS.md lists exactly what the sources can refuse, and the remedies that --explain gives.   refusals.py ROOT [--print]"""
import glob, os, re, sys

root = sys.argv[1]
# Where reasons are made, under the heading of the document that has them.
places = {
    "not raised to attention": ["compiler/transforms/RaiseAttention.cpp"],
    "matmul": ["compiler/lowering/Matmul*.cpp"],
    "attention, attention-general": ["compiler/lowering/Attention*.cpp"],
    "matching, top_k, scatter, linear_attention, causal-conv, cache-append, paged-append, paged-attention": ["compiler/lowering/SingleOp.cpp"],
    "loops": ["compiler/lowering/Loops*.cpp"],
}


def expressions(text):
    """Each argument of no(...), refuse(...), and what is returned or assigned to `reason`, as the string literals in it and None for what stands between them."""
    for start in re.finditer(r"\b(?:no|refuse)\(|\breason = (?:\()?|\breturn (?=\")", text):
        at, depth, parts = start.end(), 0, []
        while at < len(text):
            c = text[at]
            if c == '"':
                literal = re.compile(r'"((?:[^"\\]|\\.)*)"').match(text, at)
                if parts and isinstance(parts[-1], str):
                    parts[-1] += literal.group(1)
                else:
                    parts.append(literal.group(1))
                at = literal.end()
                continue
            if c in "([{":
                depth += 1
            elif c in ")]}":
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0 and c in ",;":
                break
            if not c.isspace() and (not parts or parts[-1] is not None):
                parts.append(None)
            at += 1
        # Names that are returned are no reasons.
        if " " in "".join(part for part in parts if part):
            yield parts


def shown(parts):
    # What stands before the first word or right behind the last one is code around the text.
    return re.sub(r"^\.\.\.(?=\w)|(?<=\w)\.\.\.$", "", "".join("..." if part is None else part for part in parts))


found = {}
for heading, patterns in places.items():
    reasons = set()
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(root, pattern))):
            with open(path) as file:
                reasons |= {shown(parts) for parts in expressions(file.read())}
    found[heading] = reasons
with open(os.path.join(root, "compiler/pipeline/Refusals.cpp")) as file:
    table = re.findall(r'\{"([^"]+)", "([^"]+)",\s*((?:"[^"]*"\s*)+)\}', file.read())
found["remedies"] = {f"{prefix} | {operation} | {''.join(re.findall(chr(34) + '([^' + chr(34) + ']*)' + chr(34), remedy))}" for prefix, operation, remedy in table}
if "--print" in sys.argv:
    for heading, reasons in found.items():
        print(f"## {heading}\n")
        print("".join(f"- {reason}\n" for reason in sorted(reasons)))
    sys.exit()

documented, heading = {}, None
with open(os.path.join(root, "compiler/REFUSALS.md")) as file:
    for line in file:
        if line.startswith("## "):
            heading = line[3:].strip()
            documented[heading] = set()
        elif heading and line.startswith("- "):
            documented[heading].add(line[2:].strip())
failed = False
for heading in {**found, **documented}:
    for reason in sorted(found.get(heading, set()) - documented.get(heading, set())):
        failed = True
        print(f"REFUSALS.md, {heading}: missing: {reason}")
    for reason in sorted(documented.get(heading, set()) - found.get(heading, set())):
        failed = True
        print(f"REFUSALS.md, {heading}: no source gives: {reason}")
if len(found["not raised to attention"]) < 10 or len(found["loops"]) < 5 or len(table) < 3:
    failed = True
    print("the sources were not understood")
sys.exit(failed)
