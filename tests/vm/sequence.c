/* See sequence.h. */
#include "sequence.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    operation *run;
    unsigned weight;
} operations[] = {
    {"read", op_read, 20},
    {"write", op_write, 26},
    {"fetch", op_fetch, 4},
    {"copy", op_user_copy, 10},
    {"map", op_map, 8},
    {"map anywhere", op_map_anywhere, 4},
    {"unmap", op_unmap, 4},
    {"protect", op_protect, 5},
    {"remap", op_remap, 6},
    {"advise", op_advise, 8},
    {"brk", op_brk, 3},
    {"lock", op_lock, 1},
    {"sync", op_sync, 1},
    {"fork", op_fork, 3},
    {"exit", op_exit, 2},
    {"file read", op_file_read, 3},
    {"file write", op_file_write, 3},
    {"truncate", op_truncate, 2},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0], THOROUGH = 8 };

void sequence_fail(struct sequence *s, const char *format, ...) {
    static char text[300]; /* the first failure ends the test */
    if (s->failure)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    s->failure = text;
}

void expect(struct sequence *s, const char *call, long result, long expected) {
    if (result != expected)
        sequence_fail(s, "%s gives %#lx (%ld), not %#lx (%ld)", call, result, result, expected, expected);
}

bool no_memory(struct sequence *s, long result) {
    const bool accepted = (result == -ENOMEM && (s->scarce || s->armed)) || (result == -EIO && s->armed);
    if (!accepted)
        return false;
    s->out_of_memory++;
    return true;
}

/* ---- choosing ---- */

uint64_t sequence_choose(struct sequence *s, uint64_t below) {
    uint64_t value = 0;
    for (uint64_t range = 1; range < below && s->choices_left; range <<= 8, s->choices_left--)
        value = value << 8 | *s->choices++;
    return value % below;
}

struct model_process *pick_process(struct sequence *s) {
    for (;;) {
        struct model_process *p = s->processes[pick(s, PROCESSES)];
        if (p)
            return p;
    }
}

uint64_t pick_address(struct sequence *s, struct model_process *p) {
    unsigned index = 0;
    for (int tries = 0; tries < 6; tries++) {
        index = (unsigned)(pick(s, 2) ? pick(s, MODEL_FIXED_PAGES) : pick(s, MODEL_PAGES));
        if (p->pages[index].mapped)
            break;
    }
    return model_address(index);
}

unsigned pick_protection(struct sequence *s) {
    static const unsigned protections[] = {3, 3, 3, 3, 1, 0, 5, 7, 2, 4};
    return protections[pick(s, sizeof protections / sizeof protections[0])];
}

/* ---- the run ---- */

static void create_contents(struct sequence *s) {
    for (int i = 0; i < OBJECTS; i++) {
        struct model_object *content = &s->contents[i];
        content->capacity = 16 * PAGE_SIZE;
        content->size = pick(s, 12 * PAGE_SIZE);
        content->bytes = calloc(1, content->capacity);
        if (i < FILES) {
            test_file_create(&s->files[i], content->capacity, content->size);
            memcpy(content->bytes, s->files[i].disk, content->size);
            object_create_file(s->machine.vm, &test_file_backing, &s->files[i], "/file", &s->objects[i]);
        } else {
            object_create_anonymous(s->machine.vm, content->size, "memory", &s->objects[i]);
        }
    }
}

static void create_first_process(struct sequence *s) {
    struct model_process *p = calloc(1, sizeof *p);
    expect(s, "space_create", space_create(s->machine.vm, ++s->last_pid, &p->space), 0);
    space_set_brk(p->space, MODEL_HEAP_START, 0);
    p->brk = MODEL_HEAP_START;
    s->processes[0] = p;
}

/* The vm after each step; what the events say, every now and then: it does not forget. */
static void check(struct sequence *s, bool thorough) {
    const char *wrong = thorough ? test_machine_check(&s->machine) : test_machine_check_vm(&s->machine);
    if (wrong)
        sequence_fail(s, "%s", wrong);
}

