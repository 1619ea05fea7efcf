/* See warm_up.h. */
#include "analysis/warm_up.h"

#include <errno.h>

#include "base/message.h"

static bool begins(const struct warm_up_scan *s, const struct refs_source *source,
                   const struct refs_item *item) {
    if (s->wanted.by_instructions)
        return !s->over && item->instruction >= s->wanted.instructions;
    return item->kind == REFS_MARK && refs_mark(source, item->page)->type == REFS_MARK_PHASE;
}

size_t warm_up_find(struct warm_up_scan *s, const struct refs_source *source, const struct refs_item *items,
                    size_t count) {
    size_t at = WARM_UP_NOT_HERE;
    for (size_t i = 0; i < count; i++) {
        if (begins(s, source, &items[i])) {
            at = i;
            s->over = true;
            s->instruction = items[i].instruction;
            s->left_out = s->references;
        }
        s->references += items[i].kind == REFS_REFERENCE;
    }
    return at;
}

int warm_up_check(const struct warm_up_scan *s, char **ret_message) {
    if (s->over || (!s->wanted.by_instructions && !s->wanted.marked))
        return 0;
    return ret_message ? message_fail(-ERANGE, ret_message, WARM_UP_NOT_OVER) : -ERANGE;
}
