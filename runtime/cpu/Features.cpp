#include "cpu/Features.h"

#include <algorithm>
#include <elf.h>
#include <iterator>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace fovea;

uint16_t cpu::elfMachine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#else
  return EM_NONE;
#endif
}

const char *cpu::machineName(uint16_t elfMachine) {
  switch (elfMachine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "aarch64";
  case EM_RISCV:
    return "riscv64";
  default:
    return "an unknown machine";
  }
}

#if defined(__x86_64__)

namespace {

enum Register : uint8_t { EAX, EBX, ECX, EDX };

// What the operating system must save on a context switch, as bits of XCR0.
enum State : uint32_t { NONE = 0, YMM = 0x6, ZMM = 0xe6, TILE = 0x60006 };

struct Feature {
  std::string_view name;
  uint32_t leaf;
  uint32_t subleaf;
  Register reg;
  uint8_t bit;
  State state;
};

// Intel's manual, volume 2, CPUID; AMD's volume 3 for the 0x8000.... leaves; names as in LLVM's X86TargetParser.
constexpr Feature FEATURES[] = {
    {"x87", 1, 0, EDX, 0, NONE},
    {"cx8", 1, 0, EDX, 8, NONE},
    {"cmov", 1, 0, EDX, 15, NONE},
    {"mmx", 1, 0, EDX, 23, NONE},
    {"fxsr", 1, 0, EDX, 24, NONE},
    {"sse", 1, 0, EDX, 25, NONE},
    {"sse2", 1, 0, EDX, 26, NONE},
    {"sse3", 1, 0, ECX, 0, NONE},
    {"pclmul", 1, 0, ECX, 1, NONE},
    {"ssse3", 1, 0, ECX, 9, NONE},
    {"fma", 1, 0, ECX, 12, YMM},
    {"cx16", 1, 0, ECX, 13, NONE},
    {"sse4.1", 1, 0, ECX, 19, NONE},
    {"sse4.2", 1, 0, ECX, 20, NONE},
    {"crc32", 1, 0, ECX, 20, NONE},
    {"movbe", 1, 0, ECX, 22, NONE},
    {"popcnt", 1, 0, ECX, 23, NONE},
    {"aes", 1, 0, ECX, 25, NONE},
    {"xsave", 1, 0, ECX, 27, NONE}, // OSXSAVE: without it XGETBV itself is missing
    {"avx", 1, 0, ECX, 28, YMM},
    {"f16c", 1, 0, ECX, 29, YMM},
    {"rdrnd", 1, 0, ECX, 30, NONE},
    {"fsgsbase", 7, 0, EBX, 0, NONE},
    {"sgx", 7, 0, EBX, 2, NONE},
    {"bmi", 7, 0, EBX, 3, NONE},
    {"avx2", 7, 0, EBX, 5, YMM},
    {"bmi2", 7, 0, EBX, 8, NONE},
    {"invpcid", 7, 0, EBX, 10, NONE},
    {"rtm", 7, 0, EBX, 11, NONE},
    {"avx512f", 7, 0, EBX, 16, ZMM},
    {"evex512", 7, 0, EBX, 16, ZMM},
    {"avx512dq", 7, 0, EBX, 17, ZMM},
    {"rdseed", 7, 0, EBX, 18, NONE},
    {"adx", 7, 0, EBX, 19, NONE},
    {"avx512ifma", 7, 0, EBX, 21, ZMM},
    {"clflushopt", 7, 0, EBX, 23, NONE},
    {"clwb", 7, 0, EBX, 24, NONE},
    {"avx512cd", 7, 0, EBX, 28, ZMM},
    {"sha", 7, 0, EBX, 29, NONE},
    {"avx512bw", 7, 0, EBX, 30, ZMM},
    {"avx512vl", 7, 0, EBX, 31, ZMM},
    {"avx512vbmi", 7, 0, ECX, 1, ZMM},
    {"pku", 7, 0, ECX, 4, NONE},
    {"waitpkg", 7, 0, ECX, 5, NONE},
    {"avx512vbmi2", 7, 0, ECX, 6, ZMM},
    {"shstk", 7, 0, ECX, 7, NONE},
    {"gfni", 7, 0, ECX, 8, NONE},
    {"vaes", 7, 0, ECX, 9, YMM},
    {"vpclmulqdq", 7, 0, ECX, 10, YMM},
    {"avx512vnni", 7, 0, ECX, 11, ZMM},
    {"avx512bitalg", 7, 0, ECX, 12, ZMM},
    {"avx512vpopcntdq", 7, 0, ECX, 14, ZMM},
    {"rdpid", 7, 0, ECX, 22, NONE},
    {"kl", 7, 0, ECX, 23, NONE},
    {"cldemote", 7, 0, ECX, 25, NONE},
    {"movdiri", 7, 0, ECX, 27, NONE},
    {"movdir64b", 7, 0, ECX, 28, NONE},
    {"enqcmd", 7, 0, ECX, 29, NONE},
    {"uintr", 7, 0, EDX, 5, NONE},
    {"avx512vp2intersect", 7, 0, EDX, 8, ZMM},
    {"serialize", 7, 0, EDX, 14, NONE},
    {"tsxldtrk", 7, 0, EDX, 16, NONE},
    {"pconfig", 7, 0, EDX, 18, NONE},
    {"amx-bf16", 7, 0, EDX, 22, TILE},
    {"avx512fp16", 7, 0, EDX, 23, ZMM},
    {"amx-tile", 7, 0, EDX, 24, TILE},
    {"amx-int8", 7, 0, EDX, 25, TILE},
    {"sha512", 7, 1, EAX, 0, YMM},
    {"sm3", 7, 1, EAX, 1, YMM},
    {"sm4", 7, 1, EAX, 2, YMM},
    {"avxvnni", 7, 1, EAX, 4, YMM},
    {"avx512bf16", 7, 1, EAX, 5, ZMM},
    {"raoint", 7, 1, EAX, 3, NONE},
    {"cmpccxadd", 7, 1, EAX, 7, NONE},
    {"amx-fp16", 7, 1, EAX, 21, TILE},
    {"hreset", 7, 1, EAX, 22, NONE},
    {"avxifma", 7, 1, EAX, 23, YMM},
    {"movrs", 7, 1, EAX, 31, NONE},
    {"avxvnniint8", 7, 1, EDX, 4, YMM},
    {"avxneconvert", 7, 1, EDX, 5, YMM},
    {"amx-complex", 7, 1, EDX, 8, TILE},
    {"avxvnniint16", 7, 1, EDX, 10, YMM},
    {"prefetchi", 7, 1, EDX, 14, NONE},
    {"usermsr", 7, 1, EDX, 15, NONE},
    {"avx10.1", 7, 1, EDX, 19, ZMM},
    {"xsaveopt", 0xd, 1, EAX, 0, YMM},
    {"xsavec", 0xd, 1, EAX, 1, YMM},
    {"xsaves", 0xd, 1, EAX, 3, YMM},
    {"ptwrite", 0x14, 0, EBX, 4, NONE},
    {"widekl", 0x19, 0, EBX, 2, NONE},
    {"amx-fp8", 0x1e, 1, EAX, 4, TILE},
    {"amx-tf32", 0x1e, 1, EAX, 6, TILE},
    {"amx-avx512", 0x1e, 1, EAX, 7, TILE},
    {"amx-movrs", 0x1e, 1, EAX, 8, TILE},
    {"sahf", 0x80000001, 0, ECX, 0, NONE},
    {"lzcnt", 0x80000001, 0, ECX, 5, NONE},
    {"sse4a", 0x80000001, 0, ECX, 6, NONE},
    {"prfchw", 0x80000001, 0, ECX, 8, NONE},
    {"xop", 0x80000001, 0, ECX, 11, YMM},
    {"lwp", 0x80000001, 0, ECX, 15, NONE},
    {"fma4", 0x80000001, 0, ECX, 16, YMM},
    {"tbm", 0x80000001, 0, ECX, 21, NONE},
    {"mwaitx", 0x80000001, 0, ECX, 29, NONE},
    {"64bit", 0x80000001, 0, EDX, 29, NONE},
    {"clzero", 0x80000008, 0, EBX, 0, NONE},
    {"rdpru", 0x80000008, 0, EBX, 4, NONE},
    {"wbnoinvd", 0x80000008, 0, EBX, 9, NONE},
};

bool cpuSays(const Feature &feature) {
  uint32_t regs[4] = {};
  if (__get_cpuid_max(feature.leaf & 0x80000000, nullptr) < feature.leaf)
    return false;
  if (feature.subleaf != 0) {
    __cpuid_count(feature.leaf, 0, regs[EAX], regs[EBX], regs[ECX], regs[EDX]);
    if (feature.leaf == 7 && regs[EAX] < feature.subleaf)
      return false;
  }
  __cpuid_count(feature.leaf, feature.subleaf, regs[EAX], regs[EBX], regs[ECX], regs[EDX]);
  return regs[feature.reg] >> feature.bit & 1;
}

__attribute__((target("xsave"))) uint64_t enabledStates() { return _xgetbv(0); }

bool systemSaves(State state) {
  if (state == NONE)
    return true;
  constexpr Feature osxsave = {"", 1, 0, ECX, 27, NONE};
  if (!cpuSays(osxsave) || (enabledStates() & state) != state)
    return false;
  if (state != TILE)
    return true;
  // Linux hands out the large tile state only on request (Documentation/arch/x86/xstate.rst).
  constexpr int ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18;
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

} // namespace

static bool known(std::string_view name) {
  const Feature *feature =
      std::find_if(std::begin(FEATURES), std::end(FEATURES), [&](auto &f) { return f.name == name; });
  return feature != std::end(FEATURES) && cpuSays(*feature) && systemSaves(feature->state);
}

#else

// No other machine has variants yet: its sections ask for no features.
static bool known(std::string_view name) { return false; }

#endif

bool cpu::offers(std::string_view feature) {
  if (feature.starts_with('-'))
    return true;
  if (feature.starts_with('+'))
    feature.remove_prefix(1);
  return known(feature);
}
