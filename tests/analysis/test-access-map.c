/* The grid of address × time against a count by hand, and the working set against its definition. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analysis/access_map.h"
#include "base/rng.h"
#include "policy/policy.h"

enum { PAGES = 300, REFERENCES = 5000, STEP = 7 /* instructions from one to the next */ };

/* What was written: the page of each reference, and when each page died (0: never). */
struct made {
    uint32_t page[REFERENCES];
    uint32_t dies[PAGES]; /* before this reference */
};

static char path[] = "/tmp/thimble-access-map-XXXXXX";

static void write_page(struct refs_writer *w, uint32_t number, uint32_t object) {
    uint32_t got;
    const bool is_file = number % 3 == 0;
    const struct refs_page page = {.name = number + 1,
                                   .vpn = 1000 + number + (number >= 200 ? 100000 : 0),
                                   .object = is_file ? object : 0,
                                   .flags = REFS_PAGE_KNOWN | (is_file ? REFS_PAGE_FILE : 0) |
                                            (number >= 280   ? REFS_PAGE_STACK
                                             : number >= 200 ? REFS_PAGE_HEAP
                                                             : 0)};
    assert_int_equal(refs_writer_page(w, &page, &got), 0);
    assert_int_equal(got, number);
}

static void write_trace(struct made *made) {
    const struct refs_header header = {.thimble = "test", .page_size = 4096};
    struct refs_writer *w;
    struct rng rng = {5};
    char *message = NULL;
    uint32_t object, known = 0;
    assert_int_equal(refs_writer_create(path, &header, &w, &message), 0);
    assert_int_equal(refs_writer_object(w, "/lib/x", &object), 0);
    for (uint32_t i = 0; i < REFERENCES; i++) {
        uint32_t page = (uint32_t)rng_below(&rng, 1 + i / 16 < PAGES ? 1 + i / 16 : PAGES);
        page = page > known ? known : page;
        if (page < known && made->dies[page])
            page--; /* only odd ones die */
        if (page == known)
            write_page(w, known++, object);
        made->page[i] = page;
        struct refs_item item = {
            .instruction = i * STEP, .page = page, .kind = REFS_REFERENCE, .flags = ACCESS_READ};
        assert_int_equal(refs_writer_add(w, &item, 1), 0);
        if (i % 97 == 96 && page + 1 < known && page % 2) {
            made->dies[page] = i + 1;
            item = (struct refs_item){
                .instruction = i * STEP, .page = page, .kind = REFS_DIES, .flags = POLICY_UNMAPPED};
            assert_int_equal(refs_writer_add(w, &item, 1), 0);
        }
    }
    assert_int_equal(refs_writer_finish(w, REFERENCES * STEP, 0, true, NULL), 0);
}

static struct access_map make_map_of(const char *file, const struct access_config *config) {
    struct refs_source *source;
    struct access_map map;
    char *message = NULL;
    assert_int_equal(refs_open(file, REFS_FORMAT_ANY, &source, &message), 0);
    assert_int_equal(access_map_make(source, config, &map), 0);
    refs_close(source);
    return map;
}

static struct access_map make_map(const struct access_config *config) {
    return make_map_of(path, config);
}

static void check_sums(const struct access_map *map) {
    uint64_t sum = 0, pages = 0, rows = 0;
    for (size_t i = 0; i < (size_t)map->rows * map->columns; i++)
        sum += map->cells[i];
    for (size_t i = 0; i < map->band_count; i++) {
        pages += map->bands[i].pages;
        rows += map->bands[i].rows;
        assert_true(map->bands[i].rows >= 1 && map->bands[i].rows <= map->bands[i].pages);
    }
    assert_int_equal(sum, REFERENCES);
    assert_int_equal(pages, map->pages);
    assert_int_equal(rows, map->rows);
}

static uint32_t working_set(const struct made *made, uint64_t end, uint64_t window) {
    bool there[PAGES] = {false};
    uint32_t count = 0;
    for (uint32_t i = 0; i < REFERENCES; i++) {
        const uint64_t now = i * STEP, page = made->page[i];
        const bool is_dead = made->dies[page] && (uint64_t)(made->dies[page] - 1) * STEP < end;
        if (now < end && now + window >= end && !is_dead && !there[page]) {
            there[page] = true;
            count++;
        }
    }
    return count;
}

static void test_cells_and_working_sets_are_counted(void **state) {
    struct made *made = *state;
    const struct access_config config = {.columns = 50, .rows = 60, .window = 1000};
    struct access_map map = make_map(&config);
    check_sums(&map);
    assert_int_equal(map.references, REFERENCES);
    assert_int_equal(map.time, (REFERENCES - 1) * STEP + 1);
    for (uint32_t column = 0; column < map.columns; column++) {
        const uint64_t end = map.time * (column + 1) / map.columns;
        assert_int_equal(map.working_set[column], working_set(made, end, 1000));
    }
    for (uint32_t column = 0; column < map.columns; column++) {
        uint64_t sum = 0, expected = 0;
        for (uint32_t row = 0; row < map.rows; row++)
            sum += map.cells[row * map.columns + column];
        const uint64_t start = map.time * column / map.columns, end = map.time * (column + 1) / map.columns;
        for (uint64_t i = 0; i < REFERENCES; i++)
            expected += i * STEP >= start && i * STEP < end;
        assert_int_equal(sum, expected);
    }
    access_map_free(&map);
}

