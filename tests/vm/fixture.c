/* See fixture.h. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/mmu.h"

void test_stop(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* ---- the processor ---- */

static struct tlb_entry *tlb_place(struct test_machine *m, const struct page_table *table, vpn_t vpn,
                                   unsigned access) {
    return &m->tlb[(vpn.n * 7 + table->space * 3 + access) % TLB_ENTRIES];
}

static void forget_page(void *context, const struct page_table *table, vpn_t vpn) {
    struct test_machine *m = context;
    for (int i = 0; i < TLB_ENTRIES; i++)
        if (m->tlb[i].table == table && m->tlb[i].vpn.n == vpn.n)
            m->tlb[i].table = NULL;
}

static void forget_table(void *context, const struct page_table *table) {
    struct test_machine *m = context;
    for (int i = 0; i < TLB_ENTRIES; i++)
        if (m->tlb[i].table == table)
            m->tlb[i].table = NULL;
}

/* Every entry of the TLB must still be what a walk would give, with the bits that the walk sets. */
static const char *tlb_check(const struct test_machine *m) {
    for (int i = 0; i < TLB_ENTRIES; i++) {
        const struct tlb_entry *e = &m->tlb[i];
        if (!e->table)
            continue;
        const pte_t pte = e->table->ops->get(e->table, e->vpn);
        const uint64_t bits = PTE_REFERENCED | (e->access & ACCESS_WRITE ? PTE_DIRTY : 0);
        if (!pte_is_present(pte) || !pfn_eq(pte_pfn(pte), e->pfn) || e->access & ~pte_access(pte) ||
            !pte_has(pte, bits))
            return "the TLB holds what the page table does not";
    }
    return NULL;
}

/* ---- translations ---- */

static struct translation *translation_place(struct test_machine *m, page_id_t id) {
    return &m->translations[(id.n * 0x9e3779b97f4a7c15ULL) >> 58];
}

static void forget_code(void *context, page_id_t id, unsigned offset, unsigned length) {
    struct test_machine *m = context;
    require(offset + length <= PAGE_SIZE);
    if (page_id_eq(translation_place(m, id)->id, id))
        translation_place(m, id)->id = PAGE_ID_NONE;
}

static uint64_t page_hash(struct test_machine *m, pfn_t pfn) {
    const uint64_t *words = physmem_frame(vm_physmem(m->vm), pfn);
    uint64_t hash = 0;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof *words; i++)
        hash = (hash ^ words[i]) * 0x100000001b3ULL;
    return hash;
}

/* Before an access: what is known about the page by its identity must fit. */
static void translation_use(struct test_machine *m, pfn_t pfn) {
    const page_id_t id = vm_page_id(m->vm, pfn);
    struct translation *t = translation_place(m, id);
    const uint64_t hash = page_hash(m, pfn);
    if (page_id_eq(id, PAGE_ID_NONE))
        m->wrong = "a frame that is used holds no page";
    if (page_id_eq(t->id, id) && t->hash != hash)
        m->wrong = "a page's content has changed unannounced";
    *t = (struct translation){id, hash};
}

/* After a store by the program, which the processor notices by itself. */
static void translation_renew(struct test_machine *m, pfn_t pfn) {
    const page_id_t id = vm_page_id(m->vm, pfn);
    *translation_place(m, id) = (struct translation){id, page_hash(m, pfn)};
}

static void reference(struct test_machine *m, pfn_t pfn) {
    const uint32_t rest = log_rest(0, ACCESS_READ);
    const struct reference_log log = {.pages = &pfn.n, .rests = &rest, .count = 1};
    if (m->needs_references)
        vm_references(m->vm, &log);
}

/* Translates; faults until it works. */
static enum fault_result translate(struct test_machine *m, struct space *space, uint64_t address,
                                   unsigned access, pfn_t *ret_frame) {
    struct page_table *table = space_page_table(space);
    struct tlb_entry *e = tlb_place(m, table, vpn_of(address), access);
    if (e->table != table || e->vpn.n != vpn_of(address).n || e->access != access) {
        pte_t pte;
        while (mmu_walk(table, vpn_of(address), access, &pte) != MMU_OK) {
            const enum fault_result result = space_fault(space, address, access);
            if (result != FAULT_OK)
                return result;
        }
        *e = (struct tlb_entry){table, vpn_of(address), access, pte_pfn(pte)};
    }
    reference(m, e->pfn);
    *ret_frame = e->pfn;
    return FAULT_OK;
}

