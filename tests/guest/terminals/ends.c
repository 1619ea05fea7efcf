/* Making a pseudo-terminal, and what each end sees when the other is opened and closed. */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "pair.h"

static void locks(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY), value = -1;
    char name[64];
    CHECK(master >= 0 && ptsname_r(master, name, sizeof name) == 0);
    SAY(open(name, O_RDWR | O_NOCTTY));
    SAY(ioctl(master, TIOCGPTLCK, &value));
    printf("locked %d\n", value);
    SAY(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    SAY(unlockpt(master));
    SAY(ioctl(master, TIOCGPTLCK, &value));
    printf("locked %d\n", value);
    int slave = open(name, O_RDWR | O_NOCTTY);
    SAY(slave >= 0);
    value = 1;
    SAY(ioctl(master, TIOCSPTLCK, &value));
    SAY(open(name, O_RDWR | O_NOCTTY));
    close(slave);
    close(master);
}

static void names(void) {
    struct pair p = pair_open(1);
    struct stat st, by_name;
    char name[64], own[64], link[64];
    unsigned number = 99999, device = 0;
    SAY(fstat(p.slave, &st));
    SAY(stat(p.name, &by_name));
    printf("mode %o, same file %d, same device %d, major %u\n", st.st_mode, st.st_ino == by_name.st_ino,
           st.st_rdev == by_name.st_rdev, major(st.st_rdev));
    SAY(ioctl(p.master, TIOCGPTN, &number));
    SAY(ioctl(p.slave, TIOCGPTN, &number));
    printf("number fits %d\n", number == minor(st.st_rdev));
    SAY(ioctl(p.slave, TIOCGDEV, &device));
    printf("device fits %d\n", makedev(device >> 8 & 0xfff, device & 0xff) == st.st_rdev);
    SAY(fstat(p.master, &st));
    printf("master: type %o, device %u:%u\n", st.st_mode & S_IFMT, major(st.st_rdev), minor(st.st_rdev));
    SAY(ttyname_r(p.slave, name, sizeof name));
    printf("name fits %d\n", strcmp(name, p.name) == 0);
    SAY(isatty(p.master));
    SAY(isatty(p.slave));
    snprintf(link, sizeof link, "/proc/self/fd/%d", p.slave);
    ssize_t n = readlink(link, own, sizeof own - 1);
    own[n < 0 ? 0 : n] = '\0';
    printf("link fits %d\n", strcmp(own, p.name) == 0);
    int again = open(link, O_RDWR | O_NOCTTY);
    SAY(again >= 0 && write(again, "again", 5) == 5);
    SAY_READ(p.master, 100);
    SAY(fchmod(p.slave, 0600));
    SAY(stat(p.name, &by_name));
    printf("mode %o\n", by_name.st_mode);
    close(again);
    pair_close(&p); /* another process of the host may have its number at once, so nobody looks at the name */
    SAY(lseek(p.slave, 0, SEEK_SET));
}

static void peers(void) {
    struct pair p = pair_open(0);
    int peer = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    SAY(peer >= 0);
    SAY(fcntl(peer, F_GETFD));
    SAY(fcntl(peer, F_GETFL) & O_ACCMODE);
    type(&p, "line\n");
    SAY_READ(peer, 100);
    int reader = ioctl(p.master, TIOCGPTPEER, O_RDONLY | O_NOCTTY);
    SAY(write(reader, "x", 1));
    close(reader);
    close(peer);
    pair_close(&p);
}

static void last_slave_closes(void) {
    struct pair p = pair_open(0);
    say_poll("before a slave was opened", p.master);
    SAY_READ(p.master, 10);
    p.slave = open(p.name, O_RDWR | O_NOCTTY);
    SAY(write(p.slave, "last words", 10));
    int second = dup(p.slave);
    close(p.slave);
    say_poll("one is left", p.master);
    close(second);
    say_poll("none is left", p.master);
    SAY_READ(p.master, 4);
    SAY_READ(p.master, 100);
    SAY_READ(p.master, 100);
    say_poll("all is read", p.master);
    type(&p, "typed ahead\n");
    SAY_READ(p.master, 100);
    p.slave = open(p.name, O_RDWR | O_NOCTTY);
    say_poll("opened again", p.master);
    SAY_READ(p.slave, 100);
    pair_close(&p);
}

static void master_closes(void) {
    struct pair p = pair_open(1);
    struct termios modes;
    struct winsize size;
    int group = 0;
    type(&p, "unread\n");
    close(p.master);
    say_poll("slave without master", p.slave);
    SAY_READ(p.slave, 100);
    SAY(write(p.slave, "x", 1));
    SAY(tcgetattr(p.slave, &modes));
    SAY(tcsetattr(p.slave, TCSANOW, &modes));
    SAY(ioctl(p.slave, TIOCGWINSZ, &size));
    SAY(ioctl(p.slave, TIOCGPGRP, &group));
    SAY(ioctl(p.slave, TIOCSPGRP, &group));
    SAY(ioctl(p.slave, FIONREAD, &group));
    SAY(isatty(p.slave));
    SAY(open(p.name, O_RDWR | O_NOCTTY));
    close(p.slave);
}

/* A read that waits when the other end closes. */
static void closing_wakes(void) {
    struct pair p = pair_open(1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pause_ms(50);
        _exit(0);
    }
    char byte;
    close(p.slave);
    SAY(read(p.master, &byte, 1));
    waitpid(child, NULL, 0);
    SAY(read(p.master, &byte, 1));
    close(p.master);
}

static void nonblocking(void) {
    struct pair p = pair_open(1);
    char bytes[100];
    void *volatile nowhere = (void *)8;
    SAY(fcntl(p.master, F_SETFL, O_RDWR | O_NONBLOCK));
    SAY(fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK));
    SAY(read(p.master, bytes, 10));
    SAY(read(p.slave, bytes, 10));
    SAY(read(p.slave, bytes, 0));
    SAY(write(p.slave, bytes, 0));
    SAY(write(p.master, bytes, 0));
    type(&p, "no line yet");
    SAY(read(p.slave, bytes, 10));
    SAY(read(p.slave, nowhere, 10));
    SAY(write(p.slave, nowhere, 10));
    type(&p, "\n");
    SAY(read(p.slave, nowhere, 10));
    pair_close(&p);
}

int main(void) {
    locks();
    names();
    peers();
    last_slave_closes();
    master_closes();
    closing_wakes();
    nonblocking();
    return 0;
}
