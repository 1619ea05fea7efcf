/* memfd_create: flags, and every seal against every change. With the argument "exec" also what Linux has
 * since 6.3. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "say.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static void size_of(const char *when, int fd) {
    struct stat s;
    fstat(fd, &s);
    printf("%s: size %ld mode %o links %d\n", when, (long)s.st_size, s.st_mode, (int)s.st_nlink);
}

static void creating(void) {
    char name[300];
    static const int lengths[] = {0, 1, 248, 249, 250, 299};
    for (int i = 0; i < 6; i++) {
        memset(name, 'n', sizeof name);
        name[lengths[i]] = 0;
        CASE_ID(text("name of %d", lengths[i]), memfd_create(name, 0));
    }
    for (unsigned flags = 0; flags < 4; flags++) {
        int fd = memfd_create("flags", flags);
        printf("flags %u: close on exec %d, status %x, seals %d\n", flags, fcntl(fd, F_GETFD),
               fcntl(fd, F_GETFL) & 0xfff, fcntl(fd, F_GET_SEALS));
        size_of("  new", fd);
        close(fd);
    }
    SAY(memfd_create("x", 0x20));
    SAY(memfd_create("x", 0x40000000));
    SAY(memfd_create((char *)8, 0));
    SAY(memfd_create((char *)8, 0x20));
    SAY(fcntl(0, F_GET_SEALS));
    int tube[2];
    CASE("pipe", pipe(tube));
    SAY(fcntl(tube[0], F_GET_SEALS));
    SAY(fcntl(tube[1], F_GET_SEALS));
    SAY(fcntl(tube[1], F_ADD_SEALS, F_SEAL_GROW));
    SAY(fcntl(tube[0], F_ADD_SEALS, F_SEAL_GROW));
    SAY(fcntl(999, F_ADD_SEALS, F_SEAL_GROW));
}

/* All that seals may forbid, on a file of 10000 bytes. */
static void changes(int fd) {
    static char bytes[20000];
    SAY(pwrite(fd, "x", 1, 5));
    SAY(pwrite(fd, "x", 1, 10000));
    size_of("  then", fd);
    SAY(ftruncate(fd, 10000));
    SAY(pwrite(fd, bytes, 20000, 0));
    size_of("  then", fd);
    SAY(ftruncate(fd, 10000));
    SAY(pwrite(fd, bytes, 3000, 9000));
    SAY(pwrite(fd, bytes, 0, 20000));
    SAY(ftruncate(fd, 10000));
    SAY(ftruncate(fd, 10001));
    SAY(ftruncate(fd, 9999));
    size_of("  then", fd);
    SAY(ftruncate(fd, 10000));
    SAY(fallocate(fd, 0, 0, 10000));
    SAY(fallocate(fd, 0, 0, 12000));
    SAY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
    SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    SAY(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096));
    SAY(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
    size_of("  then", fd);
    char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CASE("  mmap shared, to write", at == MAP_FAILED ? -1 : 0);
    if (at != MAP_FAILED)
        munmap(at, PAGE);
    at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CASE("  mmap private, to write", at == MAP_FAILED ? -1 : 0);
    if (at != MAP_FAILED)
        munmap(at, PAGE);
    if (fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE)
        return; /* whether it may be shared to read depends on the kernel */
    at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CASE("  mmap shared, to read", at == MAP_FAILED ? -1 : 0);
    if (at != MAP_FAILED) {
        CASE("  and then to write", mprotect(at, PAGE, PROT_READ | PROT_WRITE));
        munmap(at, PAGE);
    }
}

