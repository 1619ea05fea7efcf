/* A file that programs map: its symbols, source lines and how its functions' frames are found, if it is an
 * ELF file. Addresses are the file's own, as its program headers have them. */
#ifndef PLACE_MODULE_H
#define PLACE_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "place/dw.h"

struct module;

struct module_symbol {
    const char *name; /* as in the file, perhaps with a version ("@@GLIBC_2.34"); the module's */
    uint64_t address, size;
    bool function, global;
};

/* Takes the descriptor over. `path` (copied) is for names and for finding separate debug information. A file
 * that is not ELF is a module without symbols. 0 or -ENOMEM. */
int module_create(const struct dw *, const char *path, int fd, struct module **ret_module);
void module_destroy(struct module *);
const char *module_path(const struct module *);
/* The path's last component. */
const char *module_name(const struct module *);

/* The address of a byte of the file that is mapped with `access` (enum access bits). False: none. */
bool module_address(const struct module *, uint64_t offset, unsigned access, uint64_t *ret_address);
/* Whether the address lies in what the file's program headers want in memory. */
bool module_contains(const struct module *, uint64_t address);

/* The symbol that the address lies in; NULL: none. */
const struct module_symbol *module_symbol_at(struct module *, uint64_t address);
/* A defined symbol of that name, of any version; NULL: none. */
const struct module_symbol *module_symbol_named(struct module *, const char *name);
/* The source line: false when there is none. The text is the module's, a path as the
 * compiler was given it. */
bool module_line(struct module *, uint64_t address, const char **ret_file, int *ret_line);

/* A function that the compiler put into another one instead of a call. */
struct module_inlined {
    const char *name; /* as in the debug information: a C++ name is mangled; the module's */
    const char *file; /* where the other one calls it; NULL: not known */
    int line;
};
enum { MODULE_INLINED_MOST = 32 };
/* Those that the address lies in, the innermost first. Their number. */
size_t module_inlined(struct module *, uint64_t address, struct module_inlined to[MODULE_INLINED_MOST]);

/* How the frame of the function around `address` is found: to be freed with free(); NULL: not known. */
Dwarf_Frame *module_frame(struct module *, uint64_t address);

#endif
