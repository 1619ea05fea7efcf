/* Walking through a film: the position, what each key does, the prediction game. The terminal stepper and the
 * page (compiled for the browser) use the same walker, so that the same keys do the same.
 *
 * Shown are steps (event_is_step()), each with the bookkeeping events before it. While a live machine runs
 * for the walker (NAV_RUN, NAV_CONTINUE) the next key that walks only stops it (NAV_PAUSE).
 *
 * It never waits. A key that needs events which are not there yet ends in NAV_RUN (a live machine has to run
 * on: nav_goal() says to where; call nav_arrived() when it is held again or has ended) or NAV_FETCH (a page
 * has to fetch something, see film_wanted(); give the same key again). */
#ifndef VIEW_NAV_H
#define VIEW_NAV_H

#include "trace/film.h"
#include "view/draw.h"

struct nav;

enum nav_key { /* characters are themselves */
               NAV_RIGHT = 0x100,
               NAV_LEFT,
               NAV_HOME,
               NAV_END,
               NAV_ENTER = '\n',
               NAV_ESCAPE = 27,
};

enum nav_result {
    NAV_NOTHING,  /* the key means nothing here */
    NAV_DRAW,     /* something changed: draw again */
    NAV_RUN,      /* the live machine must run to nav_goal() */
    NAV_CONTINUE, /* the live machine goes on until somebody pauses it */
    NAV_PAUSE,
    NAV_FETCH,  /* see above */
    NAV_ASK,    /* a line of input is wanted: nav_question(); then nav_answer() */
    NAV_EXPORT, /* export this picture */
    NAV_HELP,
    NAV_QUIT,
};

/* What may be looked at; N and the arrows skip what does not pass. */
struct nav_filter {
    uint32_t pid;    /* 0: all */
    uint16_t kind;   /* enum event_kind, 0: all steps */
    uint64_t object; /* 0: all */
};

/* The film must outlive it. 0 or -ENOMEM. */
int nav_create(struct film *, bool live, struct nav **ret_nav);
void nav_destroy(struct nav *);

/* Keys: → s next sub-step, ← back, n next fault, N next that passes the filter, c continue, g go to step,
 * p predict, l labels, f filter, e export, ? help, q quit. */
enum nav_result nav_key(struct nav *, int key);
const char *nav_question(const struct nav *);               /* what is asked, a line */
enum nav_result nav_answer(struct nav *, const char *line); /* NULL: no answer (escape) */
const struct goal *nav_goal(const struct nav *);
/* There are more events, or the machine is held, or the run ended. NAV_NOTHING: what is shown stays. */
enum nav_result nav_arrived(struct nav *);
enum nav_result nav_go(struct nav *, uint64_t n); /* to event n, or the step before it */
/* To the first event of the whole run that meets the goal: where --until starts. */
enum nav_result nav_find(struct nav *, const struct goal *);
void nav_set_filter(struct nav *, const struct nav_filter *);

uint64_t nav_position(const struct nav *);   /* the event whose state is shown, 0: before the first */
const char *nav_message(const struct nav *); /* a line for the user ("right: PP3", "no fault follows"), "" */
bool nav_real_numbers(const struct nav *);
void nav_score(const struct nav *, unsigned *ret_right, unsigned *ret_asked);
/* The picture here, with what this step changed marked; NULL when memory is out or NAV_FETCH is needed. The
 * caller destroys it. */
struct picture *nav_picture(struct nav *, const struct picture_options *base);
/* The picture after event n of any film, a step or not, with what the step changed marked. `caption` as for
 * picture_create(). 0, -ENOMEM or the film's -errno. */
int nav_picture_at(struct film *, uint64_t n, const struct picture_options *base, const char *caption,
                   struct picture **ret_picture);
/* When there are too many frames here to be drawn one by one: appends how many to try (-n) and why. False:
 * there is nothing to say. */
bool nav_put_advice(struct nav *, struct text *);
/* The keys and what they do, one a line: for help in both interfaces. */
void nav_put_help(struct text *);

#endif
