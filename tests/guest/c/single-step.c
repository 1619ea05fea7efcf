/* Single-steps itself: with the trap flag set, each instruction is followed by a SIGTRAP, until the flag is
 * cleared, by the program or, in the saved context, by the handler. */
#include "check.h"
#include <signal.h>
#include <ucontext.h>

static volatile int steps, stop_after;
static volatile uint64_t rips[64];

static void on_trap(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *at = context;
    CHECK(info->si_code == TRAP_TRACE && info->si_addr == (void *)at->uc_mcontext.gregs[REG_RIP]);
    rips[steps++] = (uint64_t)at->uc_mcontext.gregs[REG_RIP];
    if (steps == stop_after)
        at->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

#define SET_FLAG   "pushfq\n orq $0x100, (%%rsp)\n popfq\n"
#define CLEAR_FLAG "pushfq\n andq $~0x100, (%%rsp)\n popfq\n"

int main(void) {
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);

    uint64_t start;
    __asm__ volatile("leaq 1f(%%rip), %0\n" SET_FLAG "1: nop\n nop\n movl $1, %%ecx\n" CLEAR_FLAG
                     : "=r"(start)
                     :
                     : "rcx", "memory", "cc");
    printf("steps %d, at", steps);
    for (int i = 0; i < steps; i++)
        printf(" +%d", (int)(rips[i] - start));
    printf("\n");

    steps = 0;
    stop_after = 3;
    __asm__ volatile(SET_FLAG "nop\n nop\n nop\n nop\n nop\n nop\n" : : : "memory", "cc");
    printf("stopped after %d\n", steps);

    steps = 0;
    stop_after = 12; /* a loop, with memory accesses: 1 + 3 a round */
    uint64_t counter = 0;
    __asm__ volatile(SET_FLAG "movl $10, %%ecx\n 1: incq %0\n decl %%ecx\n jnz 1b\n"
                     : "+m"(counter)
                     :
                     : "rcx", "memory", "cc");
    printf("counted to %d in %d steps\n", (int)counter, steps);

    steps = 0;
    stop_after = 5; /* across a system call */
    long result;
    __asm__ volatile(SET_FLAG "movl $39, %%eax\n syscall\n nop\n nop\n nop\n nop\n"
                     : "=a"(result)
                     :
                     : "rcx", "r11", "memory", "cc");
    CHECK(result == getpid());
    printf("a system call in %d steps\n", steps);
    return 0;
}
