/* Drawing: the same bytes every time, no name escapes, colours are readable, and no sequence of events,
 * however absurd, stops it. That SVG says what JSON says is run-svg.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../trace/scenario.h"
#include "base/rng.h"
#include "script.h"
#include "view/palette.h"

static struct text drawn(const struct picture *p, const struct draw_options *options) {
    struct text t = {0};
    draw_svg(p, options, &t);
    text_bytes(&t, "", 1);
    assert_false(t.failed);
    return t;
}

static void lecture_018(struct script *s) {
    script_picture_012(s);
    script_picture_013(s);
    script_picture_014(s);
    script_picture_015(s);
    script_picture_016(s);
    script_picture_017(s);
    script_picture_018(s);
}

static void test_same_bytes(void **state) {
    struct script s;
    lecture_018(&s);
    for (enum picture_kind kind = PICTURE_AUTO; kind < PICTURE_KINDS; kind++) {
        for (enum palette palette = 0; palette < PALETTES; palette++) {
            const struct draw_options options = {.palette = palette, .projector = kind % 2};
            struct picture *p = script_picture(&s, (struct picture_options){.kind = kind});
            struct picture *again = script_picture(&s, (struct picture_options){.kind = kind});
            struct text a = drawn(p, &options), b = drawn(again, &options);
            assert_string_equal(a.bytes, b.bytes);
            text_free(&a);
            text_free(&b);
            picture_destroy(p);
            picture_destroy(again);
        }
    }
    script_end(&s);
}

/* ---- names ---- */

static const char evil[] = "/tmp/<script>alert('&')</script>\"\x01\x7f\xff\xed\xa0\x80\xe2\x80\xae";

static void test_names_are_escaped(void **state) {
    struct script s;
    script_start(&s, 9, 3, 28);
    script_process(&s, 5, evil);
    script_object(&s, 1, evil, 3);
    script_map(&s, 5, 0x400, 3, ACCESS_READ, 1, 0);
    script_switch(&s, 5);
    script_touch_file(&s, 5, 0x400, 3, 1, 0, ACCESS_READ);
    for (enum picture_kind kind = PICTURE_AUTO; kind < PICTURE_KINDS; kind++) {
        struct picture *p = script_picture(&s, (struct picture_options){.kind = kind});
        struct text t = drawn(p, &(struct draw_options){.interactive = true});
        assert_null(strstr(t.bytes, "<script"));
        assert_null(strchr(t.bytes, '\x01'));
        assert_null(strchr(t.bytes, '\x7f'));
        assert_null(strstr(t.bytes, "\xff"));
        assert_null(strstr(t.bytes, "\xed\xa0"));
        assert_null(strstr(t.bytes, "\xe2\x80\xae")); /* would turn the text around */
        text_free(&t);
        picture_destroy(p);
    }
    script_end(&s);
}

/* Nothing that a page would run or fetch. */
static void test_no_scripts_no_references(void **state) {
    struct script s;
    lecture_018(&s);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    struct text t = drawn(p, &(struct draw_options){.interactive = true});
    assert_null(strstr(t.bytes, "href"));
    assert_null(strstr(t.bytes, " on"));
    assert_null(strstr(t.bytes, "<style"));
    const char *address = strstr(t.bytes, "http");
    assert_ptr_equal(address, strstr(t.bytes, "http://www.w3.org/2000/svg"));
    assert_null(strstr(address + 1, "http"));
    text_free(&t);
    picture_destroy(p);
    script_end(&s);
}

/* ---- exercises ---- */

/* A picture with blanks has no ring, no victim, no sentence: they would give answers away. */
static void test_blanks_hide_marks(void **state) {
    struct script s;
    script_picture_012(&s);
    script_picture_013(&s);
    script_picture_014(&s);
    script_picture_015(&s);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    struct blank *blank;
    const unsigned parts =
        BLANK_VICTIM | BLANK_PTES | BLANK_FRAMES | BLANK_POOL | BLANK_SWAP | BLANK_REGISTER;
    assert_int_equal(blank_create(p, parts, 1, &blank), 0);
    struct text open = drawn(p, &(struct draw_options){0}),
                t = drawn(p, &(struct draw_options){.blank = blank});
    assert_non_null(strstr(open.bytes, "data-ring"));
    assert_non_null(strstr(open.bytes, ">victim<"));
    assert_null(strstr(t.bytes, "data-ring"));
    assert_null(strstr(t.bytes, ">victim<"));
    assert_null(strstr(t.bytes, p->narration));
    assert_non_null(strstr(t.bytes, ">(1)<"));
    text_free(&open);
    text_free(&t);
    blank_destroy(blank);
    picture_destroy(p);
    script_end(&s);
}

/* ---- colours ---- */

static double channel(const char *hex) {
    const char digits[3] = {hex[0], hex[1], 0};
    const double c = (double)strtoul(digits, NULL, 16) / 255;
    if (c <= 0.03928)
        return c / 12.92;
    /* ((c + 0.055) / 1.055) ^ 2.4 by square roots: x^2.4 is about x^2 * x^0.4, bounded by x^2.5 and x^2. */
    const double x = (c + 0.055) / 1.055;
    double root = x;
    for (int i = 0; i < 30; i++) /* Newton's: the fifth root of x^12 is x^2.4 */
        root -= (root * root * root * root * root - x * x) / (5 * root * root * root * root);
    return x * x * root; /* root = x^0.4 */
}

