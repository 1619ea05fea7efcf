/* The stack frame of a signal handler on x86-64, and the way back. Knows the layout, not when a signal is
 * delivered.
 *
 *   higher   ┌────────────────────────────┐ ◄── stack pointer - 128 (red zone), or top of the alternate stack
 *            │ XSAVE image, then MAGIC2   │     64-byte aligned
 *            ├────────────────────────────┤
 *            │ siginfo_t                  │ ◄── rsi
 *            │ ucontext                   │ ◄── rdx
 *            │ return address: restorer   │ ◄── rsp, 8 modulo 16 as after a call
 *   lower    └────────────────────────────┘
 *
 * Source: Linux 6.1 arch/x86/kernel/signal.c and fpu/signal.c, asm/ucontext.h, asm/sigcontext.h. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "kernel/signal/signal.h"

#define SA_RESTORER_FLAG 0x04000000u

enum {
    UC_FP_XSTATE = 1,
    UC_SIGCONTEXT_SS = 2,
    UC_STRICT_RESTORE_SS = 4,
    USER_CS = 0x33,
    USER_SS = 0x2b,
    RED_ZONE = 128,
    XSAVE_SW_BYTES = 464, /* within the legacy area: left to software by the processor */
    XSAVE_HEADER = 512,   /* XSTATE_BV stands first in it */
    XSAVE_FEATURES = 7,   /* x87, SSE, AVX */
    XSAVE_MXCSR = 24,
    MXCSR_INITIAL = 0x1f80,
    FCW_INITIAL = 0x37f,
};
#define XSTATE_MAGIC1 0x46505853u
#define XSTATE_MAGIC2 0x46505845u

/* rflags: what a handler starts without, and what sigreturn may change. */
#define FLAGS_TF       0x100ULL
#define FLAGS_DF       0x400ULL
#define FLAGS_RF       0x10000ULL
#define FLAGS_RESTORED 0x50dd5ULL /* AC OF DF TF SF ZF AF PF CF RF */

struct sigcontext_frame {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, fault_address;
    uint64_t fpstate; /* address of the XSAVE image, 0: none */
    uint64_t reserved[8];
};

struct ucontext_frame {
    uint64_t flags, link;
    struct signal_stack stack;
    struct sigcontext_frame context;
    uint64_t mask;
};

struct signal_frame {
    uint64_t return_address;
    struct ucontext_frame uc;
    siginfo_t info;
};
_Static_assert(sizeof(struct sigcontext_frame) == 256 && sizeof(struct ucontext_frame) == 304 &&
                   sizeof(struct signal_frame) == 440,
               "the layout is the ABI's");

struct xstate_frame {
    uint8_t image[CPU_XSAVE_SIZE];
    uint32_t magic2;
};

struct software_bytes {
    uint32_t magic1, extended_size;
    uint64_t features;
    uint32_t size, padding[7];
};

enum { XSTATE_FRAME_SIZE = CPU_XSAVE_SIZE + sizeof(uint32_t) };

/* ---- the alternate stack ---- */

static bool sigframe_within_altstack(const struct thread *t, uint64_t sp) {
    return sp > t->altstack_sp && sp - t->altstack_sp <= t->altstack_size;
}

/* A stack that disarms itself is never the one in use: its handlers have none. */
static bool sigframe_on_altstack(const struct thread *t, uint64_t sp) {
    return !((unsigned)t->altstack_flags & SIGNAL_ALTSTACK_AUTODISARM) && sigframe_within_altstack(t, sp);
}

void sigaltstack_get(const struct thread *t, uint64_t sp, struct signal_stack *ret_stack) {
    unsigned kept = (unsigned)t->altstack_flags & SIGNAL_ALTSTACK_AUTODISARM;
    int32_t state = t->altstack_size == 0 ? SS_DISABLE : sigframe_on_altstack(t, sp) ? SS_ONSTACK : 0;
    *ret_stack = (struct signal_stack){
        .sp = t->altstack_sp, .flags = (int32_t)((unsigned)state | kept), .size = t->altstack_size};
}

