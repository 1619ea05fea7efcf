/* A picture as JSON: docs/PICTURES.md describes it. Keys always come in the same order, every key is always
 * there. What an exercise leaves blank is null, with the number of the blank beside it. */
#include <string.h>

#include "base/base.h"
#include "view/draw.h"

struct json {
    const struct picture *picture;
    const struct blank *blank; /* NULL: nothing is blank */
    struct text *text;
};

/* ---- pieces ---- */

static void put_key(struct json *j, const char *separator, const char *key) {
    text_put(j->text, separator);
    text_put(j->text, "\"");
    text_put(j->text, key);
    text_put(j->text, "\":");
}

static void put_string(struct json *j, const char *key, const char *value) {
    put_key(j, ",", key);
    text_string(j->text, value, strlen(value));
}

static void put_number(struct json *j, const char *key, uint64_t value) {
    put_key(j, ",", key);
    text_number(j->text, value);
}

static void put_bool(struct json *j, const char *key, bool value) {
    put_key(j, ",", key);
    text_bool(j->text, value);
}

/* What a step changed gives answers of an exercise away. */
static void put_mark(struct json *j, const char *key, bool value) {
    put_bool(j, key, value && !j->blank);
}

static void put_null(struct json *j, const char *key) {
    put_key(j, ",", key);
    text_put(j->text, "null");
}

static void put_access(struct json *j, const char *key, unsigned access) {
    char letters[4];
    picture_access_text(access, letters);
    put_string(j, key, letters);
}

/* Numbers of blanks count from 1. */
static void put_blank(struct json *j, unsigned blank) {
    if (blank)
        put_number(j, "blank", blank);
    else
        put_null(j, "blank");
}

static void put_file_place(struct json *j, const struct picture_disk *disk) {
    text_put(j->text, "{\"source\":\"file\"");
    if (disk->file < j->picture->file_count) {
        put_number(j, "file", disk->file);
        put_string(j, "name", j->picture->files[disk->file].name);
    } else {
        put_null(j, "file");
        put_null(j, "name");
    }
    put_number(j, "page", disk->page);
    text_put(j->text, "}");
}

static void put_swap_place(struct json *j, const struct picture_disk *disk) {
    text_put(j->text, "{\"source\":\"swap\"");
    if (disk->has_page)
        put_number(j, "slot", disk->page);
    else
        put_null(j, "slot");
    text_put(j->text, "}");
}

static void put_disk(struct json *j, const struct picture_disk *disk) {
    put_key(j, ",", "disk");
    switch (disk->source) {
    case SOURCE_FILE: put_file_place(j, disk); return;
    case SOURCE_ANONYMOUS: put_swap_place(j, disk); return;
    case SOURCE_NONE:
    case SOURCE_TABLE:
    case SOURCE_OS: text_put(j->text, "null");
    }
}

/* ---- processes ---- */

static void put_vpn(struct json *j, const struct picture_cell *c) {
    put_key(j, ",", "vpn");
    if (c->pages)
        text_hex(j->text, c->first.n);
    else
        text_put(j->text, "null");
    put_number(j, "pages", c->pages);
}

static void put_arrow(struct json *j, const struct picture_cell *c) {
    const bool single = c->pages == 1 && pte_is_present(c->entry);
    put_string(j, "arrow", single ? "frame" : c->points_at_disk ? "disk" : "none");
    if (single)
        put_number(j, "frame", pte_pfn(c->entry).n);
    else
        put_null(j, "frame");
}

static void put_blank_entry(struct json *j) {
    static const char *const keys[] = {"access", "allowed", "copy_on_write", "arrow", "frame", "disk"};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        put_null(j, keys[i]);
}

/* What the entry says. */
static void put_entry(struct json *j, const struct picture_cell *c) {
    put_access(j, "access", c->shows_access ? c->access : 0);
    put_access(j, "allowed", c->pages == 1 && pte_is_present(c->entry) ? pte_access(c->entry) : 0);
    put_bool(j, "copy_on_write", c->copy_on_write);
    put_arrow(j, c);
    put_disk(j, &c->disk);
}

