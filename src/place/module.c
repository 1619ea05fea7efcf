/* See module.h. Symbols are sorted once and searched: the library's own look-up goes through all of them. */
#include "place/module.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "hw/pte.h"

struct module_segment {
    uint64_t address, offset, file_size, memory_size;
    unsigned flags; /* PF_* */
};

struct module {
    const struct dw *dw;
    char *path;
    Dwfl *dwfl; /* NULL: not an ELF file */
    Dwfl_Module *dwfl_module;
    uint64_t bias; /* the library's addresses less the file's */
    struct module_segment *segments;
    size_t segment_count;
    bool symbols_loaded;
    struct module_symbol *symbols; /* by address; of those at one address the best last */
    size_t symbol_count;
    Dwarf_CFI *eh_cfi, *dwarf_cfi;
    uint64_t eh_bias, dwarf_bias;
    bool cfi_loaded;
};

/* ---- life ---- */

static int segments_load(struct module *m, Elf *elf) {
    size_t count = 0;
    if (m->dw->elf_getphdrnum(elf, &count) != 0 || count == 0)
        return 0;
    m->segments = calloc(count, sizeof *m->segments);
    if (!m->segments)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!m->dw->gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD)
            continue;
        m->segments[m->segment_count++] = (struct module_segment){
            .address = header.p_vaddr,
            .offset = header.p_offset,
            .file_size = header.p_filesz,
            .memory_size = header.p_memsz,
            .flags = header.p_flags,
        };
    }
    return 0;
}

static const Dwfl_Callbacks *callbacks(const struct dw *dw, Dwfl_Callbacks *to) {
    *to = (Dwfl_Callbacks){
        .find_elf = dw->dwfl_build_id_find_elf,
        .find_debuginfo = dw->dwfl_standard_find_debuginfo,
    };
    return to;
}

struct module_opened {
    Dwfl_Callbacks callbacks; /* the library keeps a pointer to them */
    struct module module;
};

/* Without a result where the file is not ELF. Takes the descriptor over. */
static int module_open(struct module_opened *o, int fd) {
    struct module *m = &o->module;
    m->dwfl = m->dw->dwfl_begin(callbacks(m->dw, &o->callbacks));
    if (!m->dwfl) {
        close(fd);
        return -ENOMEM;
    }
    m->dw->dwfl_report_begin(m->dwfl);
    m->dwfl_module = m->dw->dwfl_report_elf(m->dwfl, m->path, m->path, fd, 0, false);
    m->dw->dwfl_report_end(m->dwfl, NULL, NULL);
    Elf *elf = m->dwfl_module ? m->dw->dwfl_module_getelf(m->dwfl_module, &m->bias) : NULL;
    if (elf)
        return segments_load(m, elf);
    if (!m->dwfl_module)
        close(fd);
    m->dw->dwfl_end(m->dwfl);
    m->dwfl = NULL;
    m->dwfl_module = NULL;
    return 0;
}

int module_create(const struct dw *dw, const char *path, int fd, struct module **ret_module) {
    struct module_opened *o = calloc(1, sizeof *o);
    char *copy = strdup(path);
    if (!o || !copy) {
        free(o);
        free(copy);
        close(fd);
        return -ENOMEM;
    }
    o->module = (struct module){.dw = dw, .path = copy};
    const int error = module_open(o, fd);
    if (error)
        module_destroy(&o->module);
    else
        *ret_module = &o->module;
    return error;
}

void module_destroy(struct module *m) {
    if (m->dwfl)
        m->dw->dwfl_end(m->dwfl);
    free(m->segments);
    free(m->symbols);
    free(m->path);
    free(container_of(m, struct module_opened, module));
}

const char *module_path(const struct module *m) {
    return m->path;
}

const char *module_name(const struct module *m) {
    const char *slash = strrchr(m->path, '/');
    return slash && slash[1] ? slash + 1 : m->path;
}

/* ---- places in the file ---- */

/* Whether a mapping of the segment, whole pages, shows the byte. */
static bool segment_shows(const struct module_segment *s, uint64_t offset) {
    return offset >= page_round_down(s->offset) && offset < page_round_up(s->offset + s->file_size);
}

bool module_address(const struct module *m, uint64_t offset, unsigned access, uint64_t *ret_address) {
    const struct module_segment *found = NULL;
    for (size_t i = 0; i < m->segment_count; i++) {
        const struct module_segment *s = &m->segments[i];
        const bool exact = offset >= s->offset && offset - s->offset < s->file_size;
        /* In what is around it, the data segment's: its page is the only one with more than the file has. */
        if (exact || (segment_shows(s, offset) && (!found || s->flags & PF_W)))
            found = s;
        if (exact && !(access & ACCESS_EXEC) == !(s->flags & PF_X))
            break;
    }
    if (found)
        *ret_address = found->address + (offset - found->offset);
    return found != NULL;
}

