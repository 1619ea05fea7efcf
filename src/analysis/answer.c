/* See answer.h. A round of simulations looks at some forty sizes in one reading; each further round looks
 * between two neighbours of the last, until they are neighbouring numbers. Policies need not be monotone, so
 * the answer is where the last size that is too slow ends, not where the first one is fast enough. */
#include "analysis/answer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/simulate.h"
#include "analysis/table_count.h"
#include "base/base.h"
#include "base/message.h"

enum { ROUND_SIZES = 40 };

struct search {
    struct refs_source *source;
    const struct answer_config *config;
    struct answer *answer;
    char **ret_message;
};

/* ---- what lives, and the floor ---- */

static int scan_floor(struct search *s) {
    struct warm_up_scan warm_up = {.wanted = s->config->warm_up};
    struct floor_scan *scan = NULL;
    struct table_count *tables = NULL;
    const struct refs_item *items;
    long count = 0;
    int error = floor_scan_create(s->source, &scan);
    if (!error)
        error = table_count_create(s->source, &tables);
    if (!error)
        error = refs_rewind(s->source);
    while (!error && (count = refs_next(s->source, &items)) > 0) {
        error = floor_scan_feed(scan, items, (size_t)count);
        if (!error)
            error = table_count_feed(tables, items, (size_t)count);
        (void)warm_up_find(&warm_up, s->source, items, (size_t)count);
    }
    if (!error && count < 0)
        error = message_fail((int)count, s->ret_message, "%s", refs_message(s->source));
    if (!error)
        error = warm_up_check(&warm_up, s->ret_message);
    if (!error) {
        s->answer->warm_up = warm_up.instruction;
        floor_scan_get(scan, &s->answer->floor);
        s->answer->page_tables = table_count_peak(tables);
    }
    floor_scan_destroy(scan);
    table_count_destroy(tables);
    return error;
}

/* ---- a round ---- */

static struct answer_point point_of(const struct search *s, uint32_t frames,
                                    const struct simulation_result *r) {
    const struct answer_config *c = s->config;
    const uint64_t zero_filled = r->cold_anonymous;
    struct answer_point point = {
        .frames = frames,
        .out_of_memory = r->out_of_memory,
        .swap_was_short = r->swap_was_short,
        .misses = r->misses,
        .cold = r->cold,
        .reads = r->misses - zero_filled,
        .writes = r->to_swap + r->to_file,
    };
    point.stall = cost_stall(&c->disk, c->page_size, point.reads, point.writes);
    point.slowdown = cost_slowdown(c->cpu_seconds, point.stall,
                                   cost_stall(&c->disk, c->page_size, r->cold - zero_filled, 0));
    return point;
}

static int by_frames(const void *a, const void *b) {
    const struct answer_point *x = a, *y = b;
    return x->frames < y->frames ? -1 : x->frames > y->frames;
}

static int add_points(struct search *s, const uint32_t *sizes, struct simulation *const *simulations,
                      size_t count) {
    struct answer *a = s->answer;
    struct answer_point *points = realloc(a->points, (a->count + count) * sizeof *points);
    if (!points)
        return -ENOMEM;
    a->points = points;
    for (size_t i = 0; i < count; i++) {
        struct simulation_result result;
        simulation_get_result(simulations[i], &result);
        points[a->count++] = point_of(s, sizes[i], &result);
    }
    qsort(points, a->count, sizeof *points, by_frames);
    return 0;
}

static int create_simulation(const struct search *s, uint32_t frames, struct simulation **ret_simulation) {
    const struct answer_config *c = s->config;
    const struct simulation_config config = {
        .policy = c->policy,
        .parameters = c->parameters,
        .frames = frames,
        .seed = c->seed,
        .no_swap = c->no_swap,
        .swap_pages = c->swap_pages,
    };
    return simulation_create(&config, ret_simulation);
}

/* Why a round failed, in words. */
static int round_failed(const struct search *s, int error, struct simulation *const *simulations,
                        size_t count) {
    for (size_t i = 0; i < count; i++)
        if (simulation_message(simulations[i]))
            return message_fail(error, s->ret_message, "%s", simulation_message(simulations[i]));
    if (refs_message(s->source))
        return message_fail(error, s->ret_message, "%s", refs_message(s->source));
    return error;
}

