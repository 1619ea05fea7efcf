/* See scenario.h. */
#include "scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

#define VPN_BASE 0x400ULL

static uint64_t below(struct scenario *s, uint64_t limit) {
    return rng_below(&s->rng, limit);
}

/* What an event says about the bytes and the age of the frame `a`. */
static void model_frame(struct scenario *s, enum event_kind kind, unsigned flags, uint64_t a, uint64_t b) {
    bool filled = kind == EVENT_ZERO_FILL || kind == EVENT_FILE_READ || kind == EVENT_COPY;
    if (filled || kind == EVENT_SWAP_IN || kind == EVENT_FRAME)
        s->frame_since[a] = s->trace.sequence + 1;
    if (filled || (kind == EVENT_FRAME && flags == EVENT_FRAME_FREE))
        s->frame_content[a].known = false;
    if (kind == EVENT_SWAP_OUT)
        s->slot_content[b] = s->frame_content[a];
    if (kind == EVENT_SWAP_IN)
        s->frame_content[a] = s->slot_content[b];
    if (kind == EVENT_SLOT)
        s->slot_content[a].known = false;
}

static void emit(struct scenario *s, enum event_kind kind, unsigned flags, uint64_t a, uint64_t b, uint64_t c,
                 uint64_t d, uint64_t e) {
    s->instructions += below(s, 50);
    model_frame(s, kind, flags, a, b);
    trace_emit(&s->trace, kind, flags, a, b, c, d, e);
}

static struct tally *space_tally(struct scenario *s, int space) {
    return &s->processes[s->space_pid[space] - 1].tally;
}

/* ---- frames and slots ---- */

static void set_frame(struct scenario *s, uint64_t frame, enum event_frame use, uint64_t page) {
    s->use[frame] = use;
    s->frame_page[frame] = page;
    emit(s, EVENT_FRAME, use, frame, page, 0, 0, 0);
}

static void set_pte(struct scenario *s, int space, uint64_t page, pte_t new) {
    uint64_t old = s->pages[space][page].pte;
    s->pages[space][page].pte = new.v;
    emit(s, EVENT_PTE, 0, s->space_number[space], VPN_BASE + page, old, new.v, 0);
}

static bool is_mapped(const struct scenario *s, enum pte_kind kind, uint64_t number) {
    for (int i = 0; i < SCENARIO_SPACES; i++)
        for (int j = 0; j < SCENARIO_PAGES; j++) {
            pte_t pte = {s->pages[i][j].pte};
            if (pte_kind(pte) == kind && pte.v >> PTE_NUMBER_SHIFT == number)
                return true;
        }
    return false;
}

/* Changes every entry that names the frame or slot. */
static void set_all(struct scenario *s, enum pte_kind kind, uint64_t number, enum pte_kind to,
                    uint64_t to_number) {
    for (int i = 0; i < SCENARIO_SPACES; i++)
        for (uint64_t j = 0; j < SCENARIO_PAGES; j++) {
            pte_t pte = {s->pages[i][j].pte};
            if (pte_kind(pte) != kind || pte.v >> PTE_NUMBER_SHIFT != number)
                continue;
            pte_t new = {to_number << PTE_NUMBER_SHIFT | (pte.v & (PTE_RWX | PTE_USER | PTE_COW)) | to};
            set_pte(s, i, j, to == PTE_EMPTY ? (pte_t){0} : new);
        }
}

static int free_frame(const struct scenario *s) {
    for (int i = 0; i < SCENARIO_FRAMES; i++)
        if (s->use[i] == EVENT_FRAME_FREE)
            return i;
    return -1;
}

static int free_slot(const struct scenario *s) {
    for (int i = 0; i < SCENARIO_SLOTS; i++)
        if (!s->slots[i].used)
            return i;
    return -1;
}

static void release(struct scenario *s, pte_t old) {
    uint64_t number = old.v >> PTE_NUMBER_SHIFT;
    if (pte_is_present(old) && s->use[number] == EVENT_FRAME_ANONYMOUS && !is_mapped(s, PTE_PRESENT, number))
        set_frame(s, number, EVENT_FRAME_FREE, 0);
    if (pte_is_swapped(old) && !is_mapped(s, PTE_SWAPPED, number)) {
        s->slots[number] = (struct fold_slot){0};
        emit(s, EVENT_SLOT, 0, number, 0, 0, 0, 0);
    }
}

