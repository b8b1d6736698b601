// The operators that can be imported; each family's file adds its own to the list.
#ifndef FOVEA_FRONTENDS_ONNX_REGISTRY_H
#define FOVEA_FRONTENDS_ONNX_REGISTRY_H

#include "llvm/ADT/StringRef.h"

#include <initializer_list>
#include <vector>

namespace fovea::frontend {

class Importer;
class Node;

using Handler = void (*)(Importer &, const Node &);

/// Opset versions of the default domain; nothing newer than the last one is known to be unchanged.
constexpr int kFirstOpset = 13, kLastOpset = 28;

/// The domain of operators that only exist between the steps of the import.
constexpr const char *kOwnDomain = "fovea";

struct OpEntry {
  const char *name;
  Handler handler; ///< null if other nodes have taken its place when nodes are converted
  int since = kFirstOpset, until = kLastOpset;
  const char *domain = "";
};

/// All operators, in no particular order.
std::vector<OpEntry> &registeredOps();

/// A static object of this type in a family's file registers the family.
struct RegisterOps {
  RegisterOps(std::initializer_list<OpEntry> entries) {
    registeredOps().insert(registeredOps().end(), entries.begin(), entries.end());
  }
};

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_REGISTRY_H
