/* The slow path: one instruction as a block of its own, of which every access goes through a helper.
 *
 * It may write registers before an access that faults, so the registers are copied before and taken back
 * then. What it stores across a page's end, or to a page with translations, is in the bounce buffer until it
 * is done, so that a fault in the second page finds the first one unchanged.
 *
 * An instruction that extends into the next page is translated from both pages' bytes; which pages those
 * were is kept as the tokens of both. The second page is fetched after the first one's bytes are copied, so
 * that the two need not be in memory at once. */
#include <string.h>

#include "engine/soft/encoding.h"
#include "engine/soft/special.h"
#include "engine/soft/translate.h"

enum {
    TEXT_BYTES = 32, /* more than an instruction */
    PADDING = 32,
    PADDING_BYTE = 0x06, /* not an instruction, nor the beginning of one */
};
/* block.second, when it is only known that the next page's bytes are needed: no page has this token. */
#define SECOND_UNKNOWN UINT32_MAX

/* The bytes at rip. */
struct text {
    uint8_t bytes[TEXT_BYTES + PADDING];
    unsigned available; /* of the guest's */
    struct code_page *page;
    struct code_page *second; /* NULL unless the bytes of the next page are among them */
};

static uint64_t rip_of(const struct engine *e) {
    return e->area.guest.guest_RIP;
}

static bool text_load(struct engine *e, struct text *text) {
    uint64_t pc = rip_of(e);
    unsigned offset = pc & PAGE_MASK;
    memset(text, 0, sizeof *text);
    memset(text->bytes, PADDING_BYTE, sizeof text->bytes);
    text->page = fetch_page(e, pc);
    if (!text->page)
        return false;
    text->available = PAGE_SIZE - offset < TEXT_BYTES ? PAGE_SIZE - offset : TEXT_BYTES;
    memcpy(text->bytes, fetch_bytes(e, vpn_of(pc)) + offset, text->available);
    return true;
}

static bool text_extend(struct engine *e, struct text *text) {
    uint64_t next = page_round_down(rip_of(e)) + PAGE_SIZE;
    text->second = fetch_page(e, next);
    if (!text->second)
        return false;
    memcpy(text->bytes + text->available, fetch_bytes(e, vpn_of(next)), TEXT_BYTES - text->available);
    text->available = TEXT_BYTES;
    return true;
}

/* Translates the instruction, without its first `skipped` bytes. */
static bool translate(struct engine *e, struct block *block, const uint8_t *bytes, unsigned available,
                      unsigned skipped, unsigned *ret_length) {
    struct translation t = {.engine = e,
                            .pc = rip_of(e) + skipped,
                            .single = true,
                            .bytes = bytes + skipped,
                            .available = available - skipped};
    uint8_t *code = codecache_free_code(&e->cache);
    unsigned used = translate_block(&t, code);
    if (!used)
        return false;
    *ret_length = skipped + t.length;
    block->is_overlong = *ret_length > INSTRUCTION_MAX;
    if (block->is_overlong)
        return true;
    codecache_use_code(&e->cache, used);
    e->counters.translations++;
    block->code = code;
    block->skipped = (uint8_t)skipped;
    return true;
}

/* As it is, or without what the library does not take. */
static bool translate_somehow(struct engine *e, struct block *block, const struct text *text,
                              unsigned *ret_length) {
    uint8_t simple[sizeof text->bytes];
    unsigned skipped;
    if (special_wants(text->bytes, text->available))
        return false;
    if (!special_is_misread(text->bytes, text->available) &&
        translate(e, block, text->bytes, text->available, 0, ret_length))
        return true;
    memcpy(simple, text->bytes, sizeof simple);
    return encoding_simplify(text->bytes, text->available, simple, &skipped) &&
           translate(e, block, simple, text->available, skipped, ret_length);
}

static bool is_known(struct engine *e, const uint8_t bytes[TEXT_BYTES]) {
    struct translation t = {
        .engine = e, .pc = rip_of(e), .single = true, .bytes = bytes, .available = TEXT_BYTES};
    uint8_t simple[TEXT_BYTES];
    unsigned skipped;
    if (special_is_complete(e, bytes, TEXT_BYTES) || translate_block(&t, codecache_free_code(&e->cache)))
        return true;
    if (!encoding_simplify(bytes, TEXT_BYTES, simple, &skipped))
        return false;
    t.pc += skipped;
    t.bytes = simple + skipped;
    t.available -= skipped;
    return translate_block(&t, codecache_free_code(&e->cache)) != 0;
}

