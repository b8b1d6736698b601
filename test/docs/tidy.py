"""clang-tidy has nothing to say about any source of the project: tidy.py ROOT --tidy CLANG_TIDY --build DIR --work DIR

The checks stand in .clang-tidy and runtime/.clang-tidy. The files are those that DIR/compile_commands.json builds, without what is generated.
A file that was found clean is left out until its text, that of one of the project's headers it includes, its command or the checks change;
clean.json in the folder of --work keeps what was seen.
"""
import argparse, concurrent.futures, hashlib, json, os, re, shlex, subprocess, sys

PLANTED = """struct Shape {
  virtual double area() const;
};
struct Circle : Shape {
  virtual double area() const;
};
"""


class Sources:
    """What clang-tidy would see of a source: a hash of its text and of the project's headers, as far as they are included."""

    def __init__(self, root, ground):
        self.root, self.ground, self.texts = os.path.realpath(root) + os.sep, ground, {}

    def text(self, path):
        if path not in self.texts:
            with open(path, "rb") as file:
                self.texts[path] = file.read()
        return self.texts[path]

    def includes(self, path, folders):
        found = []
        for name in re.findall(rb'^\s*#\s*include\s*"([^"]+)"', self.text(path), re.M):
            for folder in (os.path.dirname(path), *folders):
                header = os.path.realpath(os.path.join(folder, name.decode()))
                if os.path.isfile(header):
                    if header.startswith(self.root):
                        found.append(header)
                    break
        return found

    def seen(self, path, command):
        words = shlex.split(command)
        folders = [word[2:] for word in words if word.startswith("-I")]
        todo, files = [os.path.realpath(path)], set()
        while todo:
            if (at := todo.pop()) not in files:
                files.add(at)
                todo += self.includes(at, folders)
        # Where the project lies changes nothing.
        state = hashlib.sha256(self.ground + command.replace(self.root, "").encode())
        for file in sorted(files):
            state.update(file.removeprefix(self.root).encode() + b"\0" + hashlib.sha256(self.text(file)).digest())
        return state.hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    for name in ("--tidy", "--build", "--work"):
        parser.add_argument(name, required=True)
    a = parser.parse_args()
    os.makedirs(a.work, exist_ok=True)

    def tidy(*words):
        done = subprocess.run([a.tidy, "--quiet", *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    planted = os.path.join(a.work, "planted.cpp")
    with open(planted, "w") as file:
        file.write(PLANTED)
    code, text = tidy(f"--config-file={a.root}/.clang-tidy", planted, "--", "-std=c++20")
    if code == 0 or "modernize-use-override" not in text:
        sys.exit(f"expected the planted mistake to be found, got {code}\n{text}")

    with open(os.path.join(a.build, "compile_commands.json")) as file:
        commands = {os.path.join(entry["directory"], entry["file"]): entry["command"] for entry in json.load(file)}
    inside = os.path.realpath(a.build) + os.sep
    files = sorted(f for f in commands if not os.path.realpath(f).startswith(inside) and f.endswith(".cpp"))
    # From a test of all, not of a few.
    if len(files) < 20:
        sys.exit(f"expected the sources in compile_commands.json, got {len(files)}")

    ground = subprocess.run([a.tidy, "--version"], capture_output=True, check=True).stdout
    for folder in ("", "runtime"):
        with open(os.path.join(a.root, folder, ".clang-tidy"), "rb") as file:
            ground += file.read()
    sources = Sources(a.root, ground)
    now = {f: sources.seen(f, commands[f]) for f in files}
    kept = os.path.join(a.work, "clean.json")
    try:
        with open(kept) as file:
            known = set(json.load(file))
    except (OSError, ValueError):
        known = set()
    todo = [f for f in files if now[f] not in known]
    # The long ones first, so that no core waits for one at the end.
    todo.sort(key=lambda f: -len(sources.text(os.path.realpath(f))))
    clean = {now[f] for f in files if now[f] in known}

    def keep():
        with open(kept + ".new", "w") as file:
            json.dump(sorted(clean), file)
        os.replace(kept + ".new", kept)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, (code, text) in zip(todo, pool.map(lambda f: tidy("-p", a.build, f), todo)):
            if code == 0:
                clean.add(now[file])
                keep()
            else:
                failed += 1
                print(os.path.relpath(file, a.root), text, sep="\n", flush=True)
    print(f"{len(files)} files, {len(todo)} of them looked at, {failed} with findings")
    sys.exit(1 if failed else 0)


main()