bool module_contains(const struct module *m, uint64_t address) {
    for (size_t i = 0; i < m->segment_count; i++)
        if (address - m->segments[i].address < m->segments[i].memory_size)
            return true;
    return false;
}

/* ---- symbols ---- */

/* Of several at an address the one that is shown: with a size rather than without, a global one rather than a
 * local one, the one with fewer underscores in front. */
static unsigned symbol_merit(const struct module_symbol *s) {
    const unsigned underscores = (unsigned)min_size(strspn(s->name, "_"), 7);
    return (s->size > 0) * 16U + s->global * 8U + (7 - underscores);
}

static int symbol_compare(const void *left, const void *right) {
    const struct module_symbol *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    const unsigned x = symbol_merit(a), y = symbol_merit(b);
    return x != y ? (x < y ? -1 : 1) : -strcmp(a->name, b->name);
}

static bool symbol_take(const struct module *m, int i, struct module_symbol *ret_symbol) {
    GElf_Sym sym;
    GElf_Addr address;
    GElf_Word section;
    const char *name =
        m->dw->dwfl_module_getsym_info(m->dwfl_module, i, &sym, &address, &section, NULL, NULL);
    const unsigned type = GELF_ST_TYPE(sym.st_info);
    if (!name || !*name || section == SHN_UNDEF || section == SHN_ABS ||
        (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE && type != STT_GNU_IFUNC))
        return false;
    *ret_symbol = (struct module_symbol){
        .name = name,
        .address = address - m->bias,
        .size = sym.st_size,
        .function = type == STT_FUNC || type == STT_GNU_IFUNC,
        .global = GELF_ST_BIND(sym.st_info) != STB_LOCAL,
    };
    return module_contains(m, ret_symbol->address);
}

static void symbols_load(struct module *m) {
    if (m->symbols_loaded || !m->dwfl_module)
        return;
    m->symbols_loaded = true;
    const int count = m->dw->dwfl_module_getsymtab(m->dwfl_module);
    m->symbols = count > 0 ? calloc((size_t)count, sizeof *m->symbols) : NULL;
    for (int i = 0; m->symbols && i < count; i++)
        m->symbol_count += symbol_take(m, i, &m->symbols[m->symbol_count]);
    if (m->symbols)
        qsort(m->symbols, m->symbol_count, sizeof *m->symbols, symbol_compare);
}

