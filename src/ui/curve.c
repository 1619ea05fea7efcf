/* `thimble curve`: misses as a function of the number of frames, from one run or one trace. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/curve.h"
#include "analysis/sizes.h"
#include "base/base.h"
#include "base/message.h"
#include "plot/chart.h"
#include "ui/commands.h"
#include "ui/curve_output.h"
#include "ui/curve_sizes.h"
#include "ui/figure.h"
#include "ui/policy_list.h"
#include "ui/say.h"
#include "ui/size.h"
#include "ui/subject.h"

enum {
    KEY_SIZES = 2048, /* beyond those of the machine's options, which argp sees together with these */
    KEY_JSON,
    KEY_SAMPLE,
    KEY_OBSERVE,
    KEY_SWAP,
    KEY_NO_WRITEBACKS,
    KEY_LINEAR,
};

enum { SIZES_OF_TABLE = 16, SIZES_OF_DRAWING = 48, SIZES_OF_STACKS = 600 };

struct job {
    struct subject subject;
    struct policy_list policies;
    uint32_t *sizes; /* NULL: by the number of pages */
    size_t size_count;
    const char *output;
    enum figure_format format; /* of output */
    bool as_json;
    bool no_writebacks;
    bool linear;
    struct curve_request request; /* its options; not the lists */
    struct figure_options figure;
};

static const struct argp_option own_options[] = {
    {NULL, 0, NULL, 0, "Curves:", 0},
    {"policy", 'p', "NAME,...", 0, "Replacement policies (default lru,clock,opt); opt knows the future", 0},
    {"policies", 0, NULL, OPTION_ALIAS, NULL, 0},
    {"sizes", KEY_SIZES, "LIST", 0,
     "Numbers of frames for pages, or bytes with K, M, G: A..B, A..B:STEP, lists of these (default: some "
     "between few and all pages)",
     0},
    {"swap", KEY_SWAP, "none", 0, "Without swap, anonymous pages stay (default: all the swap that it takes)",
     0},
    {"observe", KEY_OBSERVE, "bits:K|all", 0,
     "Policies learn only which pages were referenced in each K instructions (default all: every reference)",
     0},
    {"sample", KEY_SAMPLE, "PAGES|N%", 0,
     "Estimate LRU from so many pages at a time, or from so many percent of them (SHARDS): for huge traces",
     0},
    {"no-write-backs", KEY_NO_WRITEBACKS, NULL, 0,
     "Leave them out: faster with opt (which has them at up to 64 sizes)", 0},
    {"output", 'o', "FILE", 0, "Also write FILE.svg, .png, .json, .csv or .txt", 0},
    {"json", KEY_JSON, NULL, 0, "One JSON object on standard output instead of the table", 0},
    {"linear", KEY_LINEAR, NULL, 0, "Pictures: linear axes (default: logarithmic)", 0},
    FIGURE_PICTURE_OPTIONS,
    {0},
};

/* ---- options ---- */

/* "8192": pages at a time; "0.5%": a share of all pages. */
static int take_sample(struct curve_request *request, const char *text, char **ret_message) {
    char *end;
    const double percent = strtod(text, &end);
    request->sample_rate = 0;
    if (end == text || strcmp(end, "%") != 0) {
        uint64_t pages = 0;
        const int error = number_take("--sample", text, 1, UINT32_MAX, &pages, ret_message);
        request->sample = (uint32_t)pages;
        return error;
    }
    if (!(percent >= 0.0001 && percent <= 100))
        return message_fail(-EINVAL, ret_message,
                            "--sample: '%s' is out of range: give a share from 0.0001%% to 100%%", text);
    request->sample = UINT32_MAX;
    request->sample_rate = percent / 100;
    return 0;
}

static int take_output(struct job *job, const char *path, char **ret_message) {
    job->output = path;
    return figure_take_output(path, true, &job->format, ret_message);
}

static int take_option(void *context, int key, const char *value, char **ret_message) {
    struct job *job = context;
    const int taken = figure_take(&job->figure, key, value, ret_message);
    if (taken)
        return taken < 0 ? taken : 0;
    switch (key) {
    case 'p': return policy_list_parse(value, &job->policies, ret_message);
    case 'o': return take_output(job, value, ret_message);
    case KEY_SIZES: return curve_sizes_take(value, &job->sizes, &job->size_count, ret_message);
    case KEY_JSON: job->as_json = true; return 0;
    case KEY_LINEAR: job->linear = true; return 0;
    case KEY_NO_WRITEBACKS: job->no_writebacks = true; return 0;
    case KEY_SAMPLE: return take_sample(&job->request, value, ret_message);
    case KEY_OBSERVE: return curve_observe_parse(value, &job->request.observe_bits, ret_message);
    case KEY_SWAP: return curve_swap_take(value, &job->request.no_swap, ret_message);
    default: return -ARGP_ERR_UNKNOWN;
    }
}

/* ---- computing ---- */

static bool is_drawn(const struct job *job) {
    return job->output && (job->format == FIGURE_SVG || job->format == FIGURE_PNG);
}

