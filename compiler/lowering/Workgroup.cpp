#include "compiler/lowering/Workgroup.h"
#include "compiler/lowering/Threads.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace fovea::lowering;

Workgroup::Workgroup(StageFrame &frame, KernelCode &c, int64_t size, int64_t valueWords)
    : size(size), c(c), ofAll(frame.sharedMemory(size * valueWords)),
      ofPieces(frame.sharedMemory(pieces(size) * valueWords)) {
  frame.setGroupSize(size);
  number = invocation(c);
}

void Workgroup::barrier() { gpu::BarrierOp::create(c.b, c.loc); }

void Workgroup::each(Value from, Value to, const std::function<void(Value)> &body) {
  c.loop(c.add(from, number), to, size, body);
}

Workgroup::Values Workgroup::each(Value from, Value to, ValueRange state, const KernelCode::LoopBody &body) {
  return c.loop(c.add(from, number), to, size, state, body);
}

/// The place of component `i` of the value at `at`, among `count` of them.
Value Workgroup::slot(Value base, TypeRange types, unsigned i, int64_t count, Value at) {
  int64_t before = 0;
  for (Type type : types.take_front(i))
    before += count * bytesOf(type) / 4;
  return c.address(c.address(base, c.b.getI32Type(), before), types[i], at);
}

void Workgroup::put(Value base, ValueRange values, int64_t count, Value at) {
  for (unsigned i = 0; i < values.size(); ++i)
    c.store(values[i], slot(base, values.getTypes(), i, count, at));
}

Workgroup::Values Workgroup::take(Value base, TypeRange types, int64_t count, Value at) {
  Values values;
  for (unsigned i = 0; i < types.size(); ++i)
    values.push_back(c.load(types[i], slot(base, types, i, count, at)));
  return values;
}

Workgroup::Values Workgroup::reduce(ValueRange mine, Combine combine) {
  int64_t parts = pieces(size);
  SmallVector<Type> types(mine.getTypes());
  auto join = [&](Value base, int64_t count, Value first, int64_t step) {
    Values all = take(base, types, count, first);
    for (int64_t at = step; at < count; at += step)
      all = combine(all, take(base, types, count, c.add(first, at)));
    return all;
  };
  // The two memories are used in turn: no invocation can write to one while others still read what it held before.
  put(ofAll, mine, size, number);
  barrier();
  c.when(c.less(number, c.constant(parts)), [&] { put(ofPieces, join(ofAll, size, number, parts), parts, number); });
  barrier();
  return join(ofPieces, parts, c.constant(0), 1);
}
