// The models that the runtime's tests run; their code is in images/.
#pragma once

#include "ArtifactBuilder.h"

namespace fovea::test {

// What the weights of every test model hold: y = relu(A * x + B).
inline constexpr float A = 2, B = 1;

// One entry, "main": x f32[n=0..100000] -> y f32[n].
Artifact affineModel();

// "main" as above and:
//   gather     table f32[n], index i64[m] -> y f32[m]; faults in node 'lookup'
//   range      size i64[1] -> y f32[k], the shape depends on data
//   positions  x f32[n] -> y i64[n], shorter after the run
//   broken     x f32[n] -> y f32[n], launches a kernel that there is not
//   add        p i32[n=1..8,2], q i32[n,2] -> s i32[n,2], which may be written over p
Artifact casesModel();

// "main" as above, for the CPU and for Vulkan.
Artifact vulkanModel();

// The same with two variants for Vulkan: "cpu" for devices that are CPUs, and "portable".
Artifact variantsModel();

} // namespace fovea::test
