/* Paths: each process's own directory and umask, links, the way into /proc and out of
 * it, directory listings. */
#include <dirent.h>
#include <sys/stat.h>

#include "memory.h"

static long make_directory(struct thread *t, const char *path) {
    return CALL_2(t, SYS_mkdir, memory_string(t, path), 0777);
}

static void expect_cwd(struct thread *t, const char *expected) {
    char path[200];
    uint64_t buffer = fixture_map(t);
    assert_int_equal(CALL_2(t, SYS_getcwd, buffer, PAGE_SIZE), strlen(expected) + 1);
    memory_get(t, buffer, path, strlen(expected) + 1);
    assert_string_equal(path, expected);
}

static struct stat status(struct thread *t, const char *path) {
    struct stat st;
    uint64_t buffer = fixture_map(t);
    assert_int_equal(CALL_2(t, SYS_stat, memory_string(t, path), buffer), 0);
    memory_get(t, buffer, &st, sizeof(st));
    return st;
}

static void each_process_has_its_directory(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    char inner[100];
    enter_directory(f);
    assert_int_equal(make_directory(t, "inner"), 0);
    struct thread *child = fork_from(t);
    assert_int_equal(CALL_1(child, SYS_chdir, memory_string(child, "inner")), 0);
    snprintf(inner, sizeof(inner), "%s/inner", f->directory);
    expect_cwd(child, inner);
    expect_cwd(t, f->directory);
    assert_int_equal(CALL_1(child, SYS_chdir, memory_string(child, "..")), 0);
    expect_cwd(child, f->directory);
    assert_int_equal(CALL_1(t, SYS_chdir, memory_string(t, "nowhere")), -ENOENT);
}

static void each_process_has_its_umask(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    enter_directory(f);
    CALL_1(t, SYS_umask, 027);
    struct thread *child = fork_from(t);
    assert_int_equal(CALL_1(child, SYS_umask, 077), 027);
    call_open(t, "mine", O_CREAT | O_WRONLY, 0666);
    call_open(child, "its", O_CREAT | O_WRONLY, 0666);
    assert_int_equal(status(t, "mine").st_mode & 0777, 0640);
    assert_int_equal(status(t, "its").st_mode & 0777, 0600);
}

