#include "engine/soft/access.h"
#include "engine/soft/translate.h"

IRExpr *build_u64(uint64_t value) {
    return IRExpr_Const(IRConst_U64(value));
}

IRExpr *build_temporary(struct expansion *x, IRType type, IRExpr *value) {
    IRTemp t = newIRTemp(x->out->tyenv, type);
    addStmtToIRSB(x->out, IRStmt_WrTmp(t, value));
    return IRExpr_RdTmp(t);
}

IRExpr *build_binary(struct expansion *x, IROp op, IRExpr *a, IRExpr *b) {
    return build_temporary(x, Ity_I64, IRExpr_Binop(op, a, b));
}

IRExpr *build_test(struct expansion *x, IROp op, IRExpr *a, IRExpr *b) {
    return build_temporary(x, Ity_I1, IRExpr_Binop(op, a, b));
}

void build_area_argument(IRDirty *d) {
    if (d->nFxState > 0)
        return;
    d->nFxState = 1;
    d->fxState[0].fx = Ifx_Read;
    d->fxState[0].offset = AREA_RIP;
    d->fxState[0].size = sizeof(uint64_t);
    d->fxState[0].nRepeats = 0;
    d->fxState[0].repeatLen = 0;
}

/* Keeps the tree builder from moving a load, or the addition of an addend, behind this call. */
static void order_call(IRDirty *d) {
    d->mFx = Ifx_Modify;
    d->mAddr = build_u64(0);
    d->mSize = 1;
}

IRDirty *build_call(struct expansion *x, IRTemp result, const char *name, void *function, IRExpr *guard,
                    IRExpr *first, IRExpr *second) {
    IRExpr **args = second  ? mkIRExprVec_3(IRExpr_GSPTR(), first, second)
                    : first ? mkIRExprVec_2(IRExpr_GSPTR(), first)
                            : mkIRExprVec_1(IRExpr_GSPTR());
    trace_settle(x);
    IRDirty *d = result == IRTemp_INVALID ? unsafeIRDirty_0_N(0, name, function, args)
                                          : unsafeIRDirty_1_N(result, 0, name, function, args);
    if (guard)
        d->guard = guard;
    build_area_argument(d);
    order_call(d);
    addStmtToIRSB(x->out, IRStmt_Dirty(d));
    return d;
}

unsigned expansion_place(const struct expansion *x) {
    return place_make(expansion_left(x), x->offset);
}

/* ---- accesses ---- */

static IRExpr *single_address(struct expansion *x, IRExpr *address, unsigned info, IRExpr *guard) {
    IRTemp host = newIRTemp(x->out->tyenv, Ity_I64);
    build_call(x, host, "access_single", access_single, guard, address, build_u64(info));
    return IRExpr_RdTmp(host);
}

static void call_on_miss(struct expansion *x, IRExpr *miss, IRExpr *address, void *thunk) {
    IRDirty *d = unsafeIRDirty_0_N(0, "access_miss", thunk, mkIRExprVec_1(address));
    d->guard = miss;
    order_call(d);
    addStmtToIRSB(x->out, IRStmt_Dirty(d));
}

