/* A machine for tests, its programs small ones of our own; every event is kept, folded and checked. */
#ifndef TESTS_MACHINE_FIXTURE_H
#define TESTS_MACHINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/machine.h"
#include "trace/fold.h"

struct fixture {
    struct machine_config config; /* to be changed before fixture_create() */
    struct machine *machine;
    struct trace_sink sink;
    struct fold *fold;
    struct event *events;
    size_t count, capacity;
    bool silent;        /* no sink is added: nobody listens */
    char reported[512]; /* the first line for the user */
    unsigned reports;
    int output[2]; /* a pipe; the programs' output goes into [1] */
};

/* cmocka's: nine frames, three of them reserved, 28 pages of swap, deterministic, all checks. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Builds the machine from the configuration. */
void fixture_create(struct fixture *);
/* Adds PROGRAMS/name with these arguments, a stack of one page at stack_top (0: as usual) and no environment.
 * `argv` must live until the run is over. The result of machine_add_program(). */
int fixture_add(struct fixture *, const char *name, char *const argv[], uint32_t pid, uint64_t stack_top);
/* Runs them; the result of machine_run_programs(). */
int fixture_run(struct fixture *);
/* Builds, adds one program and runs it, which must succeed. */
void fixture_run_one(struct fixture *, const char *name, char *const argv[]);

/* What the programs wrote: NUL-terminated; good until the next call. */
const char *fixture_output(struct fixture *);
/* How many events of a kind there were, and the i-th (from 0) of them. */
size_t fixture_count(const struct fixture *, enum event_kind);
const struct event *fixture_event(const struct fixture *, enum event_kind, size_t i);
/* A string by its number, as the events gave it: NUL-terminated, good until the next call. "" for none. */
const char *fixture_string(struct fixture *, uint64_t number);
int fixture_exit_status(struct fixture *);

#endif
