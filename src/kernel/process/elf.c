/* The ELF loader: reads headers, maps segments. It loads nothing: pages come by faults, but for the one that
 * a segment's zeroed tail (bss) shares with file contents. Stack, registers and the rest of exec are
 * exec.c's.
 *
 *   ET_EXEC   where its headers say        ET_DYN   at 0x555555554000        interpreter   where mmap puts it
 *
 *   one segment:   file contents ─────────┐ zeroed tail   anonymous pages, which can be written
 *                  ├────────┼────────┼────┴───┼────────┼────────┤
 *                  vaddr           vaddr+filesz             vaddr+memsz
 *
 * What Linux looks at before it gives up the old program is looked at by elf_open(), and is an error of
 * execve; what it meets while it maps, by elf_map(), and is the end of the process. So a segment may claim
 * more than the file has, which is met as a SIGBUS later, or lie over an earlier one or over the stack, and
 * replaces it.
 *
 * Source: System V ABI, x86-64 supplement; Linux 6.18 fs/binfmt_elf.c. */
#include "kernel/process/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/base.h"

#define ELF_PIE_BASE 0x555555554000ULL
enum { ELF_HEADERS_MAX = 65536 };

/* One ELF file: the program's or the interpreter's. */
struct elf_file {
    struct file *file;
    struct object *object;
    Elf64_Ehdr header;
    Elf64_Phdr *segments; /* header.e_phnum */
};

struct elf_program {
    struct elf_file main, interpreter;
    bool has_interpreter;
};

/* ---- reading ---- */

/* Linux looks neither at the class nor at the version. */
static bool elf_is_for_us(const Elf64_Ehdr *h) {
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_machine == EM_X86_64;
}

static bool elf_type_is_good(const Elf64_Ehdr *h) {
    return h->e_type == ET_EXEC || h->e_type == ET_DYN;
}

static int elf_read(struct file *file, void *to, size_t length, uint64_t offset) {
    ssize_t n = file_read_at(file, to, length, offset);
    if (n < 0)
        return (int)n;
    return (size_t)n == length ? 0 : -ENOEXEC;
}

/* The program headers; -ENOEXEC whatever is wrong with them. */
static int elf_read_segments(struct elf_file *e, struct inject *inject) {
    size_t length = e->header.e_phnum * sizeof(Elf64_Phdr);
    if (e->header.e_phentsize != sizeof(Elf64_Phdr) || length == 0 || length > ELF_HEADERS_MAX)
        return -ENOEXEC;
    e->segments = inject_malloc(inject, length);
    if (!e->segments)
        return -ENOMEM;
    return elf_read(e->file, e->segments, length, e->header.e_phoff) < 0 ? -ENOEXEC : 0;
}

static int elf_get_object(struct elf_file *e) {
    return e->file->ops->object ? e->file->ops->object(e->file, &e->object) : -ENOEXEC;
}

/* A file that ends before its header does counts as filled up with zeros. */
static int elf_read_program(struct elf_file *e, struct inject *inject) {
    ssize_t n = file_read_at(e->file, &e->header, sizeof e->header, 0);
    if (n < 0)
        return (int)n;
    if (!elf_is_for_us(&e->header) || !elf_type_is_good(&e->header))
        return -ENOEXEC;
    int r = elf_get_object(e);
    return r < 0 ? r : elf_read_segments(e, inject);
}

/* Its type is looked at when it is mapped. */
static int elf_read_interpreter(struct elf_file *e, struct inject *inject) {
    int r = elf_read(e->file, &e->header, sizeof e->header, 0);
    if (r < 0)
        return r == -ENOEXEC ? -EIO : r;
    if (!elf_is_for_us(&e->header))
        return -ELIBBAD;
    r = elf_read_segments(e, inject);
    if (r == 0)
        r = elf_get_object(e);
    return r == -ENOEXEC ? -ELIBBAD : r;
}

static void elf_drop(struct elf_file *e) {
    if (e->object)
        object_unref(e->object);
    if (e->file)
        file_unref(e->file);
    free(e->segments);
}

static const Elf64_Phdr *elf_find(const struct elf_file *e, uint32_t type) {
    for (unsigned i = 0; i < e->header.e_phnum; i++)
        if (e->segments[i].p_type == type)
            return &e->segments[i];
    return NULL;
}

/* The path in PT_INTERP. */
static int elf_read_interpreter_path(const struct elf_file *e, const Elf64_Phdr *s, char path[PATH_MAX]) {
    if (s->p_filesz < 2 || s->p_filesz > PATH_MAX)
        return -ENOEXEC;
    int r = elf_read(e->file, path, s->p_filesz, s->p_offset);
    if (r < 0)
        return r == -ENOEXEC ? -EIO : r;
    return path[s->p_filesz - 1] == '\0' ? 0 : -ENOEXEC;
}