/* The TLB look-up, as drawn in tlb.h: a helper call on a miss, after which the entry's addend is right. */
IRExpr *expand_address(struct expansion *x, IRExpr *address, unsigned bytes, unsigned access, IRExpr *guard) {
    struct tlb *tlb = &x->translation->engine->tlb;
    unsigned info = access_info(bytes, access, expansion_place(x));
    if (x->translation->single)
        return single_address(x, address, info, guard);
    if (address->tag == Iex_Const)
        address = build_temporary(x, Ity_I64, address);
    uint64_t entries = (uint64_t)tlb->table[tlb_table_for(access)];
    IRExpr *shift = IRExpr_Const(IRConst_U8(PAGE_SHIFT - TLB_ENTRY_SHIFT));
    IRExpr *index = build_binary(x, Iop_And64, build_binary(x, Iop_Shr64, address, shift),
                                 build_u64((uint64_t)(tlb->entries - 1) << TLB_ENTRY_SHIFT));
    IRExpr *page_at = build_binary(x, Iop_Add64, index, build_u64(entries));
    IRExpr *page = build_temporary(x, Ity_I64, IRExpr_Load(Iend_LE, Ity_I64, page_at));
    IRExpr *hit =
        build_test(x, Iop_CmpLE64U, build_binary(x, Iop_Sub64, address, page), build_u64(PAGE_SIZE - bytes));
    IRExpr *miss = build_temporary(x, Ity_I1, IRExpr_Unop(Iop_Not1, hit));
    if (guard)
        miss = build_test(x, Iop_And1, miss, guard);
    call_on_miss(x, miss, address, thunk_make(&x->translation->engine->cache, info, x->logged));
    IRExpr *addend_at =
        build_binary(x, Iop_Add64, index, build_u64(entries + offsetof(struct tlb_entry, addend)));
    IRExpr *addend = build_temporary(x, Ity_I64, IRExpr_Load(Iend_LE, Ity_I64, addend_at));
    IRExpr *host = build_binary(x, Iop_Add64, address, addend);
    trace_access(x, host, access, guard);
    return host;
}

static unsigned bytes_of(const struct expansion *x, const IRExpr *e) {
    return (unsigned)sizeofIRType(typeOfIRExpr(x->out->tyenv, e));
}

/* #GP unless the address is a multiple of 16. */
static void check_alignment(struct expansion *x, IRExpr *address) {
    x->alignment_checked = true;
    IRExpr *rest = build_binary(x, Iop_And64, address, build_u64(15));
    build_call(x, IRTemp_INVALID, "access_protection", access_protection,
               build_test(x, Iop_CmpNE64, rest, build_u64(0)), build_u64(expansion_place(x)), NULL);
}

static IRStmt *expand_load(struct expansion *x, IRStmt *s, bool store_follows) {
    const IRExpr *load = s->Ist.WrTmp.data;
    if (!x->alignment_checked && quirk_wants_alignment(x->bytes, x->length, load->Iex.Load.ty))
        check_alignment(x, load->Iex.Load.addr);
    unsigned access = store_follows ? ACCESS_READ | ACCESS_WRITE : ACCESS_READ;
    IRExpr *host =
        expand_address(x, load->Iex.Load.addr, (unsigned)sizeofIRType(load->Iex.Load.ty), access, NULL);
    x->reuse_host = store_follows ? host : NULL;
    return IRStmt_WrTmp(s->Ist.WrTmp.tmp, IRExpr_Load(Iend_LE, load->Iex.Load.ty, host));
}

/* The host address that the load before has left for this store, or NULL. */
static IRExpr *take_reused(struct expansion *x) {
    IRExpr *host = x->reuse_host;
    x->reuse_host = NULL;
    return host;
}

static IRStmt *expand_store(struct expansion *x, IRStmt *s, bool scratch) {
    IRExpr *host = scratch ? quirk_scratch_address(x, s->Ist.Store.addr, true) : take_reused(x);
    if (!host)
        host = expand_address(x, s->Ist.Store.addr, bytes_of(x, s->Ist.Store.data), ACCESS_WRITE, NULL);
    return IRStmt_Store(Iend_LE, host, s->Ist.Store.data);
}

static IRStmt *expand_cas(struct expansion *x, IRStmt *s) {
    IRCAS *c = s->Ist.CAS.details;
    unsigned bytes = bytes_of(x, c->dataLo) * (c->dataHi ? 2 : 1);
    IRExpr *host = take_reused(x);
    if (!host)
        host = expand_address(x, c->addr, bytes, ACCESS_READ | ACCESS_WRITE, NULL);
    return IRStmt_CAS(mkIRCAS(c->oldHi, c->oldLo, c->end, host, c->expdHi, c->expdLo, c->dataHi, c->dataLo));
}

