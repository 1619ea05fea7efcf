/* Pages of host files, read by calls and from a mapping of the file: the same bytes either way, whatever
 * happens to the file meanwhile. */
#include <sys/mman.h>

#include "base/hostcopy.h"
#include "kernel/files/inode.h"
#include "memory.h"
#include "vm/object.h"

enum { PAGES = 8, TAIL = 100, LENGTH = (PAGES - 1) * PAGE_SIZE + TAIL };

/* Page n of the file is filled with this. */
static uint8_t content_of(unsigned page) {
    return (uint8_t)('a' + page);
}

/* Makes the file, of which page 3 is a hole, and maps it with room for twice its pages. */
static uint64_t file_map(struct fixture *f, const char *name, int *ret_fd, char ret_path[100]) {
    struct thread *t = fixture_first(f);
    snprintf(ret_path, 100, "%s", fixture_write(f, name, "", 0, 0644));
    const int host = open(ret_path, O_WRONLY);
    for (unsigned n = 0; n < PAGES; n++) {
        uint8_t page[PAGE_SIZE];
        memset(page, content_of(n), sizeof page);
        const size_t length = n < PAGES - 1 ? PAGE_SIZE : TAIL;
        if (n != 3)
            assert_int_equal(pwrite(host, page, length, n * PAGE_SIZE), length);
    }
    close(host);
    *ret_fd = (int)call_open(t, ret_path, O_RDWR, 0);
    const long address =
        fixture_call(t, SYS_mmap, 0, 2 * PAGES * PAGE_SIZE, PROT_READ, MAP_SHARED, (uint64_t)*ret_fd, 0);
    assert_true(address > 0);
    return (uint64_t)address;
}

static void expect_page(struct thread *t, uint64_t start, unsigned n, uint8_t byte, size_t length) {
    uint8_t page[PAGE_SIZE];
    memory_get(t, start + n * PAGE_SIZE, page, sizeof page);
    for (size_t i = 0; i < sizeof page; i++)
        assert_int_equal(page[i], i < length ? byte : 0);
}

static void every_page_is_read(struct fixture *f) {
    struct thread *t = fixture_first(f);
    int fd;
    char path[100];
    const uint64_t start = file_map(f, "whole", &fd, path);
    for (unsigned n = PAGES; n-- > 0;)
        expect_page(t, start, n, content_of(n), n == 3 ? 0 : n == PAGES - 1 ? TAIL : PAGE_SIZE);
}

/* The host cuts the file without our knowledge: what is gone reads as zeros, what is there as it was. */
static void a_page_cut_off_is_zero(struct fixture *f) {
    struct thread *t = fixture_first(f);
    int fd;
    char path[100];
    const uint64_t start = file_map(f, "cut", &fd, path);
    expect_page(t, start, 0, content_of(0), PAGE_SIZE);
    assert_int_equal(truncate(path, 2 * PAGE_SIZE + 10), 0);
    expect_page(t, start, 5, 0, PAGE_SIZE);
    expect_page(t, start, PAGES - 1, 0, PAGE_SIZE);
    expect_page(t, start, 1, content_of(1), PAGE_SIZE);
    expect_page(t, start, 2, content_of(2), 10);
}

static void a_file_that_grows_is_read_to_its_end(struct fixture *f) {
    struct thread *t = fixture_first(f);
    int fd;
    char path[100];
    const uint64_t start = file_map(f, "grows", &fd, path);
    expect_page(t, start, 0, content_of(0), PAGE_SIZE);
    for (unsigned n = PAGES; n < 2 * PAGES; n++) {
        uint8_t page[PAGE_SIZE];
        memset(page, content_of(n), sizeof page);
        const uint64_t buffer = memory_put(t, page, sizeof page);
        assert_int_equal(CALL_4(t, SYS_pwrite64, fd, buffer, PAGE_SIZE, n * PAGE_SIZE), PAGE_SIZE);
        expect_page(t, start, n, content_of(n), PAGE_SIZE);
    }
    expect_page(t, start, PAGES - 1, content_of(PAGES - 1), TAIL);
}

/* Each is done by calls first, and then with the handler that a mapping needs (cmocka puts its own back). */
static void run_both_ways(void **state) {
    struct fixture *f = *state;
    for (int guarded = 0; guarded < 2; guarded++) {
        const struct sigaction guard = {.sa_sigaction = hostcopy_signal, .sa_flags = SA_SIGINFO};
        if (guarded)
            assert_int_equal(sigaction(SIGBUS, &guard, NULL), 0);
        assert_int_equal(hostcopy_is_guarded(), guarded);
        every_page_is_read(f);
        a_page_cut_off_is_zero(f);
        a_file_that_grows_is_read_to_its_end(f);
        fixture_check(f);
    }
}

/* ---- files that nobody uses any more ---- */

/* Maps the file, reads a page of it and lets go of it; nothing of it stays in memory. */
static struct object *use_and_forget(struct fixture *f, const char *path) {
    struct thread *t = fixture_first(f);
    struct stat st;
    const long fd = call_open(t, path, O_RDONLY, 0);
    const long address = fixture_call(t, SYS_mmap, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE, (uint64_t)fd, 0);
    uint8_t byte;
    memory_get(t, (uint64_t)address, &byte, 1);
    assert_int_equal(CALL_2(t, SYS_munmap, address, PAGE_SIZE), 0);
    assert_int_equal(CALL_1(t, SYS_close, fd), 0);
    assert_int_equal(stat(path, &st), 0);
    struct object *object = inode_find(f->kernel, st.st_dev, st.st_ino);
    assert_non_null(object);
    object_drop_range(object, 0, UINT64_MAX);
    object_pages_gone(object);
    return inode_find(f->kernel, st.st_dev, st.st_ino);
}

static void pages_are_the_same_when_a_file_is_used_again(void **state) {
    struct fixture *f = *state;
    char path[100];
    snprintf(path, sizeof path, "%s", fixture_write(f, "again", "content", 7, 0644));
    const struct object *object = use_and_forget(f, path);
    assert_non_null(object);
    const page_id_t first = object_page_id(object, 0, (struct index_entry){INDEX_NONE});
    assert_true(
        page_id_eq(object_page_id(use_and_forget(f, path), 0, (struct index_entry){INDEX_NONE}), first));
    assert_int_equal(truncate(path, 3), 0);
    assert_false(
        page_id_eq(object_page_id(use_and_forget(f, path), 0, (struct index_entry){INDEX_NONE}), first));
    fixture_check(f);
}

/* Else the host could not use the room of a deleted file again. */
static void a_file_without_a_name_is_not_kept(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s", fixture_write(f, "deleted", "content", 7, 0644));
    assert_non_null(use_and_forget(f, path));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(CALL_1(t, SYS_unlink, memory_put(t, path, strlen(path) + 1)), 0);
    assert_null(inode_find(f->kernel, st.st_dev, st.st_ino));
    fixture_check(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_are_the_same_when_a_file_is_used_again, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_file_without_a_name_is_not_kept, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(run_both_ways, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
