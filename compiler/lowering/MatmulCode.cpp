// The loops around the register tile.
//
//   row blocks -> chunks of panels -> blocks of k -> panels -> register tiles
//
// A block of rows of A (its rows' addresses are written down once) stays in the second-level cache while the panels of
// the weight pass by, each fetched while its predecessor is worked on, a few lines with every tile. Sums of all but the
// last block of k wait in the workspace. Rows are split evenly into tiles of at most the tile's height, so at most two
// heights occur in a block. A call with several tasks works through them in this order; the sums do not depend on how
// tasks are grouped.
#include "compiler/lowering/Matmul.h"
#include "compiler/lowering/MicroKernel.h"
#include "compiler/lowering/Panel.h"

#include <set>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

// Sums of a chunk of panels that wait for the next block of k.
static constexpr int64_t kChunkBytes = 512 << 10;

namespace {
/// Sizes that follow from the schedule.
struct Extents {
  int64_t panelVectors, subPanels, element, mc, chunk;
  int64_t panelElement; ///< bytes of an element of a panel
  bool convert;         ///< rows of A are converted before they are multiplied
  TileShape tile;
  bool wait;           ///< sums wait in the workspace: k is split, or rows are to be normalised
  bool direct = false; ///< sums are written to the output
  DimExpr sumStep;
  int64_t tableBytes, packBytes, rowStep = 0, rowBytes; ///< rowStep: elements from a converted row to the next
  DimExpr sumBytes;

  Extents(MatmulForm &form, const MatmulSchedule &s, const Machine &machine);
};

class MatmulWriter {
public:
  MatmulWriter(StageFrame &frame, KernelCode &c, MatmulForm &form, const MatmulSchedule &schedule, ModuleOp code)
      : frame(frame), c(c), form(form), s(schedule), x(form, schedule, c.machine), code(code), places(frame, c, form),
        epilogue(frame, c, form) {}
  void write();

private:
  void block(ArrayRef<Value> batch, Value m0, Value rows, Value p0, Value p1, const std::set<int64_t> &rowCounts);
  void convertRows(Value origin, Value m0, Value rows, Value k0, Value length);
  void panel(ArrayRef<Value> batch, Value m0, Value p, Value firstPanel, Value k0, Value length, Value resume,
             Value last, Value panelAddress, Value next);
  void tile(Value rows, Value table, Value k0, Value b, Value length, Value sums, Value step, Value resume,
            Value prefetch);

  StageFrame &frame;
  KernelCode &c;
  MatmulForm &form;
  const MatmulSchedule &s;
  Extents x;
  ModuleOp code;
  RowPlaces places;
  MatmulEpilogue epilogue;
  Value table, sumBuffer, packBuffer, rowBuffer;
  // Of the block at hand.
  Value tiles, shortRows, longTiles, density;
  SmallVector<int64_t> densities, cases;
};
} // namespace

Extents::Extents(MatmulForm &form, const MatmulSchedule &s, const Machine &machine) {
  element = bytesOf(form.element);
  int64_t lanes = machine.lanes(element * 8);
  panelVectors = s.panel / lanes;
  tile = tileFor(machine, form.element, panelVectors);
  // Weights stay as they are in memory, and are converted with every load; all else once, when it is packed or copied.
  tile.right = s.packed ? elementOf(form.w) : form.element;
  panelElement = bytesOf(tile.right);
  convert = elementOf(form.a) != form.element;
  subPanels = panelVectors / tile.vectors;
  mc = s.mc;
  std::optional<int64_t> k = form.k.getConstant(), n = form.n.getConstant();
  bool split = !k || *k > s.kc;
  wait = split || form.norm;
  chunk = std::max<int64_t>(1, kChunkBytes / (mc * s.panel * element));
  if (n)
    chunk = std::min<int64_t>(chunk, llvm::divideCeil(*n, s.panel));
  // Not a multiple of 4 KB: rows would share cache sets.
  sumStep = form.norm ? DimExpr(llvm::alignTo(n.value_or(0), s.panel) + 16)
                      : DimExpr(split ? chunk * s.panel + 16 : tile.vectors * lanes);
  if (form.plain() && form.outputs.size() == 1 && form.column >= 0 && n && *n % s.panel == 0 &&
      elementOf(form.outputs[0].access) == form.element) {
    const Access &out = form.outputs[0].access;
    DimExpr stride(0), size(1);
    bool even = out.strides[form.column].isConstant(1);
    for (int64_t d : llvm::reverse(form.rows)) {
      if (form.sizes[d].isConstant(1))
        continue;
      if (size.isConstant(1))
        stride = out.strides[d];
      else
        even &= out.strides[d] == stride * size;
      size = size * form.sizes[d];
    }
    direct = even;
    if (direct)
      sumStep = stride;
  }
  tableBytes = llvm::alignTo(mc * 8, 64);
  sumBytes = direct ? DimExpr(0) : sumStep * DimExpr((wait ? mc : tile.rows) * element);
  packBytes = s.packed ? 0 : s.kc * s.panel * element;
  // Not a multiple of 4 KB here either.
  rowStep = convert ? std::min<int64_t>(s.kc, llvm::alignTo(k.value_or(s.kc), 4)) + 16 : 0;
  rowBytes = llvm::alignTo(mc * rowStep * element, 64);
}

