/* ELF executables: from a file to mappings. */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include "kernel/files/file.h"

/* A program whose headers were read and found good; nothing is mapped yet. */
struct elf_program;

/* Where everything is once it is mapped. */
struct elf_image {
    uint64_t start;            /* the first instruction: the interpreter's, if there is one */
    uint64_t entry;            /* AT_ENTRY: the program's own */
    uint64_t bias;             /* of the program: where address 0 of its file's symbols is */
    uint64_t interpreter_base; /* AT_BASE; 0 without interpreter */
    uint64_t headers;          /* AT_PHDR: address of the program headers, 0 when no segment holds them */
    uint64_t header_count;
    uint64_t brk;  /* the end of the highest segment: the heap begins at the next page */
    uint64_t data; /* bytes of the program's data, as RLIMIT_DATA counts them beside the heap */
};

/* Reads the headers of the file, and of the interpreter that it names (opened as the thread would). 0;
 * -ENOEXEC for what is not an x86-64 executable or has no program headers; -ELIBBAD for such an interpreter;
 * -ENOENT, -EACCES, … when it cannot be opened; -EIO, -ENOMEM. */
int elf_open(struct thread *, struct file *, struct elf_program **ret_program);
void elf_close(struct elf_program *);
bool elf_wants_executable_stack(const struct elf_program *);
/* Maps the program's segments, a position-independent one so many bytes above its usual place, and the
 * interpreter's into the space. 0, or -errno if they cannot be mapped:
 * a process that executes them ends. */
int elf_map(const struct elf_program *, struct space *, uint64_t above, struct elf_image *ret_image);

#endif
