/* Loaded in front of the C library (LD_PRELOAD), makes the n-th host call, or the n-th allocation, of Thimble
 * fail: once, or from there on for good.
 *
 *   FAULT_KIND   calls | memory
 *   FAULT_AT     n; 0: none fails, they are only counted
 *   FAULT_GOOD   set: every later one fails as well
 *   FAULT_COUNT  a file that the count is written into at the end
 *
 * What the C library calls within itself does not come by here. Calls by which Thimble tells how it ends
 * (exit, messages on standard error) and those that cannot fail on Linux are left out. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    bool calls, memory, for_good;
    long at;
    atomic_long count;
    const char *count_path;
} fault;

static bool fault_due(bool kind) {
    if (!kind)
        return false;
    long n = ++fault.count;
    return fault.at && (n == fault.at || (fault.for_good && n > fault.at));
}

__attribute__((constructor)) static void fault_read_environment(void) {
    const char *kind = getenv("FAULT_KIND"), *at = getenv("FAULT_AT");
    fault.for_good = getenv("FAULT_GOOD");
    fault.count_path = getenv("FAULT_COUNT");
    fault.at = at ? atol(at) : 0;
    fault.calls = kind && strcmp(kind, "calls") == 0;
    fault.memory = kind && strcmp(kind, "memory") == 0;
}

__attribute__((destructor)) static void fault_write_count(void) {
    fault.calls = fault.memory = false;
    FILE *file = fault.count_path ? fopen(fault.count_path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", (long)fault.count);
        fclose(file);
    }
}

/* A call that gives -1 (or `failed`) and errno. */
#define CALL_FAILING(type, failed, error, name, parameters, arguments)                                       \
    type name parameters {                                                                                   \
        static type(*real) parameters;                                                                       \
        if (!real)                                                                                           \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                              \
        if (fault_due(fault.calls)) {                                                                        \
            errno = error;                                                                                   \
            return failed;                                                                                   \
        }                                                                                                    \
        return real arguments;                                                                               \
    }
#define CALL(error, name, parameters, arguments) CALL_FAILING(int, -1, error, name, parameters, arguments)
#define CALL_BYTES(error, name, parameters, arguments)                                                       \
    CALL_FAILING(ssize_t, -1, error, name, parameters, arguments)

/* ---- files ---- */
/* An open with a mode, whether it is needed or not. */
int openat64(int folder, const char *path, int flags, ...) {
    static int (*real)(int, const char *, int, ...);
    if (!real)
        real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (fault_due(fault.calls)) {
        errno = ENFILE;
        return -1;
    }
    return real(folder, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return openat64(AT_FDCWD, path, flags, mode);
}

CALL_BYTES(EIO, read, (int fd, void *to, size_t length), (fd, to, length))
CALL_BYTES(EIO, pread64, (int fd, void *to, size_t length, off_t at), (fd, to, length, at))
CALL_BYTES(ENOSPC, pwrite64, (int fd, const void *from, size_t length, off_t at), (fd, from, length, at))
CALL(EIO, fstat64, (int fd, struct stat64 *status), (fd, status))
CALL(EACCES, fstatat64, (int folder, const char *path, struct stat64 *status, int flags),
     (folder, path, status, flags))
CALL(ENOMEM, statx,
     (int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict status),
     (folder, path, flags, mask, status))
CALL(EIO, fsync, (int fd), (fd))
CALL(ENOSPC, ftruncate64, (int fd, off_t length), (fd, length))
CALL(ENOSPC, fallocate64, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length))
CALL_BYTES(EACCES, readlinkat, (int folder, const char *restrict path, char *restrict to, size_t size),
           (folder, path, to, size))
