/* The list of events beside the picture: steps that pass a filter, each with its sentence. */
#ifndef PAGE_ROWS_H
#define PAGE_ROWS_H

#include "trace/film.h"
#include "trace/text.h"

enum { ROWS_MOST = 200 };

/* Appends [{"n":…,"instruction":…,"pid":…,"kind":"fault","text":"PID 21 reads …"}, …]: up to `count` (at most
 * ROWS_MOST) events that meet `what`, in the order of the run; the nearest ones after `from`, or before it.
 * 0, or -errno as film_find() and film_state(). The film is left at another place. */
int rows_put_json(struct film *, uint64_t from, bool backwards, size_t count, const struct goal *what,
                  struct text *);

#endif