static int elf_open_interpreter(struct thread *t, struct elf_program *program) {
    struct elf_file *e = &program->interpreter;
    const Elf64_Phdr *s = elf_find(&program->main, PT_INTERP);
    char path[PATH_MAX];
    if (!s)
        return 0;
    int r = elf_read_interpreter_path(&program->main, s, path);
    if (r == 0) /* Linux opens the folder that no name names */
        r = *path ? file_open(t, AT_FDCWD, path, O_RDONLY, 0, &e->file) : -EACCES;
    if (r == 0)
        r = file_may_execute(e->file);
    if (r < 0)
        return r;
    program->has_interpreter = true;
    return elf_read_interpreter(e, t->process->kernel->config.inject);
}

int elf_open(struct thread *t, struct file *file, struct elf_program **ret_program) {
    struct inject *inject = t->process->kernel->config.inject;
    struct elf_program *program = inject_calloc(inject, 1, sizeof *program);
    if (!program)
        return -ENOMEM;
    program->main.file = file_ref(file);
    int r = elf_read_program(&program->main, inject);
    if (r == 0)
        r = elf_open_interpreter(t, program);
    if (r < 0) {
        elf_close(program);
        return r;
    }
    *ret_program = program;
    return 0;
}

void elf_close(struct elf_program *program) {
    elf_drop(&program->main);
    elf_drop(&program->interpreter);
    free(program);
}

/* The last such header counts. */
bool elf_wants_executable_stack(const struct elf_program *program) {
    bool wants = false;
    for (unsigned i = 0; i < program->main.header.e_phnum; i++)
        if (program->main.segments[i].p_type == PT_GNU_STACK)
            wants = program->main.segments[i].p_flags & PF_X;
    return wants;
}

/* ---- mapping ---- */

