/* Pipes, FIFOs, event counters, splice and its relatives: sizes, modes, ends, waiting. */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "show.h"

static char data[1 << 21], got[1 << 21];
static void *volatile nowhere = (void *)8;

static void make(int flags, int ends[2]) {
    CHECK(pipe2(ends, flags) == 0);
}

static void drop(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

static int in_pipe(int fd) {
    int n = -1;
    CHECK(ioctl(fd, FIONREAD, &n) == 0);
    return n;
}

static void show_made(void) {
    static const int flags[] = {0, O_NONBLOCK, O_CLOEXEC, O_DIRECT, O_NONBLOCK | O_DIRECT, O_APPEND, O_RDWR};
    int ends[2];
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        int r = pipe2(ends, flags[i]);
        TELL(r, "pipe2 %zu", i);
        if (r < 0)
            continue;
        printf("  %x %x %d\n", (unsigned)fcntl(ends[0], F_GETFL), (unsigned)fcntl(ends[1], F_GETFL),
               fcntl(ends[0], F_GETFD));
        SHOW(read(ends[1], got, 1));
        SHOW(write(ends[0], data, 1));
        SHOW(lseek(ends[0], 0, SEEK_SET));
        SHOW(pread(ends[0], got, 1, 0));
        SHOW(write(ends[1], data, 0));
        SHOW(read(ends[0], got, 0));
        SHOW(ioctl(ends[0], 0x1234, 0));
        SHOW(fsync(ends[1]));
        SHOW(ftruncate(ends[1], 0));
        SHOW(fcntl(ends[1], F_GETPIPE_SZ));
        drop(ends);
    }
    SHOW(pipe(NULL));
}

/* How much fits, in writes of each size, and what atomicity means for the rest. */
static void show_room(void) {
    static const size_t sizes[] = {1,    7,    100,  2048,  2049,  4095,  4096,
                                   4097, 5000, 8192, 65535, 65536, 65537, 200000};
    for (int packets = 0; packets < 2; packets++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            int ends[2], writes = 0;
            make(O_NONBLOCK | (packets ? O_DIRECT : 0), ends);
            long total = 0;
            for (ssize_t n; (n = write(ends[1], data, sizes[i])) > 0; writes++)
                total += n;
            printf("%zu%s: %s after %d, %ld, %d\n", sizes[i], packets ? " packets" : "", outcome(-1), writes,
                   total, in_pipe(ends[0]));
            show_ready("full", ends[1]);
            SHOW(read(ends[0], got, 1));
            show_ready("one less", ends[1]);
            SHOW(read(ends[0], got, 4095));
            show_ready("page less", ends[1]);
            SHOW(write(ends[1], data, 4096));
            SHOW(write(ends[1], data, 4096));
            SHOW(read(ends[0], got, 100000));
            drop(ends);
        }
    }
}

static void show_size(void) {
    static const unsigned sizes[] = {0,      1,       4096,     4097,           8192, 65536,
                                     100000, 1 << 20, 1u << 31, (1u << 31) + 1, 4096};
    int ends[2];
    make(O_NONBLOCK, ends);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] == 1u << 31)
            continue; /* depends on privileges */
        TELL(fcntl(ends[1], F_SETPIPE_SZ, sizes[i]), "set %u", sizes[i]);
        printf("  %d\n", fcntl(ends[0], F_GETPIPE_SZ));
        long total = 0;
        for (ssize_t n; (n = write(ends[1], data, 3000)) > 0;)
            total += n;
        printf("  holds %ld\n", total);
        TELL(fcntl(ends[1], F_SETPIPE_SZ, 4096), "smaller");
        while (read(ends[0], got, sizeof(got)) > 0)
            ;
    }
    drop(ends);
    int null = open("/dev/null", O_RDWR);
    SHOW(fcntl(null, F_GETPIPE_SZ));
    SHOW(fcntl(null, F_SETPIPE_SZ, 4096));
    close(null);
}

