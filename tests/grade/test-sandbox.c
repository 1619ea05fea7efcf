/* The sandbox's own answers: which mode a path has, what can be seen on the way to it, what a change leads
 * to. The system calls above it are tested by attacks.py and overlay-model.py. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/sandbox/sandbox.h"
#include "kernel/sandbox/scratch.h"

struct scene {
    char top[PATH_MAX]; /* the real path */
    struct sandbox *box;
};

static void write_file(const struct scene *s, const char *name, const char *text) {
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s->top, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_directory(const struct scene *s, const char *name) {
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s->top, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static int set_up(void **state) {
    struct scene *s = calloc(1, sizeof *s);
    char made[PATH_MAX];
    assert_int_equal(scratch_create(made), 0);
    assert_non_null(realpath(made, s->top));
    make_directory(s, "open");
    make_directory(s, "shut");
    make_directory(s, "open/sub");
    write_file(s, "open/file", "below\n");
    write_file(s, "shut/secret", "secret\n");
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/link", s->top);
    assert_int_equal(symlink("open", path), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    struct scene *s = *state;
    sandbox_destroy(s->box);
    assert_int_equal(scratch_remove(AT_FDCWD, s->top), 0);
    free(s);
    return 0;
}

/* A sandbox that shows nothing but `path` (below the top) in that mode. */
static void make_box(struct scene *s, const char *path, enum sandbox_mode mode) {
    char full[2 * PATH_MAX];
    const char *wrong;
    snprintf(full, sizeof full, "%s/%s", s->top, path);
    const struct sandbox_rule rule = {full, mode};
    const struct sandbox_config config = {
        .wanted = true, .files = SANDBOX_NONE, .rules = &rule, .rule_count = 1};
    assert_int_equal(sandbox_create(&config, NULL, &s->box, &wrong), 0);
}

static enum sandbox_layer look(const struct scene *s, const char *directory, const char *name) {
    char path[2 * PATH_MAX];
    enum sandbox_layer layer;
    mode_t type;
    snprintf(path, sizeof path, "%s%s%s", s->top, *directory ? "/" : "", directory);
    assert_int_equal(sandbox_look(s->box, path, name, &layer, &type), 0);
    return layer;
}

static int change(const struct scene *s, const char *directory, const char *name, enum sandbox_change what) {
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s%s%s", s->top, *directory ? "/" : "", directory);
    return sandbox_change(s->box, path, name, what);
}

static void what_no_rule_names_is_not_there(void **state) {
    struct scene *s = *state;
    make_box(s, "open", SANDBOX_READ_ONLY);
    assert_int_equal(look(s, "", "open"), SANDBOX_LOWER);
    assert_int_equal(look(s, "open", "file"), SANDBOX_LOWER);
    assert_int_equal(look(s, "", "shut"), SANDBOX_MISSING);
    assert_int_equal(look(s, "shut", "secret"), SANDBOX_MISSING);
    assert_int_equal(look(s, "", "opener"), SANDBOX_MISSING); /* a name that begins alike */
}

static void a_directory_above_shows_only_the_way(void **state) {
    struct scene *s = *state;
    struct sandbox_name *names;
    size_t count;
    make_box(s, "open/sub", SANDBOX_READ_ONLY);
    assert_int_equal(sandbox_list(s->box, s->top, &names, &count), 0);
    assert_int_equal(count, 3);
    assert_string_equal(names[2].name, "open");
    sandbox_free_names(names, count);
    assert_int_equal(look(s, "open", "file"), SANDBOX_MISSING);
    assert_int_equal(change(s, "open", "new", SANDBOX_MAKE), -EROFS);
}

static void a_rule_through_a_link_shows_the_link(void **state) {
    struct scene *s = *state;
    char text[PATH_MAX];
    make_box(s, "link", SANDBOX_READ_ONLY);
    assert_int_equal(look(s, "", "link"), SANDBOX_LOWER);
    assert_int_equal(look(s, "open", "file"), SANDBOX_LOWER);
    assert_int_equal(sandbox_read_link(s->box, s->top, "link", SANDBOX_LOWER, text), 4);
    assert_int_equal(look(s, "link", "file"), SANDBOX_MISSING); /* nobody walks through it unseen */
}

static void read_only_refuses_every_change(void **state) {
    struct scene *s = *state;
    char directory[2 * PATH_MAX];
    make_box(s, "open", SANDBOX_READ_ONLY);
    snprintf(directory, sizeof directory, "%s/open", s->top);
    assert_int_equal(change(s, "open", "file", SANDBOX_MODIFY), -EROFS);
    assert_int_equal(change(s, "open", "file", SANDBOX_STATUS), -EROFS);
    assert_int_equal(change(s, "open", "file", SANDBOX_MAKE), -EEXIST);
    assert_int_equal(change(s, "open", "new", SANDBOX_MAKE), -EROFS);
    assert_int_equal(sandbox_remove(s->box, directory, "file", 0), -EROFS);
    assert_int_equal(sandbox_rename(s->box, directory, "file", directory, "other", 0), -EROFS);
}

static void an_overlay_keeps_what_is_below(void **state) {
    struct scene *s = *state;
    char directory[2 * PATH_MAX], path[3 * PATH_MAX];
    struct stat st;
    make_box(s, "open", SANDBOX_OVERLAY);
    snprintf(directory, sizeof directory, "%s/open", s->top);
    int fd = change(s, "open", "file", SANDBOX_REPLACE);
    assert_true(fd >= 0);
    assert_int_equal(fstatat(fd, "file", &st, 0), 0); /* copied up, without its content */
    assert_int_equal(st.st_size, 0);
    assert_int_equal(look(s, "open", "file"), SANDBOX_UPPER);
    assert_int_equal(sandbox_remove(s->box, directory, "file", 0), 0);
    assert_int_equal(look(s, "open", "file"), SANDBOX_MISSING);
    assert_int_equal(sandbox_remove(s->box, directory, "file", 0), -ENOENT);
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 6);
    close(fd);
}

static void a_zone_itself_stays(void **state) {
    struct scene *s = *state;
    make_box(s, "open/sub", SANDBOX_OVERLAY);
    char directory[2 * PATH_MAX];
    snprintf(directory, sizeof directory, "%s/open", s->top);
    assert_int_equal(sandbox_remove(s->box, directory, "sub", AT_REMOVEDIR), -EBUSY);
    assert_int_equal(sandbox_rename(s->box, s->top, "open", s->top, "moved", 0), -EBUSY);
}

static void an_empty_zone_has_nothing_of_the_host(void **state) {
    struct scene *s = *state;
    make_box(s, "open", SANDBOX_EMPTY);
    assert_int_equal(look(s, "", "open"), SANDBOX_UPPER);
    assert_int_equal(look(s, "open", "file"), SANDBOX_MISSING);
    int fd = change(s, "open", "file", SANDBOX_MAKE);
    assert_true(fd >= 0);
    assert_int_equal(mkdirat(fd, "file", 0755), 0);
    assert_int_equal(look(s, "open", "file"), SANDBOX_UPPER);
    close(fd);
}

static void descriptors_lead_to_the_guests_path(void **state) {
    struct scene *s = *state;
    char path[PATH_MAX], expected[2 * PATH_MAX];
    make_box(s, "open", SANDBOX_OVERLAY);
    int fd = change(s, "open", "file", SANDBOX_MODIFY), shut;
    snprintf(expected, sizeof expected, "%s/shut", s->top);
    shut = open(expected, O_PATH | O_DIRECTORY);
    assert_int_equal(sandbox_where(s->box, fd, path), 0);
    snprintf(expected, sizeof expected, "%s/open", s->top);
    assert_string_equal(path, expected);
    assert_int_equal(sandbox_where(s->box, shut, path), -ENOENT);
    close(fd);
    close(shut);
}

static void nothing_can_be_made_where_nothing_is(void **state) {
    struct scene *s = *state;
    make_box(s, "open", SANDBOX_READ_ONLY);
    int fd = sandbox_open_directory(s->box, s->top, SANDBOX_MISSING);
    assert_true(fd >= 0);
    assert_int_equal(mkdirat(fd, "x", 0755), -1);
    assert_int_equal(errno, ENOENT);
    close(fd);
}

static void scratch_of_any_depth_is_removed(void **state) {
    struct scene *s = *state;
    int fd = open(s->top, O_PATH | O_DIRECTORY);
    for (int i = 0; i < 1200; i++) { /* deeper than descriptors and paths reach */
        assert_int_equal(mkdirat(fd, "deep", 0755), 0);
        int next = openat(fd, "deep", O_PATH | O_DIRECTORY);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    close(fd);
    make_box(s, "open", SANDBOX_READ_ONLY); /* and tear_down() removes it all */
}

/* As on an old kernel: openat2() does not exist for this process any more. */
static void forbid_openat2(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ||
        syscall(SYS_openat2, 0, "/", NULL, 0) >= 0 || errno != ENOSYS) {
        fprintf(stderr, "openat2() cannot be forbidden here\n");
        exit(77);
    }
}

int main(int argc, char **argv) {
    if (argc > 1)
        forbid_openat2();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_no_rule_names_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_above_shows_only_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rule_through_a_link_shows_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(read_only_refuses_every_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_overlay_keeps_what_is_below, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zone_itself_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_zone_has_nothing_of_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_lead_to_the_guests_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_can_be_made_where_nothing_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scratch_of_any_depth_is_removed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
