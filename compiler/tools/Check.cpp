#include "compiler/tools/Check.h"
#include "compiler/reference/Reference.h"
#include "compiler/tools/VerifyEach.h"
#include "tools/Command.h"
#include "tools/Elements.h"
#include "tools/Outputs.h"
#include "tools/npy.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <random>

using namespace fovea;
using namespace fovea::tools;

/// What the reference evaluator, which is made to be read, does in about a minute.
static constexpr double kMostReferenceFlops = 1e9;

static fovea_entry_info entryOf(const fovea_session *session, const fovea_model *model) {
  fovea_entry_info entry;
  call(fovea_model_entry, model, fovea_session_entry(session), &entry);
  return entry;
}

/// Small numbers, the same ones each time: integers 0 or 1 are valid indices and masks nearly everywhere. Symbolic dims
/// become 4, or what is allowed.
static npy::Arrays randomInputs(const fovea_session *session, const fovea_model *model) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> reals(-1, 1);
  npy::Arrays arrays;
  for (uint32_t i = 0; i < entryOf(session, model).input_count; ++i) {
    fovea_tensor_info info;
    call(fovea_model_input, model, fovea_session_entry(session), i, &info);
    npy::Array array;
    array.dtype = info.dtype;
    int64_t count = 1;
    for (uint32_t d = 0; d < info.rank; ++d) {
      const fovea_dim &dim = info.dims[d];
      array.dims.push_back(dim.name ? std::clamp<int64_t>(4, dim.min, dim.max) : dim.min);
      count *= array.dims.back();
    }
    size_t size = fovea_dtype_size(info.dtype);
    array.data.resize(count * size);
    for (int64_t e = 0; e < count; ++e) {
      float real = reals(generator);
      setElement(info.dtype, array.data.data(), e, isFloat(info.dtype) ? real : real > 0);
    }
    arrays.emplace_back(info.name, std::move(array));
  }
  return arrays;
}

static void bindInputs(fovea_session *session, const fovea_model *model, const npy::Arrays &inputs) {
  for (const auto &[name, array] : inputs) {
    uint32_t index;
    call(fovea_model_find_input, model, fovea_session_entry(session), name.c_str(), &index);
    fovea_tensor tensor = {const_cast<std::byte *>(array.data.data()), array.data.size(), array.dtype,
                           static_cast<uint32_t>(array.dims.size()), array.dims.data()};
    call(fovea_session_bind_input, session, index, static_cast<const fovea_tensor *>(&tensor));
  }
}

/// What the model computes at the sizes of these inputs.
static double flopsOf(const data::DimExpr &flops, const fovea_session *session, const fovea_model *model,
                      const npy::Arrays &inputs) {
  std::map<std::string, int64_t> dims;
  for (const auto &[name, array] : inputs) {
    uint32_t index;
    fovea_tensor_info info;
    call(fovea_model_find_input, model, fovea_session_entry(session), name.c_str(), &index);
    call(fovea_model_input, model, fovea_session_entry(session), index, &info);
    for (uint32_t d = 0; d < info.rank; ++d)
      if (info.dims[d].name)
        dims[info.dims[d].name] = array.dims[d];
  }
  double sum = 0;
  for (const auto &[monomial, coefficient] : flops.getTerms()) {
    double product = static_cast<double>(coefficient);
    for (const data::DimAtom &atom : monomial)
      if (auto dim = dims.find(atom.name); dim != dims.end())
        product *= static_cast<double>(dim->second);
    sum += product;
  }
  return sum;
}

/// Where functions are evaluated: an artifact's inputs and the names of its outputs.
struct Point {
  const fovea_session *session;
  const fovea_model *model;
  const npy::Arrays &inputs;
  const npy::Views &outputs;
};

