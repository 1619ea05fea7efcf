/* `thimble compare`: policies × sizes of memory, with OPT beside them, of one program or of a suite.
 *
 * Results become rows (compare_rows.h), and all output is made from the rows, so that a CSV file of an
 * earlier comparison gives the same table again. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/sizes.h"
#include "base/base.h"
#include "base/host_file.h"
#include "base/message.h"
#include "ui/commands.h"
#include "ui/compare_report.h"
#include "ui/curve_output.h"
#include "ui/curve_sizes.h"
#include "ui/figure.h"
#include "ui/policy_list.h"
#include "ui/say.h"
#include "ui/size.h"
#include "ui/subject.h"
#include "ui/suite.h"

enum {
    KEY_SIZES = 2048, /* beyond those of the machine's options, which argp sees together with these */
    KEY_BASELINE,
    KEY_OBSERVE,
    KEY_SWAP,
    KEY_DISK,
    KEY_MEASURE,
    KEY_SUITE,
    KEY_RUNS,
    KEY_FROM,
    KEY_CSV,
    KEY_JSON,
};

enum { RUNS_MOST = 10000, SIZES_MOST = 256, DEFAULT_SIZES = 8 };

struct job {
    struct subject subject;
    struct policy_list policies;
    const char *sizes; /* as given; NULL: by the number of pages */
    const char *baseline, *disk_text, *suite_path, *from, *csv;
    struct cost_disk disk;
    uint64_t runs; /* of each program; 0: not said */
    bool as_json, measure;
    struct curve_request request; /* its options; not the lists */
    struct compare_rows rows;
};

static const struct argp_option own_options[] = {
    {NULL, 0, NULL, 0, "Comparison:", 0},
    {"policies", 'p', "NAME,...", 0,
     "Replacement policies (default fifo,clock,lru); opt is always among them", 0},
    {"policy", 0, NULL, OPTION_ALIAS, NULL, 0},
    {"sizes", KEY_SIZES, "LIST", 0,
     "Numbers of frames for pages, bytes with K, M, G, or parts of a run's pages (25%): A..B, A..B:STEP, "
     "lists of these (default: eight sizes; of a suite 10%,25%,50%)",
     0},
    {"baseline", KEY_BASELINE, "NAME", 0, "What the others are held against (default lru)", 0},
    {"observe", KEY_OBSERVE, "bits:K|all", 0,
     "Policies learn only which pages were referenced in each K instructions (default all: every reference)",
     0},
    {"swap", KEY_SWAP, "none", 0, "Without swap, anonymous pages stay (default: all the swap that it takes)",
     0},
    {"disk", KEY_DISK, "DISK", 0,
     "Of the modelled stall: ssd (default), nvme, hdd, or latency=T,bandwidth=B,depth=N,writes=W", 0},
    {"measure", KEY_MEASURE, NULL, 0, "Also what each policy costs: time and memory (a suite always does)",
     0},
    {"json", KEY_JSON, NULL, 0, "One JSON object on standard output instead of the table", 0},
    {"csv", KEY_CSV, "FILE", 0, "Also write a row for each run, policy and size", 0},
    {NULL, 0, NULL, 0, "Suites, and what they found:", 0},
    {"suite", KEY_SUITE, "FILE", 0, "Run the programs of FILE: NAME [seed=N] [sizes=LIST] : COMMAND", 0},
    {"runs", KEY_RUNS, "N", 0, "Each N times, with other seeds and address layouts (default 1: neither)", 0},
    {"from", KEY_FROM, "FILE", 0, "Run nothing: the table of a CSV file of an earlier comparison", 0},
    {0},
};

/* ---- options ---- */

static int take_disk(struct job *job, const char *text, char **ret_message) {
    char *message = NULL;
    const int error = cost_disk_parse(text, &job->disk, &message);
    if (error)
        message_fail(error, ret_message, "--disk: %s", message ? message : strerror(-error));
    free(message);
    job->disk_text = text;
    return error;
}

static int take_file(const char *option, const char *path, const char **ret_path, char **ret_message) {
    *ret_path = path;
    return *path ? 0 : message_fail(-EINVAL, ret_message, "%s: the name of the file is empty", option);
}

