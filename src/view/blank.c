/* Exercises: see blank.h.
 *
 * The blanks are numbered in the order in which a picture is read: the register, the entries process by
 * process, the frames, the free pool, the swap area, the victim. Of many like things about half are left
 * blank, and some that are empty among them, so that nothing can be told from being asked. A frame and the
 * entry that points at it are never both blank, as each tells of the other. The answers are written down at
 * once: the picture is not needed afterwards. */
#include "view/blank.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/rng.h"

enum { ENTRIES_MOST = 8, FRAMES_MOST = 8, SLOTS_MOST = 4 };

struct blank {
    unsigned count; /* of blanks */
    size_t *first;  /* of each process: where its cells begin in `entries` */
    size_t process_count, entry_count, frame_count, slot_count;
    unsigned *entries, *frames, *slots; /* number of the blank of each, 0: not blank */
    unsigned pool, page_table_register, victim;
    struct text key;
};

/* While the blanks are chosen. */
struct chooser {
    struct blank *blank;
    const struct picture *picture;
    struct rng rng;
    bool *chosen; /* room for any of the arrays */
};

/* ---- which parts ---- */

static unsigned part_of_word(const char *word, size_t length) {
    static const struct {
        const char *name;
        enum blank_part part;
    } parts[] = {
        {"victim", BLANK_VICTIM}, {"ptes", BLANK_PTES}, {"frames", BLANK_FRAMES},
        {"pool", BLANK_POOL},     {"swap", BLANK_SWAP}, {"register", BLANK_REGISTER},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (strlen(parts[i].name) == length && !memcmp(parts[i].name, word, length))
            return parts[i].part;
    return 0;
}

int blank_parse(const char *list, unsigned *ret_parts, const char **ret_wrong) {
    unsigned parts = 0;
    for (const char *word = list;; word++) {
        const size_t length = strcspn(word, ",");
        const unsigned part = part_of_word(word, length);
        if (!part) {
            *ret_wrong = word;
            return -EINVAL;
        }
        parts |= part;
        word += length;
        if (!*word)
            break;
    }
    *ret_parts = parts;
    return 0;
}

/* ---- the key ---- */

static void put_access(struct text *t, unsigned access) {
    char letters[4];
    picture_access_text(access, letters);
    text_put(t, letters);
}

/* "page 6 of mypgm", "swap page 11", "a page of no file". */
static void put_place(struct text *t, const struct picture *p, const struct picture_disk *disk) {
    if (disk->source == SOURCE_FILE) {
        text_put(t, "page ");
        text_number(t, disk->page);
        text_put(t, " of ");
        text_put(t, disk->file < p->file_count ? p->files[disk->file].name : "a file that is not shown");
    } else if (disk->source == SOURCE_ANONYMOUS && disk->has_page) {
        text_put(t, "swap page ");
        text_number(t, disk->page);
    } else {
        text_put(t, "a page of no file");
    }
}

static void put_entry(struct text *t, const struct picture *p, const struct picture_cell *cell) {
    put_access(t, cell->shows_access ? cell->access : 0);
    text_put(t, ", ");
    if (pte_is_present(cell->entry)) {
        text_put(t, "PP");
        text_number(t, pte_pfn(cell->entry).n);
    } else if (cell->points_at_disk) {
        put_place(t, p, &cell->disk);
    } else {
        text_put(t, "no arrow");
    }
}

static void put_frame(struct text *t, const struct picture *p, const struct picture_frame *frame) {
    switch (frame->use) {
    case EVENT_FRAME_FREE: text_put(t, "free"); return;
    case EVENT_FRAME_RESERVED: text_put(t, "reserved for the OS"); return;
    case EVENT_FRAME_TABLE: text_put(t, "a page table"); return;
    case EVENT_FRAME_ANONYMOUS:
    case EVENT_FRAME_CACHE: put_place(t, p, &frame->disk); return;
    case EVENT_FRAME_KINDS: break;
    }
    text_put(t, "nothing");
}

/* Begins the next line of the key: "3. ". */
static unsigned next_blank(struct blank *b) {
    text_number(&b->key, ++b->count);
    text_put(&b->key, ". ");
    return b->count;
}

/* ---- choosing ---- */

/* Marks `wanted` of those for which is_candidate() holds, each as likely as any other; all, if there are
 * fewer. */
static void choose(struct chooser *c, size_t count, size_t wanted,
                   bool (*is_candidate)(const struct chooser *, size_t)) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        left += is_candidate(c, i);
    for (size_t i = 0; i < count; i++) {
        if (!is_candidate(c, i))
            continue;
        const bool take = wanted && rng_below(&c->rng, left) < wanted;
        c->chosen[i] |= take;
        wanted -= take;
        left--;
    }
}

static size_t count_of(const struct chooser *c, size_t count,
                       bool (*is_candidate)(const struct chooser *, size_t)) {
    size_t candidates = 0;
    for (size_t i = 0; i < count; i++)
        candidates += is_candidate(c, i);
    return candidates;
}

