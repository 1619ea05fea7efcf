/* Exact registers: where writes to the guest's registers may be.
 *
 * The library writes a register when it has the value, which may be before an access of the same instruction
 * that faults. Here every write moves behind the last access, and writes that nobody can see are dropped:
 *
 *     IMark push rax             IMark push rax
 *     PUT rsp = t1       ──►     ST(t1) = rax          faults with the old rsp
 *     ST(t1) = rax               PUT rsp = t1          dropped if rsp is written again before the next access
 */
#include <string.h>

#include "engine/soft/translate.h"

enum { AREA_BYTES = sizeof(VexGuestAMD64State), RIP_OFFSET = offsetof(VexGuestAMD64State, guest_RIP) };

static const IRExpr *data_of(const IRStmt *s) {
    return s->tag == Ist_WrTmp ? s->Ist.WrTmp.data : NULL;
}

static bool is_port_access(const IRDirty *d) {
    return strstr(d->cee->name, "helper_IN") || strstr(d->cee->name, "helper_OUT");
}

bool order_is_access(const IRStmt *s) {
    const IRExpr *e = data_of(s);
    if (e)
        return e->tag == Iex_Load || divide_is_division(e);
    if (s->tag == Ist_Dirty)
        return s->Ist.Dirty.details->mFx != Ifx_None || is_port_access(s->Ist.Dirty.details);
    return s->tag == Ist_Store || s->tag == Ist_StoreG || s->tag == Ist_LoadG || s->tag == Ist_CAS;
}

static bool is_put(const IRStmt *s) {
    return s->tag == Ist_Put || s->tag == Ist_PutI;
}

static bool writes_state(const IRDirty *d) {
    for (int i = 0; i < d->nFxState; i++)
        if (d->fxState[i].fx != Ifx_Read)
            return true;
    return false;
}

static bool overlap(int a, int a_bytes, int b, int b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
}

/* Whether the expression reads what a held write would have written. */
static bool reads_held(const IRSB *b, const IRExpr *e, const struct ordered *held, unsigned n) {
    if (!n || !e || (e->tag != Iex_Get && e->tag != Iex_GetI))
        return false;
    for (unsigned i = 0; i < n; i++) {
        const IRStmt *put = held[i].statement;
        if (e->tag == Iex_GetI || put->tag == Ist_PutI)
            return true;
        if (overlap(put->Ist.Put.offset, sizeofIRType(typeOfIRExpr(b->tyenv, put->Ist.Put.data)),
                    e->Iex.Get.offset, sizeofIRType(e->Iex.Get.ty)))
            return true;
    }
    return false;
}

/* Whether a statement before the last access cannot stay where it is while writes are held back. */
static bool forbids_delay(const IRSB *b, const IRStmt *s, const struct ordered *held, unsigned n) {
    if (s->tag == Ist_Dirty)
        return writes_state(s->Ist.Dirty.details) || (n && s->Ist.Dirty.details->nFxState);
    return (s->tag == Ist_Exit && n) || reads_held(b, data_of(s), held, n);
}

static bool same_atom(const IRExpr *a, const IRExpr *b) {
    if (a->tag != b->tag)
        return false;
    return a->tag == Iex_RdTmp
               ? a->Iex.RdTmp.tmp == b->Iex.RdTmp.tmp
               : a->tag == Iex_Const && a->Iex.Const.con->Ico.U64 == b->Iex.Const.con->Ico.U64;
}

bool order_is_stored_back(const IRSB *b, int i, int to) {
    const IRExpr *load = data_of(b->stmts[i]);
    if (!load || load->tag != Iex_Load)
        return false;
    for (i++; i < to && !order_is_access(b->stmts[i]) && b->stmts[i]->tag != Ist_Exit; i++)
        continue;
    if (i >= to)
        return false;
    const IRExpr *address, *data;
    if (b->stmts[i]->tag == Ist_Store) {
        address = b->stmts[i]->Ist.Store.addr;
        data = b->stmts[i]->Ist.Store.data;
    } else if (b->stmts[i]->tag == Ist_CAS && !b->stmts[i]->Ist.CAS.details->dataHi) {
        address = b->stmts[i]->Ist.CAS.details->addr;
        data = b->stmts[i]->Ist.CAS.details->dataLo;
    } else {
        return false;
    }
    return same_atom(load->Iex.Load.addr, address) && typeOfIRExpr(b->tyenv, data) == load->Iex.Load.ty;
}

static int last_access(const IRSB *b, int from, int to) {
    int last = from - 1;
    for (int i = from; i < to; i++)
        if (order_is_access(b->stmts[i]))
            last = i;
    return last;
}

