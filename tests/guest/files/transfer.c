/* Calls that move bytes and change files as a whole, tried on every kind of open file with lengths, offsets
 * and buffers at the borders. Usage: files-transfer PART, in a directory of its own. */
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "case.h"

static char buffer[20000];
static const off_t offsets[] = {0, 1, 9999, 10000, 10001, -1, INT64_MAX, INT64_MIN, 1L << 40};

static bool is(const char *kind, const char *name) {
    return strcmp(kind, name) == 0;
}

static void read_and_write(int fd, const char *kind) {
    TELL(syscall(SYS_read, fd, buffer, 0L), "read %s 0 bytes", kind);
    TELL(syscall(SYS_read, fd, NULL, 0L), "read %s 0 bytes to NULL", kind);
    TELL(syscall(SYS_write, fd, buffer, 0L), "write %s 0 bytes", kind);
    TELL(syscall(SYS_write, fd, NULL, 0L), "write %s 0 bytes from NULL", kind);
    TELL(syscall(SYS_read, fd, bad_memory(), 8L), "read %s to nowhere", kind);
    TELL(syscall(SYS_write, fd, bad_memory(), 8L), "write %s from nowhere", kind);
    if (!is(kind, "eventfd") && !is(kind, "socket")) { /* there it depends on Linux's version */
        TELL(syscall(SYS_read, fd, bad_memory() - 8, 16L), "read %s to half nowhere", kind);
        TELL(syscall(SYS_write, fd, bad_memory() - 8, 16L), "write %s from half nowhere", kind);
    }
    TELL(syscall(SYS_read, fd, buffer, 8L), "read %s 8 bytes", kind);
    TELL(syscall(SYS_write, fd, buffer, 8L), "write %s 8 bytes", kind);
    TELL(syscall(SYS_read, fd, buffer, 4L), "read %s 4 bytes", kind);
    TELL(syscall(SYS_lseek, fd, 0L, SEEK_CUR), "position of %s", kind);
}

static void vectors(int fd, const char *kind) {
    struct iovec one = {buffer, 8}, two[2] = {{buffer, 8}, {buffer + 8, 8}}, zero = {NULL, 0};
    struct iovec bad[2] = {{buffer, 8}, {bad_memory(), 8}}, huge[2] = {{buffer, SIZE_MAX}, {buffer, 1}};
    struct iovec wraps[2] = {{buffer, SSIZE_MAX}, {buffer, SSIZE_MAX}};
    static const int counts[] = {0, -1, 1025, INT32_MAX, INT32_MIN};
    for (unsigned write = 0; write < 2; write++) {
        const long call = write ? SYS_writev : SYS_readv, at = write ? SYS_pwritev : SYS_preadv;
        const char *name = write ? "writev" : "readv";
        TELL(syscall(call, fd, &one, 1L), "%s %s one", name, kind);
        TELL(syscall(call, fd, two, 2L), "%s %s two", name, kind);
        TELL(syscall(call, fd, &zero, 1L), "%s %s nothing", name, kind);
        if (!is(kind, "eventfd"))
            TELL(syscall(call, fd, bad, 2L), "%s %s half bad", name, kind);
        TELL(syscall(call, fd, bad + 1, 1L), "%s %s bad", name, kind);
        TELL(syscall(call, fd, huge, 2L), "%s %s huge", name, kind);
        TELL(syscall(call, fd, bad_memory(), 1L), "%s %s vector nowhere", name, kind);
        for (size_t i = 0; i < COUNT(counts); i++)
            TELL(syscall(call, fd, two, (long)counts[i]), "%s %s count %d", name, kind, counts[i]);
        TELL(syscall(at, fd, two, 2L, -1L, 0L), "p%s %s at -1", name, kind);
        if (write && is(kind, "proc"))
            continue; /* the file says itself whether it has positions to write at */
        TELL(syscall(at, fd, two, 2L, 5L, 0L), "p%s %s at 5", name, kind);
        TELL(syscall(at, fd, two, 0L, 5L, 0L), "p%s %s nothing", name, kind);
    }
    TELL(syscall(SYS_readv, fd, wraps, 2L) > 0, "readv %s lengths beyond", kind);
    TELL(syscall(SYS_lseek, fd, 0L, SEEK_CUR), "position of %s", kind);
}

