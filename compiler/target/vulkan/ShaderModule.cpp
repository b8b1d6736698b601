#include "compiler/target/vulkan/ShaderModule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::vulkan;

/// A struct of one run-time array of words, or of vectors of so many: what every storage buffer is.
static Type bufferType(OpBuilder &b, unsigned words) {
  Type word = b.getI32Type(), element = words > 1 ? VectorType::get({words}, word) : word;
  auto array = spirv::RuntimeArrayType::get(element, 4 * words);
  return spirv::PointerType::get(spirv::StructType::get({array}, {0}), spirv::StorageClass::StorageBuffer);
}

ShaderModule::ShaderModule(ModuleOp code, Location loc, Shader &shader)
    : shader(shader), b(code.getContext()), loc(loc) {
  b.setInsertionPointToEnd(code.getBody());
  spirvModule = spirv::ModuleOp::create(b, loc, spirv::AddressingModel::Logical, spirv::MemoryModel::GLSL450);
  b.setInsertionPointToEnd(spirvModule.getBody());
  // The most that the profile guarantees: 128 bytes.
  auto words = spirv::ArrayType::get(b.getI32Type(), kPushWords, 4);
  auto type = spirv::PointerType::get(spirv::StructType::get({words}, {0}), spirv::StorageClass::PushConstant);
  pushWords = spirv::GlobalVariableOp::create(b, loc, type, "push", /*initializer=*/FlatSymbolRefAttr());
  function = spirv::FuncOp::create(b, loc, shader.name, b.getFunctionType({}, {}));
  b.setInsertionPointToEnd(function.addEntryBlock());
}

Value ShaderModule::constant(int32_t value) { return arith::ConstantIntOp::create(b, loc, b.getI32Type(), value); }

static std::string bindingName(uint8_t buffer) {
  switch (buffer) {
  case kWordsBinding:
    return "words";
  case kMemoryBinding:
    return "memory";
  case kWeightsBinding:
    return "weights";
  case kFaultBinding:
    return "fault";
  case kWorkspaceBinding:
    return "workspace";
  default:
    return "buffer" + std::to_string(buffer);
  }
}

/// The number of the binding of a buffer, or of one of its windows.
unsigned ShaderModule::bindingOf(uint8_t buffer, uint8_t window) {
  unsigned number = 0;
  while (number < shader.bindings.size() && (shader.bindings[number] != buffer || shader.windows[number] != window))
    ++number;
  if (number == shader.bindings.size())
    shader.bindings.push_back(buffer), shader.windows.push_back(window);
  return number;
}

Value ShaderModule::base(uint8_t buffer, unsigned words, uint8_t window) {
  unsigned number = bindingOf(buffer, window);
  Value &base = bases[{number, words}];
  if (base)
    return base;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(function);
  std::string name = bindingName(buffer) + (words > 1 ? "_by_four" : "");
  if (window != artifact::WHOLE_BUFFER)
    name += "_window" + std::to_string(window);
  spirv::GlobalVariableOp &variable = buffers[{number, words}];
  variable = spirv::GlobalVariableOp::create(b, loc, bufferType(b, words), name, 0, number);
  // The memory of a run holds the fault word and the buffers that have bindings too; buffers that are compared may be
  // the same.
  if (!shader.shared.empty() || !shader.compared.empty())
    variable->setAttr("aliased", b.getUnitAttr());
  if (spirv::GlobalVariableOp other = buffers.lookup({number, 5 - words}))
    for (spirv::GlobalVariableOp view : {variable, other})
      view->setAttr("aliased", b.getUnitAttr());
  b.setInsertionPointToStart(&function.getBody().front());
  return base = spirv::AddressOfOp::create(b, loc, variable);
}

Value ShaderModule::word(uint8_t buffer, Value index, uint8_t window) {
  Value start = base(buffer, 1, window);
  Value zero = spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(0));
  return spirv::AccessChainOp::create(b, loc, start, ValueRange{zero, index});
}

void ShaderModule::share(int64_t words, bool byFour) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(function);
  Type word = b.getI32Type();
  auto array =
      byFour ? spirv::ArrayType::get(VectorType::get({4}, word), words / 4) : spirv::ArrayType::get(word, words);
  auto variable =
      spirv::GlobalVariableOp::create(b, loc, spirv::PointerType::get(array, spirv::StorageClass::Workgroup),
                                      byFour ? "shared_by_four" : "shared", /*initializer=*/FlatSymbolRefAttr());
  b.setInsertionPointToStart(&function.getBody().front());
  (byFour ? sharedFours : sharedBase) = spirv::AddressOfOp::create(b, loc, variable);
}

Value ShaderModule::sharedWord(Value index, bool byFour) {
  if (!byFour)
    return spirv::AccessChainOp::create(b, loc, sharedBase, ValueRange{index});
  Value four = b.createOrFold<arith::ShRUIOp>(loc, index, constant(2)),
        lane = b.createOrFold<arith::AndIOp>(loc, index, constant(3));
  return spirv::AccessChainOp::create(b, loc, sharedFours, ValueRange{four, lane});
}

