/* CPUID: a table of our own, the same on every host. */
#ifndef ENGINE_SOFT_CPUID_H
#define ENGINE_SOFT_CPUID_H

#include <stdbool.h>

#include "engine/soft/area.h"
#include "hw/cpu.h"

/* Executes the instruction; called by translated code. */
void cpuid_execute(struct area *, uint64_t left);

/* Whether the host can execute what the library makes of such a CPU's instructions. */
bool cpuid_host_supports(enum cpu_level);

/* What the library is to decode and may use (VEX_HWCAPS_AMD64_…). */
unsigned cpuid_library_capabilities(enum cpu_level);

#endif