static void test_bands_are_files_and_what_is_none(void **state) {
    const struct access_config config = {.columns = 10, .rows = 1000};
    struct access_map map = make_map(&config);
    check_sums(&map);
    /* From the top: the heap and the file's pages among it, then the file with what lies in it. All pages
     * have a row of their own. */
    assert_int_equal(map.rows, map.pages);
    assert_string_equal(map.bands[map.band_count - 1].name, "/lib/x");
    bool has_heap = false;
    for (size_t i = 0; i < map.band_count; i++)
        has_heap |= !strcmp(map.bands[i].name, "[heap]");
    assert_true(has_heap);
    access_map_free(&map);
}

static void test_the_smallest_bands_are_put_together(void **state) {
    const struct access_config all = {.columns = 10, .rows = 1000},
                               few = {.columns = 10, .rows = 1000, .bands = 2};
    struct access_map map = make_map(&all);
    const size_t before = map.band_count;
    access_map_free(&map);
    map = make_map(&few);
    check_sums(&map);
    assert_true(before > 2 && map.band_count <= 2);
    assert_non_null(strstr(map.bands[map.band_count - 1].name, " others"));
    access_map_free(&map);
}

static void test_time_may_count_references(void **state) {
    const struct access_config config = {.columns = 100, .rows = 5, .by_references = true};
    struct access_map map = make_map(&config);
    check_sums(&map);
    assert_int_equal(map.time, REFERENCES);
    assert_int_equal(map.window, REFERENCES / 100);
    for (uint32_t column = 0; column < map.columns; column++) {
        uint64_t sum = 0;
        for (uint32_t row = 0; row < map.rows; row++)
            sum += map.cells[row * map.columns + column];
        assert_int_equal(sum, REFERENCES / 100);
    }
    access_map_free(&map);
}

/* Page n is referenced n + 1 times: two spaces of a recording, in which two files lie among each other, and
 * pages of which nothing is known but their numbers. */
static void test_each_page_has_its_row(void **state) {
    enum { A = 1, B };
    static const struct refs_page pages[] = {
        {.vpn = 100, .object = A, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 101, .object = B, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 102, .object = A, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 103, .object = B, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 104, .object = A, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 105, .object = B, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 1 << 20, .flags = REFS_PAGE_KNOWN | REFS_PAGE_HEAP},
        {.vpn = 100, .object = A, .space = 1, .flags = REFS_PAGE_KNOWN | REFS_PAGE_FILE},
        {.vpn = 1 << 30, .space = 1, .flags = REFS_PAGE_KNOWN | REFS_PAGE_STACK},
        {.name = 50, .space = 2},
    };
    static const struct {
        const char *name;
        uint16_t space;
        uint64_t first, last;
    } bands[] = {
        {"pages", 2, 50, 50}, {"[stack]", 1, 1 << 30, 1 << 30},
        {"/a", 1, 100, 100},  {"[heap]", 0, 1 << 20, 1 << 20},
        {"/b", 0, 101, 105},  {"/a", 0, 100, 104},
    };
    static const uint64_t rows[] = {10, 9, 8, 7, 6,
                                    4,  2, 5, 3, 1}; /* from the highest address of each band down */
    char file[] = "/tmp/thimble-access-map-XXXXXX", *message = NULL;
    const struct refs_header header = {.thimble = "test", .page_size = 4096};
    struct refs_writer *w;
    uint32_t number, now = 0;
    close(mkstemp(file));
    assert_int_equal(refs_writer_create(file, &header, &w, &message), 0);
    assert_int_equal(refs_writer_object(w, "/a", &number), 0);
    assert_int_equal(refs_writer_object(w, "/b", &number), 0);
    for (uint32_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        assert_int_equal(refs_writer_page(w, &pages[i], &number), 0);
        for (uint32_t n = 0; n <= i; n++) {
            const struct refs_item item = {.instruction = now++, .page = i, .flags = ACCESS_READ};
            assert_int_equal(refs_writer_add(w, &item, 1), 0);
        }
    }
    assert_int_equal(refs_writer_finish(w, now, 0, true, NULL), 0);
    struct access_map map = make_map_of(file, &(struct access_config){.columns = 1, .rows = 100});
    assert_int_equal(map.band_count, sizeof bands / sizeof *bands);
    for (size_t i = 0; i < map.band_count; i++) {
        assert_string_equal(map.bands[i].name, bands[i].name);
        assert_int_equal(map.bands[i].space, bands[i].space);
        assert_int_equal(map.bands[i].first, bands[i].first);
        assert_int_equal(map.bands[i].last, bands[i].last);
    }
    assert_int_equal(map.rows, sizeof rows / sizeof *rows);
    assert_memory_equal(map.cells, rows, sizeof rows);
    access_map_free(&map);
    unlink(file);
}

static int set_up(void **state) {
    *state = calloc(1, sizeof(struct made));
    const int fd = mkstemp(path);
    assert_non_null(*state);
    assert_true(fd >= 0);
    close(fd);
    write_trace(*state);
    return 0;
}

static int tear_down(void **state) {
    free(*state);
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_and_working_sets_are_counted),
        cmocka_unit_test(test_bands_are_files_and_what_is_none),
        cmocka_unit_test(test_the_smallest_bands_are_put_together),
        cmocka_unit_test(test_time_may_count_references),
        cmocka_unit_test(test_each_page_has_its_row),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
