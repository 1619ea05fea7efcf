/* A working set of MIB mebibytes (default 64): writes a pattern into every word of every page, then verifies
 * and rewrites pages in random order, then verifies all of them in order. Usage: bigset [MIB [ROUNDS]] */
#include "check.h"
#include <sys/mman.h>

static void page_fill(uint64_t *page, uint64_t number, uint64_t version) {
    for (size_t i = 0; i < 512; i++)
        page[i] = pattern(number * 512 + i, version);
}

static void page_verify(const uint64_t *page, uint64_t number, uint64_t version) {
    for (size_t i = 0; i < 512; i++)
        CHECK(page[i] == pattern(number * 512 + i, version));
}

int main(int argc, char **argv) {
    size_t pages = (argc > 1 ? strtoul(argv[1], NULL, 10) : 64) * 256;
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : pages * 2;
    uint64_t *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *version = calloc(pages, 1);
    CHECK(memory != MAP_FAILED && version);
    for (size_t p = 0; p < pages; p++)
        page_fill(memory + p * 512, p, 0);
    uint64_t state = 1;
    for (size_t i = 0; i < rounds; i++) {
        size_t p = next_random(&state) % pages;
        page_verify(memory + p * 512, p, version[p]);
        if (i % 2)
            page_fill(memory + p * 512, p, ++version[p]);
    }
    uint64_t hash = 0;
    for (size_t p = 0; p < pages; p++) {
        page_verify(memory + p * 512, p, version[p]);
        hash = hash * 31 + memory[p * 512 + p % 512];
    }
    printf("%zu pages, %zu rounds: %016llx\n", pages, rounds, (unsigned long long)hash);
    return 0;
}
