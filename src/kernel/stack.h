/* The stack that a new program starts with. */
#ifndef KERNEL_STACK_H
#define KERNEL_STACK_H

#include "kernel/elf.h"

/* Strings of a program: where they come from does not matter. */
struct stack_strings {
    const char *path; /* AT_EXECFN: as the program was called */
    char *const *argv;
    char *const *envp;
};

/* What the kernel remembers of the stack it built. */
struct stack_layout {
    uint64_t pointer; /* rsp at the first instruction */
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv[2 * 24];
    unsigned auxv_count; /* words */
};

/* Bytes that argv and envp take, pointers included. -E2BIG when a string or all of them are too long for a
 * stack of `limit` bytes. */
int stack_check_size(const struct stack_strings *, uint64_t limit);
/* Maps the stack at the top of the space, for that many bytes of contents to begin with. */
int stack_map(struct space *, const struct stack_strings *, bool executable);
/* Writes the contents: strings, vectors, auxiliary vector. `random` goes to AT_RANDOM. 0, -ENOMEM. */
int stack_write(struct space *, const struct stack_strings *, const struct elf_image *,
                const uint8_t random[16], struct stack_layout *ret_layout);

#endif
