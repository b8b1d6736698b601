// Fused attention at the shapes of transformers, heads read in place out of a merged QKV buffer: per cent of the
// multiply-add peak that was probed right beside each sample, counting 4 * S * S * d operations a head.
//
// Beside it the unfused form: for each head a product into a matrix of scores, a softmax of its rows, a product with
// the values, by the same compiler's kernels, which pack their right sides. Splitting the heads and scaling the queries
// is not counted.
//
//   fovea-bench-attention [machine] [samples]
#include "KernelHarness.h"
#include "KernelTexts.h"
#include "Probe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

using namespace fovea;
using namespace fovea::lowering;

namespace {
struct Shape {
  int64_t s, heads, d;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// The kernels of one head of the unfused form, and the buffers of all.
class Unfused {
public:
  static std::unique_ptr<Unfused> compile(Shape s, const Machine &machine) {
    auto u = std::make_unique<Unfused>(s);
    MatmulText scores{s.s, s.s, s.d}, values{s.s, s.d, s.s};
    scores.panels = values.panels = false, scores.transposed = true;
    std::string rows = std::to_string(s.s), type = "tensor<" + rows + "x" + rows + "xf32>",
                shape = "affine_map<()[] -> (" + rows + ", " + rows + ")>";
    std::string softmax = "exec.kernel_def @kernel symbols 0 inits 1 shapes [" + shape + ", " + shape +
                          "] layouts [#exec.row_major, #exec.row_major] schedule {} {\n^bb0(%x: " + type +
                          ", %out: " + type + "):\n  %y = attn.softmax axis(1) ins(%x : " + type +
                          ") outs(%out : " + type + ") -> " + type + "\n  exec.yield %y : " + type + "\n}\n";
    u->scores = LoadedKernel::compile(matmulText(scores), "matmul", machine);
    u->softmax = LoadedKernel::compile(softmax, "loops", machine);
    u->values = LoadedKernel::compile(matmulText(values), "matmul", machine);
    return u->scores && u->softmax && u->values ? std::move(u) : nullptr;
  }
  explicit Unfused(Shape s)
      : s(s), q(s.s * s.d * s.heads), k(s.s * s.d * s.heads), v(s.s * s.d * s.heads), out(s.s * s.d * s.heads),
        matrix(s.s * s.s), weights(s.s * s.s) {}

