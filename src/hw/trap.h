/* Why a CPU stopped running user code. */
#ifndef HW_TRAP_H
#define HW_TRAP_H

#include <stdint.h>

enum trap_kind {
    TRAP_SYSCALL, /* `syscall` was executed: rip is behind it, rcx and r11 are as the instruction leaves them
                   */
    TRAP_EXCEPTION, /* registers are those before the instruction (faults) or behind it (traps: INT3, single
                       step) */
    TRAP_QUANTUM,   /* the budget of instructions is used up */
    TRAP_KICKED,    /* engine_ops.kick() was called */
};

/* Exception vectors (Intel SDM vol. 3, table 6-1). */
enum trap_vector {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_BP = 3,
    VECTOR_UD = 6,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_AC = 17,
    VECTOR_XM = 19,
};

enum { DEBUG_STEP = 1 << 14 }; /* DR6.BS: the trap flag was set */

/* How a page fault ended that could not be resolved; FAULT_OK is only the fault handler's answer. */
enum fault_result {
    FAULT_OK,         /* resolved: walk again */
    FAULT_NO_MAPPING, /* SIGSEGV, SEGV_MAPERR */
    FAULT_PERMISSION, /* SIGSEGV, SEGV_ACCERR */
    FAULT_PAST_END,   /* SIGBUS, BUS_ADRERR: past the end of the mapped file */
    FAULT_IO,         /* SIGBUS, BUS_ADRERR: the page could not be read, or the swap area failed */
    FAULT_NO_MEMORY,  /* no frame can be had: the OOM killer has chosen a process, maybe this one */
    FAULT_KILLED, /* the current thread must die now (OOM victim, limit); not a signal that it can handle */
};

struct trap {
    enum trap_kind kind;
    /* TRAP_EXCEPTION only: */
    enum trap_vector vector;
    uint64_t error_code;     /* as the processor pushes it (#PF: bits P, W/R, U/S, I/D) */
    uint64_t address;        /* #PF: the address (CR2); #DB: DEBUG_STEP, or 0 after INT1 */
    enum fault_result fault; /* #PF: why */
};

#endif
