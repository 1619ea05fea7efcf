/* A machine with its programs, from the command line to the exit status.
 *
 * What Thimble has to say goes to standard error, or where machine_config.report says: a screen that is full
 * of something else must not be written into. */
#include "ui/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/file.h"
#include "ui/crash.h"
#include "ui/failures.h"
#include "ui/guide.h"
#include "ui/say.h"
#include "ui/size.h"
#include "ui/summary.h"

enum { REPORT_LENGTH = 4352 }; /* a path and a sentence */

static void print_message(void *context, const char *line) {
    fprintf(stderr, "thimble: %s\n", line);
}

__attribute__((format(printf, 2, 3))) static void report(const struct session *s, const char *format, ...) {
    char line[REPORT_LENGTH];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    s->options.machine.report(s->options.machine.context, line);
}

/* A standard descriptor that the caller closed must not become the swap file. The stand-in is close-on-exec:
 * for the guest it stays closed. */
static void reserve_standard_descriptors(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int session_stream(int fd) {
    const int flags = fcntl(fd, F_GETFD);
    return flags < 0 || flags & FD_CLOEXEC ? -1 : fd;
}

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && !strcmp(name + length - end_length, end);
}

/* What was not said follows from where the summary goes. */
static enum stats_format stats_decide(const struct options *o) {
    if (o->stats != STATS_DEFAULT)
        return o->stats;
    if (o->stats_path)
        return ends_with(o->stats_path, ".json") ? STATS_JSON : STATS_TEXT;
    return isatty(STDERR_FILENO) ? STATS_TEXT : STATS_NONE;
}

static bool stats_open(struct session *s) {
    struct options *o = &s->options;
    o->stats = stats_decide(o);
    if (o->stats == STATS_NONE)
        return true;
    s->stats = o->stats_path ? fopen(o->stats_path, "we") : stderr;
    if (!s->stats)
        fprintf(stderr, "thimble: --stats-file %s cannot be written: %s\n", o->stats_path, strerror(errno));
    return s->stats != NULL;
}

static void stats_write(struct session *s) {
    if (!s->stats)
        return;
    struct machine_summary summary;
    machine_get_summary(s->machine, &summary);
    struct summary_context context = {.command = s->options.program, .exit_status = s->exit_status};
    int error = s->options.stats == STATS_JSON ? summary_print_json(s->stats, &summary, &context)
                                               : summary_print_text(s->stats, &summary, &context);
    if (s->stats != stderr && fclose(s->stats) && !error)
        error = -errno;
    if (error)
        fprintf(stderr, "thimble: the summary could not be written%s%s: %s\n",
                s->options.stats_path ? " to " : "", s->options.stats_path ? s->options.stats_path : "",
                strerror(-error));
}

static void trace_was_cut(void *context, int error) {
    const struct session *s = context;
    report(s, "the trace %s is cut: %s", s->options.trace_path, strerror(-error));
}

static bool error_is_of_the_disk(int error) {
    return error == -ENOSPC || error == -EDQUOT || error == -EIO;
}

void session_get_header(const struct session *s, struct trace_header *ret_header) {
    const struct options *o = &s->options;
    struct machine_geometry geometry;
    machine_get_geometry(s->machine, &geometry);
    *ret_header = (struct trace_header){
        .thimble = THIMBLE_VERSION,
        .frames = geometry.frames,
        .reserved = geometry.reserved,
        .swap_pages = geometry.swap_pages,
        .page_size = PAGE_SIZE,
        .page_table = geometry.page_table,
        .policy = o->machine.policy,
        .seed = o->machine.seed,
        .deterministic = o->machine.deterministic,
        .cpu = o->machine.level == CPU_LEVEL_V2 ? "x86-64-v2" : "x86-64-v3",
        .argument_count = o->program_count,
        .arguments = (const char *const *)o->program,
    };
}

/* A disk that is full cuts the trace at its very beginning, which is no reason not to run. False: the file
 * cannot be had at all. */
