/* Exercises: the same seed gives the same, the key says what the picture would have shown. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"
#include "view/blank.h"

enum {
    ALL = BLANK_VICTIM | BLANK_PTES | BLANK_FRAMES | BLANK_POOL | BLANK_SWAP | BLANK_REGISTER,
    SEEDS = 60
};

/* The lecture's picture 015: the victim is chosen. */
static struct picture *picture_015(void) {
    struct script s;
    script_picture_012(&s);
    script_picture_013(&s);
    script_picture_014(&s);
    script_picture_015(&s);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    script_end(&s);
    return p;
}

static char *key_of(const struct blank *b) {
    struct text t = {0};
    blank_put_key(b, &t);
    text_bytes(&t, "", 1);
    assert_false(t.failed);
    return t.bytes;
}

/* The line of the key about a blank, without its number. */
static void key_line(const char *key, unsigned number, char line[200]) {
    char begin[16];
    snprintf(begin, sizeof begin, "%u. ", number);
    const char *at = strncmp(key, begin, strlen(begin)) ? NULL : key;
    for (const char *next = key; !at && (next = strchr(next, '\n')); next++)
        if (!strncmp(next + 1, begin, strlen(begin)))
            at = next + 1;
    assert_non_null(at);
    at += strlen(begin);
    snprintf(line, 200, "%.*s", (int)strcspn(at, "\n"), at);
}

static void test_parts(void **state) {
    unsigned parts;
    const char *wrong;
    assert_int_equal(blank_parse("victim,ptes,frames", &parts, &wrong), 0);
    assert_int_equal(parts, BLANK_VICTIM | BLANK_PTES | BLANK_FRAMES);
    assert_int_equal(blank_parse("pool,swap,register", &parts, &wrong), 0);
    assert_int_equal(parts, BLANK_POOL | BLANK_SWAP | BLANK_REGISTER);
    assert_int_equal(blank_parse("ptes,frame", &parts, &wrong), -EINVAL);
    assert_string_equal(wrong, "frame");
    assert_int_equal(blank_parse("", &parts, &wrong), -EINVAL);
    assert_int_equal(blank_parse("ptes,", &parts, &wrong), -EINVAL);
}

static void test_a_seed_is_an_exercise(void **state) {
    struct picture *p = picture_015();
    char *first = NULL;
    unsigned different = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct blank *a, *b;
        assert_int_equal(blank_create(p, ALL, seed, &a), 0);
        assert_int_equal(blank_create(p, ALL, seed, &b), 0);
        char *key = key_of(a), *again = key_of(b);
        assert_string_equal(key, again);
        different += first && strcmp(first, key);
        if (first)
            free(key);
        else
            first = key;
        free(again);
        blank_destroy(a);
        blank_destroy(b);
    }
    assert_true(different > SEEDS / 2);
    free(first);
    picture_destroy(p);
}

/* ---- the key against the picture ---- */

static void assert_entry_line(const struct picture *p, size_t process, size_t index, const char *line) {
    const struct picture_cell *cell = &p->processes[process].cells[index];
    char access[4], expected[200], place[100] = "no arrow";
    picture_access_text(cell->shows_access ? cell->access : 0, access);
    if (pte_is_present(cell->entry))
        snprintf(place, sizeof place, "PP%u", (unsigned)pte_pfn(cell->entry).n);
    else if (pte_is_swapped(cell->entry))
        snprintf(place, sizeof place, "swap page %u", (unsigned)pte_slot(cell->entry).n);
    snprintf(expected, sizeof expected, "PID %u's entry for VPN%u: %s, %s",
             (unsigned)p->processes[process].pid, (unsigned)cell->number, access, place);
    assert_string_equal(line, expected);
}

static void assert_frame_line(const struct picture *p, size_t index, const char *line) {
    const struct picture_frame *frame = &p->frames[index];
    char expected[200];
    if (frame->use == EVENT_FRAME_FREE)
        snprintf(expected, sizeof expected, "PP%zu: free", index);
    else if (frame->disk.source == SOURCE_FILE)
        snprintf(expected, sizeof expected, "PP%zu: page %u of %s", index, (unsigned)frame->disk.page,
                 p->files[frame->disk.file].name);
    else
        snprintf(expected, sizeof expected, "PP%zu: swap page %u", index, (unsigned)frame->disk.page);
    assert_string_equal(line, expected);
}

static void assert_slot_line(const struct picture *p, size_t index, const char *line) {
    char expected[200];
    snprintf(expected, sizeof expected, "Swap page %zu: holds %sdata", index,
             p->slots[index].written ? "" : "no ");
    assert_string_equal(line, expected);
}

