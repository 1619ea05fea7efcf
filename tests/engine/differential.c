/* Runs a static program on the host and in the engine, with several numbers of frames, TLB entries and time
 * slices, traced and not: the same output and status, and the same count of instructions each time.
 *
 *     differential PROGRAM [FRAMES...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "os.h"

struct result {
    int status;
    char *output;
    size_t length;
    uint64_t instructions, reference_hash;
};

static struct result run_native(char *program) {
    struct result r = {.output = malloc(OS_OUTPUT)};
    int fd[2], status;
    if (!r.output || pipe(fd) != 0)
        exit(2);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 1);
        execl(program, program, (char *)NULL);
        _exit(2);
    }
    close(fd[1]);
    for (ssize_t n; (n = read(fd[0], r.output + r.length, OS_OUTPUT - r.length)) > 0;)
        r.length += (size_t)n;
    close(fd[0]);
    waitpid(pid, &status, 0);
    r.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return r;
}

static struct result run_engine(char *program, const struct os_config *config) {
    struct os os;
    struct engine_counters counters;
    os_create(&os, config);
    os_load(&os, program, 1, &program);
    os_run(&os);
    engine_soft.get_counters(os.engine, &counters);
    struct result r = {os.status, malloc(OS_OUTPUT), os.output_length, counters.instructions,
                       os.reference_hash};
    if (!r.output)
        exit(2);
    memcpy(r.output, os.output, os.output_length);
    os_destroy(&os);
    return r;
}

static void print_first_difference(const struct result *native, const struct result *engine) {
    size_t i = 0, line = 0;
    while (i < native->length && i < engine->length && native->output[i] == engine->output[i])
        if (native->output[i++] == '\n')
            line = i;
    printf("  native: %.*s\n  engine: %.*s\n", (int)strcspn(native->output + line, "\n"),
           native->output + line, (int)strcspn(engine->output + line, "\n"), engine->output + line);
}

/* Whether the run agrees with the host, and in its count with the first run (0: this is the first). */
static bool agrees(const struct result *native, const struct result *engine, uint64_t instructions) {
    if (native->status != engine->status) {
        printf("  status %d instead of %d\n", engine->status, native->status);
        return false;
    }
    if (native->length != engine->length || memcmp(native->output, engine->output, native->length) != 0) {
        print_first_difference(native, engine);
        return false;
    }
    if (instructions && instructions != engine->instructions) {
        printf("  %lu instructions instead of %lu\n", engine->instructions, instructions);
        return false;
    }
    return true;
}

int main(int argc, char **argv) {
    static const unsigned tlb_entries[] = {1024, 16, 256, 4096};
    static const uint64_t quanta[] = {UINT64_MAX, 1000, 77, 100000};
    if (argc < 3)
        return 2;
    struct result native = run_native(argv[1]);
    uint64_t instructions = 0, reference_hash = 0;
    int failed = 0;
    for (int i = 2; i < argc; i++) {
        for (int trace = 0; trace < 2; trace++) {
            struct os_config config = {.frames = (uint32_t)atoi(argv[i]),
                                       .tlb_entries = tlb_entries[(size_t)i % ARRAY_LENGTH(tlb_entries)],
                                       .quantum = quanta[(size_t)i % ARRAY_LENGTH(quanta)],
                                       .seed = (uint64_t)i,
                                       .level = CPU_LEVEL_V3,
                                       .trace = trace};
            struct result r = run_engine(argv[1], &config);
            bool ok = agrees(&native, &r, instructions);
            if (trace && reference_hash && r.reference_hash != reference_hash) {
                printf("  other references\n");
                ok = false;
            }
            instructions = r.instructions;
            reference_hash = trace ? r.reference_hash : reference_hash;
            printf("%s: %s frames, %u TLB entries%s: %lu instructions\n", ok ? "ok" : "FAILED", argv[i],
                   config.tlb_entries, trace ? ", traced" : "", r.instructions);
            failed += !ok;
            free(r.output);
        }
    }
    free(native.output);
    return failed != 0;
}
