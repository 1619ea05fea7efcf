/* See crash.h.
 *
 * Signals of our own mistakes only: those of the guests never become the host's. C hands a handler no
 * context, so one pointer stands at file level, as in machine/host_signal.c. */
#include "ui/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "trace/file.h"

static const int mistakes[] = {SIGSEGV, SIGABRT, SIGILL, SIGFPE};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0], STACK = 1 << 16 };

static struct trace_file *_Atomic rescued; /* NULL: none */
static char stack[STACK];                  /* of the handler: the usual one may be what overflowed */

/* The signal keeps its default effect: it comes again as soon as the handler returns. */
static void handle_crash(int signal) {
    static const char message[] = "thimble: internal error; the trace ends with the last event before it\n";
    struct trace_file *file = atomic_exchange(&rescued, NULL);
    if (file) {
        trace_file_rescue(file);
        ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
        (void)written;
    }
    raise(signal);
}

void crash_rescues(struct trace_file *file) {
    const stack_t handler_stack = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = file ? handle_crash : SIG_DFL,
                               .sa_flags = SA_RESETHAND | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (file)
        sigaltstack(&handler_stack, NULL);
    atomic_store(&rescued, file);
    for (size_t i = 0; i < MISTAKES; i++) {
        struct sigaction before;
        sigaction(mistakes[i], NULL, &before);
        if (before.sa_handler != SIG_IGN) /* which programs inherit */
            sigaction(mistakes[i], &action, NULL);
    }
}
