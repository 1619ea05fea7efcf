/* An event as a JSON object, by the table of trace/schema.h. */
#include <string.h>

#include "base/base.h"
#include "hw/pte.h" /* values only */
#include "trace/jsonl.h"
#include "trace/schema.h"

enum { LINE_BYTES = 32 }; /* that an EVENT_CONTENT says */

static void put_name(struct text *t, const char *name) {
    text_put(t, ",\"");
    text_put(t, name);
    text_put(t, "\":");
}

static void put_flag(struct text *t, const char *name, bool value) {
    put_name(t, name);
    text_bool(t, value);
}

static void put_access(struct text *t, unsigned access) {
    text_bytes(t,
               (char[]){'"', access & ACCESS_READ ? 'r' : '-', access & ACCESS_WRITE ? 'w' : '-',
                        access & ACCESS_EXEC ? 'x' : '-', '"'},
               5);
}

static void put_pte(struct text *t, pte_t pte) {
    bool present = pte_is_present(pte);
    if (!present && !pte_is_swapped(pte)) {
        text_put(t, "{\"kind\":\"empty\"}");
        return;
    }
    text_put(t, present ? "{\"kind\":\"present\",\"frame\":" : "{\"kind\":\"swapped\",\"slot\":");
    text_number(t, pte.v >> PTE_NUMBER_SHIFT);
    text_put(t, ",\"access\":");
    put_access(t, pte_access(pte));
    if (present) {
        put_flag(t, "referenced", pte_has(pte, PTE_REFERENCED));
        put_flag(t, "dirty", pte_has(pte, PTE_DIRTY));
        put_flag(t, "lazy", pte_has(pte, PTE_LAZY));
    }
    put_flag(t, "cow", pte_has(pte, PTE_COW));
    text_put(t, "}");
}

/* "anon:12" is the twelfth anonymous page; "object:4:17" page 17 of the object of generation 4. */
static void put_page_id(struct text *t, page_id_t id) {
    if (!page_id_is_object(id)) {
        text_put(t, "\"anon:");
        text_number(t, id.n);
    } else {
        text_put(t, "\"object:");
        text_number(t, id.n >> 36 & 0x7ffffff);
        text_put(t, ":");
        text_number(t, id.n & 0xfffffffffULL);
    }
    text_put(t, "\"");
}

/* What is not UTF-8 is given once more in hexadecimal, as NAME_hex. */
static void put_string(struct text *t, const struct event_field *field, const struct trace_text *string) {
    bool whole;
    if (!string) {
        text_put(t, "null");
        return;
    }
    if (field->type == FIELD_ARGUMENTS)
        whole = text_strings(t, string->bytes, string->length);
    else
        whole = text_string(t, string->bytes, string->length);
    if (whole)
        return;
    text_put(t, ",\"");
    text_put(t, field->name);
    text_put(t, "_hex\":");
    text_hex_bytes(t, string->bytes, string->length);
}

static void put_map_flags(struct text *t, unsigned flags) {
    put_access(t, flags & EVENT_MAP_ACCESS);
    put_flag(t, "shared", flags & EVENT_MAP_SHARED);
    put_flag(t, "stack", flags & EVENT_MAP_STACK);
    put_flag(t, "heap", flags & EVENT_MAP_HEAP);
}

/* A word of a table, or the number when the table lacks it. */
static void put_word(struct text *t, const char *word, uint64_t value) {
    if (word)
        text_string(t, word, strlen(word));
    else
        text_number(t, value);
}

static void put_unless(struct text *t, bool none, uint64_t value) {
    if (none)
        text_put(t, "null");
    else
        text_number(t, value);
}

static void put_value(struct text *t, const struct event_field *field, uint64_t value,
                      const struct trace_strings *strings) {
    switch (field->type) {
    case FIELD_NONE: break;
    case FIELD_NUMBER:
    case FIELD_SPACE:
    case FIELD_SLOT: text_number(t, value); break;
    case FIELD_SIGNED: text_signed(t, (int64_t)value); break;
    case FIELD_BOOL:
    case FIELD_SLOT_ASSIGNED: text_bool(t, value != 0); break;
    case FIELD_ADDRESS:
    case FIELD_VPN: text_hex(t, value); break;
    case FIELD_FRAME: put_unless(t, value == UINT32_MAX || value == UINT64_MAX, value); break;
    case FIELD_OBJECT: put_unless(t, value == 0, value); break;
    case FIELD_COPIED_SPACE: put_unless(t, value == 0, value - 1); break;
    case FIELD_PAGE_ID:
        if (value)
            put_page_id(t, (page_id_t){value});
        else
            text_put(t, "null");
        break;
    case FIELD_PTE: put_pte(t, (pte_t){value}); break;
    case FIELD_STRING:
    case FIELD_ARGUMENTS: put_string(t, field, strings_get(strings, value)); break;
    case FIELD_ACCESS: put_access(t, (unsigned)value); break;
    case FIELD_MAP_FLAGS: put_map_flags(t, (unsigned)value); break;
    case FIELD_FAULT_KIND: put_word(t, event_fault_name((unsigned)value), value); break;
    case FIELD_VICTIM_KIND: put_word(t, event_victim_name((unsigned)value), value); break;
    case FIELD_FRAME_USE: put_word(t, event_frame_name((unsigned)value), value); break;
    case FIELD_REACHED: put_word(t, event_reached_name((unsigned)value), value); break;
    case FIELD_LABEL: put_word(t, event_label_name((unsigned)value), value); break;
    case FIELD_LINE: text_number(t, value * LINE_BYTES); break;
    case FIELD_BYTES: break; /* put_fields() */
    }
}

static void put_field(struct text *t, const struct event_field *field, uint64_t value,
                      const struct trace_strings *strings) {
    if (field->type == FIELD_NONE)
        return;
    put_name(t, field->name);
    put_value(t, field, value, strings);
}

static void put_fields(struct text *t, const struct event_schema *schema, const struct event *e,
                       const struct trace_strings *strings) {
    put_field(t, &schema->flags, e->flags, strings);
    for (size_t i = 0; i < ARRAY_LENGTH(e->args); i++) {
        put_field(t, &schema->args[i], e->args[i], strings);
        if (schema->args[i].type == FIELD_BYTES) {
            text_hex_bytes(t, &e->args[i], sizeof e->args - i * sizeof e->args[0]);
            return;
        }
    }
}

void jsonl_put_event(struct text *t, const struct event *e, const struct trace_strings *strings) {
    const struct event_schema *schema = event_schema_of(e);
    text_put(t, "{\"n\":");
    text_number(t, e->sequence);
    put_name(t, "i");
    text_number(t, e->instruction);
    put_name(t, "pid");
    text_number(t, e->pid);
    put_name(t, "event");
    put_word(t, schema ? schema->name : NULL, e->kind);
    if (schema)
        put_fields(t, schema, e, strings);
    text_put(t, "}");
}
