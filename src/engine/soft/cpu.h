/* The parts of engine_ops that are about registers. */
#ifndef ENGINE_SOFT_CPU_H
#define ENGINE_SOFT_CPU_H

#include "engine/soft/soft.h"

int soft_cpu_create(struct engine *, struct cpu **ret_cpu);
void soft_cpu_destroy(struct engine *, struct cpu *);
void soft_cpu_reset(struct engine *, struct cpu *);
void soft_cpu_copy(struct engine *, struct cpu *to, const struct cpu *from);
void soft_get_registers(struct engine *, const struct cpu *, struct cpu_registers *ret_registers);
void soft_set_registers(struct engine *, struct cpu *, const struct cpu_registers *);
uint64_t soft_get_register(struct engine *, const struct cpu *, enum cpu_register);
void soft_set_register(struct engine *, struct cpu *, enum cpu_register, uint64_t value);
void soft_get_xsave(struct engine *, const struct cpu *, uint8_t image[CPU_XSAVE_SIZE]);
void soft_set_xsave(struct engine *, struct cpu *, const uint8_t image[CPU_XSAVE_SIZE]);

#endif