static bool *evicted_mark(struct scenario *s, uint64_t page_id) {
    uint64_t generation = page_id >> 36 & 0x7ffffff, page = page_id & 0xfffffffff;
    return &s->evicted[(generation * SCENARIO_OBJECT_PAGES + page) % ARRAY_LENGTH(s->evicted)];
}

/* The tally of the first address space that maps the frame; NULL: none does. */
static struct tally *mapper_tally(struct scenario *s, uint64_t frame) {
    int first = -1;
    for (int i = 0; i < SCENARIO_SPACES; i++)
        for (int j = 0; j < SCENARIO_PAGES; j++) {
            pte_t pte = {s->pages[i][j].pte};
            if (pte_is_present(pte) && pte_pfn(pte).n == frame &&
                (first < 0 || s->space_number[i] < s->space_number[first]))
                first = i;
        }
    return first < 0 ? NULL : space_tally(s, first);
}

static void count_victim(struct scenario *s, uint64_t frame, enum event_victim how) {
    struct tally *tally = mapper_tally(s, frame);
    s->tally.evictions[how]++;
    s->tally.swap_out += how == EVENT_VICTIM_TO_SWAP;
    if (tally) {
        tally->evictions[how]++;
        tally->swap_out += how == EVENT_VICTIM_TO_SWAP;
    }
}

static bool evict_anonymous(struct scenario *s, uint64_t frame) {
    uint64_t page = s->frame_page[frame];
    int slot = free_slot(s);
    if (slot < 0)
        return false;
    emit(s, EVENT_VICTIM, EVENT_VICTIM_TO_SWAP, frame, page, 0, 0, 0);
    count_victim(s, frame, EVENT_VICTIM_TO_SWAP);
    emit(s, EVENT_SLOT, 1, (uint64_t)slot, page, 0, 0, 0);
    emit(s, EVENT_SWAP_OUT, 0, frame, (uint64_t)slot, page, 0, 0);
    s->slots[slot] = (struct fold_slot){true, true, page};
    set_all(s, PTE_PRESENT, frame, PTE_SWAPPED, (uint64_t)slot);
    return true;
}

static bool evict(struct scenario *s) {
    uint64_t frame = SCENARIO_RESERVED + below(s, SCENARIO_FRAMES - SCENARIO_RESERVED);
    if (s->use[frame] == EVENT_FRAME_ANONYMOUS) {
        if (!evict_anonymous(s, frame))
            return false;
    } else {
        enum event_victim how = below(s, 2) ? EVENT_VICTIM_CLEAN : EVENT_VICTIM_TO_FILE;
        uint64_t page = s->frame_page[frame];
        emit(s, EVENT_VICTIM, how, frame, page, 0, 0, 0);
        count_victim(s, frame, how);
        *evicted_mark(s, page) = true;
        if (how == EVENT_VICTIM_TO_FILE)
            emit(s, EVENT_WRITE_BACK, 0, frame, 1, page & 0xff, 0, 0);
        set_all(s, PTE_PRESENT, frame, PTE_EMPTY, 0);
    }
    set_frame(s, frame, EVENT_FRAME_FREE, 0);
    return true;
}

/* -1 when none can be had. */
static int get_frame(struct scenario *s) {
    for (int tries = 0; tries < 50; tries++) {
        int frame = free_frame(s);
        if (frame >= 0)
            return frame;
        evict(s);
    }
    return -1;
}

/* ---- mappings ---- */

static void emit_map(struct scenario *s, int space, uint64_t first, uint64_t pages) {
    const struct scenario_page *p = &s->pages[space][first];
    emit(s, EVENT_MAP, p->flags, s->space_number[space], VPN_BASE + first, pages, p->object, p->object_page);
}

static void clear_pages(struct scenario *s, int space, uint64_t first, uint64_t pages) {
    for (uint64_t i = first; i < first + pages; i++) {
        pte_t old = {s->pages[space][i].pte};
        if (!pte_is_empty(old)) {
            set_pte(s, space, i, (pte_t){0});
            release(s, old);
        }
    }
}

