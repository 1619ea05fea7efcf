#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKED_FRAMES = 64 }; /* the engine is checked after each run of a machine no larger */

static void fail(const char *what) {
    fprintf(stderr, "test system: %s\n", what);
    exit(2);
}

/* ---- frames ---- */

static struct os_page *page_of_vpn(struct os *os, uint64_t vpn) {
    uint64_t value;
    return map_get(&os->pages, vpn, &value) ? (struct os_page *)value : NULL;
}

static pte_t pte_of(struct os *os, uint64_t vpn) {
    return os->table->ops->get(os->table, (vpn_t){vpn});
}

static void set_pte(struct os *os, uint64_t vpn, pte_t pte) {
    if (os->table->ops->prepare(os->table, (vpn_t){vpn}) != 0)
        fail("no memory for a page table");
    os->table->ops->set(os->table, (vpn_t){vpn}, pte);
    engine_soft.forget_page(os->engine, os->table, (vpn_t){vpn});
}

static void evict(struct os *os, pfn_t frame) {
    uint64_t vpn = os->owner[frame.n];
    struct os_page *page = page_of_vpn(os, vpn);
    if (pte_has(pte_of(os, vpn), PTE_DIRTY))
        memcpy(page->swap, physmem_frame(&os->mem, frame), PAGE_SIZE);
    set_pte(os, vpn, pte_make_swapped((slot_t){0}, page->access, 0));
    page->frame = PFN_NONE;
    os->owner[frame.n] = UINT64_MAX;
    memset(physmem_frame(&os->mem, frame), 0xcc, PAGE_SIZE); /* junk: nothing may rely on it */
}

static pfn_t take_frame(struct os *os) {
    for (uint32_t i = 0; i < os->config.frames; i++)
        if (os->owner[i] == UINT64_MAX)
            return (pfn_t){i};
    pfn_t victim = {(uint32_t)rng_below(&os->rng, os->config.frames)};
    evict(os, victim);
    return victim;
}

static enum fault_result handle_fault(void *context, struct page_table *table, uint64_t address,
                                      unsigned access) {
    struct os *os = context;
    struct os_page *page = os_page(os, address);
    struct engine_counters counters;
    os->faults++;
    if (os->fault_open)
        fail("a fault, and none of the references before it");
    if (!page)
        return FAULT_NO_MAPPING;
    if ((page->access & access) != access)
        return FAULT_PERMISSION;
    if (pfn_is_none(page->frame)) {
        page->frame = take_frame(os);
        os->owner[page->frame.n] = vpn_of(address).n;
        os->content[page->frame.n] = page->id;
        memcpy(physmem_frame(&os->mem, page->frame), page->swap, PAGE_SIZE);
    }
    set_pte(os, vpn_of(address).n, pte_make_present(page->frame, page->access, 0));
    engine_soft.get_counters(os->engine, &counters);
    os->fault_open = os->config.trace;
    os->fault_vpn = vpn_of(address).n;
    os->fault_instruction = counters.instructions;
    return FAULT_OK;
}

static page_id_t identify(void *context, pfn_t frame) {
    return ((struct os *)context)->content[frame.n];
}

/* ---- the reference string ---- */

