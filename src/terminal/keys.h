/* Keys as the stepper knows them: the walker's (view/nav.h), and what a keyboard has besides.
 *
 * A key that is typed for a program becomes the bytes that a terminal sends for it. */
#ifndef TERMINAL_KEYS_H
#define TERMINAL_KEYS_H

#include <stddef.h>

#include "view/nav.h"

#define KEYS_CTRL(letter) ((letter)&0x1f)

enum {
    KEYS_NONE = 0,
    KEYS_TAB = '\t',
    KEYS_UP = 0x200,
    KEYS_DOWN,
    KEYS_DELETE,
    KEYS_BACKSPACE,
    KEYS_CHARACTER = 0x10000, /* and above: a character beyond ASCII, KEYS_CHARACTER + its number */
};

enum { KEYS_BYTES = 8 }; /* at most, of one key */

/* The next key that was typed on curses' screen; KEYS_NONE: no more, or one without a meaning;
 * *ret_more: there may be more. */
int keys_next(bool *ret_more);
/* The bytes of a key; how many. */
size_t keys_put(int key, char bytes[KEYS_BYTES]);

#endif
