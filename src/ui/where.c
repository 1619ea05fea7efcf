/* `thimble where`: runs a program with as much memory as is said, and tells which of its places missed. */
#include "ui/where.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/sizes.h"
#include "base/base.h"
#include "base/message.h"
#include "place/attribution.h"
#include "place/replay.h"
#include "ui/commands.h"
#include "ui/curve_sizes.h"
#include "ui/exported.h"
#include "ui/figure.h"
#include "ui/recorded.h"
#include "ui/say.h"
#include "ui/session.h"
#include "ui/size.h"

enum {
    KEY_SIZES = 2048, /* beyond those of the machine's options, which argp sees together with these */
    KEY_BY,
    KEY_JSON,
    KEY_FOLDED,
    KEY_TOP,
    KEY_DEPTH,
};

enum { DEFAULT_TOP = 20, DEFAULT_DEPTH = 16, DEPTH_MOST = 256 };

enum where_format { WHERE_TEXT, WHERE_JSON, WHERE_FOLDED };

struct where_job {
    struct session session;
    struct attribution *attribution; /* NULL: none yet */
    enum where_format format;
    enum place_by by;
    const char *output; /* NULL: standard output */
    FILE *to;
    uint32_t available; /* --sizes; 0: not given */
    const char *policy;
    uint64_t top, depth;
};

const char *const where_by_names[] = {
    [PLACE_BY_MAPPING] = "mapping",       [PLACE_BY_FILE] = "file",
    [PLACE_BY_SYMBOL] = "symbol",         [PLACE_BY_LINE] = "line",
    [PLACE_BY_ALLOCATION] = "allocation",
};

static const struct argp_option own_options[] = {
    {NULL, 0, NULL, 0, "Places:", 0},
    {"sizes", KEY_SIZES, "N", 0,
     "Frames for pages, or bytes with K, M, G (default: as many as -n or -m say, or 4 GiB of them)", 0},
    {"by", KEY_BY, "PLACE", 0, "mapping (default), file, symbol, line or allocation", 0},
    {"policy", 'p', "NAME[:KEY=VALUE,...]", 0, "Page replacement policy (default clock)", 0},
    {"top", KEY_TOP, "N", 0, "Rows of each table (default 20); 0: all", 0},
    {"depth", KEY_DEPTH, "N", 0, "Frames of a call stack at most (default 16)", 0},
    {"json", KEY_JSON, NULL, 0, "One JSON object instead of tables", 0},
    {"folded", KEY_FOLDED, NULL, 0,
     "Misses by call stack, one line each: FRAME;FRAME… COUNT, for flame graphs; by symbol, line or "
     "allocation",
     0},
    {"output", 'o', "FILE", 0,
     "Write the report to FILE (default: standard output; the program's own goes to standard error then)", 0},
    {0},
};

/* ---- options ---- */

static int take_sizes(struct where_job *job, const char *text, char **ret_message) {
    uint32_t *sizes = NULL;
    size_t count;
    int error = curve_sizes_take(text, &sizes, &count, ret_message);
    if (error)
        return error;
    if (count == 1)
        job->available = sizes[0];
    else
        error = message_fail(-EINVAL, ret_message,
                             "--sizes: '%s' is %zu sizes: places are looked for at one, give one number",
                             text, count);
    free(sizes);
    return error;
}

static int take_by(struct where_job *job, const char *text, char **ret_message) {
    for (unsigned i = 0; i < PLACE_BY_KINDS; i++) {
        if (strcmp(text, where_by_names[i]))
            continue;
        job->by = (enum place_by)i;
        return 0;
    }
    return message_fail(
        -EINVAL, ret_message,
        "--by: '%s' is no kind of place: there are mapping, file, symbol, line and allocation", text);
}

static int take_format(struct where_job *job, enum where_format format, char **ret_message) {
    if (job->format != WHERE_TEXT && job->format != format)
        return message_fail(-EINVAL, ret_message, "--json and --folded are two formats: give one of them");
    job->format = format;
    return 0;
}

