/* Details of a thing in a picture, as JSON: see details.h. What is not known is null or left out: the page
 * shows what it finds. */
#include "page/details.h"

#include <stdlib.h>

#include "base/base.h"
#include "page/fields.h"
#include "trace/schema.h"

enum { MAPPERS_MOST = 32 };

static const char *entry_kind_name(enum pte_kind kind) {
    switch (kind) {
    case PTE_EMPTY: return "empty";
    case PTE_PRESENT: return "present";
    case PTE_SWAPPED: return "swapped";
    }
    return "?";
}

static void put_access(struct text *t, unsigned access) {
    const char text[] = {access & ACCESS_READ ? 'r' : '-', access & ACCESS_WRITE ? 'w' : '-',
                         access & ACCESS_EXEC ? 'x' : '-'};
    field_bytes(t, "access", text, sizeof text);
}

static void put_string(struct text *t, const char *name, const struct fold *fold, uint64_t number) {
    const struct trace_text *string = fold_string(fold, number);
    field_name(t, name);
    if (string)
        text_string(t, string->bytes, string->length);
    else
        text_put(t, "null");
}

/* A file's path, or what pictures call it. */
static void put_path(struct text *t, const char *name, const struct fold *fold, uint64_t path) {
    const struct trace_text *real = fold_string(fold, path);
    for (size_t i = 0; i < fold->label_count && real; i++) {
        const struct fold_label *label = &fold->labels[i];
        const struct trace_text *labelled = fold_string(fold, label->args[0]);
        if (label->what == EVENT_LABEL_FILE && labelled && labelled->length == real->length &&
            !memcmp(labelled->bytes, real->bytes, real->length)) {
            put_string(t, name, fold, label->args[1]);
            return;
        }
    }
    put_string(t, name, fold, path);
}

/* The number by which pictures call the page, where a label gives one. */
static void put_cell(struct text *t, const struct fold *fold, uint32_t pid, uint64_t vpn) {
    for (size_t i = 0; i < fold->label_count; i++) {
        const struct fold_label *label = &fold->labels[i];
        if (label->what == EVENT_LABEL_VPN && label->args[0] == pid && label->args[1] == vpn)
            field_number(t, "cell", label->args[2]);
    }
}

static void put_content(struct text *t, const uint8_t *bytes) {
    field_name(t, "content");
    if (bytes)
        text_hex_bytes(t, bytes, PAGE_SIZE);
    else
        text_put(t, "null");
}

/* Which page of which file, if the object is still known. */
static void put_file(struct text *t, const struct fold *fold, uint64_t object, uint64_t page) {
    const struct fold_object *o = fold_object(fold, object);
    field_number(t, "object", object);
    field_number(t, "file_page", page);
    if (o)
        put_path(t, "file", fold, o->path);
}

static const struct fold_object *object_of_page(const struct fold *fold, uint64_t page_id) {
    uint64_t generation = page_id >> 36 & 0x7ffffff;
    for (size_t i = 0; i < fold->objects.count; i++) {
        const struct fold_object *object = fold->objects.entries[i].value;
        if ((object->generation & 0x7ffffff) == generation)
            return object;
    }
    return NULL;
}

/* What the page with this identity is. */
static void put_identity(struct text *t, const struct fold *fold, uint64_t page_id) {
    if (!page_id)
        return;
    field_hex(t, "page_id", page_id);
    const struct fold_object *object =
        page_id_is_object((page_id_t){page_id}) ? object_of_page(fold, page_id) : NULL;
    if (object)
        put_file(t, fold, object->number, page_id & 0xfffffffffULL);
    field_bool(t, "anonymous", !page_id_is_object((page_id_t){page_id}));
}

/* ---- a virtual page ---- */

static void put_mapping(struct text *t, const struct fold *fold, const struct fold_mapping *m, uint64_t vpn) {
    field_name(t, "mapping");
    text_put(t, "{");
    field_hex(t, "from", m->first << PAGE_SHIFT);
    field_hex(t, "to", (m->first + m->pages) << PAGE_SHIFT);
    put_access(t, m->flags & EVENT_MAP_ACCESS);
    field_bool(t, "shared", m->flags & EVENT_MAP_SHARED);
    field_bool(t, "stack", m->flags & EVENT_MAP_STACK);
    field_bool(t, "heap", m->flags & EVENT_MAP_HEAP);
    if (m->object)
        put_file(t, fold, m->object, m->object_page + (vpn - m->first));
    text_put(t, "}");
}

