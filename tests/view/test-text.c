/* The picture in characters: it stays within its sheet, and says what the JSON says. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../trace/scenario.h"
#include "script.h"
#include "view/plain.h"

static char *text_of(const struct picture *p, const struct draw_options *options) {
    struct text t = {0};
    draw_text(p, options, &t);
    text_bytes(&t, "", 1);
    assert_false(t.failed);
    return t.bytes;
}

static json_t *json_of(const struct picture *p) {
    struct text t = {0};
    draw_json(p, &(struct draw_options){0}, &t);
    json_t *root = json_loadb(t.bytes, t.length, 0, NULL);
    assert_non_null(root);
    text_free(&t);
    return root;
}

/* Some of the lecture's states: 1 … 5. */
static struct picture *lecture_picture(int which, struct picture_options options) {
    struct script s;
    script_picture_012(&s);
    if (which > 1)
        script_picture_013(&s);
    if (which > 2)
        script_picture_014(&s), script_picture_015(&s);
    if (which > 3)
        script_picture_016(&s), script_picture_017(&s);
    if (which > 4)
        script_picture_018(&s);
    struct picture *p = script_picture(&s, options);
    script_end(&s);
    return p;
}

/* ---- size ---- */

static void assert_fits(const char *text, const struct draw_options *options) {
    size_t rows = 0;
    for (const char *line = text, *end; *line; line = end + 1, rows++) {
        end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(plain_columns(line, (size_t)(end - line)) <= options->columns);
        for (const char *c = line; c < end; c++) {
            assert_true((unsigned char)*c >= 0x20);
            assert_true(!options->ascii || (unsigned char)*c < 0x7f);
        }
        assert_true(end == line || end[-1] != ' ');
    }
    assert_true(!options->rows || rows <= options->rows);
}

static void assert_all_sizes_fit(const struct picture *p) {
    static const unsigned columns[] = {20, 40, 80, 100, 200}, rows[] = {0, 1, 2, 5, 15, 24, 50};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            const struct draw_options options = {.columns = columns[i], .rows = rows[j], .ascii = j % 2};
            char *text = text_of(p, &options);
            assert_fits(text, &options);
            free(text);
        }
}

static void test_the_lecture_fits_in_any_sheet(void **state) {
    for (int which = 1; which <= 5; which++)
        for (enum picture_kind kind = PICTURE_AUTO; kind < PICTURE_KINDS; kind++) {
            struct picture *p =
                lecture_picture(which, (struct picture_options){.kind = kind, .real_numbers = which % 2});
            assert_all_sizes_fit(p);
            picture_destroy(p);
        }
}

/* States of random runs, small and large. */
static void test_random_states_fit(void **state) {
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct scenario *s = calloc(1, sizeof *s);
        struct recorder r = recorder();
        struct fold *fold = fold_create(NULL);
        struct picture *p;
        assert_true(s && fold);
        scenario_start(s, seed, &r.sink);
        scenario_run(s, seed * 150);
        for (size_t i = 0; i < r.count; i++)
            assert_int_equal(fold_apply(fold, &r.events[i]), 0);
        const struct picture_options options = {
            .kind = seed % 3 ? PICTURE_TABLES : PICTURE_AUTO, .changes = r.events, .change_count = r.count};
        assert_int_equal(picture_create(fold, &options, NULL, &p), 0);
        assert_all_sizes_fit(p);
        picture_destroy(p);
        fold_destroy(fold);
        recorder_free(&r);
        free(s);
    }
}

static void test_large_machines_fit(void **state) {
    static const uint64_t frames[] = {65, 300, 4096, 100000, 5000000};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct script s;
        script_start(&s, frames[i], 3, 1000);
        script_process(&s, 2, "/bin/program");
        script_map(&s, 2, 0x400, 200, 3, 0, 0);
        script_switch(&s, 2);
        for (uint64_t page = 0; page < 40; page++)
            script_touch_zero(&s, 2, 0x400 + page, 10 + page, UINT64_MAX);
        struct picture *p = script_picture(&s, (struct picture_options){0});
        const struct draw_options pane = {.columns = 80, .rows = 15};
        char *text = text_of(p, &pane);
        assert_fits(text, &pane);
        assert_non_null(strstr(text, "PID 2"));
        free(text);
        picture_destroy(p);
        script_end(&s);
    }
}

