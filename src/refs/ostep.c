/* Page numbers as the book "Operating Systems: Three Easy Pieces" (Arpaci-Dusseau) gives them to its program
 * paging-policy.py: one a line in a file (-f), or a list with commas (-a). Blanks are as good as commas,
 * numbers may be hexadecimal behind 0x, and a line that begins with # is a comment. All are reads. */
#include "hw/types.h"
#include "refs/lines.h"

static bool is_between(char c) {
    return c == ',' || c == ' ' || c == '\t';
}

static bool ostep_fits(const uint8_t *bytes, size_t length) {
    const char *from = (const char *)bytes, *end = from + length;
    uint64_t number;
    bool some = false;
    while (from < end && *from != '\n') {
        if (is_between(*from) || *from == '\r')
            from++;
        else if (!lines_any_number(&from, end, &number))
            return false;
        else
            some = true;
    }
    return some;
}

static int ostep_piece(struct refs_source *s, struct lines *l) {
    char quote[LINES_QUOTE + 4];
    uint64_t name;
    const char *number = l->from;
    if (is_between(*number)) {
        l->from++;
        return 0;
    }
    if (*number == '#' && number == l->start) {
        l->from = l->end;
        return 0;
    }
    if (!lines_any_number(&l->from, l->end, &name) || (l->from < l->end && !is_between(*l->from)))
        return lines_fail(s, l, "\"%s\" is no page number", lines_quote(quote, number, l->end));
    return lines_add(s, l, name, 0, ACCESS_READ);
}

static int ostep_open(struct refs_source *s) {
    return lines_open(s, &(struct lines){.piece = ostep_piece});
}

const struct refs_reader ostep_reader = {
    .format = REFS_FORMAT_OSTEP,
    .fits = ostep_fits,
    .open = ostep_open,
    .close = lines_close,
    .rewind = lines_rewind,
    .next = lines_next,
};
