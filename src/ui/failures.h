/* Failures on purpose, for tests of real programs: what the environment variable THIMBLE_FAIL asks for.
 *
 *   THIMBLE_FAIL=swap-in=3,alloc=17+      the third page read from swap fails, and every allocation from
 *                                         the 17th on
 *
 * Points: alloc (the machine's own memory), swap-in, swap-out, host-call (opening files). A count of 0 fails
 * nothing: the report at the end tells how many there are. */
#ifndef UI_FAILURES_H
#define UI_FAILURES_H

#include <stdio.h>

#include "base/inject.h"

/* 0, or -EINVAL: *ret_message (malloc'd) says which word is wrong. */
int failures_parse(const char *text, struct inject *ret_inject, char **ret_message);
/* One line: how often each point was passed. */
void failures_print(const struct inject *, FILE *);

#endif
