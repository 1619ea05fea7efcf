/* See unwind.h. What the tables say of an instruction is kept: nearly always that the frame's address (CFA)
 * is a register plus a number, and that registers are saved at distances from it. What else they say (of the
 * procedure linkage table, of signal handlers' frames, of stacks that are aligned anew) is a DWARF
 * expression, evaluated each time.
 *
 * Sources: DWARF 5, 2.5 and 6.4; System V psABI x86-64, figure 3.36 (register numbers). */
#include "place/unwind.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/base.h"

enum { DW_REGISTERS = 17, DW_RSP = 7, DW_RA = 16, EXPRESSION_STACK = 16 };

/* By DWARF's number. */
static const enum cpu_register dw_registers[DW_RA] = {
    CPU_RAX, CPU_RDX, CPU_RCX, CPU_RBX, CPU_RSI, CPU_RDI, CPU_RBP, CPU_RSP,
    CPU_R8,  CPU_R9,  CPU_R10, CPU_R11, CPU_R12, CPU_R13, CPU_R14, CPU_R15,
};

/* What must be followed to find further frames: what callees save, and the return address. */
static const uint8_t followed[] = {3, 6, 12, 13, 14, 15, DW_RA};

enum saved { SAVED_NOT, SAVED_SAME, SAVED_AT };

struct rule {
    Dwarf_Frame *frame; /* NULL: nothing is known */
    bool simple, signal;
    uint8_t cfa_register;
    int64_t cfa_offset;
    struct {
        uint8_t how;    /* enum saved */
        int64_t offset; /* from the CFA */
    } registers[DW_REGISTERS];
};

struct registers {
    uint64_t value[DW_REGISTERS]; /* DW_RA: the instruction */
};

struct unwinder {
    struct machine *machine;
    struct locator *locator;
    const struct dw *dw;
    struct stacks *stacks;
    struct texts *names;
    unsigned depth;
    struct map known; /* struct key of an instruction → number of its rule */
    struct rule *rules;
    size_t count, capacity;
    /* The page of memory read last, for the time of one stack. */
    uint32_t space;
    uint64_t page; /* its address; 1: none */
    size_t page_bytes;
    uint8_t bytes[PAGE_SIZE];
};

int unwinder_create(struct machine *machine, struct locator *locator, const struct dw *dw,
                    struct stacks *stacks, struct texts *names, unsigned depth,
                    struct unwinder **ret_unwinder) {
    struct unwinder *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    u->machine = machine;
    u->locator = locator;
    u->dw = dw;
    u->stacks = stacks;
    u->names = names;
    u->depth = depth;
    *ret_unwinder = u;
    return 0;
}

void unwinder_destroy(struct unwinder *u) {
    for (size_t i = 0; i < u->count; i++)
        free(u->rules[i].frame);
    free(u->rules);
    map_free(&u->known);
    free(u);
}

/* ---- memory ---- */

static void memory_begin(struct unwinder *u, uint32_t space) {
    u->space = space;
    u->page = 1;
}

static bool memory_word(struct unwinder *u, uint64_t address, uint64_t *ret_value) {
    const uint64_t page = page_round_down(address);
    if (address - page > PAGE_SIZE - sizeof *ret_value)
        return machine_probe_memory(u->machine, u->space, address, ret_value, sizeof *ret_value) ==
               sizeof *ret_value;
    if (page != u->page) {
        u->page = page;
        u->page_bytes = machine_probe_memory(u->machine, u->space, page, u->bytes, PAGE_SIZE);
    }
    if (address - page + sizeof *ret_value > u->page_bytes)
        return false;
    memcpy(ret_value, u->bytes + (address - page), sizeof *ret_value);
    return true;
}

/* ---- expressions ---- */

struct evaluation {
    struct unwinder *unwinder;
    const struct registers *registers;
    uint64_t cfa;
    uint64_t stack[EXPRESSION_STACK];
    unsigned depth;
    bool is_value; /* the result is the value, not where it is */
};

static bool push(struct evaluation *v, uint64_t value) {
    if (v->depth == EXPRESSION_STACK)
        return false;
    v->stack[v->depth++] = value;
    return true;
}

static bool push_register(struct evaluation *v, uint64_t number, uint64_t offset) {
    return number < DW_REGISTERS && push(v, v->registers->value[number] + offset);
}

/* Operations on the two topmost. */
static bool evaluate_binary(struct evaluation *v, uint8_t atom) {
    if (v->depth < 2)
        return false;
    const uint64_t b = v->stack[v->depth - 1], a = v->stack[v->depth - 2];
    uint64_t *to = &v->stack[--v->depth - 1];
    switch (atom) {
    case DW_OP_plus: *to = a + b; return true;
    case DW_OP_minus: *to = a - b; return true;
    case DW_OP_mul: *to = a * b; return true;
    case DW_OP_and: *to = a & b; return true;
    case DW_OP_or: *to = a | b; return true;
    case DW_OP_shl: *to = b < 64 ? a << b : 0; return true;
    case DW_OP_shr: *to = b < 64 ? a >> b : 0; return true;
    case DW_OP_ge: *to = (int64_t)a >= (int64_t)b; return true;
    case DW_OP_gt: *to = (int64_t)a > (int64_t)b; return true;
    case DW_OP_le: *to = (int64_t)a <= (int64_t)b; return true;
    case DW_OP_lt: *to = (int64_t)a < (int64_t)b; return true;
    case DW_OP_eq: *to = a == b; return true;
    case DW_OP_ne: *to = a != b; return true;
    default: return false; /* a byte of a file: any value */
    }
}

