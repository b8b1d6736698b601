#include "test/target/cpu/loops/LoopsKernel.h"

using namespace fovea;

static std::string shapeOf(const test::Argument &argument) {
  if (!argument.shape.empty())
    return argument.shape;
  std::string shape = "(";
  size_t at = 0;
  for (size_t x; (x = argument.type.find('x', at)) != std::string::npos && isdigit(argument.type[at]); at = x + 1)
    shape += (at ? ", " : "") + argument.type.substr(at, x - at);
  return shape + ")";
}

test::LoopsKernel::LoopsKernel(const std::vector<Argument> &inputs, const std::vector<Argument> &inits,
                               const std::string &body, unsigned symbols, const std::string &cpu) {
  std::string names, arguments, shapes, layouts;
  for (unsigned s = 0; s < symbols; ++s) {
    names += (s ? ", s" : "s") + std::to_string(s);
    arguments += (s ? ", %s" : "%s") + std::to_string(s) + ": index";
  }
  unsigned count = 0;
  for (const std::vector<Argument> *list : {&inputs, &inits})
    for (size_t i = 0; i < list->size(); ++i, ++count) {
      const Argument &argument = (*list)[i];
      arguments += std::string(arguments.empty() ? "" : ", ") + (list == &inputs ? "%a" : "%o") + std::to_string(i) +
                   ": tensor<" + argument.type + ">";
      shapes += std::string(count ? ", " : "") + "affine_map<()[" + names + "] -> " + shapeOf(argument) + ">";
      layouts += count ? ", #exec.row_major" : "#exec.row_major";
    }
  std::string text = "exec.kernel_def @kernel symbols " + std::to_string(symbols) + " inits " +
                     std::to_string(inits.size()) + " shapes [" + shapes + "] layouts [" + layouts +
                     "] schedule {} {\n^bb0(" + arguments + "):\n" + body + "\n}\n";
  kernel = lowering::LoadedKernel::compile(text, "loops", *lowering::Machine::named(cpu), &reason);
}

int64_t test::LoopsKernel::run(const std::vector<void *> &buffers, const std::vector<int64_t> &symbols,
                               int64_t pieces) const {
  kernel->fault = 0;
  kernel->run(buffers, symbols, pieces);
  return kernel->fault;
}
