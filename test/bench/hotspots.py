"""Where a model's time goes, kernel by kernel, beside what the cores can do.   hotspots.py MODEL_DIR... [--threads 1] [--top 15]

Each launch is timed in many runs, and the multiply-add peak is probed before each run; a launch counts as the lower quartile of its times, as disturbances
only add. Operations are those that the compiler noted for the launch; where it noted none, those of the graph's products, given to launches by node name.
"""
import argparse, os, shutil, statistics, sys, tempfile, time
from models import ROOT, Model
from peak import Peak
from peers import Failed, compile_model
import runtime


def lower_quartile(values):
    return sorted(values)[len(values) // 4]


def graph_flops(model, compiled, launches):
    """Operations of each dispatch in `launches` by the graph. A launch has one node's name but may stand for several: a product with weights that no
    launch is named after was merged into the last one before it that is, a product of two activations belongs to the attention around it."""
    positions = {node.name: i for i, node in enumerate(model.onnx.graph.node)}
    constants = {t.name for t in model.onnx.graph.initializer}
    for node in model.onnx.graph.node:
        if all(name in constants for name in node.input):
            constants |= set(node.output)
    named = {}
    for dispatch in launches:
        kernel, node, _, _ = compiled.dispatch(dispatch)
        if node in positions:
            named[positions[node]] = dispatch, kernel
    counted, problem = model.node_flops()
    if problem:
        print(f"{model.name}: operations unknown, {problem}")
    attention = [p for p, (_, kernel) in named.items() if kernel.startswith("attention")]
    products = {positions[node.name] for node, _ in counted} & set(named)
    result = {}
    for node, flops in counted:
        at = positions[node.name]
        if at not in products and not any(name in constants for name in node.input[:2]):
            owner = min(attention, key=lambda p: abs(p - at), default=None)
        else:
            owner = max((p for p in products if p <= at), default=None)
        if owner is not None:
            result[named[owner][0]] = result.get(named[owner][0], 0) + flops
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL_DIR")
    parser.add_argument("--threads", default=1, type=int)
    parser.add_argument("--seconds", default=3.0, type=float, help="how long to measure (default 3)")
    parser.add_argument("--top", default=15, type=int, help="lines to print (default 15)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="build folder (default build/release)")
    a = parser.parse_args()
    peak = Peak(a.build)
    for folder in a.models:
        work = tempfile.mkdtemp(prefix="fovea-hotspots-")
        try:
            model = Model(folder, work)
            artifact, _ = compile_model(model, a.build, work)
            handle = runtime.Runtime(os.path.join(a.build, "lib", "libfovea_runtime.so"), a.threads)
            compiled = runtime.Model(handle, artifact)
            session = runtime.Session(handle, compiled)
            session.bind(model.inputs)
            session.set_profiling(True)
            for _ in range(3):
                session.run()
            end, times, peaks, walls = time.perf_counter() + a.seconds, [], [], []
            while not walls or time.perf_counter() < end:
                peaks.append(peak.multiply_adds(a.threads))
                session.run()
                start = time.perf_counter()
                session.run()
                walls.append(time.perf_counter() - start)
                times.append(session.profile())
            table(model, a, compiled, times, statistics.median(peaks), lower_quartile(walls))
        except Failed as error:
            sys.exit(f"{folder}: {error}")
        finally:
            shutil.rmtree(work)


def table(model, a, compiled, times, peak, wall):
    """Prints launches of the same kernel with the same operations and bytes as one line."""
    lines, dispatches = {}, [dispatch for dispatch, _, _ in times[0] if dispatch is not None]
    by_graph = {} if any(compiled.dispatch(d)[2] for d in dispatches) else graph_flops(model, compiled, dispatches)
    for launch, (dispatch, kernel, _) in enumerate(times[0]):
        seconds = lower_quartile([run[launch][2] for run in times]) * 1e-9
        _, node, flops, size = compiled.dispatch(dispatch) if dispatch is not None else ("", "", 0, 0)
        flops = flops or by_graph.get(dispatch, 0)
        line = lines.setdefault((compiled.kernel_name(kernel), flops, size), [0, 0.0, node])
        line[0] += 1
        line[1] += seconds
    total = sum(line[1] for line in lines.values())
    print(f"{model.name}, {a.threads} thread(s): {wall * 1e3:.3f} ms a run, {total * 1e3:.3f} ms in kernels; peak {peak * 1e-9:.0f} GF/s")
    print(f"{'share':>6} {'launches':>8} {'us each':>9} {'MFLOP':>9} {'of peak':>7} {'GB/s':>6}  kernel (first node)")
    for (kernel, flops, size), (count, seconds, node) in sorted(lines.items(), key=lambda item: -item[1][1])[:a.top]:
        mega = f"{flops * 1e-6:.2f}" if flops else "-"
        share = f"{flops * count / seconds / peak:.1%}" if flops else "-"
        rate = f"{size * count / seconds * 1e-9:.1f}" if size else "-"
        print(f"{seconds / total:6.1%} {count:8} {seconds / count * 1e6:9.1f} {mega:>9} {share:>7} {rate:>6}  {kernel} ({node})")
    print()


if __name__ == "__main__":
    main()
