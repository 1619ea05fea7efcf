/* Checkpoints of the fold. One description of the state serves both directions: a codec either appends a
 * field to the bytes or fills it from them, so that saving and loading cannot disagree.
 *
 * What follows from the rest is not saved but made again at loading: lists of mappers, counts of entries,
 * slots and frames. The bytes are in the host's order, which the file's header names. */
#include <errno.h>

#include "base/base.h"
#include "trace/fold-state.h"
#include "trace/text.h"

enum { FOLD_VERSION = 2 }; /* grows with every change of what is saved */
#define LIST_END UINT64_MAX

struct codec {
    bool loading;
    struct text out;         /* when saving */
    const uint8_t *at, *end; /* when loading: what is left */
    int error;               /* the first; nothing is done after it */
};

static void codec_fail(struct codec *c, int error) {
    if (!c->error)
        c->error = error;
}

static void codec_bytes(struct codec *c, void *field, size_t size) {
    if (!c->loading) {
        text_bytes(&c->out, field, size);
        if (c->out.failed)
            codec_fail(c, -ENOMEM);
    } else if (!c->error && size <= (size_t)(c->end - c->at)) {
        if (size)
            memcpy(field, c->at, size);
        c->at += size;
    } else {
        codec_fail(c, -EBADMSG);
    }
}

#define CODEC(c, field) codec_bytes(c, &(field), sizeof(field))

static void codec_bool(struct codec *c, bool *field) {
    uint8_t byte = *field;
    CODEC(c, byte);
    *field = byte & 1;
}

/* A value below `limit`, as enumerations must be. */
static uint32_t codec_below(struct codec *c, uint32_t value, uint32_t limit) {
    CODEC(c, value);
    if (value >= limit) {
        codec_fail(c, -EBADMSG);
        return 0;
    }
    return value;
}

/* The next number of a list: `number` when saving, what was saved when loading. False at the end. */
static bool codec_next(struct codec *c, uint64_t *number) {
    CODEC(c, *number);
    return !c->error && *number != LIST_END;
}

/* ---- maps and strings ---- */

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The keys in order, map_count() of them; NULL when there is no memory. */
static uint64_t *map_keys(const struct map *m) {
    uint64_t *keys = inject_malloc(m->inject, (map_count(m) + 1) * sizeof *keys), key, value;
    size_t cursor = 0, n = 0;
    if (!keys)
        return NULL;
    while (map_next(m, &cursor, &key, &value))
        keys[n++] = key;
    qsort(keys, n, sizeof *keys, compare_numbers);
    return keys;
}

/* Calls `each` for every key in order when saving, for every saved one when loading. */
static void codec_map(struct codec *c, struct fold *f, struct map *m,
                      void (*each)(struct codec *, struct fold *, struct map *, uint64_t key)) {
    uint64_t count = map_count(m);
    uint64_t *keys = c->loading ? NULL : map_keys(m);
    if (!c->loading && !keys) {
        codec_fail(c, -ENOMEM);
        return;
    }
    CODEC(c, count);
    for (uint64_t i = 0; i < count && !c->error; i++) {
        uint64_t key = keys ? keys[i] : 0;
        CODEC(c, key);
        each(c, f, m, key);
    }
    free(keys);
}

static void codec_map_value(struct codec *c, struct fold *f, struct map *m, uint64_t key) {
    uint64_t value = 0;
    map_get(m, key, &value);
    CODEC(c, value);
    if (c->loading && !c->error && map_put(m, key, value))
        codec_fail(c, -ENOMEM);
}

static void codec_string(struct codec *c, struct fold *f, struct map *m, uint64_t number) {
    const struct trace_text *text = strings_get(&f->strings, number);
    uint64_t length = text ? text->length : 0;
    CODEC(c, length);
    if (!c->loading) {
        text_bytes(&c->out, text->bytes, (size_t)length);
    } else if (c->error || length > (uint64_t)(c->end - c->at)) {
        codec_fail(c, -EBADMSG);
    } else {
        int error = strings_add(&f->strings, number, c->at, (size_t)length);
        c->at += length;
        if (error)
            codec_fail(c, error == -ENOMEM ? error : -EBADMSG);
    }
}