static void put_entry(struct text *t, pte_t entry) {
    field_name(t, "entry");
    text_put(t, "{");
    field_text(t, "kind", entry_kind_name(pte_kind(entry)));
    field_hex(t, "value", entry.v);
    put_access(t, pte_access(entry));
    field_bool(t, "user", pte_has(entry, PTE_USER));
    field_bool(t, "referenced", pte_has(entry, PTE_REFERENCED));
    field_bool(t, "dirty", pte_has(entry, PTE_DIRTY));
    field_bool(t, "copy_on_write", pte_has(entry, PTE_COW));
    field_bool(t, "lazy", pte_has(entry, PTE_LAZY));
    if (pte_is_present(entry))
        field_number(t, "frame", pte_pfn(entry).n);
    if (pte_is_swapped(entry))
        field_number(t, "slot", pte_slot(entry).n);
    text_put(t, "}");
}

static void put_virtual_page(struct text *t, const struct fold *fold, uint32_t pid, vpn_t vpn) {
    const struct fold_process *process = fold_process(fold, pid);
    const struct fold_space *space = process ? fold_space(fold, process->space) : NULL;
    if (!space) {
        text_put(t, "null");
        return;
    }
    text_put(t, "{");
    field_text(t, "what", "page");
    field_number(t, "pid", pid);
    put_path(t, "path", fold, process->path);
    field_hex(t, "vpn", vpn.n);
    put_cell(t, fold, pid, vpn.n);
    field_hex(t, "address", vpn_address(vpn));
    const struct fold_fault *fault = &fold->fault;
    if (fault->number && fault->space == space->number && vpn_of(fault->address).n == vpn.n)
        field_hex(t, "fault_address", fault->address);
    const struct fold_mapping *mapping = fold_mapping(space, vpn);
    if (mapping)
        put_mapping(t, fold, mapping, vpn.n);
    pte_t entry = fold_entry(space, vpn);
    put_entry(t, entry);
    if (pte_is_present(entry))
        put_content(t, fold_content(fold, pte_pfn(entry).n));
    text_put(t, "}");
}

/* ---- a frame ---- */

static void put_mappers(struct text *t, const struct fold *fold, const struct fold_frame *frame) {
    field_number(t, "mapper_count", frame->mapper_count);
    field_name(t, "mappers");
    text_put(t, "[");
    for (size_t i = 0; i < min_size(frame->mapper_count, MAPPERS_MOST); i++) {
        const struct fold_space *space = fold_space(fold, fold_mapper_space(frame->mappers[i]));
        vpn_t vpn = fold_mapper_vpn(frame->mappers[i]);
        if (!space)
            continue;
        element(t);
        text_put(t, "{");
        field_number(t, "pid", space->owner);
        field_hex(t, "vpn", vpn.n);
        put_cell(t, fold, space->owner, vpn.n);
        put_access(t, pte_access(fold_entry(space, vpn)));
        text_put(t, "}");
    }
    text_put(t, "]");
}

static void put_frame(struct text *t, const struct fold *fold, uint64_t number) {
    if (number >= fold->frame_total) {
        text_put(t, "null");
        return;
    }
    struct fold_frame frame = fold_frame(fold, (uint32_t)number);
    text_put(t, "{");
    field_text(t, "what", "frame");
    field_number(t, "frame", number);
    field_text(t, "use", event_frame_name(frame.use));
    field_number(t, "since", frame.since);
    field_bool(t, "victim", fold->victim.active && fold->victim.frame == number);
    put_identity(t, fold, frame.page);
    put_mappers(t, fold, &frame);
    put_content(t, fold_content(fold, (uint32_t)number));
    text_put(t, "}");
}

/* ---- pages on the disk ---- */

/* The frame that holds the page with this identity; UINT32_MAX: none. */
static uint32_t frame_of_page(const struct fold *fold, uint64_t page_id) {
    for (uint64_t n = 0; n < fold->frames.limit; n++) {
        const struct fold_frame *frame = sparse_get(&fold->frames, n);
        if (!frame)
            n |= SPARSE_CHUNK - 1; /* nothing of this chunk was ever used */
        else if (frame->page == page_id &&
                 (frame->use == EVENT_FRAME_CACHE || frame->use == EVENT_FRAME_ANONYMOUS))
            return (uint32_t)n;
    }
    return UINT32_MAX;
}

/* False: it is in no frame. */
static bool put_frame_of_page(struct text *t, const struct fold *fold, uint64_t page_id) {
    uint32_t number = frame_of_page(fold, page_id);
    if (number == UINT32_MAX)
        return false;
    struct fold_frame frame = fold_frame(fold, number);
    field_number(t, "frame", number);
    put_mappers(t, fold, &frame);
    put_content(t, fold_content(fold, number));
    return true;
}

