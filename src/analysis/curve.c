/* See curve.h. The request becomes tasks (curve_task.h), which hear readings of the source: as many in one
 * reading as memory allows. */
#include "analysis/curve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bounds.h"
#include "analysis/broadcast.h"
#include "analysis/curve_task.h"
#include "analysis/masks.h"
#include "analysis/opt.h"
#include "analysis/sizes.h"
#include "base/array.h"
#include "base/base.h"
#include "base/message.h"

enum { SIZES_CHOSEN = 64 };
#define MEMORY_MAX (768ULL << 20) /* bytes, of the tasks of one reading */

struct loaded {
    const struct policy_ops *policy; /* NULL: not loaded */
    const char *parameters;
};

struct run {
    struct refs_source *source;
    const struct curve_request *request;
    struct curve_set *set;
    char **ret_message;
    const uint32_t *sizes;
    size_t size_count;
    uint32_t *chosen; /* where none are given; zeros until there are pages to choose by */
    bool choose_late; /* when the first reading has ended */
    struct curve_task *tasks;
    size_t task_count, task_capacity, tasks_done;
    struct opt_future *future; /* NULL: not read yet */
    struct loaded *loaded;     /* by policy */
    uint32_t pages;            /* as far as known */
    /* Of a reduced trace, and sizes for which it is too much so: lru with as many frames as it is exact for,
     * and opt with the curves' sizes. Else their counts are 0. */
    struct curve bound_lru, bound_opt;
};

/* ---- sizes ---- */

static int source_fail(struct run *run, int error) {
    const char *why = refs_message(run->source);
    return message_fail(error, run->ret_message, "%s", why ? why : strerror(-error));
}

static bool policy_is(const char *specification, const char *name) {
    return strcmp(specification, name) == 0;
}

/* run->size_count: how many there may be. */
static void sizes_choose(struct run *run) {
    run->size_count = sizes_between(run->pages, run->size_count, run->chosen);
}

/* How many pages there are is said by a recording, and by other formats when they have been read. That need
 * not be a reading of its own if there is nothing but lru's stack, of which any size can be asked afterwards;
 * unless there is a warm-up, at whose end they are asked, too. */
static bool can_choose_late(const struct run *run) {
    const struct curve_request *request = run->request;
    for (size_t i = 0; i < request->policy_count; i++)
        if (!policy_is(request->policies[i], "lru"))
            return false;
    return !request->observe_bits && !request->sample && !request->measure &&
           !request->warm_up.by_instructions && !request->warm_up.marked &&
           refs_source_format(run->source) != REFS_FORMAT_THIMBLE;
}

static int sizes_take(struct run *run) {
    const struct curve_request *request = run->request;
    struct refs_totals totals = {0};
    const bool known = !refs_totals(run->source, &totals);
    run->pages = totals.pages;
    run->sizes = request->sizes;
    run->size_count = request->size_count;
    if (run->sizes)
        return run->size_count ? 0 : message_fail(-EINVAL, run->ret_message, "no sizes are given");
    if (!run->size_count)
        run->size_count = SIZES_CHOSEN;
    run->sizes = run->chosen = calloc(run->size_count, sizeof *run->chosen);
    if (!run->chosen)
        return -ENOMEM;
    run->choose_late = !known && can_choose_late(run);
    if (run->choose_late)
        return 0;
    const int error = refs_count_pages(run->source, &run->pages);
    if (error)
        return source_fail(run, error);
    sizes_choose(run);
    return 0;
}

/* For the curves that the first reading was made for, before their numbers are asked for. */
static void sizes_choose_late(struct run *run) {
    run->choose_late = false;
    sizes_choose(run);
    for (size_t i = 0; i < run->set->count; i++) {
        struct curve *curve = &run->set->curves[i];
        memcpy(curve->sizes, run->sizes, run->size_count * sizeof *curve->sizes);
        curve->count = run->size_count;
    }
    for (size_t i = 0; i < run->task_count; i++)
        run->tasks[i].count = run->size_count;
}

