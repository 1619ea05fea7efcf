/* The picture says what the fold says: the lecture's states by hand, random states page by page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"
#include "../trace/scenario.h"

static void play(struct script *s, unsigned last) {
    static void (*const pictures[])(struct script *) = {
        script_picture_012, script_picture_013, script_picture_014, script_picture_015,
        script_picture_016, script_picture_017, script_picture_018,
    };
    for (unsigned i = 0; i <= last - 12; i++)
        pictures[i](s);
}

static const struct picture_cell *cell(const struct picture *p, size_t process, size_t index) {
    assert_true(process < p->process_count && index < p->processes[process].cell_count);
    return &p->processes[process].cells[index];
}

static void assert_entry(const struct picture_cell *c, const char *access, int frame) {
    char text[4];
    picture_access_text(c->shows_access ? c->access : 0, text);
    assert_string_equal(text, access);
    assert_int_equal(pte_is_present(c->entry), frame >= 0);
    if (frame >= 0)
        assert_int_equal(pte_pfn(c->entry).n, frame);
}

static void assert_place(const struct picture *p, const struct picture_disk *disk, const char *file,
                         uint64_t page) {
    assert_true(disk->has_page);
    assert_int_equal(disk->page, page);
    assert_int_equal(disk->source, file ? SOURCE_FILE : SOURCE_ANONYMOUS);
    if (file)
        assert_string_equal(p->files[disk->file].name, file);
}

/* ---- the lecture ---- */

static void test_012(void **state) {
    struct script s;
    play(&s, 12);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    assert_int_equal(p->kind, PICTURE_TABLES);
    assert_int_equal(p->process_count, 2);
    assert_int_equal(p->processes[0].pid, 21);
    assert_string_equal(p->processes[0].name, "/home/jovyan/mypgm");
    assert_int_equal(p->processes[0].cell_count, 10);
    assert_entry(cell(p, 0, 1), "r-x", 4);
    assert_entry(cell(p, 0, 3), "r--", 6);
    assert_entry(cell(p, 0, 5), "rw-", 5);
    assert_entry(cell(p, 1, 1), "r-x", 8);
    assert_entry(cell(p, 1, 6), "rw-", 3);
    assert_place(p, &p->frames[4].disk, "/home/jovyan/mypgm", 1);
    assert_place(p, &p->frames[5].disk, NULL, 11);
    assert_place(p, &p->frames[8].disk, "/bin/bash", 3);
    assert_place(p, &p->frames[3].disk, NULL, 6);
    assert_int_equal(p->frames[7].use, EVENT_FRAME_FREE);
    assert_int_equal(p->free_count, 1);
    assert_true(p->has_register);
    assert_int_equal(p->processes[p->register_process].pid, 7);
    assert_int_equal(p->file_count, 3);
    assert_string_equal(p->files[0].name, "/bin/ls"); /* on the disk, mapped by nobody */
    assert_int_equal(p->files[0].object, 0);
    assert_int_equal(p->slot_count, 28);
    picture_destroy(p);
    script_end(&s);
}

/* An executable's page that was never touched: nothing but its mapping. */
static void test_untouched_page_of_the_executable(void **state) {
    struct script s;
    play(&s, 14);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    const struct picture_cell *c = cell(p, 0, 4);
    assert_true(c->mapped);
    assert_false(c->touched || c->points_at_disk || c->shows_access);
    assert_place(p, &c->disk, "/home/jovyan/mypgm", 6);
    picture_destroy(p);
    script_end(&s);
}

