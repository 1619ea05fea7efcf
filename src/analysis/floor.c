/* See floor.h. A byte a page says what it is now; three counters follow. */
#include "analysis/floor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "hw/types.h"

enum state {
    STATE_NEW,       /* not seen before */
    STATE_FILE,      /* can be dropped, and read again */
    STATE_ANONYMOUS, /* must stay */
    STATE_GIVEN_UP,  /* anonymous, but may be dropped until it is written again */
    STATE_DEAD,
};

struct floor_scan {
    const struct refs_source *source;
    uint8_t *states;   /* enum state by page */
    uint32_t capacity; /* of states */
    uint32_t anonymous, given_up, files;
    struct floor_result result;
};

int floor_scan_create(const struct refs_source *source, struct floor_scan **ret_scan) {
    struct floor_scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return -ENOMEM;
    scan->source = source;
    *ret_scan = scan;
    return 0;
}

void floor_scan_destroy(struct floor_scan *scan) {
    if (scan)
        free(scan->states);
    free(scan);
}

static int grow(struct floor_scan *scan, uint32_t pages) {
    if (pages <= scan->capacity)
        return 0;
    const uint32_t capacity = max_u32(pages, 2 * scan->capacity);
    uint8_t *states = realloc(scan->states, capacity);
    if (!states)
        return -ENOMEM;
    memset(states + scan->capacity, STATE_NEW, capacity - scan->capacity);
    scan->states = states;
    scan->capacity = capacity;
    return 0;
}

/* The page is there from now on. */
static void appear(struct floor_scan *scan, uint32_t page) {
    if (refs_page(scan->source, page)->flags & REFS_PAGE_FILE) {
        scan->states[page] = STATE_FILE;
        scan->files++;
        scan->result.cold_files++;
    } else {
        scan->states[page] = STATE_ANONYMOUS;
        scan->anonymous++;
        scan->result.cold_anonymous++;
    }
}

static void need(struct floor_scan *scan, uint32_t frames, uint64_t instruction) {
    struct floor_result *r = &scan->result;
    if (frames > r->floor) {
        r->floor = frames;
        r->floor_instruction = instruction;
    }
    r->anonymous = max_u32(r->anonymous, scan->anonymous);
    r->files = max_u32(r->files, scan->files);
    r->all = max_u32(r->all, scan->anonymous + scan->given_up + scan->files);
}

static void refer(struct floor_scan *scan, const struct refs_item *item) {
    uint8_t *state = &scan->states[item->page];
    if (*state == STATE_NEW)
        appear(scan, item->page);
    if (*state == STATE_GIVEN_UP && item->flags & ACCESS_WRITE) {
        *state = STATE_ANONYMOUS;
        scan->given_up--;
        scan->anonymous++;
    }
    need(scan, scan->anonymous + (*state != STATE_ANONYMOUS), item->instruction);
}

static void leave(struct floor_scan *scan, uint32_t page, enum state to) {
    uint8_t *state = &scan->states[page];
    scan->files -= *state == STATE_FILE;
    scan->anonymous -= *state == STATE_ANONYMOUS;
    scan->given_up -= *state == STATE_GIVEN_UP;
    scan->given_up += to == STATE_GIVEN_UP;
    *state = (uint8_t)to;
}

static void take_mark(struct floor_scan *scan, const struct refs_mark *mark) {
    if (mark->type == REFS_MARK_CREATE && mark->c != 0)
        scan->result.forked = true;
}

static void take(struct floor_scan *scan, const struct refs_item *item) {
    switch ((enum refs_kind)item->kind) {
    case REFS_REFERENCE: refer(scan, item); break;
    case REFS_DIES: leave(scan, item->page, STATE_DEAD); break;
    case REFS_GIVEN_UP:
        if (scan->states[item->page] == STATE_ANONYMOUS)
            leave(scan, item->page, STATE_GIVEN_UP);
        break;
    case REFS_MARK: take_mark(scan, refs_mark(scan->source, item->page)); break;
    case REFS_CLEANED:
    case REFS_COOLED: break;
    }
}

int floor_scan_feed(struct floor_scan *scan, const struct refs_item *items, size_t count) {
    const int error = grow(scan, refs_pages(scan->source));
    for (size_t i = 0; !error && i < count; i++)
        take(scan, &items[i]);
    return error;
}

void floor_scan_get(const struct floor_scan *scan, struct floor_result *ret_result) {
    *ret_result = scan->result;
}
