// Einsum as products of two operands, left to right; what only one of them has and no one needs is summed before.
#include "frontends/onnx/Reduce.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
/// The dims of a term by label: a letter, or kEllipsis + n for the dim of an ellipsis that is the nth from its end.
using Labels = SmallVector<int>;
constexpr int kEllipsis = 256;

struct Operand {
  Value tensor;
  Labels labels;
};

struct Equation {
  SmallVector<Operand> operands;
  Labels result;
};
} // namespace

/// The labels of a term of the equation; `dims` is how many dims its ellipsis stands for.
static Labels readTerm(StringRef term, int64_t dims) {
  Labels labels;
  while (!term.empty()) {
    if (term.consume_front("...")) {
      for (int64_t d = dims; d-- > 0;)
        labels.push_back(kEllipsis + d);
      if (term.contains("..."))
        failInput("a term of the equation has two ellipses");
    } else if (llvm::isAlpha(term.front())) {
      labels.push_back(term.front());
      term = term.drop_front();
    } else {
      failInput("the equation has '" + Twine(term.front()) + "' where a letter was expected");
    }
  }
  return labels;
}

static int64_t countLetters(StringRef term) {
  return llvm::count_if(term, [](char c) { return llvm::isAlpha(c); });
}

static Equation readEquation(Importer &im, const Node &node) {
  std::string text = node.string("equation", "");
  llvm::erase(text, ' ');
  auto arrow = text.find("->");
  bool isExplicit = arrow != std::string::npos;
  SmallVector<StringRef> terms;
  StringRef(text).substr(0, arrow).split(terms, ',');
  if (terms.size() != node.inputs())
    failInput("the equation has " + Twine(terms.size()) + " terms for " + Twine(node.inputs()) + " operands");
  Equation equation;
  int64_t mostDims = 0;
  std::map<int, int> occurrences;
  for (auto [i, term] : llvm::enumerate(terms)) {
    Value tensor = im.input(node, i);
    bool open = term.contains("...");
    int64_t rank = im.rank(tensor), letters = countLetters(term);
    if (open ? letters > rank : letters != rank)
      failInput("the term \"" + term + "\" is for a tensor of " + Twine(letters) + " dims, got " + Twine(rank));
    equation.operands.push_back({tensor, readTerm(term, rank - letters)});
    mostDims = std::max(mostDims, rank - letters);
    for (int label : equation.operands.back().labels)
      ++occurrences[label];
  }
  if (!isExplicit) {
    equation.result = readTerm("...", mostDims);
    for (auto [label, count] : occurrences)
      if (label < kEllipsis && count == 1)
        equation.result.push_back(label);
    return equation;
  }
  StringRef result = StringRef(text).substr(arrow + 2);
  if (mostDims > 0 && !result.contains("..."))
    failInput("the result of the equation has no ellipsis, but the operands have one of " + Twine(mostDims) + " dims");
  equation.result = readTerm(result, mostDims);
  for (auto [i, label] : llvm::enumerate(equation.result))
    if (!occurrences.count(label) || llvm::is_contained(ArrayRef(equation.result).take_front(i), label))
      failInput("the result of the equation has a letter that no term has, or twice");
  return equation;
}

static unsigned placeOf(ArrayRef<int> labels, int label) { return llvm::find(labels, label) - labels.begin(); }

/// A label that an operand has twice is its diagonal.
static Operand takeDiagonals(Importer &im, const Operand &operand) {
  Operand result;
  Shape from = im.shape(operand.tensor), to;
  SmallVector<AffineExpr> read;
  for (auto [label, size] : llvm::zip(operand.labels, from)) {
    unsigned place = placeOf(result.labels, label);
    read.push_back(im.dim(place));
    if (place < result.labels.size()) {
      im.checkEqual(to[place], size, "the dims of one label differ");
      continue;
    }
    result.labels.push_back(label);
    to.push_back(size);
  }
  result.tensor = operand.tensor;
  if (to.size() != from.size())
    result.tensor =
        im.generic(operand.tensor, im.affineMap(to.size(), read), im.empty(to, im.elementType(operand.tensor)),
                   im.identity(to.size()), [](OpBuilder &, Location, ValueRange e) { return e[0]; });
  return result;
}