/* ---- what can be computed soundly ---- */

/* Of a reduced trace, LRU and OPT with enough frames are exact, with fewer there are bounds of them, and
 * nothing is known of the others. */
static int reduced_check(struct run *run) {
    const uint32_t reduced_to = refs_header(run->source)->reduced_to;
    const struct curve_request *request = run->request;
    if (!reduced_to)
        return 0;
    for (size_t i = 0; i < request->policy_count; i++)
        if (!policy_is(request->policies[i], "lru") && !policy_is(request->policies[i], "opt"))
            return message_fail(-ENOTSUP, run->ret_message,
                                "%s: the references were reduced (--reduce %u), which changes the misses of "
                                "every policy but lru and opt: record without --reduce",
                                request->policies[i], reduced_to);
    if (request->no_swap || request->observe_bits || request->sample || request->measure)
        return message_fail(
            -ENOTSUP, run->ret_message,
            "the references were reduced (--reduce %u): without swap, with observed bits, from "
            "a sample or for what a policy costs there is no exact result: record without "
            "--reduce",
            reduced_to);
    return 0;
}

static int request_check(struct run *run) {
    const struct curve_request *request = run->request;
    for (size_t i = 0; i < request->policy_count; i++) {
        if (strncmp(request->policies[i], "opt:", 4) == 0)
            return message_fail(-EINVAL, run->ret_message, "%s: opt has no parameters", request->policies[i]);
        if (request->sample && !policy_is(request->policies[i], "lru"))
            return message_fail(-ENOTSUP, run->ret_message,
                                "%s: only lru can be estimated from a sample of the pages: it alone keeps a "
                                "smaller memory's pages in a larger one whatever the others do",
                                request->policies[i]);
    }
    if (request->sample && request->no_swap)
        return message_fail(-ENOTSUP, run->ret_message,
                            "a sample of the pages says nothing about a memory without swap");
    return reduced_check(run);
}

/* ---- tasks ---- */

static int task_add(struct run *run, const struct curve_task *task) {
    if (array_reserve(&run->tasks, &run->task_capacity, run->task_count + 1, sizeof *run->tasks))
        return -ENOMEM;
    run->tasks[run->task_count++] = *task;
    return 0;
}

/* The future is read when it is asked for. 0 or -errno. */
static int future_need(struct run *run) {
    int error = run->future ? 0 : opt_future_read(run->source, &run->future);
    if (error == -EFBIG)
        return message_fail(
            error, run->ret_message,
            "opt: what it writes back, and its misses where programs give pages up and there is "
            "no swap, cannot be told of more than 4294967294 references");
    return error ? source_fail(run, error) : 0;
}

static int policy_need(struct run *run, size_t policy) {
    struct loaded *loaded = &run->loaded[policy];
    return loaded->policy ? 0
                          : policy_load(run->request->policies[policy], &loaded->policy, &loaded->parameters,
                                        run->ret_message);
}

/* Whether the policy can be had for 64 sizes at once. */
static bool policy_has_masks(const struct run *run, const struct loaded *loaded) {
    const struct curve_request *request = run->request;
    const bool bits = request->observe_bits && loaded->policy->needs == POLICY_NEEDS_EVERY_REFERENCE;
    return !request->no_swap && !bits && !loaded->parameters && masks_can(loaded->policy);
}