static void put_cell(struct json *j, size_t process, size_t index) {
    const struct picture_cell *c = &j->picture->processes[process].cells[index];
    unsigned blank = j->blank ? blank_entry(j->blank, process, index) : 0;
    put_key(j, index ? ",\n   {" : "\n   {", "number");
    text_number(j->text, c->number);
    put_vpn(j, c);
    put_bool(j, "mapped", c->mapped);
    put_bool(j, "touched", c->touched);
    put_access(j, "mapping", c->access);
    put_bool(j, "shared", c->shared);
    if (blank)
        put_blank_entry(j);
    else
        put_entry(j, c);
    put_number(j, "present", c->present);
    put_number(j, "swapped", c->swapped);
    put_mark(j, "faulting", c->faulting);
    put_mark(j, "changed", c->changed);
    put_blank(j, blank);
    text_put(j->text, "}");
}

static void put_process(struct json *j, size_t index) {
    const struct picture_process *p = &j->picture->processes[index];
    put_key(j, index ? ",\n  {" : "\n  {", "pid");
    text_number(j->text, p->pid);
    put_string(j, "name", p->name);
    put_number(j, "space", p->space);
    put_bool(j, "current", p->current && !(j->blank && blank_register(j->blank)));
    put_bool(j, "running", p->running);
    put_bool(j, "ended", p->ended);
    put_mark(j, "changed", p->changed);
    put_number(j, "hidden_cells", p->hidden_cells);
    put_key(j, ",\n  ", "table");
    text_put(j->text, "[");
    for (size_t i = 0; i < p->cell_count; i++)
        put_cell(j, index, i);
    text_put(j->text, "]}");
}

/* ---- memory ---- */

static const char *use_name(enum event_frame use) {
    switch (use) {
    case EVENT_FRAME_FREE: return "free";
    case EVENT_FRAME_RESERVED: return "reserved";
    case EVENT_FRAME_TABLE: return "page table";
    case EVENT_FRAME_ANONYMOUS: return "anonymous";
    case EVENT_FRAME_CACHE: return "file";
    case EVENT_FRAME_KINDS: break;
    }
    return "unknown";
}

/* Whether a frame's content is left out: by a blank of its own, or because the free pool is asked for. */
static bool is_left_out(const struct json *j, const struct picture_frame *f, size_t index) {
    if (!j->blank || f->use == EVENT_FRAME_RESERVED)
        return false;
    return blank_frame(j->blank, index) || (blank_pool(j->blank) && f->use == EVENT_FRAME_FREE);
}

static void put_frame_content(struct json *j, const struct picture_frame *f) {
    put_string(j, "use", use_name(f->use));
    put_disk(j, &f->disk);
    put_number(j, "mappers", f->mappers);
    put_number(j, "owner", f->owner);
}

static void put_frame(struct json *j, size_t index) {
    const struct picture_frame *f = &j->picture->frames[index];
    put_key(j, index ? ",\n  {" : "\n  {", "number");
    text_number(j->text, f->number);
    if (is_left_out(j, f, index)) {
        put_null(j, "use");
        put_null(j, "disk");
        put_null(j, "mappers");
        put_null(j, "owner");
    } else {
        put_frame_content(j, f);
    }
    put_bool(j, "referenced", f->referenced);
    put_bool(j, "dirty", f->dirty);
    if (j->blank && blank_victim(j->blank))
        put_null(j, "victim");
    else
        put_mark(j, "victim", f->victim);
    put_number(j, "since", f->since);
    put_mark(j, "changed", f->changed);
    put_blank(j, j->blank ? blank_frame(j->blank, index) : 0);
    text_put(j->text, "}");
}

static void put_numbers_of(struct json *j, const char *key, enum event_frame use) {
    size_t count = 0;
    put_key(j, ",\n ", key);
    text_put(j->text, "[");
    for (size_t i = 0; i < j->picture->frame_count; i++) {
        if (j->picture->frames[i].use != use)
            continue;
        text_put(j->text, count++ ? "," : "");
        text_number(j->text, j->picture->frames[i].number);
    }
    text_put(j->text, "]");
}

