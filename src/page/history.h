/* How a run went, for charts: faults by kind and pages in memory by process, sampled at equal distances.
 *
 * One pass over the events, continued where it stopped when there are more. However long the run, there are
 * at most HISTORY_SAMPLES samples: when they are full every second one is dropped
 * and the distance doubles. */
#ifndef PAGE_HISTORY_H
#define PAGE_HISTORY_H

#include "trace/film.h"
#include "trace/text.h"

enum {
    HISTORY_SAMPLES = 1024,
    HISTORY_PROCESSES = 16, /* told apart; the others are counted together */
};

struct history;

/* 0 or -ENOMEM. */
int history_create(struct history **ret_history);
void history_destroy(struct history *); /* NULL is allowed */
/* Takes in the events that the film has beyond those taken in before. 0, or -errno as film_read(). */
int history_update(struct history *, struct film *);
/* Takes in one event, the next. 0 or -ENOMEM. */
int history_add(struct history *, const struct event *);
/* {"events":N,"every":K,"kinds":[…],"pids":[…],"n":[…],"instructions":[…],"faults":[[…] by kind],
 * "resident":[[…] by process]}: columns of samples. Faults are counted from the beginning of the run. The
 * last pid is 0 when there were more than HISTORY_PROCESSES: it stands for the rest. */
void history_put_json(const struct history *, struct text *);

#endif
