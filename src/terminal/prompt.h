/* A line that is being typed: the answer to a question. */
#ifndef TERMINAL_PROMPT_H
#define TERMINAL_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

enum { PROMPT_LENGTH = 128 };

struct prompt {
    char line[PROMPT_LENGTH]; /* NUL-terminated */
};

enum prompt_result { PROMPT_GOES_ON, PROMPT_DONE, PROMPT_GIVEN_UP };

static inline void prompt_clear(struct prompt *p) {
    p->line[0] = 0;
}
/* A key: a printable ASCII character, Backspace, Ctrl-U, Enter or Escape; others do nothing, like a character
 * that finds no more room. */
enum prompt_result prompt_key(struct prompt *, int key);

#endif
