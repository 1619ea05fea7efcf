/* Record locks, locks of open files and flock(), between processes that go in step. Usage: files-locks PART,
 * in a directory of its own. */
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "case.h"

enum { SPAN = 24 };

static long lock_with(int fd, int command, short type, short whence, off_t start, off_t length) {
    struct flock lock = {.l_type = type, .l_whence = whence, .l_start = start, .l_len = length};
    return fcntl(fd, command, &lock);
}

static long lock_at(int fd, int command, short type, off_t start, off_t length) {
    return lock_with(fd, command, type, SEEK_SET, start, length);
}

/* What another owner sees, a letter for each byte: r, w, '.'. */
static void tell_map(int fd) {
    char map[SPAN + 1] = "";
    for (int i = 0; i < SPAN; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1};
        map[i] = fcntl(fd, F_GETLK, &lock) < 0 ? '!'
                 : lock.l_type == F_UNLCK      ? '.'
                 : lock.l_type == F_RDLCK      ? 'r'
                                               : 'w';
    }
    printf("%s\n", map);
}

/* ---- a second process that does what it is told ---- */

struct order {
    int what, fd, command;
    short type;
    off_t start, length;
};
struct reply {
    long result;
    int error;
};
static int orders[2], replies[2];

static void serve(void) {
    struct order o;
    while (read(orders[0], &o, sizeof(o)) == sizeof(o)) {
        struct reply r = {.result = lock_at(o.fd, o.command, o.type, o.start, o.length), .error = errno};
        if (write(replies[1], &r, sizeof(r)) != sizeof(r))
            break;
    }
    _exit(0);
}

static pid_t helper_start(void) {
    if (pipe(orders) < 0 || pipe(replies) < 0)
        exit(99);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(orders[1]);
        serve();
    }
    return pid;
}

static void helper_order(int fd, int command, short type, off_t start, off_t length) {
    struct order o = {.fd = fd, .command = command, .type = type, .start = start, .length = length};
    if (write(orders[1], &o, sizeof(o)) != sizeof(o))
        exit(99);
}

static long helper_reply(void) {
    struct reply r;
    if (read(replies[0], &r, sizeof(r)) != sizeof(r))
        exit(99);
    errno = r.error;
    return r.result;
}

static long helper_lock(int fd, int command, short type, off_t start, off_t length) {
    helper_order(fd, command, type, start, length);
    return helper_reply();
}

static void helper_end(pid_t pid) {
    close(orders[1]);
    waitpid(pid, NULL, 0);
    close(orders[0]), close(replies[0]), close(replies[1]);
}

/* ---- parts ---- */

static void arguments(void) {
    static const short whences[] = {SEEK_SET, SEEK_CUR, SEEK_END, 3, -1};
    static const off_t starts[] = {0, 5, -5, 100, -101, INT64_MAX, INT64_MIN},
                       lengths[] = {0, 1, -1, 10, -10, INT64_MAX, INT64_MIN};
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    static const int commands[] = {F_SETLK, F_GETLK, F_OFD_SETLK, F_OFD_GETLK};
    fill_file("a", 100);
    for (size_t m = 0; m < COUNT(modes); m++) {
        int fd = open("a", modes[m]);
        lseek(fd, 50, SEEK_SET);
        for (size_t c = 0; c < COUNT(commands); c++) {
            for (short type = -1; type < 4; type++) {
                if (type == F_UNLCK && commands[c] == F_OFD_GETLK)
                    continue; /* asks for any lock, since Linux 6.7 */
                TELL(lock_at(fd, commands[c], type, 0, 1), "mode %d command %d type %d", modes[m],
                     commands[c], type);
            }
            for (size_t w = 0; w < COUNT(whences); w++)
                for (size_t s = 0; s < COUNT(starts); s++)
                    for (size_t l = 0; l < COUNT(lengths); l++)
                        TELL(lock_with(fd, commands[c], m == 0 ? F_RDLCK : F_WRLCK, whences[w], starts[s],
                                       lengths[l]),
                             "mode %d command %d whence %d start %ld length %ld", modes[m], commands[c],
                             whences[w], starts[s], lengths[l]);
        }
        struct flock lock = {.l_type = F_WRLCK, .l_pid = 1};
        TELL(fcntl(fd, F_OFD_SETLK, &lock), "a process number with an open file's lock");
        close(fd);
    }
}