static int take_option(void *context, int key, const char *value, char **ret_message) {
    struct job *job = context;
    switch (key) {
    case 'p': return policy_list_parse(value, &job->policies, ret_message);
    case KEY_SIZES: job->sizes = value; return 0;
    case KEY_BASELINE: job->baseline = value; return 0;
    case KEY_OBSERVE: return curve_observe_parse(value, &job->request.observe_bits, ret_message);
    case KEY_SWAP: return curve_swap_take(value, &job->request.no_swap, ret_message);
    case KEY_DISK: return take_disk(job, value, ret_message);
    case KEY_MEASURE: job->measure = true; return 0;
    case KEY_SUITE: return take_file("--suite", value, &job->suite_path, ret_message);
    case KEY_RUNS: return number_take("--runs", value, 1, RUNS_MOST, &job->runs, ret_message);
    case KEY_FROM: return take_file("--from", value, &job->from, ret_message);
    case KEY_CSV: job->csv = value; return figure_check_path("--csv", value, ret_message);
    case KEY_JSON: job->as_json = true; return 0;
    default: return -ARGP_ERR_UNKNOWN;
    }
}

/* The baseline and opt are always computed. */
static bool complete_policies(struct job *job) {
    char *message = NULL;
    struct policy_list baseline = {0};
    int error = job->policies.count ? 0 : policy_list_parse("fifo,clock,lru", &job->policies, &message);
    if (!error)
        error = policy_list_parse(job->baseline, &baseline, &message);
    if (!error && baseline.count != 1)
        error = message_fail(-EINVAL, &message, "--baseline: '%s' is not one policy", job->baseline);
    if (!error &&
        (policy_list_add(&job->policies, job->baseline) < 0 || policy_list_add(&job->policies, "opt") < 0))
        error = -ENOMEM;
    policy_list_free(&baseline);
    return error ? say_failed(message, error) : true;
}

/* ---- sizes ---- */

/* Sizes in the order of their numbers of frames, with what each was called. */
struct sizes {
    uint32_t frames[SIZES_MOST];
    char *names[SIZES_MOST];
    size_t count;
};

static void sizes_free(struct sizes *s) {
    for (size_t i = 0; i < s->count; i++)
        free(s->names[i]);
}

static int sizes_add(struct sizes *s, uint32_t frames, const char *name, char **ret_message) {
    size_t at = s->count;
    char number[16];
    snprintf(number, sizeof number, "%u", frames);
    for (size_t i = 0; i < s->count; i++)
        if (s->frames[i] == frames)
            return 0; /* of few pages, several parts are the same number */
    if (s->count == SIZES_MOST)
        return message_fail(-EINVAL, ret_message, "--sizes: more than %d sizes", SIZES_MOST);
    char *copy = strdup(name ? name : number);
    if (!copy)
        return -ENOMEM;
    for (; at && s->frames[at - 1] > frames; at--) {
        s->frames[at] = s->frames[at - 1];
        s->names[at] = s->names[at - 1];
    }
    s->frames[at] = frames;
    s->names[at] = copy;
    s->count++;
    return 0;
}

static int sizes_add_part(struct sizes *s, const char *word, uint32_t pages, char **ret_message) {
    char *rest;
    const double part = strtod(word, &rest);
    if (strcmp(rest, "%") || !(part > 0 && part <= 100))
        return message_fail(-EINVAL, ret_message, "--sizes: '%s' is no part of the pages: give it as in 25%%",
                            word);
    const double frames = part * pages / 100;
    return sizes_add(s, frames < 1 ? 1 : (uint32_t)(frames + 0.5), word, ret_message);
}

static int sizes_add_list(struct sizes *s, const char *word, char **ret_message) {
    uint32_t *sizes = NULL;
    size_t count;
    int error = curve_sizes_take(word, &sizes, &count, ret_message);
    for (size_t i = 0; !error && i < count; i++)
        error = sizes_add(s, sizes[i], NULL, ret_message);
    free(sizes);
    return error;
}

static int sizes_make(const char *text, uint32_t pages, struct sizes *s, char **ret_message) {
    char *copy = strdup(text), *rest = copy, *word;
    int error = copy ? 0 : -ENOMEM;
    while (!error && (word = strsep(&rest, ",")) != NULL)
        error = strchr(word, '%') ? sizes_add_part(s, word, pages, ret_message)
                                  : sizes_add_list(s, word, ret_message);
    free(copy);
    return error;
}

/* Before anything runs: is it a list of sizes at all? `name`: of the program whose
 * sizes they are, or NULL. */
static bool sizes_check(const char *text, const char *name) {
    struct sizes sizes = {0};
    char *message = NULL, *named = NULL;
    int error = text ? sizes_make(text, 1, &sizes, &message) : 0;
    if (error && name)
        error = message_fail(error, &named, "%s: %s", name, message ? message : strerror(-error));
    sizes_free(&sizes);
    if (named)
        free(message);
    return error ? say_failed(named ? named : message, error) : true;
}

static int sizes_by_pages(uint32_t pages, struct sizes *s) {
    uint32_t sizes[DEFAULT_SIZES];
    const size_t count = sizes_between(pages, DEFAULT_SIZES, sizes);
    int error = 0;
    for (size_t i = 0; !error && i < count; i++)
        error = sizes_add(s, sizes[i], NULL, NULL);
    return error;
}

