/* CSV: a header line `page,kind[,space]`, then a reference a line: the page's number (decimal or 0x…), r, w
 * or x, and the number of the address space, 0 where it is absent. A page is its number and its space: the
 * same number in another space is another page. Empty lines do not count. */
#include <string.h>

#include "base/base.h"
#include "hw/types.h"
#include "refs/lines.h"

static bool is_header(const char *from, const char *end, bool *ret_space) {
    static const char plain[] = "page,kind", spaced[] = "page,kind,space";
    const size_t length = (size_t)(end - from);
    *ret_space = length == sizeof spaced - 1 && !memcmp(from, spaced, length);
    return *ret_space || (length == sizeof plain - 1 && !memcmp(from, plain, length));
}

static bool csv_fits(const uint8_t *bytes, size_t length) {
    const char *from, *end;
    bool space;
    return lines_first(bytes, length, &from, &end) && is_header(from, end, &space);
}

static uint8_t access_of(char kind) {
    return kind == 'r' ? ACCESS_READ : kind == 'w' ? ACCESS_WRITE : kind == 'x' ? ACCESS_EXEC : 0;
}

static int csv_piece(struct refs_source *s, struct lines *l) {
    char quote[LINES_QUOTE + 4];
    const char *from = l->from;
    uint64_t name, space = 0;
    bool spaced;
    l->from = l->end;
    if (!l->headed) {
        l->headed = true;
        return is_header(from, l->end, &spaced)
                   ? 0
                   : lines_fail(s, l, "\"%s\" is not the header: page,kind or page,kind,space",
                                lines_quote(quote, from, l->end));
    }
    if (!lines_any_number(&from, l->end, &name) || from == l->end || *from++ != ',')
        return lines_fail(s, l, "\"%s\" does not begin with a page number and a comma",
                          lines_quote(quote, l->start, l->end));
    const uint8_t access = from < l->end ? access_of(*from++) : 0;
    if (!access || (from < l->end && *from != ','))
        return lines_fail(s, l, "\"%s\": the kind is r, w or x", lines_quote(quote, l->start, l->end));
    if (from < l->end) {
        from++;
        if (!lines_any_number(&from, l->end, &space) || from < l->end || space > UINT16_MAX)
            return lines_fail(s, l, "\"%s\": the space is a number up to 65535",
                              lines_quote(quote, l->start, l->end));
    }
    return lines_add(s, l, name, (uint16_t)space, access);
}

static int csv_open(struct refs_source *s) {
    return lines_open(s, &(struct lines){.piece = csv_piece});
}

const struct refs_reader csv_reader = {
    .format = REFS_FORMAT_CSV,
    .fits = csv_fits,
    .open = csv_open,
    .close = lines_close,
    .rewind = lines_rewind,
    .next = lines_next,
};