size_t test_access(struct test_machine *m, struct space *space, uint64_t address, unsigned access,
                   void *bytes, size_t length, enum fault_result *ret_fault) {
    size_t done = 0;
    *ret_fault = FAULT_OK;
    while (done < length) {
        const uint64_t at = address + done;
        const size_t left = length - done, room = PAGE_SIZE - (at & PAGE_MASK);
        const size_t n = left < room ? left : room;
        pfn_t pfn;
        *ret_fault = translate(m, space, at, access, &pfn);
        if (*ret_fault != FAULT_OK)
            return done;
        translation_use(m, pfn);
        uint8_t *page = (uint8_t *)physmem_frame(vm_physmem(m->vm), pfn) + (at & PAGE_MASK);
        if (access & ACCESS_WRITE)
            memcpy(page, (const uint8_t *)bytes + done, n);
        else if (access & ACCESS_READ)
            memcpy((uint8_t *)bytes + done, page, n);
        if (access & ACCESS_WRITE)
            translation_renew(m, pfn);
        done += n;
    }
    return done;
}

uint8_t test_read_byte(struct test_machine *m, struct space *space, uint64_t address) {
    uint8_t value = 0;
    enum fault_result result;
    const size_t done = test_access(m, space, address, ACCESS_READ, &value, 1, &result);
    require(done == 1 && result == FAULT_OK);
    return value;
}

void test_write_byte(struct test_machine *m, struct space *space, uint64_t address, uint8_t value) {
    enum fault_result result;
    const size_t done = test_access(m, space, address, ACCESS_WRITE, &value, 1, &result);
    require(done == 1 && result == FAULT_OK);
}

/* ---- the trace ---- */

static void fold_receive(struct trace_sink *sink, const struct event *event) {
    struct test_machine *m = (struct test_machine *)((char *)sink - offsetof(struct test_machine, sink));
    uint64_t words[sizeof *event / sizeof(uint64_t)];
    memcpy(words, event, sizeof words);
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        m->event_hash = (m->event_hash ^ words[i]) * 0x100000001b3ULL;
    const int error = fold_apply(m->fold, event);
    require(!error);
}

static void trace_start(const struct test_config *c, struct test_machine *m, uint32_t frames) {
    m->fold = fold_create(NULL);
    require(m->fold);
    m->sink.receive = fold_receive;
    trace_add_sink(&m->trace, &m->sink);
    const uint64_t format = trace_string(&m->trace, c->format->name, strlen(c->format->name));
    const uint64_t policy = trace_string(&m->trace, c->policy->name, strlen(c->policy->name));
    trace_emit(&m->trace, EVENT_MACHINE_START, 0, frames, c->reserved, c->swap_pages, format, policy);
}

/* The dirty and referenced bits that the MMU sets are no events. */
static uint64_t without_mmu_bits(pte_t pte) {
    return pte.v & ~(uint64_t)(PTE_REFERENCED | PTE_DIRTY);
}

static const char *fold_compare_space(const struct test_machine *m, const struct fold_space *known) {
    struct space *space = NULL;
    struct space_counts counts;
    struct page_table probe = {.space = (uint32_t)known->number};
    space = space_of_table(m->vm, &probe);
    space_get_counts(space, &counts);
    if (counts.resident != known->present || counts.swapped != known->swapped)
        return "the fold counts other entries than the space";
    const struct page_table *table = space_page_table(space);
    pte_t pte;
    for (vpn_t vpn = {0}; table->ops->next(table, &vpn, USER_END_VPN, &pte); vpn.n++)
        if (without_mmu_bits(pte) != without_mmu_bits(fold_entry(known, vpn)))
            return "the fold knows another entry than the page table";
    return NULL;
}

static bool tally_equal(const struct tally *a, const struct tally *b) {
    return memcmp(a->faults, b->faults, sizeof a->faults) == 0 && a->major == b->major &&
           a->minor == b->minor && a->misses == b->misses && a->refaults == b->refaults &&
           memcmp(a->evictions, b->evictions, sizeof a->evictions) == 0 && a->swap_in == b->swap_in &&
           a->swap_out == b->swap_out;
}

