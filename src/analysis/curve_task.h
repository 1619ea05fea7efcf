/* What curve_compute() has to do: tasks, each of which hears one reading of the references and fills in one
 * curve, or a part of its sizes. */
#ifndef ANALYSIS_CURVE_TASK_H
#define ANALYSIS_CURVE_TASK_H

#include "analysis/broadcast.h"
#include "analysis/curve.h"

enum curve_method {
    CURVE_LRU_STACK, /* all sizes */
    CURVE_OPT_STACK, /* all sizes */
    CURVE_SAMPLE,    /* all sizes, estimated */
    CURVE_MASKS,     /* up to 64 */
    CURVE_SIMULATE,  /* one */
    CURVE_OPT,       /* one, by a policy that knows the future */
};

struct opt_future;

/* What has come out, at each of the curve's sizes (the task's alone are its own). */
struct curve_counts {
    uint64_t *faults, *writebacks; /* writebacks NULL: not computed */
    uint64_t cold;
};

struct curve_task {
    const struct curve_request *request;
    struct curve *curve;
    struct curve_cost *cost;         /* to be filled in as well, by a reading of its own; or NULL */
    size_t first, count;             /* of the curve's sizes */
    const struct policy_ops *policy; /* NULL: lru or opt by a method of its own */
    const char *parameters;
    enum curve_method method;

    void *state; /* while it hears */
    int error;
    char *message;      /* why; or what the policy said */
    bool unsuitable;    /* the method does not do for these references: to be simulated */
    bool policy_failed; /* it broke its contract: no error, but the curve has failed */
    uint64_t cold;
    struct curve_counts warm_up; /* of all sizes of the curve: what is not counted; NULL: nothing is not */
};

/* About what it will need, in bytes. */
uint64_t curve_task_bytes(const struct curve_task *, uint32_t pages);
/* 0 or -errno, then with a message. */
int curve_task_start(struct curve_task *);
/* Of struct broadcast_listener, with the task as its state. */
int curve_task_hear(void *task, const struct broadcast_batch *);
/* The results into the curve, unless the reading failed; or there, that its policy did. 0 or -errno. */
int curve_task_finish(struct curve_task *, bool failed);

#endif
