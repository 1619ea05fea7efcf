/* The frames of a picture: one by one, or as the cells of a heat map when there are very many. */
#include <stdlib.h>

#include "base/base.h"
#include "view/picture-build.h"

/* Of the frames that a cell of a heat map stands for, so many are looked at. */
enum { SAMPLES = 8 };

static void frame_mappers(const struct builder *b, const struct fold_frame *frame, struct picture_frame *to) {
    to->mappers = frame->mapper_count;
    for (uint32_t i = 0; i < min_u32(frame->mapper_count, SAMPLES); i++) {
        const struct fold_space *space = fold_space(b->fold, fold_mapper_space(frame->mappers[i]));
        pte_t entry = space ? fold_entry(space, fold_mapper_vpn(frame->mappers[i])) : (pte_t){0};
        to->referenced = to->referenced || pte_has(entry, PTE_REFERENCED);
        to->dirty = to->dirty || pte_has(entry, PTE_DIRTY);
        if (!to->owner && space)
            to->owner = space->owner;
    }
}

static struct picture_frame frame_one(const struct builder *b, uint32_t number) {
    const struct fold_frame frame = fold_frame(b->fold, number);
    const struct fold_victim *victim = &b->fold->victim;
    struct picture_frame shown = {.number = number, .use = frame.use, .since = frame.since};
    shown.disk = builder_frame_place(b, &frame);
    shown.victim = victim->active && victim->frame == number;
    frame_mappers(b, &frame, &shown);
    return shown;
}

/* Which of two frames a cell of a heat map had better show: the one that holds something, the younger one. */
static bool is_telling(const struct picture_frame *a, const struct picture_frame *than) {
    if ((a->use == EVENT_FRAME_FREE) != (than->use == EVENT_FRAME_FREE))
        return than->use == EVENT_FRAME_FREE;
    return a->since > than->since;
}

static struct picture_frame frame_cell(const struct builder *b, uint64_t first, uint64_t end) {
    struct picture_frame cell = frame_one(b, (uint32_t)first);
    for (uint64_t i = 1; i < min_u64(SAMPLES, end - first); i++) {
        uint64_t number = first + (end - first <= SAMPLES ? i : i * (end - first) / SAMPLES);
        struct picture_frame other = frame_one(b, (uint32_t)number);
        bool dirty = cell.dirty || other.dirty, victim = cell.victim || other.victim;
        if (is_telling(&other, &cell))
            cell = other;
        cell.dirty = dirty;
        cell.victim = victim;
    }
    cell.number = (uint32_t)first;
    return cell;
}

void builder_frames(struct builder *b) {
    struct picture *p = b->picture;
    const uint64_t total = b->fold->frame_total;
    p->frames_per_cell = (size_t)max_u64((total + PICTURE_HEAT - 1) / PICTURE_HEAT, 1);
    size_t count = (size_t)((total + p->frames_per_cell - 1) / p->frames_per_cell);
    p->frames = calloc(max_size(count, 1), sizeof *p->frames);
    if (!p->frames) {
        b->failed = true;
        return;
    }
    p->frame_count = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t first = i * p->frames_per_cell;
        p->frames[i] = frame_cell(b, first, min_u64(first + p->frames_per_cell, total));
    }
}
