/* The fold's checks. See fold.h for which holds when. */
#include "base/base.h"
#include "trace/fold-state.h"

/* ---- always ---- */

static const char *check_mappings(const struct fold_space *s) {
    for (size_t i = 0; i < s->mapping_count; i++) {
        const struct fold_mapping *m = &s->mappings[i], *next = m + 1;
        if (!m->pages || (!m->object && m->object_page))
            return "a mapping without pages, or an anonymous one with a place in an object";
        if (i + 1 == s->mapping_count)
            break;
        if (m->first + m->pages > next->first)
            return "mappings overlap or are out of order";
        if (m->first + m->pages == next->first && m->flags == next->flags && m->object == next->object &&
            (!m->object || m->object_page + m->pages == next->object_page))
            return "two mappings that continue each other are not one";
    }
    return NULL;
}

static bool frame_is_mapped_by(const struct fold *f, pte_t entry, uint64_t mapper) {
    struct fold_frame frame = fold_frame(f, pte_pfn(entry).n);
    for (uint32_t i = 0; i < frame.mapper_count; i++)
        if (frame.mappers[i] == mapper)
            return true;
    return false;
}

static const char *check_entries(const struct fold *f, const struct fold_space *s) {
    uint64_t present = 0, swapped = 0, all = 0, used = 0;
    pte_t entry;
    for (vpn_t vpn = {0}; fold_next_entry(s, &vpn, &entry); vpn.n++) {
        all++;
        present += pte_is_present(entry);
        swapped += pte_is_swapped(entry);
        if (pte_is_present(entry) && !frame_is_mapped_by(f, entry, s->number << 36 | vpn.n))
            return "a frame does not know an entry that maps it";
    }
    for (size_t i = 0; i < s->leaves.count; i++) {
        const struct fold_leaf *leaf = s->leaves.entries[i].value;
        if (!leaf->used)
            return "a leaf without entries";
        used += leaf->used;
    }
    if (present != s->present || swapped != s->swapped || used != all)
        return "the entries of an address space are miscounted";
    return NULL;
}

static const char *check_mappers(const struct fold_frame *frame) {
    for (uint32_t i = 1; i < frame->mapper_count; i++)
        if (frame->mappers[i - 1] >= frame->mappers[i])
            return "the mappers of a frame are out of order";
    return NULL;
}

static const char *check_frames(const struct fold *f) {
    uint64_t by_use[EVENT_FRAME_KINDS] = {0}, mappers = 0, present = 0;
    for (uint64_t n = 0; n < f->frame_total; n++) {
        struct fold_frame frame = fold_frame(f, (uint32_t)n);
        const char *wrong = check_mappers(&frame);
        if (wrong)
            return wrong;
        by_use[frame.use]++;
        mappers += frame.mapper_count;
    }
    for (size_t i = 0; i < f->spaces.count; i++)
        present += ((const struct fold_space *)f->spaces.entries[i].value)->present;
    if (memcmp(by_use, f->frames_by_use, sizeof by_use) != 0)
        return "the uses of frames are miscounted";
    return mappers == present ? NULL : "a frame lists an entry that does not map it";
}

static const char *check_slots(const struct fold *f) {
    uint64_t used = 0;
    for (uint64_t i = 0; i < sparse_chunks(&f->slots); i++) {
        const struct fold_slot *chunk = f->slots.chunks[i];
        for (size_t j = 0; chunk && j < SPARSE_CHUNK; j++)
            used += chunk[j].used;
    }
    return used == f->slots_used ? NULL : "the slots in use are miscounted";
}

static const char *check_shown(const struct fold *f) {
    for (uint64_t i = 0; i < sparse_chunks(&f->slot_contents); i++)
        for (uint64_t j = 0; f->slot_contents.chunks[i] && j < SPARSE_CHUNK; j++) {
            uint32_t slot = (uint32_t)(i * SPARSE_CHUNK + j);
            if (fold_slot_content(f, slot) && !fold_slot(f, slot).used)
                return "a slot that is not assigned has bytes";
        }
    if (f->output_length > FOLD_OUTPUT_ROOM || f->output_length > f->output_total ||
        f->output_length < min_u64(f->output_total, FOLD_OUTPUT))
        return "the output that is kept has a wrong length";
    return f->label_count <= f->label_capacity ? NULL : "more labels than there is room for";
}

const char *fold_check(const struct fold *f) {
    const char *wrong = NULL;
    for (size_t i = 0; !wrong && i < f->spaces.count; i++) {
        const struct fold_space *s = f->spaces.entries[i].value;
        if (s->number != f->spaces.entries[i].key)
            return "an address space stands under another number";
        wrong = check_mappings(s);
        if (!wrong)
            wrong = check_entries(f, s);
    }
    if (!wrong)
        wrong = check_frames(f);
    if (!wrong)
        wrong = check_slots(f);
    if (!wrong)
        wrong = check_shown(f);
    return wrong;
}

/* ---- between two steps ---- */

static const char *check_entry_agrees(const struct fold *f, const struct fold_space *s, vpn_t vpn,
                                      pte_t entry) {
    if (!fold_mapping(s, vpn))
        return "an entry outside every mapping";
    if (pte_is_swapped(entry)) {
        struct fold_slot slot = fold_slot(f, pte_slot(entry).n);
        return slot.used && slot.written ? NULL : "an entry names a slot that holds nothing";
    }
    struct fold_frame frame = fold_frame(f, pte_pfn(entry).n);
    if (!frame.since)
        return "an entry maps a frame that nothing happened to";
    if (frame.use != EVENT_FRAME_ANONYMOUS && frame.use != EVENT_FRAME_CACHE)
        return "an entry maps a frame that holds no page";
    return frame.page ? NULL : "an entry maps a frame without a page's identity";
}

static const char *check_space_agrees(const struct fold *f, const struct fold_space *s) {
    pte_t entry;
    for (vpn_t vpn = {0}; fold_next_entry(s, &vpn, &entry); vpn.n++) {
        const char *wrong = check_entry_agrees(f, s, vpn, entry);
        if (wrong)
            return wrong;
    }
    return NULL;
}

const char *fold_check_machine(const struct fold *f) {
    if (f->fault.active)
        return "a fault is still being served";
    for (size_t i = 0; i < f->spaces.count; i++) {
        const char *wrong = check_space_agrees(f, f->spaces.entries[i].value);
        if (wrong)
            return wrong;
    }
    for (uint64_t n = 0; n < f->reserved; n++)
        if (fold_frame(f, (uint32_t)n).use == EVENT_FRAME_FREE)
            return "a reserved frame is in the free pool";
    return NULL;
}