/* A task for each size, or for each 64: the general method. */
static int tasks_simulate(struct run *run, size_t policy) {
    struct curve_task task = {
        .request = run->request,
        .curve = &run->set->curves[policy],
    };
    const char *name = run->request->policies[policy];
    const struct loaded *loaded = &run->loaded[policy];
    int error = 0;
    task.method = policy_is(name, "opt") ? CURVE_OPT : CURVE_SIMULATE;
    if (task.method == CURVE_OPT)
        error = future_need(run);
    else
        error = policy_need(run, policy);
    task.policy = run->future && task.method == CURVE_OPT ? opt_future_policy(run->future) : loaded->policy;
    task.parameters = loaded->parameters;
    if (!error && task.method == CURVE_SIMULATE && policy_has_masks(run, loaded))
        task.method = CURVE_MASKS;
    const size_t step = task.method == CURVE_MASKS ? MASKS_SIZES : 1;
    for (size_t i = 0; i < run->size_count && !error; i += step) {
        task.first = i;
        task.count = min_size(step, run->size_count - i);
        error = task_add(run, &task);
    }
    return error;
}

/* What the policy costs, at the largest size. OPT's future is no policy's. */
static int task_measure(struct run *run, size_t policy) {
    if (policy_is(run->request->policies[policy], "opt"))
        return 0;
    const int error = policy_need(run, policy);
    const struct curve_task task = {
        .request = run->request,
        .curve = &run->set->curves[policy],
        .cost = &run->set->costs[policy],
        .first = run->size_count - 1,
        .count = 1,
        .policy = run->loaded[policy].policy,
        .parameters = run->loaded[policy].parameters,
        .method = CURVE_SIMULATE,
    };
    return error ? error : task_add(run, &task);
}

static int tasks_all_sizes(struct run *run, size_t policy, enum curve_method method) {
    const struct curve_task task = {
        .request = run->request,
        .curve = &run->set->curves[policy],
        .count = run->size_count,
        .method = method,
    };
    return task_add(run, &task);
}

static void curve_without_writebacks(struct curve *curve) {
    free(curve->writebacks);
    curve->writebacks = NULL;
}

static int tasks_of_policy(struct run *run, size_t policy) {
    const struct curve_request *request = run->request;
    const char *name = request->policies[policy];
    struct curve *curve = &run->set->curves[policy];
    const int error = curve_init(curve, name, run->sizes, run->size_count);
    if (error)
        return error;
    run->set->count++;
    if (refs_header(run->source)->reduced_to)
        curve_without_writebacks(curve); /* of pages that were dropped, writes may be missing */
    if (request->sample) {
        curve_without_writebacks(curve);
        return tasks_all_sizes(run, policy, CURVE_SAMPLE);
    }
    if (policy_is(name, "lru") && !request->observe_bits)
        return tasks_all_sizes(run, policy, CURVE_LRU_STACK);
    if (policy_is(name, "opt")) {
        if (request->writebacks && curve->writebacks && run->size_count <= CURVE_OPT_WRITEBACKS)
            return tasks_simulate(run, policy);
        curve_without_writebacks(curve);
        return tasks_all_sizes(run, policy, CURVE_OPT_STACK);
    }
    return tasks_simulate(run, policy);
}

/* ---- bounds ---- */

static bool is_bounded(const struct run *run) {
    return run->sizes[0] < refs_header(run->source)->reduced_to;
}

static int task_of_bound(struct run *run, const char *policy, enum curve_method method, const uint32_t *sizes,
                         size_t count, struct curve *curve) {
    const int error = curve_init(curve, policy, sizes, count);
    const struct curve_task task = {
        .request = run->request, .curve = curve, .count = count, .method = method};
    if (error)
        return error;
    curve_without_writebacks(curve);
    return task_add(run, &task);
}

static int tasks_of_bounds(struct run *run) {
    const uint32_t reduced_to = refs_header(run->source)->reduced_to;
    if (!is_bounded(run))
        return 0;
    const int error = task_of_bound(run, "lru", CURVE_LRU_STACK, &reduced_to, 1, &run->bound_lru);
    return error ? error
                 : task_of_bound(run, "opt", CURVE_OPT_STACK, run->sizes, run->size_count, &run->bound_opt);
}

