/* The ELF loader: reads headers, maps segments. It loads nothing: pages come by faults, but for the one that
 * a segment's zeroed tail (bss) shares with file contents. Stack, registers and the rest of exec are
 * exec.c's.
 *
 *   ET_EXEC   where its headers say        ET_DYN   at 0x555555554000        interpreter   where mmap puts it
 *
 *   one segment:   file contents ─────────┐ zeroed tail   anonymous pages
 *                  ├────────┼────────┼────┴───┼────────┼────────┤
 *                  vaddr           vaddr+filesz             vaddr+memsz
 *
 * Source: System V ABI, x86-64 supplement; Linux 6.1 fs/binfmt_elf.c for the errors. Beyond Linux, a segment
 * that claims more than the file has is refused here and not met as a SIGBUS later. */
#include "kernel/elf.h"

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

static bool elf_header_is_good(const Elf64_Ehdr *h) {
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
           h->e_ident[EI_DATA] == ELFDATA2LSB && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
           h->e_machine == EM_X86_64 && h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum > 0 &&
           h->e_phnum * sizeof(Elf64_Phdr) <= ELF_HEADERS_MAX;
}

static int elf_read(struct file *file, void *to, size_t length, uint64_t offset) {
    ssize_t n = file_read_at(file, to, length, offset);
    if (n < 0)
        return (int)n;
    return (size_t)n == length ? 0 : -ENOEXEC;
}

/* A segment must lie in user space, and in the file. */
static int elf_check_segment(const Elf64_Phdr *s, uint64_t file_size) {
    uint64_t end;
    if (s->p_type != PT_LOAD)
        return 0;
    if (s->p_filesz > s->p_memsz || __builtin_add_overflow(s->p_vaddr, s->p_memsz, &end) || end > USER_END)
        return -EINVAL;
    if (s->p_filesz > 0 && (s->p_vaddr - s->p_offset) % PAGE_SIZE)
        return -EINVAL;
    if (s->p_align > 1 && (s->p_align & (s->p_align - 1)))
        return -EINVAL;
    if (__builtin_add_overflow(s->p_offset, s->p_filesz, &end) || end > file_size)
        return -ENOEXEC;
    return 0;
}

static int elf_check_segments(const struct elf_file *e) {
    uint64_t size = object_size(e->object);
    bool loads = false;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        int r = elf_check_segment(&e->segments[i], size);
        if (r < 0)
            return r;
        loads |= e->segments[i].p_type == PT_LOAD && e->segments[i].p_memsz > 0;
    }
    return loads ? 0 : -EINVAL;
}

static int elf_read_headers(struct elf_file *e, struct inject *inject) {
    size_t length;
    int r = elf_read(e->file, &e->header, sizeof e->header, 0);
    if (r < 0)
        return r;
    if (!elf_header_is_good(&e->header))
        return -ENOEXEC;
    length = e->header.e_phnum * sizeof(Elf64_Phdr);
    e->segments = inject_malloc(inject, length);
    if (!e->segments)
        return -ENOMEM;
    if (elf_read(e->file, e->segments, length, e->header.e_phoff) < 0)
        return -ENOEXEC;
    if (!e->file->ops->object)
        return -ENOEXEC;
    r = e->file->ops->object(e->file, &e->object);
    return r < 0 ? r : elf_check_segments(e);
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
    if (r == 0)
        r = file_open(t, AT_FDCWD, path, O_RDONLY, 0, &e->file);
    if (r == 0)
        r = file_may_execute(e->file);
    if (r < 0)
        return r;
    program->has_interpreter = true;
    r = elf_read_headers(e, t->process->kernel->config.inject);
    return r == -ENOEXEC || r == -EINVAL ? -ELIBBAD : r;
}

