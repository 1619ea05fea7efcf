/* A program's memory for tests of system calls: arguments are put there, results taken out. */
#ifndef TESTS_FILES_MEMORY_H
#define TESTS_FILES_MEMORY_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fixture.h"

/* At least a page that holds the bytes first; the address. */
uint64_t memory_put(struct thread *, const void *bytes, size_t length);
uint64_t memory_string(struct thread *, const char *string);
/* `pages` pages in a row, writable, with a page behind them that is not accessible. */
uint64_t memory_before_hole(struct thread *, unsigned pages);
void memory_get(struct thread *, uint64_t address, void *to, size_t length);
int memory_int(struct thread *, uint64_t address, unsigned index);

/* Calls with strings for paths; the results of the system calls. */
long call_open(struct thread *, const char *path, int flags, int mode);
long call_write(struct thread *, int fd, const char *string);
/* Asserts that exactly `expected` is read. */
void expect_read(struct thread *, int fd, size_t length, const char *expected);
void make_pipe(struct thread *, int flags, int ret_fds[2]);
struct thread *fork_from(struct thread *);
/* Lets the machine go on until the thread runs again: the result of the call that it slept in. */
long call_resumed(struct thread *);

/* Relative to the fixture's directory, which becomes the working directory. */
void enter_directory(struct fixture *);
/* The host's view. */
void expect_host_file(struct fixture *, const char *name, const char *expected);

#endif
