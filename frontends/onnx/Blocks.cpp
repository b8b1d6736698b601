// Blocks of an image as channels, and back.
#include "frontends/onnx/Importer.h"

using namespace mlir;
using namespace fovea::frontend;

static int64_t blockSize(Importer &im, const Node &node, Value in) {
  int64_t size = node.integer("blocksize", 0);
  if (size < 1 || size > (int64_t(1) << 20))
    failInput("blocksize is " + Twine(size));
  if (im.rank(in) != 4)
    failInput("expected 4 dims, got " + Twine(im.rank(in)));
  return size;
}

/// Whether the channels are outside of the places in a block, as "CRD" has it; "DCR" has them inside.
static bool channelsFirst(const Node &node) {
  std::string mode = node.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    failInput("mode is \"" + mode + "\", expected DCR or CRD");
  return mode == "CRD";
}

static DimExpr divide(Importer &im, const DimExpr &size, int64_t by) {
  DimExpr quotient = im.quotient(size, by);
  im.checkEqual(size, quotient * by, "a dim is no multiple of " + Twine(by));
  return quotient;
}

static void importDepthToSpace(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  int64_t block = blockSize(im, node, in);
  bool first = channelsFirst(node);
  Shape s = im.shape(in);
  DimExpr channels = divide(im, s[1], block * block), b(block);
  Value parts =
      im.reshape(in, first ? Shape{s[0], channels, b, b, s[2], s[3]} : Shape{s[0], b, b, channels, s[2], s[3]});
  parts = im.transpose(parts, first ? ArrayRef<int64_t>{0, 1, 4, 2, 5, 3} : ArrayRef<int64_t>{0, 3, 4, 1, 5, 2});
  im.setOutput(node, 0, im.reshape(parts, {s[0], channels, s[2] * b, s[3] * b}));
}

static void importSpaceToDepth(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  int64_t block = blockSize(im, node, in);
  bool first = node.opset >= 28 && channelsFirst(node);
  Shape s = im.shape(in);
  DimExpr rows = divide(im, s[2], block), columns = divide(im, s[3], block), b(block);
  Value parts = im.reshape(in, {s[0], s[1], rows, b, columns, b});
  parts = im.transpose(parts, first ? ArrayRef<int64_t>{0, 1, 3, 5, 2, 4} : ArrayRef<int64_t>{0, 3, 5, 1, 2, 4});
  im.setOutput(node, 0, im.reshape(parts, {s[0], s[1] * b * b, rows, columns}));
}

static RegisterOps family{{"DepthToSpace", importDepthToSpace}, {"SpaceToDepth", importSpaceToDepth}};