static int look_at(struct search *s, const uint32_t *sizes, size_t count) {
    struct warm_up_scan warm_up = {.wanted = s->config->warm_up};
    struct simulation *simulations[ROUND_SIZES];
    size_t made = 0;
    int error = 0;
    while (!error && made < count) {
        error = create_simulation(s, sizes[made], &simulations[made]);
        made += !error;
    }
    if (!error)
        error = refs_rewind(s->source);
    if (!error)
        error = simulate_all(s->source, simulations, made, s->config->threads, &warm_up);
    error = error ? round_failed(s, error, simulations, made) : add_points(s, sizes, simulations, made);
    while (made > 0)
        simulation_destroy(simulations[--made]);
    return error;
}

/* ---- the search ---- */

/* At most ROUND_SIZES numbers from `low` to `high`, both among them; in equal ratios, or in equal steps. */
static size_t spread(uint32_t low, uint32_t high, bool ratios, uint32_t sizes[ROUND_SIZES]) {
    size_t count = 0;
    const double span = (double)high - low;
    for (uint32_t i = 0; i < ROUND_SIZES; i++) {
        const double part = (double)i / (ROUND_SIZES - 1);
        const double size = ratios ? low * pow((double)high / low, part) : low + span * part;
        const uint32_t rounded = min_u32(high, (uint32_t)(size + 0.5));
        if (count == 0 || rounded > sizes[count - 1])
            sizes[count++] = rounded;
    }
    return count;
}

static bool is_alive(const struct search *s, const struct answer_point *p) {
    return !p->out_of_memory;
}

static bool is_fast(const struct search *s, const struct answer_point *p) {
    return !p->out_of_memory && p->slowdown <= s->config->slowdown;
}

/* The first point from which on all are good; `count` when the last one is not. */
static size_t first_good(const struct search *s,
                         bool (*is_good)(const struct search *, const struct answer_point *)) {
    const struct answer *a = s->answer;
    size_t i = a->count;
    while (i > 0 && is_good(s, &a->points[i - 1]))
        i--;
    return i;
}

/* Looks until the point before the first good one is its neighbour. */
static int refine(struct search *s, bool (*is_good)(const struct search *, const struct answer_point *),
                  size_t *ret_first) {
    struct answer *a = s->answer;
    for (;;) {
        const size_t first = *ret_first = first_good(s, is_good);
        if (first == 0 || first == a->count)
            return 0;
        const uint32_t low = a->points[first - 1].frames + 1, high = a->points[first].frames - 1;
        if (low > high)
            return 0;
        uint32_t sizes[ROUND_SIZES];
        const int error = look_at(s, sizes, spread(low, high, false, sizes));
        if (error)
            return error;
    }
}

/* With less somebody is killed: what is anonymous is in frames, or in swap. */
static uint32_t lowest_size(const struct answer_config *c, const struct floor_result *f) {
    uint32_t lowest = f->floor;
    if (!c->no_swap)
        lowest = c->swap_pages && c->swap_pages < f->floor ? f->floor - c->swap_pages : 1;
    return min_u32(max_u32(lowest, c->least), f->all);
}

int answer_find(struct refs_source *source, const struct answer_config *config, struct answer *ret_answer,
                char **ret_message) {
    struct answer answer = {0};
    struct search search = {source, config, &answer, ret_message};
    *ret_message = NULL;
    int error = scan_floor(&search);
    if (!error && answer.floor.all == 0)
        error = message_fail(-ENODATA, ret_message, "there is not one reference in it");
    if (!error) {
        uint32_t sizes[ROUND_SIZES];
        answer.lowest = lowest_size(config, &answer.floor);
        answer.stall_unlimited = cost_stall(&config->disk, config->page_size, answer.floor.cold_files, 0);
        error = look_at(&search, sizes, spread(answer.lowest, answer.floor.all, true, sizes));
    }
    size_t alive = 0;
    if (!error)
        error = refine(&search, is_alive, &alive);
    if (!error) {
        answer.alive = alive < answer.count ? answer.points[alive].frames : 0;
        error = refine(&search, is_fast, &answer.chosen);
    }
    if (error) {
        answer_free(&answer);
        return error;
    }
    *ret_answer = answer;
    return 0;
}

void answer_free(struct answer *answer) {
    free(answer->points);
    answer->points = NULL;
}
