#include "engine/soft/soft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/soft/cpu.h"
#include "engine/soft/cpuid.h"
#include "engine/soft/translate.h"

enum { TLB_ENTRIES_MIN = 16, TLB_ENTRIES_MAX = 65536 };

/* Of the x87 unit, which translated code uses: 53 bits of mantissa, exceptions masked. */
enum { LIBRARY_FCW = 0x27f };

static bool config_is_valid(const struct engine_config *config) {
    unsigned n = config->tlb_entries;
    return n >= TLB_ENTRIES_MIN && n <= TLB_ENTRIES_MAX && (n & (n - 1)) == 0;
}

static int soft_create(const struct engine_config *config, struct engine **ret_engine) {
    if (!config_is_valid(config))
        return -EINVAL;
    if (!cpuid_host_supports(config->level))
        return -ENOTSUP;
    struct engine *e = aligned_alloc(_Alignof(struct engine), sizeof *e);
    if (!e)
        return -ENOMEM;
    memset(e, 0, sizeof *e);
    e->mem = config->mem;
    e->client = config->client;
    e->level = config->level;
    e->area.last_vpn = UINT64_MAX;
    e->area.fetch_failed = area_fetch_failed;
    counter_set(e, 0);
    jumps_clear(e);
    int error = tlb_create(config->tlb_entries, &e->tlb);
    if (error)
        goto out_free_engine;
    error = codecache_create(&e->cache);
    if (error)
        goto out_destroy_tlb;
    translate_setup();
    *ret_engine = e;
    return 0;

out_destroy_tlb:
    tlb_destroy(&e->tlb);
out_free_engine:
    free(e);
    return error;
}

static void soft_destroy(struct engine *e) {
    watch_free(e);
    codecache_destroy(&e->cache);
    tlb_destroy(&e->tlb);
    free(e);
}

static void flush_tlbs(struct engine *e) {
    tlb_flush(&e->tlb);
    fetch_flush(e);
    e->area.last_vpn = UINT64_MAX;
}

static void load_table(struct engine *e, struct page_table *table) {
    if (e->table == table)
        return;
    flush_tlbs(e);
    e->table = table;
}

static void soft_run(struct engine *e, struct cpu *cpu, struct page_table *table, uint64_t budget,
                     struct trap *ret_trap) {
    uint16_t saved, wanted = LIBRARY_FCW;
    cpu_load(e, cpu);
    load_table(e, table);
    if (e->trap.kind == TRAP_SYSCALL || e->trap.kind == TRAP_EXCEPTION)
        e->area.last_vpn = UINT64_MAX; /* the kernel may have touched memory meanwhile */
    e->remaining = budget;
    counter_set(e, 0);
    __asm__ volatile("fnstcw %0; fldcw %1" : "=m"(saved) : "m"(wanted));
    e->running = true;
    dispatch_run(e);
    if (e->trap.kind == TRAP_EXCEPTION && e->trap.vector == VECTOR_GP && e->trap.address)
        fault_choose_segment(e);
    e->running = false;
    __asm__ volatile("fldcw %0" : : "m"(saved));
    *ret_trap = e->trap;
}

static void soft_kick(struct engine *e) {
    atomic_store_explicit(&e->kicked, true, memory_order_relaxed);
}

static void soft_forget_page(struct engine *e, const struct page_table *table, vpn_t vpn) {
    if (table != e->table)
        return;
    tlb_forget(&e->tlb, vpn);
    fetch_forget(e, vpn);
}

static void soft_forget_table(struct engine *e, const struct page_table *table) {
    watch_remove_table(e, table);
    if (table != e->table)
        return;
    flush_tlbs(e);
    if (!e->running)
        e->table = NULL;
}

static void soft_forget_code(struct engine *e, page_id_t id, unsigned offset, unsigned length) {
    code_written(e, id, offset, length);
}

static int soft_watch(struct engine *e, const struct page_table *table, uint64_t address) {
    return watch_add(e, table, address);
}

static void soft_get_counters(const struct engine *e, struct engine_counters *ret_counters) {
    *ret_counters = e->counters;
    ret_counters->instructions = instructions_now(e, 0);
}

static const char *soft_check(const struct engine *e) {
    if (!e->table)
        return NULL;
    const char *wrong = tlb_check(&e->tlb, e->table, e->mem);
    return wrong ? wrong : fetch_check(e);
}

const struct engine_ops engine_soft = {
    .name = "soft",
    .create = soft_create,
    .destroy = soft_destroy,
    .cpu_create = soft_cpu_create,
    .cpu_destroy = soft_cpu_destroy,
    .cpu_reset = soft_cpu_reset,
    .cpu_copy = soft_cpu_copy,
    .get_registers = soft_get_registers,
    .set_registers = soft_set_registers,
    .get_register = soft_get_register,
    .set_register = soft_set_register,
    .get_xsave = soft_get_xsave,
    .set_xsave = soft_set_xsave,
    .run = soft_run,
    .kick = soft_kick,
    .forget_page = soft_forget_page,
    .forget_table = soft_forget_table,
    .forget_code = soft_forget_code,
    .watch = soft_watch,
    .get_counters = soft_get_counters,
    .check = soft_check,
};