/* A disk will fail soon: swap, or files. */
static void arm(struct sequence *s) {
    struct inject *inject = &s->machine.inject;
    const unsigned kind = (unsigned)pick(s, 4);
    s->armed = true;
    if (kind == 0)
        inject->fail_at[INJECT_SWAP_READ] = inject->calls[INJECT_SWAP_READ] + 1 + pick(s, 3);
    if (kind == 1)
        inject->fail_at[INJECT_SWAP_WRITE] = inject->calls[INJECT_SWAP_WRITE] + 1 + pick(s, 3);
    inject->for_good[INJECT_SWAP_READ] = inject->for_good[INJECT_SWAP_WRITE] = pick(s, 2);
    for (int i = 0; i < FILES; i++) {
        s->files[i].read_error = kind == 2 ? -EIO : 0;
        s->files[i].write_error = kind == 3 ? -EIO : 0;
    }
}

static void disarm(struct sequence *s) {
    struct inject *inject = &s->machine.inject;
    s->armed = false;
    inject->fail_at[INJECT_SWAP_READ] = inject->fail_at[INJECT_SWAP_WRITE] = 0;
    for (int i = 0; i < FILES; i++)
        s->files[i].read_error = s->files[i].write_error = 0;
}

static void run_step(struct sequence *s, bool verbose) {
    unsigned total = 0, i = 0;
    for (unsigned k = 0; k < OPERATIONS; k++)
        total += operations[k].weight;
    unsigned number = (unsigned)pick(s, total);
    while (number >= operations[i].weight)
        number -= operations[i++].weight;
    if (verbose)
        fprintf(stderr, "step %u: %s\n", s->step, operations[i].name);
    if (s->flaky && pick(s, 3) == 0)
        arm(s);
    operations[i].run(s, pick_process(s));
    disarm(s);
    s->served++;
    check(s, s->step % THOROUGH == 0);
}

/* Everything goes; nothing may be left. */
static void finish(struct sequence *s) {
    sequence_compare_all(s);
    check(s, true);
    for (int i = 0; i < PROCESSES; i++) {
        if (!s->processes[i])
            continue;
        space_unref(s->processes[i]->space);
        model_exit(s->processes[i]);
        free(s->processes[i]);
        s->processes[i] = NULL;
    }
    for (int i = 0; i < OBJECTS; i++)
        object_unref(s->objects[i]);
    check(s, true);
    struct vm_counts counts;
    vm_get_counts(s->machine.vm, &counts);
    if (counts.swap.used || counts.frames.anonymous || counts.frames.page_tables)
        sequence_fail(s, "after the last exit: %lu slots, %u anonymous frames, %u table frames in use",
                      counts.swap.used, counts.frames.anonymous, counts.frames.page_tables);
    test_machine_destroy(&s->machine);
    for (int i = 0; i < FILES; i++) {
        if (!s->files[i].released)
            sequence_fail(s, "file %d was not released", i);
        if (memcmp(s->files[i].disk, s->contents[i].bytes, s->files[i].size) != 0)
            sequence_fail(s, "at the end, file %d does not hold what was written", i);
    }
}

static void free_contents(struct sequence *s) {
    for (int i = 0; i < FILES; i++)
        test_file_free(&s->files[i]);
    for (int i = 0; i < OBJECTS; i++)
        free(s->contents[i].bytes);
    for (unsigned i = 0; i < s->made_count; i++) {
        free(s->made[i]->bytes);
        free(s->made[i]);
    }
}

static const char *sequence_go(struct sequence *s, unsigned steps) {
    const bool verbose = getenv("MODEL_VERBOSE") != NULL;
    s->scarce = s->config.format->levels > 1 || s->config.swap_pages < 600;
    s->flaky = pick(s, 4) == 0;
    const int error = test_machine_create(&s->config, &s->machine);
    if (error)
        return "the machine cannot be created";
    create_contents(s);
    create_first_process(s);
    for (s->step = 1; s->step <= steps && !s->failure && (!s->choices || s->choices_left); s->step++)
        run_step(s, verbose);
    if (!s->failure)
        finish(s);
    if (!s->failure)
        free_contents(s);
    return s->failure;
}

const char *sequence_run(struct sequence *s, const struct test_config *config, uint64_t seed,
                         unsigned steps) {
    *s = (struct sequence){.config = *config, .rng = {seed}};
    return sequence_go(s, steps);
}

const char *sequence_run_choices(struct sequence *s, const struct test_config *config, const uint8_t *bytes,
                                 size_t size) {
    *s = (struct sequence){.config = *config, .rng = {1}, .choices = bytes, .choices_left = size};
    return sequence_go(s, UINT_MAX);
}