static void vector_flags(int fd, const char *kind) {
    struct iovec one = {buffer, 8};
    static const int flags[] = {0, RWF_DSYNC, RWF_SYNC, RWF_APPEND, 0x40000000};
    static const long at[] = {-1, 0, 20000, -2};
    if (!is(kind, "read-only") && !is(kind, "write-only") && !is(kind, "read-write") && !is(kind, "append") &&
        !is(kind, "O_PATH") && !is(kind, "closed"))
        return; /* the others know flags since different versions of Linux */
    for (size_t i = 0; i < COUNT(flags); i++) {
        for (size_t j = 0; j < COUNT(at); j++) {
            TELL(syscall(SYS_preadv2, fd, &one, 1L, at[j], 0L, flags[i]), "preadv2 %s at %ld flags %x", kind,
                 at[j], flags[i]);
            TELL(syscall(SYS_pwritev2, fd, &one, 1L, at[j], 0L, flags[i]), "pwritev2 %s at %ld flags %x",
                 kind, at[j], flags[i]);
            TELL(syscall(SYS_lseek, fd, 0L, SEEK_CUR), "position of %s", kind);
        }
    }
}

static void positioned(int fd, const char *kind) {
    for (size_t i = 0; i < COUNT(offsets); i++) {
        if (offsets[i] < 1L << 40 && (offsets[i] < 0 || !is(kind, "proc")))
            TELL(syscall(SYS_pwrite64, fd, buffer, 8L, offsets[i]), "pwrite %s at %ld", kind, offsets[i]);
        TELL(syscall(SYS_pread64, fd, buffer, 8L, offsets[i]), "pread %s at %ld", kind, offsets[i]);
        TELL(syscall(SYS_pread64, fd, buffer, 0L, offsets[i]), "pread %s nothing at %ld", kind, offsets[i]);
    }
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        printf("size of %s %ld\n", kind, st.st_size);
}

static void seeking(int fd, const char *kind) {
    for (int whence = 0; whence < 7; whence++) {
        if ((is(kind, "memfd") || is(kind, "proc-directory")) && whence > SEEK_END && whence <= SEEK_HOLE)
            continue;
        for (size_t i = 0; i < COUNT(offsets); i++)
            TELL(syscall(SYS_lseek, fd, offsets[i], whence), "lseek %s %ld from %d", kind, offsets[i],
                 whence);
    }
}

static void sizes(int fd, const char *kind) {
    static const off_t lengths[] = {0, 5, 12345, -1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct stat st;
        TELL(syscall(SYS_ftruncate, fd, lengths[i]), "ftruncate %s %ld", kind, lengths[i]);
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            printf("size of %s %ld\n", kind, st.st_size);
    }
}

static void allocation(int fd, const char *kind) {
    static const int modes[] = {0,
                                FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_PUNCH_HOLE,
                                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_ZERO_RANGE,
                                FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_COLLAPSE_RANGE,
                                FALLOC_FL_INSERT_RANGE,
                                FALLOC_FL_UNSHARE_RANGE,
                                0x1000};
    static const off_t ranges[][2] = {{0, 0},       {-1, 5},        {5, -1},
                                      {0, 4096},    {4096, 4096},   {5, 100},
                                      {20000, 100}, {INT64_MAX, 1}, {INT64_MAX - 5, 100}};
    for (size_t i = 0; i < COUNT(modes) && !is(kind, "memfd"); i++) {
        for (size_t j = 0; j < COUNT(ranges); j++) {
            struct stat st;
            TELL(syscall(SYS_fallocate, fd, modes[i], ranges[j][0], ranges[j][1]), "fallocate %s %x %ld %ld",
                 kind, modes[i], ranges[j][0], ranges[j][1]);
            if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                printf("size of %s %ld\n", kind, st.st_size);
        }
    }
}

