/* See script.h. */
#include "script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOME "/home/jovyan/"

void script_emit(struct script *s, uint32_t pid, enum event_kind kind, unsigned flags, uint64_t a, uint64_t b,
                 uint64_t c, uint64_t d, uint64_t e) {
    if (s->count == s->capacity) {
        s->capacity = s->capacity * 2 + 64;
        s->events = reallocarray(s->events, s->capacity, sizeof *s->events);
        assert_non_null(s->events);
    }
    s->events[s->count++] = (struct event){
        .sequence = s->count,
        .pid = pid,
        .kind = (uint16_t)kind,
        .flags = (uint16_t)flags,
        .args = {a, b, c, d, e},
    };
    s->events[s->count - 1].sequence = s->count;
    assert_int_equal(fold_apply(s->fold, &s->events[s->count - 1]), 0);
}

uint64_t script_string(struct script *s, const char *string) {
    const size_t length = strlen(string);
    script_emit(s, 0, EVENT_STRING, 0, ++s->strings, length, 0, 0, 0);
    for (size_t i = 0; i < length; i += 40) {
        uint64_t words[5] = {0};
        memcpy(words, string + i, length - i < 40 ? length - i : 40);
        script_emit(s, 0, EVENT_STRING_DATA, 0, words[0], words[1], words[2], words[3], words[4]);
    }
    return s->strings;
}

void script_start(struct script *s, uint64_t frames, uint64_t reserved, uint64_t swap_pages) {
    *s = (struct script){.fold = fold_create(NULL)};
    assert_non_null(s->fold);
    uint64_t format = script_string(s, "array"), policy = script_string(s, "fifo");
    script_emit(s, 0, EVENT_MACHINE_START, 0, frames, reserved, swap_pages, format, policy);
}

void script_end(struct script *s) {
    fold_destroy(s->fold);
    free(s->events);
}

void script_step(struct script *s) {
    s->step = s->count;
}

void script_process(struct script *s, uint32_t pid, const char *path) {
    uint64_t name = script_string(s, path);
    script_emit(s, pid, EVENT_PROCESS_CREATE, 0, 0, pid, 0, 0, 0);
    script_emit(s, pid, EVENT_SPACE_CREATE, 0, pid, pid, 0, 0, 0);
    script_emit(s, pid, EVENT_PROCESS_EXEC, 0, name, 0, pid, 0, 0);
}

void script_object(struct script *s, uint64_t object, const char *path, uint64_t pages) {
    uint64_t name = script_string(s, path);
    script_emit(s, 0, EVENT_OBJECT, 0, object, object, name, pages, 0);
}

void script_map(struct script *s, uint32_t pid, uint64_t vpn, uint64_t pages, unsigned flags, uint64_t object,
                uint64_t object_page) {
    script_emit(s, pid, EVENT_MAP, flags, pid, vpn, pages, object, object_page);
}

void script_switch(struct script *s, uint32_t pid) {
    script_emit(s, pid, EVENT_SWITCH, 0, pid, 0, 0, 0, 0);
}

void script_label_strip(struct script *s, uint32_t pid, unsigned cells) {
    script_emit(s, 0, EVENT_LABEL, EVENT_LABEL_STRIP, pid, cells, 0, 0, 0);
}

void script_label_vpn(struct script *s, uint32_t pid, uint64_t vpn, unsigned cell) {
    script_emit(s, 0, EVENT_LABEL, EVENT_LABEL_VPN, pid, vpn, cell, 0, 0);
}

void script_label_file(struct script *s, const char *path, const char *name, uint64_t pages,
                       unsigned position, unsigned colour) {
    uint64_t path_number = script_string(s, path), name_number = script_string(s, name);
    script_emit(s, 0, EVENT_LABEL, EVENT_LABEL_FILE, path_number, name_number, pages, position, colour);
}

/* ---- faults ---- */

static void fault(struct script *s, uint32_t pid, uint64_t vpn, unsigned access) {
    script_emit(s, pid, EVENT_FAULT, access, pid, vpn << PAGE_SHIFT, 0, 0, 0);
}

static void set_entry(struct script *s, uint32_t pid, uint64_t vpn, pte_t new) {
    pte_t old = fold_entry(fold_space(s->fold, pid), (vpn_t){vpn});
    script_emit(s, pid, EVENT_PTE, 0, pid, vpn, old.v, new.v, 0);
}

static void fault_done(struct script *s, uint32_t pid, uint64_t vpn, enum event_fault how) {
    pte_t now = fold_entry(fold_space(s->fold, pid), (vpn_t){vpn});
    script_emit(s, pid, EVENT_FAULT_DONE, how, pid, vpn << PAGE_SHIFT, now.v, how == EVENT_FAULT_FILE, 1);
}

