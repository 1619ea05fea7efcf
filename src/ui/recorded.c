/* See recorded.h. */
#include "ui/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host_file.h"
#include "base/message.h"
#include "record/recorder.h"
#include "ui/say.h"
#include "ui/session.h"
#include "ui/size.h"

struct recording {
    struct recorder *recorder;
    const struct recorded_request *request;
    uint64_t instructions; /* of the whole run */
    char **conditions;     /* of the run, as the kernel named them; NULL: none, or not run */
    pid_t reporter;        /* the process that makes a report; 0: none */
};

static void report_line(void *context, const char *line) {
    fprintf(stderr, "thimble: %s\n", line);
}

/* From the recorder's thread. */
static void file_was_cut(void *context, int error) {
    const struct recording *r = context;
    fprintf(stderr, "thimble: the recording %s is cut: %s\n", r->request->path, strerror(-error));
}

static void report_progress(const struct recorder_progress *p) {
    char references[SIZE_TEXT], pages[SIZE_TEXT], instructions[SIZE_TEXT];
    fprintf(stderr, "thimble: recorded %s references to %s pages in %s instructions\n",
            number_format(p->references, references), number_format(p->pages, pages),
            number_format(p->instruction, instructions));
}

/* ---- reports of a run that goes on ---- */

/* The recording as it is now, under a name in /proc: what is written later must not appear between two
 * readings of it. A descriptor, or -1, which was said. */
static int copy_recording(const char *path) {
    char *name = recorded_temporary();
    const int from = open(path, O_RDONLY | O_CLOEXEC), to = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    struct stat status = {0};
    if (name)
        unlink(name);
    free(name);
    ssize_t got = from < 0 || to < 0 || fstat(from, &status) ? -1 : 1;
    for (off_t left = status.st_size; left && got > 0; left -= got)
        got = sendfile(to, from, NULL, (size_t)left);
    if (got > 0)
        return to;
    if (to >= 0)
        fprintf(stderr, "thimble: the recording cannot be copied for a report: %s\n", strerror(errno));
    return -1;
}

/* Of the machine it keeps nothing: no descriptor, so that what the program closes is
 * closed, and no handler. */
