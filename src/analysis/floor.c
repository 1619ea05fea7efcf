/* See floor.h. A byte a page says what it is now; a counter of each state follows. */
#include "analysis/floor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/base.h"
#include "hw/types.h"

enum state {
    STATE_NEW,           /* not seen before */
    STATE_FILE,          /* can be dropped, and read again */
    STATE_ANONYMOUS,     /* must stay */
    STATE_GIVEN_UP,      /* anonymous, but may be dropped until it is written again */
    STATE_READ_GIVEN_UP, /* … and was read, which makes a page that has to stay if it had been dropped */
    STATE_DEAD,
    STATES
};

struct floor_scan {
    const struct refs_source *source;
    uint8_t *states;         /* enum state by page */
    size_t capacity;         /* of states */
    uint32_t counts[STATES]; /* pages in each, but for STATE_NEW */
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

static void change(struct floor_scan *scan, uint32_t page, enum state to) {
    scan->counts[scan->states[page]]--;
    scan->counts[to]++;
    scan->states[page] = (uint8_t)to;
}

/* The page is there from now on. */
static void appear(struct floor_scan *scan, uint32_t page) {
    const bool file = refs_page(scan->source, page)->flags & REFS_PAGE_FILE;
    change(scan, page, file ? STATE_FILE : STATE_ANONYMOUS);
    *(file ? &scan->result.cold_files : &scan->result.cold_anonymous) += 1;
}

static void need(struct floor_scan *scan, uint32_t frames, uint64_t instruction) {
    struct floor_result *r = &scan->result;
    if (frames > r->floor) {
        r->floor = frames;
        r->floor_instruction = instruction;
    }
    const uint32_t *n = scan->counts;
    const uint32_t anonymous = n[STATE_ANONYMOUS] + n[STATE_READ_GIVEN_UP];
    r->anonymous = max_u32(r->anonymous, anonymous);
    r->files = max_u32(r->files, n[STATE_FILE]);
    r->all = max_u32(r->all, anonymous + n[STATE_GIVEN_UP] + n[STATE_FILE]);
}

static void refer(struct floor_scan *scan, const struct refs_item *item) {
    const uint8_t *state = &scan->states[item->page];
    if (*state == STATE_NEW)
        appear(scan, item->page);
    if (*state == STATE_GIVEN_UP || *state == STATE_READ_GIVEN_UP)
        change(scan, item->page, item->flags & ACCESS_WRITE ? STATE_ANONYMOUS : STATE_READ_GIVEN_UP);
    need(scan, scan->counts[STATE_ANONYMOUS] + (*state != STATE_ANONYMOUS), item->instruction);
}

static void take_mark(struct floor_scan *scan, const struct refs_mark *mark) {
    if (mark->type == REFS_MARK_CREATE && mark->c != 0)
        scan->result.forked = true;
}

static void take(struct floor_scan *scan, const struct refs_item *item) {
    switch ((enum refs_kind)item->kind) {
    case REFS_REFERENCE: refer(scan, item); break;
    case REFS_DIES: change(scan, item->page, STATE_DEAD); break;
    case REFS_GIVEN_UP:
        if (scan->states[item->page] == STATE_ANONYMOUS || scan->states[item->page] == STATE_READ_GIVEN_UP)
            change(scan, item->page, STATE_GIVEN_UP);
        break;
    case REFS_MARK: take_mark(scan, refs_mark(scan->source, item->page)); break;
    case REFS_CLEANED:
    case REFS_COOLED: break;
    }
}

int floor_scan_feed(struct floor_scan *scan, const struct refs_item *items, size_t count) {
    const int error = array_reserve_filled(&scan->states, &scan->capacity, refs_pages(scan->source),
                                           sizeof *scan->states, STATE_NEW);
    for (size_t i = 0; !error && i < count; i++)
        take(scan, &items[i]);
    return error;
}

void floor_scan_get(const struct floor_scan *scan, struct floor_result *ret_result) {
    *ret_result = scan->result;
}
