/* Runs a static program on the host and in the engine, with several numbers of frames, TLB entries and time
 * slices, traced and not: the same output and status, the same count of instructions and the same references
 * each time; and the same references to code and to data when it is run step by step.
 *
 *     differential [--step] PROGRAM [FRAMES...]
 *
 * --step: single steps, too, for a program that reads no flags and no code as data. */
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
    uint64_t instructions;
    struct os_runs all, code, data;
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
                       os.all,    os.code,           os.data};
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

static bool same_runs(const char *what, const struct os_runs *a, const struct os_runs *b, bool timed) {
    const bool same =
        a->count == b->count && a->pages == b->pages && (!timed || a->instructions == b->instructions);
    if (!same)
        printf("  other references (%s): %lu and %lu\n", what, a->count, b->count);
    return same;
}

/* Blocks are fetched at their entries, instructions that are stepped through at each; apart from each other,
 * code and data are the same strings. A repeated string instruction counts differently when it is stepped
 * through. */
static bool agrees_with_steps(const struct result *traced, const struct result *steps) {
    return same_runs("code of single steps", &traced->code, &steps->code, false) &&
           same_runs("data of single steps", &traced->data, &steps->data, false);
}

static const struct os_config *config_for(int i, const char *frames) {
    static const unsigned tlb_entries[] = {1024, 16, 256, 4096};
    static const uint64_t quanta[] = {UINT64_MAX, 1000, 77, 100000};
    static struct os_config config;
    config = (struct os_config){.frames = (uint32_t)atoi(frames),
                                .tlb_entries = tlb_entries[(size_t)i % ARRAY_LENGTH(tlb_entries)],
                                .quantum = quanta[(size_t)i % ARRAY_LENGTH(quanta)],
                                .seed = (uint64_t)i,
                                .level = CPU_LEVEL_V3};
    return &config;
}

int main(int argc, char **argv) {
    const bool step = argc > 1 && strcmp(argv[1], "--step") == 0;
    argc -= step;
    argv += step;
    if (argc < 3)
        return 2;
    struct result native = run_native(argv[1]), first = {0};
    int failed = 0;
    enum { PLAIN, TRACED, STEPPED, MODES };
    static const char *const names[] = {"", ", traced", ", in single steps"};
    for (int i = 2; i < argc; i++) {
        for (int mode = PLAIN; mode < MODES; mode++) {
            struct os_config config = *config_for(i, argv[i]);
            config.trace = mode != PLAIN;
            config.single_step = mode == STEPPED;
            if (mode == STEPPED && (!step || i > 2))
                continue;
            struct result r = run_engine(argv[1], &config);
            bool ok = agrees(&native, &r, mode == STEPPED ? 0 : first.instructions);
            if (mode == TRACED && first.all.begun)
                ok &= same_runs("all", &first.all, &r.all, true);
            if (mode == STEPPED)
                ok &= agrees_with_steps(&first, &r);
            if (mode == PLAIN)
                first.instructions = r.instructions;
            if (mode == TRACED && !first.all.begun)
                first = r;
            printf("%s: %s frames, %u TLB entries%s: %lu instructions, %lu references\n",
                   ok ? "ok" : "FAILED", argv[i], config.tlb_entries, names[mode], r.instructions,
                   r.all.count);
            failed += !ok;
            free(r.output);
        }
    }
    free(native.output);
    return failed != 0;
}
