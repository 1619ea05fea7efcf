/* The dispatcher: finds or translates the block at rip, runs it, and looks at how it came back.
 *
 *   a direct jump           the next block is chained to it, so that it goes there by itself
 *   an indirect jump        the next block is entered into the table of jumps
 *   a fetch check failed    the page is looked up again; it may have to be brought in
 *   the slow path is wanted the instruction at rip is executed alone
 *   an exception, syscall   the run ends
 *
 * Every block checks its own page and counts its own instructions (entry.c), so that jumps need no
 * bookkeeping. */
#include <string.h>
#include <valgrind/libvex_trc_values.h>

#include "engine/soft/translate.h"

enum {
    CHAIN_CALL_BYTES = 13, /* of the code that calls area_chain() */
    TRANSLATION_PADDING = 32,
    PADDING_BYTE = 0x06, /* not an instruction */
};

/* How the last block was left: what the next one is to be connected to. */
struct link {
    enum { LINK_NONE, LINK_CHAIN, LINK_JUMP } kind;
    uint8_t *site;    /* LINK_CHAIN: the code to be patched */
    uint32_t flushes; /* of the cache, up to then: the site is void when they are more */
};

/* ---- counting ---- */

/* Books what was executed of the chunk. */
static void end_chunk(struct engine *e) {
    log_deliver(e);
    uint64_t executed = instructions_now(e, 0) - e->counters.instructions;
    e->counters.instructions += executed;
    e->remaining -= executed < e->remaining ? executed : e->remaining;
    counter_set(e, 0);
}

static bool begin_chunk(struct engine *e) {
    const bool kicked = atomic_load_explicit(&e->kicked, memory_order_relaxed);
    if (kicked || !e->remaining) {
        e->trap = (struct trap){.kind = kicked ? TRAP_KICKED : TRAP_QUANTUM};
        if (kicked)
            atomic_store_explicit(&e->kicked, false, memory_order_relaxed);
        return false;
    }
    const uint32_t longest = e->log ? LOG_CHUNK : CHUNK_INSTRUCTIONS;
    counter_set(e, e->remaining < longest ? (uint32_t)e->remaining : longest);
    return true;
}

/* Lets a block be entered although less than its instructions is left. */
static void cover(struct engine *e, const struct block *block) {
    uint32_t left = counter_get(e);
    if (left >= block->instructions)
        return;
    log_deliver(e); /* which counts from the chunk's end */
    e->chunk += block->instructions - left;
    instructions_uncount(e, block->instructions - left);
}

/* ---- blocks ---- */

static struct block *translate_normal(struct engine *e, struct code_page *page, unsigned offset) {
    uint8_t bytes[PAGE_SIZE + TRANSLATION_PADDING];
    unsigned available = PAGE_SIZE - offset;
    memcpy(bytes, fetch_bytes(e, page->vpn) + offset, available);
    memset(bytes + available, PADDING_BYTE, TRANSLATION_PADDING);
    struct translation t = {.engine = e,
                            .pc = vpn_address(page->vpn) + offset,
                            .bytes = bytes,
                            .available = available,
                            .token = page->token};
    uint8_t *code = codecache_free_code(&e->cache);
    unsigned length = translate_block(&t, code + ENTRY_BYTES);
    struct block *block = codecache_add(&e->cache, page, offset, length ? BLOCK_NORMAL : BLOCK_SLOW);
    code_page_mark(page, offset, length ? t.length : INSTRUCTION_MAX);
    if (length) {
        codecache_use_code(&e->cache, ENTRY_BYTES + length);
        e->counters.translations++;
        block->code = entry_write(code, &t);
        block->instructions = (uint8_t)t.instructions;
    }
    return block;
}

/* The block at rip, its page in the fetch TLB. NULL: a trap. */
static const struct block *find_block(struct engine *e) {
    uint64_t pc = e->area.guest.guest_RIP;
    unsigned offset = pc & PAGE_MASK;
    struct code_page *page = fetch_page(e, pc);
    if (!page)
        return NULL;
    const struct block *block = codecache_block(&e->cache, page, offset, BLOCK_NORMAL);
    return block ? block : translate_normal(e, page, offset);
}

