/* A replacement policy over the reference string that tap wrote: the plainest simulation there is, to compare
 * the machine and other simulations with.
 *
 *     oracle FILE POLICY FRAMES [OBSERVE-BITS]
 *
 * Prints misses, evictions of clean pages, to swap, to files; then the number of references. Frames are
 * handed out from the highest number down, unlike the machine's: their order must mean nothing. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/map.h"
#include "item.h"
#include "policy/policy.h"

enum { LIVES_BITS = 20 };

/* Identities are those of the items, with so many bits more: what comes back in the place of a page that was
 * given up is a new page, which is newer than all that were there before. */
struct page {
    uint64_t id;
    uint32_t frame; /* plus 1; 0: in none */
    bool file, dirty, lazy;
};

struct oracle {
    const struct policy_ops *policy;
    void *state;
    uint32_t frames;
    uint64_t instruction;
    struct page *pages;
    size_t page_count, page_capacity;
    uint64_t newest;                     /* identity of an anonymous page */
    struct map numbers;                  /* identity of the item → index of the page */
    size_t *holds;                       /* by frame: index of the page */
    bool *in_use, *referenced, *touched; /* by frame */
    uint32_t *free_frames, free_count;
    uint64_t bits, next;
    uint64_t references, misses, clean, to_swap, to_file;
};

static bool test_and_clear(void *context, pfn_t f) {
    struct oracle *o = context;
    const bool was = o->referenced[f.n];
    o->referenced[f.n] = false;
    return was;
}

static bool is_dirty(void *context, pfn_t f) {
    const struct oracle *o = context;
    return o->pages[o->holds[f.n]].dirty;
}

static uint64_t now(void *context) {
    return ((struct oracle *)context)->instruction;
}

static struct page *page_of(struct oracle *o, uint64_t id) {
    uint64_t number;
    if (map_get(&o->numbers, id, &number))
        return &o->pages[number];
    fprintf(stderr, "oracle: page %#" PRIx64 " never appeared\n", id);
    exit(1);
}

static void appear(struct oracle *o, const struct item *item) {
    if (o->page_count == o->page_capacity) {
        o->page_capacity = o->page_capacity ? 2 * o->page_capacity : 1024;
        o->pages = realloc(o->pages, o->page_capacity * sizeof *o->pages);
    }
    if (!o->pages || map_get(&o->numbers, item->page, NULL) ||
        map_put(&o->numbers, item->page, o->page_count) < 0) {
        fprintf(stderr, "oracle: page %#" PRIx64 " appears twice\n", item->page);
        exit(1);
    }
    const bool object = page_id_is_object((page_id_t){item->page});
    const uint64_t id = object ? item->page : item->page << LIVES_BITS;
    if (!object && id > o->newest)
        o->newest = id;
    o->pages[o->page_count++] = (struct page){.id = id, .file = item->flags, .dirty = !item->flags};
}

static void leave(struct oracle *o, struct page *page, enum policy_remove reason) {
    const pfn_t f = {page->frame - 1};
    page->frame = 0;
    o->in_use[f.n] = false;
    o->free_frames[o->free_count++] = f.n;
    o->policy->remove(o->state, f, (page_id_t){page->id}, reason);
}

static void evict(struct oracle *o) {
    const pfn_t victim = o->policy->victim(o->state);
    assert(victim.n < o->frames && o->in_use[victim.n]);
    struct page *page = &o->pages[o->holds[victim.n]];
    o->clean += !page->dirty;
    o->to_swap += page->dirty && !page->file;
    o->to_file += page->dirty && page->file;
    page->dirty = false;
    leave(o, page, POLICY_EVICTED);
}

static void bring_in(struct oracle *o, struct page *page) {
    o->misses++;
    if (page->lazy) { /* comes back as zeros, which have no copy */
        page->id = ++o->newest;
        page->dirty = true;
        page->lazy = false;
    }
    if (o->policy->miss)
        o->policy->miss(o->state, (page_id_t){page->id});
    if (o->free_count == 0)
        evict(o);
    const pfn_t f = {o->free_frames[--o->free_count]};
    page->frame = f.n + 1;
    o->holds[f.n] = (size_t)(page - o->pages);
    o->in_use[f.n] = o->referenced[f.n] = true;
    o->touched[f.n] = false;
    o->policy->insert(o->state, f, (page_id_t){page->id});
}

