/* See model.h. */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fixture.h"

static const uint8_t zeros[PAGE_SIZE];

uint64_t model_address(unsigned index) {
    if (index < MODEL_FIXED_PAGES)
        return MODEL_FIXED_START + (uint64_t)index * PAGE_SIZE;
    index -= MODEL_FIXED_PAGES;
    if (index < MODEL_TOP_PAGES)
        return MODEL_TOP_START + (uint64_t)index * PAGE_SIZE;
    return MODEL_HEAP_START + (uint64_t)(index - MODEL_TOP_PAGES) * PAGE_SIZE;
}

static bool in_window(uint64_t address, uint64_t start, unsigned pages) {
    return address >= start && address < start + (uint64_t)pages * PAGE_SIZE;
}

struct model_page *model_page(struct model_process *p, uint64_t address) {
    if (in_window(address, MODEL_FIXED_START, MODEL_FIXED_PAGES))
        return &p->pages[(address - MODEL_FIXED_START) >> PAGE_SHIFT];
    if (in_window(address, MODEL_TOP_START, MODEL_TOP_PAGES))
        return &p->pages[MODEL_FIXED_PAGES + ((address - MODEL_TOP_START) >> PAGE_SHIFT)];
    if (in_window(address, MODEL_HEAP_START, MODEL_HEAP_PAGES))
        return &p->pages[MODEL_FIXED_PAGES + MODEL_TOP_PAGES + ((address - MODEL_HEAP_START) >> PAGE_SHIFT)];
    return NULL;
}

bool model_continues(const struct model_page *a, const struct model_page *b) {
    return a->mapped && b->mapped && a->shared == b->shared && a->may_write == b->may_write &&
           a->protection == b->protection && a->object == b->object &&
           !((a->flags ^ b->flags) & ~(unsigned)MODEL_HEAP) &&
           (!a->object || a->object_page + 1 == b->object_page);
}

unsigned model_run(struct model_process *p, uint64_t address) {
    struct mapping_view view;
    const struct model_page *page = model_page(p, address), *next;
    if (!page->mapped || !space_next_mapping(p->space, address, false, &view) || view.start > address)
        return 0;
    for (uint64_t at = address + PAGE_SIZE; at < view.end; at += PAGE_SIZE, page = next) {
        next = model_page(p, at);
        if (!next || !model_continues(page, next))
            return 0;
    }
    return (unsigned)((view.end - address) >> PAGE_SHIFT);
}

void model_unlock_mapping(struct model_process *p, uint64_t address) {
    struct mapping_view view;
    if (!space_next_mapping(p->space, address, false, &view))
        return;
    for (uint64_t at = view.start; at < view.end; at += PAGE_SIZE)
        model_page(p, at)->flags &= ~(unsigned)MODEL_LOCKED;
}

bool model_range_is_free(struct model_process *p, uint64_t address, unsigned pages) {
    for (unsigned i = 0; i < pages; i++) {
        const struct model_page *page = model_page(p, address + (uint64_t)i * PAGE_SIZE);
        if (page && page->mapped)
            return false;
    }
    return true;
}

void model_unmap(struct model_page *page) {
    free(page->own);
    *page = (struct model_page){0};
}

enum fault_result model_access(const struct model_page *page, unsigned access) {
    if (!page || !page->mapped)
        return FAULT_NO_MAPPING;
    const unsigned allowed = page->protection ? page->protection | PROT_READ : 0;
    if (access & ~allowed)
        return FAULT_PERMISSION;
    if (page->object && !page->own && page->object_page << PAGE_SHIFT >= page->object->size)
        return FAULT_PAST_END;
    return FAULT_OK;
}

unsigned model_valid_bytes(const struct model_page *page) {
    if (page->own || !page->object)
        return PAGE_SIZE;
    const uint64_t start = page->object_page << PAGE_SHIFT;
    if (start >= page->object->size)
        return 0;
    return page->object->size - start < PAGE_SIZE ? (unsigned)(page->object->size - start) : PAGE_SIZE;
}

const uint8_t *model_bytes(const struct model_page *page) {
    if (page->own)
        return page->own;
    return page->object ? page->object->bytes + (page->object_page << PAGE_SHIFT) : zeros;
}

uint8_t *model_bytes_for_write(struct model_page *page) {
    if (page->shared)
        return page->object->bytes + (page->object_page << PAGE_SHIFT);
    if (!page->own) {
        uint8_t *own = malloc(PAGE_SIZE);
        require(own);
        memcpy(own, model_bytes(page), PAGE_SIZE);
        page->own = own;
    }
    return page->own;
}

void model_fork(const struct model_process *parent, struct model_process *child) {
    child->brk = parent->brk;
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        const struct model_page *from = &parent->pages[i];
        struct model_page *to = &child->pages[i];
        *to = (struct model_page){0};
        if (from->flags & MODEL_DONT_FORK || !from->mapped)
            continue;
        *to = *from;
        to->own = NULL;
        to->flags &= ~(unsigned)MODEL_LOCKED;
        if (from->flags & MODEL_WIPE_ON_FORK) {
            to->lazy = false;
            continue;
        }
        if (from->own)
            memcpy(model_bytes_for_write(to), from->own, PAGE_SIZE);
    }
}

void model_exit(struct model_process *p) {
    for (unsigned i = 0; i < MODEL_PAGES; i++)
        model_unmap(&p->pages[i]);
}

void model_truncate(struct model_process *p, const struct model_object *object, uint64_t first) {
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        struct model_page *page = &p->pages[i];
        if (page->mapped && page->object == object && page->object_page >= first) {
            free(page->own);
            page->own = NULL;
            page->lazy = false;
        }
    }
}