static bool evaluate_one(struct evaluation *v, const Dwarf_Op *op) {
    if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
        return push(v, op->atom - DW_OP_lit0);
    if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
        return push_register(v, op->atom - DW_OP_breg0, op->number);
    if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
        v->is_value = true;
        return push_register(v, op->atom - DW_OP_reg0, 0);
    }
    switch (op->atom) {
    case DW_OP_call_frame_cfa: return push(v, v->cfa);
    case DW_OP_bregx: return push_register(v, op->number, op->number2);
    case DW_OP_regx: v->is_value = true; return push_register(v, op->number, 0);
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts: return push(v, op->number);
    case DW_OP_plus_uconst: return v->depth > 0 && (v->stack[v->depth - 1] += op->number, true);
    case DW_OP_dup: return v->depth > 0 && push(v, v->stack[v->depth - 1]);
    case DW_OP_drop: return v->depth > 0 && v->depth--;
    case DW_OP_deref:
        return v->depth > 0 && memory_word(v->unwinder, v->stack[v->depth - 1], &v->stack[v->depth - 1]);
    case DW_OP_stack_value: v->is_value = true; return true;
    case DW_OP_nop: return true;
    default: return evaluate_binary(v, op->atom);
    }
}

static bool evaluate(struct evaluation *v, const Dwarf_Op *ops, size_t count) {
    v->depth = 0;
    v->is_value = false;
    for (size_t i = 0; i < count; i++)
        if (!evaluate_one(v, &ops[i]))
            return false;
    return v->depth > 0;
}

/* ---- rules ---- */

/* Whether the expression is "this register plus a number". */
static bool is_register_offset(const Dwarf_Op *ops, size_t count, uint8_t *ret_register,
                               int64_t *ret_offset) {
    if (count != 1)
        return false;
    if (ops[0].atom == DW_OP_bregx && ops[0].number < DW_RA) {
        *ret_register = (uint8_t)ops[0].number;
        *ret_offset = (int64_t)ops[0].number2;
        return true;
    }
    *ret_register = (uint8_t)(ops[0].atom - DW_OP_breg0);
    *ret_offset = (int64_t)ops[0].number;
    return ops[0].atom >= DW_OP_breg0 && ops[0].atom < DW_OP_breg0 + DW_RA;
}

/* Whether it is "in memory, this far from the CFA". */
static bool is_cfa_offset(const Dwarf_Op *ops, size_t count, int64_t *ret_offset) {
    if (count == 0 || count > 2 || ops[0].atom != DW_OP_call_frame_cfa ||
        (count == 2 && ops[1].atom != DW_OP_plus_uconst))
        return false;
    *ret_offset = count == 2 ? (int64_t)ops[1].number : 0;
    return true;
}

static bool rule_simplify_register(const struct dw *dw, struct rule *r, uint8_t number) {
    Dwarf_Op memory[3], *ops;
    size_t count;
    if (dw->dwarf_frame_register(r->frame, number, memory, &ops, &count) != 0)
        return false;
    r->registers[number].how = count ? SAVED_AT : ops ? SAVED_NOT : SAVED_SAME;
    return count == 0 || is_cfa_offset(ops, count, &r->registers[number].offset);
}

static void rule_load(struct unwinder *u, struct key at, struct rule *ret_rule) {
    struct rule r = {.frame = module_frame(locator_module(u->locator, key_module(at)), key_value(at))};
    Dwarf_Op *ops;
    size_t count;
    r.simple = r.frame && u->dw->dwarf_frame_info(r.frame, NULL, NULL, &r.signal) == DW_RA && !r.signal &&
               u->dw->dwarf_frame_cfa(r.frame, &ops, &count) == 0 &&
               is_register_offset(ops, count, &r.cfa_register, &r.cfa_offset);
    for (size_t i = 0; r.simple && i < ARRAY_LENGTH(followed); i++)
        r.simple = rule_simplify_register(u->dw, &r, followed[i]);
    *ret_rule = r;
}

/* NULL: no memory. */
static const struct rule *rule_find(struct unwinder *u, struct key at) {
    uint64_t number;
    if (map_get(&u->known, at.v, &number))
        return &u->rules[number];
    if (array_reserve(&u->rules, &u->capacity, u->count + 1, sizeof *u->rules) ||
        map_put(&u->known, at.v, u->count))
        return NULL;
    rule_load(u, at, &u->rules[u->count]);
    return &u->rules[u->count++];
}

/* ---- steps ---- */

