/* The user-visible registers of an x86-64 CPU, as the kernel reads and writes them between runs. */
#ifndef HW_CPU_H
#define HW_CPU_H

#include <stdint.h>

/* In the processor's own numbering (Intel SDM vol. 2, table 2-2). */
enum cpu_register {
    CPU_RAX,
    CPU_RCX,
    CPU_RDX,
    CPU_RBX,
    CPU_RSP,
    CPU_RBP,
    CPU_RSI,
    CPU_RDI,
    CPU_R8,
    CPU_R9,
    CPU_R10,
    CPU_R11,
    CPU_R12,
    CPU_R13,
    CPU_R14,
    CPU_R15,
    CPU_REGISTERS
};

struct cpu_registers {
    uint64_t general[CPU_REGISTERS];
    uint64_t rip;
    uint64_t rflags; /* bit 1 and IF always read as set */
    uint64_t fs_base, gs_base;
};

/* Size of the XSAVE image that the engine reads and writes: legacy area, header, AVX (SDM vol. 1, 13.4). */
enum { CPU_XSAVE_SIZE = 832 };

/* x86-64 psABI micro-architecture levels that --cpu offers. */
enum cpu_level { CPU_LEVEL_V2 = 2, CPU_LEVEL_V3 = 3 };

#endif