static void put_memory(struct json *j) {
    const struct picture *p = j->picture;
    put_key(j, ",\n ", "memory");
    text_put(j->text, "{\"frames\":");
    text_number(j->text, p->frame_total);
    put_number(j, "frames_per_cell", p->frames_per_cell);
    put_number(j, "reserved", p->reserved_count);
    put_number(j, "page_tables", p->table_count);
    if (j->blank && blank_pool(j->blank))
        put_null(j, "free");
    else
        put_number(j, "free", p->free_count);
    text_put(j->text, "}");
    put_key(j, ",\n ", "frames");
    text_put(j->text, "[");
    for (size_t i = 0; i < p->frame_count; i++)
        put_frame(j, i);
    text_put(j->text, "]");
    put_numbers_of(j, "reserved", EVENT_FRAME_RESERVED);
    if (j->blank && blank_pool(j->blank))
        put_null(j, "free");
    else
        put_numbers_of(j, "free", EVENT_FRAME_FREE);
}

/* ---- the disk ---- */

static void put_file(struct json *j, size_t index) {
    const struct picture_file *f = &j->picture->files[index];
    put_key(j, index ? ",\n  {" : "\n  {", "name");
    text_string(j->text, f->name, strlen(f->name));
    put_string(j, "initial", (char[]){f->initial, 0});
    put_number(j, "colour", f->colour);
    put_number(j, "object", f->object);
    put_number(j, "pages", f->pages);
    put_number(j, "first", f->first);
    put_number(j, "shown", f->shown);
    put_mark(j, "changed", f->changed);
    if (f->page_changed && !j->blank)
        put_number(j, "changed_page", f->changed_page);
    else
        put_null(j, "changed_page");
    text_put(j->text, "}");
}

static void put_slot(struct json *j, size_t index) {
    const struct picture_slot *slot = &j->picture->slots[index];
    unsigned blank = j->blank ? blank_slot(j->blank, index) : 0;
    put_key(j, index ? ",\n   {" : "\n   {", "number");
    text_number(j->text, j->picture->first_slot + index);
    if (blank) {
        put_null(j, "used");
        put_null(j, "written");
    } else {
        put_bool(j, "used", slot->used);
        put_bool(j, "written", slot->written);
    }
    put_mark(j, "changed", slot->changed);
    put_blank(j, blank);
    text_put(j->text, "}");
}

static void put_on_disk(struct json *j) {
    const struct picture *p = j->picture;
    put_key(j, ",\n ", "files");
    text_put(j->text, "[");
    for (size_t i = 0; i < p->file_count; i++)
        put_file(j, i);
    text_put(j->text, "]");
    put_number(j, "hidden_files", p->hidden_files);
    put_key(j, ",\n ", "swap");
    text_put(j->text, "{\"pages\":");
    text_number(j->text, p->swap_pages);
    put_number(j, "used", p->slots_used);
    put_number(j, "first", p->first_slot);
    put_key(j, ",", "slots");
    text_put(j->text, "[");
    for (size_t i = 0; i < p->slot_count; i++)
        put_slot(j, i);
    text_put(j->text, "]}");
}

/* ---- the whole ---- */

static void put_register(struct json *j) {
    const struct picture *p = j->picture;
    unsigned blank = j->blank ? blank_register(j->blank) : 0;
    put_key(j, ",\n ", "register");
    if (!p->has_register || blank) {
        text_put(j->text, "null");
    } else {
        text_put(j->text, "{\"pid\":");
        text_number(j->text, p->processes[p->register_process].pid);
        put_number(j, "space", p->processes[p->register_process].space);
        put_mark(j, "changed", p->register_changed);
        text_put(j->text, "}");
    }
    put_key(j, ",", "register_blank");
    if (blank)
        text_number(j->text, blank);
    else
        text_put(j->text, "null");
}

void draw_json(const struct picture *p, const struct draw_options *options, struct text *text) {
    struct json j = {.picture = p, .blank = options ? options->blank : NULL, .text = text};
    put_key(&j, "{", "kind");
    text_string(text, picture_kind_name(p->kind), strlen(picture_kind_name(p->kind)));
    put_number(&j, "sequence", p->sequence);
    put_number(&j, "instruction", p->instruction);
    put_string(&j, "narration", j.blank ? "" : p->narration);
    put_register(&j);
    put_key(&j, ",\n ", "processes");
    text_put(text, "[");
    for (size_t i = 0; i < p->process_count; i++)
        put_process(&j, i);
    text_put(text, "]");
    put_number(&j, "hidden_processes", p->hidden_processes);
    put_memory(&j);
    put_on_disk(&j);
    text_put(text, "}\n");
}