static int take_option(void *context, int key, const char *value, char **ret_message) {
    struct where_job *job = context;
    switch (key) {
    case KEY_SIZES: return take_sizes(job, value, ret_message);
    case KEY_BY: return take_by(job, value, ret_message);
    case KEY_TOP: return number_take("--top", value, 0, INT32_MAX, &job->top, ret_message);
    case KEY_DEPTH: return number_take("--depth", value, 1, DEPTH_MOST, &job->depth, ret_message);
    case KEY_JSON: return take_format(job, WHERE_JSON, ret_message);
    case KEY_FOLDED: return take_format(job, WHERE_FOLDED, ret_message);
    case 'p': job->policy = value; return 0;
    case 'o':
        job->output = strcmp(value, "-") ? value : NULL;
        return figure_check_path("-o", value, ret_message);
    default: return -ARGP_ERR_UNKNOWN;
    }
}

static bool job_parse(struct where_job *job, int argc, char **argv) {
    const struct options_analysis analysis = {
        .name = "thimble where",
        .arguments = "[--] PROGRAM [ARG...]\nFILE",
        .takes_file = true,
        .doc = "Run PROGRAM with little memory, and tell where its misses come from: which mappings, files, "
               "functions, source lines or allocations, and which drove out which. Or tell it of a FILE that "
               "thimble record wrote, by mapping or file.\vSee also: man thimble-where",
        .options = own_options,
        .take = take_option,
        .context = job,
    };
    struct machine_config *machine = &job->session.options.machine;
    if (!session_parse_analysis(&job->session, &analysis, argc, argv))
        return false;
    if (job->available && (machine->available || machine->frames != OPTIONS_ANALYSIS_FRAMES))
        return say_refused("--sizes and another option both say how much memory there is: give one of them");
    if (job->available) {
        machine->available = job->available;
        machine->frames = 0;
    }
    if (job->policy)
        machine->policy = job->policy;
    job->session.options.stats = STATS_NONE;
    session_limit_time(&job->session);
    if (job->format == WHERE_FOLDED && job->by != PLACE_BY_SYMBOL && job->by != PLACE_BY_LINE &&
        job->by != PLACE_BY_ALLOCATION)
        return say_refused(
            "--folded: a mapping or file has no call stack: say --by symbol, line or allocation");
    return true;
}

/* ---- the run ---- */

static bool output_open(struct where_job *job) {
    job->to = job->output ? fopen(job->output, "we") : stdout;
    if (!job->to)
        fprintf(stderr, "thimble: -o %s cannot be written: %s\n", job->output, strerror(errno));
    return job->to != NULL;
}

static bool attribution_begin(struct where_job *job) {
    const struct attribution_config config = {
        .by = job->by,
        .call_stacks = job->format == WHERE_FOLDED,
        .depth = (unsigned)job->depth,
        .warm_up = (uint64_t)(job->session.options.warm_up * 1e9),
        .warm_up_instructions = job->session.options.counted.instructions,
    };
    const int error = attribution_create(job->session.machine, &config, &job->attribution);
    if (error == -ENOSYS)
        return say_refused("the library that knows symbols is not there: install Debian's libdw1");
    return error ? say_failed(NULL, error) : true;
}

static int report_print(struct where_job *job, const struct place_report *report,
                        const struct where_context *context) {
    switch (job->format) {
    case WHERE_TEXT: return where_print_text(job->to, report, context);
    case WHERE_JSON: return where_print_json(job->to, report, context);
    case WHERE_FOLDED: return where_print_folded(job->to, report);
    }
    return 0;
}

static bool report_failed(int error) {
    return error == -ERANGE ? say_refused(WARM_UP_NOT_OVER) : say_failed(NULL, error);
}

/* Prints the report and frees it. */
static void report_write(struct where_job *job, struct place_report *report,
                         const struct where_context *context) {
    int error = report_print(job, report, context);
    place_report_free(report);
    if (!error && job->output && fclose(job->to))
        error = -errno;
    if (!error)
        return;
    fprintf(stderr, "thimble: the report could not be written: %s\n", strerror(-error));
    job->session.exit_status = EXIT_MACHINE;
}

