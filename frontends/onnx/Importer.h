// What the operator families build on: the values of the graph, shapes as expressions, broadcasting and reshaping.
//
// A value of the graph is a tensor, or a list of scalars as well: small integer tensors that are computed from shapes
// and constants are followed element by element, so that named dims cancel, and become tensors only where something
// needs one.
#ifndef FOVEA_FRONTENDS_ONNX_IMPORTER_H
#define FOVEA_FRONTENDS_ONNX_IMPORTER_H

#include "dialects/data/DimExpr.h"
#include "frontends/onnx/Model.h"
#include "frontends/onnx/Registry.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <deque>
#include <set>

namespace fovea::frontend {

using data::DimExpr;
using mlir::AffineExpr;
using mlir::AffineMap;
using mlir::ArrayRef;
using mlir::Attribute;
using mlir::Location;
using mlir::OpBuilder;
using mlir::OpFoldResult;
using mlir::RankedTensorType;
using mlir::SmallVector;
using mlir::StringRef;
using mlir::Type;
using mlir::Value;
using mlir::ValueRange;
using mlir::utils::IteratorType;

using Shape = SmallVector<DimExpr>;
/// Makes the body of a generic operation: the element from the elements of the operands.
using Body = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// A node with typed access to its attributes.
class Node {
public:
  Node(const onnx::NodeProto &proto, int position, int64_t opset) : proto(proto), position(position), opset(opset) {}

  unsigned inputs() const { return proto.input_size(); }
  unsigned outputs() const { return proto.output_size(); }
  bool hasInput(unsigned i) const { return i < inputs() && !proto.input(i).empty(); }
  bool hasOutput(unsigned i) const { return i < outputs() && !proto.output(i).empty(); }
  const std::string &input(unsigned i) const { return proto.input(i); }
  const std::string &output(unsigned i) const { return proto.output(i); }
  StringRef op() const { return proto.op_type(); }

  const onnx::AttributeProto *attribute(StringRef name) const;
  bool has(StringRef name) const { return attribute(name); }
  int64_t integer(StringRef name, int64_t otherwise) const;
  double number(StringRef name, double otherwise) const;
  std::string string(StringRef name, StringRef otherwise) const;
  SmallVector<int64_t> integers(StringRef name) const;
  /// `MatMul "name" at graph position 7`.
  std::string describe() const;
  /// The node's name, or one made from what it is.
  std::string label() const;

  const onnx::NodeProto &proto;
  const int position;
  const int64_t opset;
};

/// A small integer tensor, element by element.
struct Scalars {
  SmallVector<int64_t> shape;
  SmallVector<DimExpr> elements;
  Type type; ///< of an element
};
constexpr int64_t kMaxScalars = 64;

class Importer {
public:
  Importer(mlir::MLIRContext &context, std::shared_ptr<OnnxModel> model, const ImportOptions &options);
  /// Converts the whole graph; throws ImportFailure.
  mlir::OwningOpRef<mlir::ModuleOp> run();
  std::vector<WeightSource> takeWeights() { return std::move(weights); }

  //===-- Values of the graph
  Value input(const Node &node, unsigned i);
  void setOutput(const Node &node, unsigned i, Value value);
  /// Whether an input has an unsigned integer type. Values are signless: what depends on the sign asks here.
  bool isUnsigned(const Node &node, unsigned i);
  /// The same for operators whose inputs all have one type; fails if they do not.
  bool areUnsigned(const Node &node);
  /// An input that is a list of integers used for a shape, an axis or the like; made from run-time inputs if need be.
  Scalars shapeInput(const Node &node, unsigned i);
  /// The same, where only constants will do.
  SmallVector<int64_t> constantInput(const Node &node, unsigned i);
  /// The elements of an input that is followed as scalars already.
  const Scalars *knownScalars(const Node &node, unsigned i);
  void setScalars(const Node &node, Scalars scalars);
  void setConstant(const Node &node, const onnx::TensorProto &tensor) { entries[node.output(0)].initializer = &tensor; }
  Value constantTensor(const onnx::TensorProto &tensor, StringRef name);
  void setUnsigned(const Node &node, unsigned i, bool isUnsigned);

  struct GraphValue {
    Value tensor;
    bool isUnsigned;
  };
  /// Converts a graph that a node has as an attribute, with these inputs; its outputs. It may read the values around
  /// it; the names of its own get the prefix, so that it can be converted several times.
  SmallVector<GraphValue> importGraph(const Node &node, const onnx::GraphProto &graph, const llvm::Twine &prefix,
                                      ArrayRef<GraphValue> inputs);

  //===-- Shapes
  Shape shape(Value tensor) { return dims.shape(tensor); }
  Type elementType(Value tensor) { return llvm::cast<RankedTensorType>(tensor.getType()).getElementType(); }
  int64_t rank(Value tensor) { return llvm::cast<RankedTensorType>(tensor.getType()).getRank(); }
  RankedTensorType type(ArrayRef<DimExpr> shape, Type element);
  Value index(const DimExpr &expr) { return data::materialize(b, loc, expr); }
  OpFoldResult size(const DimExpr &expr) { return data::materializeOrConstant(b, loc, expr); }
  SmallVector<OpFoldResult> sizes(ArrayRef<DimExpr> shape);
  DimExpr expr(Value index) { return dims.get(index); }
  /// The least and the greatest value, as far as the ranges of the named dims tell.
  std::pair<int64_t, int64_t> bounds(const DimExpr &expr, int64_t leastDim = 0);
  DimExpr minimum(const DimExpr &a, const DimExpr &b);
  DimExpr maximum(const DimExpr &a, const DimExpr &b);
  /// Truncating division.
  DimExpr quotient(const DimExpr &a, const DimExpr &b);
  DimExpr ceilQuotient(const DimExpr &a, int64_t b);
  void check(Value condition, const llvm::Twine &message);
  /// Fails the import or the run unless the two are equal.
  void checkEqual(const DimExpr &a, const DimExpr &b, const llvm::Twine &what);
  /// Fails the import or the run unless a is not greater than b.
  void checkAtMost(const DimExpr &a, const DimExpr &b, const llvm::Twine &what);
  int64_t axis(int64_t axis, int64_t rank, const Node &node);
  /// Fails unless all have the element type of the first one.
  void checkTypes(ValueRange tensors);
  void checkFloat(Value tensor);
  void checkIndices(Value tensor);

