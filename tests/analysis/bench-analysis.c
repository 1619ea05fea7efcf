/* How fast the analyses and the policies are: millions of references a second on one core, of each, over
 * strings in memory.
 *
 *   bench-analysis [--rounds N] [NAME]   a table, of medians of rounds (3); NAME: rows whose names have it
 *
 * `uniform` refers to every page with the same probability; `zipf` to the k-th with one proportional to 1 /
 * k; `loop` to one after the other. One reference in four writes. Policies have a quarter of the pages as
 * frames where there are 40,000, half of them where there are more; analyses for many sizes have them all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/lru_stack.h"
#include "analysis/masks.h"
#include "analysis/opt_stack.h"
#include "analysis/sample.h"
#include "analysis/simulate.h"
#include "base/base.h"
#include "base/rng.h"
#include "policy/policies.h"

enum { ROUNDS_MAX = 99, MANY = 64, SAMPLED = 8192, MASKS_PAGES = 100000 };

struct shape {
    const char *name;
    uint32_t pages, frames;
    size_t count;
};

static const struct shape shapes[] = {
    {"uniform", 40000, 10000, 2000000},  {"zipf", 40000, 10000, 2000000},
    {"loop", 40000, 10000, 2000000},     {"uniform", 1000000, 500000, 8000000},
    {"zipf", 1000000, 500000, 8000000},  {"uniform", 2000000, 1000000, 8000000},
    {"zipf", 2000000, 1000000, 8000000},
};

struct string {
    const struct shape *shape;
    struct refs_item *items;
    struct refs_page *pages;
    size_t count;
    uint32_t page_count;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *need(void *pointer) {
    if (!pointer)
        abort();
    return pointer;
}

/* A page by Zipf's law: the integral of 1 / x, turned round. Its number says nothing of its rank. */
static uint32_t zipf(struct rng *rng, uint32_t pages) {
    const double u = (double)(rng_next(rng) >> 11) / 9007199254740992.0;
    const uint64_t rank = (uint64_t)exp(u * log((double)pages));
    return (uint32_t)(rank * 2654435761U % pages);
}

static struct string string_make(const struct shape *shape) {
    const uint32_t pages = shape->pages;
    const size_t count = shape->count;
    struct string s = {.shape = shape, .count = count, .page_count = pages};
    struct rng rng = {1};
    s.items = need(calloc(count, sizeof *s.items));
    s.pages = need(calloc(pages, sizeof *s.pages));
    for (size_t i = 0; i < count; i++) {
        s.items[i].instruction = i;
        s.items[i].page = shape->name[0] == 'u'   ? (uint32_t)rng_below(&rng, pages)
                          : shape->name[0] == 'z' ? zipf(&rng, pages)
                                                  : (uint32_t)(i % pages);
        s.items[i].flags = rng_below(&rng, 4) ? ACCESS_READ : ACCESS_WRITE;
    }
    return s;
}

