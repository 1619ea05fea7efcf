/* A small machine for fuzzing: real virtual memory, files and kernel, an engine that runs nothing, virtual
 * time, and one program. It may touch a folder of its own on the host, and nothing else there. */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include "kernel/process/process.h"

struct fuzz_machine {
    struct vm *vm;
    struct kernel *kernel;
    struct engine *engine;
    int lowest_descriptor; /* of the host, that was free before */
};

/* All that they need besides is made at the first time, and kept. They abort when something is wrong: at the
 * end nothing may be left, no frame, no slot and no descriptor. */
void fuzz_machine_create(struct fuzz_machine *);
void fuzz_machine_destroy(struct fuzz_machine *);
void fuzz_machine_check(struct fuzz_machine *);
/* Where the machine's files are; its program is there, named "first". */
const char *fuzz_folder(void);
/* Ends the process, so that the fuzzer notices. */
void fuzz_fail(const char *why) __attribute__((noreturn));

#endif