/* ---- computing ---- */

/* All policies at all sizes over one trace, as rows. */
static int compare_source(struct job *job, struct refs_source *source, struct compare_run *run,
                          const char *sizes_text, char **ret_message) {
    struct sizes sizes = {0};
    struct curve_set set;
    uint32_t pages;
    int error = refs_count_pages(source, &pages);
    if (error)
        return message_fail(error, ret_message, "%s",
                            refs_message(source) ? refs_message(source) : strerror(-error));
    if (!pages)
        return message_fail(-ENODATA, ret_message, "%s: there is not one reference in it", run->name);
    error = sizes_text ? sizes_make(sizes_text, pages, &sizes, ret_message) : sizes_by_pages(pages, &sizes);
    struct curve_request request = job->request;
    request.policies = (const char *const *)job->policies.names;
    request.policy_count = job->policies.count;
    request.sizes = sizes.frames;
    request.size_count = sizes.count;
    request.seed = run->seed;
    request.warm_up = job->subject.options.counted;
    request.writebacks = true;
    request.measure = job->measure;
    if (!error)
        error = curve_compute(source, &request, &set, ret_message);
    if (!error) {
        run->sizes = (const char *const *)sizes.names;
        error = compare_rows_add(&job->rows, run, &set);
        curve_set_free(&set);
    }
    sizes_free(&sizes);
    return error;
}

/* "every reference" or "bits:K". */
static const char *observed_name(const struct job *job, char text[SIZE_TEXT]) {
    if (!job->request.observe_bits)
        return "every reference";
    snprintf(text, SIZE_TEXT, "bits:%llu", (unsigned long long)job->request.observe_bits);
    return text;
}

static bool compare_opened(struct job *job) {
    char *message = NULL, observed[SIZE_TEXT];
    struct compare_run run = {.name = job->subject.title,
                              .command = job->subject.title,
                              .observed = observed_name(job, observed),
                              .disk_text = job->disk_text,
                              .disk = &job->disk,
                              .seed = job->subject.options.machine.seed};
    const int error = compare_source(job, job->subject.source, &run, job->sizes, &message);
    return error ? say_failed(message, error) : true;
}

static bool write_report(const struct job *job);
static bool write_rows(const struct job *job);

/* Of a run that goes on, in a process of its own. */
static void report(void *context) {
    struct job *job = context;
    job->as_json = false;
    if (compare_opened(job))
        (void)write_report(job);
}

static bool compare_subject(struct job *job, char **envp) {
    job->subject.report = report;
    job->subject.job = job;
    return subject_open(&job->subject, envp) && compare_opened(job);
}

/* ---- suites ---- */

enum { TRACE_PATH = 48 };

static int compare_recorded(struct job *job, const struct suite_entry *e, uint64_t seed, uint64_t layout,
                            const char *trace, char **ret_message) {
    char observed[SIZE_TEXT];
    struct refs_source *source;
    struct compare_run run = {.name = e->name,
                              .command = e->command,
                              .observed = observed_name(job, observed),
                              .disk_text = job->disk_text,
                              .disk = &job->disk,
                              .seed = seed,
                              .layout = layout};
    const char *sizes = e->sizes ? e->sizes : job->sizes ? job->sizes : "10%,25%,50%";
    const struct suite_run recorded = {.seed = seed,
                                       .layout = layout,
                                       .warm_up = job->subject.options.warm_up,
                                       .duration = job->subject.options.duration};
    int error = suite_record(e, &recorded, trace, ret_message);
    if (!error)
        error = refs_open(trace, REFS_FORMAT_THIMBLE, &source, ret_message);
    if (error)
        return error;
    error = compare_source(job, source, &run, sizes, ret_message);
    refs_close(source);
    return error;
}

/* The first run of a program is the one that `thimble run` makes; with more than one, each has a layout.
 * After a run that failed there are no others of this program. Rows are in their file as soon as they are
 * there. */
static bool compare_entry(struct job *job, const struct suite_entry *e, const char *trace) {
    const uint64_t first = e->has_seed ? e->seed : job->subject.options.machine.seed;
    const uint64_t runs = job->runs ? job->runs : 1;
    bool compared = true;
    for (uint64_t i = 0; compared && i < runs; i++) {
        char *message = NULL;
        fprintf(stderr, "thimble: %s, run %llu of %llu\n", e->name, (unsigned long long)i + 1,
                (unsigned long long)runs);
        const int error = compare_recorded(job, e, first + i, runs > 1 ? first + i + 1 : 0, trace, &message);
        compared =
            error ? say_failed(message, error) : !job->csv || !strcmp(job->csv, "-") || write_rows(job);
    }
    return compared;
}

