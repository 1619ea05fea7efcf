/* A kernel for tests: real virtual memory, a fake engine whose CPUs only hold registers, programs that are
 * made of a few bytes. The test plays the CPU: it sets registers and raises traps. Virtual time. */
#ifndef TESTS_KERNEL_FIXTURE_H
#define TESTS_KERNEL_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/process/process.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"

struct fixture {
    struct disk *swap;
    struct vm *vm;
    struct engine *engine;
    struct kernel *kernel;
    struct sandbox *sandbox; /* NULL: none */
    char directory[64];      /* of its own, removed at the end */
    char reported[512];      /* the last line for the user */
    struct inject inject;
};

/* cmocka's set-up and tear-down: *state is the fixture; the first process runs, pid 2. */
int fixture_setup(void **state);
int fixture_setup_without_process(void **state);
int fixture_setup_confined(void **state); /* the host's files are not there, but for the directory's */
int fixture_teardown(void **state);
/* kernel_start(), with the test's own streams. */
int fixture_start(struct fixture *, const char *file, char *const argv[], char *const envp[]);

struct thread *fixture_first(struct fixture *);
/* Instructions that the CPU has executed: the next trap charges them. */
void fixture_work(struct fixture *, uint64_t instructions);
void fixture_get(struct thread *, struct cpu_registers *ret_registers);
void fixture_set(struct thread *, const struct cpu_registers *);

/* Puts a file of that content and mode into the directory; *ret_path is good until the next call. */
const char *fixture_write(struct fixture *, const char *name, const void *bytes, size_t length, int mode);
/* A program of nothing but an exit, as an ELF file of `type` in `bytes` (at least 512). Its length. */
size_t fixture_elf(uint8_t *bytes, uint16_t type);

/* Executes `syscall` on the thread. The result, or FIXTURE_SLEEPS; gone threads must not be used. */
#define FIXTURE_SLEEPS LONG_MIN
long fixture_call(struct thread *, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                  uint64_t f);
#define CALL_0(t, n)          fixture_call(t, n, 0, 0, 0, 0, 0, 0)
#define CALL_1(t, n, a)       fixture_call(t, n, (uint64_t)(a), 0, 0, 0, 0, 0)
#define CALL_2(t, n, a, b)    fixture_call(t, n, (uint64_t)(a), (uint64_t)(b), 0, 0, 0, 0)
#define CALL_3(t, n, a, b, c) fixture_call(t, n, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)
#define CALL_4(t, n, a, b, c, d)                                                                             \
    fixture_call(t, n, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), 0, 0)
/* The result register. */
long fixture_result(struct thread *);
/* A page of memory of the process, readable and writable. */
uint64_t fixture_map(struct thread *);
void fixture_check(struct fixture *);

#endif