static void random_range(struct scenario *s, uint64_t *ret_first, uint64_t *ret_pages) {
    uint64_t limit = below(s, 4) ? 20 : SCENARIO_PAGES;
    *ret_first = below(s, limit);
    *ret_pages = 1 + below(s, min_u64(limit - *ret_first, 12));
}

static void do_map(struct scenario *s, int space) {
    uint64_t first, pages, object = below(s, SCENARIO_OBJECTS + 3);
    random_range(s, &first, &pages);
    if (object >= SCENARIO_OBJECTS || !s->object_generation[object])
        object = 0;
    else
        object++;
    uint64_t object_page = object ? below(s, 3) : 0;
    pages = object ? min_u64(pages, SCENARIO_OBJECT_PAGES - object_page) : pages;
    uint16_t flags = (uint16_t)(1 + below(s, 7) + (object ? EVENT_MAP_SHARED : 0));
    clear_pages(s, space, first, pages);
    for (uint64_t i = 0; i < pages; i++)
        s->pages[space][first + i] =
            (struct scenario_page){true, flags, object, object ? object_page + i : 0, 0};
    emit_map(s, space, first, pages);
}

static void do_unmap(struct scenario *s, int space) {
    uint64_t first, pages;
    random_range(s, &first, &pages);
    clear_pages(s, space, first, pages);
    memset(&s->pages[space][first], 0, pages * sizeof s->pages[space][first]);
    emit(s, EVENT_UNMAP, 0, s->space_number[space], VPN_BASE + first, pages, 0, 0);
}

static void do_protect(struct scenario *s, int space) {
    uint64_t first, pages;
    unsigned access = (unsigned)below(s, 8);
    random_range(s, &first, &pages);
    for (uint64_t i = first; i < first + pages; i++)
        if (s->pages[space][i].mapped)
            s->pages[space][i].flags = (uint16_t)((s->pages[space][i].flags & ~7u) | access);
    emit(s, EVENT_PROTECT, access, s->space_number[space], VPN_BASE + first, pages, 0, 0);
}

/* ---- faults ---- */

static bool fill_anonymous(struct scenario *s, int space, uint64_t page, enum event_fault *ret_kind) {
    int frame = get_frame(s);
    if (frame < 0)
        return false;
    uint64_t id = s->next_page++;
    emit(s, EVENT_ZERO_FILL, 0, (uint64_t)frame, id, 0, 0, 0);
    set_frame(s, (uint64_t)frame, EVENT_FRAME_ANONYMOUS, id);
    set_pte(s, space, page, pte_make_present((pfn_t){(uint32_t)frame}, 7, 0));
    *ret_kind = EVENT_FAULT_ZERO_FILL;
    return true;
}

/* 1 filled a frame, 0 found the page in the cache, -1 no frame. */
static int fill_file(struct scenario *s, int space, uint64_t page, enum event_fault *ret_kind) {
    const struct scenario_page *p = &s->pages[space][page];
    uint64_t id = page_id_of_object((uint32_t)s->object_generation[p->object - 1], p->object_page).n;
    int frame = -1, filled = 0;
    for (int i = SCENARIO_RESERVED; i < SCENARIO_FRAMES; i++)
        if (s->use[i] == EVENT_FRAME_CACHE && s->frame_page[i] == id)
            frame = i;
    if (frame < 0) {
        frame = get_frame(s);
        if (frame < 0)
            return -1;
        emit(s, EVENT_FILE_READ, 0, (uint64_t)frame, p->object, p->object_page, 0, 0);
        set_frame(s, (uint64_t)frame, EVENT_FRAME_CACHE, id);
        s->refault = *evicted_mark(s, id);
        filled = 1;
    }
    set_pte(s, space, page, pte_make_present((pfn_t){(uint32_t)frame}, p->flags & 7, 0));
    *ret_kind = EVENT_FAULT_FILE;
    return filled;
}

static bool fill_swapped(struct scenario *s, int space, uint64_t page, enum event_fault *ret_kind) {
    int frame = get_frame(s);
    uint64_t slot = s->pages[space][page].pte >> PTE_NUMBER_SHIFT, id = s->slots[slot].page;
    if (frame < 0)
        return false;
    emit(s, EVENT_SWAP_IN, 0, (uint64_t)frame, slot, id, 0, 0);
    s->tally.swap_in++;
    space_tally(s, space)->swap_in++;
    s->refault = true;
    set_frame(s, (uint64_t)frame, EVENT_FRAME_ANONYMOUS, id);
    set_all(s, PTE_SWAPPED, slot, PTE_PRESENT, (uint64_t)frame);
    s->slots[slot] = (struct fold_slot){0};
    emit(s, EVENT_SLOT, 0, slot, id, 0, 0, 0);
    *ret_kind = EVENT_FAULT_SWAP_IN;
    return true;
}

