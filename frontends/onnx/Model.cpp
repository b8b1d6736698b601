#include "frontends/onnx/Model.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>

using namespace fovea::frontend;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

void fovea::frontend::failInput(const llvm::Twine &message) { throw ImportFailure{ImportError::input, message.str()}; }
void fovea::frontend::failUnsupported(const llvm::Twine &message) {
  throw ImportFailure{ImportError::unsupported, message.str()};
}

/// A name that leads nowhere is the user's mistake; that there is no memory or no permission is not.
[[noreturn]] static void failRead(const llvm::Twine &message, std::error_code code) {
  bool missing = code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory;
  throw ImportFailure{missing ? ImportError::input : ImportError::environment, (message + code.message()).str()};
}

std::string fovea::frontend::elementTypeName(int32_t dataType) {
  if (onnx::TensorProto_DataType_IsValid(dataType))
    return llvm::StringRef(onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(dataType))).lower();
  return "type " + std::to_string(dataType);
}

int64_t fovea::frontend::elementSize(int32_t dataType) {
  switch (dataType) {
  case onnx::TensorProto::BOOL:
  case onnx::TensorProto::INT8:
  case onnx::TensorProto::UINT8:
    return 1;
  case onnx::TensorProto::FLOAT16:
  case onnx::TensorProto::BFLOAT16:
  case onnx::TensorProto::INT16:
  case onnx::TensorProto::UINT16:
    return 2;
  case onnx::TensorProto::FLOAT:
  case onnx::TensorProto::INT32:
  case onnx::TensorProto::UINT32:
    return 4;
  case onnx::TensorProto::DOUBLE:
  case onnx::TensorProto::INT64:
  case onnx::TensorProto::UINT64:
    return 8;
  default:
    return 0;
  }
}

int64_t fovea::frontend::elementCount(const onnx::TensorProto &tensor) {
  constexpr int64_t limit = int64_t(1) << 59; // elements have up to 8 bytes
  int64_t count = 1;
  for (int64_t dim : tensor.dims()) {
    if (dim < 0)
      failInput("initializer \"" + tensor.name() + "\" has the negative dim " + llvm::Twine(dim));
    if (dim != 0 && count > limit / dim)
      failInput("initializer \"" + tensor.name() + "\" has more than 2^59 elements");
    count *= dim;
  }
  return count;
}

//===-- Files ===//

std::shared_ptr<OnnxModel> OnnxModel::read(llvm::StringRef file, llvm::StringRef allowExternalData) {
  auto result = std::make_shared<OnnxModel>();
  result->file = file.str();
  result->allowed = allowExternalData.str();
  result->folder = path::has_parent_path(file) ? path::parent_path(file).str() : ".";
  if (fs::is_directory(file))
    failInput("cannot read \"" + file + "\": it is a folder");
  auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    failRead("cannot read \"" + file + "\": ", buffer.getError());
  if ((*buffer)->getBufferSize() > std::numeric_limits<int>::max())
    failInput("\"" + file + "\" is larger than 2 GiB, which no protobuf can be; store the weights as external data");
  google::protobuf::io::ArrayInputStream stream((*buffer)->getBufferStart(), (*buffer)->getBufferSize());
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (!result->model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    failInput("\"" + file + "\" is not an ONNX model, or it is damaged (" + llvm::Twine((*buffer)->getBufferSize()) +
              " bytes)");
  if (!result->model.has_graph() || result->model.opset_import_size() == 0)
    failInput("\"" + file + "\" is not an ONNX model: it has no " +
              (result->model.has_graph() ? "opset_import" : "graph"));
  return result;
}

int64_t OnnxModel::opset() const {
  for (const auto &opset : model.opset_import())
    if (opset.domain().empty() || opset.domain() == "ai.onnx")
      return opset.version();
  return 0;
}

/// True if `file`, with all links resolved, lies in `folder`.
static bool liesIn(llvm::StringRef file, llvm::StringRef folder) {
  llvm::SmallString<256> realFile, realFolder;
  if (fs::real_path(file, realFile) || fs::real_path(folder, realFolder))
    return false;
  llvm::StringRef rest = realFile;
  if (!rest.consume_front(realFolder))
    return false;
  return realFolder.ends_with("/") || rest.starts_with("/");
}

const llvm::MemoryBuffer &OnnxModel::open(const std::string &location, llvm::StringRef tensor) {
  if (auto it = external.find(location); it != external.end())
    return *it->second;
  auto prefix = [&] { return "external data \"" + location + "\" of initializer \"" + tensor.str() + "\" "; };
  llvm::SmallString<256> full(folder);
  if (path::is_absolute(location))
    full = location;
  else
    path::append(full, location);
  bool outside = location.empty() || path::is_absolute(location) ||
                 llvm::is_contained(llvm::make_range(path::begin(location), path::end(location)), "..");
  if (!fs::exists(full))
    failInput(prefix() + "is missing");
  if (fs::is_directory(full))
    failInput(prefix() + "is a folder");
  if (outside || !liesIn(full, folder))
    if (allowed.empty() || !liesIn(full, allowed))
      failInput(prefix() + "lies outside of the model's folder; --allow-external-data=DIR permits files of DIR");
  auto buffer = llvm::MemoryBuffer::getFile(full, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    failRead(prefix() + "cannot be read: ", buffer.getError());
  resolved[location] = full.str().str();
  return *(external[location] = std::move(*buffer));
}

static uint64_t number(const onnx::TensorProto &tensor, const std::string &key, const std::string &text) {
  uint64_t value;
  if (llvm::StringRef(text).getAsInteger(10, value))
    failInput("external data of initializer \"" + tensor.name() + "\" has the " + key + " \"" + text +
              "\", expected a number");
  return value;
}

TensorBytes OnnxModel::bytes(const onnx::TensorProto &tensor) {
  int64_t count = elementCount(tensor), size = elementSize(tensor.data_type());
  uint64_t expected = count * size;
  TensorBytes result;
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) {
    result.data = llvm::ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
    if (result.data.size() != expected)
      failInput("initializer \"" + tensor.name() + "\" should have " + llvm::Twine(expected) + " bytes, got " +
                llvm::Twine(result.data.size()));
    return result;
  }
  std::string location;
  uint64_t length = expected;
  for (const auto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      result.offset = number(tensor, "offset", entry.value());
    else if (entry.key() == "length")
      length = number(tensor, "length", entry.value());
  }
  const llvm::MemoryBuffer &buffer = open(location, tensor.name());
  if (length != expected)
    failInput("initializer \"" + tensor.name() + "\" should have " + llvm::Twine(expected) +
              " bytes, its external data has " + llvm::Twine(length));
  if (result.offset > buffer.getBufferSize() || length > buffer.getBufferSize() - result.offset)
    failInput("external data \"" + location + "\" of initializer \"" + tensor.name() + "\" ends at byte " +
              llvm::Twine(buffer.getBufferSize()) + ", expected " + llvm::Twine(length) + " bytes at " +
              llvm::Twine(result.offset));
  result.data = llvm::ArrayRef<char>(buffer.getBufferStart() + result.offset, length);
  result.path = resolved[location];
  return result;
}

//===-- Order ===//

static std::string describe(const onnx::NodeProto &node, int position) {
  return node.op_type() + " \"" + node.name() + "\" at graph position " + std::to_string(position);
}

/// What the graphs inside of a node read, from around them or from themselves.
static void addInnerReads(const onnx::NodeProto &node, std::vector<std::string> &names) {
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    for (const onnx::NodeProto &inner : attribute.g().node()) {
      names.insert(names.end(), inner.input().begin(), inner.input().end());
      addInnerReads(inner, names);
    }
    for (const auto &output : attribute.g().output())
      names.push_back(output.name());
  }
}

