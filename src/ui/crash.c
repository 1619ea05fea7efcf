/* See crash.h.
 *
 * Signals of our own mistakes only: those of the guests never become the host's. C hands a handler no
 * context, so one pointer stands at file level, as in machine/host_signal.c. */
#include "ui/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/rescue.h"
#include "trace/file.h"

static const int mistakes[] = {SIGSEGV, SIGABRT, SIGILL, SIGFPE};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0], STACK = 1 << 16 };

static struct trace_file *_Atomic rescued; /* NULL: none */
static struct sigaction before[MISTAKES];  /* dispositions to put back */
static char stack[STACK];                  /* of the handler: the usual one may be what overflowed */

/* The signal keeps its default effect: it comes again as soon as the handler returns. A policy's crash is not
 * our own. */
static void handle_crash(int signal, siginfo_t *info, void *context) {
    static const char message[] = "thimble: internal error; the trace ends with the last event before it\n";
    rescue_catch(signal, info, context);
    struct trace_file *file = atomic_exchange(&rescued, NULL);
    if (file) {
        trace_file_rescue(file);
        ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
        (void)written;
    }
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    raise(signal);
}

static void handlers_install(void) {
    const stack_t handler_stack = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = handle_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaltstack(&handler_stack, NULL);
    for (size_t i = 0; i < MISTAKES; i++) {
        sigaction(mistakes[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* which programs inherit */
            sigaction(mistakes[i], &action, NULL);
    }
}

void crash_rescues(struct trace_file *file) {
    const bool installed = atomic_exchange(&rescued, file) != NULL;
    if (file && !installed)
        handlers_install();
    for (size_t i = 0; i < MISTAKES && !file && installed; i++)
        sigaction(mistakes[i], &before[i], NULL);
}
