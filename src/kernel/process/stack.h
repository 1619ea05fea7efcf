/* The stack that a new program starts with. */
#ifndef KERNEL_STACK_H
#define KERNEL_STACK_H

#include "kernel/process/elf.h"

/* Strings of a program: where they come from does not matter. */
struct stack_strings {
    const char *path; /* AT_EXECFN: as the program was called */
    char *const *argv;
    char *const *envp;
    struct stack_place place; /* where they go */
    uint64_t shift;           /* so many bytes below the top, less than a page */
};

/* What the kernel remembers of the stack it built. */
struct stack_layout {
    uint64_t pointer; /* rsp at the first instruction */
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv[2 * 24];
    unsigned auxv_count; /* words */
};

/* -E2BIG when a string or all of them are too long for a stack of `limit` bytes, or for the pages of a stack
 * that has a fixed number of them; else 0. */
int stack_check_size(const struct stack_strings *, uint64_t limit);
/* Maps the stack: all of it if its size is fixed, else what the contents need and some more. */
int stack_map(struct space *, const struct stack_strings *, bool executable);
/* Writes the contents: strings, vectors, auxiliary vector. `random` goes to AT_RANDOM. 0, -ENOMEM. */
int stack_write(struct space *, const struct stack_strings *, const struct elf_image *,
                const uint8_t random[16], struct stack_layout *ret_layout);

#endif
