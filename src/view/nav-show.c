/* What the walker shows: the picture of its place with marks, advice about the size, the keys. */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "view/nav-state.h"

enum { CHANGES_MOST = 65536 }; /* events of one step that are looked at for marks: the last ones */

/* The event behind which the changes of the step at event n begin. 0 or -errno. */
static int changes_begin(struct film *film, uint64_t n, uint64_t *ret_before) {
    *ret_before = 0;
    if (n < 2)
        return 0;
    const int error = nav_step_before(film, n - 1, ret_before);
    if (n - *ret_before > CHANGES_MOST)
        *ret_before = n - CHANGES_MOST;
    return error;
}

/* Events before + 1 … n: *ret_events is malloc'd, or NULL when there are none. 0 or -errno. */
static int changes_read(struct film *film, uint64_t before, uint64_t n, struct event **ret_events) {
    const size_t count = n - before;
    *ret_events = NULL;
    if (!count)
        return 0;
    struct event *events = calloc(count, sizeof *events);
    if (!events)
        return -ENOMEM;
    for (size_t done = 0, got; done < count; done += got) {
        int error = film_read(film, before + 1 + done, events + done, count - done, &got);
        if (!error && !got)
            error = -EBADMSG;
        if (error) {
            free(events);
            return error;
        }
    }
    *ret_events = events;
    return 0;
}

int nav_picture_at(struct film *film, uint64_t n, const struct picture_options *base, const char *caption,
                   struct picture **ret_picture) {
    struct picture_options options = *base;
    struct event *events = NULL;
    const struct fold *fold;
    int error = changes_begin(film, n, &options.before);
    if (!error)
        error = changes_read(film, options.before, n, &events);
    if (!error)
        error = film_state(film, n, &fold);
    options.changes = events;
    options.change_count = n - options.before;
    if (!error)
        error = picture_create(fold, &options, caption, ret_picture);
    free(events);
    return error;
}

struct picture *nav_picture(struct nav *nav, const struct picture_options *base) {
    struct picture_options options = *base;
    struct picture *picture;
    options.real_numbers = nav->real_numbers;
    return nav_picture_at(nav->film, nav->position, &options, NULL, &picture) ? NULL : picture;
}

bool nav_put_advice(struct nav *nav, struct text *t) {
    const struct fold *fold;
    if (film_state(nav->film, nav->position, &fold) || fold->frame_total <= PICTURE_FRAMES)
        return false;
    const uint64_t in_use = fold->frame_total - fold->frames_by_use[EVENT_FRAME_FREE];
    const bool fits = in_use <= PICTURE_FRAMES;
    text_number(t, fold->frame_total);
    text_put(t, " frames are too many to draw one by one (64 are not): they are shown as a map. ");
    text_number(t, in_use);
    text_put(t, " of them are in use here: try -n ");
    text_number(t, fits ? max_u64(in_use, 9) : PICTURE_FRAMES);
    text_put(t, fits ? ", which holds them all" : ", where pages will have to be evicted");
    return true;
}

void nav_put_help(struct text *t) {
    text_put(t, "→ s      the next step\n"
                "←        the step before\n"
                "n        the next page fault\n"
                "N        the next step that passes the filter\n"
                "c        continue: to the end, or let the live program run (any key that walks stops it)\n"
                "g        go to an event by its number, or to the first fault=N, main, syscall=NAME …\n"
                "p        predict the next victim before it is shown\n"
                "f        filter: which process, kind of event, file\n"
                "l        page numbers: symbolic or real\n"
                "Home End the first step, the last step\n"
                "e        export this picture\n"
                "?        this help\n"
                "q        quit\n");
}
