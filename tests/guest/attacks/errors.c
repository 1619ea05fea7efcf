/* What wild arguments are answered with: each call with sound arguments, of which one at a time is replaced
 * by values that make no sense. Prints the error, or that there was none, for runs of values that end the
 * same. Only calls whose answer depends on nothing but their arguments, and that do nothing outside of the
 * folder that this runs in. */
#include "../c/check.h"
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

/* What a sound argument stands for. */
enum {
    NAME = 0x10000,
    WORDS,
    FILE_FD,
    PIPE_IN,
    PIPE_OUT,
    SOCKET,
    EPOLL,
    TIMER,
    DIRECTORY,
    EVENT,
    PAGES,
    NOTHING,
    SELF,
    WATCH
};

/* Where the pages are: what an int takes of an address must be the same everywhere. */
#define PLACE ((char *)0x112340000000)

enum { NOBODY = 65534 };

enum { REPORT = 40 }; /* the descriptor that the report goes to: no value is this number */

struct call {
    const char *name;
    int number;
    uint32_t arguments[6];
    uint8_t varied; /* bit i: argument i is replaced */
};

static const struct call calls[] = {
#include "errors-calls.h"
};

static char *pages; /* one that can be used, one to read, one of no use, a hole */
static uint64_t values[96];
static const char *value_names[96];
static size_t value_count;

static void value_add(const char *name, uint64_t value) {
    CHECK(value_count < sizeof values / sizeof *values);
    values[value_count] = value;
    value_names[value_count++] = name;
}

static void values_make(void) {
    static const char *const bits[] = {
        "1<<0",  "1<<1",  "1<<2",  "1<<3",  "1<<4",  "1<<5",  "1<<6",  "1<<7",  "1<<8",  "1<<9",  "1<<10",
        "1<<11", "1<<12", "1<<13", "1<<14", "1<<15", "1<<16", "1<<17", "1<<18", "1<<19", "1<<20", "1<<21",
        "1<<22", "1<<23", "1<<24", "1<<25", "1<<26", "1<<27", "1<<28", "1<<29", "1<<30", "1<<31"};
    value_add("0", 0);
    for (int i = 0; i < 32; i++)
        value_add(bits[i], 1ULL << i);
    value_add("3", 3);
    value_add("7", 7);
    value_add("-1", UINT64_MAX);
    value_add("-100", (uint64_t)-100);
    value_add("-4096", (uint64_t)-4096);
    value_add("int min", (uint64_t)INT32_MIN);
    value_add("int max", INT32_MAX);
    value_add("unsigned max", UINT32_MAX);
    value_add("1<<32", 1ULL << 32);
    value_add("1<<47", 1ULL << 47);
    value_add("long min", 1ULL << 63);
    value_add("long max", INT64_MAX);
    value_add("kernel", 0xffff888000000000);
    value_add("not canonical", 0x8000000000000);
    value_add("end of user space", 0x7ffffffff000);
    value_add("read-only", (uint64_t)(pages + PAGE));
    value_add("no access", (uint64_t)(pages + 2 * PAGE));
    value_add("hole", (uint64_t)(pages + 3 * PAGE));
    value_add("border", (uint64_t)(pages + PAGE - 1));
    value_add("page", PAGE);
    value_add("unaligned", (uint64_t)(pages + 1));
}

/* ---- sound arguments, made anew for each call ---- */

static uint64_t fds[16];

