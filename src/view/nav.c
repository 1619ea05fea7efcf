/* The walker: see nav.h, and nav-state.h for what it keeps. This file walks; nav-ask.c asks.
 *
 *              key that finds no event yet                      c
 *   STANDING ───────────────────────────────► SEEKING    ┌──────────────► FOLLOWING
 *      ▲ │  ◄──── nav_arrived(): found, or ended ──┘  │      STANDING ◄──── nav_arrived(): ended
 *      │ └── a key: walks in the film                 └── a key: NAV_PAUSE, then FOLLOWING up to the next key
 *
 * Only a live machine leaves STANDING: of a recording, everything is there or will never be. */
#include "view/nav.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "trace/schema.h"
#include "view/nav-state.h"

int nav_create(struct film *film, bool live, struct nav **ret_nav) {
    struct nav *nav = calloc(1, sizeof *nav);
    if (!nav)
        return -ENOMEM;
    nav->film = film;
    nav->live = live;
    *ret_nav = nav;
    return 0;
}

void nav_destroy(struct nav *nav) {
    free(nav);
}

void nav_say(struct nav *nav, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(nav->message, sizeof nav->message, format, arguments);
    va_end(arguments);
}

enum nav_result nav_failed(struct nav *nav, int error) {
    if (error == -EAGAIN)
        return NAV_FETCH;
    if (error == -ENOMEM)
        nav_say(nav, "There is not enough memory to go there");
    else
        nav_say(nav, "The trace is damaged there (%s)", strerror(-error));
    return NAV_DRAW;
}

/* ---- places ---- */

int nav_step_before(struct film *film, uint64_t n, uint64_t *ret_step) {
    static const struct goal step = {.kind = GOAL_STEP};
    struct event event;
    *ret_step = n;
    if (!n)
        return 0;
    int error = film_event(film, n, &event);
    if (error || event_is_step(&event))
        return error;
    error = film_find(film, n, true, &step, ret_step);
    if (error != -ENOENT)
        return error;
    *ret_step = 0;
    return 0;
}

struct goal nav_filtered(const struct nav *nav, enum goal_kind kind) {
    struct goal goal = {.kind = kind, .pid = nav->filter.pid, .object = nav->filter.object};
    if (kind == GOAL_STEP && nav->filter.kind) {
        goal.kind = GOAL_KIND;
        goal.event = nav->filter.kind;
    }
    return goal;
}

/* What the goal looks for, as a noun. */
static const char *goal_noun(const struct goal *goal) {
    switch (goal->kind) {
    case GOAL_STEP: return "step";
    case GOAL_FAULT: return "page fault";
    case GOAL_SERVED: return "end of a page fault";
    case GOAL_SYSCALL: return "such system call";
    case GOAL_REACHED: return "such place";
    case GOAL_SEQUENCE: return "such step";
    case GOAL_END: return "end";
    case GOAL_KIND:
    case GOALS: break;
    }
    const struct event_schema *schema = event_schema(goal->event);
    return goal->event == EVENT_VICTIM ? "victim" : schema ? schema->name : "such event";
}

static enum nav_result nav_none(struct nav *nav, const struct goal *goal, bool backwards) {
    char who[40] = "";
    if (goal->pid)
        snprintf(who, sizeof who, " of PID %u", (unsigned)goal->pid);
    const char *file = goal->object ? " with this file" : "";
    if (backwards)
        nav_say(nav, "There is no %s%s%s before this", goal_noun(goal), who, file);
    else
        nav_say(nav, "No %s%s%s follows: %s", goal_noun(goal), who, file,
                film_is_cut(nav->film) ? "the trace was cut here" : "the run has ended");
    return NAV_DRAW;
}

static enum nav_result nav_place(struct nav *nav, uint64_t n) {
    nav->position = n;
    nav->message[0] = 0;
    return NAV_DRAW;
}

static enum nav_result nav_found(struct nav *nav, uint64_t n, enum nav_asking found) {
    return found == ASK_VICTIM ? nav_ask_victim(nav, n) : nav_place(nav, n);
}

/* ---- searches ---- */

/* How many more must be passed over by a machine that stands at the end of the film. */
static int skip_left(struct nav *nav, uint64_t from, const struct goal *goal, uint64_t *ret_skip) {
    struct goal each = *goal;
    int error = 0;
    each.skip = 0;
    *ret_skip = goal->skip;
    while (*ret_skip && !(error = film_find(nav->film, from, false, &each, &from)))
        --*ret_skip;
    return error == -ENOENT ? 0 : error;
}

