#include "KernelTexts.h"

#include <sstream>
#include <vector>

namespace fovea::lowering {

static std::string sized(int64_t size) { return size < 0 ? "?" : std::to_string(size); }

std::string matmulText(const MatmulText &o) {
  const std::string &e = o.element;
  bool dynamic = o.m < 0, norm = !o.norm.empty(), layer = o.norm == "layer";
  std::string m = sized(o.m), n = std::to_string(o.n), k = std::to_string(o.k), symbols = dynamic ? "s0" : "";
  std::string mExpr = dynamic ? "s0" : m;
  std::string out = "tensor<" + m + "x" + n + "x" + e + ">", row = "tensor<" + n + "x" + e + ">";
  std::vector<std::string> arguments, shapes, layouts;
  auto argument = [&](const std::string &name, const std::string &type, const std::string &shape,
                      const std::string &layout = "#exec.row_major") {
    arguments.push_back("%" + name + ": " + type);
    shapes.push_back("affine_map<()[" + symbols + "] -> (" + shape + ")>");
    layouts.push_back(layout);
  };
  if (dynamic)
    arguments.push_back("%m: index");
  argument("a", "tensor<" + m + "x" + k + "x" + e + ">", mExpr + ", " + k);
  std::string weight = o.transposed ? n + "x" + k : k + "x" + n;
  argument("w", "tensor<" + weight + "x" + e + ">", o.transposed ? n + ", " + k : k + ", " + n,
           o.panels ? "#exec.panels<" + std::to_string(panelWidthFor(o.n)) + ">" : "#exec.row_major");
  if (o.bias)
    argument("bias", row, n);
  if (o.residual)
    argument("residual", out, mExpr + ", " + n);
  if (norm) {
    argument("scale", row, n);
    if (layer)
      argument("shift", row, n);
    if (o.keepSum)
      argument("kept", out, mExpr + ", " + n);
  }
  argument("out", out, mExpr + ", " + n);
  std::ostringstream body;
  std::string size = dynamic ? "(%m)" : "()";
  body << "  %zero = arith.constant 0.0 : " << e << "\n  %e = tensor.empty" << size << " : " << out << "\n";
  body << "  %z = linalg.fill ins(%zero : " << e << ") outs(%e : " << out << ") -> " << out << "\n";
  body << "  %p = linalg.matmul "
       << (o.transposed ? "indexing_maps = [affine_map<(i, j, l) -> (i, l)>, affine_map<(i, j, l) -> (j, l)>, "
                          "affine_map<(i, j, l) -> (i, j)>] "
                        : "")
       << "ins(%a, %w : tensor<" << m << "x" << k << "x" << e << ">, tensor<" << weight << "x" << e
       << ">) outs(%z : " << out << ") -> " << out << "\n";
  std::string value = "%p";
  int count = 0;
  auto generic = [&](const std::string &inputs, const std::string &types, const std::string &maps,
                     const std::string &args, const std::string &code) {
    std::string next = "%v" + std::to_string(count++);
    body << "  " << next << " = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, " << maps
         << "affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [\"parallel\", \"parallel\"]} ins(" << value << inputs
         << " : " << out << types << ") outs(%e : " << out << ") {\n  ^bb0(%x: " << e << ", " << args << "%o: " << e
         << "):\n"
         << code << "    linalg.yield %y : " << e << "\n  } -> " << out << "\n";
    value = next;
  };
  if (o.bias)
    generic(", %bias", ", " + row, "affine_map<(d0, d1) -> (d1)>, ", "%b: " + e + ", ",
            "    %y = arith.addf %x, %b : " + e + "\n");
  if (o.activation == "gelu")
    generic("", "", "", "", "    %y = attn.gelu %x : " + e + "\n");
  if (o.activation == "relu")
    generic("", "", "", "", "    %c = arith.constant 0.0 : " + e + "\n    %y = arith.maximumf %x, %c : " + e + "\n");
  if (o.residual)
    generic(", %residual", ", " + out, "affine_map<(d0, d1) -> (d0, d1)>, ", "%b: " + e + ", ",
            "    %y = arith.addf %x, %b : " + e + "\n");
  std::string results = value, types = out;
  if (norm) {
    body << "  %n = attn." << o.norm << "_norm axis(1) epsilon(1.0e-5) ins(" << value << " : " << out
         << ") scale(%scale : " << row << ")" << (layer ? " bias(%shift : " + row + ")" : "") << " outs(%e : " << out
         << ") -> " << out << "\n";
    results = o.keepSum ? value + ", %n" : "%n";
    if (o.keepSum)
      types += ", " + out;
  }
  auto join = [](const std::vector<std::string> &parts) {
    std::string all;
    for (const std::string &part : parts)
      all += (all.empty() ? "" : ", ") + part;
    return all;
  };
  return "exec.kernel_def @kernel symbols " + std::to_string(dynamic) + " inits " + (o.keepSum ? "2" : "1") +
         " shapes [" + join(shapes) + "] layouts [" + join(layouts) + "] schedule {} {\n^bb0(" + join(arguments) +
         "):\n" + body.str() + "  exec.yield " + results + " : " + types + "\n}\n";
}

std::string attentionText(const AttentionText &o) {
  const std::string &e = o.element;
  bool dynamicM = o.m < 0, dynamicN = o.n < 0, dynamic = dynamicM || dynamicN;
  std::string symbols = dynamic ? "s0" : "", m = dynamicM ? "s0" : std::to_string(o.m),
              n = dynamicN ? "s0" : std::to_string(o.n);
  auto text = [](int64_t v) { return std::to_string(v); };
  auto type = [&](int64_t heads, int64_t rows, int64_t last) {
    return "tensor<" + text(o.batch) + "x" + text(heads) + "x" + sized(rows) + "x" + text(last) + "x" + e + ">";
  };
  std::string qType = type(o.heads, o.m, o.d), kType = type(o.keyHeads, o.n, o.d), vType = type(o.keyHeads, o.n, o.e),
              oType = type(o.heads, o.m, o.e);
  std::string arguments = dynamic ? "%s: index" : "", shapes, layouts;
  auto argument = [&](const std::string &name, const std::string &type, const std::string &shape) {
    arguments += (arguments.empty() ? "" : ", ") + ("%" + name + ": " + type);
    shapes += (shapes.empty() ? "" : ", ") + ("affine_map<()[" + symbols + "] -> (" + shape + ")>");
    layouts += layouts.empty() ? "#exec.row_major" : ", #exec.row_major";
  };
  std::string b = text(o.batch), inner = text((o.heads + 2 * o.keyHeads) * o.d),
              qkv = "tensor<" + b + "x" + sized(o.m) + "x" + inner + "x" + e + ">";
  if (o.merged) {
    argument("qkv", qkv, b + ", " + m + ", " + inner);
  } else {
    argument("q", qType, b + ", " + text(o.heads) + ", " + m + ", " + text(o.d));
    argument("k", kType, b + ", " + text(o.keyHeads) + ", " + n + ", " + text(o.d));
    argument("v", vType, b + ", " + text(o.keyHeads) + ", " + n + ", " + text(o.e));
  }
  std::string s = e == "f64" ? "f64" : "f32";
  std::string table = "tensor<" + text(o.d) + "x" + s + ">";
  if (o.additive)
    argument("w", table, text(o.d));
  std::string maskType, maskMap;
  if (o.mask == "keys")
    maskType = "tensor<" + b + "x1x1x" + sized(o.n) + "x" + e + ">",
    maskMap = "affine_map<(b, h, i, j) -> (b, 0, 0, j)>";
  if (o.mask == "full")
    maskType = "tensor<" + b + "x" + text(o.heads) + "x" + sized(o.m) + "x" + sized(o.n) + "x" + e + ">",
    maskMap = "affine_map<(b, h, i, j) -> (b, h, i, j)>";
  if (!maskType.empty())
    argument("mask", maskType, o.mask == "keys" ? b + ", 1, 1, " + n : b + ", " + text(o.heads) + ", " + m + ", " + n);
  if (o.lengths)
    argument("lengths", "tensor<" + b + "xi64>", b);
  std::string merged = "tensor<" + b + "x" + sized(o.m) + "x" + text(o.heads * o.e) + "x" + e + ">",
              result = o.merged ? merged : oType;
  argument("out", result,
           o.merged ? b + ", " + m + ", " + text(o.heads * o.e)
                    : b + ", " + text(o.heads) + ", " + m + ", " + text(o.e));
  std::string weights = "tensor<" + b + "x" + text(o.heads) + "x" + sized(o.m) + "x" + sized(o.n) + "x" + s + ">";
  if (o.weights)
    argument("weights", weights, b + ", " + text(o.heads) + ", " + m + ", " + n);
  bool split = o.parts > 1;
  std::string scratch = "tensor<" + text(o.scratchBytes()) + "xi8>";
  if (split)
    argument("scratch", scratch, text(o.scratchBytes()));
  std::ostringstream body;
  std::string rows = dynamicM ? "%s" : m;
  if (o.merged) {
    int64_t offset = 0;
    for (auto [name, heads] : {std::pair("q", o.heads), {"k", o.keyHeads}, {"v", o.keyHeads}}) {
      int64_t width = heads * o.d;
      std::string slice = "tensor<" + b + "x" + sized(o.m) + "x" + text(width) + "x" + e + ">",
                  split = "tensor<" + b + "x" + sized(o.m) + "x" + text(heads) + "x" + text(o.d) + "x" + e + ">";
      std::string turned = type(heads, o.m, o.d), id = name;
      body << "  %" << id << "0 = tensor.extract_slice %qkv[0, 0, " << offset << "] [" << b << ", " << rows << ", "
           << width << "] [1, 1, 1] : " << qkv << " to " << slice << "\n";
      body << "  %" << id << "1 = tensor.expand_shape %" << id << "0 [[0], [1], [2, 3]] output_shape [" << b << ", "
           << rows << ", " << heads << ", " << o.d << "] : " << slice << " into " << split << "\n";
      body << "  %" << id << "2 = tensor.empty(" << (dynamicM ? "%s" : "") << ") : " << turned << "\n";
      body << "  %" << id << " = linalg.transpose ins(%" << id << "1 : " << split << ") outs(%" << id
           << "2 : " << turned << ") permutation = [0, 2, 1, 3]\n";
      offset += width;
    }
  }
  body << "  %e = tensor.empty(" << (dynamicM ? "%s" : "") << ") : " << oType << "\n";
  body << (o.weights ? "  %r, %p" : "  %r") << " = attn.attention ins(%q, %k, %v : " << qType << ", " << kType << ", "
       << vType << ")";
  if (!maskType.empty())
    body << " captures(%mask : " << maskType << ")";
  if (o.lengths)
    body << " lengths(%lengths : tensor<" << b << "xi64>)";
  body << " outs(%e" << (o.weights ? ", %weights : " : " : ") << oType << (o.weights ? ", " + weights : "")
       << ") {scale = " << std::showpoint << o.scale << " : f64" << o.attributes;
  if (!maskMap.empty())
    body << ", capture_maps = [" << maskMap << "]";
  if (o.weights)
    body << ", extras = [#attn.extra<weights>]";
  body << "}";
  std::string wide = e == s ? "%c" : "%w", widen = e == s ? "" : "    %w = arith.extf %c : " + e + " to " + s + "\n";
  if (o.additive) {
    bool narrow = e != s;
    body << " combine {\n  ^bb0(%x: " << e << ", %y: " << e << ", %d: index):\n";
    if (narrow)
      body << "    %wx = arith.extf %x : " << e << " to " << s << "\n    %wy = arith.extf %y : " << e << " to " << s
           << "\n";
    body << "    %sum = arith.addf " << (narrow ? "%wx, %wy" : "%x, %y") << " : " << s
         << "\n    %t = math.tanh %sum : " << s << "\n    %c = tensor.extract %w[%d] : " << table
         << "\n    %p = arith.mulf %t, %c : " << s << "\n    attn.yield %p : " << s << "\n  }";
  }
  if (!maskType.empty())
    body << " score {\n  ^bb0(%x: " << s << ", %b: index, %h: index, %i: index, %j: index, %c: " << e << "):\n"
         << widen << "    %y = arith.addf %x, " << wide << " : " << s << "\n    attn.yield %y : " << s << "\n  }";
  if (o.mask == "softcap")
    body << " score {\n  ^bb0(%x: " << s
         << ", %b: index, %h: index, %i: index, %j: index):\n    %c = arith.constant 2.0 : " << s
         << "\n    %u = arith.divf %x, %c : " << s << "\n    %t = math.tanh %u : " << s
         << "\n    %y = arith.mulf %t, %c : " << s << "\n    attn.yield %y : " << s << "\n  }";
  body << " -> " << oType << (o.weights ? ", " + weights : "") << "\n";
  if (o.merged) {
    std::string turned = "tensor<" + b + "x" + sized(o.m) + "x" + text(o.heads) + "x" + text(o.e) + "x" + e + ">";
    body << "  %t0 = tensor.empty(" << (dynamicM ? "%s" : "") << ") : " << turned << "\n";
    body << "  %t = linalg.transpose ins(%r : " << oType << ") outs(%t0 : " << turned
         << ") permutation = [0, 2, 1, 3]\n";
    body << "  %f = tensor.collapse_shape %t [[0], [1], [2, 3]] : " << turned << " into " << merged << "\n";
  }
  body << "  exec.yield " << (o.merged ? "%f" : "%r") << (o.weights ? ", %p" : "") << (split ? ", %scratch" : "")
       << " : " << result << (o.weights ? ", " + weights : "") << (split ? ", " + scratch : "") << "\n";
  return "exec.kernel_def @kernel symbols " + text(dynamic) + " inits " + text(1 + o.weights + split) + " shapes [" +
         shapes + "] layouts [" + layouts + "] schedule {" + (split ? "parts = " + text(o.parts) + " : i64" : "") +
         "} {\n^bb0(" + arguments + "):\n" + body.str() + "}\n";
}

} // namespace fovea::lowering