AffineExpr fovea::lowering::matmulWorkspace(MatmulForm &form, const MatmulSchedule &schedule, const Machine &machine) {
  Extents x(form, schedule, machine);
  DimExpr bytes = DimExpr(x.tableBytes + x.packBytes + x.rowBytes + 64) + x.sumBytes;
  return affineOf(bytes, form.product->getContext());
}

/// The numbers of rows that blocks may have.
static std::set<int64_t> rowCounts(const MatmulForm &form, const MatmulSchedule &s) {
  std::set<int64_t> counts;
  std::optional<int64_t> m = form.count(form.rows).getConstant();
  if (m && !s.block) {
    int64_t blocks = llvm::divideCeil(*m, s.mc);
    for (int64_t i = 0; i < blocks; ++i)
      counts.insert((i + 1) * *m / blocks - i * *m / blocks);
  } else {
    for (int64_t r = 1; r <= std::min(s.mc, m.value_or(s.mc)); ++r)
      counts.insert(r);
  }
  return counts;
}

/// Which of the densities of prefetching suits a block of that many tiles: with few tiles each has to fetch much.
static int64_t densityClass(int64_t tiles, ArrayRef<int64_t> densities, int64_t lines) {
  for (auto [i, density] : llvm::enumerate(densities))
    if (tiles * density >= lines)
      return i;
  return densities.size() - 1;
}

void MatmulWriter::write() {
  Value zero = c.constant(0);
  Value m = frame.size(form.count(form.rows)), n = frame.size(form.n);
  table = frame.workspace();
  packBuffer = c.address(table, c.b.getI8Type(), x.tableBytes);
  rowBuffer = c.address(packBuffer, c.b.getI8Type(), x.packBytes);
  sumBuffer = c.address(rowBuffer, c.b.getI8Type(), x.rowBytes);
  // Lines of the next panel for every 4 steps of k.
  int64_t lines = llvm::divideCeil(4 * s.panel * x.panelElement, 64);
  densities = s.packed ? SmallVector<int64_t>{1, 2, 3, lines} : SmallVector<int64_t>{0};
  std::set<int64_t> counts = rowCounts(form, s), distinct;
  for (int64_t r : counts) {
    int64_t t = llvm::divideCeil(r, x.tile.rows), d = densityClass(t * x.subPanels, densities, lines);
    distinct.insert((r / t) * 4 + d);
    if (r % t)
      distinct.insert((r / t + 1) * 4 + d);
  }
  cases.assign(distinct.begin(), distinct.end());

  Value panels = c.max(c.ceilDiv(n, s.panel), c.constant(1));
  if (s.block) {
    // Tasks are groups of whole rows; a call with several takes as many at once as fit.
    Value r0 = c.mul(frame.begin(), s.block), r1 = c.min(c.mul(frame.end(), s.block), m);
    Value blocks = c.ceilDiv(c.sub(r1, r0), s.mc), all = c.sub(r1, r0);
    c.loop(zero, blocks, 1, [&](Value i) {
      Value from = c.add(r0, c.div(c.mul(i, all), blocks)), to = c.add(r0, c.div(c.mul(c.add(i, 1), all), blocks));
      block({}, from, c.sub(to, from), zero, panels, counts);
      epilogue.normalize({}, from, c.sub(to, from), x.tile.lanes, sumBuffer, frame.size(x.sumStep));
    });
    return;
  }
  Value blocks = c.ceilDiv(m, s.mc);
  c.loop(c.div(frame.begin(), panels), c.ceilDiv(frame.end(), panels), 1, [&](Value group) {
    Value first = c.mul(group, panels);
    Value p0 = c.max(c.sub(frame.begin(), first), zero), p1 = c.min(c.sub(frame.end(), first), panels);
    Value blockIndex = c.rem(group, blocks);
    SmallVector<Value> batch =
        form.batch.empty() ? SmallVector<Value>() : places.indices(form.batch, c.div(group, blocks));
    Value from = c.div(c.mul(blockIndex, m), blocks), to = c.div(c.mul(c.add(blockIndex, 1), m), blocks);
    block(batch, from, c.sub(to, from), p0, p1, counts);
  });
}

