/* A stack that overflows: the handler runs on an alternate stack, sees where, and jumps out; three times
 * over. Then without an alternate stack: the process dies of SIGSEGV. The stack's limit is set to 256 KiB
 * first. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static sigjmp_buf jump;
static char alternate[64 * 1024];
static volatile int deepest;

static void handler(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    char here;
    stack_t now;
    CHECK(&here >= alternate && &here < alternate + sizeof alternate);
    CHECK(sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK));
    CHECK_ERROR(sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL), EPERM);
    siglongjmp(jump, info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR ? 1 : 2);
}

/* Not a tail call: the frame is used after the call. */
static int descend(int depth) {
    volatile char block[1000];
    block[0] = (char)depth;
    deepest = depth;
    int below = depth < 10000000 ? descend(depth + 1) : 0;
    return below + block[0];
}

static void overflow_handled(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
    for (volatile int i = 0; i < 3; i++) {
        int jumped = sigsetjmp(jump, 1);
        if (jumped == 0)
            printf("%d\n", descend(0));
        CHECK(jumped == 1 && deepest > 150 && deepest < 300);
    }
    puts("handled on the alternate stack");
}

static void overflow_deadly(void) {
    pid_t child = fork();
    if (child == 0) {
        CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
        _exit(descend(0));
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    puts("deadly without a handler");
    child = fork();
    if (child == 0) { /* a handler that has no stack to run on */
        struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
        CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
        _exit(descend(0));
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    puts("deadly without an alternate stack");
}

int main(void) {
    struct rlimit limit = {256 * 1024, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
    overflow_handled();
    fflush(stdout);
    overflow_deadly();
    return 0;
}
