/* See curve_task.h. */
#include "analysis/curve_task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lru_stack.h"
#include "analysis/masks.h"
#include "analysis/opt_stack.h"
#include "analysis/sample.h"
#include "analysis/simulate.h"
#include "base/base.h"
#include "base/message.h"

uint64_t curve_task_bytes(const struct curve_task *task, uint32_t pages) {
    const uint64_t frames = min_u32(task->curve->sizes[task->first + task->count - 1], pages);
    switch (task->method) {
    case CURVE_LRU_STACK: return 32ULL * pages;
    case CURVE_OPT_STACK: return 128ULL * pages;
    case CURVE_SAMPLE: return 64ULL * min_u32(task->request->sample, pages) + 12ULL * pages;
    case CURVE_MASKS: return 40ULL * pages + 6ULL * frames * task->count;
    case CURVE_SIMULATE: return 4ULL * pages + 40ULL * frames;
    case CURVE_OPT: return 4ULL * pages + 40ULL * frames;
    }
    return 0;
}

/* ---- starting ---- */

static int task_fail(struct curve_task *task, int error, const char *why) {
    if (!task->message)
        message_fail(error, &task->message, "%s: %s", task->curve->policy, why ? why : strerror(-error));
    return task->error = error;
}

/* The policy's fault, which says nothing about the others. */
static int task_policy_fails(struct curve_task *task, const char *why) {
    char *message = NULL;
    message_fail(-EPROTO, &message, "with %u frames: %s", task->curve->sizes[task->first],
                 why ? why : "it broke its contract");
    if (!message)
        return task_fail(task, -ENOMEM, NULL);
    free(task->message);
    task->message = message;
    task->policy_failed = true;
    return 0;
}

/* What a policy that is not Thimble's own says. */
static void task_told(void *context, enum policy_news news, const char *line) {
    struct curve_task *task = context;
    if (news != POLICY_SAYS && !task->message)
        task->message = strdup(line);
}

static int simulation_start(struct curve_task *task) {
    const uint32_t frames = task->curve->sizes[task->first];
    struct simulation *simulation = NULL;
    const struct simulation_config config = {
        .policy = task->policy,
        .parameters = task->parameters,
        .frames = frames,
        .seed = task->request->seed,
        .no_swap = task->request->no_swap,
        .observe_bits = task->method == CURVE_OPT ? 0 : task->request->observe_bits,
        .offline = task->method == CURVE_OPT,
        .measure = task->cost != NULL,
        .tell = task_told,
        .context = task,
    };
    const int error = simulation_create(&config, &simulation);
    task->state = simulation;
    if (error == -EINVAL && frames > SIMULATION_FRAMES_MAX)
        return task_fail(task, error, "more than 512 GiB of frames cannot be simulated");
    if (error && task->message)
        return task_policy_fails(task, task->message);
    if (error == -EINVAL)
        return task_fail(task, error, "its parameters are unknown or out of range: see `thimble policies`");
    return error ? task_fail(task, error, NULL) : 0;
}

int curve_task_start(struct curve_task *task) {
    const struct curve_request *request = task->request;
    int error = 0;
    switch (task->method) {
    case CURVE_LRU_STACK: {
        struct lru_stack *stack = NULL;
        error = lru_stack_create(task->request->no_swap, &stack);
        task->state = stack;
        break;
    }
    case CURVE_OPT_STACK: {
        struct opt_stack *stack = NULL;
        error = opt_stack_create(task->request->no_swap, task->curve->sizes, task->curve->count, &stack);
        task->state = stack;
        break;
    }
    case CURVE_SAMPLE: {
        struct sample *sample = NULL;
        error = sample_create(request->sample_rate > 0 ? request->sample_rate : 1, request->sample,
                              task->curve->sizes, task->curve->count, &sample);
        task->state = sample;
        break;
    }
    case CURVE_MASKS: {
        struct masks *masks = NULL;
        error = masks_create(task->policy, task->curve->sizes + task->first, task->count, &masks);
        task->state = masks;
        break;
    }
    case CURVE_SIMULATE:
    case CURVE_OPT: return simulation_start(task);
    }
    return error ? task_fail(task, error, NULL) : 0;
}

/* ---- hearing ---- */

static int hear_lru(struct lru_stack *stack, const struct broadcast_batch *batch) {
    const int error = lru_stack_add_pages(stack, batch->pages, batch->page_count);
    return error ? error : lru_stack_feed(stack, batch->items, batch->count);
}

