#include "dialects/data/DimExpr.h"
#include "dialects/data/Data.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fovea::data;

//===-- DimAtom, DimExpr ===//

bool DimAtom::operator<(const DimAtom &o) const {
  if (name != o.name)
    return name < o.name;
  if (!name.empty() || value == o.value)
    return false;
  // Program order where there is one, so that what is made from expressions does not depend on addresses.
  auto a = dyn_cast<BlockArgument>(value), b = dyn_cast<BlockArgument>(o.value);
  if (a && b && a.getOwner() == b.getOwner())
    return a.getArgNumber() < b.getArgNumber();
  if (bool(a) != bool(b))
    return bool(a);
  if (!a && value.getDefiningOp()->getBlock() == o.value.getDefiningOp()->getBlock() &&
      value.getDefiningOp() != o.value.getDefiningOp())
    return value.getDefiningOp()->isBeforeInBlock(o.value.getDefiningOp());
  return value.getAsOpaquePointer() < o.value.getAsOpaquePointer();
}

DimExpr::DimExpr(int64_t constant) { add({}, constant); }

DimExpr DimExpr::symbol(StringRef name, Value value) {
  DimExpr e;
  e.add({DimAtom{name.str(), value}}, 1);
  return e;
}

DimExpr DimExpr::value(Value value) {
  DimExpr e;
  e.add({DimAtom{"", value}}, 1);
  return e;
}

void DimExpr::add(Monomial m, int64_t coefficient) {
  if (coefficient == 0)
    return;
  auto [it, fresh] = terms.try_emplace(std::move(m), 0);
  it->second = static_cast<uint64_t>(it->second) + static_cast<uint64_t>(coefficient); // absurd sizes wrap around
  if (it->second == 0)
    terms.erase(it);
}

DimExpr DimExpr::operator+(const DimExpr &o) const {
  DimExpr r = *this;
  for (auto &[m, c] : o.terms)
    r.add(m, c);
  return r;
}

DimExpr DimExpr::operator-(const DimExpr &o) const {
  DimExpr r = *this;
  for (auto &[m, c] : o.terms)
    r.add(m, 0 - static_cast<uint64_t>(c));
  return r;
}

DimExpr DimExpr::operator*(const DimExpr &o) const {
  DimExpr r;
  for (auto &[m, c] : terms)
    for (auto &[n, d] : o.terms) {
      Monomial product;
      std::merge(m.begin(), m.end(), n.begin(), n.end(), std::back_inserter(product));
      r.add(std::move(product), static_cast<uint64_t>(c) * static_cast<uint64_t>(d));
    }
  return r;
}

std::optional<int64_t> DimExpr::getConstant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms.begin()->first.empty())
    return terms.begin()->second;
  return std::nullopt;
}

std::optional<DimExpr> DimExpr::dividedBy(const DimExpr &o) const {
  if (terms.empty() && !o.terms.empty())
    return DimExpr(0);
  if (*this == o && !terms.empty())
    return DimExpr(1);
  if (o.terms.size() != 1)
    return std::nullopt;
  auto &[divisor, coefficient] = *o.terms.begin();
  if (coefficient == -1) // the least number has no quotient
    return (DimExpr(0) - *this).dividedBy(DimExpr(0) - o);
  DimExpr r;
  for (auto &[m, c] : terms) {
    if (c % coefficient != 0)
      return std::nullopt;
    Monomial rest = m;
    for (const DimAtom &atom : divisor) {
      auto it = llvm::find(rest, atom);
      if (it == rest.end())
        return std::nullopt;
      rest.erase(it);
    }
    r.add(std::move(rest), c / coefficient);
  }
  return r;
}

std::vector<DimAtom> DimExpr::atoms() const {
  std::vector<DimAtom> all;
  for (auto &[m, c] : terms)
    for (const DimAtom &atom : m)
      if (!llvm::is_contained(all, atom))
        all.push_back(atom);
  llvm::sort(all);
  return all;
}

