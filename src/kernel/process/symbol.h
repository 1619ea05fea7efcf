/* Where an executable's symbols are, for who wants to watch them. */
#ifndef KERNEL_SYMBOL_H
#define KERNEL_SYMBOL_H

#include "kernel/files/file.h"

/* Looks names up in the symbol table of an ELF file, or, where that was stripped, in its table of dynamic
 * symbols. ret_values[i] is the value of names[i], before the file is moved; 0: it is not defined there,
 * which is also the answer for a file that cannot be read or makes no sense. */
void symbols_find(struct file *, const char *const *names, size_t count, uint64_t *ret_values);

#endif