static double luminance(const char *colour) {
    assert_int_equal(colour[0], '#');
    return 0.2126 * channel(colour + 1) + 0.7152 * channel(colour + 3) + 0.0722 * channel(colour + 5);
}

/* Contrast as WCAG 2.1 defines it. */
static double contrast(const char *a, const char *b) {
    const double x = luminance(a), y = luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

static void assert_readable(struct shade shade) {
    assert_true(contrast(shade.fill, shade.ink) >= 4.5);
}

static void test_colours(void **state) {
    assert_true(contrast("#000000", "#ffffff") > 20.9 && contrast("#767676", "#ffffff") < 4.6);
    for (enum palette palette = 0; palette < PALETTES; palette++) {
        const struct palette_shades *s = palette_shades(palette);
        const struct shade shades[] = {s->anonymous, s->system, s->table, s->free,
                                       s->area,      s->disk,   s->cpu,   s->paper};
        for (size_t i = 0; i < sizeof shades / sizeof *shades; i++)
            assert_readable(shades[i]);
        for (size_t i = 0; i < PICTURE_COLOURS; i++) {
            assert_readable(s->files[i]);
            for (size_t j = 0; j < i && !s->hatched_files; j++)
                assert_string_not_equal(s->files[i].fill, s->files[j].fill);
        }
        assert_true(contrast(s->faint, s->paper.fill) >= 4.5);
        assert_true(contrast(s->ring, s->paper.fill) >= 3);
        assert_int_equal(palette_parse(palette_name(palette)), palette);
    }
    assert_int_equal(palette_parse("rainbow"), PALETTES);
}

/* ---- absurd events ---- */

static uint64_t some_argument(struct rng *rng) {
    switch (rng_below(rng, 6)) {
    case 0: return rng_next(rng);
    case 1: return rng_below(rng, 1 << 20);
    case 2: return pte_make_present((pfn_t){(uint32_t)rng_below(rng, 70)}, 3, 0).v;
    case 3: return pte_make_swapped((slot_t){(uint32_t)rng_below(rng, 70)}, 3, 0).v;
    case 4: return page_id_of_object((uint32_t)rng_below(rng, 5), rng_below(rng, 20)).n;
    default: return rng_below(rng, 12);
    }
}

static void draw_all_ways(const struct fold *f, const struct event *last, struct rng *rng) {
    struct picture *p;
    const struct picture_options options = {
        .kind = (enum picture_kind)rng_below(rng, PICTURE_KINDS),
        .real_numbers = rng_below(rng, 2),
        .changes = last,
        .change_count = 1,
    };
    assert_int_equal(picture_create(f, &options, NULL, &p), 0);
    const struct draw_options draw = {
        .palette = (enum palette)rng_below(rng, PALETTES),
        .projector = rng_below(rng, 2),
        .interactive = rng_below(rng, 2),
    };
    struct text t = {0};
    draw_svg(p, &draw, &t);
    draw_json(p, &draw, &t);
    assert_false(t.failed);
    text_free(&t);
    picture_destroy(p);
}

static void absurd_run(uint64_t seed, unsigned events) {
    struct rng rng = {seed};
    struct script s;
    static const uint64_t frames[] = {0, 1, 9, 64, 65, 5000, 1 << 20};
    script_start(&s, frames[rng_below(&rng, 7)], 0, rng_below(&rng, 100));
    for (unsigned i = 0; i < events; i++) {
        uint64_t a[5];
        for (int j = 0; j < 5; j++)
            a[j] = some_argument(&rng);
        enum event_kind kind = (enum event_kind)rng_below(&rng, EVENT_KINDS);
        if (kind == EVENT_STRING) /* a string that is announced very long must not arrive */
            a[1] %= 100;
        script_emit(&s, (uint32_t)rng_below(&rng, 6), kind, (unsigned)rng_below(&rng, 40), a[0], a[1], a[2],
                    a[3], a[4]);
        if (i % 16 == 0)
            draw_all_ways(s.fold, &s.events[s.count - 1], &rng);
    }
    script_end(&s);
}

static void test_absurd_events(void **state) {
    for (uint64_t seed = 1; seed <= 40; seed++)
        absurd_run(seed, 400);
}

/* A picture of states that do happen. */
static void test_random_states(void **state) {
    struct scenario *sc = malloc(sizeof *sc);
    struct recorder r = recorder();
    struct rng rng = {7};
    scenario_start(sc, 3, &r.sink);
    scenario_run(sc, 6000);
    struct fold *f = fold_create(NULL);
    for (size_t i = 0; i < r.count; i++) {
        assert_int_equal(fold_apply(f, &r.events[i]), 0);
        if (i % 41 == 0)
            draw_all_ways(f, &r.events[i], &rng);
    }
    fold_destroy(f);
    scenario_stop(sc);
    recorder_free(&r);
    free(sc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_names_are_escaped),
        cmocka_unit_test(test_no_scripts_no_references),
        cmocka_unit_test(test_blanks_hide_marks),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_absurd_events),
        cmocka_unit_test(test_random_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
