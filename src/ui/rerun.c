/* See rerun.h. */
#include "ui/rerun.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "ui/session.h"

enum { NATIVE_RUNS = 5 };
#define NATIVE_LONG 0.5 /* seconds: a run as long as this says enough by itself */

/* ---- a child and its streams ---- */

off_t rerun_input(void) {
    struct stat status;
    if (fstat(STDIN_FILENO, &status) < 0 || !S_ISREG(status.st_mode))
        return -1;
    return lseek(STDIN_FILENO, 0, SEEK_CUR);
}

/* Standard input from there on: a descriptor of its own, so that reading it moves no other. */
static int open_input(off_t at) {
    char name[32];
    if (at < 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    snprintf(name, sizeof name, "/proc/self/fd/%d", STDIN_FILENO);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && lseek(fd, at, SEEK_SET) == at)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Waits for the child; its wait status, or -errno. */
static int wait_for(pid_t child, struct rusage *ret_usage) {
    int status;
    while (wait4(child, &status, 0, ret_usage) < 0)
        if (errno != EINTR)
            return -errno;
    return status;
}

/* Copies what comes out of the pipe until its other end is closed. Ctrl-C is for the program, whose last
 * words are to be seen, too. */
static _Noreturn void copy(int from, int to) {
    char buffer[65536];
    ssize_t got;
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    while ((got = read(from, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR))
        for (ssize_t done = 0, put = 0; to >= 0 && done < got && put >= 0; done += put)
            put = write(to, buffer + done, (size_t)(got - done));
    _exit(EXIT_SUCCESS);
}

/* A pipe that a process of its own empties into `to` (-1: nowhere): the end to write to, or -errno. */
static int pipe_start(int to, pid_t *ret_copier) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_copier = fork();
    if (*ret_copier == 0) {
        close(ends[1]);
        copy(ends[0], to);
    }
    const int error = *ret_copier < 0 ? -errno : 0;
    close(ends[0]);
    if (error)
        close(ends[1]);
    return error ? error : ends[1];
}

int rerun_pipe_begin(struct rerun_pipe *p) {
    p->standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (p->standard_error < 0)
        return -errno;
    const int end = pipe_start(p->standard_error, &p->copier);
    if (end >= 0)
        dup2(end, STDERR_FILENO);
    else
        close(p->standard_error);
    close(end);
    return end < 0 ? end : 0;
}

void rerun_pipe_end(struct rerun_pipe *p) {
    struct rusage usage;
    dup2(p->standard_error, STDERR_FILENO);
    close(p->standard_error);
    (void)wait_for(p->copier, &usage);
}

/* In the child: 0 from the start of the input, 1 and 2 into the pipe. */
static bool take_streams(off_t at, int output) {
    const int input = open_input(at);
    return input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
           dup2(output, STDERR_FILENO) >= 0;
}

/* ---- on another machine ---- */

static void fill_result(struct session *s, int ended, struct rerun_result *r) {
    struct machine_summary summary;
    machine_get_summary(s->machine, &summary);
    *r = (struct rerun_result){
        .finished = ended == 0 && summary.stop == KERNEL_FINISHED,
        .status = s->exit_status,
        .oom_kills = summary.kernel.oom_kills,
        .instructions = summary.kernel.instructions,
        .tally = summary.vm.tally,
        .peak = summary.vm.frames_peak,
        .swap = summary.vm.swap,
    };
}

static void say_nothing(void *context, const char *line) {}

/* In the child: the run, whose result goes into the pipe. */
static _Noreturn void run_child(const struct options *options, const struct rerun_machine *on, off_t input,
                                char **envp, int to) {
    struct session s = {.options = *options};
    struct machine_config *config = &s.options.machine;
    struct rerun_result result;
    size_t failed = 0;
    s.machine_file = s.options.machine_file;
    s.options.command = OPTIONS_RUN;
    s.options.stats = STATS_NONE;
    config->frames = 0;
    config->available = on->available;
    if (!config->page_table)
        config->page_table = "x86-64"; /* whatever the size, as a real machine */
    config->policy = on->policy;
    config->swap_pages = on->swap_pages;
    if (on->instructions)
        config->max_instructions = on->instructions;
    config->report = say_nothing;
    const int streams[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    pid_t copier;
    const int output = pipe_start(-1, &copier); /* it ends with us */
    if (output < 0 || !take_streams(input, output) || !session_build(&s) ||
        !session_add_programs(&s, streams, envp))
        _exit(EXIT_FAILURE);
    const int error = machine_run_programs(s.machine, &failed);
    session_ended(&s, error, failed, 0);
    fill_result(&s, error, &result);
    const bool told = write(to, &result, sizeof result) == (ssize_t)sizeof result;
    session_close(&s);
    _exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
}

int rerun(const struct options *options, const struct rerun_machine *on, off_t input, char **envp,
          struct rerun_result *ret_result) {
    int ends[2];
    struct rusage usage;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    const pid_t child = fork();
    if (child == 0)
        run_child(options, on, input, envp, ends[1]);
    close(ends[1]);
    int error = child < 0 ? -errno : 0;
    const bool told = !error && read(ends[0], ret_result, sizeof *ret_result) == (ssize_t)sizeof *ret_result;
    close(ends[0]);
    if (!error)
        error = wait_for(child, &usage);
    error = error < 0 ? error : 0;
    return error ? error : told ? 0 : -ENOEXEC;
}

/* ---- natively ---- */

static double seconds(const struct timeval *t) {
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* Whether the process ends in so many seconds. */
static bool ends_within(pid_t child, double longest) {
    struct pollfd wait = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    if (wait.fd < 0)
        return true; /* a kernel before 5.3: it is waited for, however long that takes */
    const int ended = poll(&wait, 1, (int)fmin(longest * 1000, INT_MAX));
    close(wait.fd);
    return ended != 0;
}

static int run_natively(char *const *program, off_t input, double longest, double *ret_seconds) {
    struct rusage usage, copying;
    pid_t copier;
    const int output = pipe_start(-1, &copier);
    if (output < 0)
        return output;
    const pid_t child = fork();
    if (child == 0) {
        if (take_streams(input, output) && !setpgid(0, 0) && !prctl(PR_SET_PDEATHSIG, SIGKILL))
            execvp(program[0], program);
        _exit(EXIT_NOT_FOUND);
    }
    close(output);
    const bool late = child > 0 && !ends_within(child, longest);
    if (late)
        kill(-child, SIGKILL);
    const int status = child < 0 ? -errno : wait_for(child, &usage);
    (void)wait_for(copier, &copying);
    if (status < 0 || late)
        return late ? -ETIME : status;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND)
        return -ENOEXEC;
    *ret_seconds = seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
    return 0;
}

int rerun_native(const struct options *options, off_t input, double longest, double *ret_seconds) {
    double least = 0;
    for (int i = 0; i < NATIVE_RUNS; i++) {
        double now = 0;
        const int error = run_natively(options->program, input, longest, &now);
        if (error)
            return error;
        if (i == 0 || now < least)
            least = now;
        if (least >= NATIVE_LONG)
            break;
    }
    *ret_seconds = least;
    return 0;
}
