// Compiles a model to an artifact.
#include "compiler/pipeline/Refusals.h"
#include "compiler/tools/Check.h"
#include "compiler/tools/Driver.h"
#include "frontends/onnx/Onnx.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <fmt/format.h>
#include <new>
#include <unistd.h>

using namespace fovea;

static constexpr const char *kExamples =
    "Compiles a model to an artifact that fovea-run and the runtime library run.\n"
    "Examples:\n"
    "  fovea-compile model.onnx -o model.fovea\n"
    "  fovea-compile model.onnx -o model.fovea --cpu=x86-64-v3,x86-64-v4 --dim batch=1 --dim seq=1..512\n"
    "  fovea-compile model.onnx --explain --require-fused\n"
    "  fovea-compile model.onnx -o model.fovea --schedule=matmul_1:mc=128,kc=512 --schedule=attention:vectors=2\n"
    "  fovea-compile model.onnx --dump-phases=dumps && fovea-compile dumps/4-fuse.mlirbc -o model.fovea\n"
    "  fovea-compile model.onnx --check=inputs.npz --expect=outputs.npz";

/// MLIR takes no exceptions, so there is no way back to main. One write, which needs no memory.
static void endWithoutMemory() {
  llvm::sys::RunInterruptHandlers(); // removes half-written files
  constexpr char message[] = "fovea-compile: error: out of memory\n";
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
  _exit(kEnvironment);
}

/// MLIR makes operations with malloc and does not look at what it gets. This one, the executable's, is what all
/// libraries call.
extern "C" void *__libc_malloc(size_t bytes);
extern "C" [[gnu::visibility("default")]] void *malloc(size_t bytes) {
  void *memory = __libc_malloc(bytes);
  if (!memory && bytes)
    endWithoutMemory();
  return memory;
}

