/* The page-table format "x86-64": the four-level radix tree of 512-entry tables that real processors walk
 * (Intel SDM vol. 3, section 4.5), in frames of the simulated memory.
 *
 *        47     39 38     30 29     21 20     12 11      0        one table = one frame = 512 entries
 *       +---------+---------+---------+---------+---------+
 *       |  PML4   |  PDPT   |   PD    |   PT    | offset  |       level 3 (the root), 2, 1, 0 (a leaf)
 *       +---------+---------+---------+---------+---------+
 *
 * Entries of a leaf (what the processor ignores is ours to use):
 *
 *    63 62   60 59  54   53   52 51          12 11  10    9  8 7 6 5 4 3 2 1 0
 *   +--+-------+------+----+----+--------------+--+----+---+-----+-+-+---+-+-+-+
 *   |NX|       |order |HELD|SWAP| frame / slot | r|LAZY|COW|     |D|A|   |U|W|P|
 *   +--+-------+------+----+----+--------------+--+----+---+-----+-+-+---+-+-+-+
 *
 *   P     set iff the page is present and allows some access; HELD (P clear): present without any (PROT_NONE)
 *   SWAP  (P clear) the number is a swap slot; the other bits are kept for the swap-in
 *   r     readable: a real MMU takes that from P; ours, which knows execute-only pages, from here
 *
 * Entries of the upper tables: P, W, U, the frame of the lower table, and in bits 52–61 (ignored by the
 * processor) how many of the lower table's entries are in use, so that an empty table is seen at once.
 *
 * Invariants: `frames` counts every table, the root included. A table that is not in use exists only between
 * prepare() and the next set() there. Frames that the allocation hands out are zero, and so are those given
 * back. Not modelled: large pages, protection keys, five levels. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/base.h"
#include "hw/pagetable.h"

enum { BITS = 9, ENTRIES = 1 << BITS, LEVELS = 4, ROOT = LEVELS - 1, VPN_BITS = BITS * LEVELS };

/* Entry bits (SDM vol. 3, tables 4-15 to 4-20). */
#define X86_P        (1ULL << 0)
#define X86_W        (1ULL << 1)
#define X86_U        (1ULL << 2)
#define X86_A        (1ULL << 5)
#define X86_D        (1ULL << 6)
#define X86_COW      (1ULL << 9)
#define X86_LAZY     (1ULL << 10)
#define X86_READABLE (1ULL << 11)
#define X86_SWAP     (1ULL << 52)
#define X86_HELD     (1ULL << 53)
#define X86_NX       (1ULL << 63)
#define X86_NUMBER   0x000ffffffffff000ULL
#define X86_USED_ONE (1ULL << 52) /* upper tables: the count of the lower table's entries in use */
#define X86_USED     (0x3ffULL << 52)

enum {
    X86_NUMBER_SHIFT = 12,
    X86_ORDER_SHIFT = 54, /* the logical entry's bits 10–15 */
    PTE_ORDER_SHIFT = 10,
    PTE_ORDER_MASK = 63,
};

/* A leaf table that was looked up, as a processor's paging-structure cache holds it (SDM 4.10.3). */
struct walk_cache {
    uint64_t number;  /* vpn >> BITS */
    uint64_t *leaf;   /* in physical memory; NULL: nothing here */
    uint64_t *parent; /* the entry that points at it */
};

enum { CACHED = 16 }; /* leaf tables remembered, by the low bits of their number */

struct x86_table {
    struct page_table table;
    struct table_frames memory;
    uint64_t *root;
    pfn_t root_frame;
    struct walk_cache *cache; /* apart, as looking up is not a change */
};

static struct x86_table *x86_of(const struct page_table *table) {
    return container_of(table, struct x86_table, table);
}

/* ---- entries ---- */

static uint64_t x86_encode(pte_t p) {
    if (pte_is_empty(p))
        return 0;
    const uint64_t kind = pte_is_swapped(p) ? X86_SWAP : p.v & PTE_RWX ? X86_P : X86_HELD;
    return kind | (p.v & PTE_W) >> 2 | (p.v & PTE_USER) >> 3 | (p.v & (PTE_REFERENCED | PTE_DIRTY)) >> 1 |
           (p.v & (PTE_COW | PTE_LAZY)) << 1 | (p.v & PTE_R) << 9 |
           (p.v >> PTE_ORDER_SHIFT & PTE_ORDER_MASK) << X86_ORDER_SHIFT | (p.v & PTE_X ? 0 : X86_NX) |
           p.v >> PTE_NUMBER_SHIFT << X86_NUMBER_SHIFT;
}

