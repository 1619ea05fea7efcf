/* What is used of elfutils' libdw and of the C++ library, loaded when it is needed: linked, the one would
 * bring eight shared objects to the start of every program. */
#ifndef PLACE_DW_H
#define PLACE_DW_H

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#define DW_FUNCTIONS(X)                                                                                      \
    X(dwfl_begin)                                                                                            \
    X(dwfl_end)                                                                                              \
    X(dwfl_report_begin)                                                                                     \
    X(dwfl_report_elf)                                                                                       \
    X(dwfl_report_end)                                                                                       \
    X(dwfl_build_id_find_elf)                                                                                \
    X(dwfl_standard_find_debuginfo)                                                                          \
    X(dwfl_module_getelf)                                                                                    \
    X(dwfl_module_getsymtab)                                                                                 \
    X(dwfl_module_getsym_info)                                                                               \
    X(dwfl_module_nextcu)                                                                                    \
    X(dwarf_haspc)                                                                                           \
    X(dwarf_getsrc_die)                                                                                      \
    X(dwarf_linesrc)                                                                                         \
    X(dwarf_lineno)                                                                                          \
    X(dwfl_module_addrdie)                                                                                   \
    X(dwarf_getscopes)                                                                                       \
    X(dwarf_getscopes_die)                                                                                   \
    X(dwarf_tag)                                                                                             \
    X(dwarf_attr)                                                                                            \
    X(dwarf_attr_integrate)                                                                                  \
    X(dwarf_formstring)                                                                                      \
    X(dwarf_formudata)                                                                                       \
    X(dwarf_getsrcfiles)                                                                                     \
    X(dwarf_filesrc)                                                                                         \
    X(dwfl_module_eh_cfi)                                                                                    \
    X(dwfl_module_dwarf_cfi)                                                                                 \
    X(dwarf_cfi_addrframe)                                                                                   \
    X(dwarf_frame_info)                                                                                      \
    X(dwarf_frame_cfa)                                                                                       \
    X(dwarf_frame_register)                                                                                  \
    X(elf_getphdrnum)                                                                                        \
    X(gelf_getphdr)

struct dw {
    void *library, *cxx_library;
#define X(name) __typeof__(name) *name;
    DW_FUNCTIONS(X)
#undef X
    /* Of the C++ ABI; NULL where there is no C++ library: names stay as they are. */
    char *(*demangle)(const char *mangled, char *buffer, size_t *length, int *ret_status);
};

/* 0, or -ENOSYS: the library is not there. */
int dw_load(struct dw *ret_dw);
/* A symbol's name for people, malloc'd: without a version, and the C++ name without its arguments, if it is
 * one. NULL: no memory. */
char *dw_demangle(const struct dw *, const char *symbol);

#endif