/* True when the page is now a copy of its own. False: no frame, or the page itself was evicted for it. */
static bool fill_copy(struct scenario *s, int space, uint64_t page, enum event_fault *ret_kind) {
    int frame = get_frame(s);
    pte_t old = {s->pages[space][page].pte};
    if (frame < 0 || !pte_is_present(old))
        return false;
    uint64_t id = s->next_page++;
    emit(s, EVENT_COPY, 0, (uint64_t)frame, pte_pfn(old).n, id, 0, 0);
    set_frame(s, (uint64_t)frame, EVENT_FRAME_ANONYMOUS, id);
    set_pte(s, space, page, pte_make_present((pfn_t){(uint32_t)frame}, 7, PTE_DIRTY));
    release(s, old);
    *ret_kind = EVENT_FAULT_COW;
    return true;
}

/* The kind of fault; *ret_miss whether a frame was filled. */
static enum event_fault serve(struct scenario *s, int space, uint64_t page, bool *ret_miss) {
    struct scenario_page *p = &s->pages[space][page];
    pte_t pte = {p->pte};
    enum event_fault kind = EVENT_FAULT_FAILED;
    if (!p->mapped)
        return kind;
    if (pte_is_swapped(pte)) {
        *ret_miss = fill_swapped(s, space, page, &kind);
    } else if (pte_is_empty(pte) && p->object) {
        int filled = s->object_generation[p->object - 1] ? fill_file(s, space, page, &kind) : -1;
        *ret_miss = filled > 0;
    } else if (pte_is_empty(pte)) {
        *ret_miss = fill_anonymous(s, space, page, &kind);
    } else if (pte_has(pte, PTE_COW)) {
        *ret_miss = fill_copy(s, space, page, &kind);
    } else {
        set_pte(s, space, page, pte_set(pte, PTE_DIRTY));
        kind = EVENT_FAULT_PROTECTION;
    }
    return kind;
}

static void count_fault(struct tally *t, enum event_fault kind, bool major, bool miss, bool refault) {
    if (kind == EVENT_FAULT_FAILED)
        return;
    t->faults[kind]++;
    t->major += major;
    t->minor += !major;
    t->misses += miss;
    t->refaults += miss && refault;
}

static void do_touch(struct scenario *s, int space) {
    uint64_t first, pages;
    random_range(s, &first, &pages);
    uint64_t number = s->space_number[space], address = (VPN_BASE + first) * PAGE_SIZE + below(s, PAGE_SIZE);
    bool miss = false;
    s->refault = false;
    emit(s, EVENT_FAULT, 1u << below(s, 3), number, address, s->pages[space][first].pte, 0, 0);
    enum event_fault kind = serve(s, space, first, &miss);
    bool major = miss && (kind == EVENT_FAULT_SWAP_IN || kind == EVENT_FAULT_FILE);
    emit(s, EVENT_FAULT_DONE, kind, number, address, s->pages[space][first].pte, major, miss);
    count_fault(&s->tally, kind, major, miss, s->refault);
    count_fault(space_tally(s, space), kind, major, miss, s->refault);
    if (kind == EVENT_FAULT_FAILED)
        emit(s, EVENT_SIGNAL, 11, 1, address, 0, 0, 0);
}

/* ---- processes and objects ---- */

static int add_space(struct scenario *s, uint32_t pid, uint64_t from) {
    int place = 0;
    while (s->space_number[place])
        place++;
    s->space_number[place] = s->next_space++;
    s->space_pid[place] = pid;
    emit(s, EVENT_SPACE_CREATE, 0, s->space_number[place], pid, from, 0, 0);
    return place;
}

