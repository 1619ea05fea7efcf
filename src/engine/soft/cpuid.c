/* What programs are told about the processor (Intel SDM vol. 2A, CPUID).
 *
 * Levels v2 and v3 are those of the x86-64 psABI. Not offered: ERMS and FSRM (a rep string is slow here),
 * RDRAND, RDPID, FSGSBASE, XSAVEC and XSAVEOPT, anything of AVX-512 — the library does not decode them. With
 * XSAVE, leaf 13 must agree with XCR0 = 7 and an area of 832 bytes: the C library's loader saves registers in
 * as much of its stack as that says. */
#include "engine/soft/cpuid.h"

#include <cpuid.h>
#include <string.h>

#include "engine/soft/soft.h"

enum {
    /* Leaf 1, ecx. */
    F1_SSE3 = 1 << 0,
    F1_PCLMULQDQ = 1 << 1,
    F1_SSSE3 = 1 << 9,
    F1_FMA = 1 << 12,
    F1_CMPXCHG16B = 1 << 13,
    F1_SSE4_1 = 1 << 19,
    F1_SSE4_2 = 1 << 20,
    F1_MOVBE = 1 << 22,
    F1_POPCNT = 1 << 23,
    F1_AES = 1 << 25,
    F1_XSAVE = 1 << 26,
    F1_OSXSAVE = 1 << 27,
    F1_AVX = 1 << 28,
    F1_F16C = 1 << 29,
    /* Leaf 1, edx: what every x86-64 processor has, and CLFLUSH. */
    F1_BASE = 0x078bfbff,
    /* Leaf 7, ebx. */
    F7_BMI1 = 1 << 3,
    F7_AVX2 = 1 << 5,
    F7_BMI2 = 1 << 8,
    /* Leaf 0x80000001. */
    FX_LAHF = 1 << 0,
    FX_LZCNT = 1 << 5,
    FX_SYSCALL = 1 << 11,
    FX_NX = 1 << 20,
    FX_RDTSCP = 1 << 27,
    FX_LM = 1 << 29,

    XSAVE_STATES = 7, /* x87, SSE, AVX */
    XSAVE_AVX_OFFSET = 576,
    XSAVE_AVX_BYTES = 256,
    HIGHEST_LEAF = 13,
};
#define HIGHEST_EXTENDED_LEAF 0x80000008u

struct leaf {
    uint32_t eax, ebx, ecx, edx;
};

/* Family 6: what decides how the C library chooses its string functions is the feature bits. */
static struct leaf leaf_features(enum cpu_level level) {
    struct leaf l = {.eax = 0x306c3,
                     .ebx = 1 << 16 | 8 << 8, /* one logical processor; cache lines of 8 * 8 bytes */
                     .ecx = F1_SSE3 | F1_PCLMULQDQ | F1_SSSE3 | F1_CMPXCHG16B | F1_SSE4_1 | F1_SSE4_2 |
                            F1_POPCNT | F1_AES,
                     .edx = F1_BASE};
    if (level == CPU_LEVEL_V3)
        l.ecx |= F1_FMA | F1_MOVBE | F1_XSAVE | F1_OSXSAVE | F1_AVX | F1_F16C;
    return l;
}

/* One level of cache for each sub-leaf (type, level, ways, sets): 32 KiB + 32 KiB, 256 KiB, 8 MiB. */
static struct leaf leaf_caches(uint32_t subleaf) {
    static const struct {
        uint8_t type, level, ways;
        uint16_t sets;
    } caches[] = {{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 8, 512}, {3, 3, 16, 8192}};
    if (subleaf >= sizeof caches / sizeof *caches)
        return (struct leaf){0};
    return (struct leaf){.eax = (uint32_t)(caches[subleaf].type | caches[subleaf].level << 5 | 1 << 8),
                         .ebx = (uint32_t)(caches[subleaf].ways - 1) << 22 | 63,
                         .ecx = caches[subleaf].sets - 1U};
}

static struct leaf leaf_xsave(uint32_t subleaf) {
    switch (subleaf) {
    case 0: return (struct leaf){.eax = XSAVE_STATES, .ebx = CPU_XSAVE_SIZE, .ecx = CPU_XSAVE_SIZE};
    case 2: return (struct leaf){.eax = XSAVE_AVX_BYTES, .ebx = XSAVE_AVX_OFFSET};
    }
    return (struct leaf){0};
}

static struct leaf leaf_brand(uint32_t part) {
    static const char brand[48] = "Thimble";
    struct leaf l;
    memcpy(&l, brand + part * sizeof l, sizeof l);
    return l;
}

static struct leaf leaf_extended(uint32_t leaf, enum cpu_level level) {
    switch (leaf) {
    case 0x80000000: return (struct leaf){.eax = HIGHEST_EXTENDED_LEAF};
    case 0x80000001:
        return (struct leaf){.ecx = FX_LAHF | (level == CPU_LEVEL_V3 ? FX_LZCNT : 0),
                             .edx = FX_SYSCALL | FX_NX | FX_RDTSCP | FX_LM};
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: return leaf_brand(leaf - 0x80000002);
    case 0x80000006: return (struct leaf){.ecx = 256 << 16 | 6 << 12 | 64};
    case 0x80000008: return (struct leaf){.eax = 48 << 8 | 40};
    }
    return (struct leaf){0};
}

static struct leaf leaf_find(uint32_t leaf, uint32_t subleaf, enum cpu_level level) {
    bool v3 = level == CPU_LEVEL_V3;
    switch (leaf) {
    case 0: return (struct leaf){HIGHEST_LEAF, 0x756e6547, 0x6c65746e, 0x49656e69}; /* GenuineIntel */
    case 1: return leaf_features(level);
    case 2: return (struct leaf){.eax = 0x00feff01}; /* see leaf 4 */
    case 4: return leaf_caches(subleaf);
    case 7: return (struct leaf){.ebx = v3 && subleaf == 0 ? F7_BMI1 | F7_AVX2 | F7_BMI2 : 0};
    case 13: return v3 ? leaf_xsave(subleaf) : (struct leaf){0};
    }
    return leaf_extended(leaf, level);
}

void cpuid_execute(struct area *area, uint64_t left) {
    VexGuestAMD64State *g = &area->guest;
    struct leaf l = leaf_find((uint32_t)g->guest_RAX, (uint32_t)g->guest_RCX, engine_of_area(area)->level);
    g->guest_RAX = l.eax;
    g->guest_RBX = l.ebx;
    g->guest_RCX = l.ecx;
    g->guest_RDX = l.edx;
}

bool cpuid_host_supports(enum cpu_level level) {
    unsigned a, b, c, d;
    __builtin_cpu_init();
    bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    if (level == CPU_LEVEL_V2)
        return v2;
    bool f16c = __get_cpuid(1, &a, &b, &c, &d) && c & F1_F16C;
    return v2 && f16c && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma");
}

unsigned cpuid_library_capabilities(enum cpu_level level) {
    unsigned v2 =
        VEX_HWCAPS_AMD64_SSE3 | VEX_HWCAPS_AMD64_SSSE3 | VEX_HWCAPS_AMD64_CX16 | VEX_HWCAPS_AMD64_RDTSCP;
    return level == CPU_LEVEL_V2 ? v2
                                 : v2 | VEX_HWCAPS_AMD64_LZCNT | VEX_HWCAPS_AMD64_AVX |
                                       VEX_HWCAPS_AMD64_AVX2 | VEX_HWCAPS_AMD64_BMI | VEX_HWCAPS_AMD64_F16C;
}
