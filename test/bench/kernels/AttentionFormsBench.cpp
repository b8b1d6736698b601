// Forms of attention beside what they are without fusion: for each head a product into a matrix of scores, a softmax of
// its rows (with the mask added where there is one), a product with the values, by the same compiler's kernels.
// Additive scores are a loop nest there. Results are compared before anything is timed.
//
//   fovea-bench-attention-forms [machine] [samples] [NAME]
#include "KernelHarness.h"
#include "KernelTexts.h"
#include "Probe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>

using namespace fovea;
using namespace fovea::cpu;

namespace {
struct Form {
  const char *name;
  int64_t m, n, heads, keyHeads, d;
  bool causal = false; ///< M = N
  int64_t left = -1;   ///< of the window; -1: none
  bool additive = false, weights = false;
  int64_t parts = 1;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

std::string tensorOf(std::initializer_list<int64_t> sizes) {
  std::string text = "tensor<";
  for (int64_t size : sizes)
    text += std::to_string(size) + "x";
  return text + "f32>";
}

/// A kernel of static tensors, the last of which is the result; the body yields %y.
std::string kernelText(std::initializer_list<std::pair<std::string, std::initializer_list<int64_t>>> tensors,
                       const std::string &body) {
  std::string shapes, layouts, arguments, last;
  for (const auto &[name, sizes] : tensors) {
    std::string comma = shapes.empty() ? "" : ", ", dims;
    for (int64_t size : sizes)
      dims += (dims.empty() ? "" : ", ") + std::to_string(size);
    shapes += comma + "affine_map<() -> (" + dims + ")>";
    layouts += comma + "#exec.row_major";
    arguments += comma + "%" + name + ": " + (last = tensorOf(sizes));
  }
  return "exec.kernel_def @kernel symbols 0 inits 1 shapes [" + shapes + "] layouts [" + layouts +
         "] schedule {} {\n^bb0(" + arguments + "):\n" + body + "  exec.yield %y : " + last + "\n}\n";
}

class Unfused {
public:
  static std::unique_ptr<Unfused> compile(const Form &f, const Machine &machine) {
    auto u = std::make_unique<Unfused>(f);
    MatmulText product{f.m, f.n, f.d}, values{f.m, f.d, f.n};
    product.panels = values.panels = false, product.transposed = true;
    std::string matrix = tensorOf({f.m, f.n}), q = tensorOf({f.m, f.d}), k = tensorOf({f.n, f.d}), w = tensorOf({f.d});
    std::string additive = kernelText(
        {{"q", {f.m, f.d}}, {"k", {f.n, f.d}}, {"w", {f.d}}, {"out", {f.m, f.n}}},
        "  %zero = arith.constant 0.0 : f32\n  %f = linalg.fill ins(%zero : f32) outs(%out : " + matrix + ") -> " +
            matrix +
            "\n  %y = linalg.generic {indexing_maps = [affine_map<(i, j, d) -> (i, d)>, affine_map<(i, j, d) -> (j, "
            "d)>, affine_map<(i, j, d) -> (d)>, affine_map<(i, j, d) -> (i, j)>], iterator_types = [\"parallel\", "
            "\"parallel\", \"reduction\"]} ins(%q, %k, %w : " +
            q + ", " + k + ", " + w + ") outs(%f : " + matrix +
            ") {\n  ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):\n    %s = arith.addf %a, %b : f32\n    %t = math.tanh %s "
            ": f32\n    %p = arith.mulf %t, %c : f32\n    %r = arith.addf %o, %p : f32\n    linalg.yield %r : f32\n  } "
            "-> " +
            matrix + "\n");
    std::string softmax =
        "  %y = attn.softmax axis(1) ins(%x : " + matrix + ") outs(%out : " + matrix + ") -> " + matrix + "\n";
    std::string masked = "  %e = tensor.empty() : " + matrix +
                         "\n  %x = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> "
                         "(i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = [\"parallel\", \"parallel\"]} "
                         "ins(%s, %mask : " +
                         matrix + ", " + matrix + ") outs(%e : " + matrix +
                         ") {\n  ^bb0(%a: f32, %b: f32, %o: f32):\n    %r = arith.addf %a, %b : f32\n    linalg.yield "
                         "%r : f32\n  } -> " +
                         matrix + "\n" + softmax;
    u->scores = f.additive ? LoadedKernel::compile(additive, "loops", machine)
                           : LoadedKernel::compile(matmulText(product), "matmul", machine);
    u->softmax = LoadedKernel::compile(
        u->hasMask() ? kernelText({{"s", {f.m, f.n}}, {"mask", {f.m, f.n}}, {"out", {f.m, f.n}}}, masked)
                     : kernelText({{"x", {f.m, f.n}}, {"out", {f.m, f.n}}}, softmax),
        "loops", machine);
    u->values = LoadedKernel::compile(matmulText(values), "matmul", machine);
    return u->scores && u->softmax && u->values ? std::move(u) : nullptr;
  }
  explicit Unfused(const Form &f)
      : f(f), out(f.heads * f.m * f.d), weights((f.weights ? f.heads : 1) * f.m * f.n), matrix(f.m * f.n),
        mask(hasMask() ? f.m * f.n : 1) {
    for (int64_t i = 0; hasMask() && i < f.m; ++i)
      for (int64_t j = 0; j < f.n; ++j)
        if ((f.causal && j > i) || (f.left >= 0 && j < i - f.left))
          mask[i * f.n + j] = -std::numeric_limits<float>::infinity();
  }
  bool hasMask() const { return f.causal || f.left >= 0; }