static bool compare_suite(struct job *job) {
    char *message = NULL;
    struct suite suite;
    int error = suite_read(job->suite_path, &suite, &message);
    if (error)
        return say_failed(message, error);
    for (size_t i = 0; i < suite.count; i++)
        if (!sizes_check(suite.entries[i].sizes, suite.entries[i].name))
            return suite_free(&suite), false;
    /* Without a name of its own, so that nothing is left however we end. */
    const int file = host_file_unnamed(host_temporary_folder());
    char trace[TRACE_PATH];
    snprintf(trace, sizeof trace, "/proc/%d/fd/%d", (int)getpid(), file);
    bool compared = file >= 0;
    if (!compared)
        fprintf(stderr, "thimble: %s: a temporary file cannot be made: %s\n", host_temporary_folder(),
                strerror(-file));
    job->measure = true;
    signal(SIGUSR1, SIG_IGN); /* how it stands is said as each run begins */
    for (size_t i = 0; file >= 0 && i < suite.count; i++)
        compared &= compare_entry(job, &suite.entries[i], trace);
    close(file);
    suite_free(&suite);
    return compared;
}

static bool read_rows(struct job *job) {
    char *message = NULL;
    FILE *file = fopen(job->from, "re");
    if (!file) {
        fprintf(stderr, "thimble: --from %s: %s\n", job->from, strerror(errno));
        return false;
    }
    int error = compare_csv_read(file, job->from, &job->rows, &message);
    fclose(file);
    if (!error && !job->rows.count)
        error = message_fail(-ENODATA, &message, "--from: %s has no rows", job->from);
    return error ? say_failed(message, error) : true;
}

/* ---- output ---- */

static bool write_rows(const struct job *job) {
    struct text t = {0};
    compare_csv_put(&job->rows, &t);
    const bool done = figure_write(job->csv, FIGURE_CSV, &t);
    text_free(&t);
    return done;
}

static bool write_report(const struct job *job) {
    struct compare_report *report;
    char *message = NULL;
    struct text t = {0};
    const int error =
        compare_report_make(&job->rows, job->baseline, job->subject.options.machine.seed, &report, &message);
    if (error)
        return say_failed(message, error);
    if (job->as_json)
        json_put(compare_report_json(report), JSON_INDENT(2), &t);
    else
        compare_report_put_table(report, &t);
    const bool done = figure_write("-", FIGURE_TEXT, &t);
    text_free(&t);
    compare_report_free(report);
    return done;
}

static bool run_job(struct job *job, char **envp) {
    const bool has_subject = job->subject.options.program || job->subject.options.machine_file;
    if (has_subject + (job->suite_path != NULL) + (job->from != NULL) != 1)
        return say_refused("give one of: PROGRAM or FILE of references, --suite FILE, --from FILE");
    const struct options *o = &job->subject.options;
    if (job->from && (o->warm_up > 0 || o->duration > 0 || o->counted.by_instructions))
        return say_refused(
            "--from runs nothing: give --warm-up and --duration to the comparison that writes the "
            "file");
    if (job->runs && !job->suite_path)
        return say_refused("--runs is for the programs of a --suite: a program of its own runs once");
    if (!sizes_check(job->sizes, NULL) || (job->from ? !read_rows(job) : !complete_policies(job)))
        return false;
    const bool compared = job->from || (job->suite_path ? compare_suite(job) : compare_subject(job, envp));
    if (!compared && !job->rows.count)
        return false;
    const bool rows_only = job->csv && !strcmp(job->csv, "-");
    return (!job->csv || write_rows(job)) && (rows_only || write_report(job)) && compared;
}

int compare_command(int argc, char **argv, char **envp) {
    struct job job = {.baseline = "lru", .disk_text = "ssd"};
    char *message = NULL;
    const struct options_analysis analysis = {
        .name = "thimble compare",
        .arguments = "[--] PROGRAM [ARG...]\nFILE\n--suite FILE\n--from FILE",
        .doc = "Compare replacement policies at sizes of memory: misses, write-backs and modelled stall, "
               "beside those of OPT.\vThe exit status is 0; 1 when a policy failed, whose row says so; 125 "
               "when something could not be computed. See also: man thimble-compare",
        .options = own_options,
        .take = take_option,
        .context = &job,
        .takes_file = true,
        .takes_none = true,
    };
    cost_disk_parse(job.disk_text, &job.disk, &message);
    if (subject_parse(&job.subject, &analysis, argc, argv) && run_job(&job, envp))
        job.subject.exit_status = compare_rows_failed(&job.rows) ? EXIT_POLICY_FAILED : EXIT_SUCCESS;
    subject_close(&job.subject);
    policy_list_free(&job.policies);
    compare_rows_free(&job.rows);
    return job.subject.exit_status;
}