CALL(ENOSPC, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
CALL(EROFS, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
CALL(EXDEV, renameat2, (int from, const char *old, int to, const char *new, unsigned flags),
     (from, old, to, new, flags))
CALL(EPERM, fchmod, (int fd, mode_t mode), (fd, mode))
CALL(EPERM, fchmodat, (int folder, const char *path, mode_t mode, int flags), (folder, path, mode, flags))
CALL_FAILING(DIR *, NULL, EMFILE, opendir, (const char *path), (path))
CALL_FAILING(DIR *, NULL, ENOMEM, fdopendir, (int fd), (fd))
CALL_FAILING(off_t, -1, EINVAL, lseek64, (int fd, off_t offset, int whence), (fd, offset, whence))

/* Standard error stays open: what went wrong must be said. */
ssize_t write(int fd, const void *from, size_t length) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (fd != STDERR_FILENO && fault_due(fault.calls)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, from, length);
}

/* ---- descriptors, waiting, sockets ---- */
CALL(EMFILE, pipe2, (int fds[2], int flags), (fds, flags))
CALL(EMFILE, epoll_create1, (int flags), (flags))
CALL(ENOMEM, epoll_ctl, (int set, int operation, int fd, struct epoll_event *event),
     (set, operation, fd, event))
CALL(ENOMEM, ppoll, (struct pollfd * set, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
     (set, count, timeout, mask))
CALL(ENOMEM, poll, (struct pollfd * set, nfds_t count, int timeout), (set, count, timeout))
CALL(ENOBUFS, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(EMFILE, socketpair, (int family, int type, int protocol, int fds[2]), (family, type, protocol, fds))
CALL(EMFILE, memfd_create, (const char *name, unsigned flags), (name, flags))
CALL_BYTES(ENOBUFS, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CALL_BYTES(ENOMEM, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))

/* These have a variable number of arguments, of which the kernel looks at the first few only. */
int fcntl64(int fd, int command, ...) {
    static int (*real)(int, int, ...);
    if (!real)
        real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl64");
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fault_due(fault.calls)) {
        errno = EMFILE;
        return -1;
    }
    return real(fd, command, argument);
}

long syscall(long number, ...) {
    static long (*real)(long, ...);
    if (!real)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (fault_due(fault.calls)) {
        errno = ENOMEM;
        return -1;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- memory ---- */
#define MEMORY(name, parameters, arguments)                                                                  \
    void *name parameters {                                                                                  \
        static void *(*real)parameters;                                                                      \
        if (!real)                                                                                           \
            real = (void *(*)parameters)dlsym(RTLD_NEXT, #name);                                             \
        if (fault_due(fault.memory)) {                                                                       \
            errno = ENOMEM;                                                                                  \
            return NULL;                                                                                     \
        }                                                                                                    \
        return real arguments;                                                                               \
    }
MEMORY(malloc, (size_t size), (size))
MEMORY(realloc, (void *block, size_t size), (block, size))
MEMORY(reallocarray, (void *block, size_t n, size_t size), (block, n, size))
MEMORY(aligned_alloc, (size_t alignment, size_t size), (alignment, size))

/* dlsym() itself may ask for a little memory here, before there is a real one. */
void *calloc(size_t n, size_t size) {
    static void *(*real)(size_t, size_t);
    static _Alignas(16) char first[4096];
    static bool looking;
    if (looking)
        return n * size <= sizeof(first) ? first : NULL;
    if (!real) {
        looking = true;
        real = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
        looking = false;
    }
    if (fault_due(fault.memory)) {
        errno = ENOMEM;
        return NULL;
    }
    return real(n, size);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real)
        real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap64");
    if (fault_due(fault.memory)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return real(address, length, protection, flags, fd, offset);
}

void *mremap(void *address, size_t length, size_t new_length, int flags, ...) {
    static void *(*real)(void *, size_t, size_t, int, void *);
    if (!real)
        real = (void *(*)(void *, size_t, size_t, int, void *))dlsym(RTLD_NEXT, "mremap");
    va_list arguments;
    va_start(arguments, flags);
    void *to = va_arg(arguments, void *);
    va_end(arguments);
    if (fault_due(fault.memory)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return real(address, length, new_length, flags, to);
}
