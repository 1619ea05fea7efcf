/* Faults at a steady rate: touches pages of an area larger than the memory, in random order, and computes in
 * between.
 *
 *   faults-at-rate PAGES TOUCHES WORK
 *
 * WORK is the number of rounds of computing after each touch: with it the rate is chosen. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static unsigned long next(unsigned long x) {
    x ^= x << 13;
    x ^= x >> 7;
    return x ^ x << 17;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    const unsigned long pages = strtoul(argv[1], NULL, 0), touches = strtoul(argv[2], NULL, 0);
    const unsigned long work = strtoul(argv[3], NULL, 0);
    volatile unsigned char *area =
        mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return 1;
    unsigned long x = 88172645463325252UL;
    for (unsigned long touch = 0; touch < touches; touch++) {
        x = next(x);
        area[x % pages * 4096] += 1;
        for (unsigned long i = 0; i < work; i++)
            x = next(x);
    }
    printf("%lu\n", x);
    return 0;
}
