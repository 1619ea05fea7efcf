/* The strings of a trace, put together from their records. */
#ifndef TRACE_STRINGS_H
#define TRACE_STRINGS_H

#include <stddef.h>

#include "base/map.h"
#include "trace/event.h"

struct trace_text {
    size_t length;
    char bytes[]; /* any values; a NUL follows that is not counted */
};

/* All zero, or with .inject set in `whole`, is an empty collection. */
struct trace_strings {
    struct map whole; /* number → struct trace_text * */
    /* The string whose pieces are arriving; number 0: none. */
    uint64_t number, announced; /* its length as announced */
    struct trace_text *arriving;
    size_t capacity; /* bytes that `arriving` has room for */
};

void strings_free(struct trace_strings *);
/* Takes an EVENT_STRING or EVENT_STRING_DATA. 0, -ENOMEM, or -EBADMSG for one that does not fit (ignored). */
int strings_receive(struct trace_strings *, const struct event *);
/* NULL when no whole string has this number. Valid until strings_forget() or
 * strings_free(). */
const struct trace_text *strings_get(const struct trace_strings *, uint64_t number);
/* Forgets a whole string, if there is one of this number. */
void strings_forget(struct trace_strings *, uint64_t number);
/* Adds a whole string. 0, -ENOMEM, -EEXIST. */
int strings_add(struct trace_strings *, uint64_t number, const void *bytes, size_t length);
/* Announces a string of which the first `length` bytes have arrived. 0, -ENOMEM, -EBADMSG. */
int strings_resume(struct trace_strings *, uint64_t number, uint64_t announced, const void *bytes,
                   size_t length);

#endif
