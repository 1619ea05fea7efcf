/* The signals of Thimble itself: Ctrl-C, Ctrl-Z, kill, a window's new size. They are for the guests.
 *
 * The handler does three things, all async-signal-safe: it notes the signal, makes the event descriptor
 * readable (which ends a wait that is about to begin), and kicks the engine (which ends a run). The main loop
 * takes the signals and hands them to the kernel. Handlers are installed without SA_RESTART: a host call that
 * blocks must come back when somebody types Ctrl-C.
 *
 * Two more are between the host and us: SIGBUS, when a mapped file cannot be read (base/hostcopy.h), and
 * SIGXFSZ, which must not end the machine where a write is refused with EFBIG.
 *
 * C hands a handler no context, so one pointer stands at file level: the one exception to the rule that
 * nothing below main() is global. */
#include "machine/host_signal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hostcopy.h"

static const int passed_on[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGPIPE, SIGTSTP, SIGCONT, SIGWINCH};
enum { PASSED_ON = sizeof passed_on / sizeof passed_on[0] };

struct host_signals {
    _Atomic uint64_t arrived; /* bit signal-1 */
    _Atomic uint64_t sent;    /* of these: by a process, not by a terminal */
    int event_fd;
    bool installed, only_guards;
    const struct engine_ops *engine_ops;
    struct engine *engine;
    struct sigaction before[PASSED_ON]; /* dispositions to put back */
    struct sigaction bus_before, file_size_before;
};

static struct host_signals *_Atomic active; /* NULL iff no handler is installed */

void host_signals_wake(struct host_signals *s) {
    const uint64_t one = 1;
    ssize_t written = write(s->event_fd, &one, sizeof one); /* cannot fail: the counter is far from full */
    (void)written;
}

static void note(struct host_signals *s, int signal, bool typed) {
    if (!typed)
        atomic_fetch_or(&s->sent, 1ULL << (signal - 1));
    atomic_fetch_or(&s->arrived, 1ULL << (signal - 1));
    host_signals_wake(s);
}

void host_signals_send(struct host_signals *s, int signal) {
    note(s, signal, true);
}

static void host_signal_arrived(int signal, siginfo_t *info, void *context) {
    int saved_errno = errno;
    struct host_signals *s = atomic_load(&active);
    /* SIGPIPE from a write of our own: the kernel sees EPIPE and tells the guest that wrote. */
    if (s && !(signal == SIGPIPE && info->si_pid == getpid())) {
        note(s, signal, info->si_code == SI_KERNEL);
        s->engine_ops->kick(s->engine);
    }
    errno = saved_errno;
}

int host_signals_create(struct host_signals **ret_signals) {
    struct host_signals *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->event_fd < 0) {
        int error = -errno;
        free(s);
        return error;
    }
    *ret_signals = s;
    return 0;
}

int host_signals_install(struct host_signals *s, const struct engine_ops *ops, struct engine *engine,
                         bool only_guards) {
    s->engine_ops = ops;
    s->engine = engine;
    s->only_guards = only_guards;
    struct host_signals *none = NULL;
    if (!atomic_compare_exchange_strong(&active, &none, s))
        return -EBUSY;
    struct sigaction action = {.sa_sigaction = host_signal_arrived, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    for (int i = 0; i < PASSED_ON && !only_guards; i++)
        sigaction(passed_on[i], &action, &s->before[i]);
    const struct sigaction guard = {.sa_sigaction = hostcopy_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &guard, &s->bus_before);
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, &s->file_size_before);
    s->installed = true;
    return 0;
}

static void host_signals_restore(const struct host_signals *s) {
    for (int i = 0; i < PASSED_ON && !s->only_guards; i++)
        sigaction(passed_on[i], &s->before[i], NULL);
    sigaction(SIGBUS, &s->bus_before, NULL);
    sigaction(SIGXFSZ, &s->file_size_before, NULL);
    atomic_store(&active, NULL);
}

void host_signals_destroy(struct host_signals *s) {
    if (!s)
        return;
    if (s->installed)
        host_signals_restore(s);
    close(s->event_fd);
    free(s);
}

int host_signals_fd(const struct host_signals *s) {
    return s->event_fd;
}

/* The parent of a process of the host; 0: unknown. */
static pid_t parent_of(pid_t pid) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    const size_t n = file ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file)
        fclose(file);
    line[n] = '\0';
    int parent;
    const char *behind_name = strrchr(line, ')'); /* which may contain anything */
    return behind_name && sscanf(behind_name + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

bool host_group_is_orphaned(void) {
    const pid_t group = getpgrp();
    pid_t above = getppid();
    while (above > 0 && getpgid(above) == group)
        above = parent_of(above);
    return above <= 0 || getsid(above) != getsid(0);
}

void host_signals_suspend(int signal) {
    struct sigaction ours;
    bool changed = sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, &ours) == 0;
    raise(signal);
    if (changed) /* SIGSTOP has no action */
        sigaction(signal, &ours, NULL);
}

void host_signals_quiet(struct host_signals *s) {
    uint64_t count;
    ssize_t got = read(s->event_fd, &count, sizeof count); /* EAGAIN: it was quiet */
    (void)got;
}

int host_signals_take(struct host_signals *s, bool *ret_typed) {
    uint64_t arrived = atomic_load_explicit(&s->arrived, memory_order_relaxed);
    if (!arrived)
        return 0;
    int bit = __builtin_ctzll(arrived);
    *ret_typed = !(atomic_fetch_and(&s->sent, ~(1ULL << bit)) & 1ULL << bit);
    atomic_fetch_and(&s->arrived, ~(1ULL << bit));
    return bit + 1;
}