/* A strip that does not fit shows the pages that the step is about, however far apart they are. */
static void test_a_pane_shows_what_the_step_is_about(void **state) {
    enum { PAGES = 24, FIRST = 0x400, LAST = FIRST + 2 * (PAGES - 1) };
    struct script s;
    script_start(&s, 9, 3, 28);
    script_process(&s, 2, "/bin/program");
    for (uint64_t page = 0; page < PAGES; page++)
        script_map(&s, 2, FIRST + 2 * page, 1, 3, 0, 0);
    script_touch_zero(&s, 2, LAST, 5, 7);
    script_step(&s);
    script_emit(&s, 2, EVENT_FAULT, ACCESS_READ, 2, (uint64_t)FIRST << PAGE_SHIFT, 0, 0, 0);
    script_emit(&s, 2, EVENT_VICTIM, EVENT_VICTIM_TO_SWAP, 5, s.anonymous, 0, 0, 0);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    const struct draw_options pane = {.columns = 60, .rows = 13};
    char *text = text_of(p, &pane);
    assert_fits(text, &pane);
    assert_non_null(strstr(text, "---!"));
    assert_non_null(strstr(text, "↓PP5"));
    free(text);
    picture_destroy(p);
    script_end(&s);
}

/* ---- content ---- */

/* Line `number` (from 0) of those that begin with a text; NULL: there is none. */
static const char *line_with(const char *text, const char *begin, int number) {
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (!strncmp(line, begin, strlen(begin)) && !number--)
            return line;
    return NULL;
}

static const char *next_line(const char *line) {
    return strchr(line, '\n') + 1;
}

/* Cell `index` of a line whose cells stand between vertical bars. */
static void cell_of(const char *line, size_t index, char cell[64]) {
    const char *at = strchr(line, '|');
    for (size_t i = 0; i < index; i++)
        at = strchr(at + 1, '|');
    assert_non_null(at);
    const size_t length = strcspn(++at, "|\n");
    assert_true(length < 64 && at[length] == '|');
    memcpy(cell, at, length);
    cell[length] = 0;
    for (size_t end = length; end && cell[end - 1] == ' '; end--)
        cell[end - 1] = 0;
}

/* What the table of the text must show of an entry of the JSON. */
static void expected_access(const json_t *entry, char cell[64]) {
    snprintf(cell, 64, "%s%s%s%s", json_string_value(json_object_get(entry, "access")),
             json_is_true(json_object_get(entry, "copy_on_write")) ? "c" : "",
             json_is_true(json_object_get(entry, "faulting")) ? "!" : "",
             json_is_true(json_object_get(entry, "changed")) ? "*" : "");
    const json_int_t present = json_integer_value(json_object_get(entry, "present"));
    if (json_integer_value(json_object_get(entry, "pages")) > 1 && present)
        snprintf(cell, 64, "%d in", (int)present);
}

static void expected_target(const json_t *entry, const json_t *files, char cell[64]) {
    const char *arrow = json_string_value(json_object_get(entry, "arrow"));
    const json_t *disk = json_object_get(entry, "disk");
    cell[0] = 0;
    if (!strcmp(arrow, "frame")) {
        snprintf(cell, 64, "PP%d", (int)json_integer_value(json_object_get(entry, "frame")));
    } else if (!strcmp(arrow, "disk") &&
               !strcmp(json_string_value(json_object_get(disk, "source")), "swap")) {
        snprintf(cell, 64, ":~%d", (int)json_integer_value(json_object_get(disk, "slot")));
    } else if (!strcmp(arrow, "disk")) {
        const json_t *file = json_array_get(files, (size_t)json_integer_value(json_object_get(disk, "file")));
        snprintf(cell, 64, ":%s%d", json_string_value(json_object_get(file, "initial")),
                 (int)json_integer_value(json_object_get(disk, "page")));
    }
}

