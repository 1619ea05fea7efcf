/* The engine: a CPU with an MMU and a TLB, which runs a thread in user mode until something needs the kernel.
 *
 * The interface does not assume that the engine lives in this process or sees guest memory by address: it is
 * given physical memory and a page-table register, calls up for page faults, and is told what to forget.
 *
 *   kernel ── run(cpu, table, budget) ──► engine ──(TLB miss: mmu_walk; fails)── client.fault() ──► vm
 *     ▲                                      │ page tables change ◄── forget_page() ──────────────── vm
 *     └────────── struct trap ◄──────────────┘
 *
 * One engine is one CPU. It keeps no pointer to a page table across forget_table(). */
#ifndef HW_ENGINE_H
#define HW_ENGINE_H

#include "hw/cpu.h"
#include "hw/mmu.h"
#include "hw/reference.h"
#include "hw/trap.h"

/* Up-calls. `context` is handed back as given. */
struct engine_client {
    void *context;
    /* Make the page accessible for `access` (one or more enum access bits) in the table that runs. FAULT_OK:
     * walk again, it will succeed; the engine must complete its access before it faults again. */
    enum fault_result (*fault)(void *context, struct page_table *, uint64_t address, unsigned access);
    /* What the frame holds: never PAGE_ID_NONE for a frame that a present PTE names. */
    page_id_t (*page_id)(void *context, pfn_t);
    /* References, in order, late: at least each LOG_SPAN instructions, and always before any other call of
     * these functions (but page_id) and before run() returns; so that nothing has changed since about what a
     * frame holds. There is one, or more. Nothing may be asked of the engine in it. NULL unless somebody
     * wants every reference; then the engine runs traced code. Every access that was possible is there:
     * fetches at the entry of each block, the first access after a fault, accesses of the engine itself on
     * behalf of an instruction, also of one that fails at a later access of it. */
    void (*references)(void *context, const struct reference_log *);
    /* A watched place is about to be executed: see engine_ops.watch. NULL unless something is watched. */
    void (*reached)(void *context, const struct page_table *, uint64_t address);
};

struct engine_config {
    struct physmem *mem;
    struct engine_client client;
    enum cpu_level level;
    unsigned tlb_entries; /* a power of two, 16 … 65536 */
};

struct engine_counters {
    uint64_t instructions; /* executed by guests, each iteration of a rep string instruction counted as one */
    uint64_t tlb_misses;
    uint64_t translations; /* blocks translated */
};

struct engine; /* the CPU */
struct cpu;    /* a thread's registers, while it does not run and while it does */

struct engine_ops {
    const char *name;
    int (*create)(const struct engine_config *, struct engine **ret_engine);
    void (*destroy)(struct engine *);

    /* A register file, all zero but for the architectural initial state. 0 or -ENOMEM. */
    int (*cpu_create)(struct engine *, struct cpu **ret_cpu);
    void (*cpu_destroy)(struct engine *, struct cpu *);
    void (*cpu_reset)(struct engine *, struct cpu *);                          /* exec */
    void (*cpu_copy)(struct engine *, struct cpu *to, const struct cpu *from); /* fork */

    void (*get_registers)(struct engine *, const struct cpu *, struct cpu_registers *ret_registers);
    void (*set_registers)(struct engine *, struct cpu *, const struct cpu_registers *);
    uint64_t (*get_register)(struct engine *, const struct cpu *, enum cpu_register);
    void (*set_register)(struct engine *, struct cpu *, enum cpu_register, uint64_t value);
    /* x87, SSE and AVX state in the standard (non-compacted) XSAVE layout with XCR0 = 7. */
    void (*get_xsave)(struct engine *, const struct cpu *, uint8_t image[CPU_XSAVE_SIZE]);
    void (*set_xsave)(struct engine *, struct cpu *, const uint8_t image[CPU_XSAVE_SIZE]);

    /* Loads the page-table register with `table`, the registers with `cpu`, and runs for at most `budget`
     * instructions (the exact count may pass it by less than one block; the same for the same program). */
    void (*run)(struct engine *, struct cpu *, struct page_table *table, uint64_t budget,
                struct trap *ret_trap);
    /* Makes a run that is under way (or the next one) return TRAP_KICKED soon. Async-signal-safe. */
    void (*kick)(struct engine *);

    /* The entry of this page lost a permission, its frame, or its referenced or dirty bit. Needed for the
     * running table only, harmless for another. */
    void (*forget_page)(struct engine *, const struct page_table *, vpn_t);
    /* The table is about to be destroyed: its entries are to be forgotten, and what is watched in it. */
    void (*forget_table)(struct engine *, const struct page_table *);
    /* Bytes of the page were written other than by guest stores through this engine (kernel copy, file
     * write): translations of them are dropped. */
    void (*forget_code)(struct engine *, page_id_t, unsigned offset, unsigned length);

    /* The next time that the instruction at `address` is about to be executed in this table, the client's
     * reached() is called, once. It changes nothing about what is executed. 0 or -ENOMEM. */
    int (*watch)(struct engine *, const struct page_table *, uint64_t address);
    /* In a call of client.fault that comes from run(), or of client.reached: the registers as they are before
     * the instruction that is being executed. */
    void (*get_executing)(const struct engine *, struct cpu_registers *ret_registers);

    /* In a call of client.fault: instructions executed before the one that faults. */
    void (*get_counters)(const struct engine *, struct engine_counters *ret_counters);
    /* Verifies that the TLB agrees with the running page table. Returns NULL, or what is wrong. */
    const char *(*check)(const struct engine *);
};

extern const struct engine_ops engine_soft;

#endif