std::string DimExpr::str() const {
  if (terms.empty())
    return "0";
  // The constant term last, as one writes it.
  std::vector<std::string> parts;
  for (auto &[m, c] : terms) {
    std::vector<std::string> factors;
    if (c != 1 || m.empty())
      factors.push_back(std::to_string(c));
    for (const DimAtom &atom : m)
      factors.push_back(atom.name.empty() ? "?" : atom.name);
    std::string part = llvm::join(factors, "*");
    if (m.empty())
      parts.push_back(part);
    else
      parts.insert(terms.begin()->first.empty() ? parts.end() - (!parts.empty() && terms.size() > 1 ? 1 : 0)
                                                : parts.end(),
                   part);
  }
  return llvm::join(parts, " + ");
}

AffineExpr DimExpr::toAffine(MLIRContext *context, llvm::function_ref<unsigned(const DimAtom &)> index) const {
  AffineExpr sum = getAffineConstantExpr(0, context);
  for (auto &[m, c] : terms) {
    AffineExpr product = getAffineConstantExpr(1, context);
    for (const DimAtom &atom : m)
      product = product * getAffineSymbolExpr(index(atom), context);
    sum = sum + product * c;
  }
  return sum;
}

DimExpr DimExpr::fromAffine(AffineExpr expr, ArrayRef<DimExpr> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return DimExpr(constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return symbols[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  DimExpr lhs = fromAffine(binary.getLHS(), symbols), rhs = fromAffine(binary.getRHS(), symbols);
  if (expr.getKind() == AffineExprKind::Add)
    return lhs + rhs;
  assert(expr.getKind() == AffineExprKind::Mul && "shapes are polynomials");
  return lhs * rhs;
}

//===-- DimAnalysis ===//

DimExpr DimAnalysis::get(Value tensor, int64_t dim) {
  auto type = cast<ShapedType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return DimExpr(type.getDimSize(dim));
  if (auto it = dims.find({tensor, dim}); it != dims.end())
    return it->second;
  DimExpr e = compute(tensor, dim);
  dims[{tensor, dim}] = e;
  return e;
}

DimExpr DimAnalysis::get(Value index) {
  if (auto it = indices.find(index); it != indices.end())
    return it->second;
  DimExpr e = computeIndex(index);
  indices[index] = e;
  return e;
}

DimExpr DimAnalysis::get(OpFoldResult size) {
  if (auto constant = getConstantIntValue(size))
    return DimExpr(*constant);
  return get(cast<Value>(size));
}

llvm::SmallVector<DimExpr> DimAnalysis::shape(Value tensor) {
  SmallVector<DimExpr> all;
  for (int64_t d = 0, e = cast<ShapedType>(tensor.getType()).getRank(); d < e; ++d)
    all.push_back(get(tensor, d));
  return all;
}

std::string fovea::data::dimName(mlir::func::FuncOp function, unsigned argument, int64_t dim) {
  using fovea::exec::ExecDialect;
  if (auto names = function.getArgAttrOfType<ArrayAttr>(argument, ExecDialect::kDimsAttr))
    if (auto name = dyn_cast<StringAttr>(names[dim]))
      return name.str();
  auto name = function.getArgAttrOfType<StringAttr>(argument, ExecDialect::kNameAttr);
  return (name ? name.str() : "input" + std::to_string(argument)) + "." + std::to_string(dim);
}

/// A dim of an argument of a function by its name; of a kernel by the kernel's shapes.
static std::optional<DimExpr> dimOfArgument(BlockArgument argument, int64_t dim) {
  Operation *parent = argument.getOwner()->getParentOp();
  if (auto function = dyn_cast<mlir::func::FuncOp>(parent); function && argument.getOwner()->isEntryBlock())
    return DimExpr::symbol(dimName(function, argument.getArgNumber(), dim));
  auto inKernel = [&](auto kernel, ArrayAttr shapes, unsigned symbols) {
    SmallVector<DimExpr> atoms;
    for (unsigned i = 0; i < symbols; ++i)
      atoms.push_back(DimExpr::value(argument.getOwner()->getArgument(i)));
    AffineMap shape = cast<AffineMapAttr>(shapes[argument.getArgNumber() - symbols]).getValue();
    return DimExpr::fromAffine(shape.getResult(dim), atoms);
  };
  if (auto kernel = dyn_cast<fovea::exec::KernelOp>(parent))
    return inKernel(kernel, kernel.getShapes(), kernel.getSymbols().size());
  if (auto kernel = dyn_cast<fovea::exec::KernelDefOp>(parent))
    return inKernel(kernel, kernel.getShapes(), kernel.getSymbolCount());
  return std::nullopt;
}

DimExpr DimAnalysis::compute(Value tensor, int64_t dim) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    if (auto e = dimOfArgument(argument, dim))
      return *e;
  } else {
    Operation *op = tensor.getDefiningOp();
    auto result = cast<OpResult>(tensor);
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      return get(empty.getMixedSizes()[dim]);
    if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
      unsigned position = splat.getType().getDynamicDimIndex(dim);
      return get(splat.getDynamicSizes()[position]);
    }
    if (auto expand = dyn_cast<ExpandOp>(op))
      return get(expand.getSizes()[cast<RankedTensorType>(expand.getType()).getDynamicDimIndex(dim)]);
    if (auto kernel = dyn_cast<fovea::exec::KernelOp>(op)) {
      SmallVector<DimExpr> symbols;
      for (Value symbol : kernel.getSymbols())
        symbols.push_back(get(symbol));
      unsigned position = kernel.getInputs().size() + result.getResultNumber();
      return DimExpr::fromAffine(cast<AffineMapAttr>(kernel.getShapes()[position]).getValue().getResult(dim), symbols);
    }
    if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
      return get(dps.getTiedOpOperand(result)->get(), dim);
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
      DimExpr product(1);
      ReassociationIndices group = collapse.getReassociationIndices()[dim];
      for (int64_t d : group)
        product = product * get(collapse.getSrc(), d);
      return product;
    }
    if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
      return get(expand.getMixedOutputShape()[dim]);
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      auto dropped = slice.getDroppedDims();
      int64_t kept = -1;
      for (auto [d, size] : llvm::enumerate(slice.getMixedSizes()))
        if (!dropped.test(d) && ++kept == dim)
          return get(size);
    }
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      return get(insert.getDest(), dim);
    if (auto pad = dyn_cast<tensor::PadOp>(op))
      return get(pad.getMixedLowPad()[dim]) + get(pad.getSource(), dim) + get(pad.getMixedHighPad()[dim]);
    if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
      if (static_cast<int64_t>(concat.getDim()) != dim) {
        for (Value input : concat.getInputs())
          if (get(input, dim).getConstant())
            return get(input, dim);
        return get(concat.getInputs().front(), dim);
      }
      DimExpr sum(0);
      for (Value input : concat.getInputs())
        sum = sum + get(input, dim);
      return sum;
    }
    if (auto cast = dyn_cast<tensor::CastOp>(op))
      return get(cast.getSource(), dim);
  }
  // Some value that stands for this dim: the tensor.dim of it, if there is one.
  for (Operation *user : tensor.getUsers())
    if (auto dimOp = dyn_cast<tensor::DimOp>(user))
      if (dimOp.getConstantIndex() == dim)
        return DimExpr::value(dimOp.getResult());
  // Unknown, and equal to nothing else: named by the tensor and the dim.
  std::string name;
  llvm::raw_string_ostream(name) << "?" << tensor.getAsOpaquePointer() << "." << dim;
  return DimExpr::symbol(name);
}