static void copy_space(struct scenario *s, int from, int to) {
    for (uint64_t i = 0; i < SCENARIO_PAGES; i++) {
        const struct scenario_page *p = &s->pages[from][i];
        if (!p->mapped)
            continue;
        pte_t pte = {p->pte};
        if (!p->object && pte_is_present(pte))
            set_pte(s, from, i, pte = pte_set(pte_clear(pte, PTE_W), PTE_COW));
        s->pages[to][i] = *p;
        s->pages[to][i].pte = 0;
        emit_map(s, to, i, 1);
        if (!pte_is_empty(pte))
            set_pte(s, to, i, pte);
    }
}

static void do_exec(struct scenario *s, uint32_t pid) {
    static const char path[] = "/bin/a path \"of\" no\xffwhere";
    struct scenario_process *p = &s->processes[pid - 1];
    p->command_length = 1 + below(s, sizeof p->command);
    for (size_t i = 0; i < p->command_length; i++)
        p->command[i] = (char)(i + 1 == p->command_length ? 0 : below(s, 256));
    uint64_t number = trace_string(&s->trace, path, sizeof path - 1);
    uint64_t command = trace_string(&s->trace, p->command, p->command_length);
    emit(s, EVENT_PROCESS_EXEC, 0, number, command, p->space, 0, 0);
}

static void do_fork(struct scenario *s, int space) {
    int live = 0;
    for (int i = 0; i < SCENARIO_SPACES; i++)
        live += s->space_number[i] != 0;
    if (live == SCENARIO_SPACES || s->process_count == SCENARIO_PROCESSES)
        return;
    uint32_t parent = s->trace.pid, pid = ++s->process_count;
    int child = add_space(s, pid, s->space_number[space] + 1);
    copy_space(s, space, child);
    s->processes[pid - 1] = (struct scenario_process){.parent = parent, .space = s->space_number[child]};
    s->trace.pid = pid;
    emit(s, EVENT_PROCESS_CREATE, 0, parent, s->space_number[child], 0, 0, 0);
    do_exec(s, pid);
    s->trace.pid = parent;
}

static void do_switch(struct scenario *s, int space) {
    s->trace.pid = s->space_pid[space];
    s->switches++;
    emit(s, EVENT_SWITCH, 0, s->space_number[space], 0, 0, 0, 0);
}

/* Entries are taken back one by one, or go with the address space. */
static void do_exit(struct scenario *s, int space) {
    if (s->space_pid[space] == 1 || s->space_pid[space] == s->trace.pid)
        return;
    uint32_t self = s->trace.pid;
    struct scenario_process *p = &s->processes[s->space_pid[space] - 1];
    s->trace.pid = s->space_pid[space];
    p->ended = true;
    p->wait_status = (uint32_t)below(s, 256) << 8;
    emit(s, EVENT_PROCESS_EXIT, 0, p->wait_status, 0, 0, 0, 0);
    if (below(s, 2))
        clear_pages(s, space, 0, SCENARIO_PAGES);
    emit(s, EVENT_SPACE_DESTROY, 0, s->space_number[space], 0, 0, 0, 0);
    s->space_number[space] = 0;
    for (int i = 0; i < SCENARIO_PAGES; i++) {
        pte_t old = {s->pages[space][i].pte};
        s->pages[space][i] = (struct scenario_page){0};
        release(s, old);
    }
    s->trace.pid = self;
}

static bool object_in_use(const struct scenario *s, uint64_t object) {
    for (int i = 0; i < SCENARIO_SPACES; i++)
        for (int j = 0; j < SCENARIO_PAGES; j++)
            if (s->pages[i][j].mapped && s->pages[i][j].object == object)
                return true;
    return false;
}

static void do_object(struct scenario *s) {
    uint64_t object = 1 + below(s, SCENARIO_OBJECTS), generation = s->object_generation[object - 1];
    if (!generation) {
        s->object_generation[object - 1] = s->next_generation;
        uint64_t path = trace_string(&s->trace, "/usr/lib/libc.so.6", 18);
        emit(s, EVENT_OBJECT, 0, object, s->next_generation++, path, SCENARIO_OBJECT_PAGES, 0);
    } else if (!object_in_use(s, object) && s->next_generation < 400) {
        for (uint64_t i = 0; i < SCENARIO_FRAMES; i++)
            if (s->use[i] == EVENT_FRAME_CACHE && (s->frame_page[i] >> 36 & 0x7ffffff) == generation)
                set_frame(s, i, EVENT_FRAME_FREE, 0);
        s->object_generation[object - 1] = 0;
        emit(s, EVENT_OBJECT_GONE, 0, object, 0, 0, 0, 0);
    }
}

