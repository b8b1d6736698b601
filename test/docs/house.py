"""The rules of the house that a machine can check.   house.py ROOT [--format CLANG-FORMAT]

Without --format: includes go only along the arrows; no tracked file has a path of the machine it was written on; scripts that the README
names exist and are executable. With it: every C++ file is as clang-format leaves it.
"""
import argparse, os, re, subprocess, sys

# Folder -> what it may include of the project besides itself. The first fitting prefix holds.
ARROWS = [
    ("dialects/", []),
    ("frontends/", ["dialects/"]),
    ("compiler/tools/", ["compiler/", "frontends/", "dialects/", "runtime/include/fovea/", "runtime/tools/"]),
    ("compiler/target/cpu/", ["compiler/", "dialects/", "runtime/include/fovea/", "fovea/"]),
    ("compiler/target/vulkan/", ["compiler/", "dialects/", "runtime/include/fovea/", "fovea/"]),
    ("compiler/", ["dialects/", "runtime/include/fovea/", "fovea/"]),
    ("runtime/", ["fovea/"]),
]
NEVER = [("compiler/lowering/", "compiler/target/"), ("compiler/target/cpu/", "compiler/target/vulkan/"), ("compiler/target/vulkan/", "compiler/target/cpu/")]
HOUSE = ("dialects/", "frontends/", "compiler/", "runtime/", "fovea/", "test/")
# Libraries that stop at a border.
FOREIGN = [("runtime/", re.compile(r"^(mlir|llvm|clang|lld)/")), ("dialects/", re.compile(r"^onnx/"))]


def tracked(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode != 0:
        return None
    return [p for p in listed.stdout.split("\0") if p and os.path.isfile(os.path.join(root, p))]


def includes(root, paths):
    problems = []
    for path in paths:
        if not path.endswith((".cpp", ".h", ".c")) or path.startswith("test/"):
            continue
        rule = next((r for r in ARROWS if path.startswith(r[0])), None)
        if rule is None:
            continue
        for line in open(os.path.join(root, path)):
            found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not found:
                continue
            target = found.group(1)
            own = [rule[0]] + ([] if rule[0].startswith("compiler/") else [rule[0]])
            if target.startswith(HOUSE) and not target.startswith(tuple(own + rule[1])):
                problems.append(f"{path} includes {target}: not along an arrow")
            for source, never in NEVER:
                if path.startswith(source) and target.startswith(never):
                    problems.append(f"{path} includes {target}: the targets do not know each other")
            for source, pattern in FOREIGN:
                if path.startswith(source) and pattern.match(target):
                    problems.append(f"{path} includes {target}: that library stops at the border of {source}")
    return problems


def machine_paths(root, paths):
    # Spelt in pieces so that this file passes too.
    pattern = re.compile(rb"(?<![A-Za-z0-9_.$}])/" + rb"(?:home/[a-z]|root/|work/|Users/|tmp/[A-Za-z0-9])")
    problems = []
    for path in paths:
        data = open(os.path.join(root, path), "rb").read()
        if b"\0" in data:
            pattern_here = re.compile(rb"/" + rb"(?:home|work|Users)/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
        else:
            pattern_here = pattern
        for number, line in enumerate(data.split(b"\n"), 1):
            if pattern_here.search(line):
                problems.append(f"{path}:{number}: a path of a machine: {pattern_here.search(line).group(0).decode(errors='replace')}")
                break
    return problems


def scripts(root):
    problems = []
    for name in re.findall(r"^\./(\S+)", open(os.path.join(root, "README.md")).read(), re.M):
        path = os.path.join(root, name)
        if not os.access(path, os.X_OK):
            problems.append(f"README.md names ./{name}, which is no executable file")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--format")
    a = parser.parse_args()
    paths = tracked(a.root)
    if paths is None:
        print("not a git checkout: nothing is tracked")
        return
    if a.format:
        sources = [p for p in paths if p.endswith((".cpp", ".h", ".c"))]
        bad = [p for p in sources if subprocess.run([a.format, "--dry-run", "-Werror", p], cwd=a.root, capture_output=True).returncode != 0]
        print(f"{len(sources)} files, {len(bad)} not formatted", *bad, sep="\n")
        sys.exit(1 if bad else 0)
    problems = includes(a.root, paths) + machine_paths(a.root, paths) + scripts(a.root)
    print(f"{len(paths)} files, {len(problems)} problems", *problems, sep="\n")
    sys.exit(1 if problems else 0)


main()