DimExpr DimAnalysis::computeIndex(Value index) {
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return DimExpr(constant.getSExtValue());
  Operation *op = index.getDefiningOp();
  if (!op)
    return DimExpr::value(index);
  if (isa<arith::AddIOp>(op))
    return get(op->getOperand(0)) + get(op->getOperand(1));
  if (isa<arith::SubIOp>(op))
    return get(op->getOperand(0)) - get(op->getOperand(1));
  if (isa<arith::MulIOp>(op))
    return get(op->getOperand(0)) * get(op->getOperand(1));
  if (isa<arith::IndexCastOp>(op)) {
    // Atoms are indices: a cast of some other integer stands for itself.
    DimExpr e = get(op->getOperand(0));
    for (const DimAtom &atom : e.atoms())
      if (atom.name.empty() && !atom.value.getType().isIndex())
        return DimExpr::value(index);
    return e;
  }
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(op))
    if (auto quotient = get(op->getOperand(0)).dividedBy(get(op->getOperand(1))))
      return *quotient;
  if (isa<arith::MaxSIOp, arith::MinSIOp>(op) && get(op->getOperand(0)) == get(op->getOperand(1)))
    return get(op->getOperand(0));
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    AffineMap map = apply.getAffineMap();
    bool polynomial = map.getNumDims() == 0 || map.getNumSymbols() == 0;
    map.getResult(0).walk([&](AffineExpr e) {
      polynomial &= isa<AffineConstantExpr, AffineSymbolExpr, AffineDimExpr>(e) || e.getKind() == AffineExprKind::Add ||
                    e.getKind() == AffineExprKind::Mul;
    });
    if (polynomial) {
      SmallVector<DimExpr> operands;
      for (Value operand : apply.getMapOperands())
        operands.push_back(get(operand));
      return DimExpr::fromAffine(map.getResult(0), operands);
    }
  }
  if (auto dimOp = dyn_cast<tensor::DimOp>(op))
    if (auto d = dimOp.getConstantIndex()) {
      auto type = cast<RankedTensorType>(dimOp.getSource().getType());
      if (!type.isDynamicDim(*d))
        return DimExpr(type.getDimSize(*d));
      if (auto argument = dyn_cast<BlockArgument>(dimOp.getSource())) {
        if (auto e = dimOfArgument(argument, *d)) {
          // The atom remembers a value that holds it.
          if (e->getTerms().size() == 1 && e->getTerms().begin()->first.size() == 1 &&
              e->getTerms().begin()->second == 1 && !e->atoms()[0].name.empty())
            return DimExpr::symbol(e->atoms()[0].name, index);
          return *e;
        }
        return DimExpr::value(index);
      }
      if (isa<tensor::EmptyOp, tensor::SplatOp, ExpandOp, DestinationStyleOpInterface, tensor::CollapseShapeOp,
              tensor::ExpandShapeOp, tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::PadOp, tensor::ConcatOp,
              tensor::CastOp>(dimOp.getSource().getDefiningOp()))
        return get(dimOp.getSource(), *d);
    }
  return DimExpr::value(index);
}