static void sealing(unsigned most) {
    static char bytes[10000];
    for (unsigned seals = 0; seals < most; seals++) {
        int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
        CASE("fill", write(fd, bytes, sizeof bytes));
        printf("---- seals %x: %d", seals, fcntl(fd, F_ADD_SEALS, seals));
        printf(", now %x\n", (unsigned)fcntl(fd, F_GET_SEALS));
        if (seals <= F_SEAL_FUTURE_WRITE || seals == (F_SEAL_GROW | F_SEAL_SHRINK))
            changes(fd);
        CASE("  one more", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
        CASE("  unknown", fcntl(fd, F_ADD_SEALS, 0x1000));
        close(fd);
    }
    int fd = memfd_create("not", 0);
    SAY(fcntl(fd, F_ADD_SEALS, 0));
    SAY(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
}

static void mapped(void) {
    static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
    static const int sharing[] = {MAP_PRIVATE, MAP_SHARED};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2; j++) {
            int fd = memfd_create("mapped", MFD_ALLOW_SEALING);
            CASE("size", ftruncate(fd, 8192));
            char *at = mmap(NULL, 8192, protections[i], sharing[j], fd, 0);
            CASE(text("seal, protection %d, %s", protections[i], j ? "shared" : "private"),
                 fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
            CASE("  future", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
            CASE("  to read", mprotect(at, 4096, PROT_READ));
            CASE("  to write", mprotect(at, 4096, PROT_READ | PROT_WRITE));
            munmap(at, 4096);
            CASE("  half of it is left", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
            munmap(at + 4096, 4096);
            CASE("  none is left", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
            close(fd);
        }
    int fd = memfd_create("old mapping", MFD_ALLOW_SEALING);
    CASE("size", ftruncate(fd, 4096));
    volatile char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    SAY(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    at[7] = 'w'; /* what was mapped before may go on */
    char c = 0;
    SAY(pread(fd, &c, 1, 7));
    printf("%c\n", c);
    int again = open(text("/proc/self/fd/%d", fd), O_RDONLY);
    SAY(fcntl(again, F_GET_SEALS));
    SAY(fcntl(again, F_ADD_SEALS, F_SEAL_GROW));
    at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, again, 0);
    munmap((void *)at, 4096);
    SAY(open(text("/proc/self/fd/%d", fd), O_RDWR | O_TRUNC) >= 0);
    size_of("truncated", fd);
}

static void holes(void) {
    int fd = memfd_create("holes", 0);
    SAY(lseek(fd, 0, SEEK_DATA));
    SAY(ftruncate(fd, 10 * 4096 + 100));
    SAY(lseek(fd, 0, SEEK_DATA));
    SAY(lseek(fd, 5000, SEEK_HOLE));
    SAY(pwrite(fd, "d", 1, 3 * 4096 + 7));
    SAY(pwrite(fd, "d", 1, 4 * 4096 + 7));
    SAY(pwrite(fd, "d", 1, 10 * 4096 + 7));
    static const long places[] = {0,        4095,         3 * 4096,       3 * 4096 + 50,   4 * 4096,
                                  5 * 4096, 6 * 4096 + 1, 10 * 4096 + 99, 10 * 4096 + 100, -1};
    for (int i = 0; i < 10; i++) {
        CASE(text("data from %ld", places[i]), lseek(fd, places[i], SEEK_DATA));
        CASE(text("hole from %ld", places[i]), lseek(fd, places[i], SEEK_HOLE));
    }
    SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * 4096, 4096));
    SAY(lseek(fd, 0, SEEK_DATA));
    SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * 4096 + 5, 10));
    SAY(lseek(fd, 0, SEEK_DATA));
    char c = 'x';
    SAY(pread(fd, &c, 1, 4 * 4096 + 7));
    printf("%d\n", c);
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(lseek(fd, INT64_MAX, SEEK_END));
    SAY(lseek(fd, -1, SEEK_SET));
    SAY(lseek(fd, 0, 5));
    SAY(pwrite(fd, "x", 1, INT64_MAX));
    SAY(pwrite(fd, "x", 1, -1));
}

static void executable_or_not(void) {
    for (unsigned flags = 0x8; flags <= 0x1b; flags++) {
        if (flags & MFD_HUGETLB)
            continue;
        int fd = (int)CASE_ID(text("memfd_create %x", flags), memfd_create("x", flags));
        if (fd < 0)
            continue;
        size_of("  new", fd);
        printf("  seals %x\n", (unsigned)fcntl(fd, F_GET_SEALS));
        CASE("  seal", fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
        printf("  seals %x\n", (unsigned)fcntl(fd, F_GET_SEALS));
        close(fd);
    }
}

int main(int count, char **arguments) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (count > 1 && !strcmp(arguments[1], "exec")) {
        executable_or_not();
        return 0;
    }
    creating();
    sealing(32);
    mapped();
    holes();
    return 0;
}
