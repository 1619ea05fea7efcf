/* /proc: describes this machine, in Linux's formats. */
#include <dirent.h>

#include "hw/physmem.h"
#include "memory.h"

/* The whole content of a file, good until the next call. */
static const char *content(struct thread *t, const char *path) {
    static char text[16384]; /* the test's own */
    size_t done = 0;
    uint64_t buffer = fixture_map(t);
    long fd = call_open(t, path, O_RDONLY, 0);
    assert_true(fd >= 0);
    for (long n; (n = CALL_3(t, SYS_read, fd, buffer, 1000)) > 0; done += (size_t)n) {
        assert_true(done + (size_t)n < sizeof(text));
        memory_get(t, buffer, text + done, (size_t)n);
    }
    text[done] = '\0';
    CALL_1(t, SYS_close, fd);
    return text;
}

static void expect_link(struct thread *t, const char *path, const char *expected) {
    char text[200] = "";
    uint64_t buffer = fixture_map(t);
    long n = CALL_3(t, SYS_readlink, memory_string(t, path), buffer, sizeof(text) - 1);
    assert_int_equal(n, strlen(expected));
    memory_get(t, buffer, text, (size_t)n);
    assert_string_equal(text, expected);
}

static void maps_are_in_linux_format(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    unsigned long start, end, offset, inode, count = 0;
    char access[8], name[200], expected[200];
    unsigned device[2];
    const char *line = content(t, "/proc/self/maps");
    snprintf(expected, sizeof(expected), "%s/first", f->directory);
    assert_int_equal(sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %199s", &start, &end, access, &offset,
                            &device[0], &device[1], &inode, name),
                     8);
    assert_int_equal(start, 0x400000);
    assert_string_equal(access, "rwxp");
    assert_string_equal(name, expected);
    assert_int_equal(strstr(line, expected) - line, 73); /* where Linux puts names */
    for (const char *c = line; (c = strchr(c, '\n')); c++)
        count++;
    assert_true(count >= 3);
    assert_non_null(strstr(line, " [stack]\n"));
    assert_non_null(strstr(line, " 0 \n")); /* anonymous: a blank behind the inode */
}

static void memory_figures_are_the_machine_s(void **state) {
    struct thread *t = fixture_first(*state);
    const char *text = content(t, "/proc/meminfo");
    assert_non_null(strstr(text, "MemTotal:            500 kB\n")); /* 128 frames, 3 reserved */
    assert_non_null(strstr(text, "SwapTotal:           256 kB\n"));
    assert_non_null(strstr(content(t, "/proc/swaps"), "\t256\t\t"));
    assert_non_null(strstr(content(t, "/proc/vmstat"), "\npgfault "));
    unsigned long size, resident;
    assert_int_equal(sscanf(content(t, "/proc/self/statm"), "%lu %lu", &size, &resident), 2);
    assert_true(resident > 0 && resident <= 125 && size >= resident);
}

static void processes_describe_themselves(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char exe[100];
    snprintf(exe, sizeof(exe), "%s/first", f->directory);
    assert_non_null(strstr(content(t, "/proc/self/status"), "\nPid:\t2\nPPid:\t1\n"));
    assert_memory_equal(content(t, "/proc/2/stat"), "2 (first) R 1 ", 14);
    assert_string_equal(content(t, "/proc/self/environ"), "NAME=value");
    assert_memory_equal(content(t, "/proc/self/cmdline"), "first\0argument", 15);
    expect_link(t, "/proc/self/exe", exe);
    expect_link(t, "/proc/self", "2");
    expect_link(t, "/proc/thread-self", "2/task/2");
    expect_link(t, "/proc/self/root", "/");
    long fd = call_open(t, "/proc/self/comm", O_WRONLY, 0);
    assert_int_equal(call_write(t, (int)fd, "renamed\n"), 8);
    assert_string_equal(content(t, "/proc/2/task/2/comm"), "renamed\n");
    assert_int_equal(call_open(t, "/proc/self/maps", O_WRONLY, 0), -EACCES);
}

static void only_our_processes_are_listed(void **state) {
    struct thread *t = fixture_first(*state);
    char records[4096];
    unsigned processes = 0;
    fork_from(t);
    long fd = call_open(t, "/proc", O_RDONLY | O_DIRECTORY, 0);
    uint64_t buffer = fixture_map(t);
    for (long n; (n = CALL_3(t, SYS_getdents64, fd, buffer, 100)) > 0;) {
        memory_get(t, buffer, records, (size_t)n);
        for (long at = 0; at < n;) {
            const struct dirent64 *d = (const struct dirent64 *)(const void *)(records + at);
            processes += d->d_name[0] >= '0' && d->d_name[0] <= '9';
            at += d->d_reclen;
        }
    }
    assert_int_equal(processes, 2);
    assert_int_equal(call_open(t, "/proc/4/stat", O_RDONLY, 0), -ENOENT);
    assert_int_equal(call_open(t, "/proc/02/stat", O_RDONLY, 0), -ENOENT);
}

