/* See fixture.h. */
#include "fixture.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine.h"
#include "kernel/sandbox/sandbox.h"

void fixture_work(struct fixture *f, uint64_t instructions) {
    f->engine->instructions += instructions;
}

void fixture_get(struct thread *t, struct cpu_registers *ret_registers) {
    *ret_registers = t->cpu->registers;
}

void fixture_set(struct thread *t, const struct cpu_registers *registers) {
    t->cpu->registers = *registers;
}

/* ---- building ---- */

static void fixture_report(void *context, const char *line) {
    struct fixture *f = context;
    snprintf(f->reported, sizeof f->reported, "%s", line);
}

static bool fixture_out_of_memory(void *context) {
    struct fixture *f = context;
    return kernel_out_of_memory(f->kernel);
}

static void fixture_create_vm(struct fixture *f) {
    struct vm_config config = {
        .frames = 128,
        .reserved = 3,
        .format = page_table_find("array"),
        .policy = policy_find("clock", &config.policy_parameters),
        .swap = f->swap,
        .out_of_memory = fixture_out_of_memory,
        .context = f,
    };
    assert_int_equal(vm_create(&config, &f->vm), 0);
}

static void fixture_confine(struct fixture *f) {
    const struct sandbox_rule own = {.path = f->directory, .mode = SANDBOX_HOST};
    const struct sandbox_config config = {
        .wanted = true, .files = SANDBOX_NONE, .rules = &own, .rule_count = 1};
    const char *wrong;
    assert_int_equal(sandbox_create(&config, NULL, &f->sandbox, &wrong), 0);
}

static int fixture_build(void **state, bool confined) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->directory, "/tmp/thimble-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    if (confined)
        fixture_confine(f);
    assert_int_equal(disk_create(NULL, 64, NULL, &f->swap), 0);
    fixture_create_vm(f);
    f->engine = calloc(1, sizeof *f->engine);
    assert_non_null(f->engine);
    struct kernel_config config = {
        .vm = f->vm,
        .engine_ops = &engine_fake,
        .engine = f->engine,
        .inject = &f->inject,
        .level = CPU_LEVEL_V3,
        .deterministic = true,
        .seed = 1,
        .quantum = 10000,
        .wake_fd = -1,
        .sandbox = f->sandbox,
        .report = fixture_report,
        .context = f,
    };
    assert_int_equal(kernel_create(&config, &f->kernel), 0);
    *state = f;
    return 0;
}

int fixture_start(struct fixture *f, const char *file, char *const argv[], char *const envp[]) {
    const struct kernel_program program = {
        .file = file, .argv = argv, .envp = envp, .streams = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}};
    return kernel_start(f->kernel, &program);
}

int fixture_setup_without_process(void **state) {
    return fixture_build(state, false);
}

static int fixture_setup_with(void **state, bool confined) {
    uint8_t program[512];
    fixture_build(state, confined);
    struct fixture *f = *state;
    const char *path = fixture_write(f, "first", program, fixture_elf(program, ET_EXEC), 0755);
    char *argv[] = {"first", "argument", NULL}, *envp[] = {"NAME=value", NULL};
    assert_int_equal(fixture_start(f, path, argv, envp), 0);
    assert_ptr_equal(kernel_next_thread(f->kernel), fixture_first(f));
    return 0;
}

int fixture_setup(void **state) {
    return fixture_setup_with(state, false);
}

int fixture_setup_confined(void **state) {
    return fixture_setup_with(state, true);
}

int fixture_teardown(void **state) {
    struct fixture *f = *state;
    char command[128];
    fixture_check(f);
    kernel_destroy(f->kernel);
    assert_null(vm_check(f->vm));
    vm_destroy(f->vm);
    disk_destroy(f->swap);
    free(f->engine);
    sandbox_destroy(f->sandbox);
    snprintf(command, sizeof command, "rm -r '%s'", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

void fixture_check(struct fixture *f) {
    const char *wrong = kernel_check(f->kernel);
    if (wrong)
        fail_msg("%s", wrong);
}

struct thread *fixture_first(struct fixture *f) {
    struct thread *t = thread_find(f->kernel, 2);
    assert_non_null(t);
    return t;
}

/* ---- files ---- */

const char *fixture_write(struct fixture *f, const char *name, const void *bytes, size_t length, int mode) {
    static char path[128]; /* the test's own */
    snprintf(path, sizeof path, "%s/%s", f->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, (mode_t)mode), 0);
    return path;
}

size_t fixture_elf(uint8_t *bytes, uint16_t type) {
    static const uint8_t code[] = {0xb8, 60, 0, 0, 0, 0x0f, 0x05}; /* exit */
    const uint64_t base = type == ET_EXEC ? 0x400000 : 0;
    const size_t at = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), length = at + sizeof code;
    Elf64_Ehdr header = {.e_type = type,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_entry = base + at,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1};
    Elf64_Phdr segment = {.p_type = PT_LOAD,
                          .p_flags = PF_R | PF_W | PF_X,
                          .p_vaddr = base,
                          .p_filesz = length,
                          .p_memsz = length + 2 * PAGE_SIZE,
                          .p_align = PAGE_SIZE};
    memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, &segment, sizeof segment);
    memcpy(bytes + at, code, sizeof code);
    return length;
}

/* ---- calls ---- */

long fixture_result(struct thread *t) {
    return (long)t->cpu->registers.general[CPU_RAX];
}

long fixture_call(struct thread *t, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                  uint64_t f) {
    struct kernel *k = t->process->kernel;
    uint64_t *g = t->cpu->registers.general;
    g[CPU_RAX] = (uint64_t)number, g[CPU_RDI] = a, g[CPU_RSI] = b, g[CPU_RDX] = c;
    g[CPU_R10] = d, g[CPU_R8] = e, g[CPU_R9] = f;
    t->cpu->registers.rip += 2;
    kernel_trap(k, t, &(struct trap){.kind = TRAP_SYSCALL});
    return t->state == THREAD_SLEEPING ? FIXTURE_SLEEPS : fixture_result(t);
}

uint64_t fixture_map(struct thread *t) {
    long address = fixture_call(t, SYS_mmap, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0);
    assert_true(address > 0);
    return (uint64_t)address;
}