unsigned order_delay_puts(const IRSB *b, int from, int to, struct ordered *out, unsigned instruction) {
    int last = last_access(b, from, to);
    unsigned n = 0, n_held = 0;
    struct ordered *held = LibVEX_Alloc((size_t)(to - from) * sizeof *held);
    for (int i = from; i < to; i++) {
        IRStmt *s = b->stmts[i];
        struct ordered entry = {s, instruction, order_is_stored_back(b, i, to), false};
        if (i < last && is_put(s)) {
            held[n_held++] = entry;
            continue;
        }
        if (i < last && forbids_delay(b, s, held, n_held))
            return 0;
        out[n++] = entry;
        if (i == last) {
            memcpy(out + n, held, n_held * sizeof *held);
            n += n_held;
            n_held = 0;
        }
    }
    return n;
}

/* ---- writes that nothing can observe ---- */

static bool is_rip(const IRStmt *s) {
    return s->tag == Ist_Put && s->Ist.Put.offset == RIP_OFFSET;
}

/* The constants that a forward walk knows registers to hold: the flags' thunk is full of repeated ones. */
struct known {
    struct {
        int offset;
        uint64_t value;
    } register_[8];
    unsigned n;
};

static void forget(struct known *known, int offset, int bytes) {
    for (unsigned i = 0; i < known->n;)
        if (overlap(known->register_[i].offset, 8, offset, bytes))
            known->register_[i] = known->register_[--known->n];
        else
            i++;
}

static bool is_known(const struct known *known, int offset, uint64_t value) {
    for (unsigned i = 0; i < known->n; i++)
        if (known->register_[i].offset == offset)
            return known->register_[i].value == value;
    return false;
}

/* Whether the write repeats a constant that the register holds already. */
static bool is_repeated(struct known *known, const IRSB *b, const IRStmt *put) {
    const IRExpr *data = put->Ist.Put.data;
    int offset = put->Ist.Put.offset;
    bool constant = data->tag == Iex_Const && data->Iex.Const.con->tag == Ico_U64;
    if (constant && is_known(known, offset, data->Iex.Const.con->Ico.U64))
        return true;
    forget(known, offset, sizeofIRType(typeOfIRExpr(b->tyenv, data)));
    if (constant && known->n < sizeof known->register_ / sizeof *known->register_) {
        known->register_[known->n].offset = offset;
        known->register_[known->n++].value = data->Iex.Const.con->Ico.U64;
    }
    return false;
}

static void drop_repeated_puts(const IRSB *b, struct ordered *statements, unsigned n) {
    struct known known = {.n = 0};
    for (unsigned i = 0; i < n; i++) {
        const IRStmt *s = statements[i].statement;
        if (s->tag == Ist_Put && is_repeated(&known, b, s))
            statements[i].statement = IRStmt_NoOp();
        else if (s->tag == Ist_PutI || s->tag == Ist_Dirty)
            known.n = 0;
    }
}

/* Which bytes of the registers are written again before anything reads them. */
struct dead {
    uint8_t bytes[AREA_BYTES];
};

static bool all_dead(const struct dead *dead, int offset, int bytes) {
    for (int i = offset; i < offset + bytes; i++)
        if (!dead->bytes[i])
            return false;
    return true;
}

void order_drop_puts(const struct engine *e, const IRSB *b, struct ordered *statements, unsigned n) {
    struct dead dead = {{0}};
    drop_repeated_puts(b, statements, n);
    while (n-- > 0) {
        IRStmt *s = statements[n].statement;
        const IRExpr *data = data_of(s);
        if (s->tag == Ist_Put) {
            int offset = s->Ist.Put.offset, bytes = sizeofIRType(typeOfIRExpr(b->tyenv, s->Ist.Put.data));
            if (all_dead(&dead, offset, bytes) || is_rip(s))
                statements[n].statement = IRStmt_NoOp();
            memset(dead.bytes + offset, 1, (size_t)bytes);
        } else if (data && data->tag == Iex_Get) {
            memset(dead.bytes + data->Iex.Get.offset, 0, (size_t)sizeofIRType(data->Iex.Get.ty));
        } else if (s->tag == Ist_Exit || s->tag == Ist_Dirty || s->tag == Ist_PutI ||
                   (data && data->tag == Iex_GetI) || (order_is_access(s) && !statements[n].scratch) ||
                   (s->tag == Ist_IMark && watch_is_marked(e, s->Ist.IMark.addr))) {
            memset(dead.bytes, 0, sizeof dead.bytes);
        }
    }
}