static void show_ends(void) {
    int ends[2];
    make(0, ends);
    CHECK(write(ends[1], "last", 4) == 4);
    close(ends[1]);
    show_ready("no writer", ends[0]);
    SHOW(read(ends[0], got, 10));
    show_ready("no writer", ends[0]);
    SHOW(read(ends[0], got, 10));
    close(ends[0]);
    make(0, ends);
    close(ends[0]);
    show_ready("no reader", ends[1]);
    pipes_broken = 0;
    SHOW(write(ends[1], data, 1));
    SHOW(write(ends[1], data, 0));
    printf("  signals %d\n", (int)pipes_broken);
    close(ends[1]);
    /* a reader that goes away in the middle of a long write */
    make(0, ends);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        usleep(10000);
        CHECK(read(ends[0], got, 5000) == 5000);
        usleep(10000);
        _exit(0);
    }
    close(ends[0]);
    SHOW(write(ends[1], data, 100000));
    printf("  signals %d\n", (int)pipes_broken);
    CHECK(waitpid(child, NULL, 0) == child);
    close(ends[1]);
}

static void show_bad_memory(void) {
    char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    CHECK(two != MAP_FAILED && mprotect(two + PAGE, PAGE, PROT_NONE) == 0);
    make(O_NONBLOCK, ends);
    for (size_t before = 0; before <= PAGE; before += 1024) {
        TELL(write(ends[1], two + PAGE - before, 6000), "write with %zu", before);
        printf("  %d\n", in_pipe(ends[0]));
        while (read(ends[0], got, sizeof(got)) > 0)
            ;
        CHECK(write(ends[1], data, 6000) == 6000);
        TELL(read(ends[0], two + PAGE - before, 6000), "read with %zu", before);
        printf("  %d\n", in_pipe(ends[0]));
        while (read(ends[0], got, sizeof(got)) > 0)
            ;
    }
    drop(ends);
    munmap(two, 2 * PAGE);
}

static void show_packets(void) {
    int ends[2];
    make(O_NONBLOCK | O_DIRECT, ends);
    SHOW(write(ends[1], "first", 5));
    SHOW(write(ends[1], "second", 6));
    SHOW(write(ends[1], data, 5000));
    SHOW(read(ends[0], got, 3));
    SHOW(read(ends[0], got, 100));
    SHOW(read(ends[0], got, 10000));
    SHOW(read(ends[0], got, 10000));
    SHOW(fcntl(ends[1], F_SETFL, O_NONBLOCK));
    SHOW(write(ends[1], "a", 1));
    SHOW(write(ends[1], "b", 1));
    SHOW(fcntl(ends[1], F_SETFL, O_NONBLOCK | O_DIRECT));
    SHOW(write(ends[1], "c", 1));
    SHOW(write(ends[1], "d", 1));
    for (int i = 0; i < 4; i++)
        SHOW(read(ends[0], got, 10));
    drop(ends);
}

/* ---- splice, tee, vmsplice ---- */

