/* A reader of ELF symbol tables, for a few names at a time. Nothing in the file is believed: every offset and
 * size is checked, and tables beyond a limit are left alone. Versions of symbols and sections' names do not
 * matter here.
 *
 * Source: System V ABI, chapter 4 (sections, symbol table, string table). */
#include "kernel/process/symbol.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum {
    SYMBOL_SECTIONS_MAX = 4096,
    SYMBOL_TABLE_MAX = 64 << 20, /* bytes of symbols, and of their names */
};

/* A part of the file in memory. */
struct symbol_bytes {
    char *bytes; /* malloc'd */
    size_t length;
};

static bool symbol_load(struct file *f, uint64_t offset, uint64_t length, struct symbol_bytes *ret_bytes) {
    if (length == 0 || length > SYMBOL_TABLE_MAX || offset > (uint64_t)INT64_MAX - length)
        return false;
    char *bytes = malloc(length);
    if (!bytes)
        return false;
    if (file_read_at(f, bytes, length, offset) != (ssize_t)length) {
        free(bytes);
        return false;
    }
    *ret_bytes = (struct symbol_bytes){bytes, length};
    return true;
}

static bool symbol_load_sections(struct file *f, struct symbol_bytes *ret_sections) {
    Elf64_Ehdr header;
    if (file_read_at(f, &header, sizeof header, 0) != sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum > SYMBOL_SECTIONS_MAX)
        return false;
    return symbol_load(f, header.e_shoff, (uint64_t)header.e_shnum * sizeof(Elf64_Shdr), ret_sections);
}

static const Elf64_Shdr *symbol_section(const struct symbol_bytes *sections, uint32_t type) {
    const Elf64_Shdr *section = (const Elf64_Shdr *)(const void *)sections->bytes;
    for (size_t i = 0; i < sections->length / sizeof *section; i++)
        if (section[i].sh_type == type)
            return &section[i];
    return NULL;
}

/* The names of the table's symbols. */
static const Elf64_Shdr *symbol_strings(const struct symbol_bytes *sections, const Elf64_Shdr *table) {
    const Elf64_Shdr *section = (const Elf64_Shdr *)(const void *)sections->bytes;
    if (table->sh_link >= sections->length / sizeof *section)
        return NULL;
    return section[table->sh_link].sh_type == SHT_STRTAB ? &section[table->sh_link] : NULL;
}

static bool symbol_is_called(const Elf64_Sym *symbol, const struct symbol_bytes *strings, const char *name) {
    const size_t length = strlen(name) + 1;
    return symbol->st_name < strings->length && length <= strings->length - symbol->st_name &&
           memcmp(strings->bytes + symbol->st_name, name, length) == 0;
}

/* Whether it names a place in the program. */
static bool symbol_is_place(const Elf64_Sym *symbol) {
    const unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS && symbol->st_value != 0 &&
           (type == STT_FUNC || type == STT_NOTYPE || type == STT_OBJECT);
}

static void symbols_search(const struct symbol_bytes *table, const struct symbol_bytes *strings,
                           const char *const *names, size_t count, uint64_t *values) {
    const Elf64_Sym *symbol = (const Elf64_Sym *)(const void *)table->bytes;
    for (size_t i = 0; i < table->length / sizeof *symbol; i++) {
        if (!symbol_is_place(&symbol[i]))
            continue;
        for (size_t n = 0; n < count; n++)
            if (values[n] == 0 && symbol_is_called(&symbol[i], strings, names[n]))
                values[n] = symbol[i].st_value;
    }
}

static void symbols_find_in(struct file *f, const struct symbol_bytes *sections, const Elf64_Shdr *section,
                            const char *const *names, size_t count, uint64_t *values) {
    struct symbol_bytes table, strings;
    const Elf64_Shdr *of_names = symbol_strings(sections, section);
    if (!of_names || !symbol_load(f, section->sh_offset, section->sh_size, &table))
        return;
    if (symbol_load(f, of_names->sh_offset, of_names->sh_size, &strings)) {
        symbols_search(&table, &strings, names, count, values);
        free(strings.bytes);
    }
    free(table.bytes);
}

void symbols_find(struct file *f, const char *const *names, size_t count, uint64_t *ret_values) {
    struct symbol_bytes sections;
    memset(ret_values, 0, count * sizeof *ret_values);
    if (!symbol_load_sections(f, &sections))
        return;
    const Elf64_Shdr *section = symbol_section(&sections, SHT_SYMTAB);
    if (!section)
        section = symbol_section(&sections, SHT_DYNSYM);
    if (section)
        symbols_find_in(f, &sections, section, names, count, ret_values);
    free(sections.bytes);
}
