/* Operations of the model test: the memory calls. Each works out what must happen from the model alone, then
 * makes the call and compares. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sequence.h"

static uint64_t pages(uint64_t n) {
    return n << PAGE_SHIFT;
}

/* ---- mmap ---- */

struct wanted {
    struct map_request request;
    struct model_page page; /* of its first page */
    unsigned pages;
};

static void want_object(struct sequence *s, struct wanted *w) {
    const unsigned i = (unsigned)pick(s, OBJECTS);
    w->page.object = &s->contents[i];
    w->page.object_page = pick(s, 8);
    w->request.object = s->objects[i];
    w->request.offset = pages(w->page.object_page);
}

static struct model_object *make_object(struct sequence *s, unsigned page_count) {
    if (s->made_count == MADE_OBJECTS)
        return NULL;
    struct model_object *o = calloc(1, sizeof *o);
    o->size = o->capacity = pages(page_count);
    o->bytes = calloc(1, o->capacity);
    return s->made[s->made_count++] = o;
}

/* Populating a private writable mapping of a file copies its pages; when it stops is not the model's
 * business. */
static bool populating_copies(const struct model_page *page) {
    return page->object && !page->shared && page->protection & PROT_WRITE;
}

static void want(struct sequence *s, struct wanted *w) {
    *w = (struct wanted){.pages = 1 + (unsigned)pick(s, 10)};
    w->page.mapped = true;
    w->page.shared = pick(s, 3) == 0;
    w->page.protection = pick_protection(s);
    w->request.flags = w->page.shared ? MAP_SHARED : MAP_PRIVATE;
    if (pick(s, 2))
        want_object(s, w);
    else
        w->request.flags |= MAP_ANONYMOUS;
    if (pick(s, 8) == 0 && !populating_copies(&w->page))
        w->request.flags |= MAP_POPULATE;
    w->page.may_write = w->page.shared && (!w->page.object || pick(s, 2));
    w->request.may_write = w->page.may_write;
    w->request.length = pages(w->pages) - pick(s, 2) * pick(s, PAGE_SIZE);
    w->request.protection = (int)w->page.protection;
}

/* More memory in one mapping than the machine has of any kind. */
static bool promise_is_absurd(const struct sequence *s, uint64_t count) {
    const struct test_config *c = &s->config;
    return count > (c->frames ? c->frames - c->reserved : c->available) + c->swap_pages;
}

/* What mmap returns for reasons that have nothing to do with the place. */
static long refusal(const struct sequence *s, const struct wanted *w) {
    if (w->page.shared && !w->page.object)
        return promise_is_absurd(s, w->pages) ? -ENOMEM : 0;
    if (!(w->page.protection & PROT_WRITE))
        return 0;
    if (w->page.shared)
        return w->page.may_write ? 0 : -EACCES;
    return promise_is_absurd(s, w->pages) ? -ENOMEM : 0;
}

static void model_map(struct sequence *s, struct model_process *p, uint64_t address, const struct wanted *w) {
    struct model_page page = w->page;
    if (page.shared && !page.object)
        page.object = make_object(s, w->pages);
    for (unsigned i = 0; i < w->pages; i++) {
        struct model_page *at = model_page(p, address + pages(i));
        if (!at) {
            sequence_fail(s, "mapped outside the windows: %#lx", address);
            return;
        }
        model_unmap(at);
        *at = page;
        if (page.object)
            page.object_page++;
    }
}

void op_map(struct sequence *s, struct model_process *p) {
    struct wanted w;
    want(s, &w);
    if (s->made_count == MADE_OBJECTS)
        return;
    const unsigned index = (unsigned)pick(s, MODEL_FIXED_PAGES - w.pages);
    const bool replace = pick(s, 3);
    uint64_t result = 0;
    w.request.address = model_address(index);
    w.request.flags |= replace ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    if (promise_is_absurd(s, w.pages))
        return; /* what is replaced would count */
    const bool taken = !replace && !model_range_is_free(p, w.request.address, w.pages);
    const long expected = taken ? -EEXIST : refusal(s, &w);
    expect(s, "mmap", space_map(p->space, &w.request, &result), expected);
    if (expected || s->failure)
        return;
    expect(s, "address of mmap", (long)result, (long)w.request.address);
    model_map(s, p, result, &w);
}

static unsigned top_pages_used(const struct model_process *p) {
    unsigned used = 0;
    for (unsigned i = 0; i < MODEL_TOP_PAGES; i++)
        used += p->pages[MODEL_FIXED_PAGES + i].mapped;
    return used;
}

