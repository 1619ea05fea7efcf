/* Runs a program in a machine and writes its reference string, joined into maximal runs.
 *
 *     tap mapped|all FRAMES POLICY SWAP-PAGES FILE PROGRAM [ARGUMENT]...
 *
 * The first word is --page-cache's.
 *
 * Prints what `thimble run` says in its summary: misses, evictions of clean pages, to swap, to files. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "machine/machine.h"

extern char **environ;

struct tap {
    struct machine *machine;
    struct item *items;
    size_t count, capacity;
    size_t open; /* the item of the run that is under way, plus 1; 0: none */
    uint64_t *holds;
    size_t frames;
    uint64_t instruction;
};

static void *grow(void *array, size_t *capacity, size_t needed, size_t size) {
    const size_t before = *capacity;
    if (needed <= before)
        return array;
    *capacity = needed > 2 * before ? needed : 2 * before;
    array = realloc(array, *capacity * size);
    if (!array)
        abort();
    memset((char *)array + before * size, 0, (*capacity - before) * size);
    return array;
}

static void add(struct tap *t, enum item_kind kind, uint64_t page, uint32_t flags) {
    t->items = grow(t->items, &t->capacity, t->count + 1, sizeof *t->items);
    t->items[t->count++] =
        (struct item){.instruction = t->instruction, .page = page, .kind = kind, .flags = flags};
    t->open = kind == ITEM_REFERENCE ? t->count : kind == ITEM_APPEARS ? t->open : 0;
}

static void note_appears(void *context, page_id_t id, const struct vm_place *place) {
    add(context, ITEM_APPEARS, id.n, place->object && object_file(place->object));
}

static void note_holds(void *context, pfn_t frame, page_id_t id) {
    struct tap *t = context;
    t->holds = grow(t->holds, &t->frames, frame.n + 1, sizeof *t->holds);
    t->holds[frame.n] = id.n;
}

static void note_references(void *context, const struct reference_log *log) {
    struct tap *t = context;
    for (size_t i = 0; i < log->count; i++) {
        const struct reference e = log_reference(log, i);
        const uint32_t frame = e.frame;
        if (frame >= t->frames || !t->holds[frame])
            continue;
        const uint64_t page = t->holds[frame];
        const uint32_t flags = (e.written ? ACCESS_WRITE : 0U) | (e.fetched ? ACCESS_EXEC : 0U);
        t->instruction = e.instruction;
        if (t->open && t->items[t->open - 1].page == page)
            t->items[t->open - 1].flags |= flags;
        else
            add(t, ITEM_REFERENCE, page, flags);
    }
}

static void note_dies(void *context, page_id_t id, enum policy_remove reason) {
    add(context, ITEM_DIES, id.n, reason);
}
static void note_cleaned(void *context, page_id_t id) {
    add(context, ITEM_CLEANED, id.n, 0);
}
static void note_cooled(void *context, page_id_t id) {
    add(context, ITEM_COOLED, id.n, 0);
}
static void note_given_up(void *context, page_id_t id) {
    add(context, ITEM_GIVEN_UP, id.n, 0);
}

static void report(void *context, const char *line) {
    fprintf(stderr, "tap: %s\n", line);
}

static int fail(const char *what, int error) {
    fprintf(stderr, "tap: %s: %s\n", what, strerror(-error));
    return 125;
}

static int write_items(const struct tap *t, const char *path) {
    FILE *to = fopen(path, "we");
    if (!to)
        return -errno;
    const size_t written = fwrite(t->items, sizeof *t->items, t->count, to);
    return fclose(to) || written != t->count ? -EIO : 0;
}

static void print_summary(struct machine *machine) {
    struct machine_summary s;
    machine_get_summary(machine, &s);
    const struct tally *tally = &s.vm.tally;
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", tally->misses,
           tally->evictions[EVENT_VICTIM_CLEAN], tally->evictions[EVENT_VICTIM_TO_SWAP],
           tally->evictions[EVENT_VICTIM_TO_FILE]);
}

int main(int argc, char **argv) {
    struct tap t = {0};
    char *message = NULL;
    if (argc < 7)
        return fail("mapped|all FRAMES POLICY SWAP-PAGES FILE PROGRAM [ARGUMENT]...", -EINVAL);
    const struct machine_config config = {
        .cache_all = !strcmp(argv[1], "all"),
        .available = (uint32_t)strtoul(argv[2], NULL, 10),
        .policy = argv[3],
        .swap_pages = (uint32_t)strtoul(argv[4], NULL, 10),
        .deterministic = true,
        .seed = 1,
        .told_pages = 1 << 20,
        .level = CPU_LEVEL_V3,
        .tlb_entries = 1024,
        .check = getenv("THIMBLE_CHECK") != NULL,
        .observer = {.context = &t,
                     .appears = note_appears,
                     .holds = note_holds,
                     .references = note_references,
                     .dies = note_dies,
                     .cleaned = note_cleaned,
                     .cooled = note_cooled,
                     .given_up = note_given_up},
        .report = report,
    };
    int error = machine_create(&config, &t.machine, &message);
    if (error)
        return fail(message ? message : "machine", error);
    error = machine_run(t.machine, argv[6], argv + 6, environ);
    if (error)
        return fail(argv[6], error);
    print_summary(t.machine);
    error = write_items(&t, argv[5]); /* what taking the machine down does is no part of the run */
    machine_destroy(t.machine);
    free(t.items);
    free(t.holds);
    return error ? fail(argv[5], error) : 0;
}
