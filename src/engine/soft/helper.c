/* The library's own helpers ("dirty" calls), each of which acts on the host as it likes: only those listed
 * here are let through, and what they touch of memory is translated and checked first, as one range. Any
 * other is an undefined instruction to the guest. */
#include <string.h>

#include "engine/soft/access.h"
#include "engine/soft/cpuid.h"
#include "engine/soft/translate.h"

enum rule {
    RULE_PLAIN,       /* registers only */
    RULE_MEMORY,      /* has a memory effect, and an argument that is the effect's address less `delta` */
    RULE_PORT,        /* IN, OUT: #GP */
    RULE_CPUID,       /* replaced by ours */
    RULE_TIME,        /* RDTSC: replaced by a count of instructions */
    RULE_TIME_AND_ID, /* RDTSCP likewise */
    RULE_UNDEFINED,
};

static const struct {
    const char *name; /* without its prefix */
    enum rule rule;
    uint8_t delta;
} rules[] = {
    {"FINIT", RULE_PLAIN, 0},
    {"PCMPxSTRx", RULE_PLAIN, 0},
    {"AES", RULE_PLAIN, 0},
    {"AESKEYGENASSIST", RULE_PLAIN, 0},
    {"loadF80le", RULE_MEMORY, 0},
    {"storeF80le", RULE_MEMORY, 0},
    {"FSTENV", RULE_MEMORY, 0},
    {"FLDENV", RULE_MEMORY, 0},
    {"FNSAVE", RULE_MEMORY, 0},
    {"FRSTOR", RULE_MEMORY, 0},
    {"XSAVE_COMPONENT_0", RULE_MEMORY, 0},
    {"XRSTOR_COMPONENT_0", RULE_MEMORY, 0},
    /* These are given the image's address, and touch MXCSR at its offset 24. */
    {"XSAVE_COMPONENT_1_EXCLUDING_XMMREGS", RULE_MEMORY, 24},
    {"XRSTOR_COMPONENT_1_EXCLUDING_XMMREGS", RULE_MEMORY, 24},
    {"IN", RULE_PORT, 0},
    {"OUT", RULE_PORT, 0},
    {"CPUID_baseline", RULE_CPUID, 0},
    {"CPUID_sse3_and_cx16", RULE_CPUID, 0},
    {"CPUID_sse42_and_cx16", RULE_CPUID, 0},
    {"CPUID_avx_and_cx16", RULE_CPUID, 0},
    {"CPUID_avx2", RULE_CPUID, 0},
    {"RDTSC", RULE_TIME, 0},
    {"RDTSCP", RULE_TIME_AND_ID, 0},
};

static uint64_t read_time(struct area *area, uint64_t left) {
    return instructions_now(engine_of_area(area), left);
}

static void read_time_and_id(struct area *area, uint64_t left) {
    uint64_t now = read_time(area, left);
    area->guest.guest_RAX = (uint32_t)now;
    area->guest.guest_RDX = now >> 32;
    area->guest.guest_RCX = 0; /* IA32_TSC_AUX: processor 0 of node 0 */
}

static enum rule rule_for(const IRDirty *d, uint8_t *ret_delta) {
    static const char prefix[] = "amd64g_dirtyhelper_";
    const char *name = d->cee->name;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return RULE_UNDEFINED;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(name + sizeof prefix - 1, rules[i].name) == 0) {
            *ret_delta = rules[i].delta;
            return (rules[i].rule == RULE_MEMORY) == (d->mFx != Ifx_None) ? rules[i].rule : RULE_UNDEFINED;
        }
    }
    return RULE_UNDEFINED;
}

static unsigned access_of(IREffect effect) {
    return effect == Ifx_Read ? ACCESS_READ : effect == Ifx_Write ? ACCESS_WRITE : ACCESS_READ | ACCESS_WRITE;
}

/* The address is the first argument that is not the area. */
static void translate_range(struct expansion *x, IRDirty *d, uint8_t delta) {
    IRExpr *guard = d->guard->tag == Iex_Const ? NULL : d->guard;
    IRExpr *host = expand_address(x, d->mAddr, (unsigned)d->mSize, access_of(d->mFx), guard);
    int argument = d->args[0]->tag == Iex_GSPTR;
    d->args[argument] = delta ? build_binary(x, Iop_Sub64, host, build_u64(delta)) : host;
    d->mAddr = host;
}

/* The call becomes one of a function of ours with the arguments (area, left). */
static void replace(struct expansion *x, IRDirty *d, const char *name, void *function) {
    d->cee = mkIRCallee(0, name, function);
    d->args = mkIRExprVec_2(IRExpr_GSPTR(), build_u64(expansion_left(x)));
    build_area_argument(d);
}

static void raise_before(struct expansion *x, const char *name, void *function) {
    build_call(x, IRTemp_INVALID, name, function, NULL, build_u64(expansion_place(x)), NULL);
}

void helper_expand(struct expansion *x, IRDirty *d) {
    uint8_t delta = 0;
    switch (rule_for(d, &delta)) {
    case RULE_PLAIN: break;
    case RULE_MEMORY: translate_range(x, d, delta); break;
    case RULE_PORT: raise_before(x, "access_protection", access_protection); break;
    case RULE_CPUID: replace(x, d, "cpuid_execute", cpuid_execute); break;
    case RULE_TIME: replace(x, d, "read_time", read_time); break;
    case RULE_TIME_AND_ID: replace(x, d, "read_time_and_id", read_time_and_id); break;
    case RULE_UNDEFINED: raise_before(x, "access_undefined", access_undefined); break;
    }
}
