/* One random sequence of memory calls and accesses, run on a machine and on the model side by side. */
#ifndef TESTS_VM_SEQUENCE_H
#define TESTS_VM_SEQUENCE_H

#include "base/rng.h"
#include "fixture.h"
#include "model.h"

enum { PROCESSES = 3, FILES = 2, OBJECTS = 3, MADE_OBJECTS = 512 };

struct sequence {
    struct test_machine machine;
    struct test_config config;
    struct rng rng;
    const uint8_t *choices; /* instead of the generator's numbers, as long as they last; NULL: none */
    size_t choices_left;
    bool scarce; /* memory or swap may run out: calls may fail with -ENOMEM */
    bool flaky;  /* now and then a disk fails during an operation */
    bool armed;  /* … during this one */
    unsigned step;
    const char *failure; /* NULL: none yet */

    struct model_process *processes[PROCESSES]; /* NULL: not alive */
    uint32_t last_pid;

    struct test_file files[FILES];
    struct object *objects[OBJECTS]; /* the files', then one of shared memory */
    struct model_object contents[OBJECTS];
    struct model_object *made[MADE_OBJECTS]; /* of shared anonymous mappings */
    unsigned made_count;

    uint64_t served, out_of_memory; /* operations that went through, and that had no memory */
};

/* Runs `steps` operations chosen by the seed. NULL, or what went wrong. */
const char *sequence_run(struct sequence *, const struct test_config *, uint64_t seed, unsigned steps);
/* Runs the operations that the bytes choose. */
const char *sequence_run_choices(struct sequence *, const struct test_config *, const uint8_t *bytes,
                                 size_t size);

/* ---- for the files of operations ---- */

void sequence_fail(struct sequence *, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t sequence_choose(struct sequence *, uint64_t below);
static inline uint64_t pick(struct sequence *s, uint64_t below) {
    return s->choices_left ? sequence_choose(s, below) : rng_below(&s->rng, below);
}
struct model_process *pick_process(struct sequence *);
/* A page in a window, mapped if one is found quickly. */
uint64_t pick_address(struct sequence *, struct model_process *);
unsigned pick_protection(struct sequence *);
/* True if a call's -ENOMEM, or a disk's error, is to be accepted as an operation that did not happen. */
bool no_memory(struct sequence *, long result);
/* Complains unless the result is what the model says. */
void expect(struct sequence *, const char *call, long result, long expected);

typedef void operation(struct sequence *, struct model_process *);

/* sequence-calls.c */
operation op_map, op_map_anywhere, op_unmap, op_protect, op_remap, op_advise, op_brk, op_lock, op_sync;
/* sequence-access.c */
operation op_read, op_write, op_fetch, op_user_copy, op_fork, op_exit, op_file_read, op_file_write,
    op_truncate;
void sequence_compare_all(struct sequence *);

#endif