void MatmulWriter::block(ArrayRef<Value> batch, Value m0, Value rows, Value p0, Value p1,
                         const std::set<int64_t> &rowCounts) {
  Value zero = c.constant(0), one = c.constant(1), k = frame.size(form.k);
  int64_t kDim = form.sizes.size();
  if (rowCounts.size() == 1)
    rows = c.constant(*rowCounts.begin());
  Value aOrigin = places.origin(form.a, batch);
  c.loop(zero, rows, 1, [&](Value r) {
    Value row = x.convert ? c.address(rowBuffer, form.element, c.mul(r, x.rowStep))
                          : c.address(aOrigin, form.element, places.row(form.a, c.add(m0, r)));
    c.store(row, c.address(table, c.b.getI64Type(), r));
  });
  tiles = c.ceilDiv(rows, x.tile.rows);
  shortRows = c.div(rows, tiles);
  longTiles = c.sub(rows, c.mul(shortRows, tiles));
  int64_t lines = llvm::divideCeil(4 * s.panel * x.panelElement, 64);
  density = c.constant(densities.size() - 1);
  for (int64_t i = densities.size() - 1; i-- > 0;)
    density =
        c.select(c.compare(arith::CmpIPredicate::sge, c.mul(tiles, x.subPanels * densities[i]), c.constant(lines)),
                 c.constant(i), density);

  Value kBlocks = c.max(c.ceilDiv(k, s.kc), one);
  Value kStep = KernelCode::known(kBlocks) == 1 ? k : c.mul(c.ceilDiv(c.ceilDiv(k, kBlocks), 4), 4);
  Value wOrigin = places.origin(form.w, batch);
  auto packedPanel = [&](Value p, Value k0) {
    return c.address(wOrigin, elementOf(form.w), c.mul(c.add(c.mul(p, k), k0), s.panel));
  };
  Value chunkSize = x.wait && !form.norm ? c.constant(x.chunk) : c.max(c.sub(p1, p0), one);
  Value chunks = c.ceilDiv(c.sub(p1, p0), chunkSize);
  c.loop(zero, chunks, 1, [&](Value chunkIndex) {
    Value c0 = c.add(p0, c.mul(chunkIndex, chunkSize)), c1 = c.min(c.add(c0, chunkSize), p1);
    c.loop(zero, kBlocks, 1, [&](Value kIndex) {
      Value k0 = c.mul(kIndex, kStep), length = c.min(kStep, c.sub(k, k0));
      Value resume = c.compare(arith::CmpIPredicate::ne, kIndex, zero), last = c.equal(c.add(kIndex, 1), kBlocks);
      if (x.convert)
        convertRows(aOrigin, m0, rows, k0, length);
      c.loop(c0, c1, 1, [&](Value p) {
        Value at, next;
        if (s.packed) {
          at = packedPanel(p, k0);
          // After the last panel comes the first one at the next k, or the next chunk's.
          Value following = c.add(p, 1), more = c.less(following, c1);
          next =
              c.select(more, packedPanel(following, k0),
                       c.select(last, packedPanel(c.min(c1, c.sub(p1, 1)), zero), packedPanel(c0, c.add(k0, kStep))));
        } else {
          Value kStride = frame.size(form.w.strides[kDim]),
                nStride = frame.size(form.column < 0 ? DimExpr(1) : form.w.strides[form.column]);
          Value n0 = c.mul(p, s.panel);
          Value origin = c.address(c.address(wOrigin, elementOf(form.w), c.mul(k0, kStride)), elementOf(form.w),
                                   c.mul(n0, nStride));
          packPanel(c, elementOf(form.w), {origin, kStride, nStride}, length,
                    c.min(c.sub(frame.size(form.n), n0), c.constant(s.panel)), s.panel, x.tile.lanes, packBuffer);
          at = next = packBuffer;
        }
        panel(batch, m0, p, form.norm ? zero : c0, k0, length, resume, last, at, next);
      });
    });
  });
}

/// Writes the next `length` elements of the rows, from k0 on, as the sums' type.
void MatmulWriter::convertRows(Value origin, Value m0, Value rows, Value k0, Value length) {
  Type element = elementOf(form.a);
  VectorType type = c.vector(element, x.tile.lanes);
  const DimExpr &stride = form.a.strides[form.sizes.size()];
  bool unit = stride.isConstant(1) || form.k.isConstant(1);
  Value step = unit ? c.constant(1) : frame.size(stride),
        whole = c.sub(length, c.rem(length, c.constant(x.tile.lanes)));
  c.loop(c.constant(0), rows, 1, [&](Value r) {
    Value from = c.address(c.address(origin, element, places.row(form.a, c.add(m0, r))), element, c.mul(k0, step)),
          to = c.address(rowBuffer, form.element, c.mul(r, x.rowStep));
    auto move = [&](Value k, Value mask) {
      Value place = c.address(from, element, c.mul(k, step));
      c.store(unit ? c.load(type, place, mask) : c.gather(type, place, step, mask), c.address(to, form.element, k),
              mask);
    };
    c.loop(c.constant(0), whole, x.tile.lanes, [&](Value k) { move(k, {}); });
    c.loop(whole, length, x.tile.lanes, [&](Value k) { move(k, c.lanesBelow(x.tile.lanes, k, length)); });
  });
}

