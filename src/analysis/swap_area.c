/* See swap_area.h. Invariant: in_frame is the number of slots whose page is in a frame. */
#include "analysis/swap_area.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/base.h"

struct area_slot {
    uint32_t page; /* SWAP_AREA_NONE: the slot is free … */
    uint32_t next; /* … and behind it in the list is this one, or SWAP_AREA_NONE */
    bool in_frame; /* the page */
};

struct swap_area {
    uint32_t count, fresh; /* slots; from `fresh` on they were never used */
    uint32_t first_free;   /* SWAP_AREA_NONE: none was given back */
    uint32_t hand, in_frame;
    bool was_short;
    struct area_slot *slots; /* the first of them */
    size_t slot_capacity;
    uint32_t *slot_of; /* by page; SWAP_AREA_NONE: it has none */
    size_t page_count, page_capacity;
};

int swap_area_create(uint32_t slots, struct swap_area **ret_area) {
    struct swap_area *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->count = slots;
    a->first_free = SWAP_AREA_NONE;
    *ret_area = a;
    return 0;
}

void swap_area_destroy(struct swap_area *a) {
    if (!a)
        return;
    free(a->slots);
    free(a->slot_of);
    free(a);
}

/* There are never more slots in use than pages, so that those that can be used have their records now. */
static int grow_slots(struct swap_area *a, size_t pages) {
    return array_reserve(&a->slots, &a->slot_capacity, min_size(a->count, pages), sizeof *a->slots);
}

int swap_area_add_pages(struct swap_area *a, size_t pages) {
    if (array_reserve(&a->slot_of, &a->page_capacity, pages, sizeof *a->slot_of))
        return -ENOMEM;
    for (; a->page_count < pages; a->page_count++)
        a->slot_of[a->page_count] = SWAP_AREA_NONE;
    return grow_slots(a, pages);
}

static void slot_free(struct swap_area *a, uint32_t number) {
    struct area_slot *slot = &a->slots[number];
    a->in_frame -= slot->in_frame;
    a->slot_of[slot->page] = SWAP_AREA_NONE;
    *slot = (struct area_slot){.page = SWAP_AREA_NONE, .next = a->first_free};
    a->first_free = number;
}

bool swap_area_has_room(const struct swap_area *a) {
    return a->first_free != SWAP_AREA_NONE || a->fresh < a->count || a->in_frame > 0;
}

/* A page in a frame does without its slot: which one. */
static uint32_t take_back(struct swap_area *a) {
    a->was_short = true;
    if (a->in_frame == 0)
        return SWAP_AREA_NONE;
    do
        a->hand = a->hand + 1 < a->fresh ? a->hand + 1 : 0;
    while (!a->slots[a->hand].in_frame);
    const uint32_t page = a->slots[a->hand].page;
    slot_free(a, a->hand);
    return page;
}

bool swap_area_assign(struct swap_area *a, uint32_t page, uint32_t *ret_lost) {
    uint32_t number;
    *ret_lost = SWAP_AREA_NONE;
    if (a->slot_of[page] != SWAP_AREA_NONE)
        return true;
    if (a->first_free == SWAP_AREA_NONE && a->fresh == a->count)
        *ret_lost = take_back(a);
    if (a->first_free != SWAP_AREA_NONE) {
        number = a->first_free;
        a->first_free = a->slots[number].next;
    } else if (a->fresh < a->count) {
        number = a->fresh++;
    } else {
        return false;
    }
    a->slots[number] = (struct area_slot){.page = page, .in_frame = true};
    a->slot_of[page] = number;
    a->in_frame++;
    return true;
}

static void set_in_frame(struct swap_area *a, uint32_t page, bool in_frame) {
    const uint32_t number = a->slot_of[page];
    if (number == SWAP_AREA_NONE)
        return;
    a->in_frame -= a->slots[number].in_frame;
    a->in_frame += in_frame;
    a->slots[number].in_frame = in_frame;
}

void swap_area_page_out(struct swap_area *a, uint32_t page) {
    set_in_frame(a, page, false);
}

void swap_area_page_in(struct swap_area *a, uint32_t page) {
    set_in_frame(a, page, true);
}

void swap_area_release(struct swap_area *a, uint32_t page) {
    if (a->slot_of[page] != SWAP_AREA_NONE)
        slot_free(a, a->slot_of[page]);
}

bool swap_area_was_short(const struct swap_area *a) {
    return a->was_short;
}
