/* Random strings as files, so that they can be read as any recording. */
#ifndef TESTS_ANALYSIS_STRING_FILE_H
#define TESTS_ANALYSIS_STRING_FILE_H

#include <unistd.h>

#include "random-string.h"

/* Opened, and no longer to be seen in any folder. `reduced_to`, `conditions` and what is
 * in `totals`: see refs.h. */
static inline struct refs_source *string_open_reduced(const struct random_string *string, uint32_t reduced_to,
                                                      const struct refs_totals *totals,
                                                      const char *const *conditions) {
    char path[] = "/tmp/thimble-string-XXXXXX", *message = NULL;
    const struct refs_header header = {.page_size = 4096, .deterministic = true, .reduced_to = reduced_to};
    struct refs_writer *writer;
    struct refs_source *source;
    uint32_t number;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(refs_writer_create(path, &header, &writer, &message), 0);
    for (uint32_t p = 0; p < string->page_count; p++)
        assert_int_equal(refs_writer_page(writer, &string->pages[p], &number), 0);
    assert_int_equal(refs_writer_add(writer, string->items, string->count), 0);
    refs_writer_halves(writer, totals->halves, totals->half_count);
    const uint64_t end = string->count ? string->items[string->count - 1].instruction : 0;
    assert_int_equal(refs_writer_finish(writer, end + 1, totals->dropped, true, conditions), 0);
    if (refs_open(path, REFS_FORMAT_ANY, &source, &message) < 0)
        fail_msg("%s", message);
    unlink(path);
    return source;
}

static inline struct refs_source *string_open(const struct random_string *string, uint32_t reduced_to,
                                              const char *const *conditions) {
    return string_open_reduced(string, reduced_to, &(struct refs_totals){0}, conditions);
}

#endif