/* Goes over the whole picture: every blank has its line, and each number occurs once. */
static void assert_key_is_right(const struct picture *p, const struct blank *b) {
    char *key = key_of(b), line[200];
    unsigned seen = 0, number;
    for (size_t i = 0; i < p->process_count; i++)
        for (size_t j = 0; j < p->processes[i].cell_count; j++)
            if ((number = blank_entry(b, i, j)) != 0) {
                key_line(key, number, line);
                assert_entry_line(p, i, j, line);
                seen++;
            }
    for (size_t i = 0; i < p->frame_count; i++)
        if ((number = blank_frame(b, i)) != 0) {
            key_line(key, number, line);
            assert_frame_line(p, i, line);
            assert_int_not_equal(p->frames[i].use, EVENT_FRAME_RESERVED);
            seen++;
        }
    for (size_t i = 0; i < p->slot_count; i++)
        if ((number = blank_slot(b, i)) != 0) {
            key_line(key, number, line);
            assert_slot_line(p, i, line);
            seen++;
        }
    seen += (blank_pool(b) != 0) + (blank_register(b) != 0) + (blank_victim(b) != 0);
    assert_int_equal(seen, blank_count(b));
    free(key);
}

static void test_the_key_is_right(void **state) {
    struct picture *p = picture_015();
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct blank *b;
        assert_int_equal(blank_create(p, ALL, seed, &b), 0);
        assert_true(blank_count(b) > 8);
        assert_key_is_right(p, b);
        blank_destroy(b);
    }
    picture_destroy(p);
}

/* What a frame holds can be seen where the entry is asked for, and the other way round. */
static void test_a_frame_and_its_entry_are_not_both_blank(void **state) {
    struct picture *p = picture_015();
    unsigned pairs = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct blank *b;
        assert_int_equal(blank_create(p, BLANK_PTES | BLANK_FRAMES, seed, &b), 0);
        for (size_t i = 0; i < p->process_count; i++)
            for (size_t j = 0; j < p->processes[i].cell_count; j++) {
                const pte_t entry = p->processes[i].cells[j].entry;
                if (!pte_is_present(entry))
                    continue;
                assert_false(blank_entry(b, i, j) && blank_frame(b, pte_pfn(entry).n));
                pairs += blank_entry(b, i, j) || blank_frame(b, pte_pfn(entry).n);
            }
        blank_destroy(b);
    }
    assert_true(pairs > 2 * SEEDS);
    picture_destroy(p);
}

static void test_single_parts(void **state) {
    struct picture *p = picture_015();
    struct blank *b;
    char *key;
    assert_int_equal(blank_create(p, BLANK_VICTIM, 1, &b), 0);
    key = key_of(b);
    assert_string_equal(key, "1. The victim: PP3\n");
    assert_int_equal(blank_victim(b), 1);
    assert_int_equal(blank_register(b) + blank_pool(b) + blank_frame(b, 3), 0);
    free(key);
    blank_destroy(b);
    assert_int_equal(blank_create(p, BLANK_REGISTER | BLANK_POOL, 1, &b), 0);
    key = key_of(b);
    assert_string_equal(key, "1. The page-table register: PID 21's table\n2. The free pool: empty\n");
    free(key);
    blank_destroy(b);
    picture_destroy(p);
}

static void test_nothing_to_leave_blank(void **state) {
    struct script s;
    script_start(&s, 9, 3, 28);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    struct blank *b;
    assert_int_equal(blank_create(p, BLANK_VICTIM | BLANK_PTES, 1, &b), 0);
    assert_int_equal(blank_count(b), 0);
    blank_destroy(b);
    picture_destroy(p);
    script_end(&s);
}

/* ---- what is drawn does not tell ---- */

static void test_drawings_do_not_tell(void **state) {
    struct picture *p = picture_015();
    struct blank *b;
    assert_int_equal(blank_create(p, ALL, 5, &b), 0);
    const struct draw_options options = {.blank = b};
    struct text t = {0};
    draw_text(p, &options, &t);
    text_bytes(&t, "", 1);
    assert_null(strstr(t.bytes, "victim: PP3"));
    assert_null(strstr(t.bytes, "picks a victim"));
    assert_null(strchr(t.bytes, '!'));
    assert_null(strchr(t.bytes, '*'));
    assert_null(strstr(t.bytes, "◄"));
    for (unsigned number = 1; number <= blank_count(b); number++) {
        char box[16];
        snprintf(box, sizeof box, "(%u)", number);
        assert_non_null(strstr(t.bytes, box));
    }
    text_free(&t);
    blank_destroy(b);
    picture_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_a_seed_is_an_exercise),
        cmocka_unit_test(test_the_key_is_right),
        cmocka_unit_test(test_a_frame_and_its_entry_are_not_both_blank),
        cmocka_unit_test(test_single_parts),
        cmocka_unit_test(test_nothing_to_leave_blank),
        cmocka_unit_test(test_drawings_do_not_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