static uint64_t hash_word(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

static void hash_run(struct os_runs *runs) {
    const struct os_reference *r = &runs->open;
    if (!runs->begun)
        return;
    runs->count++;
    runs->pages = hash_word(runs->pages, r->vpn << 2 | (uint64_t)r->written << 1 | r->fetched);
    runs->instructions = hash_word(runs->instructions, r->instruction);
}

static void join_run(struct os_runs *runs, const struct os_reference *r) {
    if (runs->begun && runs->open.vpn == r->vpn) {
        runs->open.written |= r->written;
        runs->open.fetched |= r->fetched;
        return;
    }
    hash_run(runs);
    runs->open = *r;
    runs->begun = true;
}

/* A fault that was served is followed by the access that wanted the page, at the instruction that the
 * engine's counters named. */
static void check_fault(struct os *os, const struct os_reference *r) {
    if (os->fault_open && (os->fault_vpn != r->vpn || os->fault_instruction != r->instruction))
        fail("a fault, and a reference at another place or time behind it");
    os->fault_open = false;
}

static void note_references(void *context, const struct reference_log *log) {
    struct os *os = context;
    uint64_t before = log->start;
    for (size_t i = 0; i < log->count; i++) {
        const struct reference e = log_reference(log, i);
        if (e.instruction < before || e.instruction - log->start >= LOG_SPAN)
            fail("a reference before the one before it, or too far behind the start of its log");
        before = e.instruction;
        if (e.frame >= os->config.frames)
            continue;
        const struct os_reference r = {.vpn = os->owner[e.frame],
                                       .instruction = e.instruction,
                                       .written = e.written,
                                       .fetched = e.fetched};
        check_fault(os, &r);
        join_run(&os->all, &r);
        join_run(e.fetched ? &os->code : &os->data, &r);
    }
}

/* ---- memory ---- */

struct os_page *os_page(struct os *os, uint64_t address) {
    return page_of_vpn(os, vpn_of(address).n);
}

void os_map(struct os *os, uint64_t address, uint64_t length, unsigned access) {
    os_unmap(os, address, length);
    for (uint64_t v = vpn_of(address).n; v < vpn_of(page_round_up(address + length)).n; v++) {
        struct os_page *page = calloc(1, sizeof *page);
        if (!page || map_put(&os->pages, v, (uint64_t)page) != 0)
            fail("no memory");
        page->access = access;
        page->id.n = ++os->last_id;
        page->frame = PFN_NONE;
    }
}

void os_unmap(struct os *os, uint64_t address, uint64_t length) {
    for (uint64_t v = vpn_of(address).n; v < vpn_of(page_round_up(address + length)).n; v++) {
        struct os_page *page = page_of_vpn(os, v);
        if (!page)
            continue;
        if (!pfn_is_none(page->frame))
            evict(os, page->frame);
        set_pte(os, v, (pte_t){0});
        map_remove(&os->pages, v, NULL);
        free(page);
    }
}

void os_protect(struct os *os, uint64_t address, uint64_t length, unsigned access) {
    for (uint64_t v = vpn_of(address).n; v < vpn_of(page_round_up(address + length)).n; v++) {
        struct os_page *page = page_of_vpn(os, v);
        if (!page)
            continue;
        page->access = access;
        if (!pte_is_empty(pte_of(os, v)))
            set_pte(os, v, pte_with_access(pte_of(os, v), access));
    }
}

/* The bytes of the page that count now. */
static uint8_t *content(struct os *os, struct os_page *page, bool write) {
    if (pfn_is_none(page->frame))
        return page->swap;
    if (write)
        os->table->ops->mark(os->table, (vpn_t){os->owner[page->frame.n]}, PTE_DIRTY);
    return physmem_frame(&os->mem, page->frame);
}

bool os_write(struct os *os, uint64_t address, const void *from, uint64_t length) {
    for (uint64_t i = 0; i < length; i++) {
        struct os_page *page = os_page(os, address + i);
        if (!page)
            return false;
        content(os, page, true)[(address + i) & PAGE_MASK] = ((const uint8_t *)from)[i];
        engine_soft.forget_code(os->engine, page->id, (address + i) & PAGE_MASK, 1);
    }
    return true;
}

bool os_read(struct os *os, uint64_t address, void *to, uint64_t length) {
    for (uint64_t i = 0; i < length; i++) {
        struct os_page *page = os_page(os, address + i);
        if (!page)
            return false;
        ((uint8_t *)to)[i] = content(os, page, false)[(address + i) & PAGE_MASK];
    }
    return true;
}

/* ---- the machine ---- */

void os_create(struct os *os, const struct os_config *config) {
    *os = (struct os){.config = *config, .rng = {config->seed}, .mmap_next = 0x40000000};
    if (physmem_create(config->frames, &os->mem) != 0)
        fail("no physical memory");
    struct engine_config engine = {
        .mem = &os->mem,
        .client = {os, handle_fault, identify, config->trace ? note_references : NULL},
        .level = config->level,
        .tlb_entries = config->tlb_entries};
    struct table_frames none = {.mem = &os->mem};
    if (page_table_array.create(&none, &os->table) != 0 || engine_soft.create(&engine, &os->engine) != 0 ||
        engine_soft.cpu_create(os->engine, &os->cpu) != 0)
        fail("no engine");
    os->owner = malloc(config->frames * sizeof *os->owner);
    os->content = malloc(config->frames * sizeof *os->content);
    os->output = malloc(OS_OUTPUT);
    if (!os->owner || !os->content || !os->output)
        fail("no memory");
    for (uint32_t i = 0; i < config->frames; i++)
        os->owner[i] = UINT64_MAX;
}

void os_destroy(struct os *os) {
    size_t cursor;
    uint64_t vpn, page;
    while (cursor = 0, map_next(&os->pages, &cursor, &vpn, &page))
        os_unmap(os, vpn << PAGE_SHIFT, PAGE_SIZE);
    map_free(&os->pages);
    engine_soft.forget_table(os->engine, os->table);
    engine_soft.cpu_destroy(os->engine, os->cpu);
    engine_soft.destroy(os->engine);
    os->table->ops->destroy(os->table);
    physmem_destroy(&os->mem);
    free(os->owner);
    free(os->content);
    free(os->output);
}

static void set_trap_flag(struct os *os) {
    struct cpu_registers r;
    engine_soft.get_registers(os->engine, os->cpu, &r);
    r.rflags |= OS_TRAP_FLAG;
    engine_soft.set_registers(os->engine, os->cpu, &r);
}

struct trap os_step(struct os *os, uint64_t budget) {
    struct trap trap;
    os->runs++;
    if (os->config.single_step)
        set_trap_flag(os);
    engine_soft.run(os->engine, os->cpu, os->table, budget, &trap);
    const char *wrong = os->config.frames <= CHECKED_FRAMES ? engine_soft.check(os->engine) : NULL;
    if (wrong)
        fail(wrong);
    return trap;
}

void os_run(struct os *os) {
    while (!os->exited) {
        struct trap trap = os_step(os, os->config.quantum);
        switch (trap.kind) {
        case TRAP_SYSCALL: os_syscall(os); break;
        case TRAP_EXCEPTION:
            if (!os->config.single_step || trap.vector != VECTOR_DB)
                os_deliver(os, &trap);
            break;
        case TRAP_QUANTUM:
        case TRAP_KICKED: break;
        }
    }
    hash_run(&os->all);
    hash_run(&os->code);
    hash_run(&os->data);
}