static int file_of(size_t size) {
    int fd = open("source", O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)pattern(i, 5);
    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void show_splice_files(void) {
    static const size_t lengths[] = {0, 1, 100, 4096, 5000, 65536, 100000};
    static const off_t offsets[] = {0, 1, 4095, 5000, 60000, 70000, 80000};
    int source = file_of(70000), target = open("target", O_RDWR | O_CREAT | O_TRUNC, 0644), ends[2];
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < sizeof(offsets) / sizeof(offsets[0]); j++) {
            off_t from = offsets[j], to = offsets[j] / 2;
            make(O_NONBLOCK, ends);
            TELL(splice(source, &from, ends[1], NULL, lengths[i], 0), "file to pipe, %zu at %ld", lengths[i],
                 (long)offsets[j]);
            printf("  %ld, position %ld, there %d\n", (long)from, (long)lseek(source, 0, SEEK_CUR),
                   in_pipe(ends[0]));
            TELL(splice(ends[0], NULL, target, &to, lengths[i] / 2, SPLICE_F_MORE), "  pipe to file");
            printf("  %ld, position %ld, left %d\n", (long)to, (long)lseek(target, 0, SEEK_CUR),
                   in_pipe(ends[0]));
            TELL(splice(ends[0], NULL, target, NULL, 1 << 20, SPLICE_F_MOVE), "  pipe to file's own place");
            printf("  position %ld, left %d\n", (long)lseek(target, 0, SEEK_CUR), in_pipe(ends[0]));
            drop(ends);
        }
    }
    struct stat st;
    CHECK(fstat(target, &st) == 0 && pread(target, got, sizeof(got), 0) == st.st_size);
    uint64_t sum = 0;
    for (off_t i = 0; i < st.st_size; i++)
        sum = sum * 31 + (unsigned char)got[i];
    printf("target of %ld: %016lx\n", (long)st.st_size, (unsigned long)sum);
    close(source), close(target);
}

static void show_splice_errors(void) {
    int a[2], b[2], file = file_of(100), append = open("target", O_WRONLY | O_APPEND),
                    null = open("/dev/null", O_RDWR);
    int directory = open(".", O_RDONLY), event = eventfd(0, 0), socket_pair[2];
    off_t offset = 0, negative = -1;
    make(O_NONBLOCK, a), make(O_NONBLOCK, b);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, socket_pair) == 0);
    SHOW(splice(a[0], NULL, b[1], NULL, 10, 0));
    SHOW(splice(a[0], NULL, a[1], NULL, 10, 0));
    SHOW(splice(a[1], NULL, b[1], NULL, 10, 0));
    SHOW(splice(a[0], NULL, b[0], NULL, 10, 0));
    SHOW(splice(a[0], &offset, b[1], NULL, 10, 0));
    SHOW(splice(a[0], NULL, b[1], &offset, 10, 0));
    SHOW(splice(a[0], NULL, b[1], NULL, 10, 0x10));
    SHOW(splice(a[0], NULL, b[1], NULL, 0, 0x10));
    SHOW(splice(999, NULL, b[1], NULL, 10, 0));
    SHOW(splice(a[0], NULL, 999, NULL, 10, 0));
    SHOW(splice(file, NULL, null, NULL, 10, 0));
    SHOW(splice(file, &negative, b[1], NULL, 10, 0));
    SHOW(splice(file, (off_t *)1, b[1], NULL, 10, 0));
    SHOW(splice(directory, NULL, b[1], NULL, 10, 0));
    SHOW(splice(event, NULL, b[1], NULL, 10, 0));
    CHECK(write(a[1], "12345678", 8) == 8);
    SHOW(splice(a[0], NULL, append, NULL, 10, 0));
    SHOW(splice(a[0], NULL, directory, NULL, 10, 0));
    SHOW(splice(a[0], NULL, event, NULL, 8, 0));
    SHOW(splice(a[0], NULL, socket_pair[0], &offset, 4, 0));
    SHOW(splice(a[0], NULL, socket_pair[0], NULL, 4, 0));
    SHOW(splice(socket_pair[1], NULL, b[1], NULL, 100, 0));
    SHOW(splice(socket_pair[1], NULL, b[1], NULL, 100, SPLICE_F_NONBLOCK));
    SHOW(splice(a[0], NULL, null, NULL, 100, 0));
    SHOW(in_pipe(b[0]));
    SHOW(tee(b[0], a[1], 3, 0));
    SHOW(tee(b[0], a[1], 100, 0));
    SHOW(tee(b[0], b[1], 100, 0));
    SHOW(tee(file, b[1], 100, 0));
    SHOW(tee(a[1], b[1], 100, 0));
    SHOW(tee(b[0], a[1], 0, 0));
    SHOW(tee(b[0], a[1], 1, 0x40));
    SHOW(read(a[0], got, 100));
    close(a[1]);
    SHOW(splice(a[0], NULL, b[1], NULL, 10, 0));
    SHOW(tee(a[0], b[1], 10, 0));
    close(b[0]);
    pipes_broken = 0;
    SHOW(splice(file, &offset, b[1], NULL, 10, 0));
    printf("  signals %d\n", (int)pipes_broken);
    close(a[0]), close(b[1]), close(file), close(append), close(null), close(directory), close(event);
    drop(socket_pair);
}