static void advice(int fd, const char *kind) {
    for (int i = -1; i < 8; i++)
        TELL(syscall(SYS_fadvise64, fd, 0L, 100L, i), "fadvise %s %d", kind, i);
    TELL(syscall(SYS_fadvise64, fd, 0L, -1L, 0), "fadvise %s negative length", kind);
    TELL(syscall(SYS_fadvise64, fd, -1L, 1L, 0), "fadvise %s negative offset", kind);
    TELL(syscall(SYS_readahead, fd, 0L, 100L), "readahead %s", kind);
    TELL(syscall(SYS_readahead, fd, -1L, 100L), "readahead %s negative", kind);
    for (unsigned i = 0; i < 9; i++)
        TELL(syscall(SYS_sync_file_range, fd, 0L, 100L, i), "sync_file_range %s %u", kind, i);
    TELL(syscall(SYS_sync_file_range, fd, -1L, 100L, 0), "sync_file_range %s negative offset", kind);
    TELL(syscall(SYS_sync_file_range, fd, 0L, -1L, 0), "sync_file_range %s negative length", kind);
    TELL(syscall(SYS_sync_file_range, fd, INT64_MAX, INT64_MAX, 0), "sync_file_range %s beyond", kind);
    TELL(syscall(SYS_fsync, fd), "fsync %s", kind);
    TELL(syscall(SYS_fdatasync, fd), "fdatasync %s", kind);
    TELL(syscall(SYS_syncfs, fd), "syncfs %s", kind);
}

static void controls(int fd, const char *kind) {
    union {
        int number;
        char room[256];
    } value = {0};
    for (int command = 0; command < 20; command++) {
        if (command == F_GETFL || command == F_SETFL || (command >= F_GETLK && command <= F_SETLKW) ||
            command == F_GETOWN_EX || command == F_SETOWN_EX || command == F_SETSIG)
            continue;
        TELL(syscall(SYS_fcntl, fd, command, 0L) >= 0 ? 0 : -1, "fcntl %s %d 0", kind, command);
    }
    TELL(fcntl(fd, F_GETFL), "fcntl %s F_GETFL", kind);
    for (int i = 0; i < 5; i++) {
        static const int flags[] = {0, O_APPEND | O_RDWR, O_NONBLOCK, O_CREAT | O_TRUNC,
                                    O_NONBLOCK | O_APPEND | O_CLOEXEC};
        TELL(fcntl(fd, F_SETFL, flags[i]), "fcntl %s F_SETFL %o", kind, flags[i]);
        TELL(fcntl(fd, F_GETFL), "fcntl %s F_GETFL", kind);
    }
    for (int command = 1024; command < F_GET_RW_HINT; command++) {
        if (command == F_DUPFD_CLOEXEC || command == F_SETPIPE_SZ || command == F_SETLEASE ||
            command == 1027 || command == 1028) /* queries of Linux 6.10 and later */
            continue;
        TELL(syscall(SYS_fcntl, fd, command, 0L), "fcntl %s %d 0", kind, command);
    }
    TELL(fcntl(fd, F_SETLEASE, F_UNLCK), "fcntl %s F_SETLEASE F_UNLCK", kind);
    TELL(fcntl(fd, F_SETLEASE, 77), "fcntl %s F_SETLEASE 77", kind);
    TELL(syscall(SYS_fcntl, fd, 5000, 0L), "fcntl %s 5000", kind);
    TELL(syscall(SYS_fcntl, fd, F_DUPFD, -1L), "fcntl %s F_DUPFD -1", kind);
    TELL(syscall(SYS_fcntl, fd, F_DUPFD, 10000000L), "fcntl %s F_DUPFD 10000000", kind);
    TELL(syscall(SYS_fcntl, fd, F_GETLK, bad_memory()), "fcntl %s F_GETLK nowhere", kind);
    TELL(syscall(SYS_fcntl, fd, F_SETLK, bad_memory()), "fcntl %s F_SETLK nowhere", kind);
    static const unsigned long requests[] = {
        FIONREAD,   FIOQSIZE,   FS_IOC_GETFLAGS, FS_IOC_GETVERSION, FICLONE,
        FIGETBSZ,   FIBMAP,     FICLONERANGE,    FIOASYNC,          TCGETS,
        TIOCGWINSZ, 0xdeadbeef, BLKGETSIZE64,    FS_IOC_FSGETXATTR};
    struct stat st;
    bool on_disk = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
                   !is(kind, "memfd") && strncmp(kind, "proc", 4) != 0;
    for (size_t i = 0; i < COUNT(requests) && on_disk; i++) {
        value.number = 0;
        long r = TELL(syscall(SYS_ioctl, fd, requests[i], &value), "ioctl %s %lx", kind, requests[i]);
        if (r == 0 && requests[i] == FIONREAD)
            printf("%s has %d\n", kind, value.number);
    }
    value.number = 0;
    TELL(ioctl(fd, FIONBIO, &value), "ioctl %s FIONBIO", kind);
    TELL(ioctl(fd, FIONBIO, bad_memory()), "ioctl %s FIONBIO nowhere", kind);
    TELL(ioctl(fd, FIOCLEX), "ioctl %s FIOCLEX", kind);
    TELL(fcntl(fd, F_GETFD), "fcntl %s F_GETFD", kind);
    TELL(ioctl(fd, FIONCLEX), "ioctl %s FIONCLEX", kind);
    TELL(fcntl(fd, F_GETFD), "fcntl %s F_GETFD", kind);
}

