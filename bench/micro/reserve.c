/* Address space that is reserved and not touched: maps GIB GiB without reservation of memory and unmaps them,
 * ROUNDS times; the last time they stay mapped to the end.
 *
 *   reserve GIB ROUNDS */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const size_t length = strtoul(argv[1], NULL, 0) << 30;
    const unsigned long rounds = strtoul(argv[2], NULL, 0);
    for (unsigned long round = 1; round <= rounds; round++) {
        void *start =
            mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (start == MAP_FAILED)
            return 1;
        if (round < rounds)
            munmap(start, length);
    }
    printf("%lu\n", rounds);
    return 0;
}
