/* See schema.h. */
#include "trace/schema.h"

#include <stddef.h>

#include "base/base.h"

static const struct event_schema schemas[EVENT_KINDS] = {
    [EVENT_STRING] = {"string", .args = {{"string", FIELD_NUMBER}, {"length", FIELD_NUMBER}}},
    [EVENT_STRING_DATA] = {"string_data"},

    [EVENT_MACHINE_START] = {"machine_start", .args = {{"frames", FIELD_NUMBER},
                                                       {"reserved", FIELD_NUMBER},
                                                       {"swap_pages", FIELD_NUMBER},
                                                       {"page_table", FIELD_STRING},
                                                       {"policy", FIELD_STRING}}},
    [EVENT_MACHINE_STOP] = {"machine_stop",
                            .args = {{"exit_status", FIELD_SIGNED}, {"stopped_early", FIELD_BOOL}}},

    [EVENT_PROCESS_CREATE] = {"process_create", .args = {{"parent", FIELD_NUMBER}, {"space", FIELD_SPACE}}},
    [EVENT_PROCESS_EXEC] = {"process_exec", .args = {{"path", FIELD_STRING},
                                                     {"command", FIELD_ARGUMENTS},
                                                     {"space", FIELD_SPACE}}},
    [EVENT_PROCESS_EXIT] = {"process_exit", .args = {{"wait_status", FIELD_NUMBER}}},
    [EVENT_SWITCH] = {"switch", .args = {{"space", FIELD_SPACE}}},
    [EVENT_SYSCALL_ENTER] = {"syscall_enter", .flags = {"number", FIELD_NUMBER},
                             .args = {{"arg0", FIELD_ADDRESS},
                                      {"arg1", FIELD_ADDRESS},
                                      {"arg2", FIELD_ADDRESS},
                                      {"arg3", FIELD_ADDRESS},
                                      {"arg4", FIELD_ADDRESS}}},
    [EVENT_SYSCALL_EXIT] = {"syscall_exit", .flags = {"number", FIELD_NUMBER},
                            .args = {{"result", FIELD_SIGNED}}},
    [EVENT_SIGNAL] = {"signal", .flags = {"signal", FIELD_NUMBER},
                      .args = {{"code", FIELD_SIGNED}, {"address", FIELD_ADDRESS}, {"sender", FIELD_NUMBER}}},
    [EVENT_OOM] = {"oom",
                   .args = {{"chosen", FIELD_NUMBER}, {"resident", FIELD_NUMBER}, {"swapped", FIELD_NUMBER}}},

    [EVENT_SPACE_CREATE] = {"space_create", .args = {{"space", FIELD_SPACE},
                                                     {"owner", FIELD_NUMBER},
                                                     {"copied_from", FIELD_COPIED_SPACE}}},
    [EVENT_SPACE_DESTROY] = {"space_destroy", .args = {{"space", FIELD_SPACE}}},
    [EVENT_MAP] = {"map", .flags = {"access", FIELD_MAP_FLAGS},
                   .args = {{"space", FIELD_SPACE},
                            {"vpn", FIELD_VPN},
                            {"pages", FIELD_NUMBER},
                            {"object", FIELD_OBJECT},
                            {"object_page", FIELD_NUMBER}}},
    [EVENT_UNMAP] = {"unmap", .args = {{"space", FIELD_SPACE}, {"vpn", FIELD_VPN}, {"pages", FIELD_NUMBER}}},
    [EVENT_PROTECT] = {"protect", .flags = {"access", FIELD_ACCESS},
                       .args = {{"space", FIELD_SPACE}, {"vpn", FIELD_VPN}, {"pages", FIELD_NUMBER}}},
    [EVENT_OBJECT] = {"object", .args = {{"object", FIELD_OBJECT},
                                         {"generation", FIELD_NUMBER},
                                         {"path", FIELD_STRING},
                                         {"pages", FIELD_NUMBER}}},
    [EVENT_OBJECT_GONE] = {"object_gone", .args = {{"object", FIELD_OBJECT}}},

    [EVENT_FAULT] = {"fault", .flags = {"access", FIELD_ACCESS},
                     .args = {{"space", FIELD_SPACE}, {"address", FIELD_ADDRESS}, {"pte", FIELD_PTE}}},
    [EVENT_FAULT_DONE] = {"fault_done", .flags = {"kind", FIELD_FAULT_KIND},
                          .args = {{"space", FIELD_SPACE},
                                   {"address", FIELD_ADDRESS},
                                   {"pte", FIELD_PTE},
                                   {"major", FIELD_BOOL},
                                   {"miss", FIELD_BOOL}}},
    [EVENT_VICTIM] = {"victim", .flags = {"how", FIELD_VICTIM_KIND},
                      .args = {{"frame", FIELD_FRAME}, {"page", FIELD_PAGE_ID}}},
    [EVENT_SWAP_OUT] = {"swap_out",
                        .args = {{"frame", FIELD_FRAME}, {"slot", FIELD_SLOT}, {"page", FIELD_PAGE_ID}}},
    [EVENT_SWAP_IN] = {"swap_in",
                       .args = {{"frame", FIELD_FRAME}, {"slot", FIELD_SLOT}, {"page", FIELD_PAGE_ID}}},
    [EVENT_FILE_READ] = {"file_read", .args = {{"frame", FIELD_FRAME},
                                               {"object", FIELD_OBJECT},
                                               {"object_page", FIELD_NUMBER},
                                               {"page", FIELD_PAGE_ID}}},
    [EVENT_WRITE_BACK] = {"write_back", .args = {{"frame", FIELD_FRAME},
                                                 {"object", FIELD_OBJECT},
                                                 {"object_page", FIELD_NUMBER}}},
    [EVENT_ZERO_FILL] = {"zero_fill", .args = {{"frame", FIELD_FRAME}, {"page", FIELD_PAGE_ID}}},
    [EVENT_COPY] = {"copy", .args = {{"frame", FIELD_FRAME}, {"from", FIELD_FRAME}, {"page", FIELD_PAGE_ID}}},

    [EVENT_FRAME] = {"frame", .flags = {"use", FIELD_FRAME_USE},
                     .args = {{"frame", FIELD_FRAME}, {"page", FIELD_PAGE_ID}}},
    [EVENT_PTE] =
        {"pte", .args = {{"space", FIELD_SPACE}, {"vpn", FIELD_VPN}, {"old", FIELD_PTE}, {"new", FIELD_PTE}}},
    [EVENT_SLOT] = {"slot", .flags = {"assigned", FIELD_SLOT_ASSIGNED},
                    .args = {{"slot", FIELD_SLOT}, {"page", FIELD_PAGE_ID}}},

    [EVENT_REACHED] = {"reached", .flags = {"place", FIELD_REACHED},
                       .args = {{"address", FIELD_ADDRESS}, {"space", FIELD_SPACE}, {"name", FIELD_STRING}}},
    [EVENT_OUTPUT] = {"output", .flags = {"descriptor", FIELD_NUMBER}, .args = {{"text", FIELD_STRING}}},
    [EVENT_CONTENT] = {"content", .flags = {"offset", FIELD_LINE},
                       .args = {{"frame", FIELD_FRAME}, {"bytes", FIELD_BYTES}}},
    [EVENT_LABEL] = {"label", .flags = {"what", FIELD_LABEL}},
};

