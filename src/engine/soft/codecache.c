#include "engine/soft/codecache.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { CODE_ALIGNMENT = 16 };

/* Address space that costs nothing until it is touched. */
static void *reserve(size_t bytes, int protection, int flags) {
    void *p = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void release(void *p, size_t bytes) {
    if (p)
        munmap(p, bytes);
}

int codecache_create(struct codecache *ret_cache) {
    struct codecache cache = {
        .code = reserve(CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, 0),
        .thunks = reserve(CODE_THUNK_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_32BIT),
        .pages = reserve(CODE_PAGES * sizeof *cache.pages, PROT_READ | PROT_WRITE, 0),
        .blocks = reserve(CODE_BLOCKS * sizeof *cache.blocks, PROT_READ | PROT_WRITE, 0),
        .n_pages = 1,
        .n_blocks = 1,
    };
    *ret_cache = cache;
    if (cache.code && cache.thunks && cache.pages && cache.blocks)
        return 0;
    codecache_destroy(ret_cache);
    return -ENOMEM;
}

void codecache_destroy(struct codecache *cache) {
    release(cache->code, CODE_BYTES);
    release(cache->thunks, CODE_THUNK_BYTES);
    release(cache->pages, CODE_PAGES * sizeof *cache->pages);
    release(cache->blocks, CODE_BLOCKS * sizeof *cache->blocks);
}

bool codecache_has_room(const struct codecache *cache) {
    return cache->used + CODE_ROOM * CODE_BLOCK_BYTES <= CODE_BYTES &&
           cache->thunks_used + CODE_ROOM * CODE_BLOCK_BYTES <= CODE_THUNK_BYTES &&
           cache->n_pages + CODE_ROOM <= CODE_PAGES && cache->n_blocks + CODE_ROOM <= CODE_BLOCKS;
}

void codecache_flush(struct codecache *cache) {
    cache->used = cache->thunks_used = 0;
    cache->n_pages = cache->n_blocks = 1;
    memset(cache->heads, 0, sizeof cache->heads);
}

/* Which list of code pages the identity is in. */
static unsigned head_of(page_id_t id) {
    return (unsigned)(id.n * 0x9e3779b97f4a7c15ULL >> 52);
}
_Static_assert(CODE_ID_HEADS == 1 << (64 - 52), "head_of() takes the upper bits");

static struct code_page *page_at(const struct codecache *cache, uint32_t index) {
    return index ? &cache->pages[index] : NULL;
}

/* The first page of this content from `index` on. */
static struct code_page *same_content(const struct codecache *cache, uint32_t index, page_id_t id) {
    while (index && !page_id_eq(cache->pages[index].id, id))
        index = cache->pages[index].next;
    return page_at(cache, index);
}

struct code_page *codecache_first(const struct codecache *cache, page_id_t id) {
    return same_content(cache, cache->heads[head_of(id)], id);
}

struct code_page *codecache_next(const struct codecache *cache, const struct code_page *p) {
    return same_content(cache, p->next, p->id);
}

struct code_page *codecache_next_at(const struct codecache *cache, vpn_t vpn, const struct code_page *p) {
    for (uint32_t i = p ? (uint32_t)(p - cache->pages) + 1 : 1; i < cache->n_pages; i++)
        if (cache->pages[i].token && cache->pages[i].vpn.n == vpn.n)
            return &cache->pages[i];
    return NULL;
}

struct code_page *codecache_page(struct codecache *cache, vpn_t vpn, page_id_t id) {
    for (struct code_page *p = codecache_first(cache, id); p; p = codecache_next(cache, p))
        if (p->vpn.n == vpn.n)
            return p;
    uint32_t *head = &cache->heads[head_of(id)];
    struct code_page *p = &cache->pages[cache->n_pages];
    *p = (struct code_page){.vpn = vpn, .id = id, .token = ++cache->last_token, .next = *head};
    *head = cache->n_pages++;
    assert(cache->last_token != UINT32_MAX); /* see single.c */
    return p;
}

void codecache_retire(struct codecache *cache, struct code_page *page) {
    uint32_t *link = &cache->heads[head_of(page->id)];
    while (&cache->pages[*link] != page)
        link = &cache->pages[*link].next;
    *link = page->next;
    page->token = 0;
}

struct block *codecache_block(const struct codecache *cache, const struct code_page *page, unsigned offset,
                              enum block_kind kind) {
    for (uint32_t i = page->blocks[offset % CODE_OFFSET_HEADS]; i; i = cache->blocks[i].next) {
        struct block *b = &cache->blocks[i];
        if (b->offset == offset && (b->kind == BLOCK_SINGLE) == (kind == BLOCK_SINGLE))
            return b;
    }
    return NULL;
}

struct block *codecache_add(struct codecache *cache, struct code_page *page, unsigned offset,
                            enum block_kind kind) {
    uint32_t *head = &page->blocks[offset % CODE_OFFSET_HEADS];
    struct block *b = &cache->blocks[cache->n_blocks];
    *b = (struct block){.next = *head, .offset = (uint16_t)offset, .kind = (uint8_t)kind};
    *head = cache->n_blocks++;
    return b;
}

uint8_t *codecache_free_code(const struct codecache *cache) {
    return cache->code + cache->used;
}

void codecache_use_code(struct codecache *cache, size_t length) {
    assert(length <= CODE_BLOCK_BYTES);
    cache->used += (length + CODE_ALIGNMENT - 1) & ~(size_t)(CODE_ALIGNMENT - 1);
}

static unsigned cut_at_page_end(unsigned offset, unsigned length) {
    return offset + length > PAGE_SIZE ? PAGE_SIZE - offset : length;
}

void code_page_mark(struct code_page *page, unsigned offset, unsigned length) {
    unsigned end = offset + cut_at_page_end(offset, length);
    for (unsigned i = offset; i < end; i++)
        page->translated[i / 8] = (uint8_t)(page->translated[i / 8] | 1 << i % 8);
}

bool code_page_overlaps(const struct code_page *page, unsigned offset, unsigned length) {
    unsigned end = offset + cut_at_page_end(offset, length);
    for (unsigned i = offset; i < end; i++)
        if (page->translated[i / 8] & 1 << i % 8)
            return true;
    return false;
}
