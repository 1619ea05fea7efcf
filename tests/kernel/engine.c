/* See engine.h. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fake_cpu_create(struct engine *engine, struct cpu **ret_cpu) {
    *ret_cpu = calloc(1, sizeof **ret_cpu);
    return *ret_cpu ? 0 : -ENOMEM;
}

static void fake_cpu_destroy(struct engine *engine, struct cpu *cpu) {
    free(cpu);
}

static void fake_cpu_reset(struct engine *engine, struct cpu *cpu) {
    *cpu = (struct cpu){.registers.rflags = 0x202};
}

static void fake_cpu_copy(struct engine *engine, struct cpu *to, const struct cpu *from) {
    *to = *from;
}

static void fake_get_registers(struct engine *engine, const struct cpu *cpu, struct cpu_registers *ret) {
    *ret = cpu->registers;
}

static void fake_set_registers(struct engine *engine, struct cpu *cpu,
                               const struct cpu_registers *registers) {
    cpu->registers = *registers;
}

static uint64_t fake_get_register(struct engine *engine, const struct cpu *cpu, enum cpu_register r) {
    return cpu->registers.general[r];
}

static void fake_set_register(struct engine *engine, struct cpu *cpu, enum cpu_register r, uint64_t value) {
    cpu->registers.general[r] = value;
}

static void fake_get_xsave(struct engine *engine, const struct cpu *cpu, uint8_t image[CPU_XSAVE_SIZE]) {
    memcpy(image, cpu->xsave, CPU_XSAVE_SIZE);
}

static void fake_set_xsave(struct engine *engine, struct cpu *cpu, const uint8_t image[CPU_XSAVE_SIZE]) {
    memcpy(cpu->xsave, image, CPU_XSAVE_SIZE);
}

static void fake_get_counters(const struct engine *engine, struct engine_counters *ret_counters) {
    *ret_counters = (struct engine_counters){.instructions = engine->instructions};
}

const struct engine_ops engine_fake = {
    .name = "fake",
    .cpu_create = fake_cpu_create,
    .cpu_destroy = fake_cpu_destroy,
    .cpu_reset = fake_cpu_reset,
    .cpu_copy = fake_cpu_copy,
    .get_registers = fake_get_registers,
    .set_registers = fake_set_registers,
    .get_register = fake_get_register,
    .set_register = fake_set_register,
    .get_xsave = fake_get_xsave,
    .set_xsave = fake_set_xsave,
    .get_counters = fake_get_counters,
};