static bool compute(struct job *job, struct curve_set *ret_set) {
    char *message = NULL;
    job->request.policies = (const char *const *)job->policies.names;
    job->request.policy_count = job->policies.count;
    job->request.sizes = job->sizes;
    job->request.size_count = job->size_count;
    if (!job->sizes)
        job->request.size_count = is_drawn(job) ? SIZES_OF_DRAWING : SIZES_OF_TABLE;
    job->request.seed = job->subject.options.machine.seed;
    job->request.warm_up = job->subject.options.counted;
    job->request.writebacks = !job->no_writebacks;
    const int error = curve_compute(job->subject.source, &job->request, ret_set, &message);
    if (error)
        return say_failed(message, error);
    if (!ret_set->totals.pages) {
        subject_report(&job->subject, "there is not one reference in it");
        curve_set_free(ret_set);
        return false;
    }
    return true;
}

/* ---- drawing ---- */

/* lru and opt are known at every size at little cost: more points for them. */
static bool compute_stacks(const struct job *job, const struct curve *given, struct curve_set *ret_set) {
    const char *wanted[2];
    uint32_t *sizes = NULL;
    char *message = NULL;
    struct curve_request request = job->request;
    request.policies = wanted;
    request.policy_count = 0;
    request.writebacks = request.measure = false;
    for (size_t i = 0; i < job->policies.count; i++)
        if (!strcmp(job->policies.names[i], "lru") || !strcmp(job->policies.names[i], "opt"))
            wanted[request.policy_count++] = job->policies.names[i];
    *ret_set = (struct curve_set){0};
    if (!request.policy_count || request.observe_bits || request.no_swap)
        return true;
    int error = sizes_refine(given->sizes, given->count, SIZES_OF_STACKS, &sizes, &request.size_count);
    request.sizes = sizes;
    if (!error)
        error = curve_compute(job->subject.source, &request, ret_set, &message);
    free(sizes);
    return error ? say_failed(message, error) : true;
}

static const struct curve *find_curve(const struct curve_set *set, const char *policy) {
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->curves[i].policy, policy))
            return &set->curves[i];
    return NULL;
}

static bool draw(const struct job *job, const struct curve_set *set, struct text *t) {
    struct curve_set stacks;
    const size_t count = set->count;
    const struct curve **curves = calloc(count + 1, sizeof *curves);
    bool done = curves && compute_stacks(job, &set->curves[0], &stacks);
    if (done) {
        for (size_t i = 0; i < count; i++) {
            const struct curve *dense = find_curve(&stacks, set->curves[i].policy);
            curves[i] = dense ? dense : &set->curves[i];
        }
        curve_draw(job->subject.title, set, curves, count, job->linear, &job->figure, t);
        curve_set_free(&stacks);
    }
    free(curves);
    return done;
}

/* ---- writing ---- */

static bool write_as(const struct job *job, const struct curve_set *set, enum figure_format format,
                     const char *path) {
    struct text t = {0};
    bool done = true;
    switch (format) {
    case FIGURE_SVG:
    case FIGURE_PNG: done = draw(job, set, &t); break;
    case FIGURE_JSON: curve_put_json(&job->subject, set, job->request.observe_bits, &t); break;
    case FIGURE_CSV: curve_put_csv(set, &t); break;
    case FIGURE_TEXT:
        curve_put_table(job->subject.title, set, job->sizes ? SIZE_MAX : SIZES_OF_TABLE, &t);
        break;
    case FIGURE_FORMATS: break;
    }
    if (done)
        done = figure_write(path, format, &t);
    text_free(&t);
    return done;
}

/* In a process of its own. */
static void report(void *context) {
    struct job *job = context;
    struct curve_set set;
    job->output = NULL;
    if (compute(job, &set))
        (void)write_as(job, &set, FIGURE_TEXT, "-");
}

static bool run_job(struct job *job, char **envp) {
    struct curve_set set;
    job->subject.report = report;
    job->subject.job = job;
    if (!subject_open(&job->subject, envp) || !compute(job, &set))
        return false;
    bool done = !job->output || write_as(job, &set, job->format, job->output);
    if (!job->output || strcmp(job->output, "-"))
        done = done && write_as(job, &set, job->as_json ? FIGURE_JSON : FIGURE_TEXT, "-");
    if (done)
        job->subject.exit_status = curve_set_failed(&set) ? EXIT_POLICY_FAILED : EXIT_SUCCESS;
    curve_set_free(&set);
    return done;
}

int curve_command(int argc, char **argv, char **envp) {
    struct job job = {0};
    const struct options_analysis analysis = {
        .name = "thimble curve",
        .arguments = "[--] PROGRAM [ARG...]\nFILE",
        .doc = "Misses as a function of the memory that a program has, for every policy asked for, from one "
               "run of PROGRAM or one FILE of references.\vThe exit status is 0; 1 when a policy failed, "
               "whose curve says so; 125 when something could not be computed. See also: man thimble-curve",
        .options = own_options,
        .take = take_option,
        .context = &job,
        .takes_file = true,
    };
    char *message = NULL;
    if (subject_parse(&job.subject, &analysis, argc, argv)) {
        const int error =
            job.policies.count ? 0 : policy_list_parse("lru,clock,opt", &job.policies, &message);
        if (error)
            say_failed(message, error);
        else
            (void)run_job(&job, envp);
    }
    subject_close(&job.subject);
    policy_list_free(&job.policies);
    free(job.sizes);
    return job.subject.exit_status;
}
