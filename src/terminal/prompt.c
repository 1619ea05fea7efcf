/* A line that is being typed: the answer to a question. */
#include "terminal/prompt.h"

#include <string.h>

#include "terminal/keys.h"

enum prompt_result prompt_key(struct prompt *p, int key) {
    size_t length = strlen(p->line);
    switch (key) {
    case NAV_ENTER: return PROMPT_DONE;
    case NAV_ESCAPE:
    case KEYS_CTRL('c'): return PROMPT_GIVEN_UP;
    case KEYS_CTRL('u'): prompt_clear(p); return PROMPT_GOES_ON;
    case KEYS_BACKSPACE:
        if (length)
            p->line[length - 1] = 0;
        return PROMPT_GOES_ON;
    default: break;
    }
    if (key >= ' ' && key < 0x7f && length + 1 < sizeof p->line) {
        p->line[length] = (char)key;
        p->line[length + 1] = 0;
    }
    return PROMPT_GOES_ON;
}
