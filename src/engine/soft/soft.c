#include "engine/soft/soft.h"

#include <errno.h>
#include <sys/mman.h>

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
    /* Mapped, so that it lies where the guests' memory lies: page numbers of the bounce buffer and of frames
     * must differ in their lower half as well (log.h). */
    struct engine *e = mmap(NULL, sizeof *e, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (e == MAP_FAILED)
        return -ENOMEM;
    e->mem = config->mem;
    e->client = config->client;
    e->level = config->level;
    e->area.fetch_failed = area_fetch_failed;
    counter_set(e, 0);
    jumps_clear(e);
    int error = tlb_create(config->tlb_entries, &e->tlb);
    if (error)
        goto out_free_engine;
    error = codecache_create(&e->cache);
    if (error)
        goto out_destroy_tlb;
    error = log_create(e);
    if (error)
        goto out_destroy_cache;
    translate_setup();
    *ret_engine = e;
    return 0;

out_destroy_cache:
    codecache_destroy(&e->cache);
out_destroy_tlb:
    tlb_destroy(&e->tlb);
out_free_engine:
    munmap(e, sizeof *e);
    return error;
}

static void soft_destroy(struct engine *e) {
    log_destroy(e);
    watch_free(e);
    codecache_destroy(&e->cache);
    tlb_destroy(&e->tlb);
    munmap(e, sizeof *e);
}

static void flush_tlbs(struct engine *e) {
    tlb_flush(&e->tlb);
    fetch_flush(e);
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
    e->remaining = budget;
    counter_set(e, 0);
    __asm__ volatile("fnstcw %0; fldcw %1" : "=m"(saved) : "m"(wanted));
    e->running = true;
    dispatch_run(e);
    if (e->trap.kind == TRAP_EXCEPTION && e->trap.vector == VECTOR_GP && e->trap.address)
        fault_choose_segment(e);
    log_deliver(e);
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
    ret_counters->instructions = instructions_now(e, e->left);
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
    .get_executing = soft_get_executing,
    .get_counters = soft_get_counters,
    .check = soft_check,
};