/* The string whose pieces are arriving: it is announced again, and what has arrived of it. */
static void codec_arriving(struct codec *c, struct fold *f) {
    struct trace_strings *s = &f->strings;
    uint64_t number = s->number, announced = number ? s->announced : 0;
    uint64_t length = number ? s->arriving->length : 0;
    CODEC(c, number);
    CODEC(c, announced);
    CODEC(c, length);
    if (!c->loading) {
        text_bytes(&c->out, number ? s->arriving->bytes : NULL, (size_t)length);
        return;
    }
    if (c->error || !number)
        return;
    if (length > (uint64_t)(c->end - c->at)) {
        codec_fail(c, -EBADMSG);
        return;
    }
    int error = strings_resume(s, number, announced, c->at, (size_t)length);
    if (error)
        codec_fail(c, error);
    c->at += length;
}

/* ---- the parts ---- */

static void codec_machine(struct codec *c, struct fold *f) {
    uint64_t frames = f->frame_total, reserved = f->reserved, swap_pages = f->swap_pages;
    bool started = f->started;
    CODEC(c, f->sequence);
    CODEC(c, f->instruction);
    CODEC(c, f->last_pid);
    codec_bool(c, &started);
    CODEC(c, frames);
    CODEC(c, reserved);
    CODEC(c, swap_pages);
    if (c->loading && !c->error && started) {
        if (frames > UINT32_MAX || reserved > frames || swap_pages > UINT32_MAX)
            codec_fail(c, -EBADMSG);
        else if (fold_set_geometry(f, frames, reserved, swap_pages))
            codec_fail(c, -ENOMEM);
    }
    CODEC(c, f->page_table);
    CODEC(c, f->policy);
    codec_bool(c, &f->stopped);
    codec_bool(c, &f->stopped_early);
    CODEC(c, f->exit_status);
    codec_bool(c, &f->has_table);
    CODEC(c, f->current_space);
    CODEC(c, f->running);
    CODEC(c, f->switches);
    CODEC(c, f->syscalls);
    CODEC(c, f->signals);
    CODEC(c, f->oom_kills);
    CODEC(c, f->complaints);
    CODEC(c, f->first_complaint);
}

static void codec_fault(struct codec *c, struct fold_fault *fault) {
    codec_bool(c, &fault->active);
    CODEC(c, fault->number);
    CODEC(c, fault->pid);
    CODEC(c, fault->access);
    CODEC(c, fault->space);
    CODEC(c, fault->address);
    CODEC(c, fault->found.v);
    CODEC(c, fault->now.v);
    fault->step = (enum fold_step)codec_below(c, fault->step, FOLD_STEPS);
    CODEC(c, fault->filled_frame);
    codec_bool(c, &fault->major);
    codec_bool(c, &fault->miss);
    CODEC(c, fault->result);
}

static void codec_victim(struct codec *c, struct fold_victim *victim) {
    codec_bool(c, &victim->active);
    codec_bool(c, &victim->written);
    CODEC(c, victim->frame);
    CODEC(c, victim->page);
    victim->how = (enum event_victim)codec_below(c, victim->how, EVENT_VICTIM_TO_FILE + 1);
}

static void codec_counter(struct codec *c, struct fold *f) {
    CODEC(c, f->counter.tally);
    codec_bool(c, &f->counter.refault);
    codec_bool(c, &f->counter.filled);
    f->counter.in_fault = f->fault.active;
    codec_map(c, f, &f->counter.evicted, codec_map_value);
    codec_map(c, f, &f->counter.objects, codec_map_value);
}

static void codec_process(struct codec *c, struct fold *f, struct fold_process *p) {
    CODEC(c, p->parent);
    CODEC(c, p->space);
    CODEC(c, p->path);
    CODEC(c, p->command);
    codec_bool(c, &p->ended);
    CODEC(c, p->wait_status);
    codec_bool(c, &p->in_syscall);
    CODEC(c, p->syscall);
    CODEC(c, p->syscalls);
    CODEC(c, p->tally);
}

static void codec_processes(struct codec *c, struct fold *f) {
    for (size_t i = 0;; i++) {
        struct fold_process *p = i < f->processes.count && !c->loading ? f->processes.entries[i].value : NULL;
        uint64_t pid = p ? p->pid : LIST_END;
        if (!codec_next(c, &pid))
            return;
        if (c->loading) {
            if (pid > UINT32_MAX || sorted_get(&f->processes, pid))
                return codec_fail(c, -EBADMSG);
            p = fold_add_process(f, (uint32_t)pid);
            if (!p)
                return codec_fail(c, -ENOMEM);
        }
        codec_process(c, f, p);
    }
}

