/* See machine.h. */
#include "machine.h"

#include <elf.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kernel/engine.h"
#include "../kernel/fixture.h"
#include "kernel/sandbox/sandbox.h"

enum { FRAMES = 96, RESERVED = 3, SLOTS = 64, FILE_BYTES_MAX = 1 << 18 };

/* What outlives a machine. */
static struct {
    char folder[64];
    struct disk *swap;
    struct sandbox *sandbox;
    int wake_fd; /* always readable: the machine never waits for the host */
} common;

void fuzz_fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    abort();
}

static void require(bool condition, const char *why) {
    if (!condition)
        fuzz_fail(why);
}

const char *fuzz_folder(void) {
    return common.folder;
}

/* ---- files ---- */

static void folder_clear(void) {
    char *const roots[] = {common.folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    require(tree, "the folder cannot be read");
    for (FTSENT *e; (e = fts_read(tree));) {
        if (e->fts_info == FTS_D)
            chmod(e->fts_accpath, 0700);
        else if (e->fts_level > FTS_ROOTLEVEL)
            require(remove(e->fts_accpath) == 0, "an entry cannot be removed");
    }
    fts_close(tree);
}

static void put_file(const char *name, const void *bytes, size_t length, mode_t mode) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", common.folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    require(fd >= 0 && write(fd, bytes, length) == (ssize_t)length && close(fd) == 0,
            "a file cannot be written");
}

static void folder_fill(void) {
    static const char text[6000] = "some text", script[] = "#!first\n";
    uint8_t program[512];
    char path[128];
    snprintf(path, sizeof path, "%s/d", common.folder);
    put_file("first", program, fixture_elf(program, ET_EXEC), 0700);
    put_file("a", text, sizeof text, 0600);
    put_file("b", text, 100, 0600);
    put_file("script", script, sizeof script - 1, 0700);
    require(mkdir(path, 0700) == 0, "a folder cannot be made");
    put_file("d/e", text, 10, 0600);
    snprintf(path, sizeof path, "%s/loop", common.folder);
    require(symlink("loop", path) == 0, "a link cannot be made");
}

static void folder_remove(void) {
    folder_clear();
    rmdir(common.folder);
}

/* ---- once ---- */

static void common_create(void) {
    const struct rlimit bytes = {FILE_BYTES_MAX, FILE_BYTES_MAX};
    const char *parent = getenv("TMPDIR"), *wrong;
    snprintf(common.folder, sizeof common.folder, "%s/thimble-fuzz-XXXXXX", parent ? parent : "/tmp");
    require(mkdtemp(common.folder), "no folder can be made");
    atexit(folder_remove);
    signal(SIGXFSZ, SIG_IGN);
    require(disk_create(NULL, SLOTS, NULL, &common.swap) == 0, "no swap area can be made");
    require(setrlimit(RLIMIT_FSIZE, &bytes) == 0, "the size of files cannot be limited");
    common.wake_fd = eventfd(1, EFD_CLOEXEC);
    const struct sandbox_rule own = {.path = common.folder, .mode = SANDBOX_HOST};
    const struct sandbox_config config = {
        .wanted = true, .files = SANDBOX_NONE, .rules = &own, .rule_count = 1};
    require(sandbox_create(&config, NULL, &common.sandbox, &wrong) == 0, "no sandbox can be made");
}

/* ---- a machine ---- */

static bool out_of_memory(void *context) {
    struct fuzz_machine *m = context;
    return kernel_out_of_memory(m->kernel);
}

static void report(void *context, const char *line) {}

static int lowest_free_descriptor(void) {
    int fd = fcntl(common.wake_fd, F_DUPFD, 0);
    close(fd);
    return fd;
}

static void vm_build(struct fuzz_machine *m) {
    const char *parameters = NULL;
    struct vm_config config = {
        .frames = FRAMES,
        .reserved = RESERVED,
        .format = page_table_find("array"),
        .policy = policy_find("clock", &parameters),
        .swap = common.swap,
        .out_of_memory = out_of_memory,
        .context = m,
    };
    require(vm_create(&config, &m->vm) == 0, "no memory can be made");
}

static void kernel_build(struct fuzz_machine *m) {
    struct kernel_config config = {
        .vm = m->vm,
        .engine_ops = &engine_fake,
        .engine = m->engine,
        .level = CPU_LEVEL_V3,
        .deterministic = true,
        .seed = 1,
        .quantum = 10000,
        .limits = {.tasks = 16},
        .sandbox = common.sandbox,
        .no_network = true,
        .wake_fd = common.wake_fd,
        .report = report,
    };
    require(kernel_create(&config, &m->kernel) == 0, "no kernel can be made");
}

void fuzz_machine_create(struct fuzz_machine *m) {
    if (!common.swap)
        common_create();
    folder_clear();
    folder_fill();
    m->lowest_descriptor = lowest_free_descriptor();
    m->engine = calloc(1, sizeof *m->engine);
    require(m->engine, "no memory");
    vm_build(m);
    kernel_build(m);
    char *argv[] = {"first", "argument", NULL}, *envp[] = {"NAME=value", NULL};
    const struct kernel_program program = {
        .file = "./first", .argv = argv, .envp = envp, .streams = {-1, -1, -1}, .directory = common.folder};
    require(kernel_start(m->kernel, &program) == 0, "the program cannot be started");
}

void fuzz_machine_check(struct fuzz_machine *m) {
    const char *wrong = kernel_check(m->kernel);
    if (!wrong)
        wrong = vm_check(m->vm);
    if (wrong)
        fuzz_fail(wrong);
}

void fuzz_machine_destroy(struct fuzz_machine *m) {
    struct vm_counts counts;
    kernel_destroy(m->kernel);
    require(!vm_check(m->vm), "the vm is broken after the last program");
    vm_get_counts(m->vm, &counts);
    require(counts.frames.free == FRAMES - RESERVED, "frames were not given back");
    require(counts.swap.used == 0, "swap slots were not given back");
    vm_destroy(m->vm);
    free(m->engine);
    require(lowest_free_descriptor() == m->lowest_descriptor, "a host descriptor was not closed");
}
