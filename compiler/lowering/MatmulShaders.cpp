#include "compiler/lowering/MatmulShaders.h"
#include "compiler/lowering/InPlace.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

Schedule fovea::lowering::shaderSchedule(MatmulForm &form, StringRef name,
                                         ArrayRef<std::pair<StringRef, int64_t>> choices) {
  const KernelView &kernel = form.kernel;
  Builder b(kernel.op->getContext());
  NamedAttrList attributes;
  attributes.set("kind", b.getStringAttr(name));
  for (auto [key, value] : choices)
    attributes.set(key, b.getI64IntegerAttr(value));
  Schedule schedule;
  schedule.attributes = attributes.getDictionary(b.getContext());
  form.packForShaders();
  schedule.layouts = form.layouts();
  schedule.aliases =
      aliasesOf(kernel, [&](BlockArgument init, BlockArgument input) { return form.mayWriteOver(init, input); });
  return schedule;
}

Stage fovea::lowering::shaderStage(exec::KernelDefOp kernel, StringRef suffix, AffineExpr tasks, const Machine &machine,
                                   ModuleOp code, llvm::function_ref<void(StageFrame &, KernelCode &)> write) {
  Stage stage;
  stage.function = (kernel.getSymName() + suffix).str();
  StageFrame frame(KernelView(kernel), code, stage.function);
  KernelCode c(frame.builder(), frame.loc(), machine);
  write(frame, c);
  frame.finish();
  stage.tasks = tasks;
  stage.workspaceBytes = getAffineConstantExpr(0, kernel.getContext());
  return stage;
}

AffineExpr fovea::lowering::passedOnBytes(MatmulForm &form) {
  if (!form.norm)
    return {};
  return affineOf(form.count(form.rows) * form.n, form.kernel.op->getContext()) * bytesOf(form.element);
}

/// Where rows that are passed on begin.
static Value passedOn(StageFrame &frame, MatmulForm &form) { return frame.buffer(form.kernel.outputs().back()); }

void fovea::lowering::finishSums(StageFrame &frame, KernelCode &c, MatmulForm &form, ArrayRef<Value> batch, Value m0,
                                 ArrayRef<Value> columns, ArrayRef<Value> sums) {
  MatmulEpilogue epilogue(frame, c, form);
  Value m = frame.size(form.count(form.rows)), n = frame.size(form.n);
  for (size_t i = 0; i < sums.size() / columns.size(); ++i) {
    Value row = c.add(m0, i);
    c.when(c.less(row, m), [&] {
      for (auto [j, column] : llvm::enumerate(columns))
        c.when(c.less(column, n), [&, j = j, column = column] {
          Value sum = c.splat(c.vector(form.element, 1), sums[i * columns.size() + j]);
          if (Value left = epilogue.finish(batch, row, sum, {column, {}, 1}))
            c.store(left, c.address(passedOn(frame, form), form.element, c.add(c.mul(row, n), column)));
        });
    });
  }
}

void fovea::lowering::normalizeRows(StageFrame &frame, KernelCode &c, MatmulForm &form, Value values) {
  MatmulEpilogue epilogue(frame, c, form);
  Value n = frame.size(form.n), start = values ? values : passedOn(frame, form);
  c.loop(frame.begin(), frame.end(), 1, [&](Value row) {
    epilogue.normalize({}, row, c.constant(1), 1, c.address(start, form.element, c.mul(row, n)), n);
  });
}
