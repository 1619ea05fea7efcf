/* Random memory calls over an arena: after each the result, the mappings and the contents of their pages are
 * printed. Usage: random SEED STEPS [KINDS], where KINDS is a set of letters that leaves the other steps out.
 *
 * What depends on the version of the kernel is left out unless the environment has ARENA_EXACT; so is,
 * always, moving a range over several mappings. */
#include "arena.h"

enum { FILE_PAGES = 12 };

static uint64_t state;
static int files[3]; /* A: read-write, B: read-write, C: read only */
static int memory;   /* a memfd */
static char letter = 'a';

static long draw(long below) {
    return (long)((next_random(&state) >> 16) % (uint64_t)below);
}

static bool chance(int percent) {
    return draw(100) < percent;
}

struct range {
    char *at;
    size_t length;
    long first, pages;
};

/* Mostly small and aligned. */
static struct range draw_range(void) {
    struct range r = {.first = draw(ARENA_PAGES - 8), .pages = 1 + draw(chance(80) ? 8 : 24)};
    if (r.first + r.pages > ARENA_PAGES)
        r.pages = ARENA_PAGES - r.first;
    r.at = ARENA_AT(r.first);
    r.length = (size_t)r.pages * PAGE;
    if (chance(4))
        r.at += 1 + draw(4095);
    if (chance(8))
        r.length -= (size_t)draw(4096);
    if (chance(1))
        r.length = 0;
    return r;
}

static int draw_access(void) {
    static const int choices[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_EXEC, PROT_WRITE};
    return chance(70) ? PROT_READ | PROT_WRITE : choices[draw(4)];
}

static void print_call(const char *name, struct range r, long a, long b) {
    printf("%s %ld+%ld/%ld %lx %lx: ", name, r.first, r.pages, (long)r.length - r.pages * 4096, a, b);
}

/* ---- steps ---- */

static void step_map(void) {
    struct range r = draw_range();
    const int access = draw_access();
    int flags = chance(60) ? MAP_PRIVATE : MAP_SHARED, fd = -1;
    long offset = 0;
    flags |= chance(85) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    flags |= chance(8) ? MAP_NORESERVE : 0;
    flags |= chance(6) ? MAP_POPULATE : 0;
    flags |= chance(5) ? MAP_LOCKED : 0;
    flags |= chance(5) ? MAP_STACK : 0;
    if (chance(55)) {
        flags |= MAP_ANONYMOUS;
        flags |= chance(6) && flags & MAP_PRIVATE ? MAP_GROWSDOWN : 0;
    } else {
        const int which = (int)draw(4);
        fd = which == 3 ? memory : files[which];
        offset = draw(FILE_PAGES) * 4096;
        if (chance(3))
            offset += 8;
    }
    print_call("mmap", r, access, flags);
    printf("%ld ", offset >> 12);
    puts(result_name((long)mmap(r.at, r.length, access, flags, fd, offset)));
}

static void step_unmap(void) {
    struct range r = draw_range();
    print_call("munmap", r, 0, 0);
    puts(result_name(munmap(r.at, r.length)));
}

static void step_protect(void) {
    struct range r = draw_range();
    int access = draw_access();
    if (chance(5))
        access |= PROT_GROWSDOWN;
    print_call("mprotect", r, access, 0);
    puts(result_name(mprotect(r.at, r.length, access)));
}

/* Whether the range lies in one mapping, or none: what mremap does with several depends on the kernel. */
static bool range_is_plain(struct range r) {
    char line[512];
    bool plain = true;
    FILE *maps = fopen("/proc/self/maps", "r");
    const unsigned long start = (unsigned long)r.at & ~4095UL, end = start + ((r.length + 4095) & ~4095UL);
    CHECK(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from < end && to > start)
            plain &= from <= start && to >= end;
    }
    fclose(maps);
    return plain;
}