static void do_syscall(struct scenario *s) {
    unsigned number = (unsigned)below(s, 300);
    s->syscalls++;
    s->processes[s->trace.pid - 1].syscalls++;
    emit(s, EVENT_SYSCALL_ENTER, number, below(s, 100), rng_next(&s->rng), 0, 0, 0);
    emit(s, EVENT_SYSCALL_EXIT, number, below(s, 2) ? 0 : (uint64_t)-14, 0, 0, 0, 0);
}

/* ---- what people want to see ---- */

static void do_output(struct scenario *s) {
    char bytes[4000];
    size_t length = 1 + below(s, below(s, 8) ? 100 : sizeof bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)below(s, 256);
    memmove(s->output, s->output + length, sizeof s->output - length);
    memcpy(s->output + sizeof s->output - length, bytes, length);
    s->output_total += length;
    uint64_t number = trace_string(&s->trace, bytes, length);
    emit(s, EVENT_OUTPUT, 1 + (unsigned)below(s, 2), number, 0, 0, 0, 0);
}

static void do_content(struct scenario *s) {
    uint64_t frame = SCENARIO_RESERVED + below(s, SCENARIO_FRAMES - SCENARIO_RESERVED), words[4];
    unsigned line = (unsigned)below(s, PAGE_SIZE / sizeof words);
    struct scenario_content *content = &s->frame_content[frame];
    if (s->use[frame] != EVENT_FRAME_ANONYMOUS && s->use[frame] != EVENT_FRAME_CACHE)
        return;
    for (int i = 0; i < 4; i++)
        words[i] = rng_next(&s->rng);
    if (!content->known)
        *content = (struct scenario_content){.known = true};
    memcpy(content->bytes + line * sizeof words, words, sizeof words);
    emit(s, EVENT_CONTENT, line, frame, words[0], words[1], words[2], words[3]);
}

static void emit_label(struct scenario *s, enum event_label what, uint64_t a, uint64_t b, uint64_t c,
                       uint64_t d, uint64_t e) {
    s->labels++;
    s->last_label = (struct fold_label){what, {a, b, c, d, e}};
    emit(s, EVENT_LABEL, what, a, b, c, d, e);
}

static void do_label(struct scenario *s) {
    uint64_t pid = 1 + below(s, s->process_count);
    uint64_t path = trace_string(&s->trace, "/tmp/numbers.bin", 16), name = trace_string(&s->trace, "n", 1);
    emit_label(s, EVENT_LABEL_STRIP, pid, 10, 0, 0, 0);
    emit_label(s, EVENT_LABEL_VPN, pid, VPN_BASE + below(s, SCENARIO_PAGES), below(s, 10), 0, 0);
    emit_label(s, EVENT_LABEL_FILE, path, name, 4, below(s, 3), below(s, 6));
}

static void do_reached(struct scenario *s, int space) {
    uint64_t address = (VPN_BASE + below(s, SCENARIO_PAGES)) * PAGE_SIZE;
    uint64_t name = below(s, 2) ? trace_string(&s->trace, "main", 4) : 0;
    emit(s, EVENT_REACHED, (unsigned)below(s, 3), address, s->space_number[space], name, 0, 0);
}

/* ---- the whole ---- */

/* The MMU sets referenced and dirty bits, and no event tells. */
static void mmu_sets_bits(struct scenario *s, int space) {
    struct scenario_page *p = &s->pages[space][below(s, 20)];
    if (pte_is_present((pte_t){p->pte}))
        p->pte |= below(s, 2) ? PTE_REFERENCED : PTE_DIRTY | PTE_REFERENCED;
}

void scenario_start(struct scenario *s, uint64_t seed, struct trace_sink *sink) {
    memset(s, 0, sizeof *s);
    s->rng.state = seed;
    s->trace.instruction = &s->instructions;
    s->next_space = s->next_generation = s->next_page = 1;
    for (int i = 0; i < SCENARIO_RESERVED; i++)
        s->use[i] = EVENT_FRAME_RESERVED;
    if (sink)
        trace_add_sink(&s->trace, sink);
    uint64_t format = trace_string(&s->trace, "array", 5), policy = trace_string(&s->trace, "", 0);
    emit(s, EVENT_MACHINE_START, 0, SCENARIO_FRAMES, SCENARIO_RESERVED, SCENARIO_SLOTS, format, policy);
    s->trace.pid = s->process_count = 1;
    int space = add_space(s, 1, 0);
    s->processes[0].space = s->space_number[space];
    emit(s, EVENT_PROCESS_CREATE, 0, 0, s->space_number[space], 0, 0, 0);
    do_exec(s, 1);
    do_switch(s, space);
}

