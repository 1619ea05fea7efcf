#include <string.h>

#include "engine/soft/soft.h"

static unsigned index_of(vpn_t vpn) {
    return vpn.n % FETCH_ENTRIES;
}

void code_make_room(struct engine *e) {
    if (codecache_has_room(&e->cache))
        return;
    codecache_flush(&e->cache);
    e->flushes++;
    fetch_flush(e);
    jumps_clear(e);
}

static struct code_page *fetch_miss(struct engine *e, vpn_t vpn, uint64_t address) {
    uint8_t *host;
    e->instruction = 0;
    if (!memory_translate(e, address, ACCESS_EXEC, &host))
        return NULL;
    pfn_t frame = frame_at(e, host);
    page_id_t id = e->client.page_id(e->client.context, frame);
    /* From now on stores to the content must be noticed. */
    if (!codecache_first(&e->cache, id))
        tlb_forget_stores(&e->tlb, physmem_frame(e->mem, frame));
    struct code_page *page = codecache_page(&e->cache, vpn, id);
    e->fetch[index_of(vpn)] = (struct fetch_entry){.page = page, .frame = frame};
    e->area.fetch_token[index_of(vpn)] = page->token;
    e->area.fetch_host_page[index_of(vpn)] = (uint32_t)((uint64_t)host >> PAGE_SHIFT);
    return page;
}

struct code_page *fetch_page(struct engine *e, uint64_t address) {
    vpn_t vpn = vpn_of(address);
    const struct fetch_entry *entry = &e->fetch[index_of(vpn)];
    if (!e->area.fetch_token[index_of(vpn)] || entry->page->vpn.n != vpn.n)
        return fetch_miss(e, vpn, address);
    log_add(e, physmem_frame(e->mem, entry->frame), ACCESS_EXEC);
    return entry->page;
}

const uint8_t *fetch_bytes(const struct engine *e, vpn_t vpn) {
    return physmem_frame(e->mem, e->fetch[index_of(vpn)].frame);
}

void fetch_forget(struct engine *e, vpn_t vpn) {
    unsigned i = index_of(vpn);
    if (e->area.fetch_token[i] && e->fetch[i].page->vpn.n == vpn.n)
        e->area.fetch_token[i] = 0;
}

void fetch_flush(struct engine *e) {
    memset(e->area.fetch_token, 0, sizeof e->area.fetch_token);
}

const char *fetch_check(const struct engine *e) {
    for (unsigned i = 0; i < FETCH_ENTRIES; i++) {
        const struct fetch_entry *entry = &e->fetch[i];
        if (!e->area.fetch_token[i])
            continue;
        pte_t pte = e->table->ops->get(e->table, entry->page->vpn);
        if (e->area.fetch_token[i] != entry->page->token || index_of(entry->page->vpn) != i)
            return "a fetch TLB entry that is not its code page's";
        if (!pte_is_present(pte) || !pfn_eq(pte_pfn(pte), entry->frame))
            return "a fetch TLB entry for a page that is not there";
        if (!pte_has(pte, PTE_X | PTE_REFERENCED))
            return "a fetch TLB entry that allows more than the page table";
        if (!page_id_eq(e->client.page_id(e->client.context, entry->frame), entry->page->id))
            return "a code page whose frame holds something else";
    }
    return NULL;
}

void jumps_clear(struct engine *e) {
    memset(e->area.jumps, 0, sizeof e->area.jumps);
    e->area.jumps[0].pc = 1; /* belongs to another place, so that address 0 finds nothing */
}

bool code_overlaps(const struct engine *e, page_id_t id, unsigned offset, unsigned length) {
    for (const struct code_page *p = codecache_first(&e->cache, id); p; p = codecache_next(&e->cache, p))
        if (code_page_overlaps(p, offset, length))
            return true;
    return false;
}

static void code_retire(struct engine *e, struct code_page *p) {
    uint32_t *token = &e->area.fetch_token[index_of(p->vpn)];
    if (*token == p->token)
        *token = 0;
    codecache_retire(&e->cache, p);
}

void code_written(struct engine *e, page_id_t id, unsigned offset, unsigned length) {
    for (struct code_page *p = codecache_first(&e->cache, id); p; p = codecache_next(&e->cache, p))
        if (code_page_overlaps(p, offset, length))
            code_retire(e, p);
}

void code_forget_address(struct engine *e, uint64_t address) {
    struct code_page *p = NULL;
    while ((p = codecache_next_at(&e->cache, vpn_of(address), p)))
        if (code_page_overlaps(p, address & PAGE_MASK, 1))
            code_retire(e, p);
}
