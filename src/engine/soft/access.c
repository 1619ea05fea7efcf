#include "engine/soft/access.h"

#include <assert.h>
#include <string.h>

#include "engine/soft/soft.h"

/* Page-fault error code (Intel SDM vol. 3, 4.7). */
enum { ERROR_PRESENT = 1, ERROR_WRITE = 2, ERROR_USER = 4, ERROR_FETCH = 16 };

void trap_exception(struct engine *e, enum trap_vector vector, uint64_t error_code) {
    e->trap = (struct trap){.kind = TRAP_EXCEPTION, .vector = vector, .error_code = error_code};
}

static void trap_page_fault(struct engine *e, uint64_t address, unsigned access, bool present,
                            enum fault_result why) {
    uint64_t error = ERROR_USER | (present ? ERROR_PRESENT : 0) | (access & ACCESS_WRITE ? ERROR_WRITE : 0) |
                     (access & ACCESS_EXEC ? ERROR_FETCH : 0);
    trap_exception(e, VECTOR_PF, error);
    e->trap.address = address;
    e->trap.fault = why;
}

/* #GP, or #SS: when the run ends, fault_choose_segment() will say which. */
static void trap_not_canonical(struct engine *e, uint64_t address) {
    trap_exception(e, VECTOR_GP, 0);
    e->trap.address = address;
}

