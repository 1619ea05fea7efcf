/* The scratch folder: its copies can be written, and it vanishes with all that is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenario/workdir.h"

static void join(const struct workdir *w, const char *name, char *path, size_t size) {
    snprintf(path, size, "%s/%s", workdir_path(w), name);
}

static void test_copies_are_whole_and_can_be_written(void **state) {
    struct workdir *w;
    struct stat own, copy;
    char path[4200];
    assert_int_equal(workdir_create(&w), 0);
    assert_int_equal(workdir_copy(w, "/proc/self/exe", "copy"), 0);
    join(w, "copy", path, sizeof path);
    assert_int_equal(stat("/proc/self/exe", &own), 0);
    assert_int_equal(stat(path, &copy), 0);
    assert_int_equal(copy.st_size, own.st_size);
    assert_int_equal(copy.st_mode & 0777, (own.st_mode & 0777) | S_IWUSR);
    assert_int_not_equal(copy.st_ino, own.st_ino);
    assert_int_equal(workdir_copy(w, "/proc/self/exe", "copy"), -EEXIST);
    assert_int_equal(workdir_copy(w, "/nonexistent", "other"), -ENOENT);
    assert_int_equal(workdir_copy(w, "/tmp", "folder"), -EINVAL);
    workdir_destroy(w);
}

static void test_it_vanishes_with_what_was_put_there(void **state) {
    struct workdir *w;
    char path[4200], kept[4096], outside[] = "/tmp/test-workdir-XXXXXX";
    int fd = mkstemp(outside);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(workdir_create(&w), 0);
    snprintf(kept, sizeof kept, "%s", workdir_path(w));
    join(w, "sub", path, sizeof path);
    assert_int_equal(mkdir(path, 0700), 0);
    join(w, "sub/link", path, sizeof path);
    assert_int_equal(symlink(outside, path), 0);
    workdir_destroy(w);
    assert_int_equal(access(kept, F_OK), -1);
    assert_int_equal(access(outside, F_OK), 0); /* a link is removed, not what it names */
    unlink(outside);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_are_whole_and_can_be_written),
        cmocka_unit_test(test_it_vanishes_with_what_was_put_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