static pte_t x86_decode(uint64_t e) {
    if (!e)
        return (pte_t){0};
    const uint64_t kind = e & X86_SWAP ? PTE_SWAPPED : PTE_PRESENT;
    return (pte_t){kind | (e & X86_W) << 2 | (e & X86_U) << 3 | (e & (X86_A | X86_D)) << 1 |
                   (e & (X86_COW | X86_LAZY)) >> 1 | (e & X86_READABLE) >> 9 | (e & X86_NX ? 0 : PTE_X) |
                   (e >> X86_ORDER_SHIFT & PTE_ORDER_MASK) << PTE_ORDER_SHIFT |
                   (e & X86_NUMBER) >> X86_NUMBER_SHIFT << PTE_NUMBER_SHIFT};
}

static unsigned index_of(vpn_t vpn, unsigned level) {
    return (unsigned)(vpn.n >> BITS * level) & (ENTRIES - 1);
}

static pfn_t lower_frame(uint64_t entry) {
    return (pfn_t){(uint32_t)((entry & X86_NUMBER) >> X86_NUMBER_SHIFT)};
}

static uint64_t *lower_table(const struct x86_table *x86, uint64_t entry) {
    return physmem_frame(x86->memory.mem, lower_frame(entry));
}

/* ---- creation ---- */

static int x86_create(const struct table_frames *frames, struct page_table **ret_table) {
    struct x86_table *x86 = inject_calloc(frames->inject, 1, sizeof *x86);
    if (!x86)
        return -ENOMEM;
    *x86 = (struct x86_table){.table = {.ops = &page_table_x86_64, .frames = 1}, .memory = *frames};
    x86->cache = inject_calloc(frames->inject, CACHED, sizeof *x86->cache);
    if (!x86->cache || frames->alloc(frames->context, &x86->root_frame) < 0)
        goto out_free;
    x86->root = physmem_frame(frames->mem, x86->root_frame);
    *ret_table = &x86->table;
    return 0;

out_free:
    free(x86->cache);
    free(x86);
    return -ENOMEM;
}

static void frame_free(struct x86_table *x86, pfn_t frame) {
    x86->table.frames--;
    x86->memory.free(x86->memory.context, frame);
}

static void tables_free(struct x86_table *x86, pfn_t frame, unsigned level) {
    const uint64_t *table = physmem_frame(x86->memory.mem, frame);
    for (unsigned i = 0; level > 0 && i < ENTRIES; i++)
        if (table[i])
            tables_free(x86, lower_frame(table[i]), level - 1);
    frame_free(x86, frame);
}

static void x86_destroy(struct page_table *table) {
    struct x86_table *x86 = x86_of(table);
    tables_free(x86, x86->root_frame, ROOT);
    assert(table->frames == 0);
    free(x86->cache);
    free(x86);
}

/* ---- walking ---- */

/* Where a walk for a page ends: the table of the lowest level that exists, with the
 * entries that led there. */
struct path {
    unsigned level;          /* of the last table; 0: a leaf */
    uint64_t *entry[LEVELS]; /* in the tables of levels ROOT … level: the one for the page */
};

static struct path x86_path(const struct x86_table *x86, vpn_t vpn) {
    struct path path = {.level = ROOT};
    uint64_t *table = x86->root;
    for (;;) {
        uint64_t *entry = &table[index_of(vpn, path.level)];
        path.entry[path.level] = entry;
        if (path.level == 0 || !*entry)
            return path;
        table = lower_table(x86, *entry);
        path.level--;
    }
}

static struct walk_cache *x86_cached(const struct x86_table *x86, vpn_t vpn) {
    return &x86->cache[vpn.n >> BITS & (CACHED - 1)];
}

static struct walk_cache *x86_fill_cache(const struct x86_table *x86, vpn_t vpn) {
    if (vpn.n >> VPN_BITS)
        return NULL;
    const struct path path = x86_path(x86, vpn);
    if (path.level > 0)
        return NULL;
    struct walk_cache *cached = x86_cached(x86, vpn);
    *cached = (struct walk_cache){
        .number = vpn.n >> BITS, .leaf = path.entry[0] - index_of(vpn, 0), .parent = path.entry[1]};
    return cached;
}