static const struct event_schema label_schemas[] = {
    [EVENT_LABEL_STRIP] = {"label", .flags = {"what", FIELD_LABEL},
                           .args = {{"process", FIELD_NUMBER}, {"cells", FIELD_NUMBER}}},
    [EVENT_LABEL_VPN] = {"label", .flags = {"what", FIELD_LABEL},
                         .args = {{"process", FIELD_NUMBER}, {"vpn", FIELD_VPN}, {"cell", FIELD_NUMBER}}},
    [EVENT_LABEL_FILE] = {"label", .flags = {"what", FIELD_LABEL},
                          .args = {{"path", FIELD_STRING},
                                   {"name", FIELD_STRING},
                                   {"pages", FIELD_NUMBER},
                                   {"position", FIELD_NUMBER},
                                   {"colour", FIELD_NUMBER}}},
};
_Static_assert(ARRAY_LENGTH(label_schemas) == EVENT_LABELS, "each label is described");

static const char *const fault_names[] = {
    [EVENT_FAULT_ZERO_FILL] = "zero_fill",   [EVENT_FAULT_FILE] = "file",
    [EVENT_FAULT_SWAP_IN] = "swap_in",       [EVENT_FAULT_COW] = "cow",
    [EVENT_FAULT_PROTECTION] = "protection", [EVENT_FAULT_FAILED] = "failed",
};

static const char *const victim_names[] = {
    [EVENT_VICTIM_CLEAN] = "clean",
    [EVENT_VICTIM_TO_SWAP] = "to_swap",
    [EVENT_VICTIM_TO_FILE] = "to_file",
};

static const char *const frame_names[] = {
    [EVENT_FRAME_FREE] = "free",        [EVENT_FRAME_RESERVED] = "reserved",
    [EVENT_FRAME_TABLE] = "page_table", [EVENT_FRAME_ANONYMOUS] = "anonymous",
    [EVENT_FRAME_CACHE] = "page_cache",
};
_Static_assert(ARRAY_LENGTH(frame_names) == EVENT_FRAME_KINDS, "each use of a frame has a name");

static const char *const reached_names[] = {
    [EVENT_REACHED_ENTRY] = "entry",
    [EVENT_REACHED_MAIN] = "main",
    [EVENT_REACHED_WATCHED] = "watched",
};

static const char *const label_names[] = {
    [EVENT_LABEL_STRIP] = "strip",
    [EVENT_LABEL_VPN] = "vpn",
    [EVENT_LABEL_FILE] = "file",
};
_Static_assert(ARRAY_LENGTH(label_names) == EVENT_LABELS, "each label has a name");

const struct event_schema *event_schema(unsigned kind) {
    return kind < EVENT_KINDS && schemas[kind].name ? &schemas[kind] : NULL;
}

const struct event_schema *event_schema_of(const struct event *e) {
    return e->kind == EVENT_LABEL && e->flags < EVENT_LABELS ? &label_schemas[e->flags]
                                                             : event_schema(e->kind);
}

const char *event_fault_name(unsigned kind) {
    return kind < ARRAY_LENGTH(fault_names) ? fault_names[kind] : NULL;
}

const char *event_victim_name(unsigned kind) {
    return kind < ARRAY_LENGTH(victim_names) ? victim_names[kind] : NULL;
}

const char *event_frame_name(unsigned use) {
    return use < ARRAY_LENGTH(frame_names) ? frame_names[use] : NULL;
}

const char *event_reached_name(unsigned place) {
    return place < ARRAY_LENGTH(reached_names) ? reached_names[place] : NULL;
}

const char *event_label_name(unsigned what) {
    return what < ARRAY_LENGTH(label_names) ? label_names[what] : NULL;
}
