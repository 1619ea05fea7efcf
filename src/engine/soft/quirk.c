/* What the library does wrongly, or slowly, put right in the intermediate code.
 *
 * Scalar fused multiply-add (VFMADD…SD, …SS and relatives): the library clears the part of the 128-bit
 * destination above the result, which keeps its value (Intel SDM vol. 2C, VFMADD132SD). Those writes are
 * dropped; as the library has already used the zeros in what follows, the block ends there.
 *
 * BT, BTS, BTR, BTC on a register: the library puts the register into the guest's memory, far below the stack
 * pointer, and works on it there. Here that is a word in the area instead.
 *
 * PMOVMSKB, in the inner loops of the C library's string functions: the library calls a function. Here a
 * multiplication gathers the sign bits of eight bytes: bit 8i + 7 reaches bit 56 + i by the factor's bit
 * 49 - 7i, and no two products meet. */
#include "engine/soft/translate.h"

bool quirk_uses_scratch(const uint8_t *bytes, unsigned length) {
    unsigned i = 0;
    while (i < length && (bytes[i] == 0x66 || (bytes[i] & 0xf0) == 0x40))
        i++;
    return i + 2 < length && bytes[i] == 0x0f && (bytes[i + 1] & 0xe7) == 0xa3 && bytes[i + 2] >= 0xc0;
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