int sigaltstack_set(struct thread *t, uint64_t sp, const struct signal_stack *to) {
    unsigned mode = (unsigned)to->flags & ~SIGNAL_ALTSTACK_AUTODISARM;
    if (sigframe_on_altstack(t, sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (t->altstack_sp == to->sp && t->altstack_size == to->size && t->altstack_flags == to->flags)
        return 0;
    bool disable = mode == SS_DISABLE;
    if (!disable && to->size < MINSIGSTKSZ_ABI)
        return -ENOMEM;
    t->altstack_sp = disable ? 0 : to->sp;
    t->altstack_size = disable ? 0 : to->size;
    t->altstack_flags = to->flags;
    return 0;
}

/* Where the frame's top goes; *ret_switched when that is the alternate stack, empty so far. */
static uint64_t sigframe_top(const struct thread *t, const struct signal_action *action, uint64_t sp,
                             bool *ret_switched) {
    uint64_t below = sp - RED_ZONE;
    *ret_switched = (action->flags & SA_ONSTACK) && t->altstack_size > 0 && !sigframe_on_altstack(t, below);
    return *ret_switched ? t->altstack_sp + t->altstack_size : below;
}

/* ---- registers and floating-point state ---- */

static void sigframe_save_context(const struct thread *t, const struct cpu_registers *r,
                                  struct sigcontext_frame *c) {
    const uint64_t *g = r->general;
    *c = (struct sigcontext_frame){
        .r8 = g[CPU_R8],
        .r9 = g[CPU_R9],
        .r10 = g[CPU_R10],
        .r11 = g[CPU_R11],
        .r12 = g[CPU_R12],
        .r13 = g[CPU_R13],
        .r14 = g[CPU_R14],
        .r15 = g[CPU_R15],
        .rdi = g[CPU_RDI],
        .rsi = g[CPU_RSI],
        .rbp = g[CPU_RBP],
        .rbx = g[CPU_RBX],
        .rdx = g[CPU_RDX],
        .rax = g[CPU_RAX],
        .rcx = g[CPU_RCX],
        .rsp = g[CPU_RSP],
        .rip = r->rip,
        .rflags = r->rflags,
        .cs = USER_CS,
        .ss = USER_SS,
        .error = t->trap_error,
        .trap = t->trap_number,
        .fault_address = t->trap_address,
    };
}

static void sigframe_restore_context(struct cpu_registers *r, const struct sigcontext_frame *c) {
    uint64_t *g = r->general;
    g[CPU_R8] = c->r8, g[CPU_R9] = c->r9, g[CPU_R10] = c->r10, g[CPU_R11] = c->r11;
    g[CPU_R12] = c->r12, g[CPU_R13] = c->r13, g[CPU_R14] = c->r14, g[CPU_R15] = c->r15;
    g[CPU_RDI] = c->rdi, g[CPU_RSI] = c->rsi, g[CPU_RBP] = c->rbp, g[CPU_RBX] = c->rbx;
    g[CPU_RDX] = c->rdx, g[CPU_RAX] = c->rax, g[CPU_RCX] = c->rcx, g[CPU_RSP] = c->rsp;
    r->rip = c->rip;
    r->rflags = (r->rflags & ~FLAGS_RESTORED) | (c->rflags & FLAGS_RESTORED);
}

/* The floating-point state as it is, marked so that programs and sigreturn know its size. */
static int sigframe_save_xstate(struct thread *t, uint64_t address) {
    struct kernel *k = t->process->kernel;
    struct xstate_frame x = {.magic2 = XSTATE_MAGIC2};
    struct software_bytes sw = {.magic1 = XSTATE_MAGIC1,
                                .extended_size = XSTATE_FRAME_SIZE,
                                .features = XSAVE_FEATURES,
                                .size = CPU_XSAVE_SIZE};
    k->engine_ops->get_xsave(k->engine, t->cpu, x.image);
    memcpy(x.image + XSAVE_SW_BYTES, &sw, sizeof sw);
    x.image[XSAVE_HEADER] |= 3; /* x87 and SSE are always in the image */
    return user_write(t->process->space, address, &x, XSTATE_FRAME_SIZE);
}

static void xstate_initial(uint8_t image[CPU_XSAVE_SIZE]) {
    uint16_t fcw = FCW_INITIAL;
    uint32_t mxcsr = MXCSR_INITIAL;
    memset(image, 0, CPU_XSAVE_SIZE);
    memcpy(image, &fcw, sizeof fcw);
    memcpy(image + XSAVE_MXCSR, &mxcsr, sizeof mxcsr);
}

/* What XRSTOR and FXRSTOR refuse with #GP: reserved bits of MXCSR, and of an extended image's header. */
static bool xstate_is_acceptable(const uint8_t image[CPU_XSAVE_SIZE], bool extended) {
    uint64_t header[3];
    uint32_t mxcsr;
    memcpy(&mxcsr, image + XSAVE_MXCSR, sizeof mxcsr);
    memcpy(header, image + XSAVE_HEADER, sizeof header);
    if (mxcsr & ~0xffffu)
        return false;
    return !extended || (!(header[0] & ~(uint64_t)XSAVE_FEATURES) && header[1] == 0 && header[2] == 0);
}

/* Reads the image at `address`: with its extended part if it is marked as having one,
 * else x87 and SSE only. */
static int sigframe_read_xstate(struct thread *t, uint64_t address, struct xstate_frame *x,
                                uint64_t *ret_features) {
    struct space *space = t->process->space;
    struct software_bytes sw;
    enum { LEGACY_SIZE = 512 };
    *ret_features = 3;
    memset(x, 0, sizeof *x);
    if (user_read(space, address, x, LEGACY_SIZE) < 0)
        return -EFAULT;
    memcpy(&sw, x->image + XSAVE_SW_BYTES, sizeof sw);
    if (sw.magic1 != XSTATE_MAGIC1 || sw.size != CPU_XSAVE_SIZE || sw.extended_size < sw.size)
        return xstate_is_acceptable(x->image, false) ? 0 : -EFAULT;
    if (user_read(space, address + LEGACY_SIZE, x->image + LEGACY_SIZE, sizeof *x - LEGACY_SIZE) < 0)
        return -EFAULT;
    bool extended = x->magic2 == XSTATE_MAGIC2;
    if (extended) {
        memcpy(ret_features, x->image + XSAVE_HEADER, sizeof *ret_features);
        *ret_features &= sw.features & XSAVE_FEATURES;
    }
    return xstate_is_acceptable(x->image, extended) ? 0 : -EFAULT;
}

/* -EFAULT for an image that is not one; its features absent from XSTATE_BV go to their initial state. */
static int sigframe_restore_xstate(struct thread *t, uint64_t address) {
    struct kernel *k = t->process->kernel;
    struct xstate_frame x;
    uint64_t features;
    if (address == 0) {
        xstate_initial(x.image);
        k->engine_ops->set_xsave(k->engine, t->cpu, x.image);
        return 0;
    }
    int r = sigframe_read_xstate(t, address, &x, &features);
    if (r < 0)
        return r;
    memset(x.image + XSAVE_HEADER, 0, 64);
    memcpy(x.image + XSAVE_HEADER, &features, sizeof features);
    k->engine_ops->set_xsave(k->engine, t->cpu, x.image);
    return 0;
}

static void sigframe_enter_handler(struct thread *t, struct cpu_registers *r, int signal, uint64_t handler,
                                   uint64_t frame) {
    struct kernel *k = t->process->kernel;
    uint8_t image[CPU_XSAVE_SIZE];
    r->general[CPU_RDI] = (uint64_t)signal;
    r->general[CPU_RSI] = frame + offsetof(struct signal_frame, info);
    r->general[CPU_RDX] = frame + offsetof(struct signal_frame, uc);
    r->general[CPU_RAX] = 0;
    r->general[CPU_RSP] = frame;
    r->rip = handler;
    r->rflags &= ~(FLAGS_DF | FLAGS_RF | FLAGS_TF);
    k->engine_ops->set_registers(k->engine, t->cpu, r);
    xstate_initial(image);
    k->engine_ops->set_xsave(k->engine, t->cpu, image);
}

int sigframe_push(struct thread *t, int signal, const siginfo_t *info, const struct signal_action *action,
                  uint64_t mask) {
    struct kernel *k = t->process->kernel;
    struct cpu_registers r;
    k->engine_ops->get_registers(k->engine, t->cpu, &r);
    bool switched, nested = sigframe_on_altstack(t, r.general[CPU_RSP]);
    uint64_t top = sigframe_top(t, action, r.general[CPU_RSP], &switched);
    uint64_t xstate = (top - XSTATE_FRAME_SIZE) & ~63ULL;
    uint64_t address = ((xstate - sizeof(struct signal_frame)) & ~15ULL) - 8;
    if ((switched || nested) && !sigframe_within_altstack(t, address))
        return -EFAULT;
    if (!(action->flags & SA_RESTORER_FLAG))
        return -EFAULT;
    struct signal_frame frame = {
        .return_address = action->restorer,
        .uc = {.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
               .stack = {.sp = t->altstack_sp, .flags = t->altstack_flags, .size = t->altstack_size},
               .mask = mask},
        .info = *info,
    };
    sigframe_save_context(t, &r, &frame.uc.context);
    frame.uc.context.old_mask = mask;
    frame.uc.context.fpstate = xstate;
    if (sigframe_save_xstate(t, xstate) < 0 ||
        user_write(t->process->space, address, &frame, sizeof frame) < 0)
        return -EFAULT;
    if ((unsigned)t->altstack_flags & SIGNAL_ALTSTACK_AUTODISARM)
        t->altstack_flags = SS_DISABLE, t->altstack_sp = t->altstack_size = 0; /* re-armed by sigreturn */
    sigframe_enter_handler(t, &r, signal, action->handler, address);
    return 0;
}

/* Segments that no program can run with: the processor refuses them on the way back. */
static bool sigframe_segments_are_good(const struct ucontext_frame *uc) {
    return (uc->context.cs | 3) == USER_CS &&
           ((uc->context.ss | 3) == USER_SS || !(uc->flags & UC_STRICT_RESTORE_SS));
}

int sigframe_pop(struct thread *t) {
    struct kernel *k = t->process->kernel;
    struct cpu_registers r;
    struct ucontext_frame uc;
    k->engine_ops->get_registers(k->engine, t->cpu, &r);
    uint64_t address = r.general[CPU_RSP] - 8; /* the handler's return took the restorer's address */
    if (user_read(t->process->space, address + offsetof(struct signal_frame, uc), &uc, sizeof uc) < 0)
        return -EFAULT;
    signal_set_blocked(t, uc.mask);
    (void)sigaltstack_set(t, r.general[CPU_RSP], &uc.stack); /* as in Linux, one that cannot be set is not */
    sigframe_restore_context(&r, &uc.context);
    k->engine_ops->set_registers(k->engine, t->cpu, &r);
    if (sigframe_restore_xstate(t, uc.context.fpstate) < 0 || !sigframe_segments_are_good(&uc))
        return -EFAULT;
    return 0;
}