/* The leaf table with the page's entry, or NULL. */
static struct walk_cache *x86_leaf(const struct x86_table *x86, vpn_t vpn) {
    struct walk_cache *cached = x86_cached(x86, vpn);
    if (likely(cached->leaf && cached->number == vpn.n >> BITS))
        return cached;
    return x86_fill_cache(x86, vpn);
}

static pte_t x86_get(const struct page_table *table, vpn_t vpn) {
    const struct walk_cache *leaf = x86_leaf(x86_of(table), vpn);
    return leaf ? x86_decode(leaf->leaf[index_of(vpn, 0)]) : (pte_t){0};
}

static bool x86_walk(struct page_table *table, vpn_t vpn, unsigned access, pte_t *ret_pte) {
    const struct walk_cache *leaf = x86_leaf(x86_of(table), vpn);
    if (unlikely(!leaf)) {
        *ret_pte = (pte_t){0};
        return false;
    }
    uint64_t *entry = &leaf->leaf[index_of(vpn, 0)];
    const bool write = access & ACCESS_WRITE;
    const uint64_t need = X86_P | X86_U | (access & ACCESS_READ ? X86_READABLE : 0) | (write ? X86_W : 0);
    const uint64_t forbid = access & ACCESS_EXEC ? X86_NX : 0;
    const bool allowed = (*entry & (need | forbid)) == need;
    if (likely(allowed))
        *entry |= write ? X86_A | X86_D : X86_A;
    *ret_pte = x86_decode(*entry);
    return allowed;
}

static void x86_mark(struct page_table *table, vpn_t vpn, uint64_t bits) {
    const struct walk_cache *leaf = x86_leaf(x86_of(table), vpn);
    assert(leaf && pte_is_present(x86_decode(leaf->leaf[index_of(vpn, 0)])));
    assert((bits & ~(uint64_t)(PTE_REFERENCED | PTE_DIRTY)) == 0);
    leaf->leaf[index_of(vpn, 0)] |= bits >> 1;
}

/* ---- changing ---- */

/* One step of prepare(): a new table for the lowest one that the page's path lacks. The allocation may have
 * to evict a page and so change this very tree, hence the path is looked up afterwards. */
static int x86_extend(struct x86_table *x86, vpn_t vpn) {
    pfn_t frame;
    const int error = x86->memory.alloc(x86->memory.context, &frame);
    if (error)
        return error;
    x86->table.frames++;
    const struct path path = x86_path(x86, vpn);
    if (path.level == 0) {
        frame_free(x86, frame);
        return 0;
    }
    *path.entry[path.level] = X86_P | X86_W | X86_U | (uint64_t)frame.n << X86_NUMBER_SHIFT;
    if (path.level < ROOT)
        *path.entry[path.level + 1] += X86_USED_ONE;
    return 0;
}

static int x86_prepare(struct page_table *table, vpn_t vpn) {
    struct x86_table *x86 = x86_of(table);
    assert(vpn.n >> VPN_BITS == 0);
    while (!x86_leaf(x86, vpn)) {
        const int error = x86_extend(x86, vpn);
        if (error)
            return error;
    }
    return 0;
}

/* Frees the tables on the way to the page that are not in use. */
static void x86_prune(struct x86_table *x86, vpn_t vpn) {
    const struct path path = x86_path(x86, vpn);
    for (unsigned level = path.level; level < ROOT; level++) {
        uint64_t *parent = path.entry[level + 1];
        if (*parent & X86_USED)
            return;
        if (level == 0)
            x86_cached(x86, vpn)->leaf = NULL;
        const pfn_t frame = lower_frame(*parent);
        *parent = 0;
        if (level + 1 < ROOT)
            *path.entry[level + 2] -= X86_USED_ONE;
        frame_free(x86, frame);
    }
}

static void x86_set(struct page_table *table, vpn_t vpn, pte_t new) {
    struct x86_table *x86 = x86_of(table);
    const struct walk_cache *leaf = x86_leaf(x86, vpn);
    assert(leaf || pte_is_empty(new));
    if (likely(leaf)) {
        uint64_t *entry = &leaf->leaf[index_of(vpn, 0)];
        if (!*entry && !pte_is_empty(new))
            *leaf->parent += X86_USED_ONE;
        else if (*entry && pte_is_empty(new))
            *leaf->parent -= X86_USED_ONE;
        *entry = x86_encode(new);
    }
    if (pte_is_empty(new) && !(leaf && *leaf->parent & X86_USED) && !(vpn.n >> VPN_BITS))
        x86_prune(x86, vpn);
}

