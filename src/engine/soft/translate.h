/* Translation of one block by the library, in our order of things:
 *
 *   guest bytes ─ library's front end ─► intermediate code ─ instrument.c ─► intermediate code ─► host code
 *                                        (IRSB, AllregsAt-      │ order.c   register writes behind accesses
 *                                         EachInsn)             └ expand.c  accesses through the TLB
 *
 * What comes out is a function of the bytes and the address alone, apart from the page's token. */
#ifndef ENGINE_SOFT_TRANSLATE_H
#define ENGINE_SOFT_TRANSLATE_H

#include <valgrind/libvex_ir.h>

#include "engine/soft/soft.h"

struct translation {
    struct engine *engine;
    uint64_t pc;
    bool single;          /* one instruction, for the slow path */
    const uint8_t *bytes; /* from pc on: up to the end of the page, or of the next one, then padding */
    unsigned available;   /* how many of them are the guest's */
    uint32_t token;       /* of the page; not used in a single instruction's block */

    /* Found by instrumenting. */
    bool refused;          /* the first instruction must not be in such a block; no code */
    unsigned instructions; /* translated */
    unsigned length;       /* their bytes */
};

/* Once in a process, before anything else: the library has global state. */
void translate_setup(void);

/* Translates into `code` (CODE_BLOCK_BYTES). Returns the length of the host code, or 0: then `refused` says
 * why, or, if that is false, the library failed. */
unsigned translate_block(struct translation *, uint8_t *code);

/* instrument.c: the library's call-back. */
IRSB *instrument_block(void *translation, IRSB *, const VexGuestLayout *, const VexGuestExtents *,
                       const VexArchInfo *, IRType guest_word, IRType host_word);

/* order.c */

/* A statement and the number in the block (from 0) of the instruction that it belongs to. */
struct ordered {
    IRStmt *statement;
    unsigned instruction;
    bool store_follows; /* a load whose bytes are stored back by the same instruction */
    bool scratch;       /* its accesses are not the guest's: quirk.c */
};

/* Whether the statement touches guest memory or can raise an exception otherwise. */
bool order_is_access(const IRStmt *);
/* Whether statement i of an instruction that ends before `to` is a load, and the next access stores where it
 * loads: then one translation, for both, is what the processor does. */
bool order_is_stored_back(const IRSB *, int i, int to);
/* Copies the statements from..to-1 of one instruction to `out`, register writes behind the last access.
 * Returns how many there are, or 0 if that is impossible: then the instruction needs the slow path. */
unsigned order_delay_puts(const IRSB *, int from, int to, struct ordered *out, unsigned instruction);
/* Removes register writes that nothing can observe, and all of rip: a block's jumps write that, and what is
 * called from within knows the offset of its instruction. Who watches an instruction observes them all. */
void order_drop_puts(const struct engine *, const IRSB *, struct ordered *, unsigned n);

/* expand.c: what one statement becomes. */

struct expansion {
    struct translation *translation;
    IRSB *out;
    unsigned instructions; /* of the block */
    unsigned instruction;  /* being expanded, from 0 */
    const uint8_t *bytes;  /* its bytes */
    unsigned length;
    unsigned offset; /* of the first one in the block */
    unsigned logged; /* entries that the block has added to the log, not yet in the area's position */
    /* The host address of the last load that is stored back, for its store; NULL for none. */
    IRExpr *reuse_host;
    bool alignment_checked, negated_fma;
    const IRStmt *fma[8]; /* of a negated one, a lane each */
    unsigned n_fma;
    /* Where the instruction believes its scratch memory to be; NULL until it has stored there. */
    IRExpr *scratch_base;
};

void expand_statement(struct expansion *, const struct ordered *);

/* Small builders. */
IRExpr *build_temporary(struct expansion *, IRType, IRExpr *);
IRExpr *build_binary(struct expansion *, IROp, IRExpr *, IRExpr *); /* 64-bit */
IRExpr *build_test(struct expansion *, IROp, IRExpr *, IRExpr *);   /* 1-bit */
IRExpr *build_u64(uint64_t);
/* The area is an argument of the call; the library wants to be told of a register that is read then. */
void build_area_argument(IRDirty *);
/* A call of a helper of ours, which gets the area and then `args`; guard may be NULL. It is ordered with all
 * memory accesses, because it may evict what an earlier one has translated. */
IRDirty *build_call(struct expansion *, IRTemp result, const char *name, void *function, IRExpr *guard,
                    IRExpr *first, IRExpr *second);

/* Instructions of the block that are not executed if the one being expanded is not. */
static inline unsigned expansion_left(const struct expansion *x) {
    return x->instructions - x->instruction;
}

/* Where the instruction being expanded is: see access.h. */
unsigned expansion_place(const struct expansion *);

/* The host address of an access. */
IRExpr *expand_address(struct expansion *, IRExpr *address, unsigned bytes, unsigned access, IRExpr *guard);

/* trace.c: nothing unless the client wants references */
/* The fetch of the block that is entered. */
void trace_entry(struct expansion *);
/* The position in the area becomes right: before whatever may leave the block, or look at the log. */
void trace_settle(struct expansion *);
/* An access, at that host address. */
void trace_access(struct expansion *, IRExpr *host, unsigned access, IRExpr *guard);

/* quirk.c */
/* Whether the instruction's accesses are to memory that the library uses for its own purposes: it begins by
 * storing a register there. */
bool quirk_uses_scratch(const uint8_t *bytes, unsigned length);
/* Whether its 16 bytes in memory must be aligned, and the library does not check it; `loaded`: in one go. */
bool quirk_wants_alignment(const uint8_t *bytes, unsigned length, IRType loaded);
IRExpr *quirk_scratch_address(struct expansion *, IRExpr *address, bool store);
/* The sign bits of 16 bytes, as a 16-bit number. */
IRExpr *quirk_sign_bits(struct expansion *, IRExpr *vector);
bool quirk_is_scalar_fma(const uint8_t *bytes, unsigned length);
bool quirk_is_negated_fma(const uint8_t *bytes, unsigned length);
IRStmt *quirk_negate_fma(struct expansion *, IRStmt *);
/* Drops an instruction's writes of zeros beside its result. */
void quirk_keep_rest(IRSB *, int from, int to);

/* divide.c: checks before a division. */
bool divide_is_division(const IRExpr *);
void divide_expand(struct expansion *, const IRExpr *);

/* entry.c: how a block begins. The library's code is to be ENTRY_BYTES behind the block's beginning. */
enum { ENTRY_BYTES = 28 };
/* Completes the beginning, once the rest is there; returns where to enter. */
const void *entry_write(uint8_t *block, const struct translation *);

/* thunk.c */
/* Returns the function that a TLB miss of this access calls, with the guest's address as argument. */
void *thunk_make(struct codecache *, uint32_t access_info, uint32_t logged);

/* helper.c: the library's own helpers. */
void helper_expand(struct expansion *, IRDirty *);

#endif
