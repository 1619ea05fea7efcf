/* Rows of the list of events: see rows.h. First the events are found, then told in the order of the run, so
 * that the film's state only ever moves forward. */
#include "page/rows.h"

#include <errno.h>

#include "base/base.h"
#include "page/fields.h"
#include "trace/schema.h"
#include "view/narrate.h"

static int rows_find(struct film *film, uint64_t from, bool backwards, size_t count, const struct goal *what,
                     uint64_t *numbers, size_t *ret_count) {
    size_t found = 0;
    while (found < count) {
        int error = film_find(film, from, backwards, what, &from);
        if (error == -ENOENT)
            break;
        if (error)
            return error;
        numbers[found++] = from;
    }
    *ret_count = found;
    return 0;
}

static int row_put(struct film *film, uint64_t n, struct text *t) {
    struct event event;
    const struct fold *fold;
    int error = film_event(film, n, &event);
    if (!error)
        error = film_state(film, n, &fold);
    if (error)
        return error;
    struct text sentence = {0};
    narrate(fold, &event, &sentence);
    const struct event_schema *schema = event_schema(event.kind);
    element(t);
    text_put(t, "{");
    field_number(t, "n", n);
    field_number(t, "instruction", event.instruction);
    field_number(t, "pid", event.pid);
    field_text(t, "kind", schema ? schema->name : "?");
    field_bytes(t, "text", sentence.bytes, sentence.length);
    text_put(t, "}");
    text_free(&sentence);
    return 0;
}

int rows_put_json(struct film *film, uint64_t from, bool backwards, size_t count, const struct goal *what,
                  struct text *t) {
    uint64_t numbers[ROWS_MOST];
    int error = rows_find(film, from, backwards, min_size(count, ROWS_MOST), what, numbers, &count);
    if (error)
        return error;
    text_put(t, "[");
    for (size_t i = 0; i < count && !error; i++)
        error = row_put(film, numbers[backwards ? count - 1 - i : i], t);
    text_put(t, "]");
    return error;
}