/* The last symbol at or below the address; the count when there is none. */
static size_t symbol_search(const struct module *m, uint64_t address) {
    size_t low = 0, high = m->symbol_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (m->symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : m->symbol_count;
}

const struct module_symbol *module_symbol_at(struct module *m, uint64_t address) {
    enum { LOOK_BACK = 64 }; /* symbols in other symbols: labels, parts of a table */
    symbols_load(m);
    const size_t last = symbol_search(m, address);
    if (last == m->symbol_count)
        return NULL;
    const struct module_symbol *unsized = NULL;
    for (size_t i = last + 1; i-- > 0 && last - i < LOOK_BACK;) {
        const struct module_symbol *s = &m->symbols[i];
        if (address - s->address < s->size)
            return s;
        if (s->size == 0 && !unsized && s->address == m->symbols[last].address)
            unsized = s;
    }
    return unsized; /* assembly: it reaches up to the next symbol */
}

const struct module_symbol *module_symbol_named(struct module *m, const char *name) {
    symbols_load(m);
    const size_t length = strlen(name);
    for (size_t i = 0; i < m->symbol_count; i++) {
        const char *found = m->symbols[i].name;
        if (!strncmp(found, name, length) && (found[length] == '\0' || found[length] == '@'))
            return &m->symbols[i];
    }
    return NULL;
}

/* The compilation unit, and what to take from the library's addresses for those of its debug information.
 * clang writes no table of units by address: then all are looked through. */
static Dwarf_Die *unit_find(const struct module *m, uint64_t address, Dwarf_Addr *ret_bias) {
    if (!m->dwfl_module)
        return NULL;
    Dwarf_Die *unit = m->dw->dwfl_module_addrdie(m->dwfl_module, address + m->bias, ret_bias);
    if (unit)
        return unit;
    while ((unit = m->dw->dwfl_module_nextcu(m->dwfl_module, unit, ret_bias)))
        if (m->dw->dwarf_haspc(unit, address + m->bias - *ret_bias) > 0)
            return unit;
    return NULL;
}

bool module_line(struct module *m, uint64_t address, const char **ret_file, int *ret_line) {
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = unit_find(m, address, &bias);
    Dwarf_Line *line = unit ? m->dw->dwarf_getsrc_die(unit, address + m->bias - bias) : NULL;
    const char *file = line ? m->dw->dwarf_linesrc(line, NULL, NULL) : NULL;
    if (!file || m->dw->dwarf_lineno(line, ret_line))
        return false;
    *ret_file = file;
    return true;
}

/* ---- inlined functions ---- */

/* The scopes that hold the address, the innermost first, as they stand in one another in the program; the
 * library's first answer ends in those of the innermost one's definition. To be freed; NULL: none. */
static Dwarf_Die *scopes_find(const struct module *m, uint64_t address, Dwarf_Die **ret_unit,
                              int *ret_count) {
    Dwarf_Addr bias = 0;
    Dwarf_Die *found = NULL, *scopes = NULL;
    Dwarf_Die *unit = unit_find(m, address, &bias);
    if (unit && m->dw->dwarf_getscopes(unit, address + m->bias - bias, &found) > 0)
        *ret_count = m->dw->dwarf_getscopes_die(&found[0], &scopes);
    free(found);
    *ret_unit = unit;
    return scopes;
}

static const char *scope_name(const struct dw *dw, Dwarf_Die *scope) {
    Dwarf_Attribute attribute;
    const char *name = NULL;
    if (dw->dwarf_attr_integrate(scope, DW_AT_linkage_name, &attribute))
        name = dw->dwarf_formstring(&attribute);
    if (!name && dw->dwarf_attr_integrate(scope, DW_AT_name, &attribute))
        name = dw->dwarf_formstring(&attribute);
    return name;
}

static bool scope_number(const struct dw *dw, Dwarf_Die *scope, unsigned name, Dwarf_Word *ret_number) {
    Dwarf_Attribute attribute;
    return dw->dwarf_attr(scope, name, &attribute) && dw->dwarf_formudata(&attribute, ret_number) == 0;
}

static struct module_inlined scope_inlined(const struct dw *dw, Dwarf_Die *unit, Dwarf_Die *scope) {
    struct module_inlined inlined = {.name = scope_name(dw, scope)};
    Dwarf_Files *files;
    size_t count;
    Dwarf_Word file, line;
    if (scope_number(dw, scope, DW_AT_call_file, &file) && scope_number(dw, scope, DW_AT_call_line, &line) &&
        dw->dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count && line <= INT32_MAX) {
        inlined.file = dw->dwarf_filesrc(files, file, NULL, NULL);
        inlined.line = (int)line;
    }
    return inlined;
}

size_t module_inlined(struct module *m, uint64_t address, struct module_inlined to[MODULE_INLINED_MOST]) {
    size_t count = 0;
    int scope_count = 0;
    Dwarf_Die *unit;
    Dwarf_Die *scopes = scopes_find(m, address, &unit, &scope_count);
    for (int i = 0; scopes && i < scope_count && count < MODULE_INLINED_MOST; i++) {
        const int tag = m->dw->dwarf_tag(&scopes[i]);
        if (tag == DW_TAG_subprogram)
            break;
        if (tag != DW_TAG_inlined_subroutine)
            continue;
        to[count] = scope_inlined(m->dw, unit, &scopes[i]);
        if (!to[count].name)
            break; /* it stands in a file of debug information that is not here */
        count++;
    }
    free(scopes);
    return count;
}

/* ---- frames ---- */

static void cfi_load(struct module *m) {
    if (m->cfi_loaded || !m->dwfl_module)
        return;
    m->cfi_loaded = true;
    m->eh_cfi = m->dw->dwfl_module_eh_cfi(m->dwfl_module, &m->eh_bias);
    m->dwarf_cfi = m->dw->dwfl_module_dwarf_cfi(m->dwfl_module, &m->dwarf_bias);
}

Dwarf_Frame *module_frame(struct module *m, uint64_t address) {
    Dwarf_Frame *frame = NULL;
    cfi_load(m);
    const uint64_t at = address + m->bias;
    if (m->eh_cfi && m->dw->dwarf_cfi_addrframe(m->eh_cfi, at - m->eh_bias, &frame) == 0)
        return frame;
    if (m->dwarf_cfi && m->dw->dwarf_cfi_addrframe(m->dwarf_cfi, at - m->dwarf_bias, &frame) == 0)
        return frame;
    return NULL;
}