static void test_fault_step_by_step(void **state) {
    struct script s;
    play(&s, 15);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    assert_true(cell(p, 0, 4)->faulting && p->frames[3].victim && p->frames[3].changed);
    assert_false(p->frames[5].victim || p->transfer.shown);
    picture_destroy(p);
    script_picture_016(&s);
    p = script_picture(&s, (struct picture_options){0});
    assert_true(p->slots[6].written && p->slots[6].changed && !p->slots[11].written);
    assert_true(p->transfer.shown && p->transfer.out && p->transfer.frame == 3);
    assert_true(cell(p, 0, 4)->faulting && !cell(p, 0, 4)->changed);
    picture_destroy(p);
    script_picture_017(&s);
    p = script_picture(&s, (struct picture_options){0});
    const struct picture_cell *victim = cell(p, 1, 6);
    assert_entry(victim, "---", -1);
    assert_true(victim->points_at_disk && victim->touched && victim->changed);
    assert_place(p, &victim->disk, NULL, 6);
    picture_destroy(p);
    script_picture_018(&s);
    p = script_picture(&s, (struct picture_options){0});
    assert_entry(cell(p, 0, 4), "rw-", 3);
    assert_true(cell(p, 0, 4)->copy_on_write && !cell(p, 0, 4)->faulting);
    assert_place(p, &p->frames[3].disk, "/home/jovyan/mypgm", 6);
    assert_false(p->frames[3].victim);
    picture_destroy(p);
    script_end(&s);
}

/* What was mapped while the program ran points at its file before it is touched, and has no colour. */
static void test_mapped_file(void **state) {
    struct script s;
    script_picture_019(&s);
    script_picture_020(&s);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    for (size_t i = 6; i < 10; i++) {
        assert_true(cell(p, 0, i)->points_at_disk && cell(p, 0, i)->changed);
        assert_false(cell(p, 0, i)->touched);
        assert_entry(cell(p, 0, i), "---", -1);
        assert_place(p, &cell(p, 0, i)->disk, "/home/jovyan/numbers.bin", i - 6);
    }
    picture_destroy(p);
    script_picture_021(&s);
    script_picture_022(&s);
    p = script_picture(&s, (struct picture_options){0});
    assert_entry(cell(p, 0, 7), "rw-", 7);
    assert_entry(cell(p, 1, 7), "rw-", 7);
    assert_int_equal(p->frames[7].mappers, 2);
    picture_destroy(p);
    script_end(&s);
}

/* ---- rules ---- */

/* A page of the executable that was evicted points at its file again. */
static void test_evicted_page_of_the_executable(void **state) {
    struct script s;
    play(&s, 12);
    const uint64_t page = fold_frame(s.fold, 4).page;
    script_emit(&s, 21, EVENT_VICTIM, EVENT_VICTIM_CLEAN, 4, page, 0, 0, 0);
    script_emit(&s, 21, EVENT_PTE, 0, 21, SCRIPT_TEXT,
                fold_entry(fold_space(s.fold, 21), (vpn_t){SCRIPT_TEXT}).v, 0, 0);
    script_emit(&s, 21, EVENT_FRAME, EVENT_FRAME_FREE, 4, 0, 0, 0, 0);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    assert_true(cell(p, 0, 1)->points_at_disk && cell(p, 0, 1)->touched);
    assert_place(p, &cell(p, 0, 1)->disk, "/home/jovyan/mypgm", 1);
    picture_destroy(p);
    script_end(&s);
}

/* The clock hand takes referenced bits away from many entries: none of them is ringed. */
static void test_reference_bits_are_no_change(void **state) {
    struct script s;
    play(&s, 12);
    script_step(&s);
    const pte_t old = fold_entry(fold_space(s.fold, 21), (vpn_t){SCRIPT_TEXT});
    script_emit(&s, 0, EVENT_PTE, 0, 21, SCRIPT_TEXT, old.v, pte_clear(old, PTE_REFERENCED).v, 0);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    assert_false(cell(p, 0, 1)->changed);
    picture_destroy(p);
    script_end(&s);
}

static void test_chosen_processes(void **state) {
    struct script s;
    play(&s, 12);
    struct picture *p = script_picture(&s, (struct picture_options){.pids = (uint32_t[]){7}, .pid_count = 1});
    assert_int_equal(p->process_count, 1);
    assert_int_equal(p->processes[0].pid, 7);
    picture_destroy(p);
    /* The one that the register points at stays, whatever the order. */
    p = script_picture(&s, (struct picture_options){.max_processes = 1});
    assert_int_equal(p->process_count, 1);
    assert_int_equal(p->processes[0].pid, 7);
    assert_int_equal(p->hidden_processes, 1);
    picture_destroy(p);
    script_end(&s);
}

