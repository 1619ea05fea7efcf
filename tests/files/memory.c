/* See memory.h. */
#include "memory.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "hw/trap.h"

static uint64_t map(struct thread *t, uint64_t pages) {
    long address = fixture_call(t, SYS_mmap, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0);
    assert_true(address > 0);
    return (uint64_t)address;
}

uint64_t memory_put(struct thread *t, const void *bytes, size_t length) {
    uint64_t address = map(t, length / PAGE_SIZE + 1);
    assert_int_equal(user_write(t->process->space, address, bytes, length), 0);
    return address;
}

uint64_t memory_string(struct thread *t, const char *string) {
    return memory_put(t, string, strlen(string) + 1);
}

uint64_t memory_before_hole(struct thread *t, unsigned pages) {
    uint64_t address = map(t, pages + 1);
    assert_int_equal(CALL_3(t, SYS_mprotect, address + pages * PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
    return address;
}

void memory_get(struct thread *t, uint64_t address, void *to, size_t length) {
    assert_int_equal(user_read(t->process->space, address, to, length), 0);
}

int memory_int(struct thread *t, uint64_t address, unsigned index) {
    int value;
    memory_get(t, address + index * sizeof(value), &value, sizeof(value));
    return value;
}

long call_open(struct thread *t, const char *path, int flags, int mode) {
    return CALL_4(t, SYS_openat, AT_FDCWD, memory_string(t, path), flags, mode);
}

long call_write(struct thread *t, int fd, const char *string) {
    return CALL_3(t, SYS_write, fd, memory_string(t, string), strlen(string));
}

void expect_read(struct thread *t, int fd, size_t length, const char *expected) {
    char *got = calloc(1, length + 1);
    uint64_t buffer = memory_put(t, got, length);
    long n = CALL_3(t, SYS_read, fd, buffer, length);
    assert_int_equal(n, strlen(expected));
    memory_get(t, buffer, got, (size_t)n);
    assert_string_equal(got, expected);
    free(got);
}

void make_pipe(struct thread *t, int flags, int ret_fds[2]) {
    uint64_t fds = memory_put(t, "", 1);
    assert_int_equal(CALL_2(t, SYS_pipe2, fds, flags), 0);
    ret_fds[0] = memory_int(t, fds, 0);
    ret_fds[1] = memory_int(t, fds, 1);
}

struct thread *fork_from(struct thread *t) {
    long pid = CALL_0(t, SYS_fork);
    assert_true(pid > 2);
    struct thread *child = thread_find(t->process->kernel, (uint32_t)pid);
    assert_non_null(child);
    return child;
}

long call_resumed(struct thread *t) {
    struct kernel *k = t->process->kernel;
    for (int i = 0; i < 1000; i++) {
        struct thread *next = kernel_next_thread(k);
        assert_non_null(next);
        if (next == t)
            return fixture_result(t);
        kernel_trap(k, next, &(struct trap){.kind = TRAP_QUANTUM});
    }
    fail_msg("the thread never runs");
    return 0;
}

void enter_directory(struct fixture *f) {
    struct thread *t = fixture_first(f);
    assert_int_equal(CALL_1(t, SYS_chdir, memory_string(t, f->directory)), 0);
}

void expect_host_file(struct fixture *f, const char *name, const char *expected) {
    char path[128], content[4096] = "";
    snprintf(path, sizeof(path), "%s/%s", f->directory, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(content, expected);
}
