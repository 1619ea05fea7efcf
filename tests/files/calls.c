/* A program that makes system calls about files, good ones and bad ones, and prints what each returned. What
 * it prints on the host and in the machine must be the same (run-calls.sh). It works in the directory it is
 * started in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Volatile, so that the compiler does not see through the mistakes. */
static void *volatile wild = (void *)8;
static volatile int minus_one = -1, too_many = 2000;

#define SHOW(call)                                                                                           \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        long result = (long)(call);                                                                          \
        printf("%s = %ld%s%s\n", #call, result, result < 0 ? " " : "", result < 0 ? strerror(errno) : "");   \
    } while (0)

static char buffer[100000];

static void handle(int signal) {
    printf("signal %d\n", signal);
}

/* Interrupts the call that follows. */
static void alarm_soon(void) {
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 50000}, NULL);
}

static void regular_files(int fd, int directory) {
    SHOW(write(fd, "hello", 5));
    SHOW(pread(fd, buffer, 10, -1));
    SHOW(pread(fd, buffer, 10, 100));
    SHOW(lseek(fd, 10, SEEK_SET));
    SHOW(write(fd, "x", 1));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 100, SEEK_HOLE));
    SHOW(lseek(fd, 0, 77));
    SHOW(ftruncate(fd, -1));
    SHOW(ftruncate(directory, 5));
    SHOW(read(directory, buffer, 10));
    SHOW(write(directory, buffer, 10));
    SHOW(write(fd, wild, 5));
    SHOW(read(fd, wild, 5));
    SHOW(write(fd, NULL, 0));
    SHOW(ioctl(fd, TCGETS, buffer));
    SHOW(ioctl(fd, FIONREAD, buffer));
    SHOW(ioctl(fd, 0x12345, buffer));
    SHOW(isatty(fd));
    SHOW(fallocate(fd, 0, 0, 10000));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    SHOW(sendfile(fd, directory, NULL, 5));
    SHOW(fdatasync(fd));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, directory, 0) == MAP_FAILED);
}

static void vectors(int fd) {
    struct iovec v[2] = {{buffer, 5}, {buffer + 5, (size_t)-1}};
    SHOW(writev(fd, v, 2));
    SHOW(writev(fd, v, minus_one));
    SHOW(writev(fd, v, too_many));
    v[1] = (struct iovec){NULL, 5};
    SHOW(writev(fd, v, 2));
    v[0].iov_base = wild;
    SHOW(writev(fd, v, 2));
    SHOW(readv(fd, wild, 2));
}

static void opening(int fd, int directory) {
    SHOW(open("file", O_RDONLY | O_DIRECTORY));
    SHOW(open(".", O_RDWR));
    SHOW(open("file/", O_RDONLY));
    SHOW(open("none", O_RDONLY));
    SHOW(open("file", O_CREAT | O_EXCL, 0600));
    SHOW(open("", O_RDONLY));
    SHOW(open("link", O_NOFOLLOW));
    SHOW(open("link", O_NOFOLLOW | O_PATH) >= 0);
    SHOW(open("loop", O_RDONLY));
    SHOW(open(wild, O_RDONLY));
    SHOW(openat(fd, "x", O_RDONLY));
    SHOW(openat(999, "x", O_RDONLY));
    SHOW(openat(999, "/etc/passwd", O_RDONLY) >= 0);
    SHOW(openat(directory, "file", O_RDONLY) >= 0);
    memset(buffer, 'a', 5000);
    buffer[5000] = '\0';
    SHOW(open(buffer, O_RDONLY));
    buffer[300] = '\0';
    SHOW(open(buffer, O_RDONLY));
    umask(027);
    SHOW(close(open("made", O_CREAT | O_WRONLY, 0666)));
    struct stat st;
    SHOW(stat("made", &st));
    SHOW(st.st_mode);
}