static int double_compare(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* ---- rows ---- */

struct row {
    char name[64];
    double (*run)(const struct row *, const struct string *); /* seconds */
    const struct policy_ops *policy;
};

static void sizes_make(const struct string *string, uint32_t sizes[MANY]) {
    for (uint32_t i = 0; i < MANY; i++)
        sizes[i] = (uint32_t)((i + 1ULL) * string->page_count / MANY);
}

static double run_lru(const struct row *row, const struct string *string) {
    struct lru_stack *s;
    const double start = now();
    if (lru_stack_create(false, &s) || lru_stack_add_pages(s, string->pages, string->page_count) ||
        lru_stack_feed(s, string->items, string->count))
        abort();
    const double seconds = now() - start;
    lru_stack_destroy(s);
    return seconds;
}

static double run_sample(const struct row *row, const struct string *string) {
    struct sample *s;
    uint32_t sizes[MANY];
    sizes_make(string, sizes);
    const double start = now();
    if (sample_create(1, SAMPLED, sizes, MANY, &s) ||
        sample_add_pages(s, string->pages, string->page_count) ||
        sample_feed(s, string->items, string->count))
        abort();
    const double seconds = now() - start;
    sample_destroy(s);
    return seconds;
}

/* At every size. */
static double run_opt(const struct row *row, const struct string *string) {
    struct opt_stack *s;
    uint32_t *sizes = need(calloc(string->page_count, sizeof *sizes));
    for (uint32_t i = 0; i < string->page_count; i++)
        sizes[i] = i + 1;
    const double start = now();
    if (opt_stack_create(false, sizes, string->page_count, &s) ||
        opt_stack_add_pages(s, string->pages, string->page_count) ||
        opt_stack_feed(s, string->items, string->count))
        abort();
    const double seconds = now() - start;
    opt_stack_destroy(s);
    free(sizes);
    return seconds;
}

static double run_masks(const struct row *row, const struct string *string) {
    struct masks *s;
    uint32_t sizes[MANY];
    sizes_make(string, sizes);
    const double start = now();
    if (masks_create(row->policy, sizes, MANY, &s) || masks_add_pages(s, string->pages, string->page_count) ||
        masks_feed(s, string->items, string->count))
        abort();
    const double seconds = now() - start;
    masks_destroy(s);
    return seconds;
}

static double run_policy(const struct row *row, const struct string *string) {
    const struct simulation_config config = {.policy = row->policy, .frames = string->shape->frames};
    struct simulation *s;
    const double start = now();
    if (simulation_create(&config, &s) || simulation_add_pages(s, string->pages, string->page_count) ||
        simulation_feed(s, string->items, string->count))
        abort();
    const double seconds = now() - start;
    simulation_destroy(s);
    return seconds;
}

static double speed_of(const struct row *row, const struct string *string, int rounds) {
    double seconds[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        seconds[i] = row->run(row, string);
    qsort(seconds, (size_t)rounds, sizeof *seconds, double_compare);
    return (double)string->count / seconds[rounds / 2] / 1e6;
}

/* ---- the table ---- */

static size_t rows_make(struct row rows[64]) {
    size_t count = 0;
    rows[count++] = (struct row){"lru, all sizes", run_lru, NULL};
    rows[count++] = (struct row){"lru, estimated from 8192 pages", run_sample, NULL};
    rows[count++] = (struct row){"opt, all sizes", run_opt, NULL};
    for (const struct policy_ops *const *policy = policies; *policy; policy++) {
        if (!masks_can(*policy))
            continue;
        rows[count] = (struct row){"", run_masks, *policy};
        snprintf(rows[count++].name, sizeof rows->name, "%s, 64 sizes", (*policy)->name);
    }
    for (const struct policy_ops *const *policy = policies; *policy; policy++) {
        rows[count] = (struct row){"", run_policy, *policy};
        snprintf(rows[count++].name, sizeof rows->name, "%s", (*policy)->name);
    }
    return count;
}

static void table_print(const char *only, int rounds) {
    struct string strings[ARRAY_LENGTH(shapes)];
    struct row rows[64];
    const size_t count = rows_make(rows);
    printf("| M references/s |");
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
        strings[i] = string_make(&shapes[i]);
        printf(" %s, %u pages |", shapes[i].name, shapes[i].pages);
    }
    printf("\n| --- |");
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++)
        printf(" ---: |");
    for (size_t k = 0; k < count; k++) {
        if (!strstr(rows[k].name, only))
            continue;
        printf("\n| %s |", rows[k].name);
        for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
            if (rows[k].run == run_masks && shapes[i].pages > MASKS_PAGES) {
                printf(" |"); /* 64 memories of up to 2,000,000 pages: minutes */
                continue;
            }
            printf(" %.1f |", speed_of(&rows[k], &strings[i], rounds));
            fflush(stdout);
        }
    }
    printf("\n");
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
        free(strings[i].items);
        free(strings[i].pages);
    }
}

int main(int argc, char **argv) {
    int rounds = 3;
    if (argc > 2 && !strcmp(argv[1], "--rounds")) {
        rounds = atoi(argv[2]);
        argv += 2;
        argc -= 2;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "bench-analysis: give --rounds from 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    table_print(argc > 1 ? argv[1] : "", rounds);
    return 0;
}
