// Matrix products at the shapes of transformers: per cent of the multiply-add peak that was probed right beside each
// sample, with weights from memory (rotated through more of them than any cache holds) and from the cache.
//
//   fovea-bench-matmul [machine] [samples]
#include "KernelHarness.h"
#include "KernelTexts.h"
#include "Probe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sys/mman.h>

using namespace fovea;
using namespace fovea::lowering;

namespace {
struct Shape {
  int64_t m, n, k;
};

float *allocate(size_t count) {
  void *p = mmap(nullptr, count * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(p, count * 4, MADV_HUGEPAGE);
  return static_cast<float *>(p);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}
} // namespace

int main(int argc, char **argv) {
  std::string error, name = argc > 1 ? argv[1] : "native";
  int samples = argc > 2 ? std::atoi(argv[2]) : 60;
  auto machine = Machine::named(name, &error);
  if (failed(machine))
    return std::fprintf(stderr, "%s\n", error.c_str()), 1;
  const char *variant = std::getenv("VARIANT");
  std::string kind = variant ? variant : "";
  std::vector<Shape> shapes = {
      {128, 768, 768},   {128, 3072, 768},   {128, 768, 3072}, {384, 768, 768}, {384, 3072, 768}, {384, 768, 3072},
      {197, 768, 768},   {197, 3072, 768},   {197, 768, 3072}, {850, 256, 256}, {850, 2048, 256}, {850, 256, 2048},
      {1100, 2048, 256}, {1024, 1024, 1024}, {32, 512, 512},   {32, 2048, 512}, {1, 768, 768},    {1, 3072, 768}};
  if (argc > 5)
    shapes = {{std::atoll(argv[3]), std::atoll(argv[4]), std::atoll(argv[5])}};
  constexpr size_t kFloats = size_t(288) << 18;
  float *pool = allocate(kFloats);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> pattern(1 << 16);
  for (float &x : pattern)
    x = uniform(random);
  for (size_t i = 0; i < kFloats; ++i)
    pool[i] = pattern[(i * 7 + i / 65521) & 0xffff];
  double logs[2] = {0, 0};
  std::printf("%-18s %10s %10s   (median/best of %d samples, %% of the probe; %s)\n", "M x N x K", "cold", "warm",
              samples, name.c_str());
  for (Shape s : shapes) {
    MatmulText text{kind.find("dynamic") != std::string::npos ? -1 : s.m, s.n, s.k};
    text.bias = kind.find("bias") != std::string::npos;
    text.residual = kind.find("residual") != std::string::npos;
    text.activation = kind.find("gelu") != std::string::npos ? "gelu" : "";
    text.norm = kind.find("norm") != std::string::npos ? "layer" : "";
    double begun = bench::seconds();
    auto kernel = LoadedKernel::compile(matmulText(text), "matmul", *machine);
    if (!kernel)
      return 1;
    double compiled = bench::seconds() - begun;
    int64_t width = panelWidthFor(s.n), panels = (s.n + width - 1) / width, weight = panels * width * s.k;
    float *a = allocate(s.m * s.k), *out = allocate(s.m * s.n), *bias = allocate(s.n), *residual = allocate(s.m * s.n),
          *scale = allocate(s.n);
    for (int64_t i = 0; i < s.m * s.k; ++i)
      a[i] = pattern[(i * 5) & 0xffff];
    int64_t copies = kFloats / ((weight + 1023) / 1024 * 1024);
    std::vector<int64_t> symbols{s.m};
    auto call = [&](int64_t copy) {
      std::vector<void *> buffers{a, pool + copy * ((weight + 1023) / 1024 * 1024)};
      if (text.bias)
        buffers.push_back(bias);
      if (text.residual)
        buffers.push_back(residual);
      if (!text.norm.empty())
        buffers.insert(buffers.end(), {scale, bias});
      buffers.push_back(out);
      kernel->run(buffers, symbols);
    };
    call(0);
    if (text.activation.empty() && text.norm.empty())
      for (int64_t i = 0; i < s.m; i += std::max<int64_t>(1, s.m / 7))
        for (int64_t j = 0; j < s.n; j += std::max<int64_t>(1, s.n / 13)) {
          double sum = 0;
          for (int64_t x = 0; x < s.k; ++x)
            sum += double(a[i * s.k + x]) * pool[(j / width * s.k + x) * width + j % width];
          if (std::abs(sum - out[i * s.n + j]) > 1e-5 * s.k)
            return std::printf("wrong at %ld, %ld: %g, expected %g\n", i, j, out[i * s.n + j], sum), 1;
        }
    double flops = 2.0 * s.m * s.n * s.k, seconds = flops / 150e9;
    double medians[2], bests[2];
    for (bool warm : {false, true}) {
      int64_t calls = std::max<int64_t>(1, std::lround(3e-4 / seconds)), copy = 0;
      std::vector<double> peaks, rates;
      std::vector<std::pair<double, double>> all;
      for (int i = 0; i < samples; ++i) {
        double before = bench::probe(machine->vectorBits), start = bench::seconds();
        for (int64_t c = 0; c < calls; ++c)
          call(warm ? 0 : ++copy % copies);
        double elapsed = bench::seconds() - start, after = bench::probe(machine->vectorBits);
        all.push_back({std::max(before, after) / std::min(before, after),
                       flops * calls / elapsed * 1e-9 / ((before + after) / 2)});
        peaks.push_back((before + after) / 2);
      }
      // Samples in which the clock changed on the way are left out.
      double full = median(peaks);
      for (auto [change, rate] : all)
        if (change < 1.03)
          rates.push_back(rate * 100);
      if (rates.empty())
        rates.push_back(all[0].second * 100);
      medians[warm] = median(rates), bests[warm] = *std::max_element(rates.begin(), rates.end());
      if (s.m > 1)
        logs[warm] += std::log(medians[warm]);
      if (warm)
        std::printf(
            "%5ldx%5ldx%5ld  %5.1f/%5.1f %5.1f/%5.1f   %.0f GF/s peak, compiled in %.2f s, cold %.1f GB/s of weights\n",
            s.m, s.n, s.k, medians[0], bests[0], medians[1], bests[1], full, compiled,
            weight * 4 / (flops / (medians[0] / 100 * full)));
    }
    std::fflush(stdout);
    munmap(a, s.m * s.k * 4), munmap(out, s.m * s.n * 4), munmap(bias, s.n * 4), munmap(residual, s.m * s.n * 4),
        munmap(scale, s.n * 4);
  }
  int64_t counted = std::count_if(shapes.begin(), shapes.end(), [](Shape s) { return s.m > 1; });
  std::printf("geometric mean (M > 1): cold %.1f, warm %.1f\n", std::exp(logs[0] / counted),
              std::exp(logs[1] / counted));
}
