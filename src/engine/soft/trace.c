/* What traced code does beside untraced code: it writes its accesses to the log (log.h), without a jump and
 * without looking at what is there.
 *
 *     position[k]        := host page              k: entries that the block has added before
 *     position[k + half] := {count, kind}          half: LOG_ENTRIES
 *     position           += k                      when the block is left (trace_settle)
 */
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

/* Adds an access to the host page (32 bits of its number). */
static void add(struct expansion *x, IRExpr *page, unsigned access, IRExpr *guard) {
    const size_t at = x->logged * sizeof(uint32_t);
    if (guard)
        page = build_temporary(x, Ity_I32, IRExpr_ITE(guard, page, u32(log_no_page(x->translation->engine))));
    IRExpr *position = get(x, offsetof(struct area, log_position), Ity_I64);
    IRExpr *counter = get(x, offsetof(struct area, guest.host_EvC_COUNTER), Ity_I32);
    IRExpr *rest = build_temporary(
        x, Ity_I32, IRExpr_Binop(Iop_Add32, counter, u32(expansion_left(x) + log_rest(0, access))));
    store(x, position, at, page);
    store(x, position, at + LOG_ENTRIES * sizeof(uint32_t), rest);
    x->logged++;
}

void trace_settle(struct expansion *x) {
    if (!x->logged)
        return;
    IRExpr *position = get(x, offsetof(struct area, log_position), Ity_I64);
    put(x, offsetof(struct area, log_position),
        build_binary(x, Iop_Add64, position, build_u64(x->logged * sizeof(uint32_t))));
    x->logged = 0;
}

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