/* A cell of the row of arrows may begin with the bar that stands for a solid arrow. */
static void assert_target(const char *line, size_t index, const char *expected) {
    char plain[200] = "", cell[64];
    size_t length = 0;
    for (const char *c = line; *c != '\n' && length < sizeof plain - 1; c++)
        if (!(c[0] == '|' && c[1] == 'P'))
            plain[length++] = *c;
    plain[length] = '\n';
    cell_of(plain, index, cell);
    assert_string_equal(cell, expected);
}

static void assert_process_as_json(const char *text, const json_t *process, const json_t *files) {
    char begin[32], cell[64], expected[64];
    size_t index;
    const json_t *entry;
    snprintf(begin, sizeof begin, "PID %d ", (int)json_integer_value(json_object_get(process, "pid")));
    const char *numbers = line_with(text, begin, 0), *pages = next_line(numbers), *access = next_line(pages);
    const char *targets = next_line(access);
    assert_non_null(numbers);
    json_array_foreach(json_object_get(process, "table"), index, entry) {
        const bool folded = json_integer_value(json_object_get(entry, "pages")) > 1;
        cell_of(numbers, index, cell);
        snprintf(expected, sizeof expected, "VPN%d%s",
                 (int)json_integer_value(json_object_get(entry, "number")), folded ? "~" : "");
        assert_string_equal(cell, expected);
        cell_of(pages, index, cell);
        assert_int_equal(cell[0] == '/', json_is_false(json_object_get(entry, "mapped")));
        cell_of(access, index, cell);
        expected_access(entry, expected);
        assert_string_equal(cell, expected);
        expected_target(entry, files, expected);
        if (!folded)
            assert_target(targets, index, expected);
    }
    assert_int_equal(!strncmp(targets, "<-- CPU", 7), json_is_true(json_object_get(process, "current")));
}

static void assert_frames_as_json(const char *text, const json_t *frames, const json_t *files) {
    size_t index;
    const json_t *frame;
    json_array_foreach(frames, index, frame) {
        char expected[64];
        const json_t *disk = json_object_get(frame, "disk");
        const char *use = json_string_value(json_object_get(frame, "use"));
        const char *source = json_string_value(json_object_get(disk, "source"));
        int length = snprintf(expected, sizeof expected, "|PP%zu ", index);
        if (!strcmp(use, "reserved"))
            snprintf(expected + length, 32, "OS");
        else if (!strcmp(use, "free"))
            snprintf(expected + length, 32, "-");
        else if (source && !strcmp(source, "swap"))
            snprintf(expected + length, 32, "~%d", (int)json_integer_value(json_object_get(disk, "slot")));
        else if (source)
            snprintf(expected + length, 32, "%s%d",
                     json_string_value(json_object_get(
                         json_array_get(files, (size_t)json_integer_value(json_object_get(disk, "file"))),
                         "initial")),
                     (int)json_integer_value(json_object_get(disk, "page")));
        assert_non_null(strstr(text, expected));
    }
}

static void assert_slots_as_json(const char *text, const json_t *swap) {
    size_t index;
    const json_t *slot;
    const json_int_t first = json_integer_value(json_object_get(swap, "first"));
    const char *line = line_with(text, "~ swap", 0);
    assert_non_null(line);
    json_array_foreach(json_object_get(swap, "slots"), index, slot) {
        char expected[32];
        const bool written = json_is_true(json_object_get(slot, "written"));
        if (!written && !json_is_true(json_object_get(slot, "used")))
            continue;
        snprintf(expected, sizeof expected, " %d%s", (int)(first + (json_int_t)index), written ? "#" : "+");
        assert_non_null(strstr(line, expected));
    }
}