static void put_file_page(struct text *t, const struct fold *fold, uint64_t number, uint64_t page) {
    const struct fold_object *object = fold_object(fold, number);
    if (!object) {
        text_put(t, "null");
        return;
    }
    text_put(t, "{");
    field_text(t, "what", "file page");
    put_file(t, fold, number, page);
    field_number(t, "file_pages", object->pages);
    field_hex(t, "offset", page << PAGE_SHIFT);
    put_frame_of_page(t, fold, page_id_of_object((uint32_t)object->generation, page).n);
    text_put(t, "}");
}

static void put_slot(struct text *t, const struct fold *fold, uint64_t number) {
    if (number >= fold->swap_pages) {
        text_put(t, "null");
        return;
    }
    struct fold_slot slot = fold_slot(fold, (uint32_t)number);
    text_put(t, "{");
    field_text(t, "what", "swap page");
    field_number(t, "slot", number);
    field_bool(t, "used", slot.used);
    field_bool(t, "written", slot.written);
    if (slot.used) {
        put_identity(t, fold, slot.page);
        if (!put_frame_of_page(t, fold, slot.page) && slot.written)
            put_content(t, fold_slot_content(fold, (uint32_t)number));
    }
    text_put(t, "}");
}

/* ---- a process ---- */

static void put_tally(struct text *t, const struct tally *tally) {
    field_name(t, "faults");
    text_put(t, "{");
    for (unsigned i = 0; i < EVENT_FAULT_KINDS; i++)
        field_number(t, event_fault_name(i), tally->faults[i]);
    text_put(t, "}");
    field_number(t, "misses", tally->misses);
    field_number(t, "refaults", tally->refaults);
    field_number(t, "swap_in", tally->swap_in);
    field_number(t, "swap_out", tally->swap_out);
}

static void put_process(struct text *t, const struct fold *fold, uint32_t pid) {
    const struct fold_process *process = fold_process(fold, pid);
    if (!process) {
        text_put(t, "null");
        return;
    }
    text_put(t, "{");
    field_text(t, "what", "process");
    field_number(t, "pid", pid);
    field_number(t, "parent", process->parent);
    put_path(t, "path", fold, process->path);
    const struct trace_text *command = fold_string(fold, process->command);
    if (command) {
        field_name(t, "command");
        text_strings(t, command->bytes, command->length);
    }
    field_bool(t, "ended", process->ended);
    if (process->ended)
        field_number(t, "wait_status", process->wait_status);
    field_number(t, "syscalls", process->syscalls);
    const struct fold_space *space = fold_space(fold, process->space);
    if (space) {
        field_number(t, "present", space->present);
        field_number(t, "swapped", space->swapped);
        field_number(t, "mappings", space->mapping_count);
    }
    put_tally(t, &process->tally);
    text_put(t, "}");
}

/* ---- the machine ---- */

static void put_machine(struct text *t, const struct fold *fold) {
    text_put(t, "{");
    field_text(t, "what", "machine");
    field_number(t, "frames", fold->frame_total);
    for (unsigned use = 0; use < EVENT_FRAME_KINDS; use++)
        field_number(t, event_frame_name(use), fold->frames_by_use[use]);
    field_number(t, "swap_pages", fold->swap_pages);
    field_number(t, "slots_used", fold->slots_used);
    put_string(t, "policy", fold, fold->policy);
    put_string(t, "page_table_format", fold, fold->page_table);
    field_number(t, "switches", fold->switches);
    field_number(t, "syscalls", fold->syscalls);
    field_number(t, "instructions", fold->instruction);
    put_tally(t, &fold->counter.tally);
    field_number(t, "evicted_clean", fold->counter.tally.evictions[EVENT_VICTIM_CLEAN]);
    field_number(t, "evicted_dirty",
                 fold->counter.tally.evictions[EVENT_VICTIM_TO_SWAP] +
                     fold->counter.tally.evictions[EVENT_VICTIM_TO_FILE]);
    text_put(t, "}");
}

void details_put_json(const struct fold *fold, const char *token, struct text *t) {
    char *end = NULL;
    uint64_t first = *token ? strtoull(token + 1, &end, 10) : 0;
    bool pair = end && *end == ':';
    if (*token == 'v' && pair)
        put_virtual_page(t, fold, (uint32_t)first, (vpn_t){strtoull(end + 1, NULL, 16) & 0xfffffffffULL});
    else if (*token == 'o' && pair)
        put_file_page(t, fold, first, strtoull(end + 1, NULL, 10));
    else if (*token == 'f')
        put_frame(t, fold, first);
    else if (*token == 's')
        put_slot(t, fold, first);
    else if (*token == 'm')
        put_machine(t, fold);
    else if (*token == 'p')
        put_process(t, fold, (uint32_t)first);
    else
        text_put(t, "null");
}
