/* The parts of engine_ops that are about registers. */
#ifndef ENGINE_SOFT_CPU_H
#define ENGINE_SOFT_CPU_H

#include "engine/soft/soft.h"

int soft_cpu_create(struct engine *, struct cpu **ret_cpu);
void soft_cpu_destroy(struct engine *, struct cpu *);
void soft_cpu_reset(struct engine *, struct cpu *);
void soft_cpu_copy(struct engine *, struct cpu *to, const struct cpu *from);
void soft_get_registers(struct engine *, const struct cpu *, struct cpu_registers *ret_registers);
void soft_get_executing(const struct engine *, struct cpu_registers *ret_registers);
void soft_set_registers(struct engine *, struct cpu *, const struct cpu_registers *);
uint64_t soft_get_register(struct engine *, const struct cpu *, enum cpu_register);
void soft_set_register(struct engine *, struct cpu *, enum cpu_register, uint64_t value);
void soft_get_xsave(struct engine *, const struct cpu *, uint8_t image[CPU_XSAVE_SIZE]);
void soft_set_xsave(struct engine *, struct cpu *, const uint8_t image[CPU_XSAVE_SIZE]);

/* The control words of the x87 unit and of SSE. Of what is in them the library knows how to round; the rest
 * has no effect, but comes back as it was set. */
uint16_t cpu_get_fcw(const VexGuestAMD64State *);
void cpu_set_fcw(VexGuestAMD64State *, uint16_t);
uint32_t cpu_get_mxcsr(const VexGuestAMD64State *);
void cpu_set_mxcsr(VexGuestAMD64State *, uint32_t);

#endif