  /// The scale is in the queries already.
  void run(float *q, float *k, float *v, float *w) {
    for (int64_t h = 0; h < f.heads; ++h) {
      int64_t g = h / (f.heads / f.keyHeads);
      float *query = q + h * f.m * f.d, *key = k + g * f.n * f.d, *p = &weights[f.weights ? h * f.m * f.n : 0];
      if (f.additive)
        scores->run({query, key, w, matrix.data()});
      else
        scores->run({query, key, matrix.data()});
      if (hasMask())
        softmax->run({matrix.data(), mask.data(), p});
      else
        softmax->run({matrix.data(), p});
      values->run({p, v + g * f.n * f.d, &out[h * f.m * f.d]});
    }
  }

private:
  Form f;

public:
  bench::Floats out, weights;

private:
  bench::Floats matrix, mask;
  std::unique_ptr<LoadedKernel> scores, softmax, values;
};

/// The greatest difference; NaN if there is one.
double difference(bench::Floats &a, bench::Floats &b) {
  double most = 0;
  for (float *x = a.begin(), *y = b.begin(); x != a.end(); ++x, ++y) {
    double d = std::abs(double(*x) - *y);
    if (std::isnan(d))
      return d;
    most = std::max(most, d);
  }
  return most;
}

/// Compares and times one form; false if something is wrong.
bool measure(const Form &f, const Machine &machine, int samples) {
  AttentionText text{1, f.heads, f.keyHeads, f.m, f.n, f.d, f.d};
  text.scale = 1;
  text.parts = f.parts, text.additive = f.additive, text.weights = f.weights;
  if (f.causal)
    text.attributes += ", causal = #attn.causal<top_left>";
  if (f.left >= 0)
    text.attributes += ", window = array<i64: " + std::to_string(f.left) + ", -1>";
  auto fused = LoadedKernel::compile(attentionText(text), f.parts > 1 ? "attention-general" : "attention", machine);
  auto unfused = Unfused::compile(f, machine);
  if (!fused || !unfused)
    return false;
  bench::Floats q(f.heads * f.m * f.d), k(f.keyHeads * f.n * f.d), v(f.keyHeads * f.n * f.d), w(f.d),
      out(f.heads * f.m * f.d), weights(f.weights ? f.heads * f.m * f.n : 1), scratch(text.scratchBytes() / 4);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (bench::Floats *tensor : {&q, &k, &v, &w})
    for (float &x : *tensor)
      x = normal(random);
  for (float &x : q)
    x /= std::sqrt(float(f.d));
  std::vector<void *> buffers{q.data(), k.data(), v.data()};
  if (f.additive)
    buffers.push_back(w.data());
  buffers.push_back(out.data());
  if (f.weights)
    buffers.push_back(weights.data());
  if (f.parts > 1)
    buffers.push_back(scratch.data());
  auto time = [&](auto &&run) {
    double start = bench::seconds();
    run();
    return bench::seconds() - start;
  };
  auto runFused = [&] { fused->run(buffers); };
  auto runUnfused = [&] { unfused->run(q.data(), k.data(), v.data(), w.data()); };
  runFused(), runUnfused();
  double off = difference(out, unfused->out), offWeights = f.weights ? difference(weights, unfused->weights) : 0;
  if (!(off < 1e-4 && offWeights < 1e-4))
    return std::printf("%s: fused and unfused differ by %g, weights by %g\n", f.name, off, offWeights), false;
  std::vector<double> times, others, ratios;
  for (int i = 0; i < samples; ++i) {
    times.push_back(time(runFused)), others.push_back(time(runUnfused));
    ratios.push_back(others.back() / times.back());
  }
  std::printf("%-16s %5ld x %5ld  %2ld/%2ld x %3ld %12.1f %12.1f %8.2f\n", f.name, f.m, f.n, f.heads, f.keyHeads, f.d,
              median(times) * 1e6, median(others) * 1e6, median(ratios));
  std::fflush(stdout);
  return true;
}
} // namespace

int main(int argc, char **argv) {
  std::string error, name = argc > 1 ? argv[1] : "native", only = argc > 3 ? argv[3] : "";
  int samples = std::max(1, argc > 2 ? std::atoi(argv[2]) : 9);
  auto machine = Machine::named(name, &error);
  if (failed(machine))
    return std::fprintf(stderr, "%s\n", error.c_str()), 1;
  const Form forms[] = {{"full", 2048, 2048, 2, 2, 64},
                        {"causal", 2048, 2048, 2, 2, 64, true},
                        {"full", 4096, 4096, 2, 2, 64},
                        {"causal", 4096, 4096, 2, 2, 64, true},
                        {"windowed", 2048, 2048, 2, 2, 64, true, 255},
                        {"grouped", 512, 512, 8, 2, 64},
                        {"split keys", 1, 8192, 2, 2, 64, false, -1, false, false, 8},
                        {"weights", 512, 512, 4, 4, 64, false, -1, false, true},
                        {"additive", 256, 256, 2, 2, 64, false, -1, true}};
  std::printf("medians of %d samples, %s\n%-16s %13s  %11s %12s %12s %8s\n", samples, name.c_str(), "", "M x N",
              "heads x d", "fused us", "unfused us", "ratio");
  for (const Form &form : forms)
    if ((only.empty() || only == form.name) && !measure(form, *machine, samples))
      return 1;
}
