/* See rescue.h. */
#include "base/rescue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { TICKS = 8, TICKS_ANYWHERE = 5 * TICKS, STACK_BYTES = 1 << 16, LIMIT_MS = 2000 };

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASHES = sizeof crashes / sizeof crashes[0] };

_Thread_local struct rescue_thread rescue_thread;

/* What a thread has of its own, until it ends. */
struct rescue_own {
    void *stack; /* of the handlers: the usual one may be what overflowed. NULL: another one was there */
    timer_t timer;
    bool has_timer;
};

static _Thread_local struct {
    bool prepared;
    uint64_t calls; /* at the last tick */
    unsigned ticks; /* since that number changed */
} watch;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t own_key;
static int key_error;
static atomic_uint limit_ms = LIMIT_MS;

static int tick_signal(void) {
    return SIGRTMAX; /* nobody else's; and no constant */
}

void rescue_set_limit(unsigned milliseconds) {
    atomic_store(&limit_ms, milliseconds);
}

/* ---- leaving ---- */

_Noreturn static void leave(struct rescue *r, enum rescue_cause cause) {
    sigset_t caught;
    rescue_thread.armed = NULL;
    r->cause = cause;
    sigemptyset(&caught);
    for (size_t i = 0; i < CRASHES; i++)
        sigaddset(&caught, crashes[i]);
    sigaddset(&caught, tick_signal());
    pthread_sigmask(SIG_UNBLOCK, &caught, NULL); /* a handler does not return */
    siglongjmp(r->place, 1);
}

void rescue_abandon(struct rescue *r) {
    leave(r, RESCUE_GIVEN_UP);
}

static uintptr_t instruction_of(const void *context) {
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

void rescue_catch(int signal, const siginfo_t *info, void *context) {
    struct rescue *r = rescue_thread.armed;
    if (!r || info->si_code == SI_USER) /* somebody else wants this process to end */
        return;
    r->signal = signal;
    r->address = signal == SIGSEGV || signal == SIGBUS ? (uintptr_t)info->si_addr : 0;
    r->instruction = instruction_of(context);
    leave(r, RESCUE_SIGNAL);
}

static void crashed(int signal, siginfo_t *info, void *context) {
    rescue_catch(signal, info, context);
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    raise(signal);
}

/* One tick is an eighth of the limit. Time in our own code, during a call that takes too long, is waited for:
 * nothing of ours may be left half done. */
static void ticked(int signal, siginfo_t *info, void *context) {
    struct rescue *r = rescue_thread.armed;
    watch.ticks = watch.calls == rescue_thread.calls ? watch.ticks + 1 : 0;
    watch.calls = rescue_thread.calls;
    if (!r || watch.ticks <= TICKS)
        return;
    const uintptr_t at = instruction_of(context);
    if ((at < r->code_start || at >= r->code_end) && watch.ticks <= TICKS_ANYWHERE)
        return;
    r->instruction = at;
    watch.ticks = 0;
    leave(r, RESCUE_TIME);
}

/* ---- preparing ---- */

static void own_free(void *memory) {
    struct rescue_own *own = memory;
    if (own->has_timer)
        timer_delete(own->timer);
    if (own->stack) {
        stack_t now;
        if (sigaltstack(NULL, &now) == 0 && now.ss_sp == own->stack)
            sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
        munmap(own->stack, STACK_BYTES);
    }
    free(own);
}

/* Handlers that are there already are Thimble's, and call rescue_catch(). What is ignored stays so: programs
 * inherit it; and the kernel ends a process that ignores its own crash. */
static void process_prepare(void) {
    struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (size_t i = 0; i < CRASHES; i++) {
        struct sigaction before;
        sigaction(crashes[i], NULL, &before);
        if (!(before.sa_flags & SA_SIGINFO) && before.sa_handler == SIG_DFL)
            sigaction(crashes[i], &action, NULL);
    }
    action.sa_sigaction = ticked;
    action.sa_flags |= SA_RESTART;
    sigaction(tick_signal(), &action, NULL);
    key_error = -pthread_key_create(&own_key, own_free);
}

static void stack_prepare(struct rescue_own *own) {
    stack_t now;
    if (sigaltstack(NULL, &now) < 0 || !(now.ss_flags & SS_DISABLE))
        return;
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return;
    own->stack = stack;
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = STACK_BYTES}, NULL);
}

static void timer_prepare(struct rescue_own *own) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = tick_signal()};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    const unsigned tick_ms = atomic_load(&limit_ms) / TICKS;
    const struct timespec tick = {tick_ms / 1000, tick_ms % 1000 * 1000000L};
    const struct itimerspec period = {tick, tick};
    own->has_timer = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &own->timer) == 0 &&
                     timer_settime(own->timer, 0, &period, NULL) == 0;
}

int rescue_prepare(void) {
    if (watch.prepared)
        return 0;
    pthread_once(&once, process_prepare);
    struct rescue_own *own = key_error ? NULL : calloc(1, sizeof *own);
    if (!own)
        return key_error ? key_error : -ENOMEM;
    const int error = pthread_setspecific(own_key, own);
    if (error) {
        free(own);
        return -error;
    }
    stack_prepare(own);
    timer_prepare(own);
    watch.prepared = true;
    return 0;
}
