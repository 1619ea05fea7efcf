/* The initial stack of a program.
 *
 *              top ┌──────────────────────────────┐
 *                  │ eight zero bytes             │
 *                  │ the path it was called by    │ ◄── AT_EXECFN
 *                  │ environment strings          │
 *                  │ argument strings             │
 *                  │ (aligned) "x86_64"           │ ◄── AT_PLATFORM
 *                  │ sixteen random bytes         │ ◄── AT_RANDOM
 *                  │ (aligned) auxiliary vector   │
 *                  │ envp[], NULL                 │
 *                  │ argv[], NULL                 │
 *                  │ argc                         │ ◄── rsp, a multiple of 16
 *                  └──────────────────────────────┘
 *
 * The top is 0x7ffffffff000 unless the machine was told another one for a program. A stack grows down by
 * faults, and others keep a distance; one of a fixed number of pages does not, and others may be right beside
 * it: so that a whole address space fits into a picture.
 *
 * It is composed in host memory and written from the lowest address up, so that each page faults once.
 * Source: System V ABI, x86-64 supplement, figure 3.9; Linux 6.1 fs/exec.c and fs/binfmt_elf.c. There is no
 * vDSO: AT_SYSINFO_EHDR is absent. */
#include "kernel/process/stack.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/signal/signal.h"

enum {
    STACK_STRING_MAX = 32 * PAGE_SIZE, /* Linux's MAX_ARG_STRLEN, the NUL included */
    STACK_TOTAL_MIN = 128 << 10,       /* always allowed */
    STACK_TOTAL_MAX = 6 << 20,
    STACK_SPARE = 128 << 10, /* mapped below the contents at first, as Linux does */
    STACK_END_MARK = 8,
    STACK_AUX_ENTRIES = 19,
};

/* CPUID.1:EDX of every x86-64 processor with one thread: FPU … SSE2, and what goes with them. */
#define HWCAP_X86_64 0x078bfbffULL

static const char stack_platform[] = "x86_64";

struct stack_sizes {
    uint64_t strings; /* bytes of argv and envp strings */
    uint64_t arguments, variables;
};

static int stack_add_strings(char *const *strings, uint64_t *ret_count, uint64_t *bytes) {
    for (*ret_count = 0; strings[*ret_count]; ++*ret_count) {
        uint64_t length = strlen(strings[*ret_count]) + 1;
        if (length > STACK_STRING_MAX)
            return -E2BIG;
        *bytes += length;
    }
    return 0;
}

static int stack_measure(const struct stack_strings *s, struct stack_sizes *ret_sizes) {
    ret_sizes->strings = 0;
    int r = stack_add_strings(s->argv, &ret_sizes->arguments, &ret_sizes->strings);
    if (r < 0)
        return r;
    return stack_add_strings(s->envp, &ret_sizes->variables, &ret_sizes->strings);
}

static uint64_t stack_top(const struct stack_strings *s) {
    return s->place.top ? s->place.top : USER_END;
}

/* The strings end at the top; the vectors begin at *ret_pointer. */
static void stack_lay_out(const struct stack_strings *s, const struct stack_sizes *sizes,
                          uint64_t *ret_strings, uint64_t *ret_pointer) {
    uint64_t words = 1 + (sizes->arguments + 1) + (sizes->variables + 1) + 2 * STACK_AUX_ENTRIES;
    *ret_strings = stack_top(s) - s->shift - STACK_END_MARK - (strlen(s->path) + 1) - sizes->strings;
    uint64_t small = (*ret_strings & ~15ULL) - sizeof stack_platform - 16;
    *ret_pointer = (small - words * sizeof(uint64_t)) & ~15ULL;
}

/* Whether a stack of fixed size has room for the contents. */
static bool stack_fits(const struct stack_strings *s, const struct stack_sizes *sizes) {
    uint64_t strings, pointer;
    stack_lay_out(s, sizes, &strings, &pointer);
    return s->place.pages == 0 ||
           stack_top(s) - page_round_down(pointer) <= (uint64_t)s->place.pages * PAGE_SIZE;
}

int stack_check_size(const struct stack_strings *s, uint64_t limit) {
    struct stack_sizes sizes;
    int r = stack_measure(s, &sizes);
    uint64_t allowed = max_u64(min_u64(limit / 4, STACK_TOTAL_MAX), STACK_TOTAL_MIN);
    if (r < 0)
        return r;
    uint64_t bytes =
        sizes.strings + strlen(s->path) + 1 + (sizes.arguments + sizes.variables) * sizeof(uint64_t);
    return bytes > allowed || !stack_fits(s, &sizes) ? -E2BIG : 0;
}