/// The sum over the labels that are not kept.
static Operand sumOthers(Importer &im, Operand operand, llvm::function_ref<bool(int)> isKept) {
  SmallVector<int64_t> axes;
  Operand result;
  for (auto [d, label] : llvm::enumerate(operand.labels))
    if (isKept(label))
      result.labels.push_back(label);
    else
      axes.push_back(d);
  if (axes.empty())
    return operand;
  // Floats of 16 bits in f32, as all sums.
  Type element = im.elementType(operand.tensor);
  bool isHalf = isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
  Value in = isHalf ? im.cast(operand.tensor, im.b.getF32Type()) : operand.tensor;
  Shape from = im.shape(in), left;
  for (auto [d, size] : llvm::enumerate(from))
    if (!llvm::is_contained(axes, static_cast<int64_t>(d)))
      left.push_back(size);
  result.tensor = im.cast(im.reshape(reduce(im, in, axes, Reduction::sum), left), element);
  return result;
}

/// The product of two operands, summed over the labels that `labels` lacks.
static Operand multiply(Importer &im, Operand x, Operand y, const Labels &labels) {
  Labels loops = labels;
  for (const Operand *operand : {&x, &y})
    for (int label : operand->labels)
      if (!llvm::is_contained(loops, label))
        loops.push_back(label);
  auto sizesOf = [&](const Operand &operand) {
    Shape own = im.shape(operand.tensor), sizes(loops.size(), DimExpr(1));
    for (auto [label, size] : llvm::zip(operand.labels, own))
      sizes[placeOf(loops, label)] = size;
    return sizes;
  };
  Shape common = im.broadcastShape({sizesOf(x), sizesOf(y)});
  SmallVector<AffineMap> maps;
  for (Operand *operand : {&x, &y}) {
    Shape target;
    for (int label : operand->labels)
      target.push_back(common[placeOf(loops, label)]);
    operand->tensor = im.settle(operand->tensor, target);
    SmallVector<AffineExpr> read;
    for (auto [label, size] : llvm::zip(operand->labels, im.shape(operand->tensor))) {
      unsigned place = placeOf(loops, label);
      bool repeats = size.isConstant(1) && !common[place].isConstant(1);
      read.push_back(repeats ? im.b.getAffineConstantExpr(0) : im.dim(place));
    }
    maps.push_back(im.affineMap(loops.size(), read));
  }
  SmallVector<AffineExpr> write;
  for (unsigned d = 0; d < labels.size(); ++d)
    write.push_back(im.dim(d));
  Shape shape(common.begin(), common.begin() + labels.size());
  Type element = im.elementType(x.tensor);
  bool sums = loops.size() != labels.size(), floats = isa<FloatType>(element);
  Value init = sums ? im.fill(shape, element, 0) : im.empty(shape, element);
  Value product = im.generic({x.tensor, y.tensor}, maps, init, im.affineMap(loops.size(), write),
                             [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                               Value p = floats ? arith::MulFOp::create(b, loc, e[0], e[1]).getResult()
                                                : arith::MulIOp::create(b, loc, e[0], e[1]).getResult();
                               if (!sums)
                                 return p;
                               return floats ? arith::AddFOp::create(b, loc, e[2], p).getResult()
                                             : arith::AddIOp::create(b, loc, e[2], p).getResult();
                             });
  return {product, labels};
}

static void importEinsum(Importer &im, const Node &node) {
  Equation equation = readEquation(im, node);
  SmallVector<Value> tensors;
  for (Operand &operand : equation.operands) {
    tensors.push_back(operand.tensor);
    operand = takeDiagonals(im, operand);
  }
  im.checkTypes(tensors);
  if (im.elementType(tensors[0]).isInteger(1))
    failInput("the operands are bools");
  Operand product;
  for (size_t i = 0; i < equation.operands.size(); ++i) {
    auto isNeeded = [&](int label) {
      return llvm::is_contained(equation.result, label) ||
             llvm::any_of(ArrayRef(equation.operands).drop_front(i + 1),
                          [&](const Operand &later) { return llvm::is_contained(later.labels, label); });
    };
    Operand next = equation.operands[i];
    if (i == 0) {
      product = sumOthers(im, next, isNeeded);
      continue;
    }
    product = sumOthers(im, product, [&](int l) { return isNeeded(l) || llvm::is_contained(next.labels, l); });
    next = sumOthers(im, next, [&](int l) { return isNeeded(l) || llvm::is_contained(product.labels, l); });
    Labels labels;
    for (const Labels *some : {&product.labels, &next.labels})
      for (int label : *some)
        if (isNeeded(label) && !llvm::is_contained(labels, label))
          labels.push_back(label);
    product = multiply(im, product, next, i + 1 == equation.operands.size() ? equation.result : labels);
  }
  SmallVector<int64_t> permutation;
  for (int label : equation.result)
    permutation.push_back(placeOf(product.labels, label));
  im.setOutput(node, 0, im.transpose(product.tensor, permutation));
}

static RegisterOps family{{"Einsum", importEinsum}};