static int hear_opt(struct opt_stack *stack, const struct broadcast_batch *batch) {
    const int error = opt_stack_add_pages(stack, batch->pages, batch->page_count);
    return error ? error : opt_stack_feed(stack, batch->items, batch->count);
}

static int hear_sample(struct sample *sample, const struct broadcast_batch *batch) {
    const int error = sample_add_pages(sample, batch->pages, batch->page_count);
    return error ? error : sample_feed(sample, batch->items, batch->count);
}

static int hear_masks(struct masks *masks, const struct broadcast_batch *batch) {
    const int error = masks_add_pages(masks, batch->pages, batch->page_count);
    return error ? error : masks_feed(masks, batch->items, batch->count);
}

static int hear_simulation(struct curve_task *task, const struct broadcast_batch *batch) {
    int error = simulation_add_pages(task->state, batch->pages, batch->page_count);
    if (!error)
        error = simulation_feed(task->state, batch->items, batch->count);
    if (error == -EPROTO)
        return task_policy_fails(task, simulation_message(task->state));
    return error ? task_fail(task, error, simulation_message(task->state)) : 0;
}

/* Part of a batch, in whose beginning its pages are told. */
static int task_hear(struct curve_task *task, const struct broadcast_batch *batch) {
    int error = 0;
    if (task->unsuitable || task->policy_failed)
        return 0;
    switch (task->method) {
    case CURVE_LRU_STACK: error = hear_lru(task->state, batch); break;
    case CURVE_OPT_STACK: error = hear_opt(task->state, batch); break;
    case CURVE_SAMPLE: error = hear_sample(task->state, batch); break;
    case CURVE_MASKS: error = hear_masks(task->state, batch); break;
    case CURVE_SIMULATE:
    case CURVE_OPT: return hear_simulation(task, batch);
    }
    if (error == -ENOTSUP) {
        task->unsuitable = true;
        return 0;
    }
    return error ? task_fail(task, error, NULL) : 0;
}

/* ---- what came out ---- */

static void count_simulation(const struct curve_task *task, struct curve_counts *ret_counts) {
    struct simulation_result result;
    simulation_get_result(task->state, &result);
    ret_counts->faults[task->first] = result.misses;
    if (ret_counts->writebacks)
        ret_counts->writebacks[task->first] = result.to_swap + result.to_file;
    ret_counts->cold = result.out_of_memory ? 0 : result.cold;
}

/* Up to now, into arrays for the sizes of the curve. 0 or -ENOMEM. */
static int task_count(const struct curve_task *task, struct curve_counts *ret_counts) {
    uint64_t *faults = ret_counts->faults, *writebacks = ret_counts->writebacks;
    const struct curve *curve = task->curve;
    switch (task->method) {
    case CURVE_LRU_STACK:
        ret_counts->cold = lru_stack_cold(task->state);
        return lru_stack_curve(task->state, curve->sizes, curve->count, faults, writebacks);
    case CURVE_OPT_STACK:
        ret_counts->cold = opt_stack_cold(task->state);
        opt_stack_curve(task->state, faults);
        return 0;
    case CURVE_SAMPLE:
        ret_counts->cold = sample_cold(task->state);
        sample_curve(task->state, faults);
        return 0;
    case CURVE_MASKS:
        ret_counts->cold = masks_cold(task->state);
        masks_curve(task->state, faults + task->first, writebacks ? writebacks + task->first : NULL);
        return 0;
    case CURVE_SIMULATE:
    case CURVE_OPT: count_simulation(task, ret_counts); return 0;
    }
    return 0;
}

/* What was counted up to now was the warm-up. */
static int task_restart(struct curve_task *task) {
    struct curve_counts *w = &task->warm_up;
    const size_t count = task->curve->count + 1;
    if (task->unsuitable || task->policy_failed)
        return 0;
    if (!w->faults)
        w->faults = calloc(count, sizeof *w->faults);
    if (!w->writebacks && task->curve->writebacks)
        w->writebacks = calloc(count, sizeof *w->writebacks);
    const bool whole = w->faults && (w->writebacks || !task->curve->writebacks);
    const int error = whole ? task_count(task, w) : -ENOMEM;
    return error ? task_fail(task, error, NULL) : 0;
}