/* The highest gap, as the vm must find it. */
static uint64_t model_gap(struct model_process *p, unsigned count) {
    unsigned run = 0;
    for (unsigned i = MODEL_TOP_PAGES; i-- > 0;) {
        run = p->pages[MODEL_FIXED_PAGES + i].mapped ? 0 : run + 1;
        if (run == count)
            return MODEL_TOP_START + pages(i);
    }
    return 0;
}

void op_map_anywhere(struct sequence *s, struct model_process *p) {
    struct wanted w;
    want(s, &w);
    if (top_pages_used(p) > MODEL_TOP_PAGES / 3 || s->made_count == MADE_OBJECTS)
        return;
    uint64_t result = 0, hint = 0;
    if (pick(s, 3) == 0)
        hint = model_address((unsigned)pick(s, MODEL_FIXED_PAGES - w.pages));
    const bool use_hint = hint && model_range_is_free(p, hint, w.pages);
    w.request.address = hint;
    const long refused = refusal(s, &w);
    expect(s, "mmap", space_map(p->space, &w.request, &result), refused);
    if (refused || s->failure)
        return;
    expect(s, "address of mmap", (long)result, (long)(use_hint ? hint : model_gap(p, w.pages)));
    model_map(s, p, result, &w);
}

/* ---- munmap, brk ---- */

void op_unmap(struct sequence *s, struct model_process *p) {
    const unsigned count = 1 + (unsigned)pick(s, 12);
    const uint64_t address = pick_address(s, p);
    if (!model_page(p, address + pages(count)))
        return;
    expect(s, "munmap", space_unmap(p->space, address, pages(count)), 0);
    for (unsigned i = 0; i < count; i++)
        if (model_page(p, address + pages(i)))
            model_unmap(model_page(p, address + pages(i)));
}

void op_brk(struct sequence *s, struct model_process *p) {
    const uint64_t end = MODEL_HEAP_START + pick(s, pages(MODEL_HEAP_PAGES) - 1);
    const uint64_t old_end = (p->brk + PAGE_MASK) >> PAGE_SHIFT << PAGE_SHIFT;
    const uint64_t new_end = (end + PAGE_MASK) >> PAGE_SHIFT << PAGE_SHIFT;
    const uint64_t grows = new_end > old_end ? (new_end - old_end) >> PAGE_SHIFT : 0;
    bool possible = !promise_is_absurd(s, grows);
    if (grows) /* and a page more */
        possible &= model_range_is_free(p, old_end, (unsigned)grows + 1);
    else if (new_end < old_end)
        possible = !model_range_is_free(p, new_end, (unsigned)((old_end - new_end) >> PAGE_SHIFT));
    const uint64_t result = space_brk(p->space, end);
    expect(s, "brk", (long)result, (long)(possible ? end : p->brk));
    if (!possible)
        return;
    for (uint64_t at = new_end; at < old_end; at += PAGE_SIZE)
        model_unmap(model_page(p, at));
    for (uint64_t at = old_end; at < new_end; at += PAGE_SIZE)
        *model_page(p, at) =
            (struct model_page){.mapped = true, .protection = PROT_READ | PROT_WRITE, .flags = MODEL_HEAP};
    p->brk = end;
}

/* ---- mprotect, mlock, msync ---- */

void op_protect(struct sequence *s, struct model_process *p) {
    const unsigned count = 1 + (unsigned)pick(s, 10), protection = pick_protection(s);
    const uint64_t address = pick_address(s, p);
    long expected = 0;
    if (!model_page(p, address + pages(count)) || promise_is_absurd(s, count))
        return;
    for (unsigned i = 0; i < count && !expected; i++) {
        struct model_page *page = model_page(p, address + pages(i));
        if (!page->mapped)
            expected = -ENOMEM;
        else if (protection & PROT_WRITE && !(page->protection & PROT_WRITE) && page->shared &&
                 !page->may_write)
            expected = -EACCES;
        else
            page->protection = protection;
    }
    expect(s, "mprotect", space_protect(p->space, address, pages(count), (int)protection), expected);
}

void op_lock(struct sequence *s, struct model_process *p) {
    const unsigned count = 1 + (unsigned)pick(s, 4);
    const uint64_t address = pick_address(s, p);
    const bool lock = pick(s, 2);
    long expected = 0;
    if (!model_page(p, address + pages(count)))
        return;
    for (unsigned i = 0; i < count; i++)
        if (populating_copies(model_page(p, address + pages(i))))
            return;
    for (unsigned i = 0; i < count && !expected; i++) {
        struct model_page *page = model_page(p, address + pages(i));
        if (!page->mapped)
            expected = -ENOMEM;
        else
            page->flags = lock ? page->flags | MODEL_LOCKED : page->flags & ~(unsigned)MODEL_LOCKED;
    }
    const bool locked = !expected;
    for (unsigned i = 0; i < count && lock && !expected; i++) /* what cannot be brought in stays locked */
        if (model_access(model_page(p, address + pages(i)), ACCESS_READ) != FAULT_OK)
            expected = -ENOMEM;
    const int result = lock ? space_lock(p->space, address, pages(count), false)
                            : space_unlock(p->space, address, pages(count));
    if (lock && !expected && no_memory(s, result))
        return; /* locked all the same */
    if (lock && locked && result == -EAGAIN && no_memory(s, -ENOMEM))
        return; /* also where a page could not be brought in that comes later */
    expect(s, "mlock", result, expected);
}

