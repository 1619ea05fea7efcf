/* How long a picture takes, from the fold to the SVG: the lecture's, one of 64 frames, a heat map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "script.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(struct script *s, const char *name) {
    enum { ROUNDS = 200 };
    size_t size = 0;
    const double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        struct picture *p = script_picture(s, (struct picture_options){0});
        struct text t = {0};
        draw_svg(p, &(struct draw_options){.interactive = true}, &t);
        size = t.length;
        text_free(&t);
        picture_destroy(p);
    }
    printf("%-24s %6.2f ms a picture, %zu KiB\n", name, (now() - start) * 1000 / ROUNDS, size / 1024);
    script_end(s);
}

static void lecture(struct script *s) {
    script_picture_012(s);
    script_picture_013(s);
    script_picture_014(s);
    script_picture_015(s);
}

/* Two processes that share half of their pages; every frame is in use. */
static void full(struct script *s, unsigned frames) {
    script_start(s, frames, 3, 100000);
    script_process(s, 5, "/bin/one");
    script_process(s, 6, "/bin/two");
    script_object(s, 1, "/lib/library", frames);
    script_map(s, 5, 0x1000, frames, ACCESS_READ, 1, 0);
    script_map(s, 6, 0x1000, frames, ACCESS_READ, 1, 0);
    script_map(s, 5, 0x100000, frames, ACCESS_READ | ACCESS_WRITE, 0, 0);
    for (unsigned i = 3; i < frames; i++) {
        if (i % 2)
            script_touch_zero(s, 5, 0x100000 + i, i, i);
        else
            script_touch_file(s, 5, 0x1000 + i, i, 1, i, ACCESS_READ);
    }
    for (unsigned i = 4; i < frames; i += 2)
        script_emit(s, 6, EVENT_PTE, 0, 6, 0x1000 + i, 0, pte_make_present((pfn_t){i}, ACCESS_READ, 0).v, 0);
    script_switch(s, 6);
}

int main(void) {
    struct script s;
    lecture(&s);
    measure(&s, "lecture, 9 frames");
    full(&s, 64);
    measure(&s, "64 frames");
    full(&s, 4096);
    measure(&s, "4096 frames");
    full(&s, 65536);
    measure(&s, "65536 frames");
}