/// What the reference evaluator makes of a function, under the outputs' names.
static npy::Arrays evaluateReference(mlir::func::FuncOp function, const Point &at) {
  std::vector<reference::Tensor> arguments;
  for (uint32_t i = 0; i < function.getNumArguments(); ++i) {
    fovea_tensor_info info;
    call(fovea_model_input, at.model, fovea_session_entry(at.session), i, &info);
    auto named = [&](const auto &input) { return input.first == info.name; };
    const npy::Array &array = std::find_if(at.inputs.begin(), at.inputs.end(), named)->second;
    auto type = mlir::cast<mlir::RankedTensorType>(function.getArgumentTypes()[i]);
    auto tensor = reference::fromBytes(type.getElementType(), array.dims,
                                       {reinterpret_cast<const char *>(array.data.data()), array.data.size()});
    if (failed(tensor))
      throw Failure(FOVEA_UNSUPPORTED, fmt::format("the reference evaluator does not take the input '{}'", info.name));
    arguments.push_back(std::move(*tensor));
  }
  std::string error;
  auto results = reference::evaluate(function, arguments, &error);
  if (failed(results))
    throw Failure(FOVEA_UNSUPPORTED, "the reference evaluation failed: " + error);
  npy::Arrays found;
  for (size_t i = 0; i < results->size(); ++i) {
    npy::Array array;
    array.dtype = at.outputs[i].second.dtype;
    array.dims.assign((*results)[i].shape.begin(), (*results)[i].shape.end());
    std::vector<char> bytes = reference::toBytes((*results)[i]);
    array.data.resize(bytes.size());
    std::memcpy(array.data.data(), bytes.data(), bytes.size());
    found.emplace_back(at.outputs[i].first, std::move(array));
  }
  return found;
}

static int check(const CheckRequest &request, CompileOutcome &outcome) {
  if (request.expected.empty() && outcome.phases.empty())
    throw Failure(FOVEA_UNSUPPORTED, "--check: a model is needed for the reference evaluation");
  RuntimeHandle runtime = createRuntime(0);
  ModelHandle model = openModel(runtime, outcome.artifact);
  SessionHandle session = createSession(runtime, model, "");
  npy::Arrays inputs = request.inputs.empty() ? randomInputs(session.get(), model.get()) : npy::readZip(request.inputs);
  bindInputs(session.get(), model.get(), inputs);
  call(fovea_session_run, session.get());
  npy::Views outputs = outputsOf(session.get(), model.get());
  auto evaluate = [&](mlir::func::FuncOp function) {
    return evaluateReference(function, {session.get(), model.get(), inputs, outputs});
  };
  npy::Arrays reference;
  if (request.phases || request.expected.empty()) {
    if (double flops = flopsOf(outcome.flops, session.get(), model.get(), inputs); flops > kMostReferenceFlops)
      throw Failure(FOVEA_UNSUPPORTED,
                    fmt::format("--check: the reference evaluator is too slow for {:.1f} GFLOP; give --expect=FILE.npz",
                                flops * 1e-9));
    reference = evaluate(*mlir::ModuleOp(outcome.phases.front().module.get()).getOps<mlir::func::FuncOp>().begin());
  }
  if (request.phases)
    if (int code = verifyPhases(outcome, reference, evaluate, request.tolerance))
      return code;
  npy::Arrays expected = request.expected.empty() ? std::move(reference) : npy::readZip(request.expected);
  ComparisonResult result = compare(outputs, expected, request.tolerance);
  fmt::print("{}", result.report);
  if (!result.agrees)
    fmt::print(stderr, "fovea-compile: error: --check: the artifact's outputs differ from {}\n",
               request.expected.empty() ? "the reference evaluation" : "'" + request.expected + "'");
  return result.agrees ? kFine : request.expected.empty() ? kInternal : kInput;
}

int fovea::checkArtifact(const CheckRequest &request, CompileOutcome &outcome) {
  try {
    return check(request, outcome);
  } catch (const Failure &failure) {
    fmt::print(stderr, "fovea-compile: error: {}\n", failure.what());
    return failure.status;
  } catch (const npy::Error &error) {
    fmt::print(stderr, "fovea-compile: error: {}\n", error.what());
    return error.status;
  }
}
