// Scan: a graph that is run for each position along an axis, with states that go from one to the next. The positions
// are written out one after the other, which is meant for few of them; their number has to be known.
#include "frontends/onnx/Importer.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
constexpr int64_t kMostPositions = 64;

/// The axes or directions of the inputs or outputs that are scanned; zeros where there are none.
SmallVector<int64_t> perTensor(const Node &node, StringRef name, unsigned count) {
  SmallVector<int64_t> list = node.has(name) ? node.integers(name) : SmallVector<int64_t>(count, 0);
  if (list.size() != count)
    failInput("expected " + Twine(count) + " elements in " + name + ", got " + Twine(list.size()));
  return list;
}

/// What stands at a position along an axis, without that axis.
Value elementAt(Importer &im, Value tensor, int64_t axis, int64_t position) {
  Shape starts(im.rank(tensor), DimExpr(0)), sizes = im.shape(tensor), rest = sizes;
  starts[axis] = DimExpr(position), sizes[axis] = DimExpr(1);
  rest.erase(rest.begin() + axis);
  return im.reshape(im.slice(tensor, starts, sizes, SmallVector<int64_t>(sizes.size(), 1)), rest);
}

void importScan(Importer &im, const Node &node) {
  const onnx::AttributeProto *body = node.attribute("body");
  int64_t scanned = node.integer("num_scan_inputs", -1), states = node.inputs() - scanned;
  if (!body || scanned < 1 || states < 0 || node.outputs() < states)
    failInput("expected a body and as many inputs and outputs as there are states and tensors to scan");
  unsigned stacked = node.outputs() - states;
  const onnx::GraphProto &graph = body->g();
  if (graph.input_size() != static_cast<int>(node.inputs()) || graph.output_size() != static_cast<int>(node.outputs()))
    failInput("the body has " + Twine(graph.input_size()) + " inputs and " + Twine(graph.output_size()) +
              " outputs, expected " + Twine(node.inputs()) + " and " + Twine(node.outputs()));
  SmallVector<int64_t> inputAxes = perTensor(node, "scan_input_axes", scanned),
                       outputAxes = perTensor(node, "scan_output_axes", stacked),
                       backwards = perTensor(node, "scan_input_directions", scanned),
                       stackedBackwards = perTensor(node, "scan_output_directions", stacked);
  std::optional<DimExpr> length;
  SmallVector<Importer::GraphValue> current;
  for (unsigned i = 0; i < node.inputs(); ++i) {
    current.push_back({im.input(node, i), im.isUnsigned(node, i)});
    if (i < states)
      continue;
    int64_t &axis = inputAxes[i - states];
    axis = im.axis(axis, im.rank(current[i].tensor), node);
    DimExpr size = im.shape(current[i].tensor)[axis];
    if (length)
      im.checkEqual(*length, size, "the tensors to scan are of different lengths");
    length = !length || size.getConstant() ? size : *length;
  }
  std::optional<int64_t> positions = length->getConstant();
  if (!positions || *positions < 1 || *positions > kMostPositions)
    failUnsupported("a scan over " + length->str() + " positions; their number has to be known and from 1 to " +
                    Twine(kMostPositions));
  SmallVector<Importer::GraphValue> given = current;
  SmallVector<SmallVector<Value>> columns(stacked);
  for (int64_t t = 0; t < *positions; ++t) {
    for (unsigned i = states; i < node.inputs(); ++i)
      current[i].tensor =
          elementAt(im, given[i].tensor, inputAxes[i - states], backwards[i - states] ? *positions - 1 - t : t);
    SmallVector<Importer::GraphValue> results =
        im.importGraph(node, graph, node.label() + "." + Twine(t) + "/", current);
    for (unsigned i = 0; i < results.size(); ++i) {
      if (i < states) {
        im.checkTypes({given[i].tensor, results[i].tensor});
        if (im.rank(results[i].tensor) != im.rank(given[i].tensor))
          failInput("a state changes its rank");
        current[i] = results[i];
        continue;
      }
      Shape shape = im.shape(results[i].tensor);
      int64_t &axis = outputAxes[i - states];
      axis = im.axis(axis, shape.size() + 1, node);
      shape.insert(shape.begin() + axis, DimExpr(1));
      columns[i - states].push_back(im.reshape(results[i].tensor, shape));
      im.setUnsigned(node, i, results[i].isUnsigned);
    }
  }
  for (unsigned i = 0; i < states; ++i) {
    im.setUnsigned(node, i, current[i].isUnsigned);
    im.setOutput(node, i, current[i].tensor);
  }
  for (unsigned i = 0; i < stacked; ++i) {
    if (stackedBackwards[i])
      std::reverse(columns[i].begin(), columns[i].end());
    im.setOutput(node, states + i, im.concat(columns[i], outputAxes[i]));
  }
}

RegisterOps family{{"Scan", importScan}};
} // namespace
