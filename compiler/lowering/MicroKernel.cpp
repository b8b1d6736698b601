#include "compiler/lowering/MicroKernel.h"

using namespace mlir;
using namespace fovea::lowering;
using Values = KernelCode::Values;

static constexpr int64_t kUnroll = 4;

/// One step of k: all products of a column of A with a row of B.
static void multiplyStep(KernelCode &c, const TileShape &tile, const TileOperands &o, ArrayRef<Value> a, Value b,
                         Values &sums) {
  VectorType type = c.vector(tile.element, tile.lanes), right = c.vector(tile.right, tile.lanes);
  Values row;
  for (int64_t v = 0; v < tile.vectors; ++v)
    row.push_back(c.load(right, c.address(b, tile.right, v * tile.lanes), v == tile.vectors - 1 ? o.mask : Value()));
  for (int64_t r = 0; r < tile.rows; ++r) {
    Value x = c.splat(type, c.load(tile.element, a[r]));
    for (int64_t v = 0; v < tile.vectors; ++v) {
      Value &sum = sums[r * tile.vectors + v];
      sum = c.fma(x, row[v], sum);
    }
  }
}

Values fovea::lowering::emitTile(KernelCode &c, const TileShape &tile, const TileOperands &o, Values sums) {
  auto steps = [&](Value from, Value to, int64_t unroll, Values state) {
    return c.loop(from, to, unroll, state, [&](Value k, ValueRange carried) {
      Values next(carried);
      Values a;
      Value aPlace = c.mul(k, o.aStep);
      for (Value row : o.a)
        a.push_back(c.address(row, tile.element, aPlace));
      Value b = c.address(o.b, tile.right, c.mul(k, o.bStep));
      bool prefetch = o.prefetch && unroll == kUnroll;
      Value fetched =
          prefetch ? c.address(o.prefetch, c.b.getI8Type(), c.mul(k, o.prefetchLines * 64 / kUnroll)) : Value();
      for (int64_t u = 0; u < unroll; ++u) {
        // Spread evenly: a core has few buffers for lines that are under way, and bursts would fill them.
        for (int64_t line = 0; prefetch && line < o.prefetchLines; ++line)
          if (line * kUnroll / o.prefetchLines == u)
            c.prefetch(c.address(fetched, c.b.getI8Type(), line * 64));
        Values at;
        for (Value row : a)
          at.push_back(c.address(row, tile.element, c.mul(o.aStep, u)));
        multiplyStep(c, tile, o, at, c.address(b, tile.right, c.mul(o.bStep, u)), next);
      }
      return next;
    });
  };
  Value zero = c.constant(0), whole = c.sub(o.length, c.rem(o.length, c.constant(kUnroll)));
  return steps(whole, o.length, 1, steps(zero, whole, kUnroll, sums));
}

TileShape fovea::lowering::tileFor(const Machine &machine, Type element, int64_t panelVectors) {
  TileShape tile{element, machine.lanes(element.getIntOrFloatBitWidth()), 0, 1};
  // 32 registers: 24 sums, a row of B, a broadcast. 16 registers: 12 sums.
  if (machine.vectorRegisters >= 32)
    tile.vectors = panelVectors % 3 == 0 ? 3 : panelVectors % 4 == 0 ? 4 : panelVectors % 2 == 0 ? 2 : 1;
  else
    tile.vectors = panelVectors % 2 == 0 ? 2 : 1;
  tile.rows = machine.vectorRegisters < 32 ? 6 : tile.vectors == 4 ? 6 : 8;
  return tile;
}

func::FuncOp fovea::lowering::tileFunction(ModuleOp code, const Machine &machine, const TileFunction &what) {
  const TileShape &tile = what.tile;
  std::string name;
  llvm::raw_string_ostream(name) << "fovea_tile_" << tile.element << "_" << tile.right << "_" << tile.rows << "x"
                                 << tile.vectors << "x" << tile.lanes << "_a" << what.aStep << "_b" << what.bStep
                                 << "_p" << what.prefetchLines << (what.fetchSums ? "_c" : "");
  if (auto known = code.lookupSymbol<func::FuncOp>(name))
    return known;
  OpBuilder b = OpBuilder::atBlockEnd(code.getBody());
  Location loc = UnknownLoc::get(b.getContext());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  auto function = func::FuncOp::create(
      b, loc, name,
      b.getFunctionType({pointer, i64, i64, pointer, i64, i64, pointer, i64, b.getI1Type(), pointer}, {}));
  function.setPrivate();
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  function.setArgAttr(6, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  b.setInsertionPointToStart(function.addEntryBlock());
  auto end = func::ReturnOp::create(b, loc);
  b.setInsertionPoint(end);
  KernelCode c(b, loc, machine);
  TileOperands o;
  for (int64_t r = 0; r < tile.rows; ++r)
    o.a.push_back(
        c.address(c.load(pointer, c.address(function.getArgument(0), i64, r)), tile.element, function.getArgument(1)));
  o.aStep = what.aStep ? c.constant(what.aStep) : function.getArgument(2);
  o.b = function.getArgument(3);
  o.bStep = what.bStep ? c.constant(what.bStep) : function.getArgument(4);
  o.length = function.getArgument(5);
  o.prefetch = what.prefetchLines ? function.getArgument(9) : Value();
  o.prefetchLines = what.prefetchLines;
  VectorType type = c.vector(tile.element, tile.lanes);
  auto place = [&](int64_t r, int64_t v) {
    Value row = c.address(function.getArgument(6), tile.element, c.mul(function.getArgument(7), r));
    return c.address(row, tile.element, v * tile.lanes);
  };
  int64_t count = tile.rows * tile.vectors, perLine = std::max<int64_t>(1, 64 / (tile.lanes * bytesOf(tile.element)));
  for (int64_t i = 0; what.fetchSums && i < count; i += perLine)
    c.prefetch(place(i / tile.vectors, i % tile.vectors), /*forWriting=*/true);
  Values sums = c.choose(
      function.getArgument(8), SmallVector<Type>(count, type),
      [&] {
        Values loaded;
        for (int64_t i = 0; i < count; ++i)
          loaded.push_back(c.load(type, place(i / tile.vectors, i % tile.vectors)));
        return loaded;
      },
      [&] { return Values(count, c.number(type, 0)); });
  sums = emitTile(c, tile, o, sums);
  for (int64_t i = 0; i < count; ++i)
    c.store(sums[i], place(i / tile.vectors, i % tile.vectors));
  return function;
}