static void fill_from_file(struct script *s, uint32_t pid, uint64_t vpn, uint64_t frame, uint64_t object,
                           uint64_t page, unsigned access) {
    script_emit(s, pid, EVENT_FILE_READ, 0, frame, object, page, 0, 0);
    script_emit(s, pid, EVENT_FRAME, EVENT_FRAME_CACHE, frame, page_id_of_object((uint32_t)object, page).n, 0,
                0, 0);
    set_entry(s, pid, vpn, pte_make_present((pfn_t){(uint32_t)frame}, access, PTE_REFERENCED));
    fault_done(s, pid, vpn, EVENT_FAULT_FILE);
}

void script_touch_file(struct script *s, uint32_t pid, uint64_t vpn, uint64_t frame, uint64_t object,
                       uint64_t page, unsigned access) {
    fault(s, pid, vpn, ACCESS_READ);
    fill_from_file(s, pid, vpn, frame, object, page, access);
}

void script_touch_zero(struct script *s, uint32_t pid, uint64_t vpn, uint64_t frame, uint64_t slot) {
    fault(s, pid, vpn, ACCESS_WRITE);
    uint64_t page = ++s->anonymous;
    script_emit(s, pid, EVENT_FRAME, EVENT_FRAME_ANONYMOUS, frame, page, 0, 0, 0);
    script_emit(s, pid, EVENT_ZERO_FILL, 0, frame, page, 0, 0, 0);
    if (slot != UINT64_MAX)
        script_emit(s, pid, EVENT_SLOT, 1, slot, page, 0, 0, 0);
    set_entry(
        s, pid, vpn,
        pte_make_present((pfn_t){(uint32_t)frame}, ACCESS_READ | ACCESS_WRITE, PTE_REFERENCED | PTE_DIRTY));
    fault_done(s, pid, vpn, EVENT_FAULT_ZERO_FILL);
}

/* ---- the lecture ---- */

enum { RX = ACCESS_READ | ACCESS_EXEC, RW = ACCESS_READ | ACCESS_WRITE, R = ACCESS_READ };
enum { MYPGM = 1, BASH, NUMBERS, MYPGM2 };

static void map_mypgm(struct script *s) {
    script_object(s, MYPGM, "/scratch/mypgm", 9);
    script_map(s, 21, SCRIPT_TEXT, 1, RX, MYPGM, 1);
    script_map(s, 21, 0x402, 4, R, MYPGM, 2);
    script_map(s, 21, SCRIPT_DATA, 3, RW, MYPGM, 6);
    script_map(s, 21, SCRIPT_STACK, 1, RW | EVENT_MAP_STACK, 0, 0);
}

static void label_mypgm(struct script *s) {
    script_label_strip(s, 21, 10);
    script_label_vpn(s, 21, SCRIPT_TEXT, 1);
    script_label_vpn(s, 21, SCRIPT_STATIC, 3);
    script_label_vpn(s, 21, SCRIPT_DATA, 4);
    script_label_vpn(s, 21, SCRIPT_STACK, 5);
}

static void label_012(struct script *s) {
    label_mypgm(s);
    script_label_strip(s, 7, 10);
    script_label_vpn(s, 7, SCRIPT_TEXT, 1);
    script_label_vpn(s, 7, SCRIPT_HEAP, 5);
    script_label_vpn(s, 7, SCRIPT_STACK, 6);
    script_label_file(s, "/scratch/ls", "/bin/ls", 9, 0, 3);
    script_label_file(s, "/scratch/bash", "/bin/bash", 9, 1, 2);
    script_label_file(s, "/scratch/mypgm", HOME "mypgm", 9, 2, 1);
}

void script_picture_012(struct script *s) {
    script_start(s, 9, 3, 28);
    label_012(s);
    script_process(s, 21, "/scratch/mypgm");
    map_mypgm(s);
    script_process(s, 7, "/scratch/bash");
    script_object(s, BASH, "/scratch/bash", 9);
    script_map(s, 7, SCRIPT_TEXT, 1, RX, BASH, 3);
    script_map(s, 7, SCRIPT_STACK, 1, RW | EVENT_MAP_STACK, 0, 0);
    script_switch(s, 21);
    script_touch_zero(s, 7, SCRIPT_STACK, 3, 6);
    script_touch_file(s, 21, SCRIPT_TEXT, 4, MYPGM, 1, RX);
    script_touch_zero(s, 21, SCRIPT_STACK, 5, 11);
    script_touch_file(s, 21, SCRIPT_STATIC, 6, MYPGM, 5, R);
    script_touch_file(s, 7, SCRIPT_TEXT, 8, BASH, 3, RX);
    script_switch(s, 7);
    script_step(s);
}

