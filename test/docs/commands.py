"""Runs the commands in the code blocks of README.md and examples/*/README.md that start with a tool of Fovea, one after the other, on a small model.

    commands.py ROOT --bin DIR --work DIR
"""
import argparse, glob, os, re, shutil, subprocess, sys

parser = argparse.ArgumentParser()
parser.add_argument("root")
parser.add_argument("--bin", required=True)
parser.add_argument("--work", required=True)
a = parser.parse_args()
models = os.path.join(a.root, "test/models")
sys.path.insert(0, models)
import fill

shutil.rmtree(a.work, ignore_errors=True)
shutil.copytree(os.path.join(models, "transformer-base-encoder-dyn"), a.work)
fill.fill(a.work)
os.rename(os.path.join(a.work, "inputs.npz"), os.path.join(a.work, "in.npz"))
ran, failed = 0, 0
for page in [os.path.join(a.root, "README.md")] + sorted(glob.glob(os.path.join(a.root, "examples/*/README.md"))):
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", open(page).read(), re.S | re.M):
        for line in block.splitlines():
            command = line.split(" #")[0].strip()
            if not command.startswith("fovea-"):
                continue
            ran += 1
            environment = dict(os.environ, PATH=a.bin + os.pathsep + os.environ["PATH"], DIR=os.path.join(a.work, "dumps"))
            command = re.sub(r"\bDIR\b", '"$DIR"', command)
            done = subprocess.run(["bash", "-c", command], cwd=a.work, env=environment, capture_output=True, text=True)
            print("ok    " if done.returncode == 0 else "failed", command)
            if done.returncode != 0:
                failed += 1
                print(f"  {os.path.relpath(page, a.root)}: exit code {done.returncode}\n{done.stderr}")
print(ran, "commands,", failed, "failed")
shutil.rmtree(a.work)
sys.exit(1 if failed or ran < 5 else 0)
