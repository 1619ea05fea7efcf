/* What a step changed: the red rings. A step is some events; each of them touches parts of the picture. */
#include <string.h>

#include "base/base.h"
#include "view/picture-build.h"

/* The page that an event of a space is about. */
static bool page_of_event(const struct event *e, uint64_t *ret_vpn) {
    if (e->kind == EVENT_FAULT || e->kind == EVENT_FAULT_DONE) {
        *ret_vpn = e->args[1] >> PAGE_SHIFT;
        return true;
    }
    /* The clock hand takes the referenced bits away: nothing of that is drawn. */
    if (e->kind != EVENT_PTE || ((e->args[2] ^ e->args[3]) & ~(uint64_t)PTE_REFERENCED) == 0)
        return false;
    *ret_vpn = e->args[1];
    return true;
}

static bool is_below(const struct builder_mark *a, uint64_t space, uint64_t vpn) {
    return a->space < space || (a->space == space && a->vpn < vpn);
}

/* The first mark that is not below the page. */
static size_t mark_position(const struct builder *b, uint64_t space, uint64_t vpn) {
    size_t low = 0, high = b->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_below(&b->marks[middle], space, vpn))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void note_page(struct builder *b, uint64_t space, uint64_t vpn) {
    size_t i = mark_position(b, space, vpn);
    if (i < b->mark_count && b->marks[i].space == space && b->marks[i].vpn == vpn)
        return;
    memmove(b->marks + i + 1, b->marks + i, (b->mark_count - i) * sizeof *b->marks);
    b->marks[i] = (struct builder_mark){space, vpn};
    b->mark_count++;
}

void builder_note_pages(struct builder *b) {
    const struct fold_fault *fault = &b->fold->fault;
    uint64_t vpn;
    if (fault->active)
        note_page(b, fault->space, fault->address >> PAGE_SHIFT);
    for (size_t i = 0; i < b->change_count; i++)
        if (page_of_event(&b->changes[i], &vpn))
            note_page(b, b->changes[i].args[0], vpn);
}

uint64_t builder_next_marked(const struct builder *b, uint64_t space, uint64_t from, uint64_t end) {
    const size_t i = mark_position(b, space, from);
    return i < b->mark_count && b->marks[i].space == space ? min_u64(b->marks[i].vpn, end) : end;
}

static void mark_pages(struct builder *b, uint64_t space, uint64_t first, uint64_t pages) {
    for (size_t i = 0; i < b->picture->process_count; i++) {
        struct picture_process *p = &b->picture->processes[i];
        for (size_t j = 0; p->space == space && j < p->cell_count; j++) {
            struct picture_cell *c = &p->cells[j];
            /* Neither range reaches 2^64: VPNs have 36 bits, and lengths are cut to that. */
            if (c->pages && c->first.n < first + pages && first < c->first.n + c->pages)
                c->changed = true;
        }
    }
}

static void mark_frame(struct builder *b, uint64_t frame) {
    if (frame < b->picture->frame_total)
        b->picture->frames[frame / b->picture->frames_per_cell].changed = true;
}

static void mark_slot(struct builder *b, uint64_t slot) {
    struct picture *p = b->picture;
    if (slot >= p->first_slot && slot - p->first_slot < p->slot_count)
        p->slots[slot - p->first_slot].changed = true;
}

static void mark_file(struct builder *b, uint64_t object) {
    for (size_t i = 0; i < b->picture->file_count; i++)
        if (object && b->picture->files[i].object == object)
            b->picture->files[i].changed = true;
}

static void mark_file_page(struct builder *b, uint64_t object, uint64_t page) {
    for (size_t i = 0; i < b->picture->file_count; i++) {
        struct picture_file *file = &b->picture->files[i];
        if (object && file->object == object) {
            file->page_changed = true;
            file->changed_page = page;
        }
    }
}

static void mark_process(struct builder *b, uint32_t pid) {
    for (size_t i = 0; i < b->picture->process_count; i++)
        if (b->picture->processes[i].pid == pid)
            b->picture->processes[i].changed = true;
}

static void mark_range(struct builder *b, const struct event *e) {
    const uint64_t limit = 1ULL << 36;
    if (e->args[1] < limit)
        mark_pages(b, e->args[0], e->args[1], min_u64(e->args[2], limit));
}

static void mark_page(struct builder *b, const struct event *e) {
    uint64_t vpn;
    if (page_of_event(e, &vpn))
        mark_pages(b, e->args[0], vpn, 1);
}

static void mark_event(struct builder *b, const struct event *e) {
    switch ((enum event_kind)e->kind) {
    case EVENT_PROCESS_CREATE:
    case EVENT_PROCESS_EXEC: mark_process(b, e->pid); return;
    case EVENT_SWITCH: b->picture->register_changed = true; return;
    case EVENT_MAP:
    case EVENT_UNMAP:
    case EVENT_PROTECT: mark_range(b, e); return;
    case EVENT_OBJECT: mark_file(b, e->args[0]); return;
    case EVENT_FAULT:
    case EVENT_FAULT_DONE:
    case EVENT_PTE: mark_page(b, e); return;
    case EVENT_SWAP_OUT:
    case EVENT_SWAP_IN:
        mark_slot(b, e->args[1]);
        mark_frame(b, e->args[0]);
        return;
    case EVENT_FILE_READ:
    case EVENT_WRITE_BACK:
        mark_file_page(b, e->args[1], e->args[2]);
        mark_frame(b, e->args[0]);
        return;
    case EVENT_VICTIM:
    case EVENT_ZERO_FILL:
    case EVENT_COPY:
    case EVENT_FRAME: mark_frame(b, e->args[0]); return;
    case EVENT_SLOT: mark_slot(b, e->args[0]); return;
    case EVENT_NONE:
    case EVENT_STRING:
    case EVENT_STRING_DATA:
    case EVENT_MACHINE_START:
    case EVENT_MACHINE_STOP:
    case EVENT_PROCESS_EXIT:
    case EVENT_SYSCALL_ENTER:
    case EVENT_SYSCALL_EXIT:
    case EVENT_SIGNAL:
    case EVENT_OOM:
    case EVENT_SPACE_CREATE:
    case EVENT_SPACE_DESTROY:
    case EVENT_OBJECT_GONE:
    case EVENT_REACHED:
    case EVENT_OUTPUT:
    case EVENT_CONTENT:
    case EVENT_LABEL:
    case EVENT_KINDS: return;
    }
}

/* The page of the fault that is being served, from its beginning to its end. */
static void mark_fault(struct builder *b) {
    const struct fold_fault *fault = &b->fold->fault;
    const uint64_t vpn = fault->address >> PAGE_SHIFT;
    for (size_t i = 0; fault->active && i < b->picture->process_count; i++) {
        struct picture_process *p = &b->picture->processes[i];
        for (size_t j = 0; p->space == fault->space && j < p->cell_count; j++)
            p->cells[j].faulting =
                vpn >= p->cells[j].first.n && vpn - p->cells[j].first.n < p->cells[j].pages;
    }
}

void builder_marks(struct builder *b) {
    for (size_t i = 0; i < b->change_count && b->picture->frames; i++)
        mark_event(b, &b->changes[i]);
    mark_fault(b);
}