/* Those in frames with their bit set, in ascending order of identity; each search for the next one anew. */
static void harvest(struct oracle *o) {
    for (uint64_t last = 0;;) {
        uint32_t best = UINT32_MAX;
        for (uint32_t f = 0; f < o->frames; f++) {
            if (!o->in_use[f] || !o->touched[f] || o->pages[o->holds[f]].id < last)
                continue;
            if (best == UINT32_MAX || o->pages[o->holds[f]].id < o->pages[o->holds[best]].id)
                best = f;
        }
        if (best == UINT32_MAX)
            return;
        last = o->pages[o->holds[best]].id;
        o->touched[best] = false;
        o->policy->access(o->state, (pfn_t){best}, (page_id_t){last});
    }
}

static void refer(struct oracle *o, struct page *page, unsigned flags) {
    const bool wanted = o->policy->needs == POLICY_NEEDS_EVERY_REFERENCE;
    o->references++;
    if (o->bits && wanted && o->instruction >= o->next) {
        harvest(o);
        o->next = (o->instruction / o->bits + 1) * o->bits;
    }
    if (!page->frame) {
        bring_in(o, page);
    } else {
        o->referenced[page->frame - 1] = o->touched[page->frame - 1] = true;
        if (wanted && !o->bits)
            o->policy->access(o->state, (pfn_t){page->frame - 1}, (page_id_t){page->id});
    }
    if (flags & ACCESS_WRITE) {
        page->dirty = true;
        page->lazy = false;
    }
}

static void take(struct oracle *o, const struct item *item) {
    o->instruction = item->instruction;
    if (item->kind == ITEM_APPEARS) {
        appear(o, item);
        return;
    }
    struct page *page = page_of(o, item->page);
    switch ((enum item_kind)item->kind) {
    case ITEM_APPEARS: break;
    case ITEM_REFERENCE: refer(o, page, item->flags); break;
    case ITEM_DIES:
        if (page->frame)
            leave(o, page, (enum policy_remove)item->flags);
        map_remove(&o->numbers, item->page, NULL);
        break;
    case ITEM_CLEANED: page->dirty = false; break;
    case ITEM_COOLED:
        if (page->frame)
            o->referenced[page->frame - 1] = false;
        break;
    case ITEM_GIVEN_UP:
        page->dirty = false;
        page->lazy = true;
        break;
    }
}

static const struct item *items_map(const char *path, size_t *ret_count) {
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    const void *items = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    *ret_count = (size_t)st.st_size / sizeof(struct item);
    return items == MAP_FAILED ? NULL : items;
}

static void tell(void *context, enum policy_news news, const char *line) {
    fprintf(stderr, "oracle: %s\n", line);
}

int main(int argc, char **argv) {
    struct oracle o = {0};
    size_t count;
    char *message = NULL;
    const char *parameters;
    const struct item *items = argc >= 4 ? items_map(argv[1], &count) : NULL;
    if (!items || policy_load(argv[2], &o.policy, &parameters, &message) < 0) {
        fprintf(stderr, "oracle: %s\n", message ? message : "FILE POLICY FRAMES [OBSERVE-BITS]");
        return 1;
    }
    o.frames = (uint32_t)strtoul(argv[3], NULL, 10);
    o.bits = o.next = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    o.holds = calloc(o.frames, sizeof *o.holds);
    o.in_use = calloc(o.frames, 1);
    o.referenced = calloc(o.frames, 1);
    o.touched = calloc(o.frames, 1);
    o.free_frames = calloc(o.frames, sizeof *o.free_frames);
    for (uint32_t f = 0; f < o.frames; f++)
        o.free_frames[o.free_count++] = f;
    const struct policy_config config = {.frames = o.frames,
                                         .capacity = o.frames,
                                         .seed = 1,
                                         .parameters = parameters,
                                         .test_and_clear_referenced = test_and_clear,
                                         .is_dirty = is_dirty,
                                         .now = now,
                                         .tell = tell,
                                         .context = &o};
    if (policy_create(o.policy, &config, &o.state) < 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        take(&o, &items[i]);
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", o.misses, o.clean, o.to_swap,
           o.to_file, o.references);
    return 0;
}
