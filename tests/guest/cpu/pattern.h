/* Instruction patterns by number: all opcodes of all maps, with the prefixes that choose among instructions,
 * each ModRM.reg, registers and memory; and what of their effects is undefined. */
#ifndef GUEST_PATTERN_H
#define GUEST_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

enum { PATTERN_BYTES = 24 };

enum form { FORM_REGISTER, FORM_MEMORY, FORM_OTHER, FORMS };

struct pattern {
    uint8_t bytes[PATTERN_BYTES]; /* an instruction and then more; the opcode ends at `opcode_end` */
    unsigned opcode_end;
    bool vex;
    unsigned map; /* 0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a */
    uint8_t opcode;
    uint8_t prefix; /* the one that chooses: 0, 66, f2 or f3 */
    bool operand16, wide, lock, vector256;
    unsigned reg; /* ModRM.reg without its extension */
    unsigned rm;  /* ModRM.rm without its extension */
    bool memory;
    unsigned base;   /* number of the register that the operand's address is in */
    bool extended;   /* it is base + 8 if the instruction has such an extension */
    uint64_t random; /* state of the random numbers behind the pattern */
};

uint64_t pattern_count(void);
uint64_t pattern_random(uint64_t *state);

/* False: there is no such pattern, or it is not a single instruction. */
bool pattern_make(uint64_t number, struct pattern *ret);

/* Whether what the pattern does depends on the model of CPU or the kernel. */
bool pattern_is_optional(const struct pattern *);
/* Whether it is undefined unless CPUID announces it; `v2`: beyond x86-64-v2, else beyond v3. */
bool pattern_is_feature(const struct pattern *, bool v2);

/* Whether it converts floating-point numbers to integers: with any rounding; see the suite `exemptions`. */
bool pattern_converts(const struct pattern *);

/* Whether it may use MMX registers; whether it sets condition codes of the x87 unit,
 * undefined after others. */
/* Whether its immediate may say that the operand does not matter: then the machine does not load it. */
bool pattern_may_not_load(const struct pattern *);
bool pattern_is_string(const struct pattern *);        /* MOVS and relatives */
bool pattern_compares_strings(const struct pattern *); /* CMPS */
bool pattern_uses_mmx(const struct pattern *);
bool pattern_sets_conditions(const struct pattern *);

/* Whether it multiplies and adds: what sign a NaN gets by that is left open. */
bool pattern_is_fma(const struct pattern *);

/* RET, and JMP and CALL to what a register or memory says. */
bool pattern_is_indirect_jump(const struct pattern *);

/* Effects that are not defined by the architecture, or that belong to another test. */
struct undefined {
    uint64_t flags;
    bool general, vectors, x87, memory;
};

/* rcx: before the instruction; zero_flag: after it. */
struct undefined pattern_undefined(const struct pattern *, uint64_t rcx, bool zero_flag);

#endif
