// Which of the programs in an artifact a device can run.
#pragma once

#include "core/Artifact.h"
#include "vulkan/Loader.h"

namespace fovea::vulkan {

// What a variant needs that the device does not offer, in words; empty if it can run there.
std::string missing(const artifact::Variant &variant, const DeviceInfo &device);

} // namespace fovea::vulkan