void scenario_step(struct scenario *s) {
    int space = (int)below(s, SCENARIO_SPACES);
    if (!s->space_number[space])
        return;
    mmu_sets_bits(s, space);
    switch (below(s, 20)) {
    case 0: do_map(s, space); break;
    case 1: do_unmap(s, space); break;
    case 2: do_protect(s, space); break;
    case 3: do_switch(s, space); break;
    case 4: do_syscall(s); break;
    case 5: do_object(s); break;
    case 6:
        if (!below(s, 8))
            do_fork(s, space);
        break;
    case 7:
        if (!below(s, 8))
            do_exit(s, space);
        break;
    case 8: do_output(s); break;
    case 9: do_content(s); break;
    case 10:
        if (!below(s, 8))
            do_label(s);
        else
            do_reached(s, space);
        break;
    case 11:
        for (int i = 0; i < 4; i++)
            do_content(s);
        break;
    default: do_touch(s, space); break;
    }
}

void scenario_run(struct scenario *s, uint64_t events) {
    while (s->trace.sequence < events)
        scenario_step(s);
}

void scenario_stop(struct scenario *s) {
    emit(s, EVENT_MACHINE_STOP, 0, 0, 0, 0, 0, 0);
    while (s->trace.sinks)
        trace_remove_sink(&s->trace, s->trace.sinks);
}

const struct trace_header *scenario_header(void) {
    static const char *const arguments[] = {"scenario", "-x", "caf\xe9", ""};
    static const struct trace_header header = {
        .thimble = "0.1.0",
        .frames = SCENARIO_FRAMES,
        .reserved = SCENARIO_RESERVED,
        .swap_pages = SCENARIO_SLOTS,
        .page_size = PAGE_SIZE,
        .page_table = "array",
        .policy = "random:seed=3",
        .seed = UINT64_MAX - 1,
        .deterministic = true,
        .cpu = "x86-64-v3",
        .argument_count = 4,
        .arguments = arguments,
    };
    return &header;
}

/* ---- comparing ---- */

static const char *compare_page(const struct scenario_page *p, const struct fold_space *space, uint64_t vpn) {
    const uint64_t mmu = PTE_REFERENCED | PTE_DIRTY;
    const struct fold_mapping *m = fold_mapping(space, (vpn_t){vpn});
    if ((fold_entry(space, (vpn_t){vpn}).v & ~mmu) != (p->pte & ~mmu))
        return "an entry";
    if (p->mapped != (m != NULL))
        return "whether a page is mapped";
    if (m && (m->flags != p->flags || m->object != p->object))
        return "a mapping";
    if (m && m->object && m->object_page + (vpn - m->first) != p->object_page)
        return "the place of a mapping in its object";
    return NULL;
}

static const char *compare_spaces(const struct scenario *s, const struct fold *f) {
    size_t live = 0;
    for (int i = 0; i < SCENARIO_SPACES; i++) {
        if (!s->space_number[i])
            continue;
        const struct fold_space *space = fold_space(f, s->space_number[i]);
        live++;
        if (!space || space->owner != s->space_pid[i])
            return "an address space";
        for (uint64_t j = 0; j < SCENARIO_PAGES; j++) {
            const char *difference = compare_page(&s->pages[i][j], space, VPN_BASE + j);
            if (difference)
                return difference;
        }
    }
    return live == f->spaces.count ? NULL : "the number of address spaces";
}

static bool content_differs(const struct scenario_content *ours, const uint8_t *bytes) {
    return ours->known ? !bytes || memcmp(ours->bytes, bytes, PAGE_SIZE) != 0 : bytes != NULL;
}

