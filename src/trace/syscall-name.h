/* The x86-64 system calls by name, for messages, goals and narration. */
#ifndef TRACE_SYSCALL_NAME_H
#define TRACE_SYSCALL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *syscall_name(uint64_t number); /* never NULL; "syscall_unknown" for numbers that have none */
/* Whether there is one of this name (`length` bytes, no NUL needed). */
bool syscall_number(const char *name, size_t length, uint64_t *ret_number);

#endif
