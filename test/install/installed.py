"""What the tests of the installed tree share: a folder outside of the repository, and commands in it."""
import argparse, os, shutil, subprocess, sys, tempfile


class Installed:
    def __init__(self):
        parser = argparse.ArgumentParser()
        for name in ("--prefix", "--source", "--cc", "--cxx", "--cmake"):
            parser.add_argument(name, required=True)
        self.args = parser.parse_args()
        self.prefix, self.source = self.args.prefix, self.args.source

    def __enter__(self):
        self.work = tempfile.mkdtemp(prefix="fovea-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.work)

    def run(self, *command, code=0, folder=None, **variables):
        """The output of a command, standard output and errors together."""
        done = subprocess.run(list(map(str, command)), cwd=folder or self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=dict(os.environ, **variables))
        if done.returncode != code:
            sys.exit(f"{' '.join(map(str, command))}\nexpected exit code {code}, got {done.returncode}\n{done.stdout}")
        return done.stdout

    def tool(self, name, *words, code=0):
        return self.run(os.path.join(self.prefix, "bin", name), *words, code=code)


def expect(condition, what):
    if not condition:
        sys.exit(f"expected {what}")
