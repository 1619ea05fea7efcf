/* random-states SEED EVENTS STATES: draws random states of a random run natively, for wasm.mjs, which draws
 * the same ones with page.wasm and compares. To standard output, numbers of 32 bits little-endian:
 *
 *   count of events, the events, then for each state: its event, the palette, what follows' length, the SVG;
 *   length, the JSON; length, the text */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/store.h"
#include "scenario.h"
#include "view/nav.h"

static void put(const void *bytes, size_t length) {
    if (fwrite(bytes, 1, length, stdout) != length)
        exit(EXIT_FAILURE);
}

static void put_number(uint64_t number) {
    uint32_t small = (uint32_t)number;
    put(&small, sizeof small);
}

static void put_drawing(const struct picture *picture, const struct draw_options *options,
                        void (*draw)(const struct picture *, const struct draw_options *, struct text *)) {
    struct text t = {0};
    draw(picture, options, &t);
    if (t.failed)
        exit(EXIT_FAILURE);
    put_number(t.length);
    put(t.bytes, t.length);
    text_free(&t);
}

static void put_state(struct nav *nav, uint64_t n, enum palette palette) {
    struct draw_options options = {.palette = palette, .projector = n & 1, .interactive = true};
    if (nav_go(nav, n) != NAV_DRAW)
        exit(EXIT_FAILURE);
    struct picture *picture = nav_picture(nav, &(struct picture_options){0});
    if (!picture)
        exit(EXIT_FAILURE);
    put_number(n);
    put_number(palette);
    put_drawing(picture, &options, draw_svg);
    options.interactive = false; /* as page.wasm has it for what is not hovered over */
    put_drawing(picture, &options, draw_json);
    put_drawing(picture, &options, draw_text);
    picture_destroy(picture);
}

static struct nav *nav_of(const struct recorder *recorded) {
    struct store *store;
    struct film *film;
    struct nav *nav;
    if (store_create(false, &store) || store_film(store, scenario_header(), &film) ||
        store_add_events(store, 1, recorded->events, recorded->count))
        exit(EXIT_FAILURE);
    store_set_length(store, recorded->count, true, false);
    if (nav_create(film, false, &nav))
        exit(EXIT_FAILURE);
    return nav;
}

int main(int argc, char **argv) {
    static struct scenario s;
    struct recorder recorded = recorder();
    if (argc != 4)
        return EXIT_FAILURE;
    scenario_start(&s, strtoull(argv[1], NULL, 10), &recorded.sink);
    scenario_run(&s, strtoull(argv[2], NULL, 10));
    scenario_stop(&s);
    put_number(recorded.count);
    put(recorded.events, recorded.count * sizeof *recorded.events);
    struct nav *nav = nav_of(&recorded);
    struct rng rng = {1};
    for (unsigned long i = strtoul(argv[3], NULL, 10); i; i--)
        put_state(nav, rng_below(&rng, recorded.count) + 1, (enum palette)(i % PALETTES));
    return EXIT_SUCCESS;
}