//===-- Materialisation ===//

/// A value of an atom: its own, or for a named dim the dim of an argument of the enclosing function.
static Value valueOf(OpBuilder &builder, Location loc, const DimAtom &atom) {
  if (atom.name.empty())
    return atom.value;
  Operation *parent = builder.getInsertionBlock()->getParentOp();
  auto function = dyn_cast<mlir::func::FuncOp>(parent);
  if (!function)
    function = parent->getParentOfType<mlir::func::FuncOp>();
  if (function)
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      for (int64_t d = 0; type && d < type.getRank(); ++d)
        if (type.isDynamicDim(d) && dimName(function, argument.getArgNumber(), d) == atom.name)
          return tensor::DimOp::create(builder, loc, argument, d);
    }
  return atom.value;
}

Value fovea::data::materialize(OpBuilder &builder, Location loc, const DimExpr &expr) {
  auto constant = [&](int64_t c) -> Value { return arith::ConstantIndexOp::create(builder, loc, c); };
  Value sum;
  int64_t added = 0;
  for (auto &[m, c] : expr.getTerms()) {
    if (m.empty()) {
      added = c;
      continue;
    }
    Value product;
    for (const DimAtom &atom : m) {
      Value v = valueOf(builder, loc, atom);
      assert(v && "an atom without a value");
      product = product ? arith::MulIOp::create(builder, loc, product, v).getResult() : v;
    }
    if (c != 1)
      product = arith::MulIOp::create(builder, loc, product, constant(c));
    sum = sum ? arith::AddIOp::create(builder, loc, sum, product).getResult() : product;
  }
  if (!sum)
    return constant(added);
  return added == 0 ? sum : arith::AddIOp::create(builder, loc, sum, constant(added)).getResult();
}

OpFoldResult fovea::data::materializeOrConstant(OpBuilder &builder, Location loc, const DimExpr &expr) {
  if (auto constant = expr.getConstant())
    return builder.getIndexAttr(*constant);
  return materialize(builder, loc, expr);
}
