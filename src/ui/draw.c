/* `thimble draw`: pictures of a recorded run, as files.
 *
 * Every picture is made before anything is written, so that a step that does not exist leaves no files; of a
 * series each picture is written as soon as it is made, as it may be long. */
#include "ui/commands.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/explain.h"
#include "ui/draw.h"
#include "ui/export.h"
#include "ui/options.h"
#include "ui/recording.h"
#include "view/nav.h"

/* ---- which steps ---- */

/* Whether the place that was reached was watched under this name. 0 or the film's -errno. */
static int place_has_name(struct film *film, uint64_t reached, const char *name, bool *ret_has) {
    const struct fold *fold;
    struct event event;
    int error = film_event(film, reached, &event);
    if (!error)
        error = film_state(film, reached, &fold);
    if (error)
        return error;
    const struct trace_text *text = fold_string(fold, event.args[2]);
    *ret_has = text && !strcmp(text->bytes, name);
    return 0;
}

/* A recording does not know where symbols are, but what the places were called that were watched. 0 or as
 * film_find(). */
static int find_symbol(struct film *film, const char *name, uint64_t *ret_n) {
    static const struct goal reached = {.kind = GOAL_KIND, .event = EVENT_REACHED};
    bool found = false;
    int error = 0;
    for (*ret_n = 0; !error && !found;) {
        error = film_find(film, *ret_n, false, &reached, ret_n);
        if (!error)
            error = place_has_name(film, *ret_n, name, &found);
    }
    return error;
}

static bool find_until(const struct draw_job *c, struct film *film, uint64_t *ret_step) {
    const int error = c->until_symbol ? find_symbol(film, c->until_symbol, ret_step)
                                      : film_find(film, 0, false, &c->until, ret_step);
    if (error == -ENOENT && c->until_symbol)
        fprintf(stderr,
                "thimble: --until %s: no place of this name was reached, or none was watched when %s was "
                "recorded\n",
                c->until_text, c->trace);
    else if (error == -ENOENT)
        fprintf(stderr, "thimble: --until %s: this never happens in %s\n", c->until_text, c->trace);
    else if (error)
        fprintf(stderr, "thimble: %s cannot be read: %s\n", c->trace, strerror(-error));
    return !error;
}

/* The events to draw: first … last, in the film. False: was reported. */
static bool find_steps(const struct draw_job *c, struct film *film, uint64_t *ret_first, uint64_t *ret_last) {
    const uint64_t events = film_events(film);
    *ret_first = c->has_steps ? c->first : events;
    *ret_last = c->has_steps ? c->last : events;
    if (c->has_until) {
        const bool found = find_until(c, film, ret_first);
        *ret_last = *ret_first;
        return found;
    }
    if (!events)
        fprintf(stderr, "thimble: %s has no events: there is nothing to draw\n", c->trace);
    else if (*ret_last > events)
        fprintf(stderr, "thimble: --step %llu: %s %s at event %llu\n", (unsigned long long)*ret_last,
                c->trace, film_is_cut(film) ? "was cut and ends" : "ends", (unsigned long long)events);
    return events && *ret_last <= events;
}

/* ---- one picture ---- */

/* The frame that the fault under way will evict, while that is still to come; UINT64_MAX: none. */
static int find_victim(struct film *film, uint64_t step, uint64_t *ret_frame) {
    static const struct goal victim = {.kind = GOAL_KIND, .event = EVENT_VICTIM};
    static const struct goal served = {.kind = GOAL_SERVED};
    uint64_t at, end;
    struct event event;
    *ret_frame = UINT64_MAX;
    int error = film_find(film, step, false, &victim, &at);
    if (error)
        return error == -ENOENT ? 0 : error;
    error = film_find(film, step, false, &served, &end);
    if (error == -ENOENT || (!error && at < end))
        error = film_event(film, at, &event);
    else
        return error;
    if (!error)
        *ret_frame = event.args[0];
    return error;
}

/* Which frame will be the victim is asked while it is still to come. */
static int mark_victim(struct film *film, uint64_t step, struct picture *picture) {
    uint64_t frame;
    for (size_t i = 0; i < picture->frame_count; i++)
        if (picture->frames[i].victim)
            return 0;
    const int error = find_victim(film, step, &frame);
    if (!error && picture->frames_per_cell == 1 && frame < picture->frame_count)
        picture->frames[frame].victim = true;
    return error;
}

static int make_picture(const struct draw_job *c, struct film *film, uint64_t step,
                        struct picture **ret_picture) {
    const struct picture_options options = {
        .kind = c->kind,
        .real_numbers = c->real_numbers,
        .pids = c->pid_count ? c->pids : NULL,
        .pid_count = c->pid_count,
    };
    int error = nav_picture_at(film, step, &options, c->caption, ret_picture);
    if (!error && c->blank_parts & BLANK_VICTIM) {
        error = mark_victim(film, step, *ret_picture);
        if (error)
            picture_destroy(*ret_picture);
    }
    return error;
}

static int report(const char *what, const char *path, int error) {
    if (error)
        fprintf(stderr, "thimble: %s%s: %s\n", what, path, export_error(error));
    return error;
}

/* ---- the key of an exercise ---- */

static const char key_title[] = "Answers to the exercise ";