int stack_map(struct space *space, const struct stack_strings *s, bool executable) {
    struct stack_sizes sizes;
    uint64_t strings, pointer, address;
    int r = stack_measure(s, &sizes);
    if (r < 0)
        return r;
    stack_lay_out(s, &sizes, &strings, &pointer);
    const bool fixed = s->place.pages > 0;
    uint64_t start =
        fixed ? stack_top(s) - (uint64_t)s->place.pages * PAGE_SIZE : page_round_down(pointer) - STACK_SPARE;
    struct map_request request = {
        .address = start,
        .length = stack_top(s) - start,
        .protection = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0),
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (fixed ? 0 : MAP_GROWSDOWN),
        .stack = true,
    };
    return space_map(space, &request, &address);
}

/* ---- contents ---- */

/* The image of the stack from `pointer` to its top. */
struct stack_image {
    uint8_t *bytes;
    uint64_t pointer;
};

static void stack_put(struct stack_image *image, uint64_t address, const void *from, size_t length) {
    memcpy(image->bytes + (address - image->pointer), from, length);
}

/* Copies the strings upwards from *address and their addresses to *vector, ended by NULL. */
static void stack_put_strings(struct stack_image *image, char *const *strings, uint64_t *address,
                              uint64_t *vector) {
    uint64_t null = 0;
    for (; *strings; strings++, *vector += sizeof(uint64_t)) {
        size_t length = strlen(*strings) + 1;
        stack_put(image, *vector, address, sizeof *address);
        stack_put(image, *address, *strings, length);
        *address += length;
    }
    stack_put(image, *vector, &null, sizeof null);
    *vector += sizeof null;
}

static void stack_fill_auxv(struct stack_layout *layout, const struct elf_image *elf, uint64_t platform,
                            uint64_t random, uint64_t path) {
    const uint64_t entries[][2] = {
        {AT_HWCAP, HWCAP_X86_64},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, 100},
        {AT_PHDR, elf->headers},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, elf->header_count},
        {AT_BASE, elf->interpreter_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, elf->entry},
        {AT_UID, getuid()},
        {AT_EUID, geteuid()},
        {AT_GID, getgid()},
        {AT_EGID, getegid()},
        {AT_SECURE, 0},
        {AT_RANDOM, random},
        {AT_EXECFN, path},
        {AT_PLATFORM, platform},
        {AT_MINSIGSTKSZ, SIGFRAME_SIZE_MAX},
        {AT_NULL, 0},
    };
    _Static_assert(ARRAY_LENGTH(entries) == STACK_AUX_ENTRIES, "stack_lay_out() makes room for them");
    _Static_assert(sizeof entries <= sizeof layout->auxv, "the process keeps them");
    memcpy(layout->auxv, entries, sizeof entries);
    layout->auxv_count = 2 * STACK_AUX_ENTRIES;
}

static void stack_compose(struct stack_image *image, const struct stack_strings *s,
                          const struct stack_sizes *sizes, const struct elf_image *elf,
                          const uint8_t random[16], uint64_t strings, struct stack_layout *layout) {
    uint64_t platform = (strings & ~15ULL) - sizeof stack_platform, random_at = platform - 16;
    uint64_t at = strings, vector = image->pointer;
    stack_put(image, vector, &sizes->arguments, sizeof sizes->arguments);
    vector += sizeof(uint64_t);
    layout->arg_start = at;
    stack_put_strings(image, s->argv, &at, &vector);
    layout->arg_end = layout->env_start = at;
    stack_put_strings(image, s->envp, &at, &vector);
    layout->env_end = at;
    stack_put(image, at, s->path, strlen(s->path) + 1);
    stack_put(image, platform, stack_platform, sizeof stack_platform);
    stack_put(image, random_at, random, 16);
    stack_fill_auxv(layout, elf, platform, random_at, at);
    stack_put(image, vector, layout->auxv, layout->auxv_count * sizeof(uint64_t));
}

int stack_write(struct space *space, const struct stack_strings *s, const struct elf_image *elf,
                const uint8_t random[16], struct stack_layout *ret_layout) {
    struct stack_sizes sizes;
    uint64_t strings;
    struct stack_image image;
    int r = stack_measure(s, &sizes);
    if (r < 0)
        return r;
    stack_lay_out(s, &sizes, &strings, &image.pointer);
    image.bytes = calloc(1, stack_top(s) - image.pointer);
    if (!image.bytes)
        return -ENOMEM;
    stack_compose(&image, s, &sizes, elf, random, strings, ret_layout);
    ret_layout->pointer = image.pointer;
    r = user_write(space, image.pointer, image.bytes, stack_top(s) - image.pointer);
    free(image.bytes);
    return r < 0 ? -ENOMEM : 0;
}
