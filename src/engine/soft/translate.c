#include "engine/soft/translate.h"

#include <assert.h>
#include <setjmp.h>

#include "engine/soft/cpuid.h"

/* The library's settings in force: a global of the library, which its header does not declare. */
extern VexControl vex_control;

/* Where to go on when the library gives up on a block. It calls back without any argument, hence a variable
 * of our own; it is set only while a block is being translated. */
static jmp_buf give_up;

__attribute__((noreturn)) static void library_failed(void) {
    longjmp(give_up, 1);
}

static void library_log(const HChar *text, SizeT length) {}

void translate_setup(void) {
    static bool done;
    if (done)
        return;
    done = true;
    VexControl control;
    LibVEX_default_VexControl(&control);
    control.guest_chase = False;
    control.guest_max_insns = BLOCK_INSTRUCTIONS;
    control.iropt_unroll_thresh = 0; /* unrolling would make several iterations of a rep one instruction */
    LibVEX_Init(library_failed, library_log, 0, &control);
}

static UInt ask_register_updates(void *translation, VexRegisterUpdates *updates,
                                 const VexGuestExtents *extents) {
    *updates = VexRegUpdAllregsAtEachInsn;
    return 0;
}

static Bool never_chase(void *translation, Addr address) {
    return False;
}

static VexArchInfo describe_processor(const struct engine *e) {
    VexArchInfo info;
    LibVEX_default_VexArchInfo(&info);
    info.endness = VexEndnessLE;
    info.hwcaps = cpuid_library_capabilities(e->level);
    return info;
}

static VexAbiInfo describe_abi(void) {
    VexAbiInfo info;
    LibVEX_default_VexAbiInfo(&info);
    info.guest_amd64_assume_fs_is_const = True;
    info.guest_amd64_assume_gs_is_const = True;
    info.guest_stack_redzone_size = 128;
    return info;
}

unsigned translate_block(struct translation *t, uint8_t *code) {
    Int used = 0;
    VexGuestExtents extents;
    VexArchInfo processor = describe_processor(t->engine);
    VexTranslateArgs args = {
        .arch_guest = VexArchAMD64,
        .archinfo_guest = processor,
        .arch_host = VexArchAMD64,
        .archinfo_host = processor,
        .abiinfo_both = describe_abi(),
        .callback_opaque = t,
        .guest_bytes = t->bytes,
        .guest_bytes_addr = t->pc,
        .chase_into_ok = never_chase,
        .guest_extents = &extents,
        .host_bytes = code,
        .host_bytes_size = CODE_BLOCK_BYTES,
        .host_bytes_used = &used,
        .instrument1 = instrument_block,
        .needs_self_check = ask_register_updates,
        .disp_cp_chain_me_to_slowEP = area_chain,
        .disp_cp_chain_me_to_fastEP = area_chain,
        .disp_cp_xindir = area_indirect,
        .disp_cp_xassisted = area_assist,
    };
    vex_control.guest_max_insns = t->single ? 1 : BLOCK_INSTRUCTIONS;
    if (setjmp(give_up) != 0)
        return 0;
    VexTranslateResult result = LibVEX_Translate(&args);
    return result.status == VexTransOK && !t->refused ? (unsigned)used : 0;
}
