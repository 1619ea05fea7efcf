/* What several subcommands say to people in the same words. */
#ifndef UI_SAY_H
#define UI_SAY_H

#include <stdbool.h>
#include <stdint.h>

/* What was asked for cannot be: on standard error, behind "thimble: ". Returns
 * false, as say_failed() does. */
bool say_refused(const char *what);
/* The message (malloc'd, or NULL: what -errno means) on standard error, behind "thimble: ". Frees it. Returns
 * false, which is what the step that failed returns. */
bool say_failed(char *message, int error);

/* On standard output: text of guests and of files, as one may print it. */
void say_plain(const char *string);
/* "12,345 WHAT" on standard output. */
void say_number(uint64_t number, const char *what);

#endif