static void codec_objects(struct codec *c, struct fold *f) {
    for (size_t i = 0;; i++) {
        struct fold_object *o = i < f->objects.count && !c->loading ? f->objects.entries[i].value : NULL;
        uint64_t number = o ? o->number : LIST_END;
        if (!codec_next(c, &number))
            return;
        if (c->loading) {
            if (sorted_get(&f->objects, number))
                return codec_fail(c, -EBADMSG);
            o = fold_add_object(f, number);
            if (!o)
                return codec_fail(c, -ENOMEM);
        }
        CODEC(c, o->generation);
        CODEC(c, o->path);
        CODEC(c, o->pages);
    }
}

/* ---- frames and slots: those that are not as in the beginning ---- */

static void codec_frames(struct codec *c, struct fold *f) {
    for (uint64_t n = 0;; n++) {
        while (!c->loading && n < f->frame_total && fold_frame_is_pristine(f, n))
            n = sparse_get(&f->frames, n) ? n + 1 : (n / SPARSE_CHUNK + 1) * SPARSE_CHUNK;
        uint64_t number = c->loading || n >= f->frame_total ? LIST_END : n;
        if (!codec_next(c, &number))
            return;
        struct fold_frame frame = fold_frame(f, (uint32_t)number);
        enum event_frame use = (enum event_frame)codec_below(c, frame.use, EVENT_FRAME_KINDS);
        CODEC(c, frame.page);
        CODEC(c, frame.since);
        if (!c->loading || c->error)
            continue;
        if (number >= f->frame_total)
            codec_fail(c, -EBADMSG);
        else if (fold_set_frame(f, number, use, frame.page, frame.since))
            codec_fail(c, -ENOMEM);
    }
}

static void codec_slots(struct codec *c, struct fold *f) {
    for (uint64_t n = 0;; n++) {
        while (!c->loading && n < f->swap_pages && !fold_slot(f, (uint32_t)n).used)
            n = sparse_get(&f->slots, n) ? n + 1 : (n / SPARSE_CHUNK + 1) * SPARSE_CHUNK;
        uint64_t number = c->loading || n >= f->swap_pages ? LIST_END : n;
        if (!codec_next(c, &number))
            return;
        struct fold_slot slot = fold_slot(f, (uint32_t)number);
        slot.used = true;
        codec_bool(c, &slot.written);
        CODEC(c, slot.page);
        if (!c->loading || c->error)
            continue;
        if (number >= f->swap_pages)
            codec_fail(c, -EBADMSG);
        else if (fold_set_slot(f, number, slot))
            codec_fail(c, -ENOMEM);
    }
}

/* ---- what people want to see ---- */

static void codec_labels(struct codec *c, struct fold *f) {
    uint64_t count = f->label_count;
    CODEC(c, count);
    for (uint64_t i = 0; i < count && !c->error; i++) {
        struct fold_label label = {0};
        if (!c->loading)
            label = f->labels[i];
        label.what = (enum event_label)codec_below(c, label.what, EVENT_LABELS);
        CODEC(c, label.args);
        if (c->loading && !c->error && fold_add_label(f, &label))
            codec_fail(c, -ENOMEM);
    }
}

/* The next element at or after n whose bytes are known, or LIST_END. */
static uint64_t next_content(const struct sparse *contents, uint64_t n) {
    for (uint8_t *const *bytes; n < contents->limit;
         n = bytes ? n + 1 : (n / SPARSE_CHUNK + 1) * SPARSE_CHUNK) {
        bytes = sparse_get(contents, n);
        if (bytes && *bytes)
            return n;
    }
    return LIST_END;
}

static void codec_contents(struct codec *c, struct fold *f, struct sparse *contents) {
    for (uint64_t n = 0;; n++) {
        uint8_t bytes[PAGE_SIZE];
        n = c->loading ? LIST_END : next_content(contents, n);
        if (!codec_next(c, &n))
            return;
        if (!c->loading)
            memcpy(bytes, *(uint8_t **)sparse_get(contents, n), sizeof bytes);
        CODEC(c, bytes);
        if (!c->loading || c->error)
            continue;
        if (n >= contents->limit || (contents == &f->slot_contents && !fold_slot(f, (uint32_t)n).used))
            codec_fail(c, -EBADMSG);
        else if (fold_load_content(f, contents, n, bytes))
            codec_fail(c, -ENOMEM);
    }
}