  /// Takes q, k and v out of a merged buffer, head by head, and scales q.
  void load(bench::Floats &qkv, double scale) {
    int64_t inner = s.heads * s.d;
    for (int64_t h = 0; h < s.heads; ++h)
      for (int64_t i = 0; i < s.s; ++i)
        for (int64_t d = 0; d < s.d; ++d) {
          const float *row = &qkv[i * inner * 3 + h * s.d + d];
          int64_t place = (h * s.s + i) * s.d + d;
          q[place] = row[0] * scale, k[place] = row[inner], v[place] = row[2 * inner];
        }
  }
  void run() {
    for (int64_t h = 0; h < s.heads; ++h) {
      int64_t head = h * s.s * s.d;
      scores->run({&q[head], &k[head], matrix.data()});
      softmax->run({matrix.data(), weights.data()});
      values->run({weights.data(), &v[head], &out[head]});
    }
  }
  float at(int64_t h, int64_t i, int64_t d) { return out[(h * s.s + i) * s.d + d]; }

private:
  Shape s;
  bench::Floats q, k, v, out, matrix, weights;
  std::unique_ptr<LoadedKernel> scores, softmax, values;
};
} // namespace

int main(int argc, char **argv) {
  std::string error, name = argc > 1 ? argv[1] : "native";
  int samples = argc > 2 ? std::atoi(argv[2]) : 40;
  auto machine = Machine::named(name, &error);
  if (failed(machine))
    return std::fprintf(stderr, "%s\n", error.c_str()), 1;
  const char *variant = std::getenv("VARIANT");
  std::string kind = variant ? variant : "";
  double logs = 0;
  std::vector<Shape> shapes = {{128, 12, 64}, {128, 12, 32},  {197, 12, 64},
                               {384, 12, 64}, {1024, 12, 64}, {4096, 12, 64}};
  std::printf("%-16s %12s   (median/best of %d samples, %% of the probe; %s)\n", "S x heads x d", "", samples,
              name.c_str());
  for (Shape s : shapes) {
    bool dynamic = kind.find("dynamic") != std::string::npos;
    AttentionText text{1, s.heads, s.heads, dynamic ? -1 : s.s, dynamic ? -1 : s.s, s.d, s.d};
    text.merged = true;
    text.scale = 1 / std::sqrt(double(s.d));
    if (kind.find("causal") != std::string::npos)
      text.attributes = ", causal = #attn.causal<top_left>";
    if (kind.find("keys") != std::string::npos)
      text.mask = "keys";
    if (kind.find("full") != std::string::npos)
      text.mask = "full";
    double begun = bench::seconds();
    auto kernel = LoadedKernel::compile(attentionText(text), "attention", *machine);
    if (!kernel)
      return 1;
    double compiled = bench::seconds() - begun;
    int64_t inner = s.heads * s.d;
    bench::Floats qkv(s.s * inner * 3), out(s.s * inner),
        mask(kind.find("full") != std::string::npos ? s.heads * s.s * s.s : s.s);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float &x : qkv)
      x = normal(random);
    std::vector<void *> buffers{qkv.data()};
    if (!text.mask.empty())
      buffers.push_back(mask.data());
    buffers.push_back(out.data());
    std::vector<int64_t> symbols{s.s};
    kernel->run(buffers, symbols);
    if (text.attributes.empty())
      for (int64_t h = 0; h < s.heads; ++h)
        for (int64_t i = 0; i < s.s; i += std::max<int64_t>(1, s.s / 5)) {
          std::vector<double> p(s.s), o(s.d, 0);
          double maximum = -1e300, sum = 0;
          for (int64_t j = 0; j < s.s; ++j) {
            double dot = 0;
            for (int64_t d = 0; d < s.d; ++d)
              dot += double(qkv[i * inner * 3 + h * s.d + d]) * qkv[j * inner * 3 + inner + h * s.d + d];
            maximum = std::max(maximum, p[j] = dot * text.scale);
          }
          for (double &x : p)
            sum += x = std::exp(x - maximum);
          for (int64_t j = 0; j < s.s; ++j)
            for (int64_t d = 0; d < s.d; ++d)
              o[d] += p[j] / sum * qkv[j * inner * 3 + 2 * inner + h * s.d + d];
          for (int64_t d = 0; d < s.d; ++d)
            if (!(std::abs(o[d] - out[i * inner + h * s.d + d]) < 1e-5))
              return std::printf("wrong at head %ld, row %ld, column %ld: %g, expected %g\n", h, i, d,
                                 out[i * inner + h * s.d + d], o[d]),
                     1;
        }
    // Masks are not part of the unfused form.
    std::unique_ptr<Unfused> unfused;
    if (kind.empty()) {
      if (!(unfused = Unfused::compile(s, *machine)))
        return 1;
      unfused->load(qkv, text.scale);
      unfused->run();
      for (int64_t h = 0; h < s.heads; ++h)
        for (int64_t i = 0; i < s.s; ++i)
          for (int64_t d = 0; d < s.d; ++d)
            if (!(std::abs(unfused->at(h, i, d) - out[i * inner + h * s.d + d]) < 1e-5))
              return std::printf("unfused differs at head %ld, row %ld, column %ld\n", h, i, d), 1;
    }
    double flops = 4.0 * s.s * s.s * s.d * s.heads;
    int64_t calls = std::max<int64_t>(1, std::lround(3e-4 / (flops / 150e9)));
    std::vector<double> rates, peaks, ratios;
    int rounds = std::clamp<int>(std::lround(20 / (flops / 150e9)), 8, samples);
    for (int i = 0; i < rounds; ++i) {
      // Once without a clock, each: neither starts with what the other left in the caches.
      kernel->run(buffers, symbols);
      double before = bench::probe(machine->vectorBits), start = bench::seconds();
      for (int64_t c = 0; c < calls; ++c)
        kernel->run(buffers, symbols);
      double elapsed = bench::seconds() - start, after = bench::probe(machine->vectorBits);
      peaks.push_back((before + after) / 2);
      if (std::max(before, after) < 1.03 * std::min(before, after))
        rates.push_back(100 * flops * calls / elapsed * 1e-9 / ((before + after) / 2));
      if (!unfused)
        continue;
      unfused->run();
      start = bench::seconds();
      for (int64_t c = 0; c < calls; ++c)
        unfused->run();
      ratios.push_back((bench::seconds() - start) / elapsed);
    }
    if (rates.empty())
      rates.push_back(0);
    logs += std::log(median(rates));
    std::printf("%5ldx%3ldx%3ld  %6.1f/%5.1f   %.0f GF/s peak, compiled in %.2f s", s.s, s.heads, s.d, median(rates),
                *std::max_element(rates.begin(), rates.end()), median(peaks), compiled);
    if (unfused)
      std::printf(", unfused takes %.2f times as long", median(ratios));
    std::printf("\n");
    std::fflush(stdout);
  }
  std::printf("geometric mean: %.1f\n", std::exp(logs / shapes.size()));
}
