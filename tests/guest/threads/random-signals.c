/* Random calls about signals in one thread: what is pending, blocked, ignored, queued, delivered, in which order.
 * Arguments: seed, steps. Everything is deterministic, so the host and the machine must say the same. */
#include "say.h"

static uint64_t seed;
static unsigned draw(unsigned n) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)(seed >> 20) % n;
}

static unsigned sum, delivered;
static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)context;
    delivered++;
    sum = sum * 31 + (unsigned)signal * 7 + (unsigned)info->si_code * 3 + (unsigned)info->si_value.sival_int;
    if (draw(8) == 0 && delivered < 100000)
        raise(signal);
}

static int a_signal(void) {
    static const int numbers[] = {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT, SIGURG, SIGALRM, SIGWINCH, SIGPIPE, 34, 35, 40, 63, 64};
    return numbers[draw(COUNT(numbers))];
}

static sigset_t a_set(void) {
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = draw(6); i > 0; i--)
        sigaddset(&set, a_signal());
    return set;
}

static void change_action(void) {
    static const int flags[] = {0, SA_NODEFER, SA_RESTART, SA_NODEFER | SA_RESTART};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags[draw(4)], .sa_mask = a_set()};
    if (draw(5) == 0)
        action.sa_handler = SIG_IGN;
    sigaction(a_signal(), &action, NULL);
}

int main(int argc, char **argv) {
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1 : 1;
    int steps = argc > 2 ? atoi(argv[2]) : 1000;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    for (int s = 1; s <= 64; s++)
        sigaction(s, &action, NULL);
    for (int i = 0; i < steps; i++) {
        sigset_t set = a_set(), old;
        siginfo_t info = {0};
        struct timespec none = {0};
        int s = a_signal(), r = 0;
        switch (draw(8)) {
        case 0: r = sigprocmask((int)draw(3), &set, NULL); break;
        case 1: r = kill(getpid(), s); break;
        case 2: r = sigqueue(getpid(), s, (union sigval){.sival_int = i}); break;
        case 3: r = raise(s); break;
        case 4:
            r = sigtimedwait(&set, &info, &none);
            sum = sum * 17 + (unsigned)info.si_value.sival_int;
            break;
        case 5: change_action(); break;
        case 6:
            sigpending(&set);
            for (int j = 1; j < 65; j++)
                sum = sum * 3 + (unsigned)sigismember(&set, j);
            break;
        default:
            sigprocmask(SIG_BLOCK, NULL, &old);
            for (int j = 1; j < 65; j++)
                sum = sum * 5 + (unsigned)sigismember(&old, j);
        }
        if (i % 50 == 0)
            say("%d: result %d, %u delivered, %08x", i, r < 0 ? -errno : r, delivered, sum);
    }
    say("end: %u delivered, %08x", delivered, sum);
    return 0;
}
