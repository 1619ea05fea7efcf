/* What the library does wrongly, or slowly, put right in the intermediate code.
 *
 * Scalar fused multiply-add (VFMADD…SD, …SS and relatives): the library clears the part of the 128-bit
 * destination above the result, which keeps its value (Intel SDM vol. 2C, VFMADD132SD). Those writes are
 * dropped; as the library has already used the zeros in what follows, the block ends there.
 *
 * Negated fused multiply-add (VFNMADD…, VFNMSUB…): the library computes -(a * b - c), which has the wrong
 * sign if it is 0. Here it is -a * b + c.
 *
 * BT, BTS, BTR, BTC on a register: the library puts the register into the guest's memory, far below the stack
 * pointer, and works on it there. Here that is a word in the area instead.
 *
 * Operands of 16 bytes must be aligned, without a VEX prefix, apart from those of a few instructions: the
 * library checks the plain moves only.
 *
 * PMOVMSKB, in the inner loops of the C library's string functions: the library calls a function. Here a
 * multiplication gathers the sign bits of eight bytes: bit 8i + 7 reaches bit 56 + i by the factor's bit
 * 49 - 7i, and no two products meet. */
#include "engine/soft/decode.h"
#include "engine/soft/translate.h"

bool quirk_uses_scratch(const uint8_t *bytes, unsigned length) {
    struct decoded d;
    return decode(bytes, length, &d) && (d.opcode & ~0x18u) == (TWO_BYTE | 0xa3) && decode_field(&d) >= 0 &&
           !decode_is_memory(&d);
}

/* Instructions of whose 16 bytes the library loads eight, or eight at a time. */
static bool is_loaded_narrow(const struct decoded *d) {
    switch (d->opcode) {
    case TWO_BYTE | 0x2c: /* CVTTPD2PI, CVTPD2PI */
    case TWO_BYTE | 0x2d:
    case TWO_BYTE | 0xd1: /* shifts by a count */
    case TWO_BYTE | 0xd2:
    case TWO_BYTE | 0xd3:
    case TWO_BYTE | 0xe1:
    case TWO_BYTE | 0xe2:
    case TWO_BYTE | 0xf1:
    case TWO_BYTE | 0xf2:
    case TWO_BYTE | 0xf3: return d->operand16 && !d->repeat;
    }
    return false;
}

bool quirk_wants_alignment(const uint8_t *bytes, unsigned length, IRType loaded) {
    struct decoded d;
    if (loaded != Ity_V128 && loaded != Ity_I64 && loaded != Ity_F64)
        return false;
    if (!decode(bytes, length, &d) || d.opcode & VEX || d.opcode < TWO_BYTE)
        return false;
    if (loaded != Ity_V128)
        return is_loaded_narrow(&d);
    switch (d.opcode) {
    case TWO_BYTE | 0x10: /* MOVUPS, MOVUPD */
    case TWO_BYTE | 0x28: /* MOVAPS, MOVAPD: the library checks */
    case TWO_BYTE | 0x6f: /* MOVDQU; MOVDQA: the library checks */
    case TWO_BYTE | 0xf0: /* LDDQU */
    case MAP_3A | 0x60:   /* PCMPESTRM … PCMPISTRI */
    case MAP_3A | 0x61:
    case MAP_3A | 0x62:
    case MAP_3A | 0x63: return false;
    }
    return true;
}

IRExpr *quirk_scratch_address(struct expansion *x, IRExpr *address, bool store) {
    if (store && !x->scratch_base)
        x->scratch_base = address;
    IRExpr *offset = build_binary(x, Iop_Sub64, address, x->scratch_base);
    return build_binary(x, Iop_Add64, offset, build_u64((uint64_t)&x->translation->engine->area.scratch));
}