static void objects_make(bool with_watch) {
    int pair[2];
    struct epoll_event event = {.events = EPOLLIN};
    CHECK((fds[FILE_FD - NAME] = (uint64_t)open("file", O_RDWR | O_CREAT | O_TRUNC, 0600)) < 1000);
    CHECK(write((int)fds[FILE_FD - NAME], "0123456789abcdef", 16) == 16 &&
          lseek((int)fds[FILE_FD - NAME], 0, SEEK_SET) == 0);
    CHECK(pipe2(pair, O_NONBLOCK) == 0);
    fds[PIPE_IN - NAME] = (uint64_t)pair[0], fds[PIPE_OUT - NAME] = (uint64_t)pair[1];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    fds[SOCKET - NAME] = (uint64_t)pair[0];
    fds[EPOLL - NAME] = (uint64_t)epoll_create1(0);
    fds[EVENT - NAME] = (uint64_t)eventfd(1, EFD_NONBLOCK);
    fds[TIMER - NAME] = (uint64_t)timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    fds[DIRECTORY - NAME] = (uint64_t)open(".", O_RDONLY | O_DIRECTORY);
    if (with_watch) /* closing one takes Linux long */
        fds[WATCH - NAME] = (uint64_t)inotify_init1(IN_NONBLOCK);
    CHECK(epoll_ctl((int)fds[EPOLL - NAME], EPOLL_CTL_ADD, (int)fds[EVENT - NAME], &event) == 0);
    memset(pages, 0, PAGE);
    strcpy(pages, "file");
}

static uint64_t sound(uint32_t argument) {
    switch (argument) {
    case NAME: return (uint64_t)pages;
    case WORDS: return (uint64_t)(pages + 64); /* zeros */
    case PAGES: return (uint64_t)pages;
    case NOTHING: return (uint64_t)-1;
    case SELF: return (uint64_t)getpid();
    default: return argument > NAME && argument <= WATCH ? fds[argument - NAME] : argument;
    }
}

static void close_all(void) {
    for (int fd = 3; fd < REPORT; fd++)
        close(fd);
}

/* ---- one argument of one call, all values: in a process of its own ---- */

static void answer(const struct call *c, int position, uint64_t value, char *text, size_t size) {
    uint64_t a[6];
    objects_make(c->arguments[0] == WATCH);
    for (int i = 0; i < 6; i++)
        a[i] = i == position ? value : sound(c->arguments[i]);
    errno = 0;
    long result = syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == -1 && errno)
        snprintf(text, size, "%s", strerrorname_np(errno));
    else if (result > 0 && result <= 4096)
        snprintf(text, size, "%ld", result);
    else
        snprintf(text, size, "done");
    close_all();
}

static void position_run(const struct call *c, int position) {
    char last[32] = "", now[32];
    dprintf(REPORT, "%s, %d:", c->name, position);
    for (size_t i = 0; i < value_count; i++) {
        answer(c, position, values[i], now, sizeof now);
        if (strcmp(last, now) != 0)
            dprintf(REPORT, " %s %s", value_names[i], now);
        strcpy(last, now);
    }
    dprintf(REPORT, "\n");
    _exit(0);
}

/* Nothing that a wild number reaches by chance: the report is behind all of them, the standard streams are
 * of no use. */
static void streams_move(void) {
    CHECK(dup2(STDOUT_FILENO, REPORT) == REPORT);
    close_all();
    int null = open("/dev/null", O_RDWR);
    CHECK(null == 3 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2 && close(null) == 0);
}

/* Wild calls are not made by somebody who may do everything. In the machine, where root can do no more than
 * others, users do not change. */
static void privileges_drop(void) {
    if (geteuid() != 0 || setgroups(0, NULL) < 0)
        return;
    if (setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0)
        CHECK(geteuid() == NOBODY);
}

int main(int argc, char **argv) {
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    privileges_drop();
    streams_move();
    pages = mmap(PLACE, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                 -1, 0);
    CHECK(pages == PLACE && mprotect(pages + PAGE, PAGE, PROT_READ) == 0);
    CHECK(mprotect(pages + 2 * PAGE, PAGE, PROT_NONE) == 0 && munmap(pages + 3 * PAGE, PAGE) == 0);
    values_make();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (int position = 0; position < 6; position++) {
            if (!(calls[i].varied >> position & 1) || (argc > 1 && strcmp(argv[1], calls[i].name) != 0))
                continue;
            pid_t pid = fork();
            if (pid == 0)
                position_run(&calls[i], position);
            int status;
            CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
            if (status != 0)
                dprintf(REPORT, " status %#x\n", (unsigned)status);
        }
    return 0;
}
