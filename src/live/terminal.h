/* The programs' own terminal while somebody looks at the machine: a pseudo-terminal whose other end is read
 * by a thread of this module. What the programs print is kept (the last 64 KiB), what is typed waits until
 * the terminal takes it. Nothing here interprets what is printed. */
#ifndef LIVE_TERMINAL_H
#define LIVE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct terminal;

enum { TERMINAL_ROWS = 24, TERMINAL_COLUMNS = 80, TERMINAL_KEPT = 1 << 16 };

/* `printed` is called from the thread when there is new output. 0 or -errno. */
int terminal_open(void (*printed)(void *context), void *context, struct terminal **ret_terminal);
/* The programs print no more: takes the rest of their output and ends the thread. */
void terminal_finish(struct terminal *);
void terminal_close(struct terminal *); /* NULL is allowed */

/* The programs' end. */
int terminal_descriptor(const struct terminal *);

/* Any thread: */

/* As live_output(). */
size_t terminal_output(struct terminal *, uint64_t offset, char *bytes, size_t size, uint64_t *ret_offset);
/* All of it or nothing. 0; -EAGAIN: too much waits already; -EIO: the terminal is finished. */
int terminal_type(struct terminal *, const char *bytes, size_t length);
/* Whether that is a new size; then the terminal has it. */
bool terminal_set_size(const struct terminal *, unsigned rows, unsigned columns);
/* The signal that a typed character stands for now (SIGINT for Ctrl-C …), 0: none. */
int terminal_signal(const struct terminal *, char typed);

#endif