static bool trace_open(struct session *s) {
    const struct options *o = &s->options;
    if (!o->trace_path)
        return true;
    struct trace_header header;
    session_get_header(s, &header);
    int error = trace_file_create(o->trace_path, &header, trace_was_cut, s, NULL, &s->trace);
    if (!error) {
        machine_add_sink(s->machine, trace_file_sink(s->trace));
        crash_rescues(s->trace);
    } else if (error_is_of_the_disk(error))
        trace_was_cut(s, error);
    else
        fprintf(stderr, "thimble: --trace %s cannot be written: %s\n", o->trace_path, strerror(-error));
    return !error || error_is_of_the_disk(error);
}

static void trace_close(struct session *s) {
    if (!s->trace)
        return;
    struct machine_summary summary;
    machine_get_summary(s->machine, &summary);
    crash_rescues(NULL);
    (void)trace_file_finish(s->trace, summary.kernel.limits_of_determinism); /* trace_was_cut() reports */
    trace_file_destroy(s->trace);
}

/* The first process never ran. */
static int start_failed(struct session *s, int error, size_t failed) {
    const struct machine_file *file = s->options.machine_file;
    const char *program = file ? machine_file_program(file, failed) : s->options.program[0];
    struct machine_geometry g;
    machine_get_geometry(s->machine, &g);
    if (error == -ENOMEM) {
        fprintf(stderr,
                "thimble: %s: %u frames (%u of them reserved) and %u pages of swap are too few to start it: "
                "give more of either\n",
                program, g.frames, g.reserved, g.swap_pages);
        return EXIT_MACHINE;
    }
    if (error == -ENOENT && !strchr(program, '/'))
        fprintf(stderr, "thimble: %s: not found in PATH\n", program);
    else if (error == -EEXIST)
        fprintf(stderr, "thimble: %s: its stack has a fixed place where the program itself must stand\n",
                program);
    else if (error == -ENOEXEC)
        fprintf(stderr, "thimble: %s: not a program for this machine (an x86-64 ELF file or a #! script)%s\n",
                program, s->options.command == OPTIONS_RUN ? "" : ", nor a recording");
    else
        fprintf(stderr, "thimble: %s: %s\n", program, strerror(-error));
    return error == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static void report_limit(const struct machine_summary *summary) {
    char number[SIZE_TEXT];
    switch (summary->kernel.limit) {
    case LIMIT_NONE: break;
    case LIMIT_INSTRUCTIONS:
        fprintf(stderr, "thimble: stopped after %s instructions (--max-instructions)\n",
                number_format(summary->kernel.instructions, number));
        break;
    case LIMIT_OUTPUT:
        fprintf(stderr, "thimble: stopped after %s bytes of output (--max-output)\n",
                number_format(summary->kernel.output_bytes, number));
        break;
    case LIMIT_TIME:
        fprintf(stderr, "thimble: stopped after %.1f s (--max-seconds)\n", summary->wall_seconds);
        break;
    }
}

static uint64_t duration_end(const struct options *o) {
    return o->duration > 0 ? (uint64_t)((o->warm_up + o->duration) * 1e9) : UINT64_MAX;
}

/* Whether the machine ended because its time was up, as it was to. */
static bool is_duration(const struct session *s, const struct machine_summary *summary) {
    return summary->kernel.limit == LIMIT_TIME &&
           s->options.machine.limits.nanoseconds == duration_end(&s->options);
}

static int exit_status_decide(struct session *s, int ended_by) {
    struct machine_summary summary;
    machine_get_summary(s->machine, &summary);
    switch (summary.stop) {
    case KERNEL_FINISHED: return summary_exit_status(summary.wait_status);
    case KERNEL_LIMIT:
        if (is_duration(s, &summary))
            return EXIT_SUCCESS;
        report_limit(&summary);
        return EXIT_LIMIT;
    case KERNEL_STOPPED:
        if (ended_by) /* whoever did it knows */
            return 128 + ended_by;
        if (!summary.host_signal)
            return EXIT_MACHINE;
        fprintf(stderr, "thimble: stopped by %s\n", strsignal(summary.host_signal));
        return 128 + summary.host_signal;
    case KERNEL_RUNNING: break;
    }
    return EXIT_MACHINE;
}

/* In every build, so that a doubt about a run can be settled; debug builds always do. */
static bool checks_wanted(void) {
    const char *wanted = getenv("THIMBLE_CHECK");
    return wanted ? strcmp(wanted, "0") != 0 : THIMBLE_DEBUG;
}

bool session_parse(struct session *s, enum options_command command, int argc, char **argv) {
    char *message = NULL;
    reserve_standard_descriptors();
    s->exit_status = EXIT_MACHINE;
    int error = options_parse(command, argc, argv, &s->options, &message);
    if (error)
        return say_failed(message, error);
    s->machine_file = s->options.machine_file;
    if (!s->options.list_policies)
        return true;
    guide_print_policies(stdout);
    s->exit_status = EXIT_SUCCESS;
    return false;
}

bool session_parse_analysis(struct session *s, const struct options_analysis *analysis, int argc,
                            char **argv) {
    char *message = NULL;
    reserve_standard_descriptors();
    s->exit_status = EXIT_MACHINE;
    const int error = options_parse_analysis(analysis, argc, argv, &s->options, &message);
    if (error)
        return say_failed(message, error);
    s->machine_file = s->options.machine_file;
    return true;
}

void session_limit_time(struct session *s) {
    struct machine_config *machine = &s->options.machine;
    const uint64_t end = duration_end(&s->options), limit = machine->limits.nanoseconds;
    if (s->options.duration > 0 && (!limit || end < limit))
        machine->limits.nanoseconds = end;
}

/* The place that --until waits for, in the form that the machine wants. */
static const char *const *watch_decide(struct session *s) {
    const struct options *o = &s->options;
    if (o->symbol) {
        s->watch[0] = o->symbol;
    } else if (o->has_until && o->until.kind == GOAL_REACHED && o->until.number) {
        snprintf(s->address, sizeof s->address, "0x%" PRIx64, o->until.number);
        s->watch[0] = s->address;
    }
    return s->watch[0] ? s->watch : NULL;
}

/* What stands in summaries and traces for the command line of the programs. */
static void words_decide(struct session *s) {
    struct options *o = &s->options;
    if (!o->machine_file)
        return;
    const char *title = machine_file_title(o->machine_file);
    s->words[0] = (char *)(*title ? title : machine_file_program(o->machine_file, 0)); /* not written to */
    o->program = s->words;
    o->program_count = 1;
}

bool session_build(struct session *s) {
    char *message = NULL;
    words_decide(s);
    struct machine_config *config = &s->options.machine;
    if (!config->report)
        config->report = print_message;
    config->check = checks_wanted();
    const char *failures = getenv("THIMBLE_FAIL");
    int error = failures ? failures_parse(failures, &s->inject, &message) : 0;
    if (error)
        return say_failed(message, error);
    config->inject = failures ? &s->inject : NULL;
    const char *const *watch = watch_decide(s);
    if (watch) /* else those of a machine file stay */
        config->watch = watch;
    error = machine_create(config, &s->machine, &message);
    if (error)
        return say_failed(message, error);
    return stats_open(s) && trace_open(s);
}

/* The programs of a machine file. */
static bool add_from_file(struct session *s, const int streams[3]) {
    char *message;
    int error = machine_file_start(s->options.machine_file, s->machine, streams, &message);
    return error ? say_failed(message, error) : true;
}

bool session_add_programs(struct session *s, const int streams[3], char **envp) {
    if (s->options.machine_file)
        return add_from_file(s, streams);
    const struct machine_program program = {
        .file = s->options.program[0],
        .argv = s->options.program,
        .envp = envp,
        .input = streams[0],
        .output = streams[1],
        .error = streams[2],
    };
    int error = machine_add_program(s->machine, &program);
    return error ? say_failed(NULL, error) : true;
}

void session_ended(struct session *s, int error, size_t failed, int ended_by) {
    if (error == -ENOTRECOVERABLE || error == -EBUSY)
        return; /* was reported */
    if (error) {
        s->exit_status = start_failed(s, error, failed);
        return;
    }
    s->exit_status = exit_status_decide(s, ended_by);
    stats_write(s);
}

int session_close(struct session *s) {
    if (s->machine) {
        trace_close(s);
        if (machine_end(s->machine))
            s->exit_status = EXIT_MACHINE;
        machine_destroy(s->machine);
        if (s->options.machine.inject)
            failures_print(&s->inject, stderr);
    }
    machine_file_destroy(s->machine_file);
    free(s->options.confinement.rules);
    return s->exit_status;
}
