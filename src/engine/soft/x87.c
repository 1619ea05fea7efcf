/* As everywhere in this engine a register of the x87 unit is a double. */
#include "engine/soft/x87.h"

#include <math.h>
#include <string.h>

#include "engine/soft/cpu.h"

enum {
    /* Condition codes in the status word. */
    CONDITION_C0 = 0x100,
    CONDITION_C2 = 0x400,
    CONDITION_C3 = 0x4000,
    CONDITIONS = 0x4700,
    BCD_BYTES = 10, /* 18 digits, two a byte from the least on, and the sign in the last */
    BCD_SIGN = 0x80,
    REGISTERS = 8,
    FCW_ALWAYS = 0x40, /* a bit that is always set */
    FCW_INITIAL = 0x37f,
};
static const double bcd_limit = 1e18;
static const uint8_t bcd_indefinite[BCD_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff};

enum x87_operation {
    X87_OTHER,
    X87_COMPARE32,
    X87_COMPARE16,
    X87_LOAD_BCD,
    X87_STORE_BCD,
    X87_FREE_AND_POP,
    X87_NOTHING,
    X87_TEST,
    X87_LOAD_CONTROL,
    X87_STORE_CONTROL,
    X87_INITIALISE,
};

static enum x87_operation operation_of_registers(unsigned opcode, uint8_t modrm) {
    if (opcode == 0xdf && modrm < 0xc8)
        return X87_FREE_AND_POP;
    if (opcode == 0xd9 && modrm == 0xe4)
        return X87_TEST;
    if (opcode == 0xdb && modrm == 0xe3)
        return X87_INITIALISE;
    bool nothing =
        (opcode == 0xd9 && modrm == 0xd0) || /* FNOP, and what were the 8087's FENI, FDISI, FSETPM */
        (opcode == 0xdb && (modrm == 0xe0 || modrm == 0xe1 || modrm == 0xe4));
    return nothing ? X87_NOTHING : X87_OTHER;
}

static enum x87_operation operation(const struct decoded *d) {
    int field = decode_field(d);
    if (field < 0)
        return X87_OTHER;
    if (!decode_is_memory(d))
        return operation_of_registers(d->opcode, d->bytes[d->length]);
    switch (d->opcode) {
    case 0xd9: return field == 5 ? X87_LOAD_CONTROL : field == 7 ? X87_STORE_CONTROL : X87_OTHER;
    case 0xda: return field == 2 || field == 3 ? X87_COMPARE32 : X87_OTHER;
    case 0xde: return field == 2 || field == 3 ? X87_COMPARE16 : X87_OTHER;
    case 0xdf: return field == 4 ? X87_LOAD_BCD : field == 6 ? X87_STORE_BCD : X87_OTHER;
    }
    return X87_OTHER;
}

bool x87_wants(const struct decoded *d) {
    return operation(d) != X87_OTHER;
}

static double top(const VexGuestAMD64State *g) {
    double value;
    memcpy(&value, &g->guest_FPREG[g->guest_FTOP % REGISTERS], sizeof value);
    return g->guest_FPTAG[g->guest_FTOP % REGISTERS] ? value : NAN;
}

static void pop(VexGuestAMD64State *g) {
    g->guest_FPTAG[g->guest_FTOP % REGISTERS] = 0;
    g->guest_FTOP = (g->guest_FTOP + 1) % REGISTERS;
}

static void push(VexGuestAMD64State *g, double value) {
    g->guest_FTOP = (g->guest_FTOP + REGISTERS - 1) % REGISTERS;
    memcpy(&g->guest_FPREG[g->guest_FTOP], &value, sizeof value);
    g->guest_FPTAG[g->guest_FTOP] = 1;
}

static void note_comparison(VexGuestAMD64State *g, double a, double b) {
    uint64_t codes = isnan(a) ? CONDITION_C3 | CONDITION_C2 | CONDITION_C0
                     : a < b  ? CONDITION_C0
                     : a == b ? CONDITION_C3
                              : 0;
    g->guest_FC3210 = (g->guest_FC3210 & ~(uint64_t)CONDITIONS) | codes;
}

static bool compare(struct engine *e, const struct operand *o, bool wide) {
    VexGuestAMD64State *g = &e->area.guest;
    int32_t value = 0;
    if (!memory_read(e, o->address, &value, wide ? 4 : 2))
        return false;
    if (!wide)
        value = (int16_t)value;
    note_comparison(g, top(g), value);
    if (o->field == 3)
        pop(g);
    return true;
}

