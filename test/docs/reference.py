"""The generated reference has a page for each dialect and one for the passes, with every operation and pass and its summary: reference.py ROOT DOCS"""
import glob, os, re, sys

root, docs = sys.argv[1:3]
problems, count = [], 0


def check(page, heading):
    global count
    count += 1
    path = os.path.join(docs, page)
    text = open(path).read() if os.path.isfile(path) else ""
    if not re.search(rf"^### `{re.escape(heading)}`.*\n\n_.+_$", text, re.M):
        problems.append(f"expected '{heading}' with its summary in {path}")


for source in sorted(glob.glob(os.path.join(root, "dialects/*/*.td"))):
    dialect = os.path.basename(os.path.dirname(source))
    for name in re.findall(r'^def \w+Op : \w+<"(\w+)"', open(source).read(), re.M):
        check(f"{dialect}.md", f"{dialect}.{name}")
with open(os.path.join(root, "compiler/transforms/Passes.td")) as file:
    for name in re.findall(r'^def \w+ : Pass<"([\w-]+)"', file.read(), re.M):
        check("passes.md", f"-{name}")
print(f"{count} operations and passes, {len(problems)} problems", *problems, sep="\n")
sys.exit(1 if problems or count < 20 else 0)
