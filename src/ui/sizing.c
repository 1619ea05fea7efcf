/* `thimble size`: how much memory to give a program.
 *
 * The program is recorded once, with memory for all of it; the answer is found by simulations over the
 * recording, and then the program is run again with that memory and with one page less, to see that it is so.
 * Exit status: 0 with an answer, 1 without one. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis/knee.h"
#include "base/base.h"
#include "base/message.h"
#include "ui/commands.h"
#include "ui/say.h"
#include "ui/size.h"
#include "ui/sizing.h"

enum { KEY_SLOWDOWN = 2048, KEY_DISK, KEY_SWAP, KEY_CPU_SECONDS, KEY_JSON, KEY_INTERVAL, KEY_NO_RERUN };
enum { EXIT_NO_ANSWER = 1 };
#define ASSUMED_RATE 3e9 /* instructions a second */

/* Instructions beyond those of the recording, after which a further run is stopped:
 * a service does not end. */
enum { RERUN_MORE = 1000000 };

/* Pages of swap, 64 GiB, of a further run where nothing is said of how much there is; the area is sparse. */
enum { SWAP_UNLIMITED = 1 << 24 };

static const struct argp_option size_options[] = {
    {NULL, 0, NULL, 0, "The question:", 1},
    {"slowdown", KEY_SLOWDOWN, "FACTOR", 0,
     "How many times as long as with enough memory it may take (default 1.1)", 0},
    {"disk", KEY_DISK, "DISK", 0,
     "Where pages come from: ssd (default), nvme, hdd, or latency=TIME,bandwidth=BYTES", 0},
    {"swap", KEY_SWAP, "SIZE", 0, "Swap that it will have: none (default), unlimited, or bytes with K, M, G",
     0},
    {"policy", 'p', "NAME[:KEY=VALUE,...]", 0, "Page replacement policy (default clock)", 0},
    {"cpu-seconds", KEY_CPU_SECONDS, "S", 0,
     "Processor time that the program takes (default: run it natively, and measure)", 0},
    {"interval", KEY_INTERVAL, "N", 0, "Also say what each N instructions miss with the answer", 0},
    {"no-rerun", KEY_NO_RERUN, NULL, 0, "Do not run the program again to confirm the answer", 0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
    {0},
};

#define SIZE_DOC                                                                                             \
    "How much memory does PROGRAM need, and what should its limit be? It is run once with enough memory, "   \
    "then, to confirm the answer, with that memory and with one page less, and natively to measure its "     \
    "processor time; what the further runs print is thrown away.\v"                                          \
    "The exit status is 0 with an answer, 1 without one, 125 when something failed.\n\nSee also: man "       \
    "thimble-size, docs/HOW-MUCH-MEMORY.md"

/* ---- the question ---- */

static int take_number(const char *option, const char *value, double least, double *ret_number,
                       char **ret_message) {
    char *end;
    const double number = strtod(value, &end);
    if (end == value || *end || !(number >= least) || number > 1e12)
        return message_fail(-EINVAL, ret_message, "--%s: '%s' cannot be: give a number of at least %g",
                            option, value, least);
    *ret_number = number;
    return 0;
}

static int take_swap(struct sizing *s, const char *value, char **ret_message) {
    if (!strcmp(value, "none")) {
        s->swap = NULL;
        return 0;
    }
    s->swap_unlimited = !strcmp(value, "unlimited");
    const char *wrong = s->swap_unlimited ? NULL : size_parse(value, true, &s->swap_pages);
    if (wrong)
        return message_fail(-EINVAL, ret_message,
                            "--swap: '%s' %s: give none, unlimited, or bytes with K, M, G", value, wrong);
    s->swap = value;
    return 0;
}

static int take(void *context, int key, const char *value, char **ret_message) {
    struct sizing *s = context;
    switch (key) {
    case KEY_SLOWDOWN: return take_number("slowdown", value, 1, &s->slowdown, ret_message);
    case KEY_DISK: s->disk = value; return cost_disk_parse(value, &s->config.disk, ret_message);
    case KEY_SWAP: return take_swap(s, value, ret_message);
    case 'p': s->policy = value; return 0;
    case KEY_CPU_SECONDS:
        s->cpu_given = true;
        return take_number("cpu-seconds", value, 1e-6, &s->config.cpu_seconds, ret_message);
    case KEY_INTERVAL: return number_take("--interval", value, 1, INT64_MAX, &s->interval, ret_message);
    case KEY_JSON: s->json = true; return 0;
    case KEY_NO_RERUN: s->verify = false; return 0;
    }
    return 0;
}

/* What it takes to run the program once more. */
struct again {
    int argc;
    char **argv, **envp;
    off_t input; /* as rerun_input() said */
};

static bool parse(struct sizing *s, struct subject *subject, const struct again *again) {
    const struct options_analysis analysis = {
        .name = "thimble size",
        .arguments = "[--] PROGRAM [ARG...]\nFILE",
        .doc = SIZE_DOC,
        .options = size_options,
        .take = take,
        .context = s,
        .takes_file = true,
    };
    return subject_parse(subject, &analysis, again->argc, again->argv);
}

static bool choose_policy(struct sizing *s) {
    char *message = NULL;
    int error = policy_load(s->policy, &s->config.policy, &s->config.parameters, &message);
    if (!error)
        error = policy_accepts(s->config.policy, s->config.parameters, &message);
    return error ? say_failed(message, error) : true;
}

/* ---- the answer ---- */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool record(struct sizing *s, struct subject *subject, char **envp) {
    struct rerun_pipe pipe;
    if (subject->options.references)
        return subject_open(subject, envp);
    const double start = now();
    const int error = rerun_pipe_begin(&pipe);
    if (error)
        return say_failed(NULL, error);
    const bool opened = subject_open(subject, envp);
    rerun_pipe_end(&pipe);
    s->recording_seconds = now() - start;
    return opened;
}

/* Instructions behind the warm-up, and their part of all. */
static bool count_instructions(struct refs_source *source, const struct warm_up *wanted,
                               uint64_t *ret_counted, double *ret_part) {
    struct warm_up_scan scan = {.wanted = *wanted};
    const struct refs_item *items;
    uint64_t last = 0;
    long got = refs_rewind(source);
    while (got >= 0 && (got = refs_next(source, &items)) > 0) {
        (void)warm_up_find(&scan, source, items, (size_t)got);
        last = items[got - 1].instruction;
    }
    *ret_counted = last - scan.instruction;
    *ret_part = last ? (double)*ret_counted / (double)last : 1;
    return got < 0 ? say_failed(NULL, (int)got) : true;
}

/* A service does not end natively either, and in the same time it would do many times as much there: the time
 * is taken for that of the instructions that were recorded, on a quick processor, so that stall counts for
 * more rather than less. */
static bool assume_cpu(struct sizing *s, const struct subject *subject) {
    uint64_t counted = 0;
    double part;
    s->cpu_assumed = true;
    const bool is_counted = count_instructions(subject->source, &subject->options.counted, &counted, &part);
    s->config.cpu_seconds = fmax(1e-6, (double)counted / ASSUMED_RATE);
    return is_counted;
}

static bool measure_cpu(struct sizing *s, const struct subject *subject, off_t input) {
    const struct options *o = &subject->options;
    if (s->cpu_given)
        return true;
    if (!o->program || o->references) {
        fprintf(
            stderr,
            "thimble: --cpu-seconds is needed: %s does not say how much processor time the program takes\n",
            o->references ? "a file of references" : "a machine file");
        return false;
    }
    const int error =
        o->duration > 0 ? -ETIME : rerun_native(o, input, 1 + s->recording_seconds, &s->config.cpu_seconds);
    if (error == -ETIME)
        return assume_cpu(s, subject);
    if (error) {
        fprintf(stderr,
                "thimble: %s cannot be run natively, to measure its processor time: give --cpu-seconds\n",
                o->program[0]);
        return false;
    }
    uint64_t counted;
    double part = 1;
    const bool has_warm_up = o->counted.by_instructions || o->counted.marked;
    if (has_warm_up && !count_instructions(subject->source, &o->counted, &counted, &part))
        return false;
    s->config.cpu_seconds = fmax(1e-6, part * s->config.cpu_seconds);
    return true;
}

static bool find(struct sizing *s, struct subject *subject) {
    char *message = NULL;
    const struct refs_header *header = refs_header(subject->source);
    s->config.page_size = header->page_size ? header->page_size : PAGE_SIZE;
    s->config.seed = header->seed ? header->seed : subject->options.machine.seed;
    s->config.warm_up = subject->options.counted;
    s->config.no_swap = !s->swap;
    s->config.swap_pages = (uint32_t)min_u64(s->swap_pages, UINT32_MAX - 1);
    s->config.slowdown = s->slowdown;
    s->config.least = header->thimble ? vm_minimum_frames(&page_table_array, 0) : 1;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    s->config.threads = processors > 0 ? (unsigned)processors : 1;
    int error = answer_find(subject->source, &s->config, &s->answer, &message);
    if (!error)
        error = refs_totals(subject->source, &s->totals);
    s->kinds_known = !error && refs_page(subject->source, 0)->flags & REFS_PAGE_KNOWN;
    return error ? say_failed(message, error) : true;
}

/* Of the sizes that were looked at, as far as they stand for the curve. */
static bool find_knees(struct sizing *s) {
    const struct answer *a = &s->answer;
    uint32_t *sizes = calloc(a->count, sizeof *sizes);
    uint64_t *misses = calloc(a->count, sizeof *misses);
    long found = -1;
    if (sizes && misses) {
        for (size_t i = 0; i < a->count; i++) {
            sizes[i] = a->points[i].frames;
            misses[i] = a->points[i].misses;
        }
        found = knees_find(sizes, misses, a->count, s->knees, SIZING_KNEES);
    }
    free(sizes);
    free(misses);
    if (found < 0)
        return say_failed(NULL, -ENOMEM);
    s->knee_count = (size_t)found;
    return true;
}

static bool find_phases(struct sizing *s, const struct subject *subject) {
    if (s->interval == 0 || !sizing_has_answer(s))
        return true;
    const struct simulation_config config = {
        .policy = s->config.policy,
        .parameters = s->config.parameters,
        .frames = s->answer.points[s->answer.chosen].frames,
        .seed = s->config.seed,
        .no_swap = s->config.no_swap,
        .swap_pages = s->config.swap_pages,
    };
    const int error = phases_compute(subject->source, &config, s->interval, &s->phases, &s->phase_count);
    if (error == -E2BIG) {
        fputs("thimble: --interval: there would be more than a million of them: make them longer\n", stderr);
        return false;
    }
    return error ? say_failed(NULL, error) : true;
}

/* ---- a service asks how it stands ---- */

struct so_far {
    struct sizing *sizing;
    struct subject *subject;
};

static void label(struct sizing *s);

/* In a process of its own. */
static void report_so_far(void *context) {
    const struct so_far *now = context;
    struct sizing *s = now->sizing;
    if ((!s->cpu_given && !assume_cpu(s, now->subject)) || !find(s, now->subject) || !find_knees(s))
        return;
    label(s);
    sizing_print(s, now->subject, stdout);
}

/* ---- and whether it is so ---- */

/* What the simulation says of this size; NULL: it was not looked at. */
static const struct answer_point *point_of(const struct sizing *s, uint32_t pages) {
    for (size_t i = 0; i < s->answer.count; i++)
        if (s->answer.points[i].frames == pages)
            return &s->answer.points[i];
    return NULL;
}

static void judge_rerun(const struct sizing *s, struct sizing_rerun *r) {
    const struct answer_config *c = &s->config;
    const struct tally *t = &r->found.tally;
    const struct answer_point *point = point_of(s, r->pages);
    const bool killed = r->found.oom_kills > 0;
    const uint64_t writes = t->evictions[EVENT_VICTIM_TO_SWAP] + t->evictions[EVENT_VICTIM_TO_FILE];
    const bool dies = point ? point->out_of_memory : r->pages < s->answer.lowest;
    const bool same = point && point->misses == t->misses && point->writes == writes;
    r->compared = killed || (r->found.finished && s->answer.warm_up == 0);
    r->predicted = killed ? dies : r->compared && !dies && same;
    /* As the simulation counts, if it is the same run: copying a page of a file is no read there. */
    const uint64_t reads = r->predicted && !killed ? t->misses - s->answer.floor.cold_anonymous : t->major;
    const double stall = cost_stall(&c->disk, c->page_size, reads, writes);
    r->slowdown = cost_slowdown(c->cpu_seconds, stall, s->answer.stall_unlimited);
}

/* Recording the program has used its options up: they are parsed anew. */
static void rerun_with(struct sizing *s, const struct again *again, uint32_t pages) {
    struct sizing_rerun *r = &s->reruns[s->rerun_count++];
    struct sizing scratch = {0};
    struct subject fresh = {0};
    const struct rerun_machine machine = {
        .available = pages,
        .policy = s->policy,
        .swap_pages = s->swap_unlimited ? SWAP_UNLIMITED : s->config.swap_pages,
        .instructions = s->totals.instructions + s->totals.instructions / 8 + RERUN_MORE};
    *r = (struct sizing_rerun){.pages = pages};
    if (parse(&scratch, &fresh, again))
        r->started = rerun(&fresh.options, &machine, again->input, again->envp, &r->found) == 0;
    if (r->started)
        judge_rerun(s, r);
    subject_close(&fresh);
}

static void confirm(struct sizing *s, const struct subject *subject, const struct again *again) {
    if (!s->verify || subject->options.references || !sizing_has_answer(s))
        return;
    const uint32_t pages = s->answer.points[s->answer.chosen].frames;
    rerun_with(s, again, pages);
    if (pages > s->config.least)
        rerun_with(s, again, pages - 1);
}

/* How sure the numbers are. */
static void label(struct sizing *s) {
    bool was_short = false;
    for (size_t i = 0; i < s->answer.count; i++)
        was_short |= s->answer.points[i].swap_was_short;
    if (result_condition(&s->totals, &s->label, &s->condition))
        s->label = RESULT_CONDITIONAL;
    if (!was_short || !s->answer.floor.forked)
        return;
    free(s->condition);
    s->label = RESULT_ESTIMATED;
    s->condition =
        strdup("with so little swap it matters which of the processes that share a page have read it "
               "back, and the references do not say");
}

static int report(struct sizing *s, struct subject *subject) {
    if (s->json) {
        const int error = sizing_print_json(s, subject, stdout);
        if (error)
            return say_failed(NULL, error), EXIT_MACHINE;
    } else {
        sizing_print(s, subject, stdout);
    }
    return sizing_has_answer(s) ? EXIT_SUCCESS : EXIT_NO_ANSWER;
}

int size_command(int argc, char **argv, char **envp) {
    struct sizing s = {.policy = "clock", .disk = "ssd", .slowdown = 1.1, .verify = true};
    const struct again again = {.argc = argc, .argv = argv, .envp = envp, .input = rerun_input()};
    struct so_far so_far;
    struct subject subject = {.report = report_so_far, .job = &so_far, .tells_status = true};
    so_far = (struct so_far){&s, &subject};
    char *message = NULL;
    (void)cost_disk_parse(s.disk, &s.config.disk, &message);
    if (parse(&s, &subject, &again) && choose_policy(&s) && record(&s, &subject, envp) &&
        measure_cpu(&s, &subject, again.input) && find(&s, &subject) && find_knees(&s) &&
        find_phases(&s, &subject)) {
        label(&s);
        confirm(&s, &subject, &again);
        subject.exit_status = report(&s, &subject);
    }
    answer_free(&s.answer);
    free(s.phases);
    free(s.condition);
    if (s.config.policy)
        policy_unload(s.config.policy);
    subject_close(&subject);
    return subject.exit_status;
}
