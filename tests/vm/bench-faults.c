/* What a fault costs, without an engine: the walk that fails, the handler, the walk that succeeds.
 *
 *     bench-faults [FRAMES ...]
 *
 * For each number of frames (default 1000 and 1000000) it prints, in ns and as the median of rounds:
 *   first    an anonymous page is touched, in a frame that was never used before (with what the host needs)
 *   touch    an anonymous page is touched for the first time, a frame is free
 *   refill   the same, and a clean page must be evicted for it
 *   exit     unmapping, by the page
 *   host     bytes of host memory beside the frames, by the frame */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "hw/mmu.h"
#include "policy/policies.h"
#include "vm/vm.h"

enum { ROUNDS = 5, TOUCHES = 1 << 20 };

struct bench {
    struct vm *vm;
    struct disk *swap;
    struct space *space;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die_if(int error, const char *what) {
    if (error) {
        fprintf(stderr, "%s: %s\n", what, strerror(-error));
        exit(1);
    }
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static void access_page(struct bench *b, struct page_table *table, uint64_t address, unsigned access) {
    pte_t pte;
    while (mmu_walk(table, vpn_of(address), access, &pte) != MMU_OK)
        if (space_fault(b->space, address, access) != FAULT_OK)
            die_if(-12, "fault");
}

static void touch(struct bench *b, uint64_t start, uint64_t pages, unsigned access) {
    struct page_table *table = space_page_table(b->space);
    for (uint64_t i = 0; i < pages; i++)
        access_page(b, table, start + i * PAGE_SIZE, access);
}

static uint64_t map(struct bench *b, uint64_t pages) {
    uint64_t start;
    const struct map_request request = {.length = pages * PAGE_SIZE,
                                        .protection = PROT_READ | PROT_WRITE,
                                        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE};
    die_if(space_map(b->space, &request, &start), "mmap");
    return start;
}

/* First touches and exits, as often as it takes for a measurement worth the name. */
static void measure_touch(struct bench *b, uint64_t pages, double *ret_touch, double *ret_exit) {
    const uint64_t repeats = pages < TOUCHES ? TOUCHES / pages : 1;
    double touching = 0, exiting = 0;
    for (uint64_t i = 0; i < repeats; i++) {
        const uint64_t start = map(b, pages);
        const double t0 = now();
        touch(b, start, pages, ACCESS_WRITE);
        const double t1 = now();
        die_if(space_unmap(b->space, start, pages * PAGE_SIZE), "munmap");
        touching += t1 - t0;
        exiting += now() - t1;
    }
    *ret_touch = touching / (double)(repeats * pages);
    *ret_exit = exiting / (double)(repeats * pages);
}

/* Every touch of a large file evicts a page of it: clean, and filled again by a copy of 4 KiB. */
static int read_page(void *file, uint64_t index, void *page) {
    memcpy(page, (const char *)file + (index & 15) * PAGE_SIZE, PAGE_SIZE);
    return 0;
}
static int write_page(void *file, uint64_t index, const void *page) {
    return 0;
}
static uint64_t file_size(void *file) {
    return 1ULL << 40;
}
static void release(void *file) {}

static double measure_refill(struct bench *b, uint64_t pages) {
    static char content[16 * PAGE_SIZE];
    const struct object_backing backing = {
        .read_page = read_page, .write_page = write_page, .size = file_size, .release = release};
    struct object *object;
    uint64_t start;
    die_if(object_create_file(b->vm, &backing, content, "file", &object), "object");
    const uint64_t length = 2 * pages + TOUCHES;
    const struct map_request request = {
        .length = length * PAGE_SIZE, .protection = PROT_READ, .flags = MAP_SHARED, .object = object};
    die_if(space_map(b->space, &request, &start), "mmap");
    touch(b, start, pages, ACCESS_READ); /* fills memory */
    const double t0 = now();
    touch(b, start + pages * PAGE_SIZE, TOUCHES, ACCESS_READ);
    const double t1 = now();
    die_if(space_unmap(b->space, start, length * PAGE_SIZE), "munmap");
    object_unref(object);
    return (t1 - t0) / TOUCHES;
}

static void measure(uint32_t frames) {
    struct bench b;
    double touches[ROUNDS], exits[ROUNDS], refills[ROUNDS];
    die_if(disk_create(NULL, 0, NULL, &b.swap), "disk");
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    const struct vm_config config = {.frames = frames + frames / 256 + 32,
                                     .reserved = 3,
                                     .format = &page_table_x86_64,
                                     .policy = &policy_clock,
                                     .swap = b.swap};
    die_if(vm_create(&config, &b.vm), "vm");
    die_if(space_create(b.vm, 1, &b.space), "space");
    for (int i = 0; i < ROUNDS; i++)
        measure_touch(&b, frames, &touches[i], &exits[i]);
    const size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    for (int i = 0; i < ROUNDS; i++)
        refills[i] = measure_refill(&b, frames);
    const double first = touches[0];
    printf("%8u frames: first %4.0f ns  touch %4.0f ns  refill %4.0f ns  exit %4.0f ns\n", frames, first,
           median(touches), median(refills), median(exits));
    printf("                 host memory %.1f bytes a frame (48 of them the frame table's)\n",
           48 + (double)heap / frames);
    space_unref(b.space);
    vm_destroy(b.vm);
    disk_destroy(b.swap);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        measure((uint32_t)strtoul(argv[i], NULL, 0));
    if (argc == 1) {
        measure(1000);
        measure(1000000);
    }
    return 0;
}