static void test_the_text_says_what_the_json_says(void **state) {
    const struct draw_options pane = {.columns = 200, .rows = 40, .ascii = true};
    for (int which = 1; which <= 5; which++) {
        struct picture *p = lecture_picture(which, (struct picture_options){0});
        char *text = text_of(p, &pane);
        json_t *root = json_of(p);
        const json_t *files = json_object_get(root, "files"), *process;
        size_t index;
        json_array_foreach(json_object_get(root, "processes"), index, process)
            assert_process_as_json(text, process, files);
        assert_frames_as_json(text, json_object_get(root, "frames"), files);
        assert_slots_as_json(text, json_object_get(root, "swap"));
        json_decref(root);
        free(text);
        picture_destroy(p);
    }
}

static void test_the_free_pool_and_the_sentence(void **state) {
    struct picture *p = lecture_picture(1, (struct picture_options){0});
    char *text = text_of(p, &(struct draw_options){0});
    assert_non_null(strstr(text, "free pool: PP7\n"));
    free(text);
    picture_destroy(p);
    p = lecture_picture(3, (struct picture_options){0});
    text = text_of(p, &(struct draw_options){0});
    assert_non_null(strstr(text, "free pool: empty\n"));
    assert_int_equal(strncmp(text, "The OS picks a victim: PP3, PID 7's VPN6\n", 41), 0);
    free(text);
    text = text_of(p, &(struct draw_options){.columns = 80, .rows = 15});
    assert_null(strstr(text, "picks a victim")); /* a pane has its sentence elsewhere */
    free(text);
    picture_destroy(p);
}

/* Captions of several sentences are broken between words, and never cut. */
static void test_a_long_caption_is_wrapped(void **state) {
    static const char caption[] =
        "The program asked for more heap with brk and then touched it: the page is filled "
        "with zeros, and the free pool is empty now. 漢字漢字漢字漢字漢字漢字漢字漢字";
    struct script s;
    struct picture *p;
    script_picture_012(&s);
    assert_int_equal(picture_create(s.fold, &(struct picture_options){0}, caption, &p), 0);
    const struct draw_options narrow = {.columns = 30};
    char *text = text_of(p, &narrow);
    assert_fits(text, &narrow);
    char *end = strstr(text, "\n\n");
    assert_non_null(end);
    *end = 0;
    struct text words = {0};
    for (const char *word = caption, *next; *word; word = next + strspn(next, " \n")) {
        next = word + strcspn(word, " \n");
        text_bytes(&words, word, (size_t)(next - word));
    }
    size_t length = 0; /* of the caption as drawn, without blanks */
    for (char *c = text; *c; c++)
        if (*c != ' ' && *c != '\n')
            text[length++] = *c;
    assert_int_equal(length, words.length);
    assert_memory_equal(text, words.bytes, length);
    text_free(&words);
    free(text);
    picture_destroy(p);
    script_end(&s);
}

/* Colour is never the only channel: without it, nothing is missing. */
static void test_colour_adds_nothing_but_colour(void **state) {
    struct picture *p = lecture_picture(5, (struct picture_options){0});
    char *plain = text_of(p, &(struct draw_options){0}),
         *coloured = text_of(p, &(struct draw_options){.colour = true});
    char *to = coloured;
    assert_non_null(strstr(coloured, "\033[0;"));
    for (const char *from = coloured; *from; from++) {
        if (*from == '\033')
            from = strchr(from, 'm');
        else
            *to++ = *from;
    }
    *to = 0;
    assert_string_equal(coloured, plain);
    free(plain);
    free(coloured);
    picture_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lecture_fits_in_any_sheet),
        cmocka_unit_test(test_random_states_fit),
        cmocka_unit_test(test_large_machines_fit),
        cmocka_unit_test(test_a_pane_shows_what_the_step_is_about),
        cmocka_unit_test(test_the_text_says_what_the_json_says),
        cmocka_unit_test(test_the_free_pool_and_the_sentence),
        cmocka_unit_test(test_a_long_caption_is_wrapped),
        cmocka_unit_test(test_colour_adds_nothing_but_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
