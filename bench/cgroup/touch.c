/* touch FILE PATTERN PAGES REFERENCES SEED: reads a byte from pages of a mapped file, all of them once and
 * then those of the pattern, and prints the major faults of the latter.
 *
 * A page of the pattern is the first one of 64 KiB of the file: the kernel maps the cached neighbours of a
 * page that faults, within 64 KiB, and would count them as used. MADV_RANDOM keeps it from reading ahead, but
 * also has it ignore the referenced bits of that mapping; so a page is read through such a mapping first,
 * which brings it in, and then through a common one, which counts as its use. */
#include "pattern.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { STRIDE = 65536 };

static void touch(const volatile char *first, const volatile char *file, uint64_t page) {
    (void)first[page * STRIDE];
    (void)file[page * STRIDE];
}

int main(int argc, char **argv) {
    if (argc != 6)
        return 2;
    struct pattern p = {
        .name = argv[2], .pages = strtoull(argv[3], NULL, 10), .random = strtoull(argv[5], NULL, 10)};
    const int fd = open(argv[1], O_RDONLY);
    const size_t length = p.pages * STRIDE;
    const volatile char *first = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    const volatile char *file = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (fd < 0 || first == MAP_FAILED || file == MAP_FAILED ||
        madvise((void *)(uintptr_t)first, length, MADV_RANDOM) < 0)
        return 1;
    struct rusage before, after;
    for (uint64_t page = 0; page < p.pages; page++)
        touch(first, file, page);
    getrusage(RUSAGE_SELF, &before);
    for (uint64_t left = strtoull(argv[4], NULL, 10); left > 0; left--)
        touch(first, file, pattern_next(&p));
    getrusage(RUSAGE_SELF, &after);
    printf("%ld\n", after.ru_majflt - before.ru_majflt);
    return 0;
}
