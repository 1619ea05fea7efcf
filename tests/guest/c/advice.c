/* madvise (DONTNEED, FREE, WILLNEED and hints), mincore and msync. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGES = 16 };

static char *map(int flags, int fd) {
    char *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static void dont_need(void) {
    char *at = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(at, 'x', PAGES * PAGE);
    pid_t child = fork(); /* it shares the pages: what the parent gives up must stay there */
    if (child == 0) {
        usleep(1000);
        for (size_t i = 0; i < PAGES * PAGE; i++)
            CHECK(at[i] == 'x');
        _exit(0);
    }
    CHECK(madvise(at + 4 * PAGE, 4 * PAGE, MADV_DONTNEED) == 0);
    for (size_t i = 0; i < PAGES * PAGE; i++)
        CHECK(at[i] == (i >= 4 * PAGE && i < 8 * PAGE ? 0 : 'x'));
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_ERROR(madvise(at + 1, PAGE, MADV_DONTNEED), EINVAL);
    CHECK(munmap(at + 5 * PAGE, PAGE) == 0);
    CHECK_ERROR(madvise(at, PAGES * PAGE, MADV_DONTNEED), ENOMEM); /* a hole, but the rest is done */
    CHECK(at[0] == 0 && at[15 * PAGE] == 0);
    CHECK(munmap(at, PAGES * PAGE) == 0);
    puts("MADV_DONTNEED");
}

static void dont_need_file(void) {
    int fd = open("advice.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char page[PAGE];
    memset(page, 'f', PAGE);
    for (int i = 0; i < PAGES; i++)
        CHECK(write(fd, page, PAGE) == (ssize_t)PAGE);
    char *private = map(MAP_PRIVATE, fd), *shared = map(MAP_SHARED, fd);
    memset(private, 'p', 3 * PAGE);
    shared[2 * PAGE] = 's';
    CHECK(madvise(private, PAGES * PAGE, MADV_DONTNEED) == 0); /* private changes go, the file shows */
    CHECK(private[0] == 'f' && private[2 * PAGE] == 's' && private[2 * PAGE + 1] == 'f');
    CHECK(madvise(shared, PAGES * PAGE, MADV_DONTNEED) == 0); /* shared changes stay */
    CHECK(shared[2 * PAGE] == 's');
    CHECK(msync(shared, PAGES * PAGE, MS_SYNC) == 0 && msync(shared, PAGE, MS_ASYNC | MS_INVALIDATE) == 0);
    CHECK(pread(fd, page, 1, 2 * PAGE) == 1 && page[0] == 's');
    CHECK_ERROR(msync(shared, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERROR(msync(shared + 1, PAGE, MS_SYNC), EINVAL);
    CHECK(madvise(shared, PAGES * PAGE, MADV_WILLNEED) == 0 && shared[15 * PAGE] == 'f');
    CHECK_ERROR(madvise(shared, PAGE, 12345), EINVAL);
    CHECK(munmap(private, PAGES * PAGE) == 0 && munmap(shared, PAGES * PAGE) == 0 &&
          unlink("advice.dat") == 0);
    puts("MADV_DONTNEED of a file, msync, MADV_WILLNEED");
}

/* A page freed lazily holds the old content or zeros until it is written; a write keeps it. */
static void lazily_freed(void) {
    char *at = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(at, 'l', PAGES * PAGE);
    CHECK(madvise(at, PAGES * PAGE, MADV_FREE) == 0);
    for (size_t i = 0; i < PAGES; i++) {
        CHECK(at[i * PAGE + 9] == 'l' || at[i * PAGE + 9] == 0);
        at[i * PAGE] = 'w';
    }
    char *other = map(MAP_PRIVATE | MAP_ANONYMOUS, -1); /* pressure, on a small machine */
    memset(other, 'o', PAGES * PAGE);
    for (size_t i = 0; i < PAGES; i++)
        CHECK(at[i * PAGE] == 'w' && (at[i * PAGE + 9] == 'l' || at[i * PAGE + 9] == 0));
    const int hints[] = {MADV_NORMAL,   MADV_SEQUENTIAL, MADV_RANDOM,
                         MADV_DONTFORK, MADV_DOFORK,     MADV_DONTDUMP};
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        CHECK(madvise(at, PAGE, hints[i]) == 0);
    CHECK(at[0] == 'w' && munmap(at, PAGES * PAGE) == 0 && munmap(other, PAGES * PAGE) == 0);
    puts("MADV_FREE and hints");
}

/* What is resident depends on the machine's size; that untouched anonymous pages are not, does not. */
static void in_core(void) {
    char *at = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    unsigned char vector[PAGES];
    at[3 * PAGE] = 1;
    CHECK(mincore(at, PAGES * PAGE, vector) == 0);
    for (int i = 0; i < PAGES; i++)
        CHECK(i == 3 || (vector[i] & 1) == 0);
    CHECK_ERROR(mincore(at + 1, PAGE, vector), EINVAL);
    CHECK(munmap(at, PAGES * PAGE) == 0);
    CHECK_ERROR(mincore(at, PAGE, vector), ENOMEM);
    at = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    CHECK_ERROR(mincore(at, PAGE, (unsigned char *)16), EFAULT);
    puts("mincore");
}

int main(void) {
    dont_need();
    dont_need_file();
    lazily_freed();
    in_core();
    return 0;
}