static enum nav_result nav_seek(struct nav *nav, uint64_t from, const struct goal *goal,
                                enum nav_asking found) {
    nav->goal = nav->wanted = *goal;
    int error = skip_left(nav, from, goal, &nav->goal.skip);
    if (error)
        return nav_failed(nav, error);
    nav->seek_from = from;
    nav->found = found;
    nav->mode = MODE_SEEKING;
    nav->running = true;
    nav_say(nav, "The machine runs on …");
    return NAV_RUN;
}

enum nav_result nav_search(struct nav *nav, uint64_t from, const struct goal *goal, enum nav_asking found) {
    uint64_t n;
    const bool finished = film_is_finished(nav->film); /* asked first: events may come at any time */
    const int error = film_find(nav->film, from, false, goal, &n);
    if (!error)
        return nav_found(nav, n, found);
    if (error != -ENOENT)
        return nav_failed(nav, error);
    return nav->live && !finished ? nav_seek(nav, from, goal, found) : nav_none(nav, goal, false);
}

static enum nav_result nav_back(struct nav *nav) {
    const struct goal goal = nav_filtered(nav, GOAL_STEP);
    uint64_t n;
    const int error = nav->position ? film_find(nav->film, nav->position, true, &goal, &n) : -ENOENT;
    if (error == -ENOENT)
        return nav_none(nav, &goal, true);
    return error ? nav_failed(nav, error) : nav_place(nav, n);
}

static enum nav_result nav_newest(struct nav *nav) {
    return nav_go(nav, film_events(nav->film));
}

static enum nav_result nav_first(struct nav *nav) {
    static const struct goal step = {.kind = GOAL_STEP};
    uint64_t n;
    const int error = film_find(nav->film, 0, false, &step, &n);
    if (error && error != -ENOENT)
        return nav_failed(nav, error);
    return nav_place(nav, error ? 0 : n);
}

static enum nav_result nav_continue(struct nav *nav) {
    if (!nav->live || film_is_finished(nav->film))
        return nav_newest(nav);
    const enum nav_result result = nav_newest(nav);
    if (result != NAV_DRAW)
        return result;
    nav->mode = MODE_FOLLOWING;
    nav->running = true;
    nav_say(nav, "The program runs; any key that walks stops it");
    return NAV_CONTINUE;
}

enum nav_result nav_go(struct nav *nav, uint64_t n) {
    uint64_t step;
    const uint64_t events = film_events(nav->film);
    const int error = nav_step_before(nav->film, min_u64(n, events), &step);
    if (error)
        return nav_failed(nav, error);
    nav_place(nav, step);
    if (n > events)
        nav_say(nav, "There are %llu events%s", (unsigned long long)events,
                nav->live && !film_is_finished(nav->film) ? " so far" : "");
    return NAV_DRAW;
}

enum nav_result nav_find(struct nav *nav, const struct goal *goal) {
    struct nav next = *nav;
    const enum nav_result result = nav_search(&next, 0, goal, ASK_NOTHING);
    if (result != NAV_FETCH)
        *nav = next;
    return result;
}

/* ---- keys ---- */

static enum nav_result nav_toggle_labels(struct nav *nav) {
    nav->real_numbers = !nav->real_numbers;
    nav_say(nav, nav->real_numbers ? "Real page numbers" : "Symbolic page numbers");
    return NAV_DRAW;
}

static bool filter_is_empty(const struct nav_filter *filter) {
    return !filter->pid && !filter->kind && !filter->object;
}

static enum nav_result nav_next_filtered(struct nav *nav) {
    const struct goal goal = nav_filtered(nav, GOAL_STEP);
    if (filter_is_empty(&nav->filter))
        return nav_ask_filter(nav, true);
    return nav_search(nav, nav->position, &goal, ASK_NOTHING);
}

/* Keys that go somewhere, or ask where to. */
static enum nav_result nav_walk(struct nav *nav, int key) {
    struct goal goal;
    switch (key) {
    case 's':
    case NAV_RIGHT: goal = nav_filtered(nav, GOAL_STEP); break;
    case 'n': goal = nav_filtered(nav, GOAL_FAULT); break;
    case 'N': return nav_next_filtered(nav);
    case NAV_LEFT: return nav_back(nav);
    case NAV_HOME: return nav_first(nav);
    case NAV_END: return nav_newest(nav);
    case 'c': return nav_continue(nav);
    case 'g': return nav_ask_step(nav);
    case 'p':
        goal = (struct goal){.kind = GOAL_KIND, .event = EVENT_VICTIM, .pid = nav->filter.pid};
        return nav_search(nav, nav->position, &goal, ASK_VICTIM);
    default: return NAV_NOTHING;
    }
    return nav_search(nav, nav->position, &goal, ASK_NOTHING);
}