static const char *fold_compare(struct test_machine *m) {
    const struct fold *fold = m->fold;
    if (fold->complaints)
        return fold->last_complaint ? fold->last_complaint : "the fold complains";
    const char *wrong = fold_check(fold);
    if (!wrong)
        wrong = fold_check_machine(fold);
    for (size_t i = 0; !wrong && i < fold->spaces.count; i++)
        wrong = fold_compare_space(m, fold->spaces.entries[i].value);
    struct vm_counts counts;
    vm_get_counts(m->vm, &counts);
    if (!wrong && (counts.frames.anonymous != fold->frames_by_use[EVENT_FRAME_ANONYMOUS] ||
                   counts.frames.page_cache != fold->frames_by_use[EVENT_FRAME_CACHE] ||
                   counts.frames.page_tables != fold->frames_by_use[EVENT_FRAME_TABLE] ||
                   counts.swap.used != fold->slots_used))
        wrong = "the fold counts other frames or slots";
    if (!wrong && !tally_equal(&counts.tally, &fold->counter.tally))
        wrong = "the tally is not what the events say";
    return wrong;
}

/* ---- the machine ---- */

static bool out_of_memory(void *context) {
    struct test_machine *m = context;
    m->out_of_memory++;
    if (!m->to_reap)
        return false;
    space_reap(m->to_reap);
    m->to_reap = NULL;
    return true;
}

static void refused(void *context) {
    ((struct test_machine *)context)->refused++;
}

static void io_error(void *context, struct space *space, int error, const char *what) {
    struct test_machine *m = context;
    require(error < 0 && what);
    m->io_errors++;
    m->io_error_space = space;
}

int test_machine_create(const struct test_config *c, struct test_machine *m) {
    *m = (struct test_machine){.inject = m->inject};
    m->needs_references = c->policy->needs == POLICY_NEEDS_EVERY_REFERENCE;
    int error = disk_create(NULL, c->swap_pages, &m->inject, &m->swap);
    if (error)
        return error;
    if (c->traced) /* with frames apart for page tables, the memory is larger than what was asked for */
        trace_start(c, m, c->frames ? c->frames : c->reserved + c->available + 256);
    const struct vm_config config = {
        .frames = c->frames,
        .available = c->available,
        .reserved = c->reserved,
        .format = c->format,
        .policy = c->policy,
        .prefetcher = c->prefetcher,
        .seed = c->seed,
        .told_pages = c->told_pages,
        .observer = c->observer,
        .swap = m->swap,
        .slot_at_first_touch = c->slot_at_first_touch,
        .trace = &m->trace,
        .inject = &m->inject,
        .listener = {.context = m,
                     .forget_page = forget_page,
                     .forget_table = forget_table,
                     .forget_code = forget_code},
        .out_of_memory = out_of_memory,
        .refused = refused,
        .io_error = io_error,
        .context = m,
    };
    error = vm_create(&config, &m->vm);
    if (error) {
        fold_destroy(m->fold);
        disk_destroy(m->swap);
    }
    return error;
}

void test_machine_destroy(struct test_machine *m) {
    vm_destroy(m->vm);
    disk_destroy(m->swap);
    fold_destroy(m->fold);
}

const char *test_machine_check_vm(struct test_machine *m) {
    const char *wrong = m->wrong ? m->wrong : vm_check(m->vm);
    return wrong ? wrong : tlb_check(m);
}

const char *test_machine_check(struct test_machine *m) {
    const char *wrong = test_machine_check_vm(m);
    return wrong || !m->fold ? wrong : fold_compare(m);
}

/* ---- files ---- */

static int file_read_page(void *context, uint64_t index, void *page) {
    struct test_file *file = context;
    const uint64_t start = index << PAGE_SHIFT;
    file->reads++;
    if (file->read_error)
        return file->read_error;
    memset(page, 0, PAGE_SIZE);
    if (start < file->size)
        memcpy(page, file->disk + start, file->size - start < PAGE_SIZE ? file->size - start : PAGE_SIZE);
    return 0;
}

static int file_write_page(void *context, uint64_t index, const void *page) {
    struct test_file *file = context;
    const uint64_t start = index << PAGE_SHIFT;
    file->writes++;
    if (file->write_error)
        return file->write_error;
    if (start < file->size)
        memcpy(file->disk + start, page, file->size - start < PAGE_SIZE ? file->size - start : PAGE_SIZE);
    return 0;
}

static uint64_t file_size(void *context) {
    return ((const struct test_file *)context)->size;
}

static void file_release(void *context) {
    ((struct test_file *)context)->released = true;
}

const struct object_backing test_file_backing = {file_read_page, file_write_page, file_size,
                                                 .release = file_release};

void test_file_create(struct test_file *file, uint64_t capacity, uint64_t size) {
    *file = (struct test_file){.disk = calloc(1, capacity), .capacity = capacity, .size = size};
    require(file->disk);
    for (uint64_t i = 0; i < size; i++)
        file->disk[i] = (uint8_t)(i >> PAGE_SHIFT ^ i * 31);
}

void test_file_free(struct test_file *file) {
    free(file->disk);
}