static const char *compare_shown(const struct scenario *s, const struct fold *f) {
    size_t length;
    const char *output = fold_output(f, &length);
    if (f->output_total != s->output_total || length != min_u64(s->output_total, FOLD_OUTPUT) ||
        memcmp(output, s->output + FOLD_OUTPUT - length, length) != 0)
        return "the output";
    if (f->label_count != s->labels)
        return "the number of labels";
    if (s->labels && memcmp(&f->labels[s->labels - 1], &s->last_label, sizeof s->last_label) != 0)
        return "a label";
    for (uint32_t i = 0; i < SCENARIO_FRAMES; i++)
        if (content_differs(&s->frame_content[i], fold_content(f, i)))
            return "the bytes of a frame";
    for (uint32_t i = 0; i < SCENARIO_SLOTS; i++)
        if (content_differs(&s->slot_content[i], fold_slot_content(f, i)))
            return "the bytes of a slot";
    return NULL;
}

static const char *compare_memory(const struct scenario *s, const struct fold *f) {
    for (uint32_t i = 0; i < SCENARIO_FRAMES; i++) {
        struct fold_frame frame = fold_frame(f, i);
        if (frame.use != s->use[i] || frame.page != s->frame_page[i] || frame.since != s->frame_since[i])
            return "a frame";
        if ((frame.mapper_count != 0) != is_mapped(s, PTE_PRESENT, i))
            return "who maps a frame";
    }
    for (uint32_t i = 0; i < SCENARIO_SLOTS; i++) {
        struct fold_slot slot = fold_slot(f, i), ours = s->slots[i];
        if (slot.used != ours.used || (slot.used && (slot.written != ours.written || slot.page != ours.page)))
            return "a slot";
    }
    return NULL;
}

static const char *compare_processes(const struct scenario *s, const struct fold *f) {
    if (f->processes.count != s->process_count)
        return "the number of processes";
    for (uint32_t i = 0; i < s->process_count; i++) {
        const struct scenario_process *ours = &s->processes[i];
        const struct fold_process *p = fold_process(f, i + 1);
        if (!p || p->parent != ours->parent || p->space != ours->space || p->ended != ours->ended ||
            p->wait_status != ours->wait_status || p->syscalls != ours->syscalls)
            return "a process";
        if (memcmp(&p->tally, &ours->tally, sizeof p->tally) != 0)
            return "the tally of a process";
        const struct trace_text *command = fold_string(f, p->command);
        if (!command || command->length != ours->command_length ||
            memcmp(command->bytes, ours->command, command->length) != 0)
            return "the command of a process";
    }
    return NULL;
}

const char *scenario_compare(const struct scenario *s, const struct fold *f) {
    const char *difference = compare_spaces(s, f);
    if (!difference)
        difference = compare_memory(s, f);
    if (!difference)
        difference = compare_processes(s, f);
    if (!difference)
        difference = compare_shown(s, f);
    if (!difference &&
        (f->switches != s->switches || f->syscalls != s->syscalls || f->running != s->trace.pid))
        difference = "the counts of the machine";
    if (!difference && memcmp(&f->counter.tally, &s->tally, sizeof s->tally) != 0)
        difference = "the tally of the machine";
    for (uint64_t i = 0; !difference && i < SCENARIO_OBJECTS; i++) {
        const struct fold_object *o = fold_object(f, i + 1);
        if ((o ? o->generation : 0) != s->object_generation[i])
            difference = "an object";
    }
    return difference;
}

void scenario_assert_same(const struct fold *a, const struct fold *b) {
    void *bytes_a, *bytes_b;
    size_t size_a, size_b;
    assert_int_equal(fold_save(a, &bytes_a, &size_a), 0);
    assert_int_equal(fold_save(b, &bytes_b, &size_b), 0);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    free(bytes_a);
    free(bytes_b);
}

/* ---- recording ---- */

static void recorder_receive(struct trace_sink *sink, const struct event *e) {
    struct recorder *r = container_of(sink, struct recorder, sink);
    if (r->count == r->capacity) {
        r->capacity = r->capacity * 2 + 1024;
        r->events = reallocarray(r->events, r->capacity, sizeof *r->events);
        if (!r->events)
            abort();
    }
    r->events[r->count++] = *e;
}

struct recorder recorder(void) {
    return (struct recorder){.sink.receive = recorder_receive};
}

void recorder_free(struct recorder *r) {
    free(r->events);
    *r = recorder();
}
