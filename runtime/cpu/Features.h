// What this machine's CPU offers, in LLVM's feature names.
#pragma once

#include <cstdint>
#include <string_view>

namespace fovea::cpu {

// The ELF machine number of this build, and its name.
uint16_t elfMachine();
const char *machineName(uint16_t elfMachine);

// Whether CPU and operating system offer `feature` ("avx512f", "+fma"). A name that is not known is not offered;
// "-name" asks for nothing and always is. Asking for an AMX feature requests the kernel's permission for this process
// to use tiles.
bool offers(std::string_view feature);

} // namespace fovea::cpu
