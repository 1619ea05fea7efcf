/* Mistakes of the library that are put right in the intermediate code.
 *
 * Scalar fused multiply-add (VFMADD…SD, …SS and relatives): the library clears the part of the 128-bit
 * destination above the result, which keeps its value (Intel SDM vol. 2C, VFMADD132SD). Those writes are
 * dropped; as the library has already used the zeros in what follows, the block ends there.
 *
 * BT, BTS, BTR, BTC on a register: the library puts the register into the guest's memory, far below the stack
 * pointer, and works on it there. Here that is a word in the area instead. */
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
