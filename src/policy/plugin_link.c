/* See plugin_link.h.
 *
 * A shared object reaches functions of others through addresses that the dynamic linker has written into it,
 * one for each relocation that names a symbol (ELF, System V ABI for x86-64, 4.4). Those of some functions
 * are overwritten here with addresses of ours. Only calls by the object itself are redirected: what the C
 * library allocates for it (asprintf, fopen) stays the library's, and memory of operator new as well.
 *
 * Each of our functions finds out by what is armed (base/rescue.h) whose call it is; outside a guarded call,
 * in constructors and in threads of the object's own, it does what the C library does. */
#include "policy/plugin_link.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/guard.h"

/* ---- what is called instead ---- */

static void *foreign_alloc(size_t alignment, size_t size) {
    struct rescue *r = rescue_pause();
    void *block = r           ? plugin_memory_alloc(guard_memory(r), alignment, size)
                  : alignment ? aligned_alloc(alignment, size)
                              : malloc(size);
    rescue_resume(r);
    return block;
}

static void *foreign_malloc(size_t size) {
    return foreign_alloc(0, size);
}

static void *foreign_calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = foreign_alloc(0, bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

static void *foreign_realloc(void *block, size_t size) {
    struct rescue *r = rescue_pause();
    void *moved = r ? plugin_memory_realloc(guard_memory(r), block, size) : realloc(block, size);
    rescue_resume(r);
    return moved;
}

static void *foreign_reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (!__builtin_mul_overflow(count, size, &bytes))
        return foreign_realloc(block, bytes);
    errno = ENOMEM;
    return NULL;
}

static void foreign_free(void *block) {
    struct rescue *r = rescue_pause();
    if (r)
        plugin_memory_free(guard_memory(r), block);
    else
        free(block);
    rescue_resume(r);
}

static void *foreign_aligned_alloc(size_t alignment, size_t size) {
    return foreign_alloc(alignment < sizeof(void *) ? 0 : alignment, size);
}

static int foreign_posix_memalign(void **block, size_t alignment, size_t size) {
    void *found = foreign_alloc(alignment, size);
    if (!found)
        return ENOMEM;
    *block = found;
    return 0;
}

static char *foreign_strndup(const char *text, size_t length) {
    length = strnlen(text, length);
    char *copy = foreign_alloc(0, length + 1);
    if (!copy)
        return NULL;
    copy[length] = '\0';
    return memcpy(copy, text, length);
}

static char *foreign_strdup(const char *text) {
    return foreign_strndup(text, strlen(text));
}

_Noreturn static void foreign_exit(int status) {
    struct rescue *r = rescue_pause();
    if (r)
        guard_abandon(r, "called exit(%d)", status);
    exit(status);
}

_Noreturn static void foreign_exit_now(int status) {
    struct rescue *r = rescue_pause();
    if (r)
        guard_abandon(r, "called _exit(%d)", status);
    _exit(status);
}

_Noreturn static void foreign_abort(void) {
    struct rescue *r = rescue_pause();
    if (r)
        guard_abandon(r, "called abort()");
    abort();
}

_Noreturn static void foreign_pthread_exit(void *value) {
    struct rescue *r = rescue_pause();
    if (r)
        guard_abandon(r, "called pthread_exit()");
    pthread_exit(value);
}

/* What assert() calls, and in other C libraries as well: Linux Standard Base, __assert_fail. */
_Noreturn static void foreign_assert_fail(const char *what, const char *file, unsigned line,
                                          const char *function) {
    struct rescue *r = rescue_pause();
    if (r)
        guard_abandon(r, "found its assertion `%s' (%s:%u) broken", what, file, line);
    abort();
}