/* Half of the full ones, and half as many of the empty ones. */
static void choose_some(struct chooser *c, size_t count, size_t most,
                        bool (*is_full)(const struct chooser *, size_t),
                        bool (*is_empty)(const struct chooser *, size_t)) {
    const size_t full = min_size((count_of(c, count, is_full) + 1) / 2, most);
    memset(c->chosen, 0, count * sizeof *c->chosen);
    choose(c, count, full, is_full);
    choose(c, count, (full + 1) / 2, is_empty);
}

/* The cell with this number among those of all processes. */
static const struct picture_cell *cell_of(const struct chooser *c, size_t index, size_t *ret_process) {
    size_t process = c->blank->process_count - 1;
    while (c->blank->first[process] > index)
        process--;
    *ret_process = process;
    return &c->picture->processes[process].cells[index - c->blank->first[process]];
}

static bool entry_is_full(const struct chooser *c, size_t index) {
    size_t process;
    const struct picture_cell *cell = cell_of(c, index, &process);
    return cell->pages == 1 && (cell->shows_access || cell->points_at_disk);
}

static bool entry_is_empty(const struct chooser *c, size_t index) {
    size_t process;
    return cell_of(c, index, &process)->pages < 2 && !entry_is_full(c, index);
}

/* Whether the arrow that leads to a frame is blank. */
static bool frame_is_asked_for(const struct chooser *c, size_t index) {
    for (size_t i = 0; i < c->blank->entry_count; i++) {
        size_t process;
        const struct picture_cell *cell = cell_of(c, i, &process);
        if (c->blank->entries[i] && pte_is_present(cell->entry) && pte_pfn(cell->entry).n == index)
            return true;
    }
    return false;
}

static bool frame_is_full(const struct chooser *c, size_t index) {
    const enum event_frame use = c->picture->frames[index].use;
    return use != EVENT_FRAME_RESERVED && use != EVENT_FRAME_FREE && !frame_is_asked_for(c, index);
}

static bool frame_is_empty(const struct chooser *c, size_t index) {
    return c->picture->frames[index].use == EVENT_FRAME_FREE;
}

static bool slot_is_full(const struct chooser *c, size_t index) {
    return c->picture->slots[index].written;
}

static bool slot_is_empty(const struct chooser *c, size_t index) {
    return !c->picture->slots[index].written;
}

/* ---- each part ---- */

static void blank_out_register(struct chooser *c) {
    const struct picture *p = c->picture;
    c->blank->page_table_register = next_blank(c->blank);
    text_put(&c->blank->key, "The page-table register: ");
    if (p->has_register) {
        text_put(&c->blank->key, "PID ");
        text_number(&c->blank->key, p->processes[p->register_process].pid);
        text_put(&c->blank->key, "'s table\n");
    } else {
        text_put(&c->blank->key, "no table that is shown\n");
    }
}

static void put_vpn(struct text *t, const struct picture *p, const struct picture_cell *cell) {
    text_put(t, "VPN");
    if (p->real_numbers && cell->pages) {
        struct text hex = {.inject = t->inject};
        text_hex(&hex, cell->first.n);
        text_put(t, " ");
        if (hex.length > 2)
            text_bytes(t, hex.bytes + 1, hex.length - 2); /* without its quotes */
        t->failed |= hex.failed;
        text_free(&hex);
    } else {
        text_number(t, cell->number);
    }
}

static void blank_out_entries(struct chooser *c) {
    struct blank *b = c->blank;
    choose_some(c, b->entry_count, ENTRIES_MOST, entry_is_full, entry_is_empty);
    for (size_t i = 0; i < b->entry_count; i++) {
        if (!c->chosen[i])
            continue;
        size_t process;
        const struct picture_cell *cell = cell_of(c, i, &process);
        b->entries[i] = next_blank(b);
        text_put(&b->key, "PID ");
        text_number(&b->key, c->picture->processes[process].pid);
        text_put(&b->key, "'s entry for ");
        put_vpn(&b->key, c->picture, cell);
        text_put(&b->key, ": ");
        put_entry(&b->key, c->picture, cell);
        text_put(&b->key, "\n");
    }
}

static void blank_out_frames(struct chooser *c) {
    struct blank *b = c->blank;
    if (c->picture->frames_per_cell != 1)
        return; /* a heat map: a cell is no frame */
    choose_some(c, b->frame_count, FRAMES_MOST, frame_is_full, frame_is_empty);
    for (size_t i = 0; i < b->frame_count; i++) {
        if (!c->chosen[i])
            continue;
        b->frames[i] = next_blank(b);
        text_put(&b->key, "PP");
        text_number(&b->key, c->picture->frames[i].number);
        text_put(&b->key, ": ");
        put_frame(&b->key, c->picture, &c->picture->frames[i]);
        text_put(&b->key, "\n");
    }
}

