/* Accesses as valgrind's lackey prints them (--tool=lackey --trace-mem=yes --log-file=FILE):
 *
 *     I  04001000,3      an instruction of 3 bytes is fetched
 *      L 1ffeffe7e8,8    8 bytes are loaded
 *      S 1ffeffe7e8,8    … stored
 *      M 0421c7cc,4      … loaded and stored
 *
 * Accesses become pages; one that crosses into the next page is two. Adjacent accesses to a page are one
 * reference, and the I lines count instructions. valgrind's own lines (==PID==, --PID--, SB) do not count. */
#include <string.h>

#include "hw/types.h"
#include "refs/lines.h"

/* More bytes than any instruction moves (the largest save the CPU's whole state). */
enum { ACCESS_BYTES = 1 << 14 };
_Static_assert(ACCESS_BYTES / PAGE_SIZE + 2 <= LINES_PIECE, "an access is a piece");

/* What kind of access a line tells; 0: it is none. */
static uint8_t access_of(const char *from, const char *end) {
    if (end - from < 4 || from[2] != ' ')
        return 0;
    if (from[0] == 'I' && from[1] == ' ')
        return ACCESS_EXEC;
    if (from[0] != ' ')
        return 0;
    return from[1] == 'L'   ? ACCESS_READ
           : from[1] == 'S' ? ACCESS_WRITE
           : from[1] == 'M' ? ACCESS_READ | ACCESS_WRITE
                            : 0;
}

static bool is_remark(const char *from, const char *end) {
    return end - from >= 2 && (!memcmp(from, "==", 2) || !memcmp(from, "--", 2) || !memcmp(from, "SB", 2));
}

static bool lackey_fits(const uint8_t *bytes, size_t length) {
    const char *from = (const char *)bytes, *end = from + length;
    while (from < end) {
        const char *newline = memchr(from, '\n', (size_t)(end - from));
        const char *line_end = newline ? newline : end;
        if (!is_remark(from, line_end))
            return access_of(from, line_end) != 0;
        from = newline ? newline + 1 : end;
    }
    return false;
}

static int lackey_piece(struct refs_source *s, struct lines *l) {
    char quote[LINES_QUOTE + 4];
    const char *from = l->from + 3;
    uint64_t address, size, last;
    const uint8_t access = access_of(l->from, l->end);
    l->from = l->end;
    if (!access && is_remark(l->start, l->end))
        return 0;
    if (!access || !lines_number(&from, l->end, 16, &address) || from == l->end || *from++ != ',' ||
        !lines_number(&from, l->end, 10, &size) || from < l->end)
        return lines_fail(
            s, l,
            "\"%s\" is no access; to keep what the program prints away from lackey's lines give "
            "valgrind --log-file",
            lines_quote(quote, l->start, l->end));
    if (!size || size > ACCESS_BYTES || __builtin_add_overflow(address, size - 1, &last))
        return lines_fail(s, l, "no access is of %llu bytes at 0x%llx", (unsigned long long)size,
                          (unsigned long long)address);
    for (uint64_t page = address >> PAGE_SHIFT; page <= last >> PAGE_SHIFT; page++) {
        const int error = lines_add(s, l, page, 0, access);
        if (error)
            return error;
    }
    l->instruction += access == ACCESS_EXEC;
    return 0;
}

static int lackey_open(struct refs_source *s) {
    return lines_open(
        s, &(struct lines){.piece = lackey_piece, .joins = true, .must_end = true, .counts = true});
}

const struct refs_reader lackey_reader = {
    .format = REFS_FORMAT_LACKEY,
    .fits = lackey_fits,
    .open = lackey_open,
    .close = lines_close,
    .rewind = lines_rewind,
    .next = lines_next,
};
