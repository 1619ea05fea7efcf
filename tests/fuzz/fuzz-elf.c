/* Fuzz target: executables. Whatever stands in the file, executing it is an error or a program, whose pages
 * can be looked at; and nothing is left behind. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "input.h"
#include "kernel/process/exec.h"
#include "machine.h"

enum { LOOKED_AT = 64 }; /* words, a page apart */

static void write_file(const char *path, const uint8_t *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0)
        fuzz_fail("the file cannot be written");
}

/* Reads and writes the pages from an address on, as the program might. */
static void look_around(struct space *space, uint64_t address) {
    for (unsigned i = 0; i < LOOKED_AT; i++, address += PAGE_SIZE) {
        uint64_t word;
        if (user_read(space, address, &word, sizeof word) == 0)
            user_write(space, address, &word, sizeof word);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_machine m;
    char path[128], *argv[] = {path, "argument", NULL}, *envp[] = {"NAME=value", NULL};
    fuzz_machine_create(&m);
    snprintf(path, sizeof path, "%s/hostile", fuzz_folder());
    write_file(path, data, size);
    struct thread *t = kernel_next_thread(m.kernel);
    if (!t)
        fuzz_fail("there is no thread");
    int r = exec_program(t, path, argv, envp);
    if (r > 0 || r < -4095)
        fuzz_fail("neither success nor an error");
    look_around(t->process->space, 0x400000);
    look_around(t->process->space, t->process->stack_start);
    fuzz_machine_check(&m);
    write_file(path, data, 0); /* so that none of its pages stays in the page cache */
    if (exec_program(t, path, argv, envp) == 0)
        fuzz_fail("nothing was executed");
    fuzz_machine_destroy(&m);
    return 0;
}