int main(int argc, char **argv) {
  std::set_new_handler(endWithoutMemory);
  llvm::install_bad_alloc_error_handler([](void *, const char *, bool) { endWithoutMemory(); });
  std::signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is an error of writing
  CLI::App app(kExamples, "fovea-compile");
  CompileRequest request;
  CheckRequest check;
  std::string explain, inputs, verifyEach, fused;
  bool listOps = false;
  app.set_version_flag("--version", "fovea-compile " FOVEA_VERSION);
  app.add_option("model", request.model, "The model: an ONNX file, or IR as .mlir or .mlirbc");
  app.add_option("-o,--output", request.output,
                 "Where to write (default: the model's name with the extension of what is emitted)");
  app.add_option("--target", request.targets, "cpu, vulkan or both: what the artifact is to run on")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--cpu", request.cpus, "CPUs to compile for: native, x86-64-v3, x86-64-v4, ...")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--vulkan-max-buffer-bytes", request.bindingBytes,
                 "What a binding can hold: larger tensors are bound in parts (a multiple of 256)")
      ->capture_default_str();
  app.add_option("--vulkan-variants", request.variants,
                 "Vulkan devices to compile for, each if that makes a difference: portable (any), cpu, cooperative "
                 "(matrices of f16) or cooperative-MxNxK-SUBGROUP; a device takes the most demanding one it can run")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--dim", request.dims, "NAME=N fixes a symbolic dim, NAME=LO..HI gives its range");
  app.add_option("--dump-phases", request.dumpFolder,
                 "Write the IR after each phase into this folder, as bytecode that refers to the weights");
  app.add_flag("--dump-text", request.dumpText, "With --dump-phases: text for people as well");
  app.add_option("--compile-from", request.from,
                 "The model is a dump; go on after this phase (default: the one that the dump names)");
  app.add_option("--compile-to", request.to, "Stop after this phase and write the IR");
  app.add_option("--emit", request.emit, "artifact, static-lib, llvm, spirv, mlir or dot")
      ->check(CLI::IsMember({"artifact", "static-lib", "llvm", "spirv", "mlir", "dot"}));
  app.add_option("--plugin", request.plugins, "A library with passes, dialects and kernel lowerings of its own")
      ->type_name("LIB.so");
  app.add_option("--insert", request.inserts, "after:PHASE=PIPELINE runs a pass pipeline after a phase");
  app.add_option("--lowering", request.lowerings,
                 "[OP=]NAME forces a kernel lowering where it applies, [OP=]-NAME forbids it; with OP (attn.attention, "
                 "linalg.matmul, ...) only in kernels that have it");
  app.add_option("--schedule", request.schedules,
                 "KERNEL:key=value,... sets values in the schedule of a kernel (its name in --explain), of all kernels "
                 "of a lowering or of all (*); @FILE.json takes those of a file that --explain wrote");
  app.add_option("--allow-external-data", request.externalData, "A folder from which external data may come");
  app.add_flag("--explain{-}", explain,
               "Report each kernel, and what was not recognised, merged or scheduled; JSON with =FILE.json");
  app.add_flag(
      "--require-fused{*}", fused,
      "Fail (exit code 2) if anything was not recognised, merged or scheduled as it could be; =OP,... only for "
      "these operations: attn.attention, linalg.matmul, tensor.collapse_shape");
  app.add_flag(
      "--check{-}", inputs,
      "Run the artifact, with the inputs of =FILE.npz, and compare; with the reference evaluator unless --expect");
  app.add_option("--verify-each", verifyEach,
                 "Check, and hold the results after each phase against those of the imported model by the reference "
                 "evaluator; an error names the first phase, and pass, that changes them")
      ->type_name("reference")
      ->check(CLI::IsMember({"reference"}));
  app.add_option("--expect", check.expected, "With --check: the outputs to compare with")->type_name("FILE.npz");
  app.add_option("--rtol", check.tolerance.relative, "With --check: tolerance of floats, relative")
      ->capture_default_str();
  app.add_option("--atol", check.tolerance.absolute, "With --check: tolerance of floats, absolute")
      ->capture_default_str();
  app.add_flag("--timing", request.timing, "Print the time of each phase");
  app.add_flag("--list-onnx-ops", listOps, "List the ONNX operators that can be imported");
  auto usage = [](const std::string &message) {
    fmt::print(stderr, "fovea-compile: error: {}\n", message);
    return kInput;
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) {
    return app.exit(request);
  } catch (const CLI::ParseError &error) {
    return usage(error.what());
  }
  if (listOps) {
    for (const frontend::OnnxOp &op : frontend::listOnnxOps())
      fmt::print("{}{}{} {}-{}\n", op.domain, op.domain.empty() ? "" : ".", op.name, op.since, op.until);
    return kFine;
  }
  if (request.model.empty())
    return usage("expected a model; see --help");
  check.phases = request.keepPhases = !verifyEach.empty();
  bool checks = !inputs.empty() || check.phases;
  if (checks && (request.emit != "artifact" || !request.to.empty()))
    return usage(fmt::format("--{}: expected an artifact to run; leave out --emit and --compile-to",
                             check.phases ? "verify-each" : "check"));
  if (!check.expected.empty() && !checks)
    return usage("--expect: expected --check beside it");
  request.requireFused = !fused.empty();
  for (size_t from = 0; request.requireFused && fused != "*" && from <= fused.size();) {
    size_t end = std::min(fused.find(',', from), fused.size());
    request.fusedOperations.push_back(fused.substr(from, end - from));
    from = end + 1;
    if (llvm::none_of(refusals(), [&](const Refusal &r) { return r.operation == request.fusedOperations.back(); }))
      return usage(fmt::format("--require-fused: nothing is refused for '{}'", request.fusedOperations.back()));
  }
  request.explain = !explain.empty();
  request.explainFile = explain == "-" ? "" : explain;
  check.inputs = inputs == "-" ? "" : inputs;
  request.keepImported = checks && check.expected.empty();
  // A reproducer needs what the phases depend on, not what was to be written.
  for (const std::string &text : request.targets)
    if (request.targets.size() > 1 || text != "cpu")
      request.command += " --target=" + text;
  for (const std::string &text : request.cpus)
    request.command += " --cpu=" + text;
  for (const std::string &text : request.variants)
    if (llvm::is_contained(request.targets, "vulkan"))
      request.command += " --vulkan-variants=" + text;
  if (CompileRequest().bindingBytes != request.bindingBytes)
    request.command += fmt::format(" --vulkan-max-buffer-bytes={}", request.bindingBytes);
  for (const std::string &text : request.plugins)
    request.command += " --plugin=" + text;
  for (const std::string &text : request.lowerings)
    request.command += " --lowering=" + text;
  for (const std::string &text : request.schedules)
    request.command += " '--schedule=" + text + "'";
  for (const std::string &text : request.inserts)
    request.command += " --insert=" + text;
  CompileOutcome outcome = compile(request);
  return outcome.code || !checks ? outcome.code : checkArtifact(check, outcome);
}