static bool step_simply(struct unwinder *u, const struct rule *rule, struct registers *r) {
    const uint64_t cfa = r->value[rule->cfa_register] + (uint64_t)rule->cfa_offset;
    for (size_t i = 0; i < ARRAY_LENGTH(followed); i++) {
        const uint8_t n = followed[i];
        if (rule->registers[n].how == SAVED_AT &&
            !memory_word(u, cfa + (uint64_t)rule->registers[n].offset, &r->value[n]))
            return false;
        if (rule->registers[n].how == SAVED_NOT && n == DW_RA)
            return false; /* the outermost frame */
    }
    r->value[DW_RSP] = cfa;
    return true;
}

static bool step_register(struct evaluation *v, Dwarf_Frame *frame, uint8_t number, uint64_t *value) {
    Dwarf_Op memory[3], *ops;
    size_t count;
    if (v->unwinder->dw->dwarf_frame_register(frame, number, memory, &ops, &count) != 0)
        return false;
    if (count == 0)
        return !ops || number != DW_RA;
    if (!evaluate(v, ops, count))
        return false;
    const uint64_t result = v->stack[v->depth - 1];
    *value = result;
    return v->is_value || memory_word(v->unwinder, result, value);
}

static bool step_by_expressions(struct unwinder *u, const struct rule *rule, struct registers *r) {
    struct evaluation v = {.unwinder = u, .registers = r};
    struct registers next = *r;
    Dwarf_Op *ops;
    size_t count;
    if (u->dw->dwarf_frame_cfa(rule->frame, &ops, &count) != 0 || !evaluate(&v, ops, count))
        return false;
    v.cfa = v.stack[v.depth - 1];
    next.value[DW_RSP] = v.cfa;
    for (uint8_t n = 0; n < DW_REGISTERS; n++)
        if (!step_register(&v, rule->frame, n, &next.value[n]))
            return false;
    *r = next;
    return true;
}

/* ---- stacks ---- */

static void registers_load(const struct probe_worker *w, struct registers *ret_registers) {
    for (unsigned n = 0; n < DW_RA; n++)
        ret_registers->value[n] = w->registers.general[dw_registers[n]];
    ret_registers->value[DW_RA] = w->registers.rip;
}

/* The key of an instruction; 0 where no file is mapped. */
static struct key instruction_key(struct unwinder *u, uint64_t address) {
    struct location at;
    locate(u->locator, u->space, address, &at);
    return at.has_address && at.module < KEY_MODULES ? key_make(KEY_CODE, at.module, at.address)
                                                     : (struct key){0};
}

static struct key frame_key(struct unwinder *u, struct key instruction, bool functions) {
    if (!instruction.v) {
        uint32_t number = 0;
        (void)texts_add(u->names, "[no file]", &number);
        return key_make(KEY_NAME, 0, number);
    }
    const struct module_symbol *symbol =
        functions
            ? module_symbol_at(locator_module(u->locator, key_module(instruction)), key_value(instruction))
            : NULL;
    return symbol ? key_make(KEY_SYMBOL, key_module(instruction), symbol->address) : instruction;
}

enum { DEPTH_MAX = 256 };

/* Frames from the innermost on; their number, at least one. */
static unsigned stack_walk(struct unwinder *u, struct registers *r, bool called, bool functions,
                           struct key frames[DEPTH_MAX]) {
    unsigned count = 0;
    while (count < u->depth && count < DEPTH_MAX) {
        const uint64_t stack = r->value[DW_RSP];
        const struct key instruction = instruction_key(u, r->value[DW_RA] - called);
        frames[count++] = frame_key(u, instruction, functions);
        const struct rule *rule = instruction.v ? rule_find(u, instruction) : NULL;
        if (!rule || !rule->frame)
            break;
        called = !rule->signal;
        if (!(rule->simple ? step_simply(u, rule, r) : step_by_expressions(u, rule, r)) || !r->value[DW_RA])
            break;
        if (r->value[DW_RSP] <= stack && called)
            break; /* frames are above those that they called */
    }
    return count;
}

static struct key stack_keep(struct unwinder *u, const struct key frames[], unsigned count) {
    uint32_t node = 0;
    while (count-- > 0)
        if (stacks_add(u->stacks, node, frames[count], &node))
            break;
    return key_make(KEY_STACK, 0, node);
}

struct key unwind_stack(struct unwinder *u, const struct probe_worker *worker, bool functions) {
    struct key frames[DEPTH_MAX];
    struct registers r;
    memory_begin(u, worker->space);
    registers_load(worker, &r);
    /* A system call's instruction is the one before. */
    const unsigned count = stack_walk(u, &r, worker->work == PROBE_CALL, functions, frames);
    return stack_keep(u, frames, count);
}

struct key unwind_callers(struct unwinder *u, const struct probe_worker *worker) {
    struct key frames[DEPTH_MAX];
    struct registers r;
    unsigned count = 0;
    memory_begin(u, worker->space);
    registers_load(worker, &r);
    if (memory_word(u, r.value[DW_RSP], &r.value[DW_RA])) {
        r.value[DW_RSP] += sizeof(uint64_t);
        count = stack_walk(u, &r, true, false, frames);
    }
    return stack_keep(u, frames, count);
}