static void leave_machine(void) {
    sigset_t none;
    const int nothing = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, number == SIGUSR1 ? SIG_IGN : SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(nothing, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
}

static _Noreturn void make_report(const struct recording *r) {
    struct refs_source *source;
    char path[32], *message = NULL;
    leave_machine();
    const int copy = copy_recording(r->request->path);
    if (copy < 0)
        _exit(EXIT_MACHINE);
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    if (refs_open(path, REFS_FORMAT_THIMBLE, &source, &message)) {
        fprintf(stderr, "thimble: there is nothing to report yet\n");
        _exit(EXIT_MACHINE);
    }
    fputs("thimble: provisional, of the run up to here:\n", stderr);
    r->request->report(r->request->context, source);
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

static void begin_report(struct recording *r) {
    if (r->reporter > 0 && waitpid(r->reporter, NULL, WNOHANG) == 0) {
        fputs("thimble: the report that was asked for before is not ready yet\n", stderr);
        return;
    }
    fflush(stdout);
    r->reporter = fork();
    if (r->reporter == 0)
        make_report(r);
    if (r->reporter < 0)
        fprintf(stderr, "thimble: no report can be made: %s\n", strerror(errno));
}

/* The final one is about to be made. */
static void end_report(struct recording *r) {
    if (r->reporter <= 0)
        return;
    kill(r->reporter, SIGKILL);
    waitpid(r->reporter, NULL, 0);
}

static bool take_signal(void *context, int signal) {
    struct recording *r = context;
    if (signal != SIGUSR1)
        return false;
    struct recorder_progress p;
    const int error = recorder_flush(r->recorder);
    recorder_get_progress(r->recorder, &p);
    report_progress(&p);
    if (r->request->report && !error) /* an error was reported */
        begin_report(r);
    return true;
}

/* ---- the run ---- */

static size_t conditions_count(const char *const *names) {
    size_t count = 0;
    while (names[count])
        count++;
    return count;
}

/* They outlive the kernel that noted them. 0 or -ENOMEM. */
static int conditions_keep(struct recording *r, const char *const *names) {
    const size_t count = conditions_count(names);
    r->conditions = calloc(count + 1, sizeof *r->conditions);
    for (size_t i = 0; r->conditions && i < count; i++) {
        r->conditions[i] = strdup(names[i]);
        if (!r->conditions[i])
            return -ENOMEM;
    }
    return r->conditions ? 0 : -ENOMEM;
}

static void conditions_free(struct recording *r) {
    for (char **name = r->conditions; name && *name; name++)
        free(*name);
    free(r->conditions);
}

static int create_recorder(struct recording *r, const struct options *o) {
    char *message = NULL;
    const struct recorder_config config = {
        .path = r->request->path,
        .header =
            {
                .thimble = THIMBLE_VERSION,
                .cpu = o->machine.level == CPU_LEVEL_V2 ? "x86-64-v2" : "x86-64-v3",
                .arguments = (const char *const *)o->program,
                .argument_count = (size_t)o->program_count,
                .seed = o->machine.seed,
                .page_size = PAGE_SIZE,
                .deterministic = o->machine.deterministic,
                .reduced_to = r->request->reduce_to,
            },
        .warm_up = (uint64_t)(o->warm_up * 1e9),
        .failed = file_was_cut,
        .context = r,
    };
    const int error = recorder_create(&config, &r->recorder, &message);
    if (error)
        say_failed(message, error);
    return error;
}

/* Ends the file; the machine has been taken down, so that pages of programs that were left are in it to their
 * end. Whether there is a file. */
static bool finish(struct recording *r, bool has_run) {
    struct recorder_progress p;
    end_report(r);
    const int error =
        recorder_finish(r->recorder, r->instructions, has_run, (const char *const *)r->conditions, &p);
    conditions_free(r);
    p.instruction = r->instructions;
    if (r->request->verbose)
        report_progress(&p);
    return has_run &&
           (!error || error == -ENOSPC || error == -EDQUOT || error == -EFBIG); /* a cut was reported */
}

static bool run_session(struct recording *r, struct session *session, char **envp) {
    size_t failed = 0;
    struct machine_summary summary;
    if (!session_build(session))
        return false;
    machine_add_sink(session->machine, recorder_sink(r->recorder));
    if (!session_add_programs(session, r->request->streams, envp))
        return false;
    int error = machine_run_programs(session->machine, &failed);
    machine_get_summary(session->machine, &summary);
    if (!error)
        error = conditions_keep(r, summary.kernel.conditions);
    r->instructions = summary.engine.instructions;
    session_ended(session, error, failed, 0);
    return !error;
}

int recorded_run(struct options *options, char **envp, const struct recorded_request *request,
                 bool *ret_recorded) {
    struct recording r = {.request = request};
    struct session session = {
        .options = *options, .machine_file = options->machine_file, .exit_status = EXIT_MACHINE};
    options->machine_file = NULL;
    options->confinement.rules = NULL;
    session.options.stats = STATS_NONE;
    struct machine_config *machine = &session.options.machine;
    *ret_recorded = false;
    if (create_recorder(&r, &session.options))
        return session_close(&session);
    machine->observer = *recorder_observer(r.recorder);
    machine->report = report_line;
    machine->take_signal = take_signal;
    machine->context = &r;
    session_limit_time(&session);
    const bool has_run = run_session(&r, &session, envp);
    const int status = session_close(&session);
    *ret_recorded = finish(&r, has_run);
    return status;
}

/* ---- for an analysis ---- */

char *recorded_temporary(void) {
    char *path;
    if (asprintf(&path, "%s/thimble-XXXXXX", host_temporary_folder()) < 0)
        return NULL;
    const int fd = mkstemp(path);
    if (fd >= 0) {
        close(fd);
        return path;
    }
    fprintf(stderr, "thimble: %s: a temporary file cannot be made: %s\n", path, strerror(errno));
    free(path);
    return NULL;
}

/* Signals that ask for a report have nothing to tell any more; they do no harm. */
static void say_analysing(int signal) {
    static const char line[] = "thimble: the run is over; its references are being analysed\n";
    const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
}

bool recorded_open(struct options *options, char **envp, const struct recorded_request *wanted,
                   struct recorded *ret_recorded) {
    struct recorded made = {.exit_status = EXIT_MACHINE};
    struct recorded_request request = *wanted;
    char *path = recorded_temporary(), *message = NULL;
    bool recorded = false;
    *ret_recorded = made;
    if (!path)
        return false;
    request.path = path;
    made.exit_status = recorded_run(options, envp, &request, &recorded);
    signal(SIGUSR1, say_analysing);
    const int error = recorded ? refs_open(path, REFS_FORMAT_THIMBLE, &made.source, &message) : 0;
    if (error)
        say_failed(message, error);
    if (recorded && !made.source)
        made.exit_status = EXIT_MACHINE;
    unlink(path); /* what is open can be read, and is gone however we end */
    free(path);
    *ret_recorded = made;
    return made.source != NULL;
}

void recorded_close(struct recorded *r) {
    refs_close(r->source);
}
