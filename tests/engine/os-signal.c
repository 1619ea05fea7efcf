/* The test system's signals: Linux's frame, so that programs find and change registers in it. */
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "os.h"

enum { RED_ZONE = 128, FLAG_DF = 1 << 10, FLAG_TF = 1 << 8, XSTATE_OFFSET_ALIGNMENT = 64 };

struct frame {
    uint64_t return_to;
    uint64_t uc_flags, uc_link, ss_sp, ss_flags, ss_size;
    uint64_t gregs[23];
    uint64_t fpstate;
    uint64_t reserved[8];
    uint64_t mask;
    uint32_t info[32];
};

/* Where each register of hw/cpu.h is among <ucontext.h>'s. */
static const int greg_of[CPU_REGISTERS] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                           REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                           REG_R12, REG_R13, REG_R14, REG_R15};

struct reason {
    int signal, code;
    uint64_t address;
};

static struct reason reason_for(const struct trap *trap, uint64_t rip) {
    switch (trap->vector) {
    case VECTOR_DE: return (struct reason){SIGFPE, FPE_INTDIV, rip};
    case VECTOR_DB:
        return (struct reason){SIGTRAP, trap->address & DEBUG_STEP ? TRAP_TRACE : TRAP_BRKPT, rip};
    case VECTOR_BP: return (struct reason){SIGTRAP, SI_KERNEL, 0};
    case VECTOR_UD: return (struct reason){SIGILL, ILL_ILLOPN, rip};
    case VECTOR_PF:
        return (struct reason){SIGSEGV, trap->fault == FAULT_PERMISSION ? SEGV_ACCERR : SEGV_MAPERR,
                               trap->address};
    case VECTOR_SS: return (struct reason){SIGBUS, SI_KERNEL, 0};
    case VECTOR_GP:
    case VECTOR_MF:
    case VECTOR_AC:
    case VECTOR_XM: break;
    }
    return (struct reason){SIGSEGV, SI_KERNEL, 0};
}

static uint64_t frame_address(const struct os *os, uint64_t flags, uint64_t sp) {
    bool on_alternate = sp - os->alternate < os->alternate_size;
    if (flags & SA_ONSTACK && os->alternate_size && !on_alternate)
        return os->alternate + os->alternate_size;
    return sp - RED_ZONE;
}

static void fill_frame(struct os *os, struct frame *f, const struct cpu_registers *r, const struct trap *trap,
                       const struct reason *why) {
    for (int i = 0; i < CPU_REGISTERS; i++)
        f->gregs[greg_of[i]] = r->general[i];
    f->gregs[REG_RIP] = r->rip;
    f->gregs[REG_EFL] = os->config.single_step ? r->rflags & ~(uint64_t)OS_TRAP_FLAG : r->rflags;
    f->gregs[REG_CSGSFS] = 0x2b000000000033ULL;
    f->gregs[REG_ERR] = trap->error_code;
    f->gregs[REG_TRAPNO] = trap->vector;
    f->gregs[REG_CR2] = trap->address;
    f->mask = os->signal_mask;
    f->info[0] = (uint32_t)why->signal;
    f->info[2] = (uint32_t)why->code;
    memcpy(f->info + 4, &why->address, sizeof why->address);
}

void os_deliver(struct os *os, const struct trap *trap) {
    struct cpu_registers r;
    uint8_t image[CPU_XSAVE_SIZE];
    engine_soft.get_registers(os->engine, os->cpu, &r);
    engine_soft.get_xsave(os->engine, os->cpu, image);
    struct reason why = reason_for(trap, r.rip);
    uint64_t handler = os->action[why.signal].handler, flags = os->action[why.signal].flags;
    struct frame f = {.return_to = os->action[why.signal].restorer};
    fill_frame(os, &f, &r, trap, &why);
    uint64_t top = frame_address(os, flags, r.general[CPU_RSP]);
    f.fpstate = (top - sizeof image) & ~(uint64_t)(XSTATE_OFFSET_ALIGNMENT - 1);
    uint64_t at = ((f.fpstate - sizeof f) & ~15ULL) - 8;
    if (!handler || os->signal_mask >> (why.signal - 1) & 1 ||
        !os_write(os, f.fpstate, image, sizeof image) || !os_write(os, at, &f, sizeof f)) {
        os->exited = true;
        os->status = 128 + why.signal;
        return;
    }
    os->signal_mask |= os->action[why.signal].mask | (flags & SA_NODEFER ? 0 : 1ULL << (why.signal - 1));
    r.general[CPU_RSP] = at;
    r.general[CPU_RAX] = 0;
    r.general[CPU_RDI] = (uint64_t)why.signal;
    r.general[CPU_RSI] = at + offsetof(struct frame, info);
    r.general[CPU_RDX] = at + offsetof(struct frame, uc_flags);
    r.rip = handler;
    r.rflags &= ~(uint64_t)(FLAG_DF | FLAG_TF);
    engine_soft.set_registers(os->engine, os->cpu, &r);
    memset(image, 0, sizeof image); /* a handler begins with the initial state of all else */
    engine_soft.set_xsave(os->engine, os->cpu, image);
}

void os_sigreturn(struct os *os) {
    struct cpu_registers r;
    struct frame f;
    uint8_t image[CPU_XSAVE_SIZE];
    engine_soft.get_registers(os->engine, os->cpu, &r);
    if (!os_read(os, r.general[CPU_RSP] - sizeof f.return_to, &f, sizeof f) ||
        !os_read(os, f.fpstate, image, sizeof image)) {
        os->exited = true;
        os->status = 128 + SIGSEGV;
        return;
    }
    for (int i = 0; i < CPU_REGISTERS; i++)
        r.general[i] = f.gregs[greg_of[i]];
    r.rip = f.gregs[REG_RIP];
    r.rflags = f.gregs[REG_EFL];
    os->signal_mask = f.mask;
    engine_soft.set_registers(os->engine, os->cpu, &r);
    engine_soft.set_xsave(os->engine, os->cpu, image);
}