static void names(int directory) {
    SHOW(mkdir("d", 0777));
    SHOW(mkdir("d/", 0777));
    SHOW(mkdir("d2/", 0777));
    SHOW(rmdir("d/."));
    SHOW(rmdir("d/.."));
    SHOW(rmdir("file"));
    SHOW(unlink("d"));
    SHOW(rename("d", "file"));
    SHOW(rename("file", "d"));
    SHOW(rename("file", "none/x"));
    SHOW(rename("d", "d/x"));
    SHOW(link("d", "l"));
    SHOW(link("file", "d/l"));
    SHOW(symlink("file", "link"));
    SHOW(symlink("", "e"));
    SHOW(readlink("file", buffer, 10));
    SHOW(readlink("link", buffer, 0));
    SHOW(readlink("link", buffer, 1));
    SHOW(mkdir("loop/x", 0777));
    SHOW(unlinkat(directory, "d2", 0));
    SHOW(unlinkat(directory, "d2", AT_REMOVEDIR));
    SHOW(unlinkat(directory, "d2", 77));
    SHOW(truncate("file", 3));
    SHOW(truncate("d", 3));
    SHOW(truncate("none", 3));
    SHOW(chdir("file"));
    SHOW(chdir("d"));
    SHOW(chdir(".."));
    SHOW(fchdir(directory));
    SHOW(getcwd(buffer, 2) != NULL);
}

static void status(int fd, int directory) {
    struct stat st;
    struct timespec times[2] = {{5, 6}, {7, 8}};
    SHOW(stat("loop", &st));
    SHOW(lstat("loop", &st));
    SHOW(lstat("link/", &st));
    SHOW(stat(wild, &st));
    SHOW(stat("file", wild));
    SHOW(fstatat(directory, "", &st, AT_EMPTY_PATH));
    SHOW(fstatat(directory, "", &st, 0));
    SHOW(fstatat(999, "", &st, AT_EMPTY_PATH));
    SHOW(access("file", 99));
    SHOW(access("file", F_OK));
    SHOW(chmod("none", 0));
    SHOW(fchmodat(AT_FDCWD, "link", 0600, 0));
    SHOW(chown("file", (uid_t)-1, (gid_t)-1));
    SHOW(utimensat(AT_FDCWD, "file", times, 0));
    SHOW(stat("file", &st));
    SHOW(st.st_mode);
    SHOW(st.st_mtim.tv_nsec);
    times[0].tv_nsec = -5;
    SHOW(utimensat(AT_FDCWD, "file", times, 0));
    SHOW(setxattr("file", "user.a", "xyz", 3, 0));
    SHOW(setxattr("file", "user.b", buffer, 70000, 0));
    SHOW(getxattr("link", "user.a", buffer, 100));
    SHOW(fgetxattr(fd, "user.a", buffer, 1));
    SHOW(lgetxattr("link", "user.a", buffer, 100));
    SHOW(listxattr("file", NULL, 0));
}

static void pipes_and_fifos(void) {
    int ends[2];
    struct stat st;
    SHOW(pipe(ends));
    SHOW(fcntl(ends[0], F_GETFL));
    SHOW(fcntl(ends[1], F_GETFL));
    SHOW(read(ends[1], buffer, 1));
    SHOW(lseek(ends[0], 0, SEEK_CUR));
    SHOW(pread(ends[0], buffer, 1, 0));
    SHOW(fsync(ends[0]));
    SHOW(ftruncate(ends[1], 0));
    SHOW(fstat(ends[0], &st));
    SHOW(st.st_mode);
    SHOW(write(ends[1], "abc", 3));
    SHOW(read(ends[0], buffer, 0));
    SHOW(read(ends[0], wild, 3));
    SHOW(read(ends[0], buffer, 10));
    SHOW(mkfifo("fifo", 0666));
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    SHOW(read(reader, buffer, 1));
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    SHOW(read(reader, buffer, 1));
    SHOW(write(writer, "q", 1));
    SHOW(read(reader, buffer, 5));
    SHOW(close(writer));
    SHOW(read(reader, buffer, 5));
}