static void blank_out_pool(struct chooser *c) {
    const struct picture *p = c->picture;
    struct text *key = &c->blank->key;
    c->blank->pool = next_blank(c->blank);
    text_put(key, "The free pool: ");
    bool any = false;
    for (size_t i = 0; i < p->frame_count && p->frames_per_cell == 1; i++) {
        if (p->frames[i].use != EVENT_FRAME_FREE)
            continue;
        text_put(key, any ? ", PP" : "PP");
        text_number(key, p->frames[i].number);
        any = true;
    }
    if (!any && p->free_count) {
        text_number(key, p->free_count);
        text_put(key, " frames");
    } else if (!any) {
        text_put(key, "empty");
    }
    text_put(key, "\n");
}

static void blank_out_swap(struct chooser *c) {
    struct blank *b = c->blank;
    choose_some(c, b->slot_count, SLOTS_MOST, slot_is_full, slot_is_empty);
    if (!count_of(c, b->slot_count, slot_is_full))
        choose(c, b->slot_count, 2, slot_is_empty); /* none holds data: that too can be asked */
    for (size_t i = 0; i < b->slot_count; i++) {
        if (!c->chosen[i])
            continue;
        b->slots[i] = next_blank(b);
        text_put(&b->key, "Swap page ");
        text_number(&b->key, c->picture->first_slot + i);
        text_put(&b->key, c->picture->slots[i].written ? ": holds data\n" : ": holds no data\n");
    }
}

static void blank_out_victim(struct chooser *c) {
    const struct picture *p = c->picture;
    for (size_t i = 0; i < p->frame_count; i++) {
        if (!p->frames[i].victim)
            continue;
        c->blank->victim = next_blank(c->blank);
        text_put(&c->blank->key, "The victim: PP");
        text_number(&c->blank->key, p->frames[i].number);
        text_put(&c->blank->key, "\n");
        return;
    }
}

static void blank_out(struct chooser *c, unsigned parts) {
    if (parts & BLANK_REGISTER)
        blank_out_register(c);
    if (parts & BLANK_PTES)
        blank_out_entries(c);
    if (parts & BLANK_FRAMES)
        blank_out_frames(c);
    if (parts & BLANK_POOL)
        blank_out_pool(c);
    if (parts & BLANK_SWAP)
        blank_out_swap(c);
    if (parts & BLANK_VICTIM)
        blank_out_victim(c);
}

/* ---- making it ---- */

static int blank_allocate(struct blank *b, const struct picture *p) {
    b->process_count = p->process_count;
    b->frame_count = p->frame_count;
    b->slot_count = p->slot_count;
    b->first = calloc(p->process_count + 1, sizeof *b->first);
    if (!b->first)
        return -ENOMEM;
    for (size_t i = 0; i < p->process_count; i++) {
        b->first[i] = b->entry_count;
        b->entry_count += p->processes[i].cell_count;
    }
    b->entries = calloc(b->entry_count + 1, sizeof *b->entries);
    b->frames = calloc(b->frame_count + 1, sizeof *b->frames);
    b->slots = calloc(b->slot_count + 1, sizeof *b->slots);
    return b->entries && b->frames && b->slots ? 0 : -ENOMEM;
}

int blank_create(const struct picture *p, unsigned parts, uint64_t seed, struct blank **ret_blank) {
    struct blank *b = calloc(1, sizeof *b);
    int error = b ? blank_allocate(b, p) : -ENOMEM;
    if (error) {
        blank_destroy(b);
        return error;
    }
    struct chooser c = {.blank = b, .picture = p, .rng = {seed}};
    c.chosen =
        calloc(max_size(b->entry_count, max_size(b->frame_count, b->slot_count)) + 1, sizeof *c.chosen);
    if (c.chosen)
        blank_out(&c, parts);
    if (!c.chosen || b->key.failed) {
        free(c.chosen);
        blank_destroy(b);
        return -ENOMEM;
    }
    free(c.chosen);
    *ret_blank = b;
    return 0;
}

void blank_destroy(struct blank *b) {
    if (!b)
        return;
    free(b->first);
    free(b->entries);
    free(b->frames);
    free(b->slots);
    text_free(&b->key);
    free(b);
}

/* ---- looking ---- */

unsigned blank_count(const struct blank *b) {
    return b->count;
}

unsigned blank_entry(const struct blank *b, size_t process, size_t cell) {
    return process < b->process_count ? b->entries[b->first[process] + cell] : 0;
}

unsigned blank_frame(const struct blank *b, size_t frame) {
    return frame < b->frame_count ? b->frames[frame] : 0;
}

unsigned blank_pool(const struct blank *b) {
    return b->pool;
}

unsigned blank_slot(const struct blank *b, size_t slot) {
    return slot < b->slot_count ? b->slots[slot] : 0;
}

unsigned blank_register(const struct blank *b) {
    return b->page_table_register;
}

unsigned blank_victim(const struct blank *b) {
    return b->victim;
}

void blank_put_key(const struct blank *b, struct text *t) {
    text_bytes(t, b->key.bytes, b->key.length);
}
