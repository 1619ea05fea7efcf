/* Running and watching a command. All that the command starts must be in the one process: a machine's
 * processes are. It gets no more of us than three descriptors, and dies when we do. */
#include "grade/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK = 100, PIECE = 65536, BLOCK = 512, ENTRY_BYTES = 4096, DISK_TICKS = 3 };

struct watch {
    const struct capture_request *request;
    struct capture *capture;
    pid_t child;
    int pipes[2]; /* standard output and error, our ends; -1: closed */
    uint64_t end; /* ms */
    unsigned ticks;
};

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the child ---- */

static void set_limit(__rlimit_resource_t which, uint64_t value) {
    struct rlimit limit;
    if (getrlimit(which, &limit) < 0)
        return;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value)
        limit.rlim_max = value;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(which, &limit);
}

static void become_command(const struct capture_request *r, const int ends[2], pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signal = 1; signal < 32; signal++)
        (void)!sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    set_limit(RLIMIT_CORE, 0);
    set_limit(RLIMIT_FSIZE, r->disk);
    if (dup2(r->input, 0) < 0 || dup2(ends[0], 1) < 0 || dup2(ends[1], 2) < 0 || chdir(r->directory) < 0)
        _exit(127);
    execve(r->argv[0], r->argv, r->envp);
    _exit(127);
}

/* ---- what it takes ---- */

static uint64_t memory_of(pid_t child) {
    char path[64];
    unsigned long total, resident = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)child);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Each name costs something besides what the file holds. */
static uint64_t disk_of_tree(const char *directory) {
    char *roots[] = {(char *)directory, NULL};
    uint64_t sum = 0;
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return 0;
    for (FTSENT *e; (e = fts_read(walk));) {
        if (e->fts_info != FTS_DP && e->fts_statp)
            sum += ENTRY_BYTES + (uint64_t)e->fts_statp->st_blocks * BLOCK;
    }
    fts_close(walk);
    return sum;
}

static uint64_t disk_of_deleted(pid_t child) {
    char path[300];
    uint64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)child);
    DIR *stream = opendir(path);
    for (struct dirent *d; stream && (d = readdir(stream));) {
        struct stat st;
        if (fstatat(dirfd(stream), d->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0)
            sum += (uint64_t)st.st_blocks * BLOCK;
    }
    if (stream)
        closedir(stream);
    return sum;
}

/* ---- watching ---- */

static bool append(struct spec_text *text, const char *bytes, size_t length) {
    char *grown = realloc(text->bytes, text->length + length + 1);
    if (!grown)
        return false;
    memcpy(grown + text->length, bytes, length);
    *text = (struct spec_text){grown, text->length + length};
    return true;
}

static void stop(struct watch *w, enum capture_end why) {
    if (w->capture->end == CAPTURE_ENDED)
        w->capture->end = why;
    kill(w->child, SIGKILL);
}

/* What is beyond the limit is read and forgotten: the command has had its say. */
static void take_output(struct watch *w, unsigned which) {
    char piece[PIECE];
    struct spec_text *text = which ? &w->capture->error : &w->capture->output;
    ssize_t n = read(w->pipes[which], piece, sizeof(piece));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        close(w->pipes[which]);
        w->pipes[which] = -1;
        return;
    }
    uint64_t have = w->capture->output.length + w->capture->error.length, most = w->request->output;
    size_t fits = have >= most ? 0 : (uint64_t)n <= most - have ? (size_t)n : (size_t)(most - have);
    if (!append(text, piece, fits) || fits < (size_t)n)
        stop(w, CAPTURE_OUTPUT);
}

static void check_host(struct watch *w) {
    const struct capture_request *r = w->request;
    uint64_t memory = memory_of(w->child);
    if (memory > w->capture->peak_memory)
        w->capture->peak_memory = memory;
    if (memory > r->memory)
        stop(w, CAPTURE_MEMORY);
    if (now_ms() >= w->end)
        stop(w, CAPTURE_TIME);
    if (w->ticks++ % DISK_TICKS == 0 && disk_of_tree(r->scratch) + disk_of_deleted(w->child) > r->disk)
        stop(w, CAPTURE_DISK);
}

/* Until the command has closed its output and ended. */
static void watch_command(struct watch *w) {
    uint64_t next = 0;
    bool ended = false;
    struct rusage usage;
    while (!ended || w->pipes[0] >= 0 || w->pipes[1] >= 0) {
        struct pollfd fds[2] = {{.fd = w->pipes[0], .events = POLLIN}, {.fd = w->pipes[1], .events = POLLIN}};
        int ready = poll(fds, 2, w->pipes[0] < 0 && w->pipes[1] < 0 ? 1 : TICK);
        for (unsigned i = 0; ready > 0 && i < 2; i++) {
            if (fds[i].revents)
                take_output(w, i);
        }
        if (!ended && wait4(w->child, &w->capture->wait_status, WNOHANG, &usage) == w->child) {
            ended = true;
            w->capture->peak_memory = (uint64_t)usage.ru_maxrss * 1024;
        }
        if (!ended && now_ms() >= next) {
            check_host(w);
            next = now_ms() + TICK;
        }
    }
}

static int start(struct watch *w) {
    int ends[2] = {-1, -1}, r = 0;
    pid_t parent = getpid();
    for (unsigned i = 0; i < 2 && r == 0; i++) {
        int pair[2];
        r = pipe2(pair, O_CLOEXEC) < 0 ? -errno : 0;
        if (r == 0) {
            w->pipes[i] = pair[0];
            ends[i] = pair[1];
        }
    }
    if (r == 0) {
        w->child = fork();
        if (w->child == 0)
            become_command(w->request, ends, parent);
        r = w->child < 0 ? -errno : 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
        if (r < 0 && w->pipes[i] >= 0)
            close(w->pipes[i]);
    }
    return r;
}

int capture_run(const struct capture_request *request, struct capture *ret_capture) {
    struct watch w = {.request = request, .capture = ret_capture, .pipes = {-1, -1}};
    *ret_capture = (struct capture){0};
    w.end = now_ms() + request->milliseconds;
    int r = start(&w);
    if (r == 0)
        watch_command(&w);
    return r;
}

void capture_free(struct capture *c) {
    free(c->output.bytes);
    free(c->error.bytes);
    *c = (struct capture){0};
}