static void show_splice_pipes(void) {
    int a[2], b[2];
    make(O_NONBLOCK, a), make(O_NONBLOCK, b);
    for (int i = 0; i < 5; i++)
        CHECK(write(a[1], data + i * 3000, 3000) == 3000);
    SHOW(tee(a[0], b[1], 100000, 0));
    SHOW(in_pipe(b[0]));
    SHOW(splice(a[0], NULL, b[1], NULL, 4000, 0));
    SHOW(in_pipe(a[0]));
    SHOW(splice(a[0], NULL, b[1], NULL, 100000, 0));
    SHOW(read(b[0], got, 15000));
    SHOW(memcmp(got, data, 15000) == 0);
    SHOW(read(b[0], got, 15001));
    SHOW(memcmp(got, data, 15000) == 0);
    struct iovec v[3] = {{data + 10, 5000}, {data, 0}, {data + 4096, 4096}};
    SHOW(vmsplice(a[1], v, 3, 0));
    SHOW(in_pipe(a[0]));
    SHOW(vmsplice(a[1], v, 3, SPLICE_F_GIFT));
    struct iovec w[2] = {{got, 3000}, {got + 5000, 50000}};
    SHOW(vmsplice(a[0], w, 2, 0));
    SHOW(vmsplice(a[0], w, 2, SPLICE_F_NONBLOCK));
    SHOW(vmsplice(a[0], w, 2000, 0));
    SHOW(vmsplice(a[0], w, 0, 0));
    SHOW(vmsplice(0, w, 1, 0));
    SHOW(vmsplice(a[1], (struct iovec[]){{NULL, 10}}, 1, 0));
    int n = 0;
    while (vmsplice(a[1], (struct iovec[]){{data, 10}}, 1, SPLICE_F_NONBLOCK) == 10)
        n++;
    printf("  %s after %d\n", outcome(-1), n);
    drop(a), drop(b);
}

/* Who waits in splice is woken, by data, by room, by the end. */
static void show_splice_waiting(void) {
    int a[2], b[2];
    make(0, a), make(0, b);
    fcntl(b[1], F_SETPIPE_SZ, 4096);
    pid_t child = fork();
    if (child == 0) {
        close(a[0]), close(b[1]);
        for (int i = 0; i < 3; i++) {
            usleep(5000);
            CHECK(write(a[1], data, 3000) == 3000);
        }
        for (int i = 0; i < 3; i++) {
            usleep(5000);
            CHECK(read(b[0], got, 3000) == 3000);
        }
        close(a[1]);
        usleep(5000);
        _exit(0);
    }
    close(a[1]), close(b[0]);
    for (int i = 0; i < 4; i++)
        SHOW(splice(a[0], NULL, b[1], NULL, 3000, 0));
    CHECK(waitpid(child, NULL, 0) == child);
    close(a[0]), close(b[1]);
}

/* ---- sendfile ---- */

static void show_sendfile(void) {
    int file = file_of(70000), pair[2], ends[2];
    off_t offset = 60000;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    SHOW(sendfile(pair[0], file, &offset, 20000));
    printf("  %ld\n", (long)offset);
    SHOW(sendfile(pair[0], file, NULL, 5000));
    SHOW(recv(pair[1], got, 20000, MSG_WAITALL | MSG_DONTWAIT));
    CHECK(memcmp(got, data + 60000, 10000) == 0);
    make(O_NONBLOCK, ends);
    CHECK(write(ends[1], "odd", 3) == 3);
    offset = 100;
    SHOW(sendfile(ends[1], file, &offset, 100000));
    SHOW(sendfile(ends[1], file, &offset, 100000));
    SHOW(sendfile(pair[0], pair[1], NULL, 10));
    SHOW(sendfile(file, ends[0], NULL, 10));
    drop(ends), drop(pair);
    close(file);
}