static IRExpr *gather_signs(struct expansion *x, IRExpr *bytes) {
    IRExpr *signs = build_binary(x, Iop_And64, bytes, build_u64(0x8080808080808080));
    IRExpr *gathered = build_binary(x, Iop_Mul64, signs, build_u64(0x0002040810204081));
    return build_binary(x, Iop_Shr64, gathered, IRExpr_Const(IRConst_U8(56)));
}

IRExpr *quirk_sign_bits(struct expansion *x, IRExpr *vector) {
    IRExpr *low = build_temporary(x, Ity_I64, IRExpr_Unop(Iop_V128to64, vector));
    IRExpr *high = build_temporary(x, Ity_I64, IRExpr_Unop(Iop_V128HIto64, vector));
    IRExpr *shifted = build_binary(x, Iop_Shl64, gather_signs(x, high), IRExpr_Const(IRConst_U8(8)));
    return IRExpr_Unop(Iop_64to16, build_binary(x, Iop_Or64, gather_signs(x, low), shifted));
}

bool quirk_is_scalar_fma(const uint8_t *bytes, unsigned length) {
    unsigned i = 0;
    while (i < length && bytes[i] != 0xc4) /* behind a segment or address-size prefix */
        i++;
    if (i + 3 >= length || (bytes[i + 1] & 0x1f) != 2 || (bytes[i + 2] & 3) != 1)
        return false;
    uint8_t opcode = bytes[i + 3];
    return opcode >= 0x99 && opcode <= 0xbf && opcode & 1 && (opcode & 15) >= 9;
}

bool quirk_is_negated_fma(const uint8_t *bytes, unsigned length) {
    struct decoded d;
    return decode(bytes, length, &d) && (d.opcode & ~0x3fu) == (VEX | MAP_38 | 0x80) &&
           (d.opcode & 15) >= 12 && (d.opcode & 0x30) >= 0x10;
}

static IRExpr *negated(struct expansion *x, IRType type, IRExpr *e) {
    return build_temporary(x, type, IRExpr_Unop(type == Ity_F64 ? Iop_NegF64 : Iop_NegF32, e));
}

/* The multiply-add of this instruction whose result an expression negates, or NULL. */
static const IRQop *negated_fma(const struct expansion *x, const IRExpr *e) {
    bool negates = e->tag == Iex_Unop && (e->Iex.Unop.op == Iop_NegF64 || e->Iex.Unop.op == Iop_NegF32);
    if (!negates || e->Iex.Unop.arg->tag != Iex_RdTmp)
        return NULL;
    for (unsigned i = 0; i < x->n_fma; i++)
        if (x->fma[i]->Ist.WrTmp.tmp == e->Iex.Unop.arg->Iex.RdTmp.tmp)
            return x->fma[i]->Ist.WrTmp.data->Iex.Qop.details;
    return NULL;
}

/* The multiply-add itself stays: the library may have found another use for it. */
IRStmt *quirk_negate_fma(struct expansion *x, IRStmt *s) {
    const IRExpr *e = s->Ist.WrTmp.data;
    IRTemp to = s->Ist.WrTmp.tmp;
    if (e->tag == Iex_Qop && x->n_fma < sizeof x->fma / sizeof *x->fma)
        x->fma[x->n_fma++] = s;
    const IRQop *q = negated_fma(x, e);
    if (!q)
        return s;
    IRType type = typeOfIRTemp(x->out->tyenv, to);
    return IRStmt_WrTmp(
        to, IRExpr_Qop(q->op, q->arg1, negated(x, type, q->arg2), q->arg3, negated(x, type, q->arg4)));
}

void quirk_keep_rest(IRSB *b, int from, int to) {
    for (int i = from; i < to; i++) {
        const IRStmt *s = b->stmts[i];
        if (s->tag != Ist_Put || s->Ist.Put.offset == AREA_RIP || s->Ist.Put.data->tag != Iex_Const)
            continue;
        IRConstTag type = s->Ist.Put.data->Iex.Const.con->tag;
        if (type == Ico_U64 || type == Ico_U32)
            b->stmts[i] = IRStmt_NoOp();
    }
}
