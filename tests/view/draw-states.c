/* Draws states, as SVG and as JSON, for run-svg.py to compare: draw-states FOLDER.
 *
 * Random states of the make-believe machine, and the lecture's by hand, each as N.svg and N.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../trace/scenario.h"
#include "script.h"

static void write_file(const char *folder, unsigned number, const char *suffix, const struct text *t) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%u.%s", folder, number, suffix);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(t->bytes, 1, t->length, file) != t->length || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static void draw(const char *folder, unsigned number, const struct picture *p) {
    const struct draw_options options = {.interactive = true, .palette = (enum palette)(number % PALETTES)};
    struct text svg = {0}, json = {0};
    draw_svg(p, &options, &svg);
    draw_json(p, &options, &json);
    write_file(folder, number, "svg", &svg);
    write_file(folder, number, "json", &json);
    text_free(&svg);
    text_free(&json);
}

static void draw_fold(const char *folder, unsigned number, const struct fold *f, const struct event *last) {
    struct picture *p;
    const struct picture_options options = {.changes = last, .change_count = last != NULL};
    if (picture_create(f, &options, NULL, &p))
        exit(1);
    draw(folder, number, p);
    picture_destroy(p);
}

static void draw_script(const char *folder, unsigned *number, void (*const steps[])(struct script *),
                        size_t count) {
    struct script s;
    for (size_t i = 0; i < count; i++) {
        steps[i](&s);
        struct picture *p = script_picture(&s, (struct picture_options){0});
        draw(folder, (*number)++, p);
        picture_destroy(p);
    }
    script_end(&s);
}

static void draw_random(const char *folder, unsigned *number, uint64_t seed) {
    enum { EVERY = 250 };
    struct scenario *s = malloc(sizeof *s);
    struct recorder r = recorder();
    struct fold *f = fold_create(NULL);
    if (!s || !f)
        exit(1);
    scenario_start(s, seed, &r.sink);
    scenario_run(s, 3000);
    for (size_t i = 0; i < r.count; i++) {
        if (fold_apply(f, &r.events[i]))
            exit(1);
        if (i % EVERY == EVERY - 1)
            draw_fold(folder, (*number)++, f, &r.events[i]);
    }
    fold_destroy(f);
    scenario_stop(s);
    recorder_free(&r);
    free(s);
}

int main(int argc, char **argv) {
    static void (*const paging[])(struct script *) = {
        script_picture_012, script_picture_013, script_picture_014, script_picture_015,
        script_picture_016, script_picture_017, script_picture_018,
    };
    static void (*const sharing[])(struct script *) = {script_picture_019, script_picture_020,
                                                       script_picture_021, script_picture_022};
    unsigned number = 0;
    if (argc != 2)
        return 2;
    draw_script(argv[1], &number, paging, 7);
    draw_script(argv[1], &number, sharing, 4);
    for (uint64_t seed = 1; seed <= 5; seed++)
        draw_random(argv[1], &number, seed);
    printf("%u\n", number);
    return 0;
}