static bool is_canonical(uint64_t address) {
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* The PTE for an access, after the client has resolved a fault if there was one. */
static bool walk(struct engine *e, uint64_t address, unsigned access, pte_t *ret_pte) {
    vpn_t vpn = vpn_of(address);
    if (address >= USER_END) {
        if (is_canonical(address)) /* as Linux says of its own half: present, whatever there is */
            trap_page_fault(e, address, access, true, FAULT_NO_MAPPING);
        else
            trap_not_canonical(e, address);
        return false;
    }
    if (mmu_walk(e->table, vpn, access, ret_pte) == MMU_OK)
        return true;
    log_deliver(e);
    enum fault_result fault = e->client.fault(e->client.context, e->table, address, access);
    if (fault == FAULT_OK) {
        enum mmu_result again = mmu_walk(e->table, vpn, access, ret_pte);
        assert(again == MMU_OK);
        return again == MMU_OK;
    }
    /* To the program a page is there if it may access it somehow, wherever the system keeps it. */
    bool present = fault == FAULT_PERMISSION && pte_access(*ret_pte) != 0;
    trap_page_fault(e, address, access, present, fault);
    return false;
}

bool memory_translate(struct engine *e, uint64_t address, unsigned access, uint8_t **ret_host) {
    pte_t pte;
    if (!walk(e, address, access, &pte))
        return false;
    *ret_host = (uint8_t *)physmem_frame(e->mem, pte_pfn(pte)) + (address & PAGE_MASK);
    log_add(e, *ret_host, access);
    return true;
}

static bool crosses_page(uint64_t address, unsigned length) {
    return (address & PAGE_MASK) + length > PAGE_SIZE;
}

/* Bytes of the range that are in its first page. */
static unsigned first_part(uint64_t address, unsigned length) {
    return crosses_page(address, length) ? (unsigned)(PAGE_SIZE - (address & PAGE_MASK)) : length;
}

/* An address in the bounce buffer with the guest's alignment. */
static uint8_t *bounce_at(struct engine *e, uint64_t address) {
    return e->bounce + address % BOUNCE_ALIGNMENT;
}

enum copy { COPY_LOAD, COPY_LOAD_BEFORE_STORE, COPY_STORE };

/* One page's part of a copy: translated, and done before the next page is touched. What is loaded only to be
 * stored back needs the permission to store. */
static bool copy_part(struct engine *e, uint64_t address, uint8_t *data, unsigned length, enum copy copy) {
    uint8_t *host;
    if (!memory_translate(e, address, copy == COPY_LOAD ? ACCESS_READ : ACCESS_WRITE, &host))
        return false;
    if (copy == COPY_STORE) {
        memcpy(host, data, length);
        code_written(e, e->client.page_id(e->client.context, frame_at(e, host)), address & PAGE_MASK, length);
    } else {
        memcpy(data, host, length);
    }
    return true;
}

static bool copy_bytes(struct engine *e, uint64_t address, uint8_t *data, unsigned length, enum copy copy) {
    unsigned first = first_part(address, length);
    return copy_part(e, address, data, first, copy) &&
           (first == length || copy_part(e, address + first, data + first, length - first, copy));
}

bool memory_read(struct engine *e, uint64_t address, void *to, unsigned length) {
    return copy_bytes(e, address, to, length, COPY_LOAD);
}

bool memory_write(struct engine *e, uint64_t address, void *from, unsigned length) {
    return copy_bytes(e, address, from, length, COPY_STORE);
}

bool memory_prepare(struct engine *e, uint64_t address, unsigned length) {
    uint8_t *data = bounce_at(e, address);
    if (!copy_bytes(e, address, data, length, COPY_LOAD_BEFORE_STORE))
        return false;
    e->pending.address = address;
    e->pending.data = data;
    e->pending.length = length;
    return true;
}

bool memory_commit(struct engine *e) {
    unsigned length = e->pending.length;
    e->pending.length = 0;
    return !length || memory_write(e, e->pending.address, e->pending.data, length);
}

bool memory_store(struct engine *e, uint64_t address, const void *from, unsigned length) {
    if (!memory_prepare(e, address, length))
        return false;
    memcpy(e->pending.data, from, length);
    return memory_commit(e);
}

/* ---- helpers of translated code ---- */

void access_leave(struct area *area, uint64_t kind, unsigned place) {
    engine_of_area(area)->left = 0;
    area->guest.guest_RIP += place_offset(place);
    area_leave(area, kind, place_left(place));
}

static _Noreturn void leave_with_trap(struct engine *e, uint64_t info) {
    access_leave(&e->area, EXIT_FAULT, access_place(info));
}

void access_protection(struct area *area, uint64_t place) {
    trap_exception(engine_of_area(area), VECTOR_GP, 0);
    access_leave(area, EXIT_FAULT, (unsigned)place);
}

void access_undefined(struct area *area, uint64_t place) {
    trap_exception(engine_of_area(area), VECTOR_UD, 0);
    access_leave(area, EXIT_FAULT, (unsigned)place);
}

/* A load across pages: both parts are copied now. Anything that stores across pages takes the slow path. */
static void miss_across_pages(struct engine *e, uint64_t address, uint64_t info) {
    if (access_kind(info) & ACCESS_WRITE)
        access_leave(&e->area, EXIT_SLOW, access_place(info));
    uint8_t *data = bounce_at(e, address);
    if (!memory_read(e, address, data, access_bytes(info)))
        leave_with_trap(e, info);
    tlb_pass(&e->tlb, TLB_LOAD, address, data);
}

/* Whether the block that is being executed, and not yet done, may be a translation of this content. */
static bool is_executing(const struct engine *e, page_id_t id) {
    vpn_t here = vpn_of(e->area.guest.guest_RIP);
    for (const struct code_page *p = codecache_first(&e->cache, id); p; p = codecache_next(&e->cache, p))
        if (p->vpn.n == here.n)
            return true;
    return false;
}

/* A store to a page that has translations, which therefore never gets a store entry. */
static void miss_beside_code(struct engine *e, page_id_t id, uint64_t address, uint64_t info, uint8_t *host) {
    unsigned offset = address & PAGE_MASK, length = access_bytes(info);
    if (code_overlaps(e, id, offset, length) && is_executing(e, id))
        access_leave(&e->area, EXIT_SLOW, access_place(info));
    code_written(e, id, offset, length);
    tlb_pass(&e->tlb, TLB_STORE, address, host);
}

static void miss_in_page(struct engine *e, uint64_t address, uint64_t info) {
    uint8_t *host;
    if (!memory_translate(e, address, access_kind(info), &host))
        leave_with_trap(e, info);
    enum tlb_table table = tlb_table_for(access_kind(info));
    if (table == TLB_STORE) {
        page_id_t id = e->client.page_id(e->client.context, frame_at(e, host));
        if (codecache_first(&e->cache, id)) {
            miss_beside_code(e, id, address, info, host);
            return;
        }
    }
    tlb_insert(&e->tlb, table, vpn_of(address), host - (address & PAGE_MASK));
}

void access_miss(struct area *area, uint64_t address, uint64_t info, uint64_t logged) {
    struct engine *e = engine_of_area(area);
    e->counters.tlb_misses++;
    if (logged) /* else there need not be a log */
        area->log_position += logged;
    e->left = place_left(access_place(info));
    e->instruction = place_offset(access_place(info));
    if (crosses_page(address, access_bytes(info)))
        miss_across_pages(e, address, info);
    else
        miss_in_page(e, address, info);
    if (logged)
        area->log_position -= logged;
    e->left = 0;
}

static uint64_t single_bounce(struct engine *e, uint64_t address, uint64_t info) {
    unsigned length = access_bytes(info);
    bool store = access_kind(info) & ACCESS_WRITE;
    if (store ? !memory_prepare(e, address, length) : !memory_read(e, address, bounce_at(e, address), length))
        leave_with_trap(e, info);
    return (uint64_t)bounce_at(e, address);
}

uint64_t access_single(struct area *area, uint64_t address, uint64_t info) {
    struct engine *e = engine_of_area(area);
    unsigned kind = access_kind(info);
    if (!memory_commit(e))
        leave_with_trap(e, info);
    if (crosses_page(address, access_bytes(info)))
        return single_bounce(e, address, info);
    uint8_t *host;
    if (!memory_translate(e, address, kind, &host))
        leave_with_trap(e, info);
    pfn_t frame = frame_at(e, host);
    if (kind & ACCESS_WRITE && codecache_first(&e->cache, e->client.page_id(e->client.context, frame)))
        return single_bounce(e, address, info);
    return (uint64_t)host;
}