static void links_are_followed(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    fixture_write(f, "target", "text", 4, 0644);
    enter_directory(f);
    make_directory(t, "d");
    CALL_2(t, SYS_symlink, memory_string(t, "../target"), memory_string(t, "d/link"));
    CALL_2(t, SYS_symlink, memory_string(t, "d"), memory_string(t, "dir"));
    CALL_2(t, SYS_symlink, memory_string(t, "loop"), memory_string(t, "loop"));
    expect_read(t, (int)call_open(t, "dir/link", O_RDONLY, 0), 10, "text");
    assert_int_equal(call_open(t, "dir/link", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
    assert_int_equal(call_open(t, "loop", O_RDONLY, 0), -ELOOP);
    assert_int_equal(call_open(t, "target/", O_RDONLY, 0), -ENOTDIR);
    assert_int_equal(call_open(t, "target/x", O_RDONLY, 0), -ENOTDIR);
    assert_int_equal(call_open(t, "", O_RDONLY, 0), -ENOENT);
    CALL_2(t, SYS_symlink, memory_string(t, "made"), memory_string(t, "dangling"));
    assert_true(call_open(t, "dangling", O_CREAT | O_WRONLY, 0666) >= 0);
    assert_int_equal(status(t, "made").st_size, 0);
    assert_int_equal(call_open(t, "dangling", O_CREAT | O_EXCL | O_WRONLY, 0666), -EEXIST);
}

static void every_way_leads_to_our_proc(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    static const char *const ways[] = {
        "/proc/self/comm",     "/proc/2/comm", "/proc/self/../2/comm",      "/usr/../proc/./thread-self/comm",
        "///proc//self//comm", "p/2/comm",     "../../../../proc/self/comm"};
    enter_directory(f);
    CALL_2(t, SYS_symlink, memory_string(t, "/proc"), memory_string(t, "p"));
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        expect_read(t, (int)call_open(t, ways[i], O_RDONLY, 0), 100, "first\n");
    assert_int_equal(call_open(t, "/proc/1/comm", O_RDONLY, 0), -ENOENT); /* the host has one */
    assert_int_equal(call_open(t, "/proc/self/comm/x", O_RDONLY, 0), -ENOTDIR);
    assert_int_equal(make_directory(t, "/proc/x"), -ENOENT);
    assert_int_equal(make_directory(t, "/proc/self"), -EEXIST);
}

static void proc_can_be_the_working_directory(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    assert_int_equal(CALL_1(t, SYS_chdir, memory_string(t, "/proc/self/task")), 0);
    expect_cwd(t, "/proc/2/task");
    expect_read(t, (int)call_open(t, "../comm", O_RDONLY, 0), 100, "first\n");
    assert_int_equal(CALL_1(t, SYS_chdir, memory_string(t, "../../..")), 0);
    expect_cwd(t, "/");
    long directory = call_open(t, "/proc/self", O_RDONLY | O_DIRECTORY, 0);
    long fd = CALL_4(t, SYS_openat, directory, memory_string(t, "comm"), O_RDONLY, 0);
    expect_read(t, (int)fd, 100, "first\n");
    assert_int_equal(CALL_1(t, SYS_fchdir, directory), 0);
    expect_cwd(t, "/proc/2");
}

static void removed_directories_have_no_name(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    enter_directory(f);
    make_directory(t, "gone");
    CALL_1(t, SYS_chdir, memory_string(t, "gone"));
    assert_int_equal(CALL_1(t, SYS_rmdir, memory_string(t, "../gone")), 0);
    assert_int_equal(CALL_2(t, SYS_getcwd, fixture_map(t), PAGE_SIZE), -ENOENT);
    assert_int_equal(call_open(t, "x", O_CREAT | O_WRONLY, 0666), -ENOENT);
}

static void names_are_made_moved_and_removed(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    fixture_write(f, "a", "A", 1, 0644);
    enter_directory(f);
    assert_int_equal(CALL_2(t, SYS_rename, memory_string(t, "a"), memory_string(t, "b")), 0);
    assert_int_equal(CALL_2(t, SYS_link, memory_string(t, "b"), memory_string(t, "c")), 0);
    assert_int_equal(status(t, "c").st_nlink, 2);
    assert_int_equal(CALL_1(t, SYS_unlink, memory_string(t, "b")), 0);
    assert_int_equal(CALL_1(t, SYS_unlink, memory_string(t, "b")), -ENOENT);
    assert_int_equal(CALL_2(t, SYS_chmod, memory_string(t, "c"), 0600), 0);
    assert_int_equal(status(t, "c").st_mode, S_IFREG | 0600);
    assert_int_equal(CALL_2(t, SYS_access, memory_string(t, "c"), R_OK), 0);
    assert_int_equal(CALL_2(t, SYS_access, memory_string(t, "d"), F_OK), -ENOENT);
    assert_int_equal(CALL_1(t, SYS_unlink, memory_string(t, "/proc/self/comm")), -EPERM);
    expect_host_file(f, "c", "A");
}

static void directories_are_listed(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    fixture_write(f, "a", "", 0, 0644);
    fixture_write(f, "b", "", 0, 0644);
    long fd = call_open(t, f->directory, O_RDONLY | O_DIRECTORY, 0);
    uint64_t buffer = fixture_map(t);
    unsigned names = 0;
    for (long n; (n = CALL_3(t, SYS_getdents64, fd, buffer, 64)) > 0;) {
        char records[512]; /* a whole struct dirent64 fits, even the last one */
        memory_get(t, buffer, records, (size_t)n);
        for (long at = 0; at < n; names++)
            at += ((struct dirent64 *)(void *)(records + at))->d_reclen;
    }
    assert_int_equal(names, 5); /* with ".", ".." and the program */
    assert_int_equal(CALL_3(t, SYS_getdents64, fd, buffer, 8), 0);
    assert_int_equal(CALL_3(t, SYS_lseek, fd, 0, SEEK_SET), 0);
    assert_int_equal(CALL_3(t, SYS_getdents64, fd, buffer, 8), -EINVAL);
    assert_int_equal(CALL_3(t, SYS_getdents64, fd, 1, 4096), -EFAULT);
    assert_true(CALL_3(t, SYS_getdents64, fd, buffer, 4096) > 0); /* nothing was lost */
}

static void wild_pointers_for_paths_are_efault(void **state) {
    struct thread *t = fixture_first(*state);
    uint64_t hole = memory_before_hole(t, 1) + PAGE_SIZE;
    assert_int_equal(CALL_3(t, SYS_open, hole, O_RDONLY, 0), -EFAULT);
    assert_int_equal(user_write(t->process->space, hole - 2, "aa", 2), 0);
    assert_int_equal(CALL_3(t, SYS_open, hole - 2, O_RDONLY, 0), -EFAULT);
    assert_int_equal(CALL_2(t, SYS_stat, memory_string(t, "/"), hole), -EFAULT);
    assert_int_equal(CALL_2(t, SYS_getcwd, hole, 100), -EFAULT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_process_has_its_directory),
        TEST(each_process_has_its_umask),
        TEST(links_are_followed),
        TEST(every_way_leads_to_our_proc),
        TEST(proc_can_be_the_working_directory),
        TEST(removed_directories_have_no_name),
        TEST(names_are_made_moved_and_removed),
        TEST(directories_are_listed),
        TEST(wild_pointers_for_paths_are_efault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