static int elf_protection(const Elf64_Phdr *s) {
    return (s->p_flags & PF_R ? PROT_READ : 0) | (s->p_flags & PF_W ? PROT_WRITE : 0) |
           (s->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Rounds up to pages; -1 rounds to 0, as in Linux. */
static uint64_t elf_pages(uint64_t bytes) {
    return (bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t elf_page_offset(uint64_t address) {
    return address & (PAGE_SIZE - 1);
}

/* File pages; `place`: MAP_FIXED, MAP_FIXED_NOREPLACE, or 0 for wherever there is room. */
static int elf_map_contents(const struct elf_file *e, struct space *space, const Elf64_Phdr *s,
                            uint64_t address, int place) {
    uint64_t length = elf_pages(s->p_filesz + elf_page_offset(s->p_vaddr)), mapped;
    uint64_t offset = s->p_offset - elf_page_offset(s->p_vaddr);
    if (length == 0)
        return 0;
    if (offset % PAGE_SIZE)
        return -EINVAL;
    if (offset > INT64_MAX || length > INT64_MAX - offset)
        return -EOVERFLOW;
    struct map_request request = {.address = page_round_down(address),
                                  .length = length,
                                  .protection = elf_protection(s),
                                  .flags = MAP_PRIVATE | place,
                                  .object = e->object,
                                  .offset = offset,
                                  .may_write = true};
    return space_map(space, &request, &mapped);
}

/* The pages behind the file's: they can be written whatever the segment's protection is. */
static int elf_map_zeros(struct space *space, const Elf64_Phdr *s, uint64_t start, uint64_t end) {
    uint64_t address;
    start = elf_pages(start);
    end = elf_pages(end);
    if (end == start)
        return 0;
    struct map_request request = {.address = start,
                                  .length = end - start,
                                  .protection = PROT_READ | PROT_WRITE | (s->p_flags & PF_X ? PROT_EXEC : 0),
                                  .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
    if (end < start || end > USER_END)
        return -ENOMEM;
    return space_map(space, &request, &address);
}

static int elf_map_segment(const struct elf_file *e, struct space *space, const Elf64_Phdr *s, uint64_t bias,
                           int place) {
    uint64_t start = bias + s->p_vaddr, tail = start + s->p_filesz, end = start + s->p_memsz;
    int r = 0;
    if (s->p_filesz)
        r = elf_map_contents(e, space, s, start, place);
    else
        tail = page_round_down(start);
    if (r < 0)
        return r;
    if (s->p_memsz <= s->p_filesz)
        return 0;
    uint64_t rest = elf_pages(tail) - tail;
    if (s->p_filesz && rest && s->p_flags & PF_W && user_zero(space, tail, rest) < 0)
        return -EFAULT;
    return elf_map_zeros(space, s, tail, end);
}

/* Linux looks at a segment's size when it has mapped it. */
static bool elf_segment_fits(const Elf64_Phdr *s, uint64_t bias) {
    uint64_t start = bias + s->p_vaddr;
    return start < USER_END && s->p_filesz <= s->p_memsz && s->p_memsz <= USER_END &&
           USER_END - s->p_memsz >= start;
}

/* The pages from the lowest to the highest segment, before the bias. False: there is no segment. */
static bool elf_extent(const struct elf_file *e, uint64_t *ret_low, uint64_t *ret_high) {
    bool found = false;
    *ret_low = UINT64_MAX;
    *ret_high = 0;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *s = &e->segments[i];
        if (s->p_type != PT_LOAD)
            continue;
        found = true;
        *ret_low = min_u64(*ret_low, page_round_down(s->p_vaddr));
        *ret_high = max_u64(*ret_high, s->p_vaddr + s->p_memsz);
    }
    return found;
}

/* From where the highest segment begins to where the contents of the highest end: what Linux takes for the
 * data, whatever the segments' permissions are. */
static uint64_t elf_data(const struct elf_file *e) {
    uint64_t start = 0, end = 0;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *s = &e->segments[i];
        if (s->p_type != PT_LOAD)
            continue;
        start = max_u64(start, s->p_vaddr);
        end = max_u64(end, s->p_vaddr + s->p_filesz);
    }
    return end - start;
}

/* The largest alignment that is one: a power of two. */
static uint64_t elf_alignment(const struct elf_file *e) {
    uint64_t alignment = PAGE_SIZE;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        uint64_t wanted = e->segments[i].p_align;
        if (e->segments[i].p_type == PT_LOAD && (wanted & (wanted - 1)) == 0)
            alignment = max_u64(alignment, wanted);
    }
    return alignment;
}

/* Whether there is room for all segments together at `address` (0: anywhere), and where. */
static int elf_find_room(const struct elf_file *e, struct space *space, uint64_t address,
                         uint64_t *ret_address) {
    uint64_t low, high;
    if (!elf_extent(e, &low, &high) || high <= low)
        return -EINVAL;
    struct map_request request = {.address = address,
                                  .length = elf_pages(high - low),
                                  .protection = PROT_NONE,
                                  .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
                                           (address ? MAP_FIXED_NOREPLACE : 0)};
    if (request.length == 0 || request.length > USER_END)
        return -ENOMEM;
    int r = space_map(space, &request, ret_address);
    return r < 0 ? r : space_unmap(space, *ret_address, request.length);
}

/* What is added to the addresses in the headers: the first segment begins at the base. */
static int elf_choose_bias(const struct elf_file *e, struct space *space, uint64_t base, uint64_t *ret_bias) {
    uint64_t address;
    *ret_bias = 0;
    if (e->header.e_type == ET_EXEC)
        return 0;
    int r = elf_find_room(e, space, base, &address);
    if (r < 0)
        return r;
    const Elf64_Phdr *first = elf_find(e, PT_LOAD);
    *ret_bias = page_round_down(address) - page_round_down(first->p_vaddr);
    return 0;
}

/* The first segment must not be over anything; the others may be. */
static int elf_map_file(const struct elf_file *e, struct space *space, uint64_t bias, bool replaces,
                        uint64_t *ret_end) {
    int place = replaces ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *s = &e->segments[i];
        if (s->p_type != PT_LOAD)
            continue;
        int r = elf_map_segment(e, space, s, bias, place);
        if (r < 0)
            return r;
        if (!elf_segment_fits(s, replaces ? bias : 0))
            return -EINVAL;
        *ret_end = max_u64(*ret_end, bias + s->p_vaddr + s->p_memsz);
        place = MAP_FIXED;
    }
    return 0;
}

/* Where the program headers are mapped: the last segment that has them in its file contents counts. */
static uint64_t elf_headers_address(const struct elf_file *e, uint64_t bias) {
    uint64_t address = 0;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *s = &e->segments[i];
        if (s->p_type == PT_LOAD && s->p_offset <= e->header.e_phoff &&
            e->header.e_phoff < s->p_offset + s->p_filesz)
            address = e->header.e_phoff - s->p_offset + s->p_vaddr;
    }
    return bias + address;
}

static int elf_map_interpreter(const struct elf_file *e, struct space *space, struct elf_image *image) {
    uint64_t bias, end = 0, low, high;
    if (!elf_type_is_good(&e->header))
        return -ENOEXEC;
    int r = elf_extent(e, &low, &high) ? elf_choose_bias(e, space, 0, &bias) : -EINVAL;
    if (r == 0)
        r = elf_map_file(e, space, bias, true, &end);
    if (r < 0)
        return r;
    image->interpreter_base = bias;
    image->start = bias + e->header.e_entry;
    return 0;
}

int elf_map(const struct elf_program *program, struct space *space, uint64_t above,
            struct elf_image *ret_image) {
    const struct elf_file *e = &program->main;
    uint64_t bias, end = 0, base = (ELF_PIE_BASE + above) & ~(elf_alignment(e) - 1);
    int r = elf_choose_bias(e, space, base, &bias);
    if (r == 0)
        r = elf_map_file(e, space, bias, false, &end);
    if (r < 0)
        return r;
    *ret_image = (struct elf_image){
        .bias = bias,
        .entry = bias + e->header.e_entry,
        .start = bias + e->header.e_entry,
        .headers = elf_headers_address(e, bias),
        .header_count = e->header.e_phnum,
        .brk = end,
        .data = elf_data(e),
    };
    if (program->has_interpreter)
        r = elf_map_interpreter(&program->interpreter, space, ret_image);
    return r < 0 ? r : ret_image->start < USER_END ? 0 : -EINVAL;
}
