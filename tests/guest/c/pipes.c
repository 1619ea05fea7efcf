/* Pipes between processes: a chain that transforms, more than a pipe holds, end of file, SIGPIPE and EPIPE,
 * O_NONBLOCK, poll, select, a FIFO. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void write_all(int fd, const void *from, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = write(fd, (const char *)from + done, length - done);
        CHECK(n > 0);
        done += (size_t)n;
    }
}

/* Copies numbers from one descriptor to the other, adding one to each. */
static void stage(int from, int to) {
    uint32_t numbers[700];
    size_t have = 0;
    for (ssize_t n; (n = read(from, (char *)numbers + have, sizeof numbers - have)) > 0;) {
        have += (size_t)n;
        size_t whole = have / 4;
        for (size_t i = 0; i < whole; i++)
            numbers[i]++;
        write_all(to, numbers, whole * 4);
        memmove(numbers, numbers + whole, have - whole * 4);
        have -= whole * 4;
    }
    CHECK(have == 0);
}

static void chain(void) {
    enum { STAGES = 4, NUMBERS = 60000 };
    int in[2], out[2];
    CHECK(pipe(in) == 0);
    int first = in[1], last = in[0];
    for (int i = 0; i < STAGES; i++) {
        CHECK(pipe(out) == 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            close(first), close(out[0]);
            stage(last, out[1]);
            _exit(0);
        }
        close(last), close(out[1]);
        last = out[0];
    }
    pid_t writer = fork();
    if (writer == 0) {
        close(last);
        for (uint32_t i = 0; i < NUMBERS; i++)
            write_all(first, &i, 4);
        _exit(0);
    }
    close(first);
    uint32_t number;
    for (uint32_t i = 0; i < NUMBERS; i++)
        CHECK(read(last, &number, 4) == 4 && number == i + STAGES);
    CHECK(read(last, &number, 4) == 0); /* everybody has closed: the end */
    close(last);
    for (int status, i = 0; i <= STAGES; i++)
        CHECK(wait(&status) > 0 && status == 0);
    puts("chain");
}

static volatile sig_atomic_t broken;
static void on_pipe(int signal) {
    broken = signal;
}

static void edges(void) {
    int ends[2];
    char block[4096];
    memset(block, 'b', sizeof block);
    CHECK(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    CHECK(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && (fcntl(ends[0], F_GETFL) & O_NONBLOCK));
    CHECK_ERROR(read(ends[0], block, 1), EAGAIN);
    size_t room = 0;
    for (ssize_t n; (n = write(ends[1], block, sizeof block)) > 0;)
        room += (size_t)n;
    CHECK(errno == EAGAIN);
    printf("a pipe holds %zu bytes\n", room);
    CHECK(read(ends[0], block, 4096) == 4096 && write(ends[1], block, 4096) == 4096);
    close(ends[0]);
    CHECK(signal(SIGPIPE, on_pipe) != SIG_ERR);
    CHECK_ERROR(write(ends[1], block, 1), EPIPE);
    CHECK(broken == SIGPIPE);
    close(ends[1]);
    CHECK_ERROR(read(ends[0], block, 1), EBADF);
    CHECK_ERROR(lseek(ends[0], 0, SEEK_SET), EBADF);
    puts("edges");
}

static void polls(void) {
    int a[2], b[2];
    CHECK(pipe(a) == 0 && pipe(b) == 0);
    struct pollfd fds[] = {
        {a[0], POLLIN, 0}, {b[0], POLLIN, 0}, {b[1], POLLOUT, 0}, {-1, POLLIN, 0}, {900, POLLIN, 0}};
    CHECK(poll(fds, 2, 0) == 0);
    CHECK(poll(fds, 5, -1) == 2 && fds[2].revents == POLLOUT && fds[4].revents == POLLNVAL);
    CHECK(fds[0].revents == 0 && fds[3].revents == 0);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(30000);
        _exit(write(b[1], "x", 1) == 1 ? 0 : 1);
    }
    CHECK(poll(fds, 2, 10000) == 1 && fds[1].revents == POLLIN && fds[0].revents == 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
    close(a[1]);
    CHECK(poll(fds, 1, -1) == 1 && fds[0].revents == POLLHUP);
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(b[0], &readable);
    FD_SET(b[1], &writable);
    FD_SET(a[0], &readable);
    CHECK(select(b[1] + 1, &readable, &writable, NULL, NULL) == 3);
    CHECK(FD_ISSET(b[0], &readable) && FD_ISSET(a[0], &readable) && FD_ISSET(b[1], &writable));
    char byte;
    CHECK(read(b[0], &byte, 1) == 1 && byte == 'x');
    struct timeval soon = {0, 20000};
    FD_ZERO(&readable);
    FD_SET(b[0], &readable);
    CHECK(select(b[0] + 1, &readable, NULL, NULL, &soon) == 0 && !FD_ISSET(b[0], &readable));
    close(a[0]), close(b[0]), close(b[1]);
    puts("poll and select");
}

static void fifos(void) {
    CHECK(mkfifo("a.fifo", 0600) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("a.fifo", O_WRONLY); /* waits for a reader */
        CHECK(fd >= 0);
        write_all(fd, "through a fifo", 14);
        _exit(0);
    }
    int fd = open("a.fifo", O_RDONLY); /* waits for a writer */
    char text[64];
    size_t have = 0;
    for (ssize_t n; (n = read(fd, text + have, sizeof text - have)) > 0;)
        have += (size_t)n;
    CHECK(have == 14 && memcmp(text, "through a fifo", 14) == 0);
    close(fd);
    CHECK(waitpid(pid, NULL, 0) == pid && unlink("a.fifo") == 0);
    puts("fifo");
}

/* Descriptors that dup and fork share have one position. */
static void positions(void) {
    int fd = open("shared.txt", O_RDWR | O_CREAT | O_TRUNC, 0600), copy = dup(fd);
    CHECK(fd >= 0 && copy >= 0);
    write_all(fd, "one", 3);
    write_all(copy, "two", 3);
    pid_t pid = fork();
    if (pid == 0) {
        write_all(fd, "three", 5);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    write_all(copy, "four", 4);
    char text[32];
    CHECK(pread(fd, text, sizeof text, 0) == 15 && memcmp(text, "onetwothreefour", 15) == 0);
    CHECK(dup2(fd, 77) == 77 && lseek(77, 0, SEEK_CUR) == 15);
    close(fd), close(copy), close(77);
    puts("positions");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    chain();
    edges();
    polls();
    fifos();
    positions();
    return 0;
}
