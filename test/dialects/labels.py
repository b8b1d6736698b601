"""The labels of constraints are the same in the specifications, in the verifiers and in the tests.   labels.py ROOT"""
import glob, os, re, sys

LABEL = re.compile(r"\b([a-z][a-z0-9_]*_c[0-9]+)\b")
root, problems = sys.argv[1], []


def read(pattern):
    paths = glob.glob(os.path.join(root, pattern))
    if not paths:
        sys.exit(f"no files {pattern}")
    return "".join(open(p).read() for p in sorted(paths))


for dialect in ("attn", "data", "exec"):
    # Specified: a list item that starts with the label. Verified: in brackets at the end of a message, or handed on as a string of its own.
    specified = set(re.findall(r"^- `([a-z0-9_]+_c[0-9]+)`:", read(f"dialects/{dialect}/SPEC.md"), re.M))
    code = read(f"dialects/{dialect}/*.cpp")
    verified = set(re.findall(r"\[([a-z0-9_]+_c[0-9]+)\]", code)) | set(re.findall(r'"([a-z0-9_]+_c[0-9]+)"', code))
    tests = read(f"test/dialects/{dialect}-invalid.mlir")
    tested = set()
    for case in tests.split("// -----"):
        names = set(LABEL.findall(" ".join(re.findall(r"@([A-Za-z0-9_]+)", case))))
        expected = set(re.findall(r"\[([a-z0-9_]+_c[0-9]+)\]\}\}", case))
        named = {re.match(r"(.*?_c[0-9]+)", n).group(1) for n in re.findall(r"@([a-z0-9_]+_c[0-9]+[a-z0-9_]*)", case)}
        if expected != named:
            problems.append(f"{dialect}-invalid.mlir: a case named for {sorted(named)} expects {sorted(expected)}")
        tested |= expected
    mentioned = set(LABEL.findall(read(f"dialects/{dialect}/*.td")))
    for name, labels in (("verified", verified), ("tested", tested)):
        for label in sorted(specified - labels):
            problems.append(f"{label} is specified but not {name}")
        for label in sorted(labels - specified):
            problems.append(f"{label} is {name} but not specified")
    for label in sorted(mentioned - specified):
        problems.append(f"{label} is in dialects/{dialect}/*.td but not specified")
    print(f"{dialect}: {len(specified)} constraints")
print("\n".join(problems))
sys.exit(1 if problems else 0)