static void test_initials_are_different_letters(void **state) {
    struct script s;
    script_start(&s, 9, 3, 28);
    static const char *const names[] = {
        "/lib/libc.so.6", "/lib/libtinfo.so.6", "/bin/cat", "/bin/c", "/tmp/123", "cc", "c", "cac"};
    for (size_t i = 0; i < 8; i++)
        script_label_file(&s, names[i], names[i], 1, (unsigned)i, 0);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    assert_int_equal(p->file_count, 8);
    assert_int_equal(p->files[0].initial, 'c');
    assert_int_equal(p->files[1].initial, 't');
    for (size_t i = 0; i < p->file_count; i++) {
        const char c = p->files[i].initial;
        assert_true((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(c, p->files[j].initial);
            assert_int_not_equal(p->files[i].colour, p->files[j].colour);
        }
    }
    picture_destroy(p);
    script_end(&s);
}

/* A long file and a large swap area show the part that matters. */
static void test_windows(void **state) {
    struct script s;
    script_start(&s, 9, 3, 100000);
    script_process(&s, 5, "/bin/large");
    script_object(&s, 1, "/lib/library", 5000);
    script_map(&s, 5, 0x1000, 5000, ACCESS_READ, 1, 0);
    script_switch(&s, 5);
    script_step(&s);
    script_touch_file(&s, 5, 0x1000 + 1234, 4, 1, 1234, ACCESS_READ);
    script_emit(&s, 5, EVENT_SLOT, 1, 77777, 99, 0, 0, 0);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    assert_int_equal(p->files[0].shown, PICTURE_FILE_PAGES);
    assert_true(p->files[0].first <= 1234 && 1234 < p->files[0].first + p->files[0].shown);
    assert_true(p->files[0].page_changed && p->files[0].changed_page == 1234);
    assert_int_equal(p->slot_count, PICTURE_SWAP_PAGES);
    assert_true(p->first_slot <= 77777 && p->slots[77777 - p->first_slot].used);
    /* gap, run, page, run, gap */
    assert_int_equal(p->processes[0].cell_count, 5);
    assert_int_equal(cell(p, 0, 1)->pages, 1234);
    assert_entry(cell(p, 0, 2), "r--", 4);
    assert_int_equal(cell(p, 0, 2)->number, 2);
    assert_int_equal(cell(p, 0, 3)->pages, 5000 - 1235);
    picture_destroy(p);
    script_end(&s);
}

/* Many pages: everything that is not in memory is folded before anything that is. */
static void test_pages_in_memory_are_folded_last(void **state) {
    enum { PAGES = 200, PRESENT = 40 };
    struct script s;
    script_start(&s, 64, 3, 1000);
    script_process(&s, 5, "/bin/large");
    script_map(&s, 5, 0x1000, PAGES, ACCESS_READ | ACCESS_WRITE, 0, 0);
    for (uint64_t i = 0; i < PAGES; i++)
        if (i % 5 == 0)
            script_touch_zero(&s, 5, 0x1000 + i, 3 + i / 5, UINT64_MAX);
    script_step(&s);
    struct picture *p = script_picture(&s, (struct picture_options){0});
    size_t singles = 0;
    for (size_t i = 0; i < p->processes[0].cell_count; i++)
        singles += cell(p, 0, i)->pages == 1 && cell(p, 0, i)->present;
    assert_int_equal(singles, PRESENT);
    assert_int_equal(p->processes[0].hidden_cells, 0);
    assert_true(p->processes[0].cell_count <= PICTURE_CELLS_ALL);
    picture_destroy(p);
    script_end(&s);
}

/* ---- random states ---- */

static void check_cell(const struct fold *f, const struct fold_space *space, const struct picture_cell *c) {
    uint64_t present = 0, swapped = 0;
    pte_t entry;
    for (vpn_t vpn = c->first; fold_next_entry(space, &vpn, &entry) && vpn.n < c->first.n + c->pages;
         vpn.n++) {
        present += pte_is_present(entry);
        swapped += pte_is_swapped(entry);
    }
    assert_int_equal(c->present, present);
    assert_int_equal(c->swapped, swapped);
    if (c->pages != 1)
        return;
    const struct fold_mapping *m = fold_mapping(space, c->first);
    assert_int_equal(c->mapped, m != NULL);
    assert_int_equal(c->entry.v, fold_entry(space, c->first).v);
    assert_int_equal(c->shows_access, present);
    if (m)
        assert_int_equal(c->access, m->flags & EVENT_MAP_ACCESS);
    if (swapped) {
        assert_true(c->points_at_disk);
        assert_int_equal(c->disk.page, pte_slot(c->entry).n);
    }
}

/* The cells follow each other without a hole, from the beginning of the space to its end. */
static void check_process(const struct fold *f, const struct picture_process *p) {
    const struct fold_space *space = fold_space(f, p->space);
    uint64_t next = 0, present = 0;
    assert_non_null(space);
    for (size_t i = 0; i < p->cell_count; i++) {
        assert_int_equal(p->cells[i].first.n, next);
        assert_true(p->cells[i].pages > 0);
        assert_int_equal(p->cells[i].number, i);
        next += p->cells[i].pages;
        present += p->cells[i].present;
        check_cell(f, space, &p->cells[i]);
    }
    if (p->hidden_cells)
        return;
    assert_true(next >= USER_END >> PAGE_SHIFT);
    assert_int_equal(present, space->present);
}

static void check_frames(const struct fold *f, const struct picture *p) {
    size_t free = 0;
    for (uint32_t i = 0; i < p->frame_count; i++) {
        const struct fold_frame frame = fold_frame(f, i);
        assert_int_equal(p->frames[i].number, i);
        assert_int_equal(p->frames[i].use, frame.use);
        assert_int_equal(p->frames[i].mappers, frame.mapper_count);
        free += frame.use == EVENT_FRAME_FREE;
        const struct picture_disk *disk = &p->frames[i].disk;
        if (frame.use == EVENT_FRAME_CACHE) {
            assert_int_equal(disk->source, SOURCE_FILE);
            assert_int_equal(disk->page, frame.page & 0xfffffffff);
        }
        if (frame.use == EVENT_FRAME_ANONYMOUS && disk->has_page)
            assert_int_equal(fold_slot(f, (uint32_t)disk->page).page, frame.page);
    }
    assert_int_equal(p->free_count, free);
}

/* Labels are taken away: labelled strips show only a part. */
static void test_random_states(void **state) {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct scenario *s = malloc(sizeof *s);
        struct recorder r = recorder();
        struct fold *f = fold_create(NULL);
        scenario_start(s, seed, &r.sink);
        scenario_run(s, 4000);
        for (size_t i = 0; i < r.count; i++) {
            if (r.events[i].kind == EVENT_LABEL)
                continue;
            assert_int_equal(fold_apply(f, &r.events[i]), 0);
            if (i % 97)
                continue;
            struct picture *p;
            const struct picture_options options = {.changes = &r.events[i], .change_count = 1};
            assert_int_equal(picture_create(f, &options, "", &p), 0);
            for (size_t j = 0; j < p->process_count; j++)
                if (fold_space(f, p->processes[j].space))
                    check_process(f, &p->processes[j]);
            if (f->started)
                check_frames(f, p);
            picture_destroy(p);
        }
        fold_destroy(f);
        scenario_stop(s);
        recorder_free(&r);
        free(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_012),
        cmocka_unit_test(test_untouched_page_of_the_executable),
        cmocka_unit_test(test_fault_step_by_step),
        cmocka_unit_test(test_mapped_file),
        cmocka_unit_test(test_evicted_page_of_the_executable),
        cmocka_unit_test(test_reference_bits_are_no_change),
        cmocka_unit_test(test_chosen_processes),
        cmocka_unit_test(test_initials_are_different_letters),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_pages_in_memory_are_folded_last),
        cmocka_unit_test(test_random_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
