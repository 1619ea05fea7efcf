/* work FILE LAYOUT PATTERN PAGES REFERENCES SEED STEPS: reads a byte from pages of a mapped file, all of them
 * once and then those of the pattern, and computes for STEPS steps after each. Prints what it has computed.
 * The scattered pages are read for the first time in a jumbled order, so that a disk is as quick then as
 * later.
 *
 * LAYOUT is "scattered": a page of the pattern is the first one of 64 KiB of the file, read through a mapping
 * with MADV_RANDOM and then through a common one, so that the kernel reads nothing ahead, maps no neighbours,
 * and yet sees the use of a page; or "dense": one page behind the other in a common mapping, with all that
 * the kernel does for those. It asks for neither time nor faults: its references do not depend on them. */
#include "pattern.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

enum { SCATTERED = 65536, DENSE = 4096 };
enum { PRIME = 999983 }; /* no divisor of the number of pages: each page comes once */

struct work {
    const volatile char *first, *file;
    size_t stride;
    uint64_t steps, value;
};

static const volatile char *map(int fd, size_t length) {
    const volatile char *at = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void work_on(struct work *w, uint64_t page) {
    if (w->first)
        (void)w->first[page * w->stride];
    w->value += (unsigned char)w->file[page * w->stride] + 1;
    for (uint64_t left = w->steps; left > 0; left--) {
        w->value ^= w->value << 13;
        w->value ^= w->value >> 7;
        w->value ^= w->value << 17;
    }
}

int main(int argc, char **argv) {
    if (argc != 8)
        return 2;
    const int is_scattered = strcmp(argv[2], "scattered") == 0;
    struct pattern p = {
        .name = argv[3], .pages = strtoull(argv[4], NULL, 10), .random = strtoull(argv[6], NULL, 10)};
    struct work w = {.stride = is_scattered ? SCATTERED : DENSE, .steps = strtoull(argv[7], NULL, 10)};
    const size_t length = p.pages * w.stride;
    const int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || !(w.file = map(fd, length)))
        return 1;
    if (is_scattered &&
        (!(w.first = map(fd, length)) || madvise((void *)(uintptr_t)w.first, length, MADV_RANDOM) < 0))
        return 1;
    for (uint64_t i = 0; i < p.pages; i++)
        work_on(&w, is_scattered ? i * PRIME % p.pages : i);
    for (uint64_t left = strtoull(argv[5], NULL, 10); left > 0; left--)
        work_on(&w, pattern_next(&p));
    printf("%llu\n", (unsigned long long)w.value);
    return 0;
}