/* A new mapping by itself, so that no other can have become one with it. */
static void range_renew(struct range r) {
    const int type = chance(50) ? MAP_PRIVATE : MAP_SHARED;
    CHECK(munmap(ARENA_AT(r.first - 1), (size_t)(r.pages + 2) * PAGE) == 0);
    CHECK(mmap(ARENA_AT(r.first), (size_t)r.pages * PAGE, PROT_READ | PROT_WRITE,
               type | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
    (void)arena_touch(ARENA_AT(r.first), letter);
}

static void step_remap(void) {
    struct range r = draw_range();
    const long to = draw(ARENA_PAGES - 8), pages = 1 + draw(12);
    static const int choices[] = {0, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED,
                                  MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, MREMAP_FIXED};
    const int flags = choices[draw(5)] & (arena_exact() ? 7 : 3);
    size_t length = flags & MREMAP_DONTUNMAP && chance(90) ? r.length : (size_t)pages * PAGE;
    if (chance(4))
        r.length = 0;
    if (!arena_exact())
        range_renew(r);
    if (!range_is_plain(r) || to + pages > ARENA_PAGES)
        return;
    print_call("mremap", r, (long)length, flags);
    printf("-> %ld ", to);
    puts(result_name((long)mremap(r.at, r.length, length, flags, ARENA_AT(to))));
}

static void step_advise(void) {
    static const int choices[] = {MADV_NORMAL,
                                  MADV_RANDOM,
                                  MADV_SEQUENTIAL,
                                  MADV_WILLNEED,
                                  MADV_DONTNEED,
                                  MADV_DONTNEED,
                                  MADV_DONTNEED,
                                  MADV_REMOVE,
                                  MADV_DONTFORK,
                                  MADV_DOFORK,
                                  MADV_WIPEONFORK,
                                  MADV_KEEPONFORK,
                                  MADV_DONTDUMP,
                                  MADV_DODUMP,
                                  MADV_COLD,
                                  MADV_PAGEOUT,
                                  22 /* MADV_POPULATE_READ */,
                                  23 /* MADV_POPULATE_WRITE */};
    struct range r = draw_range();
    const int advice = choices[draw((long)(sizeof choices / sizeof *choices) - (arena_exact() ? 0 : 2))];
    print_call("madvise", r, advice, 0);
    puts(result_name(madvise(r.at, r.length, advice)));
}

static void step_sync(void) {
    struct range r = draw_range();
    const int flags = (int)draw(9);
    print_call("msync", r, flags, 0);
    puts(result_name(msync(r.at, r.length, flags)));
}

static void step_lock(void) {
    struct range r = draw_range();
    const int kind = (int)draw(6);
    print_call("mlock", r, kind, 0);
    switch (kind) {
    case 0: puts(result_name(mlock(r.at, r.length))); break;
    case 1: puts(result_name(mlock2(r.at, r.length, MLOCK_ONFAULT))); break;
    case 2: puts(result_name(munlockall())); break;
    default: puts(result_name(munlock(r.at, r.length))); break;
    }
}

static void step_touch(void) {
    struct range r = draw_range();
    const bool write = chance(75);
    print_call("touch", r, write, 0);
    for (long page = r.first; page < r.first + r.pages; page++)
        printf("%s ", arena_touch(ARENA_AT(page), write ? letter : 0));
    puts("");
    letter = letter == 'z' ? 'a' : (char)(letter + 1);
}

static void step_file(void) {
    const int fd = chance(50) ? files[draw(3)] : memory;
    const long page = draw(FILE_PAGES + 3);
    const int kind = (int)draw(3);
    char bytes[4096];
    printf("file %d %ld ", kind, page);
    memset(bytes, letter, sizeof bytes);
    letter = letter == 'z' ? 'a' : (char)(letter + 1);
    switch (kind) {
    case 0: puts(result_name(ftruncate(fd, page * 4096))); break;
    case 1: puts(result_name(pwrite(fd, bytes, sizeof bytes, page * 4096))); break;
    default:
        puts(result_name(pread(fd, bytes, sizeof bytes, page * 4096)));
        printf("   %c %c\n", bytes[0] ? bytes[0] : '0', bytes[4095] ? bytes[4095] : '0');
    }
}

static void step(const char *kinds);

/* The child goes on for a while; what it does to shared memory stays. */
static void step_fork(void) {
    static int depth;
    fflush(stdout);
    if (depth == 2)
        return;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        depth++;
        puts("child");
        arena_show(true);
        for (long i = 2 + draw(6); i > 0; i--)
            step(NULL);
        puts("end");
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < 5; i++)
        (void)draw(2);
    puts("parent");
}

static const struct {
    char name;
    int weight;
    void (*run)(void);
} steps[] = {
    {'m', 22, step_map},    {'u', 8, step_unmap}, {'p', 12, step_protect}, {'r', 12, step_remap},
    {'a', 12, step_advise}, {'s', 3, step_sync},  {'l', 4, step_lock},     {'t', 18, step_touch},
    {'f', 6, step_file},    {'k', 3, step_fork},
};

static void step(const char *kinds) {
    static const char *allowed;
    allowed = kinds ? kinds : allowed;
    for (;;) {
        long at = draw(100);
        size_t i = 0;
        while (at >= steps[i].weight)
            at -= steps[i++].weight;
        if (!strchr(allowed, steps[i].name))
            continue;
        steps[i].run();
        arena_show(true);
        return;
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 2);
    state = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15u + 1;
    const long count = strtol(argv[2], NULL, 0);
    arena_init();
    files[0] = arena_create_file("A", FILE_PAGES, 'A');
    files[1] = arena_create_file("B", FILE_PAGES, 'H');
    close(arena_create_file("C", FILE_PAGES, 'O'));
    files[2] = open("C", O_RDONLY);
    memory = memfd_create("M", 0);
    CHECK(files[2] >= 0 && memory >= 0 && ftruncate(memory, FILE_PAGES * 4096) == 0);
    for (long i = 0; i < count; i++)
        step(argc > 3 ? argv[3] : "mupraslftk");
    arena_clear();
    unlink("A");
    unlink("B");
    unlink("C");
    return 0;
}
