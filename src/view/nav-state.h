/* Inside the walker: its state, shared by nav.c (walking) and nav-ask.c (questions). Nobody else includes it.
 *
 * A key works on a copy of this state, which takes the place of the original when the key is done. So a key
 * that ends in NAV_FETCH has changed nothing, and is given again. That is why nothing here is allocated. */
#ifndef VIEW_NAV_STATE_H
#define VIEW_NAV_STATE_H

#include "view/nav.h"

enum nav_mode {
    MODE_STANDING,
    MODE_SEEKING,   /* the machine runs to `goal` */
    MODE_FOLLOWING, /* the newest step is shown, whatever happens */
};

enum nav_asking { ASK_NOTHING, ASK_STEP, ASK_FILTER, ASK_VICTIM };

enum { NAV_LINE = 240 }; /* bytes of a message or question */

struct nav {
    struct film *film; /* not owned */
    bool live;
    uint64_t position; /* 0, or an event that there is */
    bool real_numbers;
    struct nav_filter filter;
    enum nav_mode mode;
    bool running; /* the machine runs because this walker said so */
    /* MODE_SEEKING */
    struct goal goal;      /* for the machine, which counts from where it is */
    struct goal wanted;    /* the same, counted from `seek_from` */
    uint64_t seek_from;    /* event; those up to it do not meet the goal */
    enum nav_asking found; /* what to do there: ASK_VICTIM, or ASK_NOTHING: just show it */
    /* questions */
    enum nav_asking asking;
    bool then_walk;  /* ASK_FILTER was asked by N, which goes on afterwards */
    uint64_t victim; /* ASK_VICTIM: the event that gives the answer */
    unsigned right, asked;
    char message[NAV_LINE], question[NAV_LINE];
};

__attribute__((format(printf, 2, 3))) void nav_say(struct nav *, const char *format, ...);
/* A film's error as a result: NAV_FETCH, or NAV_DRAW with a message. */
enum nav_result nav_failed(struct nav *, int error);
/* The step at event n or the nearest before it, 0: none. 0 or -errno. */
int nav_step_before(struct film *, uint64_t n, uint64_t *ret_step);
/* Goes to the nearest event after `from` that meets the goal; `found` as in struct nav. */
enum nav_result nav_search(struct nav *, uint64_t from, const struct goal *, enum nav_asking found);
/* The filter as a goal of this kind. */
struct goal nav_filtered(const struct nav *, enum goal_kind);

/* nav-ask.c */
enum nav_result nav_ask_step(struct nav *);
enum nav_result nav_ask_filter(struct nav *, bool then_walk);
/* At the step before `victim`, an event of kind EVENT_VICTIM. */
enum nav_result nav_ask_victim(struct nav *, uint64_t victim);
enum nav_result nav_take_answer(struct nav *, const char *line);

#endif
