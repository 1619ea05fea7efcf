/* Rewrites the intermediate code of a block, one instruction after the other.
 *
 * A normal block ends before an instruction that is not wholly in the page, that the slow path must execute,
 * or that is not decoded; if that is the first one the block is refused. A single instruction's block keeps
 * the library's order of statements: the slow path takes the registers back when it faults. */
#include "engine/soft/special.h"
#include "engine/soft/translate.h"

/* One instruction: statements from..to-1, the first of which is its mark. */
struct instruction {
    int from, to;
    uint64_t pc;
    unsigned length;
};

struct plan {
    struct ordered *statements;
    unsigned n;
    struct instruction *instructions;
    unsigned n_instructions;
    uint64_t next; /* where a block that was cut goes on; 0 if it was not cut */
};

/* The instruction that begins at statement `from`; to == from when there is none. */
static struct instruction find_instruction(const IRSB *b, int from) {
    while (from < b->stmts_used && b->stmts[from]->tag != Ist_IMark)
        from++;
    if (from == b->stmts_used)
        return (struct instruction){from, from, 0, 0};
    int to = from + 1;
    while (to < b->stmts_used && b->stmts[to]->tag != Ist_IMark)
        to++;
    const IRStmt *mark = b->stmts[from];
    return (struct instruction){from, to, mark->Ist.IMark.addr, mark->Ist.IMark.len};
}

static bool has_jump(const IRSB *b, const struct instruction *i) {
    for (int s = i->from; s < i->to; s++)
        if (b->stmts[s]->tag == Ist_Exit && b->stmts[s]->Ist.Exit.jk == Ijk_Boring)
            return true;
    return false;
}

static unsigned count_accesses(const IRSB *b, const struct instruction *i) {
    unsigned n = 0;
    for (int s = i->from; s < i->to; s++)
        n += order_is_access(b->stmts[s]);
    return n;
}

/* Whether the instruction cannot be in a block of this kind, whatever its statements are. */
static bool is_excluded(const struct translation *t, const IRSB *b, const struct instruction *i) {
    uint64_t offset = i->pc - t->pc;
    bool undecoded =
        b->jumpkind == Ijk_NoDecode && b->next->tag == Iex_Const && b->next->Iex.Const.con->Ico.U64 == i->pc;
    return undecoded || offset + i->length > t->available ||
           (!t->single && (i->length > INSTRUCTION_MAX || count_accesses(b, i) >= LOG_INSTRUCTION ||
                           special_wants(t->bytes + offset, t->available - (unsigned)offset) ||
                           special_is_misread(t->bytes + offset, t->available - (unsigned)offset)));
}

/* Adds the instruction to the plan; false if the slow path must execute it. */
static bool plan_instruction(struct plan *plan, const struct translation *t, const IRSB *b,
                             const struct instruction *i) {
    struct ordered *out = plan->statements + plan->n;
    bool scratch = quirk_uses_scratch(t->bytes + (i->pc - t->pc), i->length);
    unsigned n = 0;
    if (t->single || scratch)
        for (int s = i->from; s < i->to; s++)
            out[n++] = (struct ordered){b->stmts[s], plan->n_instructions,
                                        !scratch && order_is_stored_back(b, s, i->to), scratch};
    else
        n = order_delay_puts(b, i->from, i->to, out, plan->n_instructions);
    plan->n += n;
    if (n)
        plan->instructions[plan->n_instructions++] = *i;
    return n != 0;
}

static struct plan plan_block(struct translation *t, IRSB *b) {
    struct plan plan = {.statements = LibVEX_Alloc((size_t)b->stmts_used * sizeof *plan.statements),
                        .instructions = LibVEX_Alloc((size_t)b->stmts_used * sizeof *plan.instructions)};
    for (struct instruction i = find_instruction(b, 0); i.from < i.to; i = find_instruction(b, i.to)) {
        bool fma = quirk_is_scalar_fma(t->bytes + (i.pc - t->pc), i.length);
        if (fma)
            quirk_keep_rest(b, i.from, i.to);
        if (is_excluded(t, b, &i) || !plan_instruction(&plan, t, b, &i)) {
            plan.next = i.pc;
            break;
        }
        /* An exit counts the whole block as executed, so nothing may follow it. */
        if (i.to < b->stmts_used && (t->single || fma || has_jump(b, &i))) {
            plan.next = i.pc + i.length;
            break;
        }
    }
    return plan;
}

IRSB *instrument_block(void *translation, IRSB *b, const VexGuestLayout *layout,
                       const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest_word,
                       IRType host_word) {
    struct translation *t = translation;
    struct plan plan = plan_block(t, b);
    IRSB *out = deepCopyIRSBExceptStmts(b);
    t->refused = plan.n_instructions == 0;
    if (plan.next) {
        out->next = build_u64(plan.next);
        out->jumpkind = Ijk_Boring;
    }
    if (t->refused)
        return out;
    const struct instruction *last = &plan.instructions[plan.n_instructions - 1];
    t->instructions = plan.n_instructions;
    t->length = (unsigned)(last->pc + last->length - t->pc);
    if (!t->single)
        order_drop_puts(t->engine, b, plan.statements, plan.n);
    struct expansion x = {.translation = t, .out = out, .instructions = plan.n_instructions};
    trace_entry(&x);
    for (unsigned i = 0; i < plan.n; i++) {
        const struct instruction *in = &plan.instructions[plan.statements[i].instruction];
        x.instruction = plan.statements[i].instruction;
        x.offset = (unsigned)(in->pc - t->pc);
        x.bytes = t->bytes + x.offset;
        x.length = in->length;
        expand_statement(&x, &plan.statements[i]);
    }
    trace_settle(&x);
    return out;
}