void op_sync(struct sequence *s, struct model_process *p) {
    const unsigned i = (unsigned)pick(s, FILES);
    const int error = pick(s, 2) ? object_sync(s->objects[i], 0, UINT64_MAX) : vm_sync(s->machine.vm);
    if (no_memory(s, error))
        return;
    expect(s, "sync", error, 0);
    for (uint64_t at = 0; at < s->files[i].size; at++)
        if (s->files[i].disk[at] != s->contents[i].bytes[at]) {
            sequence_fail(s, "after a sync, byte %#lx of file %u is another on disk", at, i);
            return;
        }
}

/* ---- mremap ---- */

struct remap {
    uint64_t address, destination;
    unsigned old_pages, new_pages;
    int flags;
};

static bool can_grow(struct model_process *p, const struct remap *r) {
    return r->old_pages && model_run(p, r->address) == r->old_pages &&
           model_range_is_free(p, r->address + pages(r->old_pages), r->new_pages - r->old_pages);
}

static void model_move(struct sequence *s, struct model_process *p, const struct remap *r, uint64_t to) {
    struct model_page first = *model_page(p, r->address);
    for (unsigned i = 0; i < r->new_pages; i++) {
        struct model_page *new = model_page(p, to + pages(i));
        struct model_page *old = i < r->old_pages ? model_page(p, r->address + pages(i)) : NULL;
        if (!new) {
            sequence_fail(s, "moved outside the windows: %#lx", to);
            return;
        }
        if (new == old)
            continue;
        if (old) {
            *new = *old;
            old->own = NULL;
            old->lazy = false;
            if (!(r->flags & MREMAP_DONTUNMAP))
                *old = (struct model_page){0};
        } else {
            *new = first;
            new->own = NULL;
            new->lazy = false;
            new->object_page = first.object ? first.object_page + i : 0;
        }
    }
}

static void model_unmap_range(struct model_process *p, uint64_t address, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (model_page(p, address + pages(i)))
            model_unmap(model_page(p, address + pages(i)));
}

/* What mremap must return; where it may place the mapping, MODEL_ANYWHERE. What it unmaps on the way is
 * unmapped in the model. */
#define MODEL_ANYWHERE 1
static long model_remap(struct model_process *p, struct remap *r) {
    const struct model_page *page = model_page(p, r->address);
    const bool fixed = r->flags & MREMAP_FIXED, shrinks = r->old_pages > r->new_pages;
    const unsigned kept = shrinks ? r->new_pages : r->old_pages;
    if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && r->address < r->destination + pages(r->new_pages) &&
        r->destination < r->address + pages(r->old_pages))
        return -EINVAL;
    if (!page->mapped)
        return -EFAULT;
    if (r->old_pages == 0 && !page->shared)
        return -EINVAL;
    const bool stays = !(r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && r->old_pages >= r->new_pages;
    if (!stays && kept > model_run(p, r->address))
        return -EFAULT;
    if (fixed)
        model_unmap_range(p, r->destination, r->new_pages);
    if (shrinks)
        model_unmap_range(p, r->address + pages(r->new_pages), r->old_pages - r->new_pages);
    r->old_pages = kept;
    if (!page->mapped)
        return -EFAULT; /* it made way for itself */
    if (fixed)
        return (long)r->destination;
    if (r->flags & MREMAP_DONTUNMAP)
        return MODEL_ANYWHERE;
    if (kept == r->new_pages || can_grow(p, r))
        return (long)r->address;
    return r->flags & MREMAP_MAYMOVE ? MODEL_ANYWHERE : -ENOMEM;
}

