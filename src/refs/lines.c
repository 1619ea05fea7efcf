/* See lines.h. */
#include "refs/lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "hw/types.h"

enum { LINES_CHUNK = 1 << 17 };

int lines_fail(struct refs_source *s, const struct lines *l, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int error = source_vfail(s, "line", l->line, format, arguments);
    va_end(arguments);
    return error;
}

const char *lines_quote(char to[LINES_QUOTE + 4], const char *from, const char *end) {
    size_t length = 0;
    for (; from < end && length < LINES_QUOTE; from++)
        to[length++] = *from >= ' ' && *from <= '~' ? *from : '?';
    strcpy(to + length, from < end ? "…" : "");
    return to;
}

bool lines_number(const char **from, const char *end, unsigned base, uint64_t *ret_number) {
    uint64_t number = 0;
    const char *c = *from;
    for (; c < end; c++) {
        const unsigned char lower = (unsigned char)*c | 0x20;
        const unsigned digit = *c >= '0' && *c <= '9'         ? (unsigned)(*c - '0')
                               : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a' + 10)
                                                              : 99;
        if (digit >= base)
            break;
        if (__builtin_mul_overflow(number, base, &number) || __builtin_add_overflow(number, digit, &number))
            return false;
    }
    if (c == *from)
        return false;
    *from = c;
    *ret_number = number;
    return true;
}

bool lines_any_number(const char **from, const char *end, uint64_t *ret_number) {
    const char *behind = *from + 2;
    if (end - *from < 3 || (*from)[0] != '0' || ((*from)[1] | 0x20) != 'x')
        return lines_number(from, end, 10, ret_number);
    if (!lines_number(&behind, end, 16, ret_number))
        return false;
    *from = behind;
    return true;
}

bool lines_first(const uint8_t *bytes, size_t length, const char **ret_from, const char **ret_end) {
    const char *from = (const char *)bytes, *end = from + length;
    while (from < end && (*from == '\n' || *from == '\r'))
        from++;
    const char *newline = memchr(from, '\n', (size_t)(end - from));
    *ret_from = from;
    *ret_end = newline ? newline : end;
    if (*ret_end > from && (*ret_end)[-1] == '\r')
        --*ret_end;
    return *ret_end > from;
}

/* ---- lines ---- */

/* Makes more bytes visible, at least `wanted`: how many there are, or -errno. */
static ssize_t lines_see(struct refs_source *s, struct lines *l, size_t wanted) {
    const uint8_t *bytes;
    const ssize_t there = refs_bytes_see(s->bytes, wanted, &bytes);
    if (there < 0)
        return source_bytes_fail(s, (int)there, "line", l->line);
    l->chunk = (const char *)bytes;
    l->chunk_end = l->chunk + there;
    return there;
}

/* Goes to the next line. 1, 0 at the end, or -errno. */
static int lines_advance(struct refs_source *s, struct lines *l) {
    const char *newline = NULL;
    if (l->chunk)
        l->chunk += l->taken;
    refs_bytes_take(s->bytes, l->taken);
    l->taken = 0;
    l->line++;
    if (l->chunk < l->chunk_end)
        newline = memchr(l->chunk, '\n', (size_t)(l->chunk_end - l->chunk));
    for (size_t wanted = LINES_CHUNK; !newline; wanted *= 2) {
        const ssize_t there = lines_see(s, l, wanted);
        if (there <= 0)
            return (int)there;
        newline = memchr(l->chunk, '\n', (size_t)there);
        if (newline || (size_t)there < wanted)
            break;
        if (wanted >= LINES_LIMIT)
            return lines_fail(s, l, "is longer than %d bytes", LINES_LIMIT);
    }
    if (!newline && l->must_end)
        return lines_fail(s, l, "is cut: the file does not end with a whole line");
    l->start = l->from = l->chunk;
    l->end = newline ? newline : l->chunk_end;
    l->taken = (size_t)(l->end - l->start) + (newline != NULL);
    if (l->end > l->start && l->end[-1] == '\r')
        l->end--;
    return 1;
}

/* ---- items ---- */

static void lines_end_run(struct refs_source *s, struct lines *l) {
    if (l->run.flags & (ACCESS_WRITE | ACCESS_EXEC)) /* as in recordings: a read is what is nothing else */
        l->run.flags &= (uint8_t)~ACCESS_READ;
    s->items[l->count++] = l->run;
    l->running = false;
}

int lines_add(struct refs_source *s, struct lines *l, uint64_t name, uint16_t space, uint8_t flags) {
    uint32_t page;
    const int error = names_page(&l->names, &s->table, name, space, &page);
    if (error)
        return source_fail(s, error, "line %llu: too many pages for the memory there is",
                           (unsigned long long)l->line);
    if (l->joins && l->running && l->run.page == page) {
        l->run.flags |= flags;
        return 0;
    }
    if (l->running)
        lines_end_run(s, l);
    l->run = (struct refs_item){.instruction = l->counts ? l->instruction : l->references,
                                .page = page,
                                .space = space,
                                .flags = flags};
    l->references++;
    l->running = true;
    return 0;
}

/* Takes the next piece. 1, 0 at the end, or -errno. */
static int lines_step(struct refs_source *s, struct lines *l) {
    if (l->from == l->end) {
        const int more = lines_advance(s, l);
        if (more <= 0 || l->from == l->end)
            return more;
    }
    const int error = l->piece(s, l);
    return error ? error : 1;
}

long lines_next(struct refs_source *s) {
    struct lines *l = s->state;
    l->count = 0;
    while (l->count + LINES_PIECE < SOURCE_ITEMS) {
        const int more = lines_step(s, l);
        if (more < 0)
            return more;
        if (!more) {
            l->from = l->end = NULL;
            if (l->running)
                lines_end_run(s, l);
            break;
        }
    }
    return (long)l->count;
}

/* ---- the whole file ---- */

int lines_open(struct refs_source *s, const struct lines *kind) {
    struct lines *l = calloc(1, sizeof *l);
    if (!l)
        return source_fail(s, -ENOMEM, "out of memory");
    *l = *kind;
    s->state = l;
    s->totals.whole = true;
    s->header.page_size = PAGE_SIZE;
    return 0;
}

void lines_close(struct refs_source *s) {
    struct lines *l = s->state;
    if (!l)
        return;
    names_free(&l->names);
    map_free(&l->spaces);
    free(l);
}

/* Pages and spaces keep their numbers. */
int lines_rewind(struct refs_source *s) {
    struct lines *l = s->state;
    l->line = l->instruction = l->references = 0;
    l->start = l->from = l->end = l->chunk = l->chunk_end = NULL;
    l->taken = 0;
    l->running = l->headed = false;
    return 0;
}
