/* See knee.h. */
#include "analysis/knee.h"

#include <stdbool.h>
#include <stdlib.h>

struct points {
    const uint32_t *sizes;
    double *faults; /* made monotone */
    size_t count;
};

static int points_make(struct points *p, const uint32_t *sizes, const uint64_t *faults, size_t count) {
    *p = (struct points){.sizes = sizes, .faults = calloc(count, sizeof *p->faults), .count = count};
    if (!p->faults)
        return -1;
    for (size_t i = count; i-- > 0;) {
        p->faults[i] = (double)faults[i];
        if (i + 1 < count && p->faults[i] < p->faults[i + 1])
            p->faults[i] = p->faults[i + 1];
    }
    return 0;
}

/* The curve between its points, as a straight line; beyond its ends, as at them. */
static double points_at(const struct points *p, double size) {
    size_t low = 0, high = p->count - 1;
    if (size <= p->sizes[low])
        return p->faults[low];
    if (size >= p->sizes[high])
        return p->faults[high];
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        *(p->sizes[middle] <= size ? &low : &high) = middle;
    }
    const double part = (size - p->sizes[low]) / (p->sizes[high] - p->sizes[low]);
    return p->faults[low] + part * (p->faults[high] - p->faults[low]);
}

/* What the last quarter of the way to point i saves, and the quarter behind it. */
static double saved_before(const struct points *p, size_t i) {
    return points_at(p, 0.75 * p->sizes[i]) - p->faults[i];
}
static double saved_behind(const struct points *p, size_t i) {
    return p->faults[i] - points_at(p, 1.25 * p->sizes[i]);
}

/* What the last step to point i would save over a quarter of the size. */
static double saved_at(const struct points *p, size_t i) {
    const double frames = p->sizes[i] - p->sizes[i - 1];
    return (p->faults[i - 1] - p->faults[i]) / frames * p->sizes[i] / 4;
}

/* The fall must last until the point itself, or every size within a quarter of a cliff would be a knee. */
static bool is_knee(const struct points *p, size_t i) {
    const double all = p->faults[0] - p->faults[p->count - 1];
    const double before = saved_before(p, i);
    return before > 0 && 100 * before >= KNEE_SHARE * all && before >= KNEE_RATIO * saved_behind(p, i) &&
           KNEE_RATIO * saved_at(p, i) >= before;
}

/* The fall becomes gentler, and ends at the next point: the step there saves most of what a quarter of the
 * size still saves, and far more a frame than what is behind it. */
static bool falls_on(const struct points *p, size_t i) {
    if (i + 2 >= p->count || p->sizes[i + 1] > 1.25 * p->sizes[i])
        return false;
    const double step = p->faults[i] - p->faults[i + 1], frames = p->sizes[i + 1] - p->sizes[i];
    const double behind = saved_behind(p, i + 1) / (0.25 * p->sizes[i + 1]);
    return step > 0 && 4 * step >= 3 * saved_behind(p, i) && step / frames >= KNEE_RATIO * behind;
}

long knees_find(const uint32_t *sizes, const uint64_t *faults, size_t count, size_t *ret_indexes,
                size_t max) {
    struct points p;
    size_t found = 0;
    if (count < 2)
        return 0;
    if (points_make(&p, sizes, faults, count) < 0)
        return -1;
    for (size_t i = 1; i < count && found < max; i++) {
        if (!is_knee(&p, i))
            continue;
        while (i + 1 < count && p.faults[i + 1] < p.faults[i] && (is_knee(&p, i + 1) || falls_on(&p, i)))
            i++; /* it still falls */
        ret_indexes[found++] = i;
        const double end = 1.25 * p.sizes[i]; /* what lies nearer belongs to this one */
        while (i + 1 < count && p.sizes[i + 1] <= end)
            i++;
    }
    free(p.faults);
    return (long)found;
}