static void mapping(int fd, const char *kind) {
    for (int shared = 0; shared < 2; shared++) {
        for (int protection = 0; protection < PROT_EXEC; protection++) {
            void *p = mmap(NULL, 4096, protection, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
            tell(p == MAP_FAILED ? -1 : 0, "mmap %s %s %d", kind, shared ? "shared" : "private", protection);
            if (p != MAP_FAILED)
                munmap(p, 4096);
        }
    }
}

static void status(int fd, const char *kind) {
    struct stat st;
    struct statx stx;
    memset(&st, 0, sizeof(st));
    if (TELL(fstat(fd, &st), "fstat %s", kind) == 0)
        printf("mode %o links %ld\n", st.st_mode, S_ISDIR(st.st_mode) ? 0 : st.st_nlink);
    TELL(syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH), "fstatat %s empty", kind);
    TELL(syscall(SYS_newfstatat, fd, "", &st, 0), "fstatat %s without flag", kind);
    TELL(syscall(SYS_newfstatat, fd, "x", &st, 0), "fstatat %s x", kind);
    TELL(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx), "statx %s", kind);
    TELL(fchdir(fd) < 0 ? -1 : chdir(".."), "fchdir %s", kind);
    if (kind[0] != '/' && strncmp(kind, "proc", 4) != 0 && !is(kind, "eventfd") && !is(kind, "timerfd") &&
        !is(kind, "epoll")) {
        TELL(fchmod(fd, 0644), "fchmod %s", kind);
        TELL(fchown(fd, (uid_t)-1, (gid_t)-1), "fchown %s", kind);
        TELL(futimens(fd, NULL), "futimens %s", kind);
    }
    TELL(syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH), "faccessat2 %s", kind);
    if (!is(kind, "memfd") && strncmp(kind, "proc", 4) != 0)
        TELL(fgetxattr(fd, "user.none", buffer, 10) < 0 ? -1 : 0, "fgetxattr %s", kind);
    TELL(syscall(SYS_getdents64, fd, buffer, 1000L) < 0 ? -1 : 0, "getdents64 %s", kind);
}

static void chdir_home(const char *home) {
    if (chdir(home) < 0)
        exit(99);
}

static const struct {
    const char *name;
    void (*run)(int fd, const char *kind);
} parts[] = {{"bytes", read_and_write},  {"vectors", vectors}, {"flags", vector_flags},
             {"positioned", positioned}, {"seeking", seeking}, {"sizes", sizes},
             {"allocation", allocation}, {"advice", advice},   {"controls", controls},
             {"mapping", mapping},       {"status", status}};

/* ---- from file to file ---- */

static void copies(void) {
    static const size_t lengths[] = {0, 8, 100000};
    for (int in = 0; in < KINDS; in++) {
        if (in == KIND_NULL || in == KIND_PROC || in == KIND_SOCKET || in == KIND_PIPE_READ ||
            in == KIND_FIFO)
            continue; /* whether these can be sent from depends on Linux's version */
        for (int out = 0; out < KINDS; out++) {
            for (size_t i = 0; i < COUNT(lengths); i++) {
                if ((in == KIND_ZERO || in == KIND_FULL) && i == 2)
                    continue;
                off_t offset = 5, from = 3, to = 20000;
                int fd = kind_open((enum kind)in);
                int target = out == in ? fd : kind_open((enum kind)out);
                TELL(syscall(SYS_sendfile, target, fd, NULL, lengths[i]), "sendfile %s to %s, %zu",
                     kind_names[in], kind_names[out], lengths[i]);
                TELL(syscall(SYS_sendfile, target, fd, &offset, lengths[i]), "sendfile %s to %s, %zu at 5",
                     kind_names[in], kind_names[out], lengths[i]);
                TELL(syscall(SYS_copy_file_range, fd, NULL, target, NULL, lengths[i], 0),
                     "copy_file_range %s to %s, %zu", kind_names[in], kind_names[out], lengths[i]);
                TELL(syscall(SYS_copy_file_range, fd, &from, target, &to, lengths[i], 0),
                     "copy_file_range %s to %s, %zu with offsets", kind_names[in], kind_names[out],
                     lengths[i]);
                printf("offsets %ld %ld %ld\n", offset, from, to);
                kind_close(fd);
                if (target != fd)
                    kind_close(target);
            }
        }
    }
}

