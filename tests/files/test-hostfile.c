/* Regular files: positions, appending, bad buffers, and one truth between read, write and mappings. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "memory.h"

static uint64_t map_shared(struct thread *t, long fd, size_t length) {
    long address = fixture_call(t, SYS_mmap, 0, length, PROT_READ | PROT_WRITE, MAP_SHARED, (uint64_t)fd, 0);
    assert_true(address > 0);
    return (uint64_t)address;
}

static void store(struct thread *t, uint64_t address, const char *text) {
    assert_int_equal(user_write(t->process->space, address, text, strlen(text)), 0);
}

static void expect_bytes(struct thread *t, uint64_t address, const char *expected) {
    char got[100] = "";
    memory_get(t, address, got, strlen(expected));
    assert_string_equal(got, expected);
}

static void positions_advance_and_move(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDWR, 0);
    expect_read(t, (int)fd, 4, "0123");
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 2, SEEK_CUR), 6);
    expect_read(t, (int)fd, 10, "6789");
    assert_int_equal(CALL_3(t, SYS_lseek, fd, -3, SEEK_END), 7);
    call_write(t, (int)fd, "ABCDE");
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 0, SEEK_CUR), 12);
    assert_int_equal(CALL_3(t, SYS_lseek, fd, -1, SEEK_SET), -EINVAL);
    expect_host_file(f, "x", "0123456ABCDE");
    uint64_t buffer = fixture_map(t);
    assert_int_equal(CALL_4(t, SYS_pread64, fd, buffer, 3, 1), 3);
    expect_bytes(t, buffer, "123");
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 0, SEEK_CUR), 12);
}

static void appending_ignores_the_position(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    const char *path = fixture_write(f, "x", "start", 5, 0644);
    long a = call_open(t, path, O_WRONLY | O_APPEND, 0), b = call_open(t, path, O_WRONLY, 0);
    call_write(t, (int)a, "1");
    call_write(t, (int)b, "S");
    CALL_3(t, SYS_lseek, a, 0, SEEK_SET);
    call_write(t, (int)a, "2");
    assert_int_equal(CALL_3(t, SYS_lseek, a, 0, SEEK_CUR), 7);
    CALL_3(t, SYS_fcntl, b, F_SETFL, O_APPEND);
    call_write(t, (int)b, "3");
    CALL_3(t, SYS_fcntl, b, F_SETFL, 0);
    CALL_3(t, SYS_lseek, b, 1, SEEK_SET);
    call_write(t, (int)b, "T");
    expect_host_file(f, "x", "STart123");
}

static void vectors_are_gathered_and_scattered(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = call_open(t, fixture_write(f, "x", "", 0, 0644), O_RDWR, 0);
    uint64_t buffer = memory_before_hole(t, 1);
    store(t, buffer, "abcdef");
    struct iovec v[3] = {{(void *)buffer, 2}, {NULL, 0}, {(void *)(buffer + 4), 2}};
    assert_int_equal(CALL_3(t, SYS_writev, fd, memory_put(t, v, sizeof(v)), 3), 4);
    expect_host_file(f, "x", "abef");
    v[2] = (struct iovec){(void *)(buffer + PAGE_SIZE - 1), 2};
    CALL_3(t, SYS_lseek, fd, 0, SEEK_SET);
    assert_int_equal(CALL_3(t, SYS_readv, fd, memory_put(t, v, sizeof(v)), 3), 3);
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 0, SEEK_CUR), 3); /* what the hole could not take */
    assert_int_equal(CALL_3(t, SYS_readv, fd, 1, 3), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_readv, fd, buffer, 1025), -EINVAL);
}

static void bad_buffers_cut_the_transfer(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDWR, 0);
    uint64_t end = memory_before_hole(t, 1) + PAGE_SIZE;
    assert_int_equal(CALL_3(t, SYS_read, fd, end, 5), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_read, fd, end - 3, 5), 3);
    expect_read(t, (int)fd, 2, "34");
    store(t, end - 2, "XY");
    assert_int_equal(CALL_3(t, SYS_write, fd, end - 2, 5), 2);
    assert_int_equal(CALL_3(t, SYS_write, fd, end, 5), -EFAULT);
    assert_int_equal(CALL_3(t, SYS_write, fd, UINT64_MAX - 2, 5), -EFAULT);
    expect_host_file(f, "x", "01234XY789");
}

static void a_mapping_sees_writes_and_reads_see_it(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDWR, 0);
    uint64_t m = map_shared(t, fd, PAGE_SIZE);
    expect_bytes(t, m, "0123456789");
    store(t, m + 2, "AB");
    expect_read(t, (int)fd, 6, "01AB45");
    call_write(t, (int)fd, "CD");
    expect_bytes(t, m, "01AB45CD89");
    expect_host_file(f, "x", "012345CD89"); /* not yet written back */
    assert_int_equal(CALL_1(t, SYS_fsync, fd), 0);
    expect_host_file(f, "x", "01AB45CD89");
    assert_int_equal(CALL_1(t, SYS_close, fd), 0);
    store(t, m, "Z");
    assert_int_equal(CALL_2(t, SYS_munmap, m, PAGE_SIZE), 0);
    expect_host_file(f, "x", "Z1AB45CD89"); /* through the object's own descriptor */
}