/* Whether there is an instruction that begins with the bytes up to the end of the page: only then does the
 * processor look at the next one. What follows matters as a ModRM byte, of which all kinds are tried. */
static bool may_go_on(struct engine *e, const struct text *text) {
    uint8_t bytes[TEXT_BYTES];
    struct decoded d;
    if (!decode(text->bytes, text->available, &d))
        return true;
    memcpy(bytes, text->bytes, text->available);
    for (unsigned modrm = 0; modrm < 0x100; modrm += modrm == 0x38 ? 0xc0 - 0x38 : 8) {
        memset(bytes + text->available, (int)modrm, TEXT_BYTES - text->available);
        if (is_known(e, bytes))
            return true;
    }
    return false;
}

/* Translates, or finds that the instruction is not for the library. False if more bytes are needed. */
static bool compile(struct engine *e, struct block *block, const struct text *text) {
    unsigned length = INSTRUCTION_MAX;
    block->code = NULL;
    block->second = text->second ? text->second->token : 0;
    bool translated = translate_somehow(e, block, text, &length);
    unsigned offset = rip_of(e) & PAGE_MASK;
    code_page_mark(text->page, offset, length);
    if (text->second && offset + length > PAGE_SIZE)
        code_page_mark(text->second, 0, offset + length - PAGE_SIZE);
    return translated || text->available == TEXT_BYTES ||
           special_is_complete(e, text->bytes, text->available) || !may_go_on(e, text);
}

/* The block of the instruction at rip, translated from the bytes that are there now. NULL: a trap. */
static struct block *prepare(struct engine *e, struct text *text) {
    unsigned offset = rip_of(e) & PAGE_MASK;
    if (!text_load(e, text))
        return NULL;
    struct block *block = codecache_block(&e->cache, text->page, offset, BLOCK_SINGLE);
    if (block && !block->second)
        return block;
    if (block && !text_extend(e, text))
        return NULL;
    if (block && block->second == text->second->token)
        return block;
    if (!block)
        block = codecache_add(&e->cache, text->page, offset, BLOCK_SINGLE);
    if (compile(e, block, text))
        return block;
    block->second = SECOND_UNKNOWN;
    if (!text->second && !text_extend(e, text))
        return NULL;
    compile(e, block, text);
    return block;
}

static bool run_translated(struct engine *e, const struct block *block) {
    uint64_t pc = rip_of(e);
    struct area_exit left = area_enter(&e->area, block->code);
    if (left.kind == EXIT_FAULT || (left.kind == EXIT_ASSIST && !dispatch_assist(e, left.value)))
        return false;
    if (rip_of(e) == pc + block->skipped) /* a repeated one, which goes on */
        e->area.guest.guest_RIP = pc;
    return memory_commit(e);
}

/* Whether the trap reports something that the instruction has done, rather than why it was not executed. */
static bool is_after(const struct trap *t) {
    return t->kind == TRAP_SYSCALL ||
           (t->kind == TRAP_EXCEPTION && (t->vector == VECTOR_BP || t->vector == VECTOR_DB));
}

/* To who steps, a repeated string instruction is done with its last iteration; here it ends when it is
 * executed once more and finds that rcx is 0. */
static void end_repeated(struct engine *e, const struct text *text) {
    struct decoded d;
    if (decode(text->bytes, text->available, &d) && d.repeat &&
        decode_effective(&d, e->area.guest.guest_RCX) == 0)
        e->area.guest.guest_RIP += d.length;
}

static bool execute(struct engine *e) {
    struct text text;
    struct block *block = prepare(e, &text);
    if (!block)
        return false;
    e->instruction = 0;
    if (map_count(&e->watches.marked))
        watch_reached(e, rip_of(e));
    const uint64_t pc = rip_of(e);
    e->snapshot = e->area.guest;
    e->alone = true;
    e->pending.length = 0;
    e->left = 1;
    bool done;
    if (block->code) {
        done = run_translated(e, block);
    } else if (block->is_overlong) {
        trap_exception(e, VECTOR_GP, 0);
        done = false;
    } else {
        e->area.guest.host_EvC_COUNTER--;
        done = special_execute(e, text.bytes, text.available);
    }
    e->left = 0;
    e->alone = false;
    if (!done && !is_after(&e->trap))
        e->area.guest = e->snapshot;
    else if (e->trap_flag && rip_of(e) == pc)
        end_repeated(e, &text);
    return done;
}

bool single_run(struct engine *e) {
    bool stepping = e->trap_flag;
    if (!execute(e))
        return false;
    if (stepping) {
        trap_exception(e, VECTOR_DB, 0);
        e->trap.address = DEBUG_STEP;
    }
    return !stepping;
}
