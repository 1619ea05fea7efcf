/* Where counting begins in a trace. What happens before, the warm-up, is taken in by an analysis as
 * everything is, so that its memories hold what they would hold, and is not counted. */
#ifndef ANALYSIS_WARM_UP_H
#define ANALYSIS_WARM_UP_H

#include "refs/refs.h"

/* What was asked for. All zero: as the trace is marked (REFS_MARK_PHASE), from its
 * beginning where it is not. */
struct warm_up {
    bool by_instructions;  /* … count from the first item at or behind this one, marks or not */
    bool marked;           /* … there is a mark, unless the run ended in its warm-up */
    uint64_t instructions; /* of by_instructions */
};

/* While a trace is read, and what came out. */
struct warm_up_scan {
    struct warm_up wanted;
    bool over;            /* counting has begun */
    uint64_t instruction; /* where it did; 0: from the beginning */
    uint64_t left_out;    /* references before */
    uint64_t references;  /* up to now */
};

#define WARM_UP_NOT_HERE SIZE_MAX
#define WARM_UP_NOT_OVER                                                                                     \
    "the warm-up was not over, so that there is nothing to count: give a shorter --warm-up, or a "           \
    "longer run"

/* The next items of the source: the place in them at which counting begins, again where there are several
 * marks; or WARM_UP_NOT_HERE. */
size_t warm_up_find(struct warm_up_scan *, const struct refs_source *, const struct refs_item *items,
                    size_t count);
/* At the end: 0, or -ERANGE with *ret_message (malloc'd; ret_message may be NULL): there was nothing but
 * warm-up. */
int warm_up_check(const struct warm_up_scan *, char **ret_message);

#endif