static void truncation_takes_pages_away(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char content[2 * PAGE_SIZE];
    memset(content, 'x', sizeof(content));
    long fd = call_open(t, fixture_write(f, "x", content, sizeof(content), 0644), O_RDWR, 0);
    uint64_t m = map_shared(t, fd, sizeof(content));
    expect_bytes(t, m + PAGE_SIZE, "xxx");
    assert_int_equal(CALL_2(t, SYS_ftruncate, fd, 3), 0);
    char byte;
    assert_int_equal(user_read(t->process->space, m + PAGE_SIZE, &byte, 1), -EFAULT);
    memory_get(t, m + 3, &byte, 1);
    assert_int_equal(byte, 0);
    assert_int_equal(CALL_2(t, SYS_ftruncate, fd, sizeof(content)), 0);
    memory_get(t, m + PAGE_SIZE, &byte, 1);
    assert_int_equal(byte, 0);
    char path[100];
    snprintf(path, sizeof(path), "%s/x", f->directory);
    assert_true(call_open(t, path, O_WRONLY | O_TRUNC, 0) >= 0);
    assert_int_equal(user_read(t->process->space, m, &byte, 1), -EFAULT);
    assert_int_equal(CALL_2(t, SYS_ftruncate, fd, -1), -EINVAL);
}

static void changes_from_outside_are_seen_at_open(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    const char *path = fixture_write(f, "x", "before", 6, 0644);
    long fd = call_open(t, path, O_RDWR, 0);
    uint64_t m = map_shared(t, fd, PAGE_SIZE);
    expect_bytes(t, m, "before");
    fixture_write(f, "x", "behind it", 9, 0644);
    fd = call_open(t, path, O_RDWR, 0);
    expect_bytes(t, map_shared(t, fd, PAGE_SIZE), "behind it");
}

static void a_size_limit_sends_sigxfsz(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long fd = call_open(t, fixture_write(f, "x", "", 0, 0644), O_WRONLY, 0);
    t->process->limits[RLIMIT_FSIZE].rlim_cur = 4;
    signal_set_blocked(t, signal_bit(SIGXFSZ));
    assert_int_equal(call_write(t, (int)fd, "abcdef"), 4);
    assert_false(signal_pending_set(t) & signal_bit(SIGXFSZ));
    assert_int_equal(call_write(t, (int)fd, "e"), -EFBIG);
    assert_true(signal_pending_set(t) & signal_bit(SIGXFSZ));
    expect_host_file(f, "x", "abcd");
}

static void files_are_copied_from_one_to_another(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    long from = call_open(t, fixture_write(f, "x", "0123456789", 10, 0644), O_RDWR, 0);
    long to = call_open(t, fixture_write(f, "y", "", 0, 0644), O_RDWR, 0);
    uint64_t offset = memory_put(t, &(uint64_t){3}, 8);
    int fds[2];
    assert_int_equal(CALL_4(t, SYS_sendfile, to, from, offset, 4), 4);
    assert_int_equal(memory_int(t, offset, 0), 7);
    assert_int_equal(CALL_3(t, SYS_lseek, from, 0, SEEK_CUR), 0);
    assert_int_equal(fixture_call(t, SYS_copy_file_range, (uint64_t)from, 0, (uint64_t)to, 0, 2, 0), 2);
    expect_host_file(f, "y", "345601");
    make_pipe(t, 0, fds);
    assert_int_equal(CALL_4(t, SYS_sendfile, fds[1], from, 0, 100), 8);
    expect_read(t, fds[0], 100, "23456789");
    assert_int_equal(CALL_4(t, SYS_sendfile, to, fds[0], 0, 1), -EINVAL);
}

static void cached_files_leave_descriptors_to_others(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct rlimit before, few;
    char name[16];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < 80; i++) {
        snprintf(name, sizeof(name), "file%d", i);
        fixture_write(f, name, "content", 7, 0644);
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", f->directory, name);
        long fd = call_open(t, path, O_RDWR, 0);
        uint64_t m = map_shared(t, fd, PAGE_SIZE);
        store(t, m, "C");
        CALL_2(t, SYS_munmap, m, PAGE_SIZE);
        CALL_1(t, SYS_close, fd);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_host_file(f, "file0", "Content");
    expect_host_file(f, "file79", "Content");
}

static void memory_files_live_in_the_machine(void **state) {
    struct thread *t = fixture_first(*state);
    long fd = CALL_2(t, SYS_memfd_create, memory_string(t, "name"), 0);
    assert_int_equal(call_write(t, (int)fd, "hello"), 5);
    assert_int_equal(CALL_2(t, SYS_ftruncate, fd, PAGE_SIZE + 1), 0);
    uint64_t m = map_shared(t, fd, PAGE_SIZE);
    expect_bytes(t, m, "hello");
    store(t, m, "J");
    CALL_3(t, SYS_lseek, fd, 0, SEEK_SET);
    expect_read(t, (int)fd, 5, "Jello");
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 0, SEEK_END), PAGE_SIZE + 1);
    assert_int_equal(CALL_3(t, SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_GROW), -EPERM);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(positions_advance_and_move),
        TEST(appending_ignores_the_position),
        TEST(vectors_are_gathered_and_scattered),
        TEST(bad_buffers_cut_the_transfer),
        TEST(a_mapping_sees_writes_and_reads_see_it),
        TEST(truncation_takes_pages_away),
        TEST(changes_from_outside_are_seen_at_open),
        TEST(a_size_limit_sends_sigxfsz),
        TEST(files_are_copied_from_one_to_another),
        TEST(cached_files_leave_descriptors_to_others),
        TEST(memory_files_live_in_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
