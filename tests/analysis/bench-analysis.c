/* How fast the analyses are: references a second on one core, of each, over strings in memory.
 *
 *   bench-analysis [PAGES] [REFERENCES]      a table; the median of three rounds
 *
 * `uniform` refers to every page with the same probability; `zipf` to the k-th with one proportional to 1 /
 * k; `loop` to one after the other. One reference in four writes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/lru_stack.h"
#include "analysis/masks.h"
#include "analysis/opt_stack.h"
#include "analysis/simulate.h"
#include "base/base.h"
#include "base/rng.h"
#include "policy/policies.h"

enum { ROUNDS = 3 };

struct string {
    const char *name;
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

static struct string string_make(const char *name, uint32_t pages, size_t count) {
    struct string s = {.name = name, .count = count, .page_count = pages};
    struct rng rng = {1};
    s.items = need(calloc(count, sizeof *s.items));
    s.pages = need(calloc(pages, sizeof *s.pages));
    for (size_t i = 0; i < count; i++) {
        s.items[i].instruction = i;
        s.items[i].page = name[0] == 'u'   ? (uint32_t)rng_below(&rng, pages)
                          : name[0] == 'z' ? zipf(&rng, pages)
                                           : (uint32_t)(i % pages);
        s.items[i].flags = rng_below(&rng, 4) ? ACCESS_READ : ACCESS_WRITE;
    }
    return s;
}

static int double_compare(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void report(const char *what, const struct string *string, double *seconds) {
    qsort(seconds, ROUNDS, sizeof *seconds, double_compare);
    printf("%-28s %-8s %8.1f M/s\n", what, string->name, (double)string->count / seconds[ROUNDS / 2] / 1e6);
    fflush(stdout);
}

static void bench_lru(const struct string *string) {
    double seconds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct lru_stack *s;
        const double start = now();
        if (lru_stack_create(false, &s) || lru_stack_add_pages(s, string->pages, string->page_count) ||
            lru_stack_feed(s, string->items, string->count))
            abort();
        seconds[i] = now() - start;
        lru_stack_destroy(s);
    }
    report("lru, all sizes", string, seconds);
}

/* 64 sizes in equal steps. */
static void bench_opt(const struct string *string) {
    double seconds[ROUNDS];
    uint32_t sizes[64];
    for (uint32_t i = 0; i < 64; i++)
        sizes[i] = (uint32_t)((i + 1ULL) * string->page_count / 64);
    for (int i = 0; i < ROUNDS; i++) {
        struct opt_stack *s;
        const double start = now();
        if (opt_stack_create(false, sizes, 64, &s) ||
            opt_stack_add_pages(s, string->pages, string->page_count) ||
            opt_stack_feed(s, string->items, string->count))
            abort();
        seconds[i] = now() - start;
        opt_stack_destroy(s);
    }
    report("opt, 64 sizes", string, seconds);
}

static void bench_masks(const struct string *string, const struct policy_ops *policy) {
    double seconds[ROUNDS];
    uint32_t sizes[64];
    char what[80];
    for (uint32_t i = 0; i < 64; i++)
        sizes[i] = (uint32_t)((i + 1ULL) * string->page_count / 64);
    for (int i = 0; i < ROUNDS; i++) {
        struct masks *s;
        const double start = now();
        if (masks_create(policy, sizes, 64, &s) || masks_add_pages(s, string->pages, string->page_count) ||
            masks_feed(s, string->items, string->count))
            abort();
        seconds[i] = now() - start;
        masks_destroy(s);
    }
    snprintf(what, sizeof what, "%s, 64 sizes", policy->name);
    report(what, string, seconds);
}

static void bench_policy(const struct string *string, const struct policy_ops *policy, uint32_t frames) {
    double seconds[ROUNDS];
    char what[80];
    for (int i = 0; i < ROUNDS; i++) {
        const struct simulation_config config = {.policy = policy, .frames = frames};
        struct simulation *s;
        const double start = now();
        if (simulation_create(&config, &s) || simulation_add_pages(s, string->pages, string->page_count) ||
            simulation_feed(s, string->items, string->count))
            abort();
        seconds[i] = now() - start;
        simulation_destroy(s);
    }
    snprintf(what, sizeof what, "%s, %u frames", policy->name, frames);
    report(what, string, seconds);
}

int main(int argc, char **argv) {
    const uint32_t pages = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1000000;
    const size_t count = argc > 2 ? strtoul(argv[2], NULL, 0) : 8000000;
    const char *only = argc > 3 ? argv[3] : "";
    const char *const names[] = {"uniform", "zipf", "loop"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct string string = string_make(names[i], pages, count);
        if (strstr("lru-stack", only))
            bench_lru(&string);
        if (strstr("opt-stack", only))
            bench_opt(&string);
        for (const struct policy_ops *const *policy = policies; *policy; policy++)
            if (masks_can(*policy) && strstr("masks", only))
                bench_masks(&string, *policy);
        for (const struct policy_ops *const *policy = policies; *policy; policy++)
            if (strstr((*policy)->name, only))
                bench_policy(&string, *policy, pages / 4 + 1);
        free(string.items);
        free(string.pages);
    }
    return 0;
}
