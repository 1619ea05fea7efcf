/* `thimble run`: builds the machine that the options describe, runs the program, writes the summary.
 *
 * The program's descriptors, output and exit status are its own; what Thimble has to say goes to standard
 * error or to the files that were asked for. Those files are opened before anything runs, so that a wrong
 * name is found at once, and are close-on-exec, so that no guest inherits them. */
#include "ui/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/file.h"
#include "ui/guide.h"
#include "ui/options.h"
#include "ui/size.h"
#include "ui/summary.h"

struct run {
    struct options options;
    FILE *stats;              /* NULL: no summary */
    struct trace_file *trace; /* NULL: no trace */
    struct machine *machine;
    int exit_status;
};

static void print_message(void *context, const char *line) {
    fprintf(stderr, "thimble: %s\n", line);
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

static bool stats_open(struct run *r) {
    struct options *o = &r->options;
    o->stats = stats_decide(o);
    if (o->stats == STATS_NONE)
        return true;
    r->stats = o->stats_path ? fopen(o->stats_path, "we") : stderr;
    if (!r->stats)
        fprintf(stderr, "thimble: --stats-file %s cannot be written: %s\n", o->stats_path, strerror(errno));
    return r->stats != NULL;
}

static void stats_write(struct run *r) {
    if (!r->stats)
        return;
    struct machine_summary summary;
    machine_get_summary(r->machine, &summary);
    struct summary_context context = {.command = r->options.program, .exit_status = r->exit_status};
    int error = r->options.stats == STATS_JSON ? summary_print_json(r->stats, &summary, &context)
                                               : summary_print_text(r->stats, &summary, &context);
    if (r->stats != stderr && fclose(r->stats) && !error)
        error = -errno;
    if (error)
        fprintf(stderr, "thimble: the summary could not be written%s%s: %s\n",
                r->options.stats_path ? " to " : "", r->options.stats_path ? r->options.stats_path : "",
                strerror(-error));
}

static void trace_was_cut(void *context, int error) {
    const struct run *r = context;
    fprintf(stderr, "thimble: the trace %s is cut: %s\n", r->options.trace_path, strerror(-error));
}

static bool error_is_of_the_disk(int error) {
    return error == -ENOSPC || error == -EDQUOT || error == -EIO;
}

/* A disk that is full cuts the trace at its very beginning, which is no reason not to run. False: the file
 * cannot be had at all. */
static bool trace_open(struct run *r) {
    const struct options *o = &r->options;
    if (!o->trace_path)
        return true;
    struct machine_geometry geometry;
    machine_get_geometry(r->machine, &geometry);
    const struct trace_header header = {
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
    int error = trace_file_create(o->trace_path, &header, trace_was_cut, r, NULL, &r->trace);
    if (!error)
        machine_add_sink(r->machine, trace_file_sink(r->trace));
    else if (error_is_of_the_disk(error))
        trace_was_cut(r, error);
    else
        fprintf(stderr, "thimble: --trace %s cannot be written: %s\n", o->trace_path, strerror(-error));
    return !error || error_is_of_the_disk(error);
}

static void trace_close(struct run *r) {
    if (!r->trace)
        return;
    struct machine_summary summary;
    machine_get_summary(r->machine, &summary);
    (void)trace_file_finish(r->trace, summary.kernel.limits_of_determinism); /* trace_was_cut() reports */
    trace_file_destroy(r->trace);
}

/* The first process never ran. */
static int start_failed(struct run *r, int error) {
    const char *program = r->options.program[0];
    struct machine_geometry g;
    machine_get_geometry(r->machine, &g);
    if (error == -ENOMEM) {
        fprintf(stderr,
                "thimble: %s: %u frames (%u of them reserved) and %u pages of swap are too few to start it: "
                "give more of either\n",
                program, g.frames, g.reserved, g.swap_pages);
        return EXIT_MACHINE;
    }
    if (error == -ENOENT && !strchr(program, '/'))
        fprintf(stderr, "thimble: %s: not found in PATH\n", program);
    else if (error == -ENOEXEC)
        fprintf(stderr, "thimble: %s: not a program for this machine (an x86-64 ELF file or a #! script)\n",
                program);
    else
        fprintf(stderr, "thimble: %s: %s\n", program, strerror(-error));
    return error == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int exit_status_decide(struct run *r) {
    struct machine_summary s;
    char number[SIZE_TEXT];
    machine_get_summary(r->machine, &s);
    switch (s.stop) {
    case KERNEL_FINISHED: return summary_exit_status(s.wait_status);
    case KERNEL_LIMIT:
        fprintf(stderr, "thimble: stopped after %s instructions (--max-instructions)\n",
                number_format(s.kernel.instructions, number));
        return EXIT_LIMIT;
    case KERNEL_STOPPED:
        if (!s.host_signal)
            return EXIT_MACHINE;
        fprintf(stderr, "thimble: stopped by %s\n", strsignal(s.host_signal));
        return 128 + s.host_signal;
    case KERNEL_RUNNING: break;
    }
    return EXIT_MACHINE;
}

static void run_machine(struct run *r, char **envp) {
    char **program = r->options.program;
    int error = machine_run(r->machine, program[0], program, envp);
    if (error == -ENOTRECOVERABLE || error == -EBUSY) {
        r->exit_status = EXIT_MACHINE; /* was reported */
        return;
    }
    if (error) {
        r->exit_status = start_failed(r, error);
        return;
    }
    r->exit_status = exit_status_decide(r);
    stats_write(r);
}

static int fail(char *message, int error) {
    fprintf(stderr, "thimble: %s\n", message ? message : strerror(-error));
    free(message);
    return EXIT_MACHINE;
}

/* In every build, so that a doubt about a run can be settled; debug builds always do. */
static bool checks_wanted(void) {
    const char *wanted = getenv("THIMBLE_CHECK");
    return wanted ? strcmp(wanted, "0") != 0 : THIMBLE_DEBUG;
}

int run_command(int argc, char **argv, char **envp) {
    struct run r = {.exit_status = EXIT_MACHINE};
    char *message = NULL;
    reserve_standard_descriptors();
    int error = options_parse(argc, argv, &r.options, &message);
    if (error)
        return fail(message, error);
    if (r.options.list_policies) {
        guide_print_policies(stdout);
        return EXIT_SUCCESS;
    }
    r.options.machine.report = print_message;
    r.options.machine.check = checks_wanted();
    error = machine_create(&r.options.machine, &r.machine, &message);
    if (error)
        return fail(message, error);
    if (stats_open(&r) && trace_open(&r))
        run_machine(&r, envp);
    trace_close(&r);
    machine_destroy(r.machine);
    return r.exit_status;
}