void MatmulWriter::panel(ArrayRef<Value> batch, Value m0, Value p, Value firstPanel, Value k0, Value length,
                         Value resume, Value last, Value panelAddress, Value next) {
  Value zero = c.constant(0), step = frame.size(x.sumStep);
  int64_t width = x.tile.vectors * x.tile.lanes;
  Value fetched = c.constant(0);
  for (auto [i, d] : llvm::enumerate(densities))
    fetched = i == 0 ? c.constant(d) : c.select(c.equal(density, c.constant(i)), c.constant(d), fetched);
  Value share = c.mul(c.mul(c.div(length, 4), fetched), 64);
  // The last panel may have fewer columns.
  std::optional<int64_t> n = form.n.getConstant();
  Value subPanels = n && *n % s.panel == 0 ? c.constant(x.subPanels)
                                           : c.min(c.constant(x.subPanels),
                                                   c.ceilDiv(c.sub(frame.size(form.n), c.mul(p, s.panel)), width));
  c.loop(zero, subPanels, 1, [&](Value sub) {
    c.loop(zero, tiles, 1, [&](Value t) {
      Value start = c.add(c.mul(t, shortRows), c.min(t, longTiles));
      Value rows = c.add(shortRows, c.select(c.less(t, longTiles), c.constant(1), zero));
      Value b = c.address(panelAddress, x.tile.right, c.mul(sub, width)),
            n0 = c.add(c.mul(p, s.panel), c.mul(sub, width));
      Value sums;
      if (x.direct) {
        const Access &out = form.outputs[0].access;
        sums = c.address(c.address(places.origin(out, batch), form.element, places.row(out, c.add(m0, start))),
                         form.element, n0);
      } else if (x.wait) {
        Value column = c.sub(n0, c.mul(firstPanel, s.panel));
        sums = c.address(c.address(sumBuffer, form.element, c.mul(start, step)), form.element, column);
      } else {
        sums = sumBuffer;
      }
      Value fetch = c.address(next, c.b.getI8Type(), c.mul(c.add(c.mul(sub, tiles), t), share));
      tile(rows, c.address(table, c.b.getI64Type(), start), k0, b, length, sums, step, resume, fetch);
      if (!x.direct)
        c.when(last,
               [&] { epilogue.tile(batch, c.add(m0, start), rows, n0, x.tile.vectors, x.tile.lanes, sums, step); });
    });
  });
}

void MatmulWriter::tile(Value rows, Value table, Value k0, Value b, Value length, Value sums, Value step, Value resume,
                        Value prefetch) {
  const DimExpr &stride = form.a.strides[form.sizes.size()];
  // A dim of one element has no stride.
  int64_t aStep = form.k.isConstant(1) || x.convert ? 1 : stride.getConstant().value_or(0);
  Value aStepValue = aStep ? c.constant(aStep) : frame.size(stride);
  Value offset = x.convert ? c.constant(0) : c.mul(k0, aStepValue), panelWidth = c.constant(s.panel);
  c.dispatch(c.add(c.mul(rows, 4), density), cases, [&](int64_t which) {
    TileShape shape = x.tile;
    shape.rows = which / 4;
    func::FuncOp function = tileFunction(code, c.machine, {shape, densities[which % 4], aStep, s.panel, x.direct});
    func::CallOp::create(c.b, c.loc, function,
                         ValueRange{table, offset, aStepValue, b, panelWidth, length, sums, step, resume, prefetch});
  });
}

FailureOr<SmallVector<Stage>> fovea::lowering::emitMatmul(exec::KernelDefOp kernel, MatmulForm &form,
                                                          const MatmulSchedule &schedule, const Machine &machine,
                                                          ModuleOp code) {
  std::string name = kernel.getSymName().str();
  StageFrame frame(KernelView(kernel), code, name);
  KernelCode c(frame.builder(), frame.loc(), machine);
  MatmulWriter(frame, c, form, schedule, code).write();
  frame.finish();
  Stage stage;
  stage.function = name;
  auto affine = [&](const DimExpr &e) { return affineOf(e, kernel.getContext()); };
  AffineExpr m = affine(form.count(form.rows));
  stage.tasks = schedule.block
                    ? m.ceilDiv(schedule.block)
                    : affine(form.count(form.batch)) * m.ceilDiv(schedule.mc) * affine(form.n).ceilDiv(schedule.panel);
  stage.workspaceBytes = matmulWorkspace(form, schedule, machine);
  return SmallVector<Stage>{stage};
}