static void descriptors_are_links_to_files(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char path[100], link[64];
    int fds[2];
    snprintf(path, sizeof(path), "%s/first", f->directory);
    long fd = call_open(t, path, O_RDONLY, 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
    expect_link(t, link, path);
    uint64_t buffer = fixture_map(t);
    assert_int_equal(CALL_2(t, SYS_stat, memory_string(t, link), buffer), 0);
    CALL_3(t, SYS_lseek, fd, 5, SEEK_SET);
    long again = call_open(t, link, O_RDONLY, 0);
    assert_int_equal(CALL_3(t, SYS_lseek, again, 0, SEEK_CUR), 0); /* an open file of its own */
    make_pipe(t, 0, fds);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fds[0]);
    expect_link(t, link, "pipe:[1]");
    CALL_1(t, SYS_close, fd);
    snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
    assert_int_equal(call_open(t, link, O_RDONLY, 0), -ENOENT);
}

static void a_file_read_in_pieces_fits_together(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t buffer = fixture_map(t);
    char text[16] = "";
    long fd = call_open(t, "/proc/self/comm", O_RDWR, 0);
    assert_int_equal(CALL_3(t, SYS_read, fd, buffer, 3), 3);
    CALL_4(t, SYS_pwrite64, fd, memory_string(t, "other"), 5, 0);
    assert_int_equal(CALL_3(t, SYS_read, fd, buffer + 3, 10), 3);
    memory_get(t, buffer, text, 6);
    assert_string_equal(text, "first\n");
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 0, SEEK_SET), 0);
    assert_int_equal(CALL_3(t, SYS_read, fd, buffer, 10), 6);
    memory_get(t, buffer, text, 6);
    assert_string_equal(text, "other\n");
}

static void the_machine_has_one_cpu(void **state) {
    struct thread *t = fixture_first(*state);
    assert_string_equal(content(t, "/sys/devices/system/cpu/online"), "0\n");
    assert_non_null(strstr(content(t, "/proc/stat"), "\ncpu0 "));
    assert_null(strstr(content(t, "/proc/stat"), "\ncpu1 "));
    assert_int_equal(CALL_1(t, SYS_chdir, memory_string(t, "/sys/devices/system/cpu")), 0);
    assert_string_equal(content(t, "possible"), "0\n");
}

static void memory_can_be_read_by_address(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t there = memory_string(t, "found me"), buffer = fixture_map(t);
    char text[9] = "";
    long fd = call_open(t, "/proc/self/mem", O_RDONLY, 0);
    assert_int_equal(CALL_4(t, SYS_pread64, fd, buffer, 8, there), 8);
    memory_get(t, buffer, text, 8);
    assert_string_equal(text, "found me");
    assert_int_equal(CALL_4(t, SYS_pread64, fd, buffer, 8, 4096), -EIO);
}

static uint64_t pagemap(struct thread *t, long fd, uint64_t address) {
    uint64_t entry, buffer = fixture_map(t);
    assert_int_equal(CALL_4(t, SYS_pread64, fd, buffer, 8, address / PAGE_SIZE * 8), 8);
    memory_get(t, buffer, &entry, sizeof(entry));
    return entry;
}

static void pages_can_be_found_in_their_frames(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    uint64_t touched = memory_string(t, "here"), untouched = fixture_map(t);
    long fd = call_open(t, "/proc/self/pagemap", O_RDONLY, 0);
    uint64_t entry = pagemap(t, fd, touched);
    assert_true(entry >> 63);
    assert_memory_equal(physmem_frame(vm_physmem(f->vm), (pfn_t){(uint32_t)entry}), "here", 5);
    assert_int_equal(pagemap(t, fd, untouched), 0);
    assert_int_equal(CALL_4(t, SYS_pread64, fd, untouched, 7, 0), -EINVAL);
    assert_int_equal(CALL_4(t, SYS_pread64, fd, untouched, 8, USER_END / PAGE_SIZE * 8), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(maps_are_in_linux_format),
        TEST(memory_figures_are_the_machine_s),
        TEST(processes_describe_themselves),
        TEST(only_our_processes_are_listed),
        TEST(descriptors_are_links_to_files),
        TEST(a_file_read_in_pieces_fits_together),
        TEST(the_machine_has_one_cpu),
        TEST(memory_can_be_read_by_address),
        TEST(pages_can_be_found_in_their_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
