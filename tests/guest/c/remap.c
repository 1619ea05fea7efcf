/* mremap: grow in place, grow by moving, shrink, to a fixed place, shared and private, of a file; contents go
 * along, swapped or not. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static char *map(size_t pages, int flags, int fd) {
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static void fill(char *at, size_t pages, unsigned who) {
    for (size_t i = 0; i < pages; i++)
        *(uint64_t *)(at + i * PAGE + 8) = pattern(i, who);
}

static void verify(const char *at, size_t pages, unsigned who) {
    for (size_t i = 0; i < pages; i++)
        CHECK(*(const uint64_t *)(at + i * PAGE + 8) == pattern(i, who));
}

static void grow(void) {
    char *at = map(64, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    CHECK(munmap(at + 16 * PAGE, 48 * PAGE) == 0);
    fill(at, 16, 1);
    CHECK(mremap(at, 16 * PAGE, 32 * PAGE, 0) == at); /* there is room */
    verify(at, 16, 1);
    CHECK(at[16 * PAGE] == 0 && at[32 * PAGE - 1] == 0);
    fill(at, 32, 2);
    CHECK(mmap(at + 32 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
          MAP_FAILED);
    CHECK_ERROR(mremap(at, 32 * PAGE, 48 * PAGE, 0), ENOMEM); /* there is none */
    char *moved = mremap(at, 32 * PAGE, 48 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved != at);
    verify(moved, 32, 2);
    CHECK(moved[47 * PAGE] == 0);
    CHECK_ERROR(msync(at, PAGE, MS_ASYNC), ENOMEM); /* nothing is where it was */
    CHECK(mremap(moved, 48 * PAGE, 8 * PAGE, 0) == moved);
    verify(moved, 8, 2);
    CHECK_ERROR(msync(moved + 8 * PAGE, PAGE, MS_ASYNC), ENOMEM);
    CHECK(munmap(moved, 8 * PAGE) == 0);
    puts("grow and shrink");
}

static void fixed(void) {
    char *from = map(10, MAP_PRIVATE | MAP_ANONYMOUS, -1), *to = map(20, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(from, 10, 3);
    fill(to, 20, 4);
    CHECK(mremap(from + 2 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 5 * PAGE) ==
          to + 5 * PAGE);
    verify(from, 2, 3);
    verify(to, 5, 4);
    for (size_t i = 0; i < 4; i++)
        CHECK(*(uint64_t *)(to + (5 + i) * PAGE + 8) == pattern(i + 2, 3));
    CHECK(*(uint64_t *)(to + 9 * PAGE + 8) == pattern(9, 4));
    CHECK_ERROR(mremap(to, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE),
                EINVAL);                                                          /* overlap */
    CHECK_ERROR(mremap(from + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT); /* a hole */
    CHECK_ERROR(mremap(to + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
    CHECK(munmap(from, 10 * PAGE) == 0 && munmap(to, 20 * PAGE) == 0);
    puts("to a fixed place");
}

static void of_file(void) {
    int fd = open("remap.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 12 * PAGE) == 0);
    char *at = map(4, MAP_SHARED, fd);
    fill(at, 4, 5);
    at = mremap(at, 4 * PAGE, 12 * PAGE, MREMAP_MAYMOVE);
    CHECK(at != MAP_FAILED);
    verify(at, 4, 5);
    fill(at, 12, 6);
    uint64_t word;
    CHECK(pread(fd, &word, 8, 11 * PAGE + 8) == 8 && word == pattern(11, 6));
    char *twin = mremap(at, 0, 12 * PAGE, MREMAP_MAYMOVE); /* the old way to map the same pages twice */
    CHECK(twin != MAP_FAILED && twin != at);
    verify(twin, 12, 6);
    fill(twin, 12, 7);
    verify(at, 12, 7);
    CHECK(munmap(at, 12 * PAGE) == 0 && munmap(twin, 12 * PAGE) == 0 && unlink("remap.dat") == 0);
    puts("of a shared file");
}

static void keep_old(void) {
    char *at = map(6, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(at, 6, 8);
    /* not by way of glibc's mremap, which leaves the last argument undefined here */
    char *moved = (char *)syscall(SYS_mremap, at, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    CHECK(moved != MAP_FAILED && moved != at);
    verify(moved, 6, 8);
    for (size_t i = 0; i < 6 * PAGE; i++)
        CHECK(at[i] == 0); /* still mapped, and empty */
    CHECK(munmap(at, 6 * PAGE) == 0 && munmap(moved, 6 * PAGE) == 0);
    puts("without unmapping");
}

int main(void) {
    grow();
    fixed();
    of_file();
    keep_old();
    return 0;
}