Value ShaderModule::sharedFour(Value index) {
  return spirv::AccessChainOp::create(b, loc, sharedFours, ValueRange{index});
}

Value ShaderModule::fourWords(uint8_t buffer, Value index, uint8_t window) {
  Value start = base(buffer, 4, window);
  Value zero = spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(0));
  return spirv::AccessChainOp::create(b, loc, start, ValueRange{zero, index});
}

Value ShaderModule::array(int64_t words) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  auto type = spirv::PointerType::get(spirv::ArrayType::get(b.getI32Type(), words), spirv::StorageClass::Function);
  return spirv::VariableOp::create(b, loc, type, spirv::StorageClass::Function, /*initializer=*/nullptr);
}

Value ShaderModule::push(unsigned index) {
  OpBuilder::InsertionGuard guard(b);
  if (index >= kLaunchWords) {
    b.setInsertionPointAfter(base(kWordsBinding).getDefiningOp());
    Value place = spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(index - kLaunchWords));
    return spirv::LoadOp::create(b, loc, word(kWordsBinding, place));
  }
  b.setInsertionPointToStart(&function.getBody().front());
  return pushed(spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(index)));
}

Value ShaderModule::pushed(Value index) {
  Value zero = spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(0));
  Value words = spirv::AddressOfOp::create(b, loc, pushWords);
  return spirv::LoadOp::create(b, loc, spirv::AccessChainOp::create(b, loc, words, ValueRange{zero, index}));
}

Value ShaderModule::uniform(Value number, unsigned bits) {
  constexpr unsigned kBits = llvm::CTLog2<kDigits>();
  Value sum;
  for (unsigned shift = 0; shift < bits; shift += kBits) {
    Value digit =
        arith::AndIOp::create(b, loc, arith::ShRUIOp::create(b, loc, number, constant(shift)), constant(kDigits - 1));
    auto lookUp = [&](Value digit) { return pushed(arith::AddIOp::create(b, loc, digit, constant(kLaunchWords))); };
    Value same = lookUp(lookUp(digit));
    Value term = arith::ShLIOp::create(b, loc, same, constant(shift));
    sum = sum ? arith::OrIOp::create(b, loc, sum, term).getResult() : term;
  }
  return sum ? sum : constant(0);
}

Value ShaderModule::builtin(spirv::BuiltIn which, StringRef name, unsigned component) {
  spirv::GlobalVariableOp &variable = builtins[static_cast<unsigned>(which)];
  OpBuilder::InsertionGuard guard(b);
  if (!variable) {
    b.setInsertionPoint(function);
    auto type = spirv::PointerType::get(VectorType::get({3}, b.getI32Type()), spirv::StorageClass::Input);
    variable = spirv::GlobalVariableOp::create(b, loc, type, name, which);
  }
  b.setInsertionPointToStart(&function.getBody().front());
  Value all = spirv::LoadOp::create(b, loc, spirv::AddressOfOp::create(b, loc, variable));
  return spirv::CompositeExtractOp::create(b, loc, all, ArrayRef<int32_t>{static_cast<int32_t>(component)});
}

Value ShaderModule::group() {
  Value x = builtin(spirv::BuiltIn::WorkgroupId, "workgroup", 0),
        y = builtin(spirv::BuiltIn::WorkgroupId, "workgroup", 1);
  Value width = builtin(spirv::BuiltIn::NumWorkgroups, "workgroups", 0);
  return arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, y, width), x);
}

Value ShaderModule::invocation() { return builtin(spirv::BuiltIn::LocalInvocationId, "invocation", 0); }

spirv::ModuleOp ShaderModule::finish(unsigned groupSize) {
  shader.groupSize = groupSize;
  spirv::ReturnOp::create(b, loc);
  b.setInsertionPointToEnd(spirvModule.getBody());
  SmallVector<Attribute> inputs;
  // From SPIR-V 1.4 on, which this memory model is taken for, an entry point names all that it uses.
  bool all = spirvModule.getMemoryModel() == spirv::MemoryModel::Vulkan;
  for (auto variable : spirvModule.getOps<spirv::GlobalVariableOp>())
    if (all || cast<spirv::PointerType>(variable.getType()).getStorageClass() == spirv::StorageClass::Input)
      inputs.push_back(FlatSymbolRefAttr::get(variable));
  llvm::sort(inputs, [](Attribute x, Attribute y) {
    return cast<FlatSymbolRefAttr>(x).getValue() < cast<FlatSymbolRefAttr>(y).getValue();
  });
  spirv::EntryPointOp::create(b, loc, spirv::ExecutionModel::GLCompute, function, inputs);
  spirv::ExecutionModeOp::create(b, loc, function, spirv::ExecutionMode::LocalSize,
                                 ArrayRef<int32_t>{static_cast<int32_t>(groupSize), 1, 1});
  return spirvModule;
}
