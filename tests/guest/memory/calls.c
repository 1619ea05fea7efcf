/* Every memory call with every flag at every boundary: a line for each case. Usage: calls PART, where PART is
 * one of those in main(). What the version of the kernel decides is not asked. */
#include "arena.h"
#include <sys/resource.h>
#include <sys/syscall.h>

enum {
    RW = PROT_READ | PROT_WRITE,
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS,
    SHARED = MAP_SHARED | MAP_ANONYMOUS
};
#define END 0x7ffffffff000ul

static int fd;       /* ten pages, open for both */
static int read_fd;  /* the same, only for reading */
static int write_fd; /* … only for writing */

/* The arena: two mappings that meet, a hole, read-only memory, a shared file, a hole.
 *
 *    0      4      8     12     16     20
 *    rw-p   r--p   hole  rw-s   ---p   hole */
static void arena_build(void) {
    arena_clear();
    CHECK(mmap(ARENA, 4 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == ARENA);
    CHECK(mmap(ARENA_AT(4), 4 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == ARENA_AT(4));
    CHECK(mmap(ARENA_AT(12), 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0) == ARENA_AT(12));
    CHECK(mmap(ARENA_AT(16), 4 * PAGE, PROT_NONE, PRIVATE | MAP_FIXED, -1, 0) == ARENA_AT(16));
    ARENA[0] = ARENA_AT(1)[0] = 'x';
}

/* Ranges: inside, unaligned, empty, over borders and holes, at both ends of the address space, wrapping. */
static const struct {
    unsigned long at, length;
} ranges[] = {
    {0, 4096},
    {0, 16384},
    {4096, 8192},
    {0, 0},
    {1, 4096},
    {4095, 1},
    {0, 1},
    {0, 4097},
    {12288, 8192},
    {0, 32768},
    {0, 49152},
    {28672, 8192},
    {32768, 4096},
    {32768, 16384},
    {32768, 20480},
    {49152, 16384},
    {49152, 32768},
    {61440, 8192},
    {65536, 4096},
    {65536, 20480},
    {81920, 4096},
    {0, 1ul << 46},
    {0, 1ul << 47},
    {0, -1ul},
    {0, -4095ul},
    {0, -4096ul},
    {4096, -4096ul},
    {4096, -4097ul},
    {8192, -8192ul},
    {0, 1ul << 63},
    {0, (1ul << 63) + 4096},
};

/* The same with absolute addresses; where something of the program's own may be, nothing is done. */
static const struct {
    unsigned long at, length;
} far_ranges[] = {
    {0, 4096},
    {0, 0},
    {END, 0},
    {END, 4096},
    {END + 1, 4096},
    {1ul << 47, 4096},
    {1ul << 48, 4096},
    {-4096ul, 4096},
    {-4096ul, 0},
    {-4096ul, 8192},
    {-8192ul, 4096},
    {-1ul, 1},
    {1ul << 63, 1ul << 63},
};

enum { RANGES = sizeof ranges / sizeof *ranges, FAR_RANGES = sizeof far_ranges / sizeof *far_ranges };

static long call_advise(unsigned long at, unsigned long length, long advice) {
    if (length > 1ul << 40 && at + length > at)
        return 0; /* it would not stop at the arena's end */
    return syscall(SYS_madvise, at, length, advice);
}

/* Makes the call for each range; shows what is mapped after those within the arena. */
static void each_range(const char *name, long argument, long (*call)(unsigned long, unsigned long, long)) {
    for (int i = 0; i < RANGES + FAR_RANGES; i++) {
        const bool near = i < RANGES;
        const unsigned long base = near ? (unsigned long)ARENA + ranges[i].at : far_ranges[i - RANGES].at;
        const unsigned long length = near ? ranges[i].length : far_ranges[i - RANGES].length;
        arena_build();
        errno = 0;
        const long result = call(base, length, argument);
        printf("%s(%s%lx, %lx, %lx): %s\n", name, near ? "+" : "", near ? ranges[i].at : base, length,
               argument, result_name(result));
        if (near)
            arena_show(call != call_advise || argument != MADV_FREE); /* what was freed may be gone */
    }
}

/* ---- the calls with a range ---- */

static long call_unmap(unsigned long at, unsigned long length, long argument) {
    (void)argument;
    return syscall(SYS_munmap, at, length);
}

static long call_protect(unsigned long at, unsigned long length, long access) {
    return syscall(SYS_mprotect, at, length, access);
}

static long call_sync(unsigned long at, unsigned long length, long flags) {
    return syscall(SYS_msync, at, length, flags);
}

static long call_lock(unsigned long at, unsigned long length, long kind) {
    return kind == 0   ? syscall(SYS_mlock, at, length)
           : kind == 1 ? syscall(SYS_mlock2, at, length, MLOCK_ONFAULT)
                       : syscall(SYS_munlock, at, length);
}

static void part_unmap(void) {
    each_range("munmap", 0, call_unmap);
}

static void part_protect(void) {
    static const long accesses[] = {
        PROT_NONE, PROT_READ, PROT_WRITE,          PROT_READ | PROT_EXEC, RW | 8,
        16,        0x80,      RW | PROT_GROWSDOWN, RW | PROT_GROWSUP,     RW | PROT_GROWSDOWN | PROT_GROWSUP};
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++)
        each_range("mprotect", accesses[i], call_protect);
}

static void part_advise(void) {
    static const long advices[] = {MADV_NORMAL,
                                   MADV_RANDOM,
                                   MADV_SEQUENTIAL,
                                   MADV_WILLNEED,
                                   MADV_DONTNEED,
                                   MADV_FREE,
                                   MADV_DONTFORK,
                                   MADV_DOFORK,
                                   MADV_WIPEONFORK,
                                   MADV_KEEPONFORK,
                                   MADV_DONTDUMP,
                                   MADV_DODUMP,
                                   MADV_COLD,
                                   MADV_PAGEOUT,
                                   5,
                                   7,
                                   1000,
                                   -1};
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        each_range("madvise", advices[i], call_advise);
}

static void part_sync(void) {
    static const long choices[] = {
        0, MS_SYNC, MS_ASYNC, MS_INVALIDATE, MS_SYNC | MS_INVALIDATE, MS_SYNC | MS_ASYNC, 8};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        each_range("msync", choices[i], call_sync);
}

static void part_lock(void) {
    for (long kind = 0; kind < 3; kind++) {
        each_range("mlock", kind, call_lock);
        munlockall();
    }
    errno = 0;
    printf("mlock2 with an unknown flag: %s\n", result_name(syscall(SYS_mlock2, ARENA, PAGE, 2)));
    for (int flags = 0; flags < 10; flags++) {
        arena_build();
        errno = 0;
        printf("mlockall(%d): %s\n", flags, result_name(mlockall(flags)));
        CHECK(mmap(ARENA_AT(30), PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == ARENA_AT(30));
        CHECK(mmap(ARENA_AT(31), PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == ARENA_AT(31));
        arena_show(true);
        errno = 0;
        printf("msync(MS_INVALIDATE): %s\n", result_name(msync(ARENA_AT(30), PAGE, MS_INVALIDATE)));
        CHECK(munlockall() == 0);
    }
}

/* ---- mincore ---- */

static void part_mincore(void) {
    unsigned char vector[64];
    for (int i = 0; i < RANGES + FAR_RANGES; i++) {
        const bool near = i < RANGES;
        const unsigned long at = near ? (unsigned long)ARENA + ranges[i].at : far_ranges[i - RANGES].at;
        const unsigned long length = near ? ranges[i].length : far_ranges[i - RANGES].length;
        arena_build();
        memset(vector, 9, sizeof vector);
        errno = 0;
        printf("mincore(%d): %s\n", i, result_name(syscall(SYS_mincore, at, length, vector)));
        for (int j = 0; j < 20; j++)
            printf(" %s", vector[j] == 9 ? "." : vector[j] > 1 ? "?" : vector[j] ? "+" : "-");
        puts("");
    }
    errno = 0;
    printf("a vector that is not there: %s\n", result_name(syscall(SYS_mincore, ARENA, PAGE, 16)));
    errno = 0;
    printf("a vector beyond all: %s\n", result_name(syscall(SYS_mincore, ARENA, PAGE, -16ul)));
}

/* ---- mmap ---- */

static void show_map(const char *what, unsigned long at, unsigned long length, long access, long flags,
                     int file, unsigned long offset) {
    arena_build();
    errno = 0;
    const long result = syscall(SYS_mmap, at, length, access, flags, file, offset);
    printf("mmap %s at %lx, %lx, access %lx, flags %lx, offset %lx: %s\n", what,
           at - (at < (unsigned long)ARENA || at > END ? 0 : (unsigned long)ARENA), length, access, flags,
           offset, result_name(result));
    if (result != -1 && (result < (long)ARENA || result > (long)ARENA_AT(ARENA_PAGES)))
        CHECK(munmap((void *)result, length) == 0);
    else
        arena_show(true);
}

static void map_files(void) {
    const struct {
        const char *name;
        int fd;
    } files[] = {{"read-write", fd},
                 {"read-only", read_fd},
                 {"write-only", write_fd},
                 {"no descriptor", -1},
                 {"closed", 500},
                 {"pipe", arena_pipe[0]},
                 {"folder", open(".", O_RDONLY)},
                 {"path", open(".", O_PATH)}};
    const long types[] = {0, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, 4, 15};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (size_t j = 0; j < sizeof types / sizeof *types; j++)
            for (long access = 0; access < 4; access++)
                show_map(files[i].name, (unsigned long)ARENA_AT(2), 2 * PAGE, access, types[j] | MAP_FIXED,
                         files[i].fd, 4096);
    close(files[6].fd);
    close(files[7].fd);
}

static void part_map(void) {
    static const unsigned long lengths[] = {0, 1, 4096, 4097, 12288, 1ul << 47, END, -1ul, -4096ul, -4095ul};
    static const unsigned long places[] = {0, 1, 4096, END + 8192, END, END + 4096, -4096ul, 1ul << 47};
    static const long flags[] = {0, MAP_FIXED, MAP_FIXED | MAP_NORESERVE};
    const unsigned long at = (unsigned long)ARENA_AT(9);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 0; j < 3; j++)
            if (lengths[i] != END || flags[j] == 0)
                show_map("anonymous", at, lengths[i], RW, PRIVATE | flags[j], -1, 0);
    for (size_t i = 3; i < sizeof places / sizeof *places; i++)
        for (unsigned long length = 0; length < 3 * PAGE; length += PAGE)
            show_map("place", places[i], length, RW, PRIVATE | MAP_FIXED, -1, 0);
    for (unsigned long hint = 0; hint < 22; hint++) /* a hint that is taken or in use; the page it lies in */
        if (hint >= 8 && hint < 12)
            show_map("hint", (unsigned long)ARENA_AT(hint) + hint * 100, PAGE, RW, PRIVATE, -1, 0);
    show_map("unaligned", at + 5, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    show_map("no replacement, free", at, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
    show_map("no replacement, taken", at, 4 * PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
    show_map("no replacement, fixed, taken", at, 4 * PAGE, RW, PRIVATE | MAP_FIXED | MAP_FIXED_NOREPLACE, -1,
             0);
    show_map("validated, no replacement", at, PAGE, RW, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, fd, 0);
    show_map("validated, synchronous", at, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC | MAP_FIXED, fd, 0);
    show_map("validated, anonymous", at, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (int bit = 5; bit < 27; bit++) /* every flag by itself */
        if (1 << bit != MAP_32BIT && 1 << bit != MAP_HUGETLB && 1 << bit != MAP_SYNC && bit != 7)
            for (int type = MAP_SHARED; type <= MAP_PRIVATE; type++) {
                show_map("flag", at, PAGE, RW, (1 << bit) | type | MAP_ANONYMOUS | MAP_FIXED, -1, 4096);
                show_map("flag of file", at, PAGE, RW, (1 << bit) | type | MAP_FIXED, fd, 4096);
            }
    static const unsigned long offsets[] = {1,         4095,      4096,    36864,  40960,
                                            1ul << 40, 1ul << 62, -4096ul, -8192ul};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        if (offsets[i] != 1ul << 40)
            show_map("offset of file", at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, offsets[i]);
        show_map("offset of nothing", at, PAGE, RW, PRIVATE | MAP_FIXED, -1, offsets[i]);
    }
    const long low = (long)mmap(NULL, PAGE, RW, PRIVATE | MAP_32BIT, -1, 0);
    printf("MAP_32BIT: %d\n", low >= 0x40000000 && low < 0x80000000);
    CHECK(munmap((void *)low, PAGE) == 0);
    map_files();
}

/* ---- mremap ---- */

static void show_remap(unsigned long at, unsigned long old, unsigned long new, int flags, unsigned long to) {
    arena_build();
    errno = 0;
    const long result =
        syscall(SYS_mremap, (unsigned long)ARENA + at, old, new, flags, (unsigned long)ARENA + to);
    printf("mremap(+%lx, %lx, %lx, %d, +%lx): %s\n", at, old, new, flags, to, result_name(result));
    if (result != -1 && (result < (long)ARENA || result > (long)ARENA_AT(ARENA_PAGES)))
        CHECK(munmap((void *)result, new) == 0);
    arena_show(true);
}

static void part_remap(void) {
    static const unsigned long starts[] = {0, 1, 4096, 16384, 32768, 49152, 65536};
    static const unsigned long lengths[] = {0, 1, 4096, 8192, 16384, 20480, 1ul << 47, -1ul, -4096ul};
    static const unsigned long targets[] = {32768, 90112, 90113, 4096};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        for (size_t old = 0; old < LENGTHS; old++)
            for (size_t new = 0; new < LENGTHS; new ++) {
                if (old < 6 || new < 4)
                    show_remap(starts[i], lengths[old], lengths[new], 0, 0);
                if (old >= 5 || new >= 6)
                    continue; /* over several mappings: the kernel's version decides */
                show_remap(starts[i], lengths[old], lengths[new], MREMAP_MAYMOVE, 0);
                for (size_t to = 0; to < 4; to++)
                    show_remap(starts[i], lengths[old], lengths[new], MREMAP_MAYMOVE | MREMAP_FIXED,
                               targets[to]);
            }
    for (int flags = 0; flags < 17; flags++)
        if (!(flags & MREMAP_DONTUNMAP))
            show_remap(0, 8192, 8192, flags, 90112);
    show_remap(0, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, END - (unsigned long)ARENA);
    show_remap(0, 4096, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, END - 4096 - (unsigned long)ARENA);
}

/* ---- remap_file_pages ---- */

static void part_file_pages(void) {
    static const unsigned long lengths[] = {0, 4095, 4096, 8192, 16384, 20480, 1ul << 47, -4096ul};
    static const unsigned long starts[] = {0, 32768, 49152, 49153, 53248, 65536};
    static const unsigned long offsets[] = {0, 2, 8, 20, 1ul << 51, 1ul << 52, -1ul};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
            for (size_t k = 0; k < sizeof offsets / sizeof *offsets; k++) {
                arena_build();
                errno = 0;
                printf("remap_file_pages(+%lx, %lx, %lx): ", starts[i], lengths[j], offsets[k]);
                puts(result_name(syscall(SYS_remap_file_pages, (unsigned long)ARENA + starts[i], lengths[j],
                                         0, offsets[k], 0)));
                arena_show(true);
            }
    errno = 0;
    printf("with permissions: %s\n", result_name(syscall(SYS_remap_file_pages, ARENA_AT(12), 4096, 1, 0, 0)));
}

/* ---- brk ---- */

static void part_brk(void) {
    const unsigned long start = (unsigned long)syscall(SYS_brk, 0), base = (start + 4095) & ~4095ul;
    static const long steps[] = {0, 1, 4096, 4097, 40960, 4096, -1, 0, 1l << 46, 1l << 47, -(1l << 47), 8192};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const unsigned long result = (unsigned long)syscall(SYS_brk, base + (unsigned long)steps[i]);
        printf("brk(%+ld): %+ld\n", steps[i], (long)(result - base));
    }
    CHECK((unsigned long)syscall(SYS_brk, base + 8 * PAGE) == base + 8 * PAGE);
    ((char *)base)[7 * PAGE] = 1;
    /* something in the way: a page is left free before it */
    CHECK(mmap((char *)base + 12 * PAGE, PAGE, PROT_NONE, PRIVATE | MAP_FIXED, -1, 0) != MAP_FAILED);
    for (unsigned long pages = 9; pages < 15; pages++)
        printf("brk %lu pages on: %d\n", pages,
               (unsigned long)syscall(SYS_brk, base + pages * PAGE) == base + pages * PAGE);
    /* a heap with a hole, given up */
    CHECK(munmap((char *)base + 4 * PAGE, 2 * PAGE) == 0);
    CHECK(munmap((char *)base + 12 * PAGE, PAGE) == 0);
    for (long pages = 11; pages >= 0; pages--)
        printf("brk back to %ld: %d\n", pages,
               (unsigned long)syscall(SYS_brk, base + (unsigned long)pages * PAGE) ==
                   base + (unsigned long)pages * PAGE);
    printf("zeros again: %d\n", (unsigned long)syscall(SYS_brk, base + 8 * PAGE) == base + 8 * PAGE &&
                                    ((char *)base)[7 * PAGE] == 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"unmap", part_unmap}, {"protect", part_protect}, {"advise", part_advise},
                 {"sync", part_sync},   {"lock", part_lock},       {"mincore", part_mincore},
                 {"map", part_map},     {"remap", part_remap},     {"file-pages", part_file_pages},
                 {"brk", part_brk}};
    CHECK(argc == 2);
    arena_init();
    fd = arena_create_file("A", 10, 'A');
    read_fd = open("A", O_RDONLY);
    write_fd = open("A", O_WRONLY);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            parts[i].run();
    arena_clear();
    unlink("A");
    return 0;
}