static IRStmt *expand_guarded_load(struct expansion *x, IRStmt *s) {
    IRLoadG *g = s->Ist.LoadG.details;
    IRType result, loaded;
    typeOfIRLoadGOp(g->cvt, &result, &loaded);
    IRExpr *host = expand_address(x, g->addr, (unsigned)sizeofIRType(loaded), ACCESS_READ, g->guard);
    return IRStmt_LoadG(g->end, g->cvt, g->dst, host, g->alt, g->guard);
}

static IRStmt *expand_guarded_store(struct expansion *x, IRStmt *s) {
    IRStoreG *g = s->Ist.StoreG.details;
    IRExpr *host = expand_address(x, g->addr, bytes_of(x, g->data), ACCESS_WRITE, g->guard);
    return IRStmt_StoreG(g->end, host, g->data, g->guard);
}

/* An exit that is not an ordinary jump tells the dispatcher, in the upper bits of rip, how many of the
 * block's instructions are not executed: those behind this one, and this one if it raises an exception. */
static IRStmt *expand_exit(struct expansion *x, IRStmt *s) {
    IRJumpKind kind = s->Ist.Exit.jk;
    trace_settle(x);
    if (kind == Ijk_Boring)
        return s;
    uint64_t left = expansion_left(x) - (kind == Ijk_SigSEGV ? 0 : 1);
    IRConst *to = IRConst_U64(s->Ist.Exit.dst->Ico.U64 | left << EXIT_LEFT_SHIFT);
    return IRStmt_Exit(s->Ist.Exit.guard, kind, to, s->Ist.Exit.offsIP);
}

static IRStmt *expand_temporary(struct expansion *x, const struct ordered *o) {
    const IRExpr *e = o->statement->Ist.WrTmp.data;
    if (e->tag == Iex_Load && o->scratch)
        return IRStmt_WrTmp(
            o->statement->Ist.WrTmp.tmp,
            IRExpr_Load(Iend_LE, e->Iex.Load.ty, quirk_scratch_address(x, e->Iex.Load.addr, false)));
    if (e->tag == Iex_Load)
        return expand_load(x, o->statement, o->store_follows);
    if (e->tag == Iex_Unop && e->Iex.Unop.op == Iop_GetMSBs8x16)
        return IRStmt_WrTmp(o->statement->Ist.WrTmp.tmp, quirk_sign_bits(x, e->Iex.Unop.arg));
    if (divide_is_division(e))
        divide_expand(x, e);
    return x->negated_fma ? quirk_negate_fma(x, o->statement) : o->statement;
}

/* An instruction begins. One that is alone is looked at by the slow path. */
static void expand_mark(struct expansion *x) {
    x->scratch_base = NULL;
    x->alignment_checked = false;
    x->n_fma = 0;
    x->negated_fma = quirk_is_negated_fma(x->bytes, x->length);
    if (!x->translation->single && watch_is_marked(x->translation->engine, x->translation->pc + x->offset))
        build_call(x, IRTemp_INVALID, "watch_passed", watch_passed, NULL, build_u64(expansion_place(x)),
                   NULL);
}

void expand_statement(struct expansion *x, const struct ordered *o) {
    IRStmt *s = o->statement;
    switch (s->tag) {
    case Ist_NoOp:
    case Ist_AbiHint: return;
    case Ist_WrTmp: s = expand_temporary(x, o); break;
    case Ist_Store: s = expand_store(x, s, o->scratch); break;
    case Ist_CAS: s = expand_cas(x, s); break;
    case Ist_LoadG: s = expand_guarded_load(x, s); break;
    case Ist_StoreG: s = expand_guarded_store(x, s); break;
    case Ist_Exit: s = expand_exit(x, s); break;
    case Ist_Dirty: helper_expand(x, s->Ist.Dirty.details); break;
    case Ist_IMark: expand_mark(x); break;
    case Ist_Put:
    case Ist_PutI:
    case Ist_MBE:
    case Ist_LLSC: break; /* the last is never made for this processor */
    }
    addStmtToIRSB(x->out, s);
}
