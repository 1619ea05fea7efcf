/* Starting a program in a process: what exec.c offers beside process.h. */
#ifndef KERNEL_EXEC_H
#define KERNEL_EXEC_H

#include "kernel/files/file.h"

/* Like exec_program() with the file open already; `path` is what the program learns of its name. */
int exec_file(struct thread *, struct file *, const char *path, char *const argv[], char *const envp[]);

#endif