static bool load_bcd(struct engine *e, const struct operand *o) {
    uint8_t bcd[BCD_BYTES];
    uint64_t value = 0;
    if (!memory_read(e, o->address, bcd, sizeof bcd))
        return false;
    for (int i = BCD_BYTES - 2; i >= 0; i--)
        value = value * 100 + (bcd[i] >> 4) * 10U + (bcd[i] & 15);
    push(&e->area.guest, bcd[BCD_BYTES - 1] & BCD_SIGN ? -(double)value : (double)value);
    return true;
}

/* To an integer, as the control word wants it rounded. */
static double rounded(const VexGuestAMD64State *g, double value) {
    switch (g->guest_FPROUND & 3) {
    case 1: return floor(value);
    case 2: return ceil(value);
    case 3: return trunc(value);
    }
    return rint(value);
}

static bool store_bcd(struct engine *e, const struct operand *o) {
    uint8_t bcd[BCD_BYTES];
    double value = rounded(&e->area.guest, top(&e->area.guest));
    if (isnan(value) || fabs(value) >= bcd_limit) {
        memcpy(bcd, bcd_indefinite, sizeof bcd);
    } else {
        uint64_t rest = (uint64_t)fabs(value);
        for (int i = 0; i < BCD_BYTES - 1; i++, rest /= 100)
            bcd[i] = (uint8_t)(rest % 100 / 10 << 4 | rest % 10);
        bcd[BCD_BYTES - 1] = signbit(value) ? BCD_SIGN : 0;
    }
    if (!memory_prepare(e, o->address, sizeof bcd))
        return false;
    memcpy(e->pending.data, bcd, sizeof bcd);
    if (!memory_commit(e))
        return false;
    pop(&e->area.guest);
    return true;
}

/* FFREEP, which no manual of Intel's lists. */
static bool free_and_pop(VexGuestAMD64State *g, unsigned i) {
    g->guest_FPTAG[(g->guest_FTOP + i) % REGISTERS] = 0;
    pop(g);
    return true;
}

bool x87_overrides(const struct decoded *d) {
    enum x87_operation what = d->opcode >= 0xd8 && d->opcode <= 0xdf && !d->lock ? operation(d) : X87_OTHER;
    return what == X87_LOAD_CONTROL || what == X87_STORE_CONTROL || what == X87_INITIALISE;
}

static bool load_control(struct engine *e, const struct operand *o) {
    uint16_t fcw;
    if (!memory_read(e, o->address, &fcw, sizeof fcw))
        return false;
    cpu_set_fcw(&e->area.guest, fcw | FCW_ALWAYS);
    return true;
}

static bool store_control(struct engine *e, const struct operand *o) {
    uint16_t fcw = cpu_get_fcw(&e->area.guest);
    return memory_store(e, o->address, &fcw, sizeof fcw);
}

/* FNINIT */
static bool initialise(VexGuestAMD64State *g) {
    memset(g->guest_FPTAG, 0, sizeof g->guest_FPTAG);
    g->guest_FTOP = 0;
    g->guest_FC3210 = 0;
    cpu_set_fcw(g, FCW_INITIAL);
    return true;
}

bool x87_execute(struct engine *e, struct decoded *d) {
    struct operand o;
    enum x87_operation what = operation(d);
    if (!decode_operand(e, d, &o)) {
        trap_exception(e, VECTOR_UD, 0);
        return false;
    }
    switch (what) {
    case X87_COMPARE32: return compare(e, &o, true);
    case X87_COMPARE16: return compare(e, &o, false);
    case X87_LOAD_BCD: return load_bcd(e, &o);
    case X87_STORE_BCD: return store_bcd(e, &o);
    case X87_FREE_AND_POP: return free_and_pop(&e->area.guest, o.number & 7);
    case X87_LOAD_CONTROL: return load_control(e, &o);
    case X87_STORE_CONTROL: return store_control(e, &o);
    case X87_INITIALISE: return initialise(&e->area.guest);
    case X87_NOTHING: return true;
    case X87_TEST: note_comparison(&e->area.guest, top(&e->area.guest), 0); return true;
    case X87_OTHER: break;
    }
    trap_exception(e, VECTOR_UD, 0);
    return false;
}