typedef void function(void);
static const struct redirection {
    const char *name;
    function *instead;
} redirections[] = {
    {"malloc", (function *)foreign_malloc},
    {"calloc", (function *)foreign_calloc},
    {"realloc", (function *)foreign_realloc},
    {"reallocarray", (function *)foreign_reallocarray},
    {"free", (function *)foreign_free},
    {"aligned_alloc", (function *)foreign_aligned_alloc},
    {"posix_memalign", (function *)foreign_posix_memalign},
    {"strdup", (function *)foreign_strdup},
    {"__strdup", (function *)foreign_strdup},
    {"strndup", (function *)foreign_strndup},
    {"exit", (function *)foreign_exit},
    {"quick_exit", (function *)foreign_exit},
    {"_exit", (function *)foreign_exit_now},
    {"_Exit", (function *)foreign_exit_now},
    {"abort", (function *)foreign_abort},
    {"pthread_exit", (function *)foreign_pthread_exit},
    {"__assert_fail", (function *)foreign_assert_fail},
};

/* ---- finding the addresses ---- */

/* What the dynamic section says; the linker has made addresses of its offsets. */
struct tables {
    uintptr_t base;
    const ElfW(Sym) * symbols;
    const char *strings;
    const ElfW(Rela) * relocations[2]; /* of data and of calls; NULL: none */
    size_t bytes[2];
};

static struct tables tables_of(const struct link_map *map) {
    struct tables t = {.base = map->l_addr};
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        const void *address = (const void *)d->d_un.d_ptr; /* NOLINT: as the linker left it */
        switch (d->d_tag) {
        case DT_SYMTAB: t.symbols = address; break;
        case DT_STRTAB: t.strings = address; break;
        case DT_RELA: t.relocations[0] = address; break;
        case DT_RELASZ: t.bytes[0] = d->d_un.d_val; break;
        case DT_JMPREL: t.relocations[1] = address; break;
        case DT_PLTRELSZ: t.bytes[1] = d->d_un.d_val; break;
        default: break;
        }
    }
    return t;
}

static function *redirection_find(const char *name) {
    for (size_t i = 0; i < sizeof redirections / sizeof *redirections; i++)
        if (!strcmp(redirections[i].name, name))
            return redirections[i].instead;
    return NULL;
}

static void relocation_patch(const struct tables *t, const ElfW(Rela) * relocation) {
    const unsigned long type = ELF64_R_TYPE(relocation->r_info);
    const size_t symbol = ELF64_R_SYM(relocation->r_info);
    const bool is_address = type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64;
    if (!is_address || symbol == 0 || t->symbols[symbol].st_shndx != SHN_UNDEF)
        return;
    function *instead = redirection_find(t->strings + t->symbols[symbol].st_name);
    if (instead) /* NOLINTNEXTLINE: the place is an address */
        *(function **)(t->base + relocation->r_offset) = instead;
}

/* ---- the object in memory ---- */

struct object_range {
    struct plugin_place place;
    uintptr_t read_only_start, read_only_end; /* since it was relocated */
};

static int range_find(struct dl_phdr_info *info, size_t size, void *context) {
    struct object_range *range = context;
    if (info->dlpi_addr != range->place.base)
        return 0;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;
        if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
            range->place.code_start = start;
            range->place.code_end = end;
        } else if (p->p_type == PT_GNU_RELRO) {
            range->read_only_start = start & ~(page - 1);
            range->read_only_end = (end + page - 1) & ~(page - 1);
        }
    }
    return 1;
}

int plugin_link(void *handle, struct plugin_place *ret_place) {
    struct link_map *map;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0)
        return -EINVAL;
    struct object_range range = {.place.base = map->l_addr};
    dl_iterate_phdr(range_find, &range);
    void *read_only = (void *)range.read_only_start; /* NOLINT: an address of the linker's */
    const size_t bytes = range.read_only_end - range.read_only_start;
    if (bytes && mprotect(read_only, bytes, PROT_READ | PROT_WRITE) < 0)
        return -errno;
    const struct tables t = tables_of(map);
    for (int i = 0; i < 2 && t.symbols && t.strings; i++)
        for (size_t n = 0; t.relocations[i] && n < t.bytes[i] / sizeof(ElfW(Rela)); n++)
            relocation_patch(&t, &t.relocations[i][n]);
    if (bytes)
        (void)mprotect(read_only, bytes, PROT_READ);
    *ret_place = range.place;
    return 0;
}