/* The machine runs for us: a key that walks stops it, and shows where it came to. */
static enum nav_result nav_interrupt(struct nav *nav) {
    const enum nav_result result = nav_newest(nav);
    if (result != NAV_DRAW)
        return result;
    nav->mode = MODE_FOLLOWING;
    nav->running = false;
    return NAV_PAUSE;
}

static bool key_walks(int key) {
    return key && ((key < 0x80 && strchr("sncNgp", key)) || key == NAV_RIGHT || key == NAV_LEFT ||
                   key == NAV_HOME || key == NAV_END || key == NAV_ESCAPE);
}

static enum nav_result nav_do(struct nav *nav, int key) {
    nav->asking = ASK_NOTHING;
    switch (key) {
    case 'l': return nav_toggle_labels(nav);
    case 'f': return nav_ask_filter(nav, false);
    case 'e': return NAV_EXPORT;
    case '?': return NAV_HELP;
    case 'q': return NAV_QUIT;
    default: break;
    }
    if (!key_walks(key))
        return NAV_NOTHING;
    if (nav->running)
        return nav_interrupt(nav);
    nav->mode = MODE_STANDING;
    return nav_walk(nav, key);
}

enum nav_result nav_key(struct nav *nav, int key) {
    struct nav next = *nav;
    const enum nav_result result = nav_do(&next, key);
    if (result != NAV_FETCH)
        *nav = next;
    return result;
}

enum nav_result nav_answer(struct nav *nav, const char *line) {
    struct nav next = *nav;
    const enum nav_result result = nav_take_answer(&next, line);
    if (result != NAV_FETCH)
        *nav = next;
    return result;
}

/* ---- a live machine has run on ---- */

static void nav_stand(struct nav *nav) {
    nav->mode = MODE_STANDING;
    nav->running = false;
}

static enum nav_result nav_sought(struct nav *nav) {
    uint64_t n;
    const bool finished = film_is_finished(nav->film);
    const uint64_t events = film_events(nav->film);
    const int error = film_find(nav->film, nav->seek_from, false, &nav->wanted, &n);
    if (error == -ENOENT && !finished) {
        if (!nav->wanted.skip) /* else those that were passed over would not be counted again */
            nav->seek_from = events;
        return NAV_NOTHING;
    }
    nav_stand(nav);
    if (error == -ENOENT)
        return nav_none(nav, &nav->wanted, false);
    return error ? nav_failed(nav, error) : nav_found(nav, n, nav->found);
}

static enum nav_result nav_followed(struct nav *nav) {
    uint64_t step;
    const bool finished = film_is_finished(nav->film);
    const int error = nav_step_before(nav->film, film_events(nav->film), &step);
    if (error)
        return nav_failed(nav, error);
    const bool moved = step != nav->position;
    nav->position = step;
    if (finished) {
        nav_stand(nav);
        nav_say(nav, "The run has ended");
    } else if (!nav->running) {
        nav->message[0] = 0;
    }
    return moved || finished ? NAV_DRAW : NAV_NOTHING;
}

enum nav_result nav_arrived(struct nav *nav) {
    struct nav next = *nav;
    enum nav_result result = NAV_NOTHING;
    switch (nav->mode) {
    case MODE_STANDING: return NAV_NOTHING;
    case MODE_SEEKING: result = nav_sought(&next); break;
    case MODE_FOLLOWING: result = nav_followed(&next); break;
    }
    if (result != NAV_FETCH)
        *nav = next;
    return result;
}

/* ---- looking at it ---- */

const char *nav_question(const struct nav *nav) {
    return nav->asking ? nav->question : "";
}

const struct goal *nav_goal(const struct nav *nav) {
    return &nav->goal;
}

void nav_set_filter(struct nav *nav, const struct nav_filter *filter) {
    nav->filter = *filter;
}

uint64_t nav_position(const struct nav *nav) {
    return nav->position;
}

const char *nav_message(const struct nav *nav) {
    return nav->message;
}

bool nav_real_numbers(const struct nav *nav) {
    return nav->real_numbers;
}

void nav_score(const struct nav *nav, unsigned *ret_right, unsigned *ret_asked) {
    *ret_right = nav->right;
    *ret_asked = nav->asked;
}
