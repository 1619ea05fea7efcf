/* What traced code does beside untraced code: it writes its accesses to the log (log.h), without a jump.
 *
 *     next   = position + 1
 *     next  := {host page, count, kind}                 counts if the page differs, else is overwritten later
 *     position += host page != open;  open = host page
 *     position->written |= 1                            of a store; ->fetched of a block's entry */
#include "engine/soft/translate.h"

static IRExpr *get(struct expansion *x, size_t offset, IRType type) {
    return build_temporary(x, type, IRExpr_Get((Int)offset, type));
}

static void put(struct expansion *x, size_t offset, IRExpr *value) {
    addStmtToIRSB(x->out, IRStmt_Put((Int)offset, value));
}

static void store(struct expansion *x, IRExpr *base, size_t offset, IRExpr *value) {
    addStmtToIRSB(x->out, IRStmt_Store(Iend_LE, build_binary(x, Iop_Add64, base, build_u64(offset)), value));
}

static IRExpr *u32(uint32_t value) {
    return IRExpr_Const(IRConst_U32(value));
}

/* Sets a byte of the open entry to 1, if the guard (NULL: always) is true. */
static void set(struct expansion *x, IRExpr *position, size_t offset, IRExpr *guard) {
    IRExpr *value = IRExpr_Const(IRConst_U8(1));
    if (guard) {
        IRExpr *at = build_binary(x, Iop_Add64, position, build_u64(offset));
        IRExpr *old = build_temporary(x, Ity_I8, IRExpr_Load(Iend_LE, Ity_I8, at));
        IRExpr *more = build_temporary(x, Ity_I8, IRExpr_Unop(Iop_1Uto8, guard));
        value = build_temporary(x, Ity_I8, IRExpr_Binop(Iop_Or8, old, more));
    }
    store(x, position, offset, value);
}

/* Adds an access to the host page (32 bits of its number). */
static void add(struct expansion *x, IRExpr *page, unsigned access, IRExpr *guard) {
    enum { ENTRY = sizeof(struct reference) };
    const uint32_t kind = (access & ACCESS_WRITE ? 1U << 16 : 0) | (access & ACCESS_EXEC ? 1U << 24 : 0);
    IRExpr *open = get(x, offsetof(struct area, log_open), Ity_I32);
    IRExpr *position = get(x, offsetof(struct area, log_position), Ity_I64);
    IRExpr *counter = get(x, offsetof(struct area, guest.host_EvC_COUNTER), Ity_I32);
    IRExpr *count =
        build_temporary(x, Ity_I32, IRExpr_Binop(Iop_Add32, counter, u32(expansion_left(x) + kind)));
    store(x, position, ENTRY + offsetof(struct reference, frame), page);
    store(x, position, ENTRY + offsetof(struct reference, count), count);
    IRExpr *differs = build_test(x, Iop_CmpNE32, page, open);
    if (guard)
        differs = build_test(x, Iop_And1, differs, guard);
    IRExpr *one = build_temporary(x, Ity_I64, IRExpr_Unop(Iop_1Uto64, differs));
    IRExpr *step = build_binary(x, Iop_Shl64, one, IRExpr_Const(IRConst_U8(3)));
    position = build_binary(x, Iop_Add64, position, step);
    put(x, offsetof(struct area, log_position), position);
    put(x, offsetof(struct area, log_open),
        guard ? build_temporary(x, Ity_I32, IRExpr_ITE(guard, page, open)) : page);
    if (access & ACCESS_WRITE)
        set(x, position, offsetof(struct reference, written), guard);
    if (access & ACCESS_EXEC)
        set(x, position, offsetof(struct reference, fetched), NULL);
}
_Static_assert(sizeof(struct reference) == 8 && offsetof(struct reference, frame) == 0 &&
                   offsetof(struct reference, count) == 4 && offsetof(struct reference, written) == 6 &&
                   offsetof(struct reference, fetched) == 7,
               "add() writes it as two words");

/* A single instruction's accesses are logged by the helpers. */
static bool is_traced(const struct expansion *x) {
    return x->translation->engine->client.references && !x->translation->single;
}

void trace_entry(struct expansion *x) {
    if (!is_traced(x))
        return;
    const uint64_t index = vpn_of(x->translation->pc).n % FETCH_ENTRIES;
    add(x, get(x, offsetof(struct area, fetch_host_page) + index * sizeof(uint32_t), Ity_I32), ACCESS_EXEC,
        NULL);
}

void trace_access(struct expansion *x, IRExpr *host, unsigned access, IRExpr *guard) {
    if (!is_traced(x))
        return;
    IRExpr *page = build_binary(x, Iop_Shr64, host, IRExpr_Const(IRConst_U8(PAGE_SHIFT)));
    add(x, build_temporary(x, Ity_I32, IRExpr_Unop(Iop_64to32, page)), access, guard);
}