/* ---- FIFOs ---- */

static void show_fifo(void) {
    CHECK(mkfifo("fifo", 0644) == 0);
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    SHOW(read(reader, got, 1));
    show_ready("nobody", reader);
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    SHOW(read(reader, got, 1));
    SHOW(write(writer, "hello", 5));
    show_ready("data", reader);
    SHOW(read(reader, got, 3));
    close(writer);
    show_ready("end", reader);
    SHOW(read(reader, got, 3));
    SHOW(read(reader, got, 3));
    SHOW(fcntl(reader, F_GETPIPE_SZ));
    close(reader);
    pid_t child = fork();
    if (child == 0) {
        int fd = open("fifo", O_WRONLY);
        CHECK(fd >= 0);
        for (int i = 0; i < 3; i++) {
            usleep(3000);
            CHECK(write(fd, "part", 4) == 4);
        }
        _exit(0);
    }
    reader = open("fifo", O_RDONLY);
    size_t total = 0;
    for (ssize_t n; (n = read(reader, got, 100)) > 0;)
        total += (size_t)n;
    printf("fifo gave %zu\n", total);
    CHECK(waitpid(child, NULL, 0) == child);
    close(reader);
    int both = open("fifo", O_RDWR);
    SHOW(write(both, "x", 1));
    show_ready("both", both);
    SHOW(read(both, got, 5));
    close(both);
    unlink("fifo");
}

/* ---- event counters ---- */

static void show_eventfd(void) {
    uint64_t n = 0;
    for (int flags = 0; flags < 2; flags++) {
        int fd = eventfd(3, EFD_NONBLOCK | (flags ? EFD_SEMAPHORE : 0));
        show_ready("count", fd);
        for (int i = 0; i < 4; i++)
            TELL(read(fd, &n, 8), "  read, was %ld,", (long)n);
        SHOW(read(fd, &n, 7));
        SHOW(write(fd, &n, 7));
        n = UINT64_MAX;
        SHOW(write(fd, &n, 8));
        n = UINT64_MAX - 1;
        SHOW(write(fd, &n, 8));
        show_ready("most", fd);
        n = 1;
        SHOW(write(fd, &n, 8));
        n = 0;
        SHOW(write(fd, &n, 8));
        SHOW(write(fd, nowhere, 8));
        SHOW(read(fd, nowhere, 8));
        SHOW(read(fd, got, 100));
        SHOW(readv(fd, (struct iovec[]){{got, 4}, {got + 4, 4}}, 2));
        SHOW(lseek(fd, 0, SEEK_SET));
        close(fd);
    }
    SHOW(eventfd(0, 0x1234));
    int fd = eventfd(0, 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(10000);
        n = 41;
        CHECK(write(fd, &n, 8) == 8);
        n = UINT64_MAX - 1;
        CHECK(write(fd, &n, 8) == 8); /* waits until it is read */
        _exit(0);
    }
    SHOW(read(fd, &n, 8));
    printf("  %ld\n", (long)n);
    SHOW(read(fd, &n, 8));
    CHECK(waitpid(child, NULL, 0) == child);
    close(fd);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_broken_pipes();
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)pattern(i, 5);
    show_made();
    show_room();
    show_size();
    show_ends();
    show_bad_memory();
    show_packets();
    show_splice_files();
    show_splice_errors();
    show_splice_pipes();
    show_splice_waiting();
    show_sendfile();
    show_fifo();
    show_eventfd();
    return 0;
}