static int curves_bound(struct run *run) {
    const struct refs_totals *totals = &run->set->totals;
    const struct bounds bounds = {
        .frames = refs_header(run->source)->reduced_to,
        .references = totals->references,
        .dropped = totals->dropped,
        .opt = run->bound_opt.faults,
        .lru = run->bound_lru.faults ? run->bound_lru.faults[0] : 0,
        .halves = totals->halves,
        .half_count = totals->half_count,
    };
    if (!is_bounded(run))
        return 0;
    if (run->set->warm_up.left_out)
        return message_fail(-ENOTSUP, run->ret_message,
                            "%u frames: the references were reduced (--reduce %u), and how many of those "
                            "that were dropped the warm-up had is not known: ask for %u frames and more",
                            run->sizes[0], bounds.frames, bounds.frames);
    if (!totals->whole)
        return message_fail(-ENOTSUP, run->ret_message,
                            "%u frames: the references were reduced (--reduce %u), and the recording was cut "
                            "before it said how many: ask for %u frames and more",
                            run->sizes[0], bounds.frames, bounds.frames);
    int error = 0;
    for (size_t i = 0; i < run->set->count && !error; i++)
        error = bounds_put(&bounds, &run->set->curves[i]);
    return error;
}

/* ---- readings ---- */

/* As many tasks as memory allows, at least one. */
static size_t reading_size(const struct run *run) {
    uint64_t bytes = 0;
    size_t count = 0;
    while (run->tasks_done + count < run->task_count) {
        const struct curve_task *task = &run->tasks[run->tasks_done + count];
        bytes += curve_task_bytes(task, run->pages);
        if (count > 0 && (bytes > MEMORY_MAX || task->cost))
            break;
        count++;
        if (task->cost)
            break;
    }
    return count;
}

/* The first message of a task, given away. */
static void reading_take_message(struct run *run, size_t count) {
    for (size_t i = 0; i < count && !*run->ret_message; i++) {
        *run->ret_message = run->tasks[run->tasks_done + i].message;
        run->tasks[run->tasks_done + i].message = NULL;
    }
}

static int read_once(struct run *run) {
    const size_t count = reading_size(run);
    struct curve_task *tasks = run->tasks + run->tasks_done;
    struct broadcast_listener *listeners = calloc(count, sizeof *listeners);
    struct warm_up_scan warm_up = {.wanted = run->request->warm_up};
    int error = listeners ? refs_rewind(run->source) : -ENOMEM;
    for (size_t i = 0; i < count && !error; i++) {
        listeners[i] = (struct broadcast_listener){&tasks[i], curve_task_hear};
        error = curve_task_start(&tasks[i]);
    }
    if (!error)
        error = broadcast_run(run->source, listeners, count, run->request->threads, &warm_up);
    if (!error)
        error = warm_up_check(&warm_up, run->ret_message);
    run->pages = max_u32(run->pages, refs_pages(run->source));
    if (run->choose_late)
        sizes_choose_late(run);
    for (size_t i = 0; i < count; i++) {
        const int failed = curve_task_finish(&tasks[i], error != 0);
        error = error ? error : failed;
    }
    reading_take_message(run, error ? count : 0);
    for (size_t i = 0; i < count; i++) {
        free(tasks[i].message);
        tasks[i].message = NULL;
        run->set->cold = max_u64(run->set->cold, tasks[i].cold);
    }
    run->set->warm_up = warm_up;
    run->tasks_done += count;
    free(listeners);
    return error && !*run->ret_message ? source_fail(run, error) : error;
}

/* Policies whose method did not do for these references are simulated. */
static int tasks_again(struct run *run) {
    int error = 0;
    for (size_t i = 0, count = run->task_count; i < count && !error; i++) {
        if (!run->tasks[i].unsuitable)
            continue;
        run->tasks[i].unsuitable = false;
        error = tasks_simulate(run, (size_t)(run->tasks[i].curve - run->set->curves));
    }
    return error;
}

