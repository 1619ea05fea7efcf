/* One line a case: what was called, what it gave, and which errno. Positive results are shown as they are
 * with SAY(), and as "ok" with SAY_ID() (ids, addresses, pids). */
#ifndef GUEST_SAY_H
#define GUEST_SAY_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

static inline long say(const char *what, long result, int error, int plain) {
    if (result == -1)
        printf("%s: %s\n", what, strerrorname_np(error));
    else if (plain)
        printf("%s: %ld\n", what, result);
    else
        printf("%s: ok\n", what);
    return result;
}

/* The call's text is its name. */
#define SAY(call)    CASE(#call, call)
#define SAY_ID(call) CASE_ID(#call, call)

static inline const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline const char *text(const char *format, ...) {
    static char buffers[4][300];
    static unsigned next;
    char *to = buffers[next++ % 4];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(to, sizeof buffers[0], format, arguments);
    va_end(arguments);
    return to;
}
/* The same with a name of its own. */
#define CASE(name, call)                                                                                     \
    ({                                                                                                       \
        errno = 0;                                                                                           \
        long case_result = (long)(call);                                                                     \
        say(name, case_result, errno, 1);                                                                    \
    })
#define CASE_ID(name, call)                                                                                  \
    ({                                                                                                       \
        errno = 0;                                                                                           \
        long case_result = (long)(call);                                                                     \
        say(name, case_result, errno, 0);                                                                    \
    })

/* Waits for the child and says how it ended. */
static inline int ended(pid_t child) {
    int status = 0;
    fflush(stdout);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        printf("child: signal %d\n", WTERMSIG(status));
    else
        printf("child: exit %d\n", WEXITSTATUS(status));
    return status;
}

/* A child whose output does not mix with ours. */
static inline pid_t child(void) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        printf("fork: %s\n", strerrorname_np(errno));
    return pid;
}

#endif