static void connect(struct engine *e, const struct link *link, const struct block *block) {
    if (link->flushes != e->flushes)
        return;
    uint64_t pc = e->area.guest.guest_RIP;
    switch (link->kind) {
    case LINK_NONE: break;
    case LINK_CHAIN: LibVEX_Chain(VexArchAMD64, VexEndnessLE, link->site, area_chain, block->code); break;
    case LINK_JUMP: e->area.jumps[pc % JUMP_ENTRIES] = (struct jump){pc, block->code}; break;
    }
}

/* ---- exits ---- */

static bool end_with_syscall(struct engine *e) {
    VexGuestAMD64State *g = &e->area.guest;
    g->guest_R11 = cpu_get_flags(g, e->trap_flag); /* the library has set rcx only */
    e->trap = (struct trap){.kind = TRAP_SYSCALL};
    return false;
}

static bool end_with_exception(struct engine *e, enum trap_vector vector) {
    trap_exception(e, vector, 0);
    return false;
}

bool dispatch_assist(struct engine *e, uint64_t reason) {
    VexGuestAMD64State *g = &e->area.guest;
    instructions_uncount(e, g->guest_RIP >> EXIT_LEFT_SHIFT);
    g->guest_RIP &= (1ULL << EXIT_LEFT_SHIFT) - 1;
    switch (reason) {
    case VEX_TRC_JMP_BORING:
    case VEX_TRC_JMP_YIELD:
    case VEX_TRC_JMP_EMWARN:
    case VEX_TRC_JMP_INVALICACHE:
    case VEX_TRC_JMP_CLIENTREQ: return true;
    case VEX_TRC_JMP_SYS_SYSCALL: return end_with_syscall(e);
    case VEX_TRC_JMP_SIGTRAP: return end_with_exception(e, VECTOR_BP);
    case VEX_TRC_JMP_SIGSEGV: return end_with_exception(e, VECTOR_GP);
    case VEX_TRC_JMP_SYS_INT32:
    case VEX_TRC_JMP_SYS_INT128:
    case VEX_TRC_JMP_SYS_INT129:
    case VEX_TRC_JMP_SYS_INT130:
    case VEX_TRC_JMP_SYS_INT145:
    case VEX_TRC_JMP_SYS_INT210:
        instructions_uncount(e, 1);
        g->guest_RIP = g->guest_IP_AT_SYSCALL;
        return end_with_exception(e, VECTOR_GP);
    }
    return end_with_exception(e, VECTOR_UD);
}

/* Looks at how a normal block came back. False: the run ends. */
static bool handle_exit(struct engine *e, struct area_exit left, struct link *ret_link, bool *ret_single) {
    *ret_link = (struct link){.kind = LINK_NONE, .flushes = e->flushes};
    switch (left.kind) {
    case EXIT_CHAIN:
        ret_link->kind = LINK_CHAIN;
        ret_link->site = (uint8_t *)left.value - CHAIN_CALL_BYTES;
        return true;
    case EXIT_INDIRECT: ret_link->kind = LINK_JUMP; return true;
    case EXIT_FETCH: return true;
    case EXIT_EVENT: return true;
    case EXIT_ASSIST: return dispatch_assist(e, left.value);
    case EXIT_SLOW:
        instructions_uncount(e, left.value);
        *ret_single = true;
        return true;
    }
    instructions_uncount(e, left.value); /* EXIT_FAULT */
    return false;
}

void dispatch_run(struct engine *e) {
    struct link link = {.kind = LINK_NONE};
    bool single = false;
    for (;;) {
        if (counter_get(e) == 0) {
            end_chunk(e);
            if (!begin_chunk(e))
                return;
        }
        code_make_room(e);
        const struct block *block = NULL;
        if (!single && !e->trap_flag) {
            block = find_block(e);
            if (!block)
                break;
            single = block->kind == BLOCK_SLOW;
        }
        if (single || e->trap_flag) {
            single = false;
            link.kind = LINK_NONE;
            if (!single_run(e))
                break;
            continue;
        }
        connect(e, &link, block);
        cover(e, block);
        if (!handle_exit(e, area_enter(&e->area, block->code), &link, &single))
            break;
    }
    end_chunk(e);
}
