/* What the guest programs about memory calls share: an arena at a fixed place, nobody else's, and printing
 * what is mapped there and what its pages hold, relative to its start.
 *
 *   a mapping is printed as   first-end permissions file+page contents
 *   a page's content as       the letter that was written last, 0 for zeros, . for what cannot be read,
 *                             ? for a page that is not one write's
 *
 * Which mappings become one depends on the version of the kernel. So those that go on where another ends are
 * printed as one, unless the environment has ARENA_EXACT. */
#ifndef GUEST_ARENA_H
#define GUEST_ARENA_H

#include "../c/check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ARENA       ((char *)0x100000000000)
#define ARENA_AT(n) (ARENA + (long)(n)*4096)
enum { ARENA_PAGES = 64 };

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static int arena_pipe[2];

/* ---- names ---- */

static const char *error_name(int error) {
    static char other[16];
    switch (error) {
    case 0: return "ok";
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case EINTR: return "EINTR";
    case EIO: return "EIO";
    case EBADF: return "EBADF";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EACCES: return "EACCES";
    case EFAULT: return "EFAULT";
    case EBUSY: return "EBUSY";
    case EEXIST: return "EEXIST";
    case ENODEV: return "ENODEV";
    case EINVAL: return "EINVAL";
    case EFBIG: return "EFBIG";
    case ENOSPC: return "ENOSPC";
    case ENOSYS: return "ENOSYS";
    case EOVERFLOW: return "EOVERFLOW";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    default: snprintf(other, sizeof other, "errno %d", error); return other;
    }
}

/* A result: an address of the arena as its page, a small number as such, an error by its name. */
static const char *result_name(long result) {
    static char text[32];
    const long page = (result - (long)ARENA) >> 12;
    if (result == -1)
        return error_name(errno);
    if (page >= -4096 && page < 4096)
        snprintf(text, sizeof text, "page %ld", page);
    else if (result >= 0 && result < 1000000)
        snprintf(text, sizeof text, "%ld", result);
    else
        return "elsewhere";
    return text;
}

/* ---- what is there ---- */

/* One byte through a pipe: what cannot be read is EFAULT, not a signal. */
static bool arena_peek(const char *at, char *ret_byte) {
    return write(arena_pipe[1], at, 1) == 1 && read(arena_pipe[0], ret_byte, 1) == 1;
}

static char arena_content(const char *page) {
    char first, last;
    if (!arena_peek(page, &first) || !arena_peek(page + 4095, &last))
        return '.';
    if (first != last)
        return '?';
    return first ? first : '0';
}

/* Only the letter's part of a name: "/tmp/x/A.dat" is A, shared anonymous memory is Z. */
static const char *arena_file(const char *path) {
    const char *slash = strrchr(path, '/');
    if (strncmp(path, "/dev/zero", 9) == 0)
        return "Z";
    return slash ? slash + 1 : path;
}

struct arena_line {
    long first, last, page; /* in pages; of the file */
    char access[8], path[512];
};

static bool arena_exact(void) {
    return getenv("ARENA_EXACT") != NULL;
}

static bool arena_parse_line(const char *line, struct arena_line *ret) {
    unsigned long start, end, offset, inode;
    ret->path[0] = 0;
    if (sscanf(line, "%lx-%lx %7s %lx %*x:%*x %lu %511[^\n]", &start, &end, ret->access, &offset, &inode,
               ret->path) < 5)
        return false;
    ret->first = ((long)start - (long)ARENA) >> 12;
    ret->last = ((long)end - (long)ARENA) >> 12;
    ret->page = (long)offset >> 12;
    return ret->last > -1024 && ret->first < ARENA_PAGES + 1024;
}

static void arena_print_line(const struct arena_line *line, bool contents) {
    if (line->last == line->first)
        return;
    printf("   %ld-%ld %s", line->first, line->last, line->access);
    if (line->path[0])
        printf(" %.8s+%ld", arena_file(line->path), line->page);
    printf(" ");
    for (long page = line->first; contents && page < line->last && page < line->first + 80; page++)
        putchar(arena_content(ARENA_AT(page)));
    putchar('\n');
}

/* Whether one mapping may go on as the other. */
static bool arena_lines_join(const struct arena_line *low, const struct arena_line *high) {
    return !arena_exact() && low->last == high->first && strcmp(low->access, high->access) == 0 &&
           strcmp(low->path, high->path) == 0 &&
           (!low->path[0] || low->page + low->last - low->first == high->page);
}

static void arena_show(bool contents) {
    static char text[1 << 16];
    struct arena_line last = {0}, next;
    size_t length = 0;
    ssize_t n;
    const int fd = open("/proc/self/maps", O_RDONLY);
    CHECK(fd >= 0);
    while ((n = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)n;
    close(fd);
    text[length] = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (!arena_parse_line(line, &next))
            continue;
        if (arena_lines_join(&last, &next)) {
            last.last = next.last;
        } else {
            arena_print_line(&last, contents);
            last = next;
        }
    }
    arena_print_line(&last, contents);
}

/* ---- touching ---- */

static sigjmp_buf arena_jump;
static volatile int arena_code;
static char *volatile arena_address;

static void arena_on_fault(int signal, siginfo_t *info, void *context) {
    (void)context;
    arena_code = signal * 100 + info->si_code;
    arena_address = info->si_addr;
    siglongjmp(arena_jump, 1);
}

static const char *fault_name(int code) {
    static char other[24];
    switch (code) {
    case 0: return "ok";
    case SIGSEGV * 100 + SEGV_MAPERR: return "SEGV_MAPERR";
    case SIGSEGV * 100 + SEGV_ACCERR: return "SEGV_ACCERR";
    case SIGBUS * 100 + BUS_ADRERR: return "BUS_ADRERR";
    default: snprintf(other, sizeof other, "fault %d", code); return other;
    }
}

/* Reads a page, or fills its ends with the letter. "ok", or the signal and whether si_addr was right. */
static inline const char *arena_touch(char *at, char letter) {
    arena_code = 0;
    if (sigsetjmp(arena_jump, 1) == 0) {
        if (letter)
            ((volatile char *)at)[0] = ((volatile char *)at)[4095] = letter;
        else
            (void)*(volatile char *)at;
        return "ok";
    }
    if (arena_address < at || arena_address >= at + 4096)
        return "wrong si_addr";
    return fault_name(arena_code);
}

static void arena_init(void) {
    struct sigaction action = {.sa_sigaction = arena_on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static char stack[65536];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    CHECK(sigaltstack(&alternate, NULL) == 0);
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
    CHECK(pipe(arena_pipe) == 0);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

/* Empties the arena. */
static void arena_clear(void) {
    CHECK(munmap(ARENA_AT(-1024), (ARENA_PAGES + 2048) * PAGE) == 0);
}

/* A file of so many pages, page n filled with letters from `first` on; open for both. */
static int arena_create_file(const char *name, int pages, char first) {
    const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char page[4096];
    CHECK(fd >= 0);
    for (int i = 0; i < pages; i++) {
        memset(page, first + i % 26, sizeof page);
        CHECK(write(fd, page, sizeof page) == (ssize_t)sizeof page);
    }
    return fd;
}

#endif
