"""examples/pass-plugin/README.md, step by step: each ```sh block in one shell after the other, each line of the ```text block behind it in its output.
The steps begin in an empty folder and end with the tests of the whole template."""
import os, re, shutil, sys
from installed import Installed, expect

with Installed() as t:
    # The template as a user has it: no repository around it.
    template, folder = os.path.join(t.work, "template"), os.path.join(t.work, "empty")
    shutil.copytree(os.path.join(t.source, "examples/pass-plugin"), template)
    os.mkdir(folder)
    page = open(os.path.join(template, "README.md")).read()
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```", page, re.S | re.M)
    expect([kind for kind, _ in blocks] == ["sh", "text"] * (len(blocks) // 2) and len(blocks) >= 12, "commands, each followed by what they print")
    # The compiler of this build, whatever the reader's is called.
    tools = os.path.join(t.work, "tools")
    os.mkdir(tools)
    os.symlink(shutil.which(t.args.cc), os.path.join(tools, "clang-22"))
    os.symlink(shutil.which(t.args.cxx), os.path.join(tools, "clang++-22"))
    for (_, commands), (_, output) in zip(blocks[::2], blocks[1::2]):
        print(commands, flush=True)
        # The folder that a block ends in is where the next one begins.
        printed = t.run("bash", "-euc", commands + "\npwd > $WORK/folder", folder=folder, FOVEA=t.prefix, TEMPLATE=template, WORK=t.work,
                        PATH=tools + os.pathsep + os.environ["PATH"])
        for line in output.splitlines():
            if line.strip() not in printed:
                sys.exit(f"expected a line with\n  {line.strip()}\ngot\n{printed}")
        folder = open(os.path.join(t.work, "folder")).read().strip()
    # Skeletons do not overwrite, and say what they need.
    new = os.path.join(template, "new.py")
    empty = os.path.join(t.work, "nothing")
    os.mkdir(empty)
    expect("there is no plugin in this folder" in t.run(sys.executable, new, "pass", "some-pass", folder=empty, code=1), "an error")
    t.run(sys.executable, new, "project", "other", folder=empty)
    expect("is there already" in t.run(sys.executable, new, "project", "other", folder=empty, code=1), "an error")
    expect("expected a name in kebab-case" in t.run(sys.executable, new, "pass", "SomePass", folder=empty, code=1), "an error")
