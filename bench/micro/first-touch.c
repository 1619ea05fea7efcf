/* The first touch of anonymous pages: maps PAGES, writes a byte to each, unmaps them, ROUNDS times.
 *
 *   first-touch PAGES ROUNDS
 *
 * The time of R2 rounds less that of R1, divided by (R2 - R1) * PAGES, is the cost of a fault with all that
 * belongs to it: zeroing the frame, and giving it back. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const size_t pages = strtoul(argv[1], NULL, 0), length = pages * 4096;
    const unsigned long rounds = strtoul(argv[2], NULL, 0);
    unsigned long sum = 0;
    for (unsigned long round = 0; round < rounds; round++) {
        volatile unsigned char *start =
            mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (start == MAP_FAILED)
            return 1;
        for (size_t offset = 0; offset < length; offset += 4096)
            sum += ++start[offset];
        munmap((void *)start, length);
    }
    printf("%lu\n", sum); /* every page was zero: PAGES * ROUNDS */
    return 0;
}