void script_picture_013(struct script *s) {
    script_step(s);
    script_map(s, 7, SCRIPT_HEAP, 1, RW | EVENT_MAP_HEAP, 0, 0);
    script_touch_zero(s, 7, SCRIPT_HEAP, 7, 24);
}

void script_picture_014(struct script *s) {
    script_step(s);
    script_switch(s, 21);
}

void script_picture_015(struct script *s) {
    script_step(s);
    fault(s, 21, SCRIPT_DATA, ACCESS_READ);
    script_emit(s, 21, EVENT_VICTIM, EVENT_VICTIM_TO_SWAP, 3, fold_frame(s->fold, 3).page, 0, 0, 0);
}

void script_picture_016(struct script *s) {
    script_step(s);
    script_emit(s, 21, EVENT_SWAP_OUT, 0, 3, 6, fold_frame(s->fold, 3).page, 0, 0);
}

void script_picture_017(struct script *s) {
    script_step(s);
    set_entry(s, 7, SCRIPT_STACK, pte_make_swapped((slot_t){6}, RW, 0));
}

void script_picture_018(struct script *s) {
    script_step(s);
    fill_from_file(s, 21, SCRIPT_DATA, 3, MYPGM, 6, R);
    set_entry(s, 21, SCRIPT_DATA, pte_make_present((pfn_t){3}, R, PTE_COW | PTE_REFERENCED));
}

void script_picture_019(struct script *s) {
    script_start(s, 9, 3, 28);
    label_mypgm(s);
    for (unsigned i = 0; i < 4; i++)
        script_label_vpn(s, 21, SCRIPT_NUMBERS + i, 6 + i);
    script_label_file(s, "/scratch/mypgm", HOME "mypgm", 9, 0, 1);
    script_label_file(s, "/scratch/numbers.bin", HOME "numbers.bin", 4, 1, 5);
    script_process(s, 21, "/scratch/mypgm");
    map_mypgm(s);
    script_switch(s, 21);
    script_touch_file(s, 21, SCRIPT_TEXT, 4, MYPGM, 1, RX);
    script_touch_zero(s, 21, SCRIPT_STACK, 5, 11);
    script_touch_file(s, 21, SCRIPT_STATIC, 6, MYPGM, 5, R);
    script_step(s);
}

void script_picture_020(struct script *s) {
    script_step(s);
    script_object(s, NUMBERS, "/scratch/numbers.bin", 4);
    script_map(s, 21, SCRIPT_NUMBERS, 4, RW | EVENT_MAP_SHARED, NUMBERS, 0);
}

void script_picture_021(struct script *s) {
    script_step(s);
    script_touch_file(s, 21, SCRIPT_NUMBERS + 1, 7, NUMBERS, 1, RW);
}

void script_picture_022(struct script *s) {
    script_step(s);
    script_label_strip(s, 42, 10);
    script_label_vpn(s, 42, SCRIPT_TEXT, 1);
    for (unsigned i = 0; i < 4; i++)
        script_label_vpn(s, 42, SCRIPT_NUMBERS + i, 6 + i);
    script_label_file(s, "/scratch/mypgm2", HOME "mypgm2", 9, 2, 4);
    script_process(s, 42, "/scratch/mypgm2");
    script_object(s, MYPGM2, "/scratch/mypgm2", 9);
    script_map(s, 42, SCRIPT_TEXT, 1, RX, MYPGM2, 3);
    script_map(s, 42, SCRIPT_NUMBERS, 4, RW | EVENT_MAP_SHARED, NUMBERS, 0);
    script_touch_file(s, 42, SCRIPT_TEXT, 3, MYPGM2, 3, RX);
    fault(s, 42, SCRIPT_NUMBERS + 1, ACCESS_READ);
    set_entry(s, 42, SCRIPT_NUMBERS + 1, pte_make_present((pfn_t){7}, RW, PTE_REFERENCED));
    fault_done(s, 42, SCRIPT_NUMBERS + 1, EVENT_FAULT_FILE);
    script_switch(s, 21);
}

struct picture *script_picture(struct script *s, struct picture_options options) {
    struct picture *picture;
    options.before = s->step;
    options.changes = s->events + s->step;
    options.change_count = s->count - s->step;
    assert_int_equal(picture_create(s->fold, &options, NULL, &picture), 0);
    return picture;
}