int elf_open(struct thread *t, struct file *file, struct elf_program **ret_program) {
    struct inject *inject = t->process->kernel->config.inject;
    struct elf_program *program = inject_calloc(inject, 1, sizeof *program);
    if (!program)
        return -ENOMEM;
    program->main.file = file_ref(file);
    int r = elf_read_headers(&program->main, inject);
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

bool elf_wants_executable_stack(const struct elf_program *program) {
    const Elf64_Phdr *s = elf_find(&program->main, PT_GNU_STACK);
    return s && (s->p_flags & PF_X);
}

/* ---- mapping ---- */

static int elf_protection(const Elf64_Phdr *s) {
    return (s->p_flags & PF_R ? PROT_READ : 0) | (s->p_flags & PF_W ? PROT_WRITE : 0) |
           (s->p_flags & PF_X ? PROT_EXEC : 0);
}

static int elf_map_pages(struct space *space, struct object *object, uint64_t start, uint64_t end,
                         uint64_t offset, int protection) {
    struct map_request request = {
        .address = start,
        .length = end - start,
        .protection = protection,
        .flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | (object ? 0 : MAP_ANONYMOUS),
        .object = object,
        .offset = offset,
        .may_write = true,
    };
    uint64_t address;
    return end == start ? 0 : space_map(space, &request, &address);
}

static int elf_map_segment(const struct elf_file *e, struct space *space, const Elf64_Phdr *s,
                           uint64_t bias) {
    int protection = elf_protection(s);
    uint64_t start = bias + s->p_vaddr, file_end = start + s->p_filesz, end = start + s->p_memsz;
    uint64_t first = page_round_down(start), file_pages_end = s->p_filesz ? page_round_up(file_end) : first;
    int r = elf_map_pages(space, e->object, first, file_pages_end, page_round_down(s->p_offset), protection);
    if (r < 0)
        return r;
    if (end > file_end && (s->p_flags & PF_W) && file_pages_end > file_end) {
        r = user_zero(space, file_end, file_pages_end - file_end);
        if (r < 0)
            return -ENOMEM;
    }
    if (page_round_up(end) <= file_pages_end)
        return 0;
    return elf_map_pages(space, NULL, file_pages_end, page_round_up(end), 0, protection);
}

/* The pages from the lowest to the highest segment, before the bias. */
static void elf_extent(const struct elf_file *e, uint64_t *ret_low, uint64_t *ret_high) {
    *ret_low = UINT64_MAX;
    *ret_high = 0;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *s = &e->segments[i];
        if (s->p_type != PT_LOAD)
            continue;
        *ret_low = min_u64(*ret_low, page_round_down(s->p_vaddr));
        *ret_high = max_u64(*ret_high, s->p_vaddr + s->p_memsz);
    }
}

static uint64_t elf_alignment(const struct elf_file *e) {
    uint64_t alignment = PAGE_SIZE;
    for (unsigned i = 0; i < e->header.e_phnum; i++)
        if (e->segments[i].p_type == PT_LOAD)
            alignment = max_u64(alignment, e->segments[i].p_align);
    return alignment;
}

static uint64_t elf_program_bias(const struct elf_file *e) {
    uint64_t low, high;
    if (e->header.e_type == ET_EXEC)
        return 0;
    elf_extent(e, &low, &high);
    return (ELF_PIE_BASE & ~(elf_alignment(e) - 1)) - low;
}

/* Room for all segments together, where mmap would put a mapping of that size. */
static int elf_find_room(const struct elf_file *e, struct space *space, uint64_t *ret_bias) {
    uint64_t low, high, address;
    elf_extent(e, &low, &high);
    *ret_bias = 0;
    if (e->header.e_type == ET_EXEC)
        return 0;
    struct map_request request = {.length = page_round_up(high) - low,
                                  .protection = PROT_NONE,
                                  .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE};
    int r = space_map(space, &request, &address);
    if (r < 0)
        return r;
    *ret_bias = address - low;
    return space_unmap(space, address, request.length);
}

static int elf_map_file(const struct elf_file *e, struct space *space, uint64_t bias) {
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        if (e->segments[i].p_type != PT_LOAD)
            continue;
        int r = elf_map_segment(e, space, &e->segments[i], bias);
        if (r < 0)
            return r == -EEXIST ? -EINVAL : r; /* segments that overlap each other or the stack */
    }
    return 0;
}

static uint64_t elf_headers_address(const struct elf_file *e, uint64_t bias) {
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *s = &e->segments[i];
        if (s->p_type == PT_LOAD && s->p_offset <= e->header.e_phoff &&
            e->header.e_phoff - s->p_offset < s->p_filesz)
            return bias + s->p_vaddr + (e->header.e_phoff - s->p_offset);
    }
    return 0;
}

int elf_map(const struct elf_program *program, struct space *space, struct elf_image *ret_image) {
    const struct elf_file *e = &program->main, *interpreter = &program->interpreter;
    uint64_t low, high, bias = elf_program_bias(e), interpreter_bias;
    elf_extent(e, &low, &high);
    int r = elf_map_file(e, space, bias);
    if (r < 0)
        return r;
    *ret_image = (struct elf_image){
        .bias = bias,
        .entry = bias + e->header.e_entry,
        .start = bias + e->header.e_entry,
        .headers = elf_headers_address(e, bias),
        .header_count = e->header.e_phnum,
        .brk = bias + high,
    };
    if (!program->has_interpreter)
        return 0;
    r = elf_find_room(interpreter, space, &interpreter_bias);
    if (r == 0)
        r = elf_map_file(interpreter, space, interpreter_bias);
    ret_image->interpreter_base = interpreter_bias;
    ret_image->start = interpreter_bias + interpreter->header.e_entry;
    return r;
}
