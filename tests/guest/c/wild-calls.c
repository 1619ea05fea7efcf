/* Wild pointers in system calls: EFAULT, and nothing else happens. Every pointer argument of many calls, with
 * addresses that are not mapped, read-only where the kernel writes, at the very top, and buffers that begin
 * well and run into a hole. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

struct wild_call {
    const char *name;
    long number, arguments[6]; /* POINTER stands for the wild pointer */
    int reads;                 /* the kernel only reads there: a read-only page would do */
};

#define POINTER 0x77777777

static int file_fd, pipe_fd[2];

static long call(const struct wild_call *c, long pointer) {
    long a[6];
    for (int i = 0; i < 6; i++)
        a[i] = c->arguments[i] == POINTER ? pointer : c->arguments[i];
    return syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void calls_check(const struct wild_call *calls, size_t count, const long *wild, size_t wild_count,
                        long read_only) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < wild_count; j++) {
            errno = 0;
            long result = call(&calls[i], wild[j]);
            if (result != -1 || errno != EFAULT)
                printf("%s, address %zu: %ld, %s\n", calls[i].name, j, result, strerror(errno));
        }
        errno = 0;
        if (!calls[i].reads && (call(&calls[i], read_only) != -1 || errno != EFAULT))
            printf("%s, read-only: %s\n", calls[i].name, strerror(errno));
    }
    printf("%zu calls\n", count);
}

static void table(const long *wild, size_t wild_count, long read_only) {
    const struct wild_call calls[] = {
        {"read", SYS_read, {file_fd, POINTER, 10}, 0},
        {"pread64", SYS_pread64, {file_fd, POINTER, 10, 0}, 0},
        {"write to a file", SYS_write, {file_fd, POINTER, 10}, 1},
        {"write to a pipe", SYS_write, {pipe_fd[1], POINTER, 10}, 1},
        {"readv", SYS_readv, {file_fd, POINTER, 1}, 1},
        {"writev", SYS_writev, {file_fd, POINTER, 1}, 1},
        {"open", SYS_open, {POINTER, O_RDONLY}, 1},
        {"openat", SYS_openat, {AT_FDCWD, POINTER, O_RDONLY}, 1},
        {"stat", SYS_stat, {POINTER, (long)&file_fd}, 1},
        {"fstat", SYS_fstat, {file_fd, POINTER}, 0},
        {"newfstatat", SYS_newfstatat, {AT_FDCWD, (long)".", POINTER, 0}, 0},
        {"statx", SYS_statx, {AT_FDCWD, (long)".", 0, STATX_ALL, POINTER}, 0},
        {"access", SYS_access, {POINTER, R_OK}, 1},
        {"readlink", SYS_readlink, {(long)"/proc/self/exe", POINTER, 100}, 0},
        {"getcwd", SYS_getcwd, {POINTER, 4096}, 0},
        {"chdir", SYS_chdir, {POINTER}, 1},
        {"unlink", SYS_unlink, {POINTER}, 1},
        {"rename", SYS_rename, {(long)"nowhere", POINTER}, 1},
        {"pipe", SYS_pipe, {POINTER}, 0},
        {"pipe2", SYS_pipe2, {POINTER, 0}, 0},
        {"poll", SYS_poll, {POINTER, 1, 0}, 0},
        {"select", SYS_select, {64, POINTER, 0, 0, 0}, 1},
        {"nanosleep", SYS_nanosleep, {POINTER, 0}, 1},
        {"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, POINTER}, 0},
        {"gettimeofday", SYS_gettimeofday, {POINTER, 0}, 0},
        {"getitimer", SYS_getitimer, {ITIMER_REAL, POINTER}, 0},
        {"setitimer", SYS_setitimer, {ITIMER_REAL, POINTER, 0}, 1},
        {"rt_sigaction, new", SYS_rt_sigaction, {SIGUSR1, POINTER, 0, 8}, 1},
        {"rt_sigaction, old", SYS_rt_sigaction, {SIGUSR1, 0, POINTER, 8}, 0},
        {"rt_sigprocmask, new", SYS_rt_sigprocmask, {SIG_BLOCK, POINTER, 0, 8}, 1},
        {"rt_sigprocmask, old", SYS_rt_sigprocmask, {SIG_BLOCK, 0, POINTER, 8}, 0},
        {"rt_sigpending", SYS_rt_sigpending, {POINTER, 8}, 0},
        {"sigaltstack", SYS_sigaltstack, {POINTER, 0}, 1},
        {"getrlimit", SYS_getrlimit, {RLIMIT_NOFILE, POINTER}, 0},
        {"prlimit64", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, POINTER}, 0},
        {"getrusage", SYS_getrusage, {RUSAGE_SELF, POINTER}, 0},
        {"uname", SYS_uname, {POINTER}, 0},
        {"sysinfo", SYS_sysinfo, {POINTER}, 0},
        {"times", SYS_times, {POINTER}, 0},
        {"getrandom", SYS_getrandom, {POINTER, 16, 0}, 0},
        {"getdents64", SYS_getdents64, {file_fd + 1, POINTER, 4096}, 0},
        {"execve", SYS_execve, {POINTER, 0, 0}, 1},
        {"execve, arguments", SYS_execve, {(long)"/bin/true", POINTER, 0}, 1},
        {"execve, environment", SYS_execve, {(long)"/bin/true", 0, POINTER}, 1},
        {"mincore", SYS_mincore, {(long)read_only, 4096, POINTER}, 0},
        {"mkdir", SYS_mkdir, {POINTER, 0700}, 1},
        {"symlink", SYS_symlink, {POINTER, (long)"link"}, 1},
        {"truncate", SYS_truncate, {POINTER, 0}, 1},
        {"utimensat", SYS_utimensat, {AT_FDCWD, POINTER, 0, 0}, 1},
    };
    calls_check(calls, sizeof calls / sizeof *calls, wild, wild_count, read_only);
}