static void sockets(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int pair[2], server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    signal(SIGPIPE, handle);
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SHOW(send(pair[0], "abc", 3, 0));
    SHOW(recv(pair[1], buffer, 2, MSG_PEEK));
    SHOW(recv(pair[1], buffer, 10, 0));
    SHOW(recv(pair[1], buffer, 10, MSG_DONTWAIT));
    SHOW(shutdown(pair[0], SHUT_WR));
    SHOW(recv(pair[1], buffer, 10, 0));
    SHOW(send(pair[0], "x", 1, 0));
    SHOW(send(pair[0], "x", 1, MSG_NOSIGNAL));
    SHOW(connect(client, (struct sockaddr *)&address, sizeof(address)));
    SHOW(bind(server, (struct sockaddr *)&address, sizeof(address)));
    SHOW(connect(client, (struct sockaddr *)&address, sizeof(address)));
    SHOW(listen(server, 5));
    SHOW(connect(client, (struct sockaddr *)&address, sizeof(address)));
    SHOW(accept(server, NULL, NULL) >= 0);
    SHOW(socket(77, 1, 0));
    SHOW(send(STDIN_FILENO, "x", 1, 0));
}

static void waiting(int fd) {
    struct pollfd fds[3] = {
        {.fd = fd, .events = POLLIN | POLLOUT}, {.fd = 999, .events = POLLIN}, {.fd = -1}};
    struct timeval negative = {.tv_usec = -1};
    fd_set set;
    SHOW(poll(fds, 3, 0));
    SHOW(fds[0].revents);
    SHOW(fds[1].revents);
    SHOW(poll(wild, 1, 0));
    FD_ZERO(&set);
    FD_SET(fd, &set);
    SHOW(select(fd + 1, &set, NULL, NULL, NULL));
    FD_SET(900, &set);
    SHOW(select(1000, &set, NULL, NULL, NULL));
    SHOW(select(0, NULL, NULL, NULL, &negative));
    SHOW(nanosleep(&(struct timespec){.tv_nsec = 2000000000}, NULL));
    SHOW(nanosleep(wild, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){.tv_sec = 1}, NULL));
}

static void interrupted(void) {
    struct timespec left = {0};
    struct timeval five = {.tv_sec = 5};
    int ends[2];
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = handle}, NULL);
    alarm_soon();
    SHOW(nanosleep(&(struct timespec){.tv_sec = 5}, &left));
    SHOW(left.tv_sec);
    alarm_soon();
    SHOW(poll(NULL, 0, 5000));
    alarm_soon();
    SHOW(select(0, NULL, NULL, NULL, &five));
    SHOW(five.tv_sec);
    SHOW(pipe(ends));
    alarm_soon();
    SHOW(read(ends[0], buffer, 1));
    alarm_soon();
    SHOW(write(ends[1], buffer, sizeof(buffer)));
    SHOW(mkfifo("nobody", 0600));
    alarm_soon();
    SHOW(open("nobody", O_WRONLY));
}

static void descriptors(int fd) {
    SHOW(dup(999));
    SHOW(dup2(fd, fd));
    SHOW(dup2(fd, -1));
    SHOW(dup3(fd, fd, 0));
    SHOW(fcntl(fd, F_GETFL));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(fcntl(fd, 9999));
    SHOW(fcntl(999, F_GETFL));
    SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){5, 20}));
    SHOW(open("file", O_RDONLY));
    SHOW(dup(fd));
    SHOW(dup2(fd, 5));
    SHOW(close(999));
    SHOW(close(fd));
    SHOW(close(fd));
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0666), directory = open(".", O_RDONLY | O_DIRECTORY);
    SHOW(symlink("file", "link"));
    SHOW(symlink("loop", "loop"));
    regular_files(fd, directory);
    vectors(fd);
    opening(fd, directory);
    names(directory);
    status(fd, directory);
    pipes_and_fifos();
    sockets();
    waiting(fd);
    interrupted();
    descriptors(fd);
    return 0;
}
