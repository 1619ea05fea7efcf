/* The class. A submission's process hands its result over in a file in memory; one that ends in any other
 * way has failed its own row. Temporary files are ours to remove, whatever becomes of the processes. */
#include "grade/class.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/copy.h"
#include "grade/judge.h"
#include "grade/worker.h"

enum { PATH_SIZE = 4096 };

struct job {
    pid_t pid; /* 0: free */
    size_t submission;
    int result; /* descriptor of the file in memory */
};

struct class {
    const struct class_request *request;
    char directory[PATH_SIZE]; /* temporary */
    struct job *jobs;
    size_t next, told; /* the first submissions that are not begun, and not told of */
};

static volatile sig_atomic_t interrupted; /* set by a signal; there is no other way to hear of one */

static void on_signal(int signal) {
    interrupted = signal;
}

static void work_of(const struct class *c, size_t submission, char path[PATH_SIZE]) {
    int n = snprintf(path, PATH_SIZE, "%s/%zu", c->directory, submission);
    if (n >= PATH_SIZE)
        path[0] = '\0';
}

/* ---- in the submission's process ---- */

static void write_result(int fd, json_t *graded) {
    if (json_dumpfd(graded, fd, JSON_COMPACT) < 0)
        _exit(2);
}

static void grade_one(const struct class *c, const struct job *j, pid_t parent) {
    char work[PATH_SIZE];
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(2);
    work_of(c, j->submission, work);
    if (mkdir(work, 0700) < 0)
        _exit(2);
    write_result(j->result,
                 worker_grade(c->request->spec, c->request->submissions[j->submission].directory, work));
    _exit(0);
}

/* ---- in ours ---- */

static json_t *not_graded(const struct spec *spec, const char *why) {
    json_t *tests = json_array();
    for (size_t i = 0; i < spec->test_count; i++)
        json_array_append_new(tests, judge_not_run(&spec->tests[i], why));
    return json_pack("{s:b, s:s, s:f, s:f, s:f, s:i, s:o}", "built", 0, "message", why, "score", 0.0,
                     "max_score", spec_max_points(spec), "seconds", 0.0, "peak_memory", 0, "tests", tests);
}

static void job_finish(struct class *c, struct job *j, int wait_status) {
    struct class_submission *s = &c->request->submissions[j->submission];
    char work[PATH_SIZE];
    lseek(j->result, 0, SEEK_SET);
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
        s->graded = json_loadfd(j->result, 0, NULL);
    if (!s->graded)
        s->graded = not_graded(c->request->spec, "the process that graded it failed");
    close(j->result);
    j->pid = 0;
    work_of(c, j->submission, work);
    copy_remove(work);
}

static void job_begin(struct class *c, struct job *j) {
    pid_t parent = getpid();
    j->submission = c->next++;
    j->result = memfd_create("result", MFD_CLOEXEC);
    fflush(NULL);
    j->pid = j->result < 0 ? -1 : fork();
    if (j->pid == 0)
        grade_one(c, j, parent);
    if (j->pid < 0)
        job_finish(c, j, 1 << 8);
}

static void tell(struct class *c) {
    const struct class_request *r = c->request;
    while (c->told < r->count && r->submissions[c->told].graded)
        r->graded(r->context, &r->submissions[c->told++]);
}

/* Waits for one of the jobs. */
static void job_wait(struct class *c) {
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    for (unsigned i = 0; pid > 0 && i < c->request->jobs; i++) {
        if (c->jobs[i].pid == pid)
            job_finish(c, &c->jobs[i], status);
    }
}

static unsigned jobs_running(const struct class *c) {
    unsigned n = 0;
    for (unsigned i = 0; i < c->request->jobs; i++)
        n += c->jobs[i].pid > 0;
    return n;
}

static void grade_all(struct class *c) {
    while (!interrupted && (c->next < c->request->count || jobs_running(c))) {
        for (unsigned i = 0; i < c->request->jobs && c->next < c->request->count; i++) {
            if (!c->jobs[i].pid)
                job_begin(c, &c->jobs[i]);
        }
        tell(c);
        if (jobs_running(c))
            job_wait(c);
        tell(c);
    }
    for (unsigned i = 0; i < c->request->jobs; i++) {
        if (c->jobs[i].pid > 0)
            kill(c->jobs[i].pid, SIGKILL); /* its machine dies with it */
    }
    while (jobs_running(c))
        job_wait(c);
}

static int make_directory(struct class *c) {
    const char *parent = getenv("TMPDIR");
    int n = snprintf(c->directory, sizeof(c->directory), "%s/thimble-check-XXXXXX",
                     parent && *parent ? parent : "/tmp");
    if (n >= PATH_SIZE)
        return -ENAMETOOLONG;
    return mkdtemp(c->directory) ? 0 : -errno;
}

int class_grade(const struct class_request *request) {
    struct class c = {.request = request};
    struct sigaction action = {.sa_handler = on_signal}, old_interrupt, old_end;
    c.jobs = calloc(request->jobs, sizeof(*c.jobs));
    int r = c.jobs ? make_directory(&c) : -ENOMEM;
    if (r < 0) {
        free(c.jobs);
        return r;
    }
    interrupted = 0;
    sigaction(SIGINT, &action, &old_interrupt);
    sigaction(SIGTERM, &action, &old_end);
    grade_all(&c);
    copy_remove(c.directory);
    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGTERM, &old_end, NULL);
    free(c.jobs);
    return interrupted ? -EINTR : 0;
}

bool class_submission_passed(const struct class_submission *s) {
    size_t i;
    json_t *test;
    json_array_foreach(json_object_get(s->graded, "tests"), i, test) {
        if (!json_is_true(json_object_get(test, "passed")))
            return false;
    }
    return true;
}

void class_submission_free(struct class_submission *s) {
    free(s->directory);
    free(s->name);
    json_decref(s->graded);
}