/* Buffers whose beginning is good: what was possible is done, or nothing is. */
static void halves(char *edge) {
    char page[PAGE];
    memset(page, 'p', sizeof page);
    CHECK(pwrite(file_fd, page, PAGE, 0) == (ssize_t)PAGE && ftruncate(file_fd, PAGE) == 0);
    memset(edge - 100, 'e', 100);
    CHECK(pread(file_fd, edge - 50, 100, 0) == 50); /* up to the hole */
    CHECK(edge[-1] == 'p' && edge[-51] == 'e');
    CHECK(pwrite(file_fd, edge - 20, 100, 200) == 20);
    strcpy(edge - 2, "x"); /* a string that ends at the edge */
    CHECK_ERROR(open(edge - 2, O_RDONLY), ENOENT);
    edge[-1] = 'x'; /* and one that does not end before it */
    CHECK_ERROR(open(edge - 2, O_RDONLY), EFAULT);
    struct iovec vector[] = {{page, 10}, {(void *)0x1000, 10}, {page, 10}};
    CHECK(writev(file_fd, vector, 3) == 10); /* the good part, as Linux does */
    CHECK(write(pipe_fd[1], "abc", 3) == 3);
    CHECK_ERROR(read(pipe_fd[0], (void *)0x1000, 3), EFAULT);
    CHECK(read(file_fd, (void *)0x1000, 0) == 0); /* nothing to write: no fault */
    puts("halves");
}

static void on_signal(int signal) {
    (void)signal;
}

static void results(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    CHECK_ERROR(waitpid(pid, (int *)0x1000, 0), EFAULT);
    pid = fork();
    if (pid == 0) { /* a stack pointer into nowhere, then a signal: death by SIGSEGV */
        CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
        __asm__ volatile("movq $0x1000, %%rsp\n syscall"
                         :
                         : "a"(62L), "D"((long)getpid()), "S"((long)SIGUSR1));
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    puts("results");
}

int main(void) {
    char *area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED && munmap(area + 2 * PAGE, PAGE) == 0);
    CHECK(mprotect(area, PAGE, PROT_READ) == 0);
    file_fd = open("wild.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file_fd >= 0 && write(file_fd, "0123456789abcdef", 16) == 16 && lseek(file_fd, 0, SEEK_SET) == 0);
    CHECK(open(".", O_RDONLY | O_DIRECTORY) == file_fd + 1 && pipe(pipe_fd) == 0);
    const long wild[] = {16,    (long)(area + 2 * PAGE), 0x7fffffffffff, (long)0xffffffffff600000,
                         -4096, (long)0x8000000000000000};
    table(wild, sizeof wild / sizeof *wild, (long)area);
    halves(area + 2 * PAGE);
    fflush(stdout);
    results();
    return 0;
}