static void copy_borders(void) {
    static const off_t at[] = {0, 1, 5000, 9999, 10000, 20000, -1, INT64_MAX, INT64_MAX - 5};
    for (size_t i = 0; i < COUNT(at); i++) {
        for (size_t j = 0; j < COUNT(at); j++) {
            off_t from = at[i], to = at[j];
            fill_file("a", 10000);
            fill_file("b", 100);
            int a = open("a", O_RDWR), b = open("b", O_RDWR);
            if (at[j] < INT32_MAX) {
                TELL(copy_file_range(a, &from, b, &to, 100, 0), "copy_file_range %ld to %ld", at[i], at[j]);
                from = at[i], to = at[j];
                TELL(copy_file_range(a, &from, a, &to, 100, 0), "copy_file_range %ld to %ld, same file",
                     at[i], at[j]);
            }
            from = at[i], to = at[j];
            TELL(copy_file_range(a, &from, b, &to, SIZE_MAX, 0), "copy_file_range %ld to %ld, all", at[i],
                 at[j]);
            TELL(copy_file_range(a, &from, b, &to, 1, 1), "copy_file_range %ld to %ld, flag", at[i], at[j]);
            from = at[i];
            TELL(sendfile(b, a, &from, 100), "sendfile %ld", at[i]);
            struct stat st;
            fstat(b, &st);
            printf("size %ld offset %ld\n", st.st_size, from);
            close(a);
            close(b);
        }
    }
    TELL(syscall(SYS_sendfile, 1, 0, bad_memory(), 10L), "sendfile offset nowhere");
}

/* ---- limits ---- */

static volatile int caught;

static void on_signal(int number) {
    caught = number;
}

static void tell_signal(void) {
    printf("signal %d\n", caught);
    caught = 0;
}

static void limited(void) {
    struct rlimit limit = {100, RLIM_INFINITY};
    signal(SIGXFSZ, on_signal);
    fill_file("a", 50);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int append = 0; append < 2; append++) {
        int fd = open("a", O_RDWR | (append ? O_APPEND : 0));
        struct iovec two[2] = {{buffer, 30}, {buffer, 30}};
        TELL(write(fd, buffer, 30), "write below the limit"), tell_signal();
        TELL(pwrite(fd, buffer, 30, 80), "pwrite across it"), tell_signal();
        TELL(pwrite(fd, buffer, 30, 100), "pwrite at it"), tell_signal();
        TELL(pwrite(fd, buffer, 30, 200), "pwrite beyond it"), tell_signal();
        TELL(pwrite(fd, buffer, 0, 200), "pwrite nothing beyond it"), tell_signal();
        TELL(pwritev(fd, two, 2, 60), "pwritev across it"), tell_signal();
        TELL(ftruncate(fd, 100), "ftruncate to it"), tell_signal();
        TELL(ftruncate(fd, 101), "ftruncate beyond it"), tell_signal();
        TELL(truncate("a", 101), "truncate beyond it"), tell_signal();
        TELL(fallocate(fd, 0, 0, 101), "fallocate beyond it"), tell_signal();
        TELL(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 5000), "fallocate keeping the size"), tell_signal();
        int source = open("/proc/self/exe", O_RDONLY);
        lseek(fd, 90, SEEK_SET);
        TELL(sendfile(fd, source, NULL, 100), "sendfile across it"), tell_signal();
        TELL(copy_file_range(source, NULL, fd, NULL, 100, 0), "copy_file_range across it"), tell_signal();
        close(source);
        struct stat st;
        fstat(fd, &st);
        printf("size %ld\n", st.st_size);
        if (ftruncate(fd, 50) < 0)
            exit(99);
        close(fd);
    }
    int memory = memfd_create("m", 0);
    TELL(write(memory, buffer, 130), "write to memory"), tell_signal();
    TELL(write(memory, buffer, 130), "write to memory beyond"), tell_signal();
    TELL(ftruncate(memory, 130), "ftruncate memory beyond"), tell_signal();
}