static struct where_context job_context(struct where_job *job) {
    struct machine_summary summary;
    const struct options *o = &job->session.options;
    machine_get_summary(job->session.machine, &summary);
    const uint64_t *evictions = summary.vm.tally.evictions;
    return (struct where_context){
        .command = o->program,
        .policy = o->machine.policy,
        .available = o->machine.available,
        .frames = summary.vm.frames.total,
        .evicted = evictions[0] + evictions[1] + evictions[2] > 0,
        .deterministic = o->machine.deterministic,
        .exit_status = job->session.exit_status,
        .top = (unsigned)job->top,
    };
}

/* SIGUSR1: how it stands, as text, where it is in nobody's way. */
static bool take_signal(void *machine_context, int signal) {
    struct where_job *job = machine_context;
    struct place_report report;
    if (signal != SIGUSR1)
        return false;
    const struct where_context context = job_context(job);
    const int error = attribution_report(job->attribution, &report);
    if (error)
        return report_failed(error), true;
    fputs("thimble: provisional, of the run up to here:\n", stderr);
    (void)where_print_text(stderr, &report, &context);
    place_report_free(&report);
    return true;
}

static void job_report(struct where_job *job) {
    struct place_report report;
    const struct where_context context = job_context(job);
    const int error = attribution_report(job->attribution, &report);
    if (!error)
        report_write(job, &report, &context);
    else if (!report_failed(error))
        job->session.exit_status = EXIT_MACHINE;
}

static void job_run(struct where_job *job, char **envp) {
    const int out = session_stream(job->output ? STDOUT_FILENO : STDERR_FILENO);
    const int streams[3] = {session_stream(STDIN_FILENO), out, session_stream(STDERR_FILENO)};
    size_t failed = 0;
    if (!session_add_programs(&job->session, streams, envp))
        return;
    const int error = machine_run_programs(job->session.machine, &failed);
    session_ended(&job->session, error, failed, 0);
    if (!error)
        job_report(job);
}

/* ---- a recorded trace ---- */

/* The places in the trace for one policy and size. 0, or -errno with a message, which names the file where it
 * is about it, or NULL. */
static int job_replay(struct where_job *job, struct place_report *ret_report, char **ret_message) {
    const struct machine_config *machine = &job->session.options.machine;
    struct replay_config config = {.by = job->by,
                                   .frames = job->available,
                                   .seed = machine->seed,
                                   .warm_up = job->session.options.counted};
    struct refs_source *source;
    if (!job->available)
        return message_fail(-EINVAL, ret_message, "a trace is for any memory size: say which by --sizes N");
    int error = policy_load(machine->policy, &config.policy, &config.parameters, ret_message);
    if (!error)
        error =
            exported_open(job->session.options.references, job->session.options.format, &source, ret_message);
    if (error)
        return error;
    error = place_replay(source, &config, ret_report, ret_message);
    const bool whole = exported_close(source, job->session.options.references);
    if (!error)
        job->session.exit_status = whole ? EXIT_SUCCESS : EXIT_CUT;
    return error;
}

static void job_read(struct where_job *job) {
    const struct options *o = &job->session.options;
    struct place_report report;
    char *message = NULL;
    char *const subject[] = {(char *)o->references, NULL}; /* not written to */
    const int error = job_replay(job, &report, &message);
    if (error) {
        say_failed(message, error);
        return;
    }
    const struct where_context context = {
        .command = subject,
        .policy = o->machine.policy,
        .available = job->available,
        .frames = job->available,
        .evicted = true,
        .deterministic = true,
        .top = (unsigned)job->top,
    };
    report_write(job, &report, &context);
}

int where_command(int argc, char **argv, char **envp) {
    struct where_job job = {.top = DEFAULT_TOP, .depth = DEFAULT_DEPTH};
    struct machine_config *machine = &job.session.options.machine;
    if (job_parse(&job, argc, argv) && output_open(&job)) {
        machine->take_signal = take_signal;
        machine->context = &job;
        if (job.session.options.references)
            job_read(&job);
        else if (session_build(&job.session) && attribution_begin(&job))
            job_run(&job, envp);
    }
    if (job.attribution)
        attribution_destroy(job.attribution);
    return session_close(&job.session);
}