int curve_task_hear(void *context, const struct broadcast_batch *batch) {
    struct broadcast_batch before = *batch, behind = *batch;
    if (batch->counting_from == WARM_UP_NOT_HERE)
        return task_hear(context, batch);
    before.count = batch->counting_from;
    behind.items += before.count;
    behind.count -= before.count;
    behind.page_count = 0;
    int error = task_hear(context, &before);
    if (!error)
        error = task_restart(context);
    return error ? error : task_hear(context, &behind);
}

/* An estimate of the whole may be less than that of its beginning. */
static uint64_t count_less(uint64_t whole, uint64_t warm_up, uint64_t least) {
    return max_u64(whole > warm_up ? whole - warm_up : 0, least);
}

/* Of the task's sizes, less the warm-up. */
static int finish_counts(struct curve_task *task) {
    struct curve *curve = task->curve;
    const struct curve_counts *w = &task->warm_up;
    struct curve_counts counts = {curve->faults, curve->writebacks, 0};
    const int error = task_count(task, &counts);
    if (error)
        return error;
    task->cold = count_less(counts.cold, w->cold, 0);
    for (size_t i = task->first; w->faults && i < task->first + task->count; i++) {
        curve->faults[i] = count_less(curve->faults[i], w->faults[i], task->cold);
        if (curve->writebacks)
            curve->writebacks[i] -= w->writebacks[i];
    }
    return 0;
}

/* The curve's sizes below this one have no result. */
static void curve_raise_floor(struct curve *curve, uint32_t floor) {
    curve->floor = max_u32(curve->floor, floor);
}

static void finish_floor(struct curve_task *task) {
    struct simulation_result result;
    struct curve *curve = task->curve;
    switch (task->method) {
    case CURVE_LRU_STACK: curve_raise_floor(curve, lru_stack_floor(task->state)); break;
    case CURVE_OPT_STACK: curve_raise_floor(curve, opt_stack_floor(task->state)); break;
    case CURVE_SAMPLE:
    case CURVE_MASKS: break;
    case CURVE_SIMULATE:
    case CURVE_OPT:
        simulation_get_result(task->state, &result);
        if (result.out_of_memory)
            curve_raise_floor(curve, curve->sizes[task->first] + 1);
        break;
    }
}

static void finish_cost(struct curve_task *task) {
    struct simulation_result result;
    if (!task->cost)
        return;
    simulation_get_result(task->state, &result);
    *task->cost = (struct curve_cost){
        .ns_per_reference = result.ns_per_reference,
        .ns_per_victim = result.ns_per_victim,
        .bytes_per_frame = (double)result.policy_bytes / task->curve->sizes[task->first],
    };
}

static bool is_simulated(const struct curve_task *task) {
    return task->method == CURVE_SIMULATE || task->method == CURVE_OPT;
}

static int finish_results(struct curve_task *task) {
    const char *broken = is_simulated(task) ? simulation_check(task->state) : NULL;
    if (broken)
        return task_policy_fails(task, broken);
    const int error = finish_counts(task);
    if (error)
        return error;
    finish_floor(task);
    finish_cost(task);
    return 0;
}

/* What there is to say that is no error. */
static void finish_message(struct curve_task *task) {
    struct curve *curve = task->curve;
    if (task->error || !task->message)
        return;
    char **said = task->policy_failed ? &curve->condition : &curve->remark;
    if (task->policy_failed)
        curve->label = RESULT_FAILED;
    if (!*said) {
        *said = task->message;
        task->message = NULL;
    }
}

static void task_destroy(struct curve_task *task) {
    switch (task->method) {
    case CURVE_LRU_STACK: lru_stack_destroy(task->state); break;
    case CURVE_OPT_STACK: opt_stack_destroy(task->state); break;
    case CURVE_SAMPLE: sample_destroy(task->state); break;
    case CURVE_MASKS: masks_destroy(task->state); break;
    case CURVE_SIMULATE:
    case CURVE_OPT: simulation_destroy(task->state); break;
    }
    task->state = NULL;
    free(task->warm_up.faults);
    free(task->warm_up.writebacks);
    task->warm_up = (struct curve_counts){0};
}

int curve_task_finish(struct curve_task *task, bool failed) {
    const bool empty = failed || task->error || task->unsuitable || task->policy_failed || !task->state;
    const int error = empty ? task->error : finish_results(task);
    task_destroy(task);
    finish_message(task);
    return error;
}
