// Compiles many ONNX models and runs them, each in a process of its own. The processes are forked off this one, which
// has loaded everything already, so a small model costs what its compilation costs; one that crashes is a result too.
//   node-runner [PHASE | --device=DEVICE [--variant=VARIANT]] [--threads=N]
// reads lines MODEL.onnx<TAB>INPUTS.npz<TAB>RESULT from stdin, prints "CODE<TAB>message" for each. RESULT is an npz
// file of the outputs, or with PHASE the IR after that phase. VARIANT is the one of --vulkan-variants, else there are
// all. Exit codes as for the tools; 3 for a crash.
#include "compiler/tools/Driver.h"
#include "tools/Inputs.h"
#include "tools/Outputs.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace fovea;
using namespace fovea::tools;

static void runModel(const std::string &artifact, const std::string &inputs, const std::string &outputs,
                     const std::string &device, unsigned threads) {
  CLI::App app("", "node-runner");
  InputOptions files;
  files.archive = inputs;
  Inputs given(app, files);
  RuntimeHandle runtime = createRuntime(threads, device);
  ModelHandle model = openModel(runtime, artifact);
  SessionHandle session = createSession(runtime, model, "");
  given.bind(session.get(), model.get());
  call(fovea_session_run, session.get());
  npy::writeZip(outputs, outputsOf(session.get(), model.get()));
}

static int compileAndRun(const std::string &model, const std::string &inputs, const std::string &result,
                         const std::string &phase, const std::string &device, const std::string &variant,
                         unsigned threads) {
  CompileRequest request;
  if (!variant.empty())
    request.variants = {variant};
  request.model = model;
  request.to = phase;
  request.targets = {device.substr(0, device.find(':'))};
  request.output = phase.empty() ? result + ".fovea" : result;
  CompileOutcome outcome = compile(request);
  if (outcome.code != kFine || !phase.empty())
    return outcome.code;
  try {
    runModel(outcome.artifact, inputs, result, device, threads);
  } catch (const Failure &failure) {
    std::cerr << failure.what() << "\n";
    return failure.status;
  } catch (const npy::Error &error) {
    std::cerr << error.what() << "\n";
    return error.status;
  }
  return kFine;
}

/// Runs `body` in a child, what it writes to stderr becomes `messages`.
template <typename Body> static int inChild(Body body, std::string &messages) {
  int ends[2];
  if (pipe(ends) != 0)
    return messages = std::strerror(errno), kEnvironment;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    dup2(ends[1], STDERR_FILENO);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDIN_FILENO);
    _exit(body());
  }
  close(ends[1]);
  char buffer[4096];
  for (ssize_t n; child > 0 && (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    messages.append(buffer, n);
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return messages = "no process to run it in", kEnvironment;
  if (WIFSIGNALED(status)) {
    messages = std::string("crashed: ") + strsignal(WTERMSIG(status)) + " " + messages;
    return kInternal;
  }
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  std::string phase, device = "cpu", variant;
  unsigned threads = 2;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef word(argv[i]);
    if (word.consume_front("--device="))
      device = word.str();
    else if (word.consume_front("--variant="))
      variant = word.str();
    else if (word.consume_front("--threads="))
      threads = std::stoul(word.str());
    else
      phase = word.str();
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream fields(line);
    std::string model, inputs, result, message;
    std::getline(fields, model, '\t'), std::getline(fields, inputs, '\t'), std::getline(fields, result, '\t');
    int code = inChild([&] { return compileAndRun(model, inputs, result, phase, device, variant, threads); }, message);
    for (char &c : message)
      c = c == '\n' || c == '\t' ? ' ' : c;
    std::cout << code << "\t" << message << std::endl;
  }
}
