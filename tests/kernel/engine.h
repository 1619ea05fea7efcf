/* An engine that runs nothing: its CPUs only hold registers, and whoever has it plays the program. */
#ifndef TESTS_KERNEL_ENGINE_H
#define TESTS_KERNEL_ENGINE_H

#include "hw/engine.h"

struct cpu {
    struct cpu_registers registers;
    uint8_t xsave[CPU_XSAVE_SIZE];
};

struct engine {
    uint64_t instructions; /* that the program is said to have executed */
};

extern const struct engine_ops engine_fake;

#endif
