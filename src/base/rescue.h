/* Getting out of code that is not ours, and may crash or never come back.
 *
 *     if (sigsetjmp(r.place, 0) == 0) {
 *         rescue_arm(&r);            from here on this thread's crashes and loops are r's …
 *         foreign_function();        … except between rescue_pause() and rescue_resume(): in calls of ours
 *         rescue_disarm();           that the foreign code makes
 *     } else {
 *         … r.cause says why we are here
 *     }
 *
 * What is caught: SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT of the thread itself (an overflow of its stack
 * included), and more than rescue_set_limit() of its processor time between two calls of rescue_arm(). What
 * was left behind half done (locks of the C library among it) stays so: whoever was rescued must not call
 * that code again. To make locks unlikely, a loop is left while it executes the range `code`; only after
 * five times the limit anywhere.
 *
 * C hands signal handlers no context, so what is armed is a variable of the thread. A handler for one of
 * these signals that is installed by somebody else must call rescue_catch() first: then the order in which
 * they were installed does not matter. */
#ifndef BASE_RESCUE_H
#define BASE_RESCUE_H

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

enum rescue_cause {
    RESCUE_SIGNAL,   /* `signal` arrived, for `address` */
    RESCUE_TIME,     /* it took too long */
    RESCUE_GIVEN_UP, /* rescue_abandon() */
};

struct rescue {
    uintptr_t code_start, code_end; /* the foreign code: set by the owner */
    /* valid after the rescue */
    enum rescue_cause cause;
    int signal;
    uintptr_t address;     /* that could not be accessed: of SIGSEGV and SIGBUS */
    uintptr_t instruction; /* that was executed */
    sigjmp_buf place;
};

struct rescue_thread {
    struct rescue *armed; /* NULL: what crashes is our own */
    uint64_t calls;       /* of rescue_arm() */
};
extern _Thread_local struct rescue_thread rescue_thread;

/* To be called once in each thread before it arms anything; costs nothing when it was. 0 or -errno. Without
 * timers on this host, loops are not noticed. */
int rescue_prepare(void);
/* Milliseconds of processor time that a call may take, for threads that are prepared from now on; at first
 * 2000. */
void rescue_set_limit(unsigned milliseconds);

static inline void rescue_arm(struct rescue *r) {
    rescue_thread.calls++;
    rescue_thread.armed = r;
}
static inline void rescue_disarm(void) {
    rescue_thread.armed = NULL;
}
/* What was armed, or NULL: not in foreign code. */
static inline struct rescue *rescue_pause(void) {
    struct rescue *r = rescue_thread.armed;
    rescue_thread.armed = NULL;
    return r;
}
static inline void rescue_resume(struct rescue *r) {
    rescue_thread.armed = r;
}
/* From a call of ours that the foreign code made, paused or not: does not come back. */
_Noreturn void rescue_abandon(struct rescue *);

/* For handlers of the signals above, with what they were given: does not come back if the thread is in
 * foreign code. */
void rescue_catch(int signal, const siginfo_t *, void *context);

#endif