  //===-- Building
  Value constant(Type element, double value);
  Attribute number(Type element, double value);
  Value empty(ArrayRef<DimExpr> shape, Type element);
  Value fill(ArrayRef<DimExpr> shape, Type element, double value);
  /// One result over the dims of `init`; a dim that is no result of `outMap` is reduced.
  Value generic(ValueRange inputs, ArrayRef<AffineMap> inMaps, Value init, AffineMap outMap, Body body);
  Value map(ValueRange inputs, Type element, Body body); ///< elementwise, with broadcasting
  Value cast(Value tensor, Type element, bool fromUnsigned = false, bool toUnsigned = false);
  Value transpose(Value tensor, ArrayRef<int64_t> permutation);
  Value reshape(Value tensor, ArrayRef<DimExpr> shape);
  Value broadcastTo(Value tensor, ArrayRef<DimExpr> shape);
  Value slice(Value tensor, ArrayRef<DimExpr> starts, ArrayRef<DimExpr> sizes, ArrayRef<int64_t> strides);
  Value concat(ValueRange tensors, int64_t axis);
  /// The common shape of tensors as NumPy broadcasts them.
  Shape broadcastShape(ArrayRef<Shape> shapes);
  /// A tensor whose dims each equal those of `shape` (aligned at the end) or are 1 for certain.
  Value settle(Value tensor, ArrayRef<DimExpr> shape);
  /// How `tensor` is read to broadcast over an iteration space of the shape.
  AffineMap broadcastMap(Value tensor, ArrayRef<DimExpr> shape);
  AffineMap identity(unsigned rank) { return AffineMap::getMultiDimIdentityMap(rank, b.getContext()); }
  AffineMap affineMap(unsigned dims, ArrayRef<AffineExpr> results) {
    return AffineMap::get(dims, 0, results, b.getContext());
  }
  AffineExpr dim(unsigned d) { return b.getAffineDimExpr(d); }

  OpBuilder b;
  Location loc;

private:
  struct Entry {
    Value tensor;
    std::optional<Scalars> scalars;
    const Node *producer = nullptr;
    const onnx::TensorProto *initializer = nullptr;
    bool isUnsigned = false; ///< an unsigned integer type
    bool failed = false;     ///< its node was refused; what reads it is skipped
  };
  Entry &entry(StringRef name);
  Value tensorOf(StringRef name);
  Value materialize(const Scalars &scalars);
  const Scalars *scalarsOf(StringRef name, bool demand);
  bool evaluateScalars(const Node &node, bool demand);
  bool yieldsUnsigned(const Node &node, unsigned output = 0);
  mlir::DictionaryAttr describe(StringRef name, ArrayRef<Attribute> dims);
  std::optional<Scalars> scalarsOfInitializer(const onnx::TensorProto &tensor);
  Attribute resource(const onnx::TensorProto &tensor, RankedTensorType type, StringRef name);

  void checkOperators();
  void makeFunction();
  RankedTensorType declareInput(const onnx::ValueInfoProto &input, SmallVector<Attribute> &names);
  void importNode(const Node &node);
  void finish();
  Location locate(const Node &node);
  DimExpr broadcastDim(const DimExpr &a, const DimExpr &b);
  bool equalOrBroken(const DimExpr &a, const DimExpr &b);
  void assumeMinima();
  bool assumeNotEmpty(const DimExpr &difference);

  std::shared_ptr<OnnxModel> model;
  const ImportOptions &options;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  llvm::StringMap<Entry> entries;
  std::vector<std::unique_ptr<Node>> nodes;
  /// Of graphs inside of nodes.
  std::vector<std::unique_ptr<Node>> innerNodes;
  std::deque<onnx::NodeProto> innerProtos;
  std::vector<std::string> refusals;
  std::vector<WeightSource> weights;
  std::map<std::string, DimRange> ranges; ///< of the dims that occur
  std::set<std::string> assumed;          ///< what assumeNotEmpty has found
  /// Of minima and maxima, which may be built of each other.
  llvm::DenseMap<Value, std::pair<int64_t, int64_t>> valueBounds;
  data::DimAnalysis dims;
  /// Values min(x, c) that broadcast against x, so that x <= c or the model is wrong, with the node that says so.
  SmallVector<std::pair<Value, Location>> minima;
};

/// The element type, or null if it is not supported.
Type mlirType(mlir::MLIRContext *context, int32_t dataType);
bool isUnsignedType(int32_t dataType);

/// Evaluates an operator on scalars; nothing if it has no such form. Defined with the operators in Scalars.cpp.
std::optional<Scalars> evaluateOnScalars(Importer &importer, const Node &node, ArrayRef<const Scalars *> inputs);
bool hasScalarForm(StringRef op);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_IMPORTER_H