/* Whether the file is there and is no key that Thimble wrote: then it is not overwritten unasked. */
static bool is_something_else(const char *path) {
    char beginning[sizeof key_title] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const size_t got = fread(beginning, 1, sizeof key_title - 1, file);
    fclose(file);
    return got && memcmp(beginning, key_title, sizeof key_title - 1) != 0;
}

/* The key's name, malloc'd: --key, or that of the picture with ".key.txt" behind it. NULL: was reported. */
static char *key_path(const struct draw_job *c, const char *output) {
    char *path = NULL;
    if (c->key)
        return strdup(c->key);
    if (asprintf(&path, "%s.key.txt", output) < 0)
        return NULL;
    if (!is_something_else(path))
        return path;
    fprintf(stderr, "thimble: %s is there already and is no key of an exercise: name another with --key\n",
            path);
    free(path);
    return NULL;
}

static int write_key(const struct draw_job *c, const char *output, const struct blank *blank) {
    struct text t = {0};
    char *path = key_path(c, output);
    if (!path)
        return -EEXIST; /* was reported */
    text_put(&t, key_title);
    text_put(&t, output);
    text_put(&t, ", seed ");
    text_number(&t, c->seed);
    text_put(&t, "\n\n");
    blank_put_key(blank, &t);
    const int error = report("the key ", path, t.failed ? -ENOMEM : export_write(path, &t));
    text_free(&t);
    free(path);
    return error;
}

/* ---- writing ---- */

/* The file of a step, malloc'd: the pattern's %d is the step. The pattern was checked by the parser. */
static char *output_path(const struct draw_job *c, uint64_t step) {
    char *path = NULL;
    if (!c->pattern.conversion)
        return strdup(c->output);
    const char *rest = c->output + c->pattern.begin + c->pattern.length;
    if (asprintf(&path, "%.*s%0*llu%s", (int)c->pattern.begin, c->output, c->pattern.width,
                 (unsigned long long)step, rest) < 0)
        return NULL;
    return path;
}

static int write_picture(const struct draw_job *c, const struct picture *picture, const struct blank *blank,
                         const char *path) {
    struct draw_options options = c->draw;
    struct text t = {0};
    options.blank = blank;
    int error = export_render(picture, &options, c->format, c->width, &t);
    if (!error)
        error = export_write(path, &t);
    text_free(&t);
    return report("", strcmp(path, "-") ? path : "standard output", error);
}

static int draw_exercise(const struct draw_job *c, const struct picture *picture, const char *path) {
    struct blank *blank;
    int error = report("", path, blank_create(picture, c->blank_parts, c->seed, &blank));
    if (error)
        return error;
    if (!blank_count(blank)) {
        fprintf(stderr, "thimble: --blank: this picture has nothing of that kind to leave blank\n");
        error = -EINVAL;
    }
    if (!error)
        error = write_key(c, path, blank);
    if (!error)
        error = write_picture(c, picture, blank, path);
    blank_destroy(blank);
    return error;
}

static int draw_step(const struct draw_job *c, struct film *film, uint64_t step) {
    struct picture *picture;
    int error = make_picture(c, film, step, &picture);
    if (error)
        return report(c->trace, " cannot be read", error);
    char *path = output_path(c, step);
    if (!path)
        error = report("", c->output, -ENOMEM);
    else
        error = c->blank_parts ? draw_exercise(c, picture, path) : write_picture(c, picture, NULL, path);
    free(path);
    picture_destroy(picture);
    return error;
}

static int draw_steps(const struct draw_job *c, struct film *film, uint64_t first, uint64_t last) {
    struct event event;
    size_t drawn = 0;
    for (uint64_t step = first; step <= last; step++) {
        int error = film_event(film, step, &event);
        if (error)
            return report(c->trace, " cannot be read", error);
        if (first != last && !event_is_step(&event))
            continue; /* of a series: every picture shows something new */
        error = draw_step(c, film, step);
        if (error)
            return error;
        drawn++;
    }
    if (!drawn)
        fprintf(stderr,
                "thimble: none of the events %llu to %llu of %s is a step of the story: nothing was drawn\n",
                (unsigned long long)first, (unsigned long long)last, c->trace);
    return drawn ? 0 : -ENOENT;
}

/* What a reader should know of the picture: it may not be the whole truth. */
static void warn(const struct draw_job *c, struct film *film, uint64_t last) {
    const struct fold *fold;
    struct text t = {0};
    if (!film_state(film, last, &fold) && fold->complaints && explain_complaint(&t, film) && !t.failed)
        fprintf(stderr, "thimble: %s: %.*s\n", c->trace, (int)t.length, t.bytes);
    text_free(&t);
}

int draw_command(int argc, char **argv, char **envp) {
    struct draw_job job;
    uint64_t first, last;
    if (!draw_options_parse(argc, argv, &job))
        return EXIT_MACHINE;
    struct film *film = recording_open(job.trace);
    if (!film)
        return EXIT_MACHINE;
    bool drawn = find_steps(&job, film, &first, &last);
    if (drawn) {
        warn(&job, film, last);
        drawn = draw_steps(&job, film, first, last) == 0;
    }
    film_destroy(film);
    return drawn ? EXIT_SUCCESS : EXIT_MACHINE;
}