static void ranges(unsigned seed) {
    fill_file("a", 100);
    int fd = open("a", O_RDWR);
    uint64_t random = seed * 0x9e3779b97f4a7c15u + 1;
    pid_t helper = helper_start();
    for (int i = 0; i < 150; i++) {
        random ^= random >> 12, random ^= random << 25, random ^= random >> 27;
        uint64_t bits = random * 0x2545f4914f6cdd1du;
        short type = (short)(bits % 3);
        off_t start = (off_t)(bits >> 8) % SPAN, length = (off_t)(bits >> 16) % (SPAN - start);
        bool other = bits >> 32 & 1;
        struct flock seen = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
        tell(other ? helper_lock(fd, F_SETLK, type, start, length)
                   : lock_at(fd, F_SETLK, type, start, length),
             "%s type %d, %ld+%ld", other ? "other" : "own", type, start, length);
        tell_map(fd);
        if (fcntl(fd, F_GETLK, &seen) == 0 && seen.l_type != F_UNLCK)
            printf("in the way: %d %ld+%ld %s\n", seen.l_type, seen.l_start, seen.l_len,
                   seen.l_pid == helper ? "the other's" : "?");
    }
    helper_end(helper);
    tell_map(fd);
}

static void releases(void) {
    fill_file("a", 100);
    pid_t helper = helper_start();
    int first = open("a", O_RDWR), second = open("a", O_RDONLY), copy;
    helper_end(helper);
    helper = helper_start(); /* has both descriptors */
    TELL(lock_at(first, F_SETLK, F_WRLCK, 0, 10), "lock");
    tell(helper_lock(first, F_SETLK, F_WRLCK, 5, 1), "the other process is kept out");
    close(second);
    tell(helper_lock(first, F_SETLK, F_WRLCK, 5, 1), "closing another open file of the same file let it in");
    tell(helper_lock(first, F_SETLK, F_UNLCK, 0, 0), "which unlocks");
    TELL(lock_at(first, F_SETLK, F_WRLCK, 0, 10), "lock again");
    copy = dup(first);
    close(copy);
    tell(helper_lock(first, F_SETLK, F_RDLCK, 5, 1), "closing a copy lets it in");
    tell(helper_lock(first, F_SETLK, F_UNLCK, 0, 0), "which unlocks");
    TELL(lock_at(first, F_OFD_SETLK, F_WRLCK, 0, 10), "a lock of the open file");
    tell(helper_lock(first, F_OFD_SETLK, F_WRLCK, 5, 1), "the other process has the same open file");
    tell(helper_lock(first, F_SETLK, F_WRLCK, 5, 1), "but its own locks are others");
    second = open("a", O_RDWR);
    TELL(lock_at(second, F_OFD_SETLK, F_WRLCK, 5, 1), "another open file");
    struct flock seen = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    TELL(fcntl(second, F_OFD_GETLK, &seen), "what is in its way");
    printf("%d %ld+%ld %d\n", seen.l_type, seen.l_start, seen.l_len, seen.l_pid);
    TELL(lock_at(second, F_SETLK, F_WRLCK, 0, 0), "a process's lock");
    copy = dup(first);
    close(first);
    TELL(lock_at(second, F_OFD_SETLK, F_WRLCK, 5, 1), "a copy keeps the open file's lock");
    close(copy);
    TELL(lock_at(second, F_OFD_SETLK, F_WRLCK, 5, 1), "and so does the other process");
    helper_end(helper);
    TELL(lock_at(second, F_OFD_SETLK, F_WRLCK, 5, 1), "until it ends");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        TELL(lock_at(second, F_SETLK, F_RDLCK, 20, 1), "a child has its own locks");
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void deadlocks(void) {
    fill_file("a", 100);
    int fd = open("a", O_RDWR);
    pid_t helper = helper_start();
    TELL(lock_at(fd, F_SETLK, F_WRLCK, 0, 1), "own lock");
    tell(helper_lock(fd, F_SETLK, F_WRLCK, 1, 1), "the other's lock");
    helper_order(fd, F_SETLKW, F_WRLCK, 0, 1);
    usleep(50000);
    TELL(lock_at(fd, F_SETLKW, F_WRLCK, 1, 1), "waiting for each other");
    TELL(lock_at(fd, F_SETLK, F_UNLCK, 0, 1), "giving way");
    tell(helper_reply(), "the other goes on");
    TELL(lock_at(fd, F_SETLK, F_RDLCK, 5, 1), "both may read");
    tell(helper_lock(fd, F_SETLK, F_RDLCK, 5, 1), "both may read");
    helper_order(fd, F_SETLKW, F_WRLCK, 5, 1);
    usleep(50000);
    TELL(lock_at(fd, F_SETLKW, F_WRLCK, 5, 1), "both want to write");
    TELL(lock_at(fd, F_SETLK, F_UNLCK, 5, 1), "giving way");
    tell(helper_reply(), "the other writes");
    int other = open("a", O_RDWR);
    TELL(lock_at(other, F_OFD_SETLK, F_WRLCK, 10, 1), "an open file's lock");
    TELL(lock_at(fd, F_OFD_SETLK, F_WRLCK, 10, 1), "is not the process's");
    helper_end(helper);
}

static void nothing(int number) {
    (void)number;
}

static void interruptions(void) {
    fill_file("a", 100);
    int fd = open("a", O_RDWR);
    pid_t helper = helper_start();
    tell(helper_lock(fd, F_SETLK, F_WRLCK, 0, 10), "the other's lock");
    for (int restart = 0; restart < 2; restart++) {
        struct sigaction action = {.sa_handler = nothing, .sa_flags = restart ? SA_RESTART : 0};
        sigaction(SIGALRM, &action, NULL);
        ualarm(60000, 0);
        if (restart) { /* the other lets go while this one waits anew */
            fflush(stdout);
            pid_t child = fork();
            if (child == 0) {
                usleep(150000);
                kill(helper, SIGKILL);
                _exit(0);
            }
        }
        TELL(lock_at(fd, F_SETLKW, F_WRLCK, 5, 1), restart ? "waiting, restarted" : "waiting, interrupted");
    }
    while (wait(NULL) > 0)
        ;
    tell_map(fd);
}

static void flocks(void) {
    fill_file("a", 10);
    int fd = open("a", O_RDONLY), copy = dup(fd), other = open("a", O_RDONLY),
        write_only = open("a", O_WRONLY);
    static const int operations[] = {
        LOCK_SH, LOCK_EX, LOCK_UN, LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN | LOCK_NB,
        0,       3,       16,      LOCK_SH | LOCK_EX, LOCK_NB,           LOCK_SH | LOCK_UN};
    for (size_t i = 0; i < COUNT(operations); i++)
        TELL(flock(fd, operations[i]), "flock %d", operations[i]);
    TELL(flock(fd, LOCK_EX), "exclusive");
    TELL(flock(copy, LOCK_EX | LOCK_NB), "a copy has it, too");
    TELL(flock(other, LOCK_SH | LOCK_NB), "another open file");
    TELL(flock(write_only, LOCK_EX | LOCK_NB), "another for writing");
    TELL(lock_at(write_only, F_SETLK, F_WRLCK, 0, 0), "record locks are others");
    TELL(flock(fd, LOCK_SH), "down to shared");
    TELL(flock(other, LOCK_SH | LOCK_NB), "another open file");
    TELL(flock(fd, LOCK_EX | LOCK_NB), "up again");
    TELL(flock(other, LOCK_UN), "the other unlocks");
    TELL(flock(fd, LOCK_EX | LOCK_NB), "up again");
    TELL(flock(copy, LOCK_UN), "the copy unlocks");
    TELL(flock(other, LOCK_EX | LOCK_NB), "the other");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(other);
        usleep(60000);
        TELL(flock(fd, LOCK_EX | LOCK_NB), "the parent's descriptor keeps it");
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        usleep(60000);
        _exit(0);
    }
    close(other);
    TELL(flock(fd, LOCK_EX | LOCK_NB), "the child still has it");
    TELL(flock(fd, LOCK_EX), "until it is gone");
    waitpid(child, NULL, 0);
    TELL(flock(77, LOCK_EX), "closed");
    int path = open("a", O_PATH), ends[2];
    TELL(flock(path, LOCK_EX), "O_PATH");
    TELL(lock_at(path, F_SETLK, F_RDLCK, 0, 0), "O_PATH, record lock");
    if (pipe(ends) == 0) {
        TELL(lock_at(ends[0], F_SETLK, F_RDLCK, 0, 0), "pipe, record lock");
        TELL(lock_at(ends[1], F_SETLK, F_RDLCK, 0, 0), "pipe, lock for reading at the end for writing");
    }
    int directory = open(".", O_RDONLY);
    TELL(flock(directory, LOCK_EX), "directory");
    TELL(lock_at(directory, F_SETLK, F_RDLCK, 0, 0), "directory, record lock");
    TELL(lock_at(directory, F_SETLK, F_WRLCK, 0, 0), "directory, record lock for writing");
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "arguments") == 0)
        arguments();
    else if (strcmp(argv[1], "ranges") == 0)
        ranges(argc > 2 ? (unsigned)atoi(argv[2]) : 1);
    else if (strcmp(argv[1], "releases") == 0)
        releases();
    else if (strcmp(argv[1], "deadlocks") == 0)
        deadlocks();
    else if (strcmp(argv[1], "interruptions") == 0)
        interruptions();
    else if (strcmp(argv[1], "flocks") == 0)
        flocks();
    else
        return 2;
    return 0;
}
