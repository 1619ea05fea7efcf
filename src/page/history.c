/* Samples of a run: see history.h.
 *
 * A sample holds what is true after its event. Sample i belongs to event (i + 1) · every; what follows the
 * last whole distance is told as one more sample when the history is put out, so that a chart reaches the
 * end. Address spaces are counted for the process that they were made for. */
#include "page/history.h"

#include <errno.h>

#include "base/base.h"
#include "hw/pte.h"
#include "trace/schema.h"
#include "trace/sorted.h"

enum { PROCESS_PLACES = HISTORY_PROCESSES + 1, REST = HISTORY_PROCESSES, READ_EVENTS = 512 };

struct sample {
    uint64_t sequence, instruction;
    uint32_t faults[FILM_TIMELINE_KINDS];
    uint32_t resident[PROCESS_PLACES]; /* pages; the last place is for the rest */
};

struct space {
    size_t place;
    uint32_t present;
};

struct history {
    uint64_t every;
    struct sample now; /* after the last event taken in */
    struct sample samples[HISTORY_SAMPLES];
    size_t count;
    uint32_t pids[HISTORY_PROCESSES]; /* in the order of their first address space */
    size_t pid_count;
    bool rest; /* there were more */
    struct sorted spaces;
};

int history_create(struct history **ret_history) {
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return -ENOMEM;
    h->every = 1;
    *ret_history = h;
    return 0;
}

void history_destroy(struct history *h) {
    if (!h)
        return;
    for (size_t i = 0; i < h->spaces.count; i++)
        free(h->spaces.entries[i].value);
    free(h->spaces.entries);
    free(h);
}

/* The place of a process in a sample. */
static size_t place_of(struct history *h, uint32_t pid) {
    for (size_t i = 0; i < h->pid_count; i++)
        if (h->pids[i] == pid)
            return i;
    if (h->pid_count == HISTORY_PROCESSES) {
        h->rest = true;
        return REST;
    }
    h->pids[h->pid_count] = pid;
    return h->pid_count++;
}

static int space_create(struct history *h, const struct event *e) {
    if (sorted_get(&h->spaces, e->args[0]))
        return 0; /* a contradiction in the trace, which the fold reports */
    struct space *space = calloc(1, sizeof *space);
    if (!space)
        return -ENOMEM;
    space->place = place_of(h, (uint32_t)e->args[1]);
    if (!sorted_add(&h->spaces, e->args[0], space, NULL))
        return 0;
    free(space);
    return -ENOMEM;
}

static void space_destroy(struct history *h, const struct event *e) {
    struct space *space = sorted_remove(&h->spaces, e->args[0]);
    if (space)
        h->now.resident[space->place] -= space->present;
    free(space);
}

static void entry_change(struct history *h, const struct event *e) {
    struct space *space = sorted_get(&h->spaces, e->args[0]);
    bool before = pte_is_present((pte_t){e->args[2]}), after = pte_is_present((pte_t){e->args[3]});
    if (!space || before == after || (before && !space->present))
        return;
    space->present += after ? 1 : -1U;
    h->now.resident[space->place] += after ? 1 : -1U;
}

static void keep_sample(struct history *h) {
    if (h->count == HISTORY_SAMPLES) {
        for (size_t i = 0; i < HISTORY_SAMPLES / 2; i++)
            h->samples[i] = h->samples[2 * i + 1];
        h->count /= 2;
        h->every *= 2;
    }
    if (h->now.sequence % h->every == 0)
        h->samples[h->count++] = h->now;
}

int history_add(struct history *h, const struct event *e) {
    int error = 0;
    if (e->kind == EVENT_SPACE_CREATE)
        error = space_create(h, e);
    else if (e->kind == EVENT_SPACE_DESTROY)
        space_destroy(h, e);
    else if (e->kind == EVENT_PTE)
        entry_change(h, e);
    else if (e->kind == EVENT_FAULT_DONE && e->flags < FILM_TIMELINE_KINDS)
        h->now.faults[e->flags]++;
    if (error)
        return error;
    h->now.sequence++;
    h->now.instruction = e->instruction;
    if (h->now.sequence % h->every == 0)
        keep_sample(h);
    return 0;
}

int history_update(struct history *h, struct film *film) {
    struct event events[READ_EVENTS];
    while (h->now.sequence < film_events(film)) {
        size_t count;
        int error = film_read(film, h->now.sequence + 1, events, READ_EVENTS, &count);
        for (size_t i = 0; i < count && !error; i++)
            error = history_add(h, &events[i]);
        if (error)
            return error;
    }
    return 0;
}

/* ---- putting out ---- */

/* How many samples are told: those kept, and what is true now. */
static size_t column_length(const struct history *h) {
    return h->count + (h->now.sequence % h->every != 0);
}

static const struct sample *column_sample(const struct history *h, size_t i) {
    return i < h->count ? &h->samples[i] : &h->now;
}

static void put_column(const struct history *h, struct text *t,
                       uint64_t (*value)(const struct sample *, size_t which), size_t which) {
    text_put(t, "[");
    for (size_t i = 0; i < column_length(h); i++) {
        text_put(t, i ? "," : "");
        text_number(t, value(column_sample(h, i), which));
    }
    text_put(t, "]");
}

static void put_columns(const struct history *h, struct text *t,
                        uint64_t (*value)(const struct sample *, size_t which), size_t columns) {
    text_put(t, "[");
    for (size_t i = 0; i < columns; i++) {
        text_put(t, i ? "," : "");
        put_column(h, t, value, i);
    }
    text_put(t, "]");
}

static uint64_t value_sequence(const struct sample *s, size_t which) {
    return s->sequence;
}
static uint64_t value_instruction(const struct sample *s, size_t which) {
    return s->instruction;
}
static uint64_t value_faults(const struct sample *s, size_t which) {
    return s->faults[which];
}
static uint64_t value_resident(const struct sample *s, size_t which) {
    return s->resident[which];
}

static void put_pids(const struct history *h, struct text *t) {
    text_put(t, ",\"pids\":[");
    for (size_t i = 0; i < h->pid_count; i++) {
        text_put(t, i ? "," : "");
        text_number(t, h->pids[i]);
    }
    text_put(t, h->rest ? ",0]" : "]");
}

void history_put_json(const struct history *h, struct text *t) {
    text_put(t, "{\"events\":");
    text_number(t, h->now.sequence);
    text_put(t, ",\"every\":");
    text_number(t, h->every);
    text_put(t, ",\"kinds\":[");
    for (unsigned i = 0; i < FILM_TIMELINE_KINDS; i++) {
        text_put(t, i ? "," : "");
        text_string(t, event_fault_name(i), strlen(event_fault_name(i)));
    }
    text_put(t, "]");
    put_pids(h, t);
    text_put(t, ",\"n\":");
    put_column(h, t, value_sequence, 0);
    text_put(t, ",\"instructions\":");
    put_column(h, t, value_instruction, 0);
    text_put(t, ",\"faults\":");
    put_columns(h, t, value_faults, FILM_TIMELINE_KINDS);
    text_put(t, ",\"resident\":");
    put_columns(h, t, value_resident, h->pid_count + h->rest);
    text_put(t, "}");
}