static void codec_output(struct codec *c, struct fold *f) {
    size_t length;
    const char *kept = fold_output(f, &length);
    uint64_t total = f->output_total, saved = length;
    CODEC(c, total);
    CODEC(c, saved);
    CODEC(c, f->output_string);
    if (!c->loading) {
        text_bytes(&c->out, kept, length);
    } else if (c->error || saved != min_u64(total, FOLD_OUTPUT) || saved > (uint64_t)(c->end - c->at)) {
        codec_fail(c, -EBADMSG);
    } else {
        if (saved && fold_add_output(f, (const char *)c->at, saved))
            codec_fail(c, -ENOMEM);
        f->output_total = total;
        c->at += saved;
    }
}

/* ---- spaces ---- */

static void codec_mappings(struct codec *c, struct fold *f, struct fold_space *s) {
    uint64_t count = s->mapping_count;
    CODEC(c, count);
    for (uint64_t i = 0; i < count && !c->error; i++) {
        struct fold_mapping m = {0};
        if (!c->loading)
            m = s->mappings[i];
        CODEC(c, m.first);
        CODEC(c, m.pages);
        CODEC(c, m.object);
        CODEC(c, m.object_page);
        CODEC(c, m.flags);
        if (!c->loading || c->error)
            continue;
        if (!m.pages || m.first > FOLD_VPN_LIMIT || m.pages > FOLD_VPN_LIMIT - m.first ||
            (!m.object && m.object_page))
            codec_fail(c, -EBADMSG);
        else if (fold_map(f, s, &m))
            codec_fail(c, -ENOMEM);
    }
}

static void codec_entries(struct codec *c, struct fold *f, struct fold_space *s) {
    pte_t entry = {0};
    for (vpn_t vpn = {0};; vpn.n++) {
        uint64_t number = !c->loading && fold_next_entry(s, &vpn, &entry) ? vpn.n : LIST_END;
        if (!codec_next(c, &number))
            return;
        CODEC(c, entry.v);
        if (!c->loading || c->error)
            continue;
        uint64_t complaints = f->complaints;
        if (number >= FOLD_VPN_LIMIT)
            codec_fail(c, -EBADMSG);
        else if (fold_set_entry(f, s, number, entry))
            codec_fail(c, -ENOMEM);
        else if (f->complaints != complaints)
            codec_fail(c, -EBADMSG);
    }
}

static void codec_spaces(struct codec *c, struct fold *f) {
    for (size_t i = 0;; i++) {
        struct fold_space *s = i < f->spaces.count && !c->loading ? f->spaces.entries[i].value : NULL;
        uint64_t number = s ? s->number : LIST_END;
        if (!codec_next(c, &number))
            return;
        if (c->loading) {
            if (number >= FOLD_SPACE_LIMIT || sorted_get(&f->spaces, number))
                return codec_fail(c, -EBADMSG);
            s = fold_add_space(f, number);
            if (!s)
                return codec_fail(c, -ENOMEM);
        }
        CODEC(c, s->copied_from);
        CODEC(c, s->owner);
        codec_mappings(c, f, s);
        codec_entries(c, f, s);
    }
}

/* ---- the whole ---- */

static void codec_fold(struct codec *c, struct fold *f) {
    uint32_t version = FOLD_VERSION;
    CODEC(c, version);
    if (version != FOLD_VERSION)
        codec_fail(c, -EPROTO);
    codec_machine(c, f);
    codec_fault(c, &f->fault);
    codec_victim(c, &f->victim);
    codec_counter(c, f);
    codec_map(c, f, &f->strings.whole, codec_string);
    codec_arriving(c, f);
    codec_processes(c, f);
    codec_objects(c, f);
    codec_frames(c, f);
    codec_slots(c, f);
    codec_spaces(c, f);
    codec_labels(c, f);
    codec_contents(c, f, &f->contents);
    codec_contents(c, f, &f->slot_contents);
    codec_output(c, f);
}

int fold_save(const struct fold *f, void **ret_bytes, size_t *ret_size) {
    struct codec c = {.out.inject = f->inject};
    codec_fold(&c, (struct fold *)f); /* changes nothing when it saves */
    if (c.error || c.out.failed) {
        text_free(&c.out);
        return -ENOMEM;
    }
    *ret_bytes = c.out.bytes;
    *ret_size = c.out.length;
    return 0;
}

int fold_load(const void *bytes, size_t size, struct inject *inject, struct fold **ret_fold) {
    struct codec c = {.loading = true, .at = bytes, .end = (const uint8_t *)bytes + size};
    struct fold *f = fold_create(inject);
    if (!f)
        return -ENOMEM;
    codec_fold(&c, f);
    if (!c.error && c.at != c.end)
        c.error = -EBADMSG;
    if (c.error) {
        fold_destroy(f);
        return c.error;
    }
    *ret_fold = f;
    return 0;
}