void op_remap(struct sequence *s, struct model_process *p) {
    static const int flags[] = {0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED,
                                MREMAP_MAYMOVE | MREMAP_DONTUNMAP};
    struct remap r = {
        .address = pick_address(s, p),
        .destination = model_address((unsigned)pick(s, MODEL_FIXED_PAGES - 8)),
        .old_pages = (unsigned)pick(s, 8),
        .new_pages = 1 + (unsigned)pick(s, 7),
        .flags = flags[pick(s, 4)],
    };
    if (r.address >= MODEL_HEAP_START && r.address < MODEL_TOP_START)
        return; /* a heap that moved would not be the heap's any more */
    if (r.flags & MREMAP_DONTUNMAP && r.old_pages == 0)
        return;
    if (r.flags & MREMAP_DONTUNMAP)
        r.new_pages = r.old_pages;
    if (!model_page(p, r.address + pages(r.old_pages)) || !model_page(p, r.address + pages(r.new_pages)) ||
        top_pages_used(p) > MODEL_TOP_PAGES / 3 || promise_is_absurd(s, r.new_pages) ||
        (model_page(p, r.address)->flags & MODEL_LOCKED && populating_copies(model_page(p, r.address))))
        return;
    if (r.flags & MREMAP_FIXED && r.old_pages == r.new_pages && model_run(p, r.address) < r.old_pages)
        return; /* several mappings at once: test-calls.c */
    const struct remap asked = r;
    const bool free_before = model_range_is_free(p, r.destination, r.new_pages);
    uint64_t result = 0;
    long expected = model_remap(p, &r);
    const int error = space_remap(p->space, asked.address, pages(asked.old_pages), pages(asked.new_pages),
                                  asked.flags, asked.destination, &result);
    if (expected == MODEL_ANYWHERE) {
        const bool hint = r.flags & MREMAP_DONTUNMAP && free_before;
        expected = (long)(hint ? r.destination : model_gap(p, r.new_pages));
    }
    if (expected >= 0 && no_memory(s, error))
        return;
    expect(s, "mremap", error ? error : (long)result, expected);
    if (error || s->failure)
        return;
    model_move(s, p, &r, result);
    if (r.flags & MREMAP_DONTUNMAP)
        model_unlock_mapping(p, r.address);
}

/* ---- madvise ---- */

/* What an advice does to one page. */
static long model_advise(struct model_page *page, int advice) {
    const bool private_anonymous = !page->object;
    switch (advice) {
    case MADV_DONTNEED:
        if (page->flags & MODEL_LOCKED)
            return -EINVAL;
        free(page->own);
        page->own = NULL;
        page->lazy = false;
        return 0;
    case MADV_COLD:
    case MADV_PAGEOUT: return page->flags & MODEL_LOCKED ? -EINVAL : 0;
    case MADV_FREE:
        if (!private_anonymous || page->flags & MODEL_LOCKED)
            return -EINVAL;
        page->lazy = page->own != NULL;
        return 0;
    case MADV_DONTFORK: page->flags |= MODEL_DONT_FORK; return 0;
    case MADV_DOFORK: page->flags &= ~(unsigned)MODEL_DONT_FORK; return 0;
    case MADV_WIPEONFORK:
        if (!private_anonymous)
            return -EINVAL;
        page->flags |= MODEL_WIPE_ON_FORK;
        return 0;
    case MADV_KEEPONFORK: page->flags &= ~(unsigned)MODEL_WIPE_ON_FORK; return 0;
    case MADV_RANDOM: page->flags = (page->flags & ~(unsigned)MODEL_SEQUENTIAL) | MODEL_RANDOM; return 0;
    case MADV_SEQUENTIAL: page->flags = (page->flags & ~(unsigned)MODEL_RANDOM) | MODEL_SEQUENTIAL; return 0;
    case MADV_NORMAL: page->flags &= ~(unsigned)(MODEL_RANDOM | MODEL_SEQUENTIAL); return 0;
    default: return 0;
    }
}

void op_advise(struct sequence *s, struct model_process *p) {
    static const int advices[] = {MADV_DONTNEED, MADV_FREE,       MADV_DONTFORK,   MADV_DOFORK,
                                  MADV_FREE,     MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_RANDOM,
                                  MADV_NORMAL,   MADV_SEQUENTIAL, MADV_WILLNEED,   MADV_COLD,
                                  MADV_PAGEOUT,  MADV_PAGEOUT,    MADV_DONTNEED,   MADV_WILLNEED};
    const int advice = advices[pick(s, sizeof advices / sizeof advices[0])];
    const unsigned count = 1 + (unsigned)pick(s, 8);
    const uint64_t address = pick_address(s, p);
    if (!model_page(p, address + pages(count)))
        return;
    long expected = 0;
    bool hole = false;
    for (unsigned i = 0; i < count && !expected; i++) {
        struct model_page *page = model_page(p, address + pages(i));
        hole |= !page->mapped;
        if (page->mapped)
            expected = model_advise(page, advice);
    }
    if (!expected && hole)
        expected = -ENOMEM;
    expect(s, "madvise", space_advise(p->space, address, pages(count), advice), expected);
}
