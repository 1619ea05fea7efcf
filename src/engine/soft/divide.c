/* Division: the library executes the host's, which would raise the host's exception. So every division is
 * checked before. Divisions of 8 and 16 bits look like those of 32 in the intermediate code. */
#include "engine/soft/access.h"
#include "engine/soft/translate.h"

enum { DIVIDE_SIGNED = 1 }; /* in the word that describes a division: bits | DIVIDE_SIGNED | place << 16 */

static bool is_op(const IRExpr *e, IROp op) {
    return e->tag == Iex_Binop && e->Iex.Binop.op == op;
}

bool divide_is_division(const IRExpr *e) {
    return is_op(e, Iop_DivModU64to32) || is_op(e, Iop_DivModS64to32) || is_op(e, Iop_DivModU128to64) ||
           is_op(e, Iop_DivModS128to64);
}

static bool signed_overflows(uint64_t lo, uint64_t hi, uint64_t divisor, unsigned bits) {
    unsigned __int128 whole = (unsigned __int128)hi << 64 | lo;
    unsigned shift = 128 - 2 * bits, divisor_shift = 64 - bits;
    __int128 n = (__int128)(whole << shift) >> shift;
    __int128 d = (int64_t)(divisor << divisor_shift) >> divisor_shift;
    __int128 limit = (__int128)1 << (bits - 1), smallest = (__int128)((unsigned __int128)1 << 127);
    if (d == 0 || (d == -1 && n == smallest))
        return true;
    return n / d >= limit || n / d < -limit;
}

static bool unsigned_overflows(uint64_t lo, uint64_t hi, uint64_t divisor, unsigned bits) {
    unsigned shift = 128 - 2 * bits;
    unsigned __int128 n = ((unsigned __int128)hi << 64 | lo) << shift >> shift;
    unsigned __int128 d = divisor << (64 - bits) >> (64 - bits);
    return d == 0 || n / d >> bits;
}

/* Called before a division that may overflow. */
static void check_division(struct area *area, uint64_t lo, uint64_t hi, uint64_t divisor, uint64_t kind) {
    unsigned bits = (kind & 0xffff) & ~(unsigned)DIVIDE_SIGNED;
    bool bad = kind & DIVIDE_SIGNED ? signed_overflows(lo, hi, divisor, bits)
                                    : unsigned_overflows(lo, hi, divisor, bits);
    if (!bad)
        return;
    trap_exception(engine_of_area(area), VECTOR_DE, 0);
    access_leave(area, EXIT_FAULT, (unsigned)(kind >> 16));
}

/* 8 or 16 if the opcode says so, else 0. */
static unsigned narrow_bits(const struct expansion *x) {
    bool operand16 = false, wide = false;
    for (unsigned i = 0; i < x->length; i++) {
        uint8_t c = x->bytes[i];
        if (c == 0xf6)
            return 8;
        if (c == 0xf7)
            return operand16 && !wide ? 16 : 0;
        operand16 |= c == 0x66;
        wide |= (c & 0xf8) == 0x48;
    }
    return 0;
}

static IRExpr *unary(struct expansion *x, IROp op, IRType type, IRExpr *e) {
    return build_temporary(x, type, IRExpr_Unop(op, e));
}

void divide_expand(struct expansion *x, const IRExpr *e) {
    bool is_signed = is_op(e, Iop_DivModS64to32) || is_op(e, Iop_DivModS128to64);
    bool wide = is_op(e, Iop_DivModU128to64) || is_op(e, Iop_DivModS128to64);
    unsigned bits = wide ? 64 : narrow_bits(x);
    IRExpr *n = e->Iex.Binop.arg1, *d = e->Iex.Binop.arg2;
    IRExpr *lo = wide ? unary(x, Iop_128to64, Ity_I64, n) : n;
    IRExpr *hi = wide ? unary(x, Iop_128HIto64, Ity_I64, n) : build_u64(0);
    IRExpr *divisor = wide ? d : unary(x, Iop_32Uto64, Ity_I64, d);
    IRExpr *guard = NULL;
    if (!is_signed && (wide || !bits)) { /* overflows iff the upper half is not below the divisor */
        IRExpr *upper = wide ? hi : unary(x, Iop_32Uto64, Ity_I64, unary(x, Iop_64HIto32, Ity_I32, lo));
        guard = build_test(x, Iop_CmpLE64U, divisor, upper);
    }
    uint64_t kind = (bits ? bits : 32) | (is_signed ? DIVIDE_SIGNED : 0) | (uint64_t)expansion_place(x) << 16;
    IRDirty *call = build_call(x, IRTemp_INVALID, "check_division", check_division, guard, NULL, NULL);
    call->args = mkIRExprVec_5(IRExpr_GSPTR(), lo, hi, divisor, build_u64(kind));
}