/* Moves *at to the first entry in use at or after it, in this table and those below; true if there is one,
 * else *at is behind the table or the limit. */
static bool tables_next(const struct x86_table *x86, const uint64_t *table, unsigned level, vpn_t *at,
                        uint64_t limit, uint64_t *ret_entry) {
    for (unsigned i = index_of(*at, level); i < ENTRIES && at->n < limit; i++) {
        const uint64_t entry = table[i];
        if (!entry) {
            at->n = ((at->n >> BITS * level) + 1) << BITS * level;
        } else if (level == 0) {
            *ret_entry = entry;
            return true;
        } else if (tables_next(x86, lower_table(x86, entry), level - 1, at, limit, ret_entry)) {
            return true;
        }
    }
    return false;
}

/* The same within the leaf table of *at alone, which is where the next one mostly is. */
static bool leaf_next(const uint64_t *leaf, vpn_t *at, uint64_t limit, uint64_t *ret_entry) {
    const uint64_t end = min_u64(limit, (at->n | (ENTRIES - 1)) + 1);
    for (; at->n < end; at->n++) {
        *ret_entry = leaf[index_of(*at, 0)];
        if (*ret_entry)
            return true;
    }
    return false;
}

static bool x86_next(const struct page_table *table, vpn_t *vpn, vpn_t end, pte_t *ret_pte) {
    const struct x86_table *x86 = x86_of(table);
    const uint64_t limit = min_u64(end.n, 1ULL << VPN_BITS);
    const struct walk_cache *leaf = x86_leaf(x86, *vpn);
    vpn_t at = *vpn;
    uint64_t entry;
    if (!(leaf && leaf_next(leaf->leaf, &at, limit, &entry)) &&
        !tables_next(x86, x86->root, ROOT, &at, limit, &entry))
        return false;
    *vpn = at;
    *ret_pte = x86_decode(entry);
    return true;
}

/* ---- checking ---- */

/* Verifies the table and those below it; counts the frames and the entries in use. */
static const char *tables_check(const struct x86_table *x86, const uint64_t *table, unsigned level,
                                uint32_t *frames, uint64_t *ret_used) {
    uint64_t used = 0;
    ++*frames;
    for (unsigned i = 0; i < ENTRIES; i++) {
        const uint64_t entry = table[i];
        if (!entry)
            continue;
        used++;
        if (level == 0) {
            if (x86_encode(x86_decode(entry)) != entry)
                return "x86-64 page table: an entry is malformed";
            continue;
        }
        if (!(entry & X86_P) || lower_frame(entry).n >= x86->memory.mem->frames)
            return "x86-64 page table: an upper entry does not point at a table";
        uint64_t below = 0;
        const char *wrong = tables_check(x86, lower_table(x86, entry), level - 1, frames, &below);
        if (wrong)
            return wrong;
        if (below * X86_USED_ONE != (entry & X86_USED))
            return "x86-64 page table: the count of entries in use is wrong";
    }
    *ret_used = used;
    return NULL;
}

static const char *x86_check(const struct page_table *table) {
    const struct x86_table *x86 = x86_of(table);
    uint32_t frames = 0;
    uint64_t used = 0;
    const char *wrong = tables_check(x86, x86->root, ROOT, &frames, &used);
    if (wrong)
        return wrong;
    if (frames != table->frames)
        return "x86-64 page table: the count of table frames is wrong";
    for (unsigned i = 0; i < CACHED; i++) {
        const struct walk_cache *cached = &x86->cache[i];
        if (!cached->leaf)
            continue;
        const struct path path = x86_path(x86, (vpn_t){cached->number << BITS});
        if (path.level > 0 || path.entry[0] != cached->leaf || path.entry[1] != cached->parent)
            return "x86-64 page table: a table is remembered that is not there";
    }
    return NULL;
}

const struct page_table_ops page_table_x86_64 = {
    .name = "x86-64",
    .description = "the four-level tree of real processors, in frames of the machine",
    .levels = LEVELS,
    .create = x86_create,
    .destroy = x86_destroy,
    .get = x86_get,
    .prepare = x86_prepare,
    .set = x86_set,
    .next = x86_next,
    .mark = x86_mark,
    .walk = x86_walk,
    .check = x86_check,
};