void fovea::frontend::sortNodes(onnx::GraphProto &graph) {
  llvm::StringMap<int> producer;
  llvm::StringSet<> given;
  for (const auto &input : graph.input())
    if (!given.insert(input.name()).second)
      failInput("two inputs of the graph have the name \"" + input.name() + "\"");
  for (const auto &initializer : graph.initializer())
    given.insert(initializer.name());
  for (auto [i, node] : llvm::enumerate(graph.node())) {
    if (node.output_size() == 0)
      failInput(describe(node, i) + " has no outputs");
    for (const std::string &output : node.output())
      if (!output.empty() && (given.contains(output) || !producer.try_emplace(output, i).second))
        failInput("the value \"" + output + "\" is made twice, the second time by " + describe(node, i));
  }

  int count = graph.node_size();
  std::vector<int> missing(count, 0);
  std::vector<std::vector<int>> users(count);
  for (auto [i, node] : llvm::enumerate(graph.node()))
    for (const std::string &input : node.input()) {
      if (input.empty() || given.contains(input))
        continue;
      auto it = producer.find(input);
      if (it == producer.end())
        failInput(describe(node, i) + " reads \"" + input + "\", which nothing makes");
      users[it->second].push_back(i);
      ++missing[i];
    }
  for (auto [i, node] : llvm::enumerate(graph.node())) {
    std::vector<std::string> names;
    addInnerReads(node, names);
    for (const std::string &name : names)
      if (auto it = producer.find(name); it != producer.end() && it->second != static_cast<int>(i))
        users[it->second].push_back(i), ++missing[i];
  }
  // A node that is ready keeps its place: the first of the ready ones goes next.
  std::set<int> ready;
  for (int i = 0; i < count; ++i)
    if (missing[i] == 0)
      ready.insert(i);
  std::vector<int> order;
  while (!ready.empty()) {
    int next = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(next);
    for (int user : users[next])
      if (--missing[user] == 0)
        ready.insert(user);
  }
  if (static_cast<int>(order.size()) != count) {
    std::string names;
    for (int i = 0, listed = 0; i < count && listed < 8; ++i)
      if (missing[i] > 0)
        names += (listed++ ? ", " : "") + describe(graph.node(i), i);
    failInput("the graph has a cycle through or before: " + names);
  }
  if (llvm::is_sorted(order))
    return;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> sorted;
  for (int i : order)
    sorted.Add()->Swap(graph.mutable_node(i));
  graph.mutable_node()->Swap(&sorted);
}