static int read_all(struct run *run) {
    int error = 0;
    while (!error && run->tasks_done < run->task_count) {
        error = read_once(run);
        if (!error && run->tasks_done == run->task_count)
            error = tasks_again(run);
    }
    return error;
}

/* ---- labels ---- */

/* Bounds, too, are those of the run that was recorded. */
static int bounded_label(const struct run *run, struct curve *curve) {
    enum result_label label;
    char *more, *both = NULL;
    int error = result_condition(&run->set->totals, &label, &more);
    if (error || !more)
        return error;
    error = asprintf(&both, "%s; %s", curve->condition, more) < 0 ? -ENOMEM : 0;
    free(more);
    if (!error) {
        free(curve->condition);
        curve->condition = both;
    }
    return error;
}

/* What the estimate is made from: malloc'd; NULL: no memory. */
static char *sample_say(const struct curve_request *request) {
    char *text;
    const double percent = 100 * request->sample_rate;
    const int length = percent > 0
                           ? asprintf(&text, "estimated from %g%% of the pages (SHARDS)", percent)
                           : asprintf(&text, "estimated from %u pages at a time (SHARDS)", request->sample);
    return length < 0 ? NULL : text;
}

static int curve_label(struct run *run, struct curve *curve) {
    if (curve->label == RESULT_FAILED)
        return 0;
    if (curve->label == RESULT_BOUNDED)
        return bounded_label(run, curve);
    if (!run->request->sample)
        return result_condition(&run->set->totals, &curve->label, &curve->condition);
    curve->label = RESULT_ESTIMATED;
    curve->condition = sample_say(run->request);
    if (!curve->condition)
        return -ENOMEM;
    return 0;
}

/* ---- all of it ---- */

static int run_do(struct run *run) {
    int error = sizes_take(run);
    if (!error)
        error = request_check(run);
    for (size_t i = 0; i < run->request->policy_count && !error; i++)
        error = tasks_of_policy(run, i);
    for (size_t i = 0; i < run->request->policy_count && run->request->measure && !error; i++)
        error = task_measure(run, i);
    if (!error)
        error = tasks_of_bounds(run);
    if (!error)
        error = read_all(run);
    if (!error)
        error = refs_totals(run->source, &run->set->totals);
    if (!error)
        error = curves_bound(run);
    for (size_t i = 0; i < run->set->count && !error; i++)
        error = curve_label(run, &run->set->curves[i]);
    return error;
}

int curve_compute(struct refs_source *source, const struct curve_request *request, struct curve_set *ret_set,
                  char **ret_message) {
    struct curve_set set = {
        .curves = calloc(request->policy_count + 1, sizeof *set.curves),
        .costs = calloc(request->policy_count + 1, sizeof *set.costs),
    };
    char *message = NULL;
    struct run run = {
        .source = source,
        .request = request,
        .set = &set,
        .ret_message = &message,
        .loaded = calloc(request->policy_count + 1, sizeof *run.loaded),
    };
    int error = set.curves && set.costs && run.loaded ? run_do(&run) : -ENOMEM;
    for (size_t i = 0; run.loaded && i < request->policy_count; i++)
        policy_unload(run.loaded[i].policy);
    opt_future_free(run.future);
    curve_free(&run.bound_lru);
    curve_free(&run.bound_opt);
    free(run.loaded);
    free(run.tasks);
    free(run.chosen);
    if (!error) {
        *ret_set = set;
        free(message);
        return 0;
    }
    if (!message)
        message_fail(error, &message, "the curve cannot be computed: %s", strerror(-error));
    *ret_message = message;
    curve_set_free(&set);
    return error;
}

const struct curve *curve_set_failed(const struct curve_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (set->curves[i].label == RESULT_FAILED)
            return &set->curves[i];
    return NULL;
}

void curve_set_free(struct curve_set *set) {
    for (size_t i = 0; set->curves && i < set->count; i++)
        curve_free(&set->curves[i]);
    free(set->curves);
    free(set->costs);
    *set = (struct curve_set){0};
}
