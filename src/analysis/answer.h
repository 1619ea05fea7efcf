/* The memory to give a program: the smallest number of frames at which, and from which on, it is slowed down
 * by no more than was asked for, under one policy and with the misses' cost by one disk.
 *
 * Slowdown(n) = (cpu + stall(n)) / (cpu + stall of enough memory), where enough memory has cold misses only;
 * see cost.h for the stall. Every number of misses is a simulation's, exactly the machine's; time is
 * modelled. */
#ifndef ANALYSIS_ANSWER_H
#define ANALYSIS_ANSWER_H

#include "analysis/cost.h"
#include "analysis/floor.h"
#include "analysis/warm_up.h"
#include "policy/policy.h"

struct answer_config {
    const struct policy_ops *policy;
    const char *parameters; /* or NULL */
    uint64_t seed;
    bool no_swap;        /* anonymous pages stay where they are */
    uint32_t swap_pages; /* else: of the swap area; 0: as many as it takes */
    uint32_t least;      /* frames that any program needs: smaller sizes are not looked at */
    struct cost_disk disk;
    uint32_t page_size;
    double cpu_seconds;     /* that the program computes */
    double slowdown;        /* asked for, at least 1 */
    struct warm_up warm_up; /* misses before its end are not counted */
    unsigned threads;       /* of the simulations */
};

/* What is known about one size. */
struct answer_point {
    uint32_t frames;
    bool out_of_memory;                   /* somebody is killed */
    bool swap_was_short;                  /* see simulate.h */
    uint64_t misses, cold, reads, writes; /* reads: misses that read a file or swap; writes: written back */
    double stall, slowdown;               /* seconds; 1 and more */
};

struct answer {
    struct floor_result floor;
    struct answer_point *points; /* all sizes that were looked at, ascending */
    size_t count;
    size_t chosen;          /* index of the answer; count when no size is slow enough or large enough */
    double stall_unlimited; /* of enough memory */
    uint32_t page_tables;   /* frames of them at most, estimated (table_count.h); 0: not known */
    uint64_t warm_up;       /* instructions that are not counted */
    uint32_t lowest;        /* the smallest size looked at */
    uint32_t alive;         /* the smallest from which on nobody is killed, as far as was looked at */
};

/* Reads the source several times. 0 or -errno, with *ret_message (malloc'd, or NULL) where there is more to
 * say. */
int answer_find(struct refs_source *, const struct answer_config *, struct answer *ret_answer,
                char **ret_message);
void answer_free(struct answer *);

#endif
