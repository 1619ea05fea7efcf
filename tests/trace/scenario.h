/* A make-believe machine for tests: it emits random but consistent events and keeps its own state in the
 * plainest way there is (flat arrays, searched from end to end), to compare a fold with. */
#ifndef TESTS_TRACE_SCENARIO_H
#define TESTS_TRACE_SCENARIO_H

#include "base/rng.h"
#include "trace/event.h"
#include "trace/fold.h"
#include "trace/header.h"
#include "trace/sink.h"

enum {
    SCENARIO_FRAMES = 24,
    SCENARIO_RESERVED = 3,
    SCENARIO_SLOTS = 24,
    SCENARIO_SPACES = 5,
    SCENARIO_PAGES = 600, /* of each address space: more than one leaf of the fold */
    SCENARIO_OBJECTS = 4,
    SCENARIO_OBJECT_PAGES = 8,
    SCENARIO_PROCESSES = 64,
};

struct scenario_page {
    bool mapped;
    uint16_t flags;
    uint64_t object, object_page;
    uint64_t pte;
};

struct scenario_process { /* the one with pid index + 1 */
    uint32_t parent;
    uint64_t space;
    bool ended;
    uint32_t wait_status;
    uint64_t syscalls;
    char command[100];
    size_t command_length;
    struct tally tally;
};

struct scenario_content {
    bool known;
    uint8_t bytes[PAGE_SIZE];
};

struct scenario {
    struct trace trace;
    struct rng rng;
    uint64_t instructions;
    /* address spaces: number 0 is a free place */
    uint64_t space_number[SCENARIO_SPACES], next_space;
    uint32_t space_pid[SCENARIO_SPACES];
    struct scenario_page pages[SCENARIO_SPACES][SCENARIO_PAGES];
    struct scenario_process processes[SCENARIO_PROCESSES];
    uint32_t process_count;
    enum event_frame use[SCENARIO_FRAMES];
    uint64_t frame_page[SCENARIO_FRAMES];
    uint64_t frame_since[SCENARIO_FRAMES];
    struct fold_slot slots[SCENARIO_SLOTS];
    struct scenario_content frame_content[SCENARIO_FRAMES], slot_content[SCENARIO_SLOTS];
    char output[FOLD_OUTPUT]; /* the end of it stands at the end */
    uint64_t output_total;
    uint64_t labels;
    struct fold_label last_label;
    uint64_t object_generation[SCENARIO_OBJECTS], next_generation; /* 0: the object is gone */
    uint64_t next_page;
    bool evicted[1 << 12]; /* by object generation * SCENARIO_OBJECT_PAGES + page */
    uint64_t switches, syscalls;
    struct tally tally;
    bool refault;
};

/* Adds the sink, if there is one, and starts the machine with its first process. */
void scenario_start(struct scenario *, uint64_t seed, struct trace_sink *);
/* Does one random thing, with all the events that belong to it. */
void scenario_step(struct scenario *);
/* Until so many events were emitted. */
void scenario_run(struct scenario *, uint64_t events);
void scenario_stop(struct scenario *);
/* NULL, or in what the fold differs. */
const char *scenario_compare(const struct scenario *, const struct fold *);
/* Fails the test when the two do not save the same bytes. */
void scenario_assert_same(const struct fold *, const struct fold *);
/* A header that goes with it. */
const struct trace_header *scenario_header(void);

/* A sink that keeps every event. */
struct recorder {
    struct trace_sink sink;
    struct event *events;
    size_t count, capacity;
};
struct recorder recorder(void);
void recorder_free(struct recorder *);

#endif
