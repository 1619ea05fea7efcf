/* Signals that reach the host process: remembered by a handler, taken by the main loop. */
#ifndef MACHINE_HOST_SIGNAL_H
#define MACHINE_HOST_SIGNAL_H

#include <stdbool.h>

#include "hw/engine.h"

struct host_signals;

/* Nothing is installed yet. 0 or -errno. */
int host_signals_create(struct host_signals **ret_signals);
/* Puts the earlier dispositions back. NULL is fine. */
void host_signals_destroy(struct host_signals *);

/* Installs the handlers; a run of `engine` that is under way when a signal arrives is kicked. With
 * `only_guards` those alone that protect Thimble from its own accesses to files: no signal arrives. 0, or
 * -EBUSY: a process has one set of handlers, and another machine has it. */
int host_signals_install(struct host_signals *, const struct engine_ops *, struct engine *, bool only_guards);

/* A descriptor that becomes readable when a signal arrives, and stays so until host_signals_quiet(). */
int host_signals_fd(const struct host_signals *);
void host_signals_quiet(struct host_signals *);

/* Whether nobody can continue Thimble when it is stopped: none of its group has a parent in another group of
 * the session, as a shell with job control is (POSIX, orphaned process group; only our ancestors are looked
 * at). */
bool host_group_is_orphaned(void);

/* Stops the process as the signal would have without a handler; returns when somebody has continued it. */
void host_signals_suspend(int signal);

/* Makes that descriptor readable as if a signal had arrived. Any thread, any signal handler. */
void host_signals_wake(struct host_signals *);

/* As if that signal had been typed. Any thread, any signal handler. */
void host_signals_send(struct host_signals *, int signal);

/* Takes the lowest signal that has arrived; 0 when there is none. *ret_typed: at the terminal, not sent by
 * somebody. */
int host_signals_take(struct host_signals *, bool *ret_typed);

#endif
