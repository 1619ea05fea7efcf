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

int curve_task_hear(void *context, const struct broadcast_batch *batch) {
    struct curve_task *task = context;
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

/* The curve's sizes below this one have no result. */
static void curve_raise_floor(struct curve *curve, uint32_t floor) {
    curve->floor = max_u32(curve->floor, floor);
}

static int finish_lru(struct curve_task *task) {
    struct curve *curve = task->curve;
    const int error =
        lru_stack_curve(task->state, curve->sizes, curve->count, curve->faults, curve->writebacks);
    curve_raise_floor(curve, lru_stack_floor(task->state));
    task->cold = lru_stack_cold(task->state);
    return error;
}

static void finish_opt(struct curve_task *task) {
    struct curve *curve = task->curve;
    opt_stack_curve(task->state, curve->faults);
    curve_raise_floor(curve, opt_stack_floor(task->state));
    task->cold = opt_stack_cold(task->state);
}

static void finish_masks(struct curve_task *task) {
    struct curve *curve = task->curve;
    masks_curve(task->state, curve->faults + task->first,
                curve->writebacks ? curve->writebacks + task->first : NULL);
    task->cold = masks_cold(task->state);
}

static int finish_simulation(struct curve_task *task) {
    struct simulation_result result;
    struct curve *curve = task->curve;
    const char *broken = simulation_check(task->state);
    if (broken)
        return task_policy_fails(task, broken);
    simulation_get_result(task->state, &result);
    curve->faults[task->first] = result.misses;
    if (curve->writebacks)
        curve->writebacks[task->first] = result.to_swap + result.to_file;
    if (result.out_of_memory)
        curve_raise_floor(curve, curve->sizes[task->first] + 1);
    else
        task->cold = result.cold;
    if (task->cost)
        *task->cost = (struct curve_cost){
            .ns_per_reference = result.ns_per_reference,
            .ns_per_victim = result.ns_per_victim,
            .bytes_per_frame = (double)result.policy_bytes / curve->sizes[task->first],
        };
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

int curve_task_finish(struct curve_task *task, bool failed) {
    int error = task->error;
    const bool empty = failed || error || task->unsuitable || task->policy_failed || !task->state;
    switch (task->method) {
    case CURVE_LRU_STACK:
        error = empty ? error : finish_lru(task);
        lru_stack_destroy(task->state);
        break;
    case CURVE_OPT_STACK:
        if (!empty)
            finish_opt(task);
        opt_stack_destroy(task->state);
        break;
    case CURVE_SAMPLE:
        if (!empty) {
            sample_curve(task->state, task->curve->faults);
            task->cold = sample_cold(task->state);
        }
        sample_destroy(task->state);
        break;
    case CURVE_MASKS:
        if (!empty)
            finish_masks(task);
        masks_destroy(task->state);
        break;
    case CURVE_SIMULATE:
    case CURVE_OPT:
        error = empty ? error : finish_simulation(task);
        simulation_destroy(task->state);
        break;
    }
    task->state = NULL;
    finish_message(task);
    return error;
}