/* ---- special writes ---- */

static void special(void) {
    char text[64];
    fill_file("a", 20);
    int fd = open("a", O_RDWR | O_APPEND);
    TELL(pwrite(fd, "12345", 5, 3), "pwrite in append mode");
    TELL(lseek(fd, 0, SEEK_CUR), "position");
    TELL(write(fd, "678", 3), "write in append mode");
    TELL(lseek(fd, 0, SEEK_CUR), "position");
    TELL(pread(fd, text, 60, 0), "pread");
    printf("%.28s\n", text);
    fcntl(fd, F_SETFL, 0);
    TELL(pwrite(fd, "ABC", 3, 3), "pwrite after append mode");
    TELL(pread(fd, text, 60, 0), "pread");
    printf("%.28s\n", text);
    close(fd);
    fd = open("a", O_RDWR);
    struct iovec one = {"app", 3};
    TELL(pwritev2(fd, &one, 1, 2, RWF_APPEND), "pwritev2 appends");
    TELL(pread(fd, text, 60, 0), "pread");
    printf("%.31s\n", text);
    TELL(lseek(fd, 3, SEEK_END), "seek beyond");
    TELL(write(fd, "x", 1), "write there");
    TELL(lseek(fd, 0, SEEK_DATA), "data at 0");
    TELL(lseek(fd, 0, SEEK_HOLE), "hole from 0");
    TELL(lseek(fd, 35, SEEK_DATA), "data at the end");
    TELL(lseek(fd, 36, SEEK_HOLE), "hole beyond");
    static const int flags[] = {O_SYNC,   O_DSYNC,     O_NOATIME,
                                O_DIRECT, O_NOFOLLOW,  O_DIRECTORY,
                                O_ASYNC,  O_LARGEFILE, O_TMPFILE & ~O_DIRECTORY};
    for (size_t i = 0; i < COUNT(flags); i++) {
        int other = open("a", O_RDWR | flags[i]);
        tell(other < 0 ? -1 : 0, "open with %o", flags[i]);
        if (other >= 0) {
            TELL(fcntl(other, F_GETFL), "its flags");
            TELL(pwrite(other, "yy", 2, 1), "a write");
            TELL(pread(other, text, 3, 1), "a read");
            close(other);
        }
    }
}

static void direct(void) {
    char *aligned = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static const long table[][3] = {{0, 4096, 0}, {0, 4096, 100},  {1, 4096, 0},
                                    {0, 100, 0},  {512, 512, 512}, {0, 4096, 4096}};
    fill_file("a", 10000);
    int fd = open("a", O_RDWR | O_DIRECT);
    if (fd < 0)
        return;
    for (size_t i = 0; i < COUNT(table); i++) {
        TELL(pread(fd, aligned + table[i][0], (size_t)table[i][1], table[i][2]), "direct read %ld %ld %ld",
             table[i][0], table[i][1], table[i][2]);
        TELL(pwrite(fd, aligned + table[i][0], (size_t)table[i][1], table[i][2]), "direct write %ld %ld %ld",
             table[i][0], table[i][1], table[i][2]);
    }
    close(fd);
}

int main(int argc, char **argv) {
    char home[4096];
    if (argc != 2 || !getcwd(home, sizeof(home)))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (strcmp(parts[i].name, argv[1]) != 0)
            continue;
        for (int kind = 0; kind < KINDS; kind++) {
            int fd = kind_open((enum kind)kind);
            parts[i].run(fd, kind_names[kind]);
            chdir_home(home);
            kind_close(fd);
        }
        return 0;
    }
    if (strcmp(argv[1], "copies") == 0)
        copies();
    else if (strcmp(argv[1], "copy-borders") == 0)
        copy_borders();
    else if (strcmp(argv[1], "limits") == 0)
        limited();
    else if (strcmp(argv[1], "special") == 0)
        special();
    else if (strcmp(argv[1], "direct") == 0)
        direct();
    else
        return 2;
    return 0;
}
