/* The swap disk: pages come back as they went, on every kind of file, and failures are told. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hostcopy.h"
#include "base/rng.h"
#include "hw/disk.h"

enum { PAGES = 1000 };

static slot_t slot(uint32_t n) {
    return (slot_t){n};
}

static void page_fill(uint64_t seed, uint8_t page[PAGE_SIZE]) {
    struct rng rng = {seed};
    rng_fill(&rng, page, PAGE_SIZE);
}

/* A name for a file of its own; the caller frees it and removes the file. */
static char *path_make(void) {
    char *path = NULL;
    assert_true(asprintf(&path, "%s/thimble-test-disk-%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                         (int)getpid()) > 0);
    return path;
}

static void path_remove(char *path) {
    unlink(path);
    free(path);
}

/* Random writes, reads and discards; what was written last comes back. */
static void exercise(struct disk *disk, uint64_t seed) {
    static uint64_t content[PAGES]; /* seed of the page, 0: unknown */
    memset(content, 0, sizeof content);
    struct rng rng = {seed};
    uint8_t page[PAGE_SIZE], expected[PAGE_SIZE];
    for (int step = 0; step < 4000; step++) {
        const uint32_t n = (uint32_t)rng_below(&rng, PAGES);
        if (rng_below(&rng, 2)) {
            content[n] = rng_next(&rng) | 1;
            page_fill(content[n], page);
            assert_int_equal(disk_write(disk, slot(n), page), 0);
        } else if (content[n]) {
            assert_int_equal(disk_read(disk, slot(n), page), 0);
            page_fill(content[n], expected);
            assert_memory_equal(page, expected, PAGE_SIZE);
        }
        for (uint32_t m = n; step % 5 == 0 && m < PAGES && m < n + rng_below(&rng, 200); m++) {
            disk_discard(disk, slot(m));
            content[m] = 0;
        }
    }
}

static void pages_come_back_from_a_temporary_file(void **state) {
    struct disk *disk;
    assert_int_equal(disk_create(NULL, PAGES, NULL, &disk), 0);
    assert_int_equal(disk_pages(disk), PAGES);
    exercise(disk, 1);
    disk_destroy(disk);
}

static void pages_come_back_from_a_named_file(void **state) {
    char *path = path_make();
    struct disk *disk;
    assert_int_equal(disk_create(path, PAGES, NULL, &disk), 0);
    exercise(disk, 2);
    disk_destroy(disk);
    struct stat status;
    assert_int_equal(stat(path, &status), 0); /* it is the user's: it stays */
    assert_int_equal(status.st_size, PAGES * PAGE_SIZE);
    path_remove(path);
}

static void pages_never_written_are_zero(void **state) {
    struct disk *disk;
    assert_int_equal(disk_create(NULL, PAGES, NULL, &disk), 0);
    uint8_t page[PAGE_SIZE];
    static const uint8_t zeros[PAGE_SIZE];
    memset(page, 1, sizeof page);
    assert_int_equal(disk_read(disk, slot(PAGES - 1), page), 0);
    assert_memory_equal(page, zeros, PAGE_SIZE);
    disk_destroy(disk);
}

static void pages_outside_do_not_exist(void **state) {
    uint8_t page[PAGE_SIZE] = {0};
    for (uint32_t pages = 0; pages <= 2; pages += 2) {
        struct disk *disk;
        assert_int_equal(disk_create(NULL, pages, NULL, &disk), 0);
        assert_int_equal(disk_pages(disk), pages);
        assert_int_equal(disk_read(disk, slot(pages), page), -ENXIO);
        assert_int_equal(disk_write(disk, slot(pages), page), -ENXIO);
        assert_int_equal(disk_write(disk, SLOT_NONE, page), -ENXIO);
        disk_discard(disk, slot(pages));
        disk_discard(disk, SLOT_NONE);
        disk_destroy(disk);
    }
}

/* Blocks that the host has given to the file. */
static long blocks(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (long)status.st_blocks;
}

static void the_file_is_sparse_and_discarded_pages_are_given_back(void **state) {
    char *path = path_make();
    struct disk *disk;
    assert_int_equal(disk_create(path, 1u << 28, NULL, &disk), 0); /* 1 TiB */
    assert_true(blocks(path) < 1000);
    uint8_t page[PAGE_SIZE];
    page_fill(1, page);
    for (uint32_t n = 0; n < 512; n++)
        assert_int_equal(disk_write(disk, slot(n), page), 0);
    const long full = blocks(path);
    assert_true(full >= 512 * PAGE_SIZE / 512);
    for (uint32_t n = 0; n < 512; n++)
        if (n != 100)
            disk_discard(disk, slot(n));
    assert_true(blocks(path) <= full / 4);
    uint8_t kept[PAGE_SIZE];
    assert_int_equal(disk_read(disk, slot(100), kept), 0);
    assert_memory_equal(kept, page, PAGE_SIZE);
    disk_destroy(disk);
    path_remove(path);
}

static void injected_failures_are_io_errors(void **state) {
    struct inject inject = {.fail_at[INJECT_SWAP_WRITE] = 2, .fail_at[INJECT_SWAP_READ] = 3};
    inject.for_good[INJECT_SWAP_READ] = true;
    struct disk *disk;
    uint8_t page[PAGE_SIZE], other[PAGE_SIZE], seen[PAGE_SIZE];
    page_fill(1, page);
    page_fill(2, other);
    assert_int_equal(disk_create(NULL, PAGES, &inject, &disk), 0);
    assert_int_equal(disk_write(disk, slot(7), page), 0);
    assert_int_equal(disk_write(disk, slot(7), other), -EIO);
    assert_int_equal(disk_read(disk, slot(7), seen), 0);
    assert_memory_equal(seen, page, PAGE_SIZE); /* the failed write wrote nothing */
    assert_int_equal(disk_write(disk, slot(8), other), 0);
    assert_int_equal(disk_read(disk, slot(8), seen), 0);
    assert_int_equal(disk_read(disk, slot(8), seen), -EIO);
    assert_int_equal(disk_read(disk, slot(7), seen), -EIO);
    disk_destroy(disk);
}

static void failing_allocations_create_nothing(void **state) {
    char *path = path_make();
    for (uint64_t n = 1; n <= 3; n++) {
        struct inject inject = {.fail_at[INJECT_ALLOC] = n};
        struct disk *disk = NULL;
        assert_int_equal(disk_create(path, PAGES, &inject, &disk), -ENOMEM);
        assert_null(disk);
        assert_int_equal(access(path, F_OK), -1);
    }
    path_remove(path);
}

/* A file that shrinks behind our back is an error, not a page of zeros; one that cannot grow is refused. */
static void a_short_file_is_an_error(void **state) {
    char *path = path_make();
    struct disk *disk = NULL;
    uint8_t page[PAGE_SIZE] = {1};
    assert_int_equal(disk_create(path, PAGES, NULL, &disk), 0);
    assert_int_equal(disk_write(disk, slot(10), page), 0);
    assert_int_equal(truncate(path, 10 * PAGE_SIZE + 100), 0);
    assert_int_equal(disk_read(disk, slot(10), page), -EIO);
    assert_int_equal(disk_read(disk, slot(11), page), -EIO);
    disk_destroy(disk);

    const struct rlimit small = {20 * PAGE_SIZE, RLIM_INFINITY};
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    disk = NULL;
    assert_int_equal(disk_create(path, PAGES, NULL, &disk), -EFBIG);
    assert_int_equal(disk_create(NULL, PAGES, NULL, &disk), -EFBIG);
    assert_null(disk);
    assert_int_equal(disk_create(path, 20, NULL, &disk), 0);
    setrlimit(RLIMIT_FSIZE, &before);
    disk_destroy(disk);
    path_remove(path);
}

static void an_existing_file_is_used_as_it_is(void **state) {
    char *path = path_make();
    struct disk *disk;
    uint8_t page[PAGE_SIZE], seen[PAGE_SIZE];
    page_fill(3, page);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(pwrite(fd, page, PAGE_SIZE, 5 * PAGE_SIZE), PAGE_SIZE);
    close(fd);
    assert_int_equal(disk_create(path, 3, NULL, &disk), 0); /* shorter than the file: it is not cut */
    disk_destroy(disk);
    assert_int_equal(disk_create(path, 6, NULL, &disk), 0);
    assert_int_equal(disk_read(disk, slot(5), seen), 0);
    assert_memory_equal(seen, page, PAGE_SIZE);
    disk_destroy(disk);
    path_remove(path);
}

static void unusable_paths_are_refused(void **state) {
    struct disk *disk = NULL;
    assert_int_equal(disk_create("/nonexistent/swap", 8, NULL, &disk), -ENOENT);
    assert_int_equal(disk_create("/tmp", 8, NULL, &disk), -EISDIR);
    assert_int_equal(disk_create("/dev/null", 8, NULL, &disk), -EINVAL);
    assert_null(disk);
}

static void two_machines_do_not_share_a_swap_file(void **state) {
    char *path = path_make();
    struct disk *first, *second = NULL;
    assert_int_equal(disk_create(path, 8, NULL, &first), 0);
    assert_int_equal(disk_create(path, 8, NULL, &second), -EBUSY);
    assert_null(second);
    disk_destroy(first);
    assert_int_equal(disk_create(path, 8, NULL, &second), 0);
    disk_destroy(second);
    path_remove(path);
}

/* ---- the same, with the file mapped ---- */

/* Runs a test with the handler installed (cmocka has one of its own, from before the test to its end). */
static void guarded(void **state) {
    const CMUnitTestFunction test = (CMUnitTestFunction)*state;
    const struct sigaction action = {.sa_sigaction = hostcopy_signal, .sa_flags = SA_SIGINFO};
    struct sigaction before;
    assert_int_equal(sigaction(SIGBUS, &action, &before), 0);
    test(NULL);
    sigaction(SIGBUS, &before, NULL);
}
#define GUARDED(test)                                                                                        \
    { #test " (mapped)", guarded, NULL, NULL, (void *)(test) }

static void one_machine_reads_what_the_map_wrote(void **state) {
    char *path = path_make();
    struct disk *disk;
    uint8_t page[PAGE_SIZE], seen[PAGE_SIZE];
    assert_int_equal(disk_create(path, PAGES, NULL, &disk), 0);
    const int fd = open(path, O_RDONLY);
    for (uint64_t seed = 1; seed <= 3; seed++) { /* by a call, by the map twice */
        page_fill(seed, page);
        assert_int_equal(disk_write(disk, slot(PAGES - 1), page), 0);
        assert_int_equal(pread(fd, seen, PAGE_SIZE, (PAGES - 1) * PAGE_SIZE), PAGE_SIZE);
        assert_memory_equal(seen, page, PAGE_SIZE);
    }
    close(fd);
    disk_destroy(disk);
    path_remove(path);
}

/* Pages that are gone are an error in spite of the map; those that are there stay readable. */
static void a_file_cut_short_is_an_error(void **state) {
    char *path = path_make();
    struct disk *disk;
    uint8_t page[PAGE_SIZE], seen[PAGE_SIZE];
    page_fill(1, page);
    assert_int_equal(disk_create(path, PAGES, NULL, &disk), 0);
    for (uint32_t n = 0; n < 20; n++)
        assert_int_equal(disk_write(disk, slot(n), page), 0);
    assert_int_equal(disk_read(disk, slot(15), seen), 0);
    assert_int_equal(truncate(path, 10 * PAGE_SIZE), 0);
    assert_int_equal(disk_read(disk, slot(15), seen), -EIO);
    assert_int_equal(disk_read(disk, slot(10), seen), -EIO);
    assert_int_equal(disk_read(disk, slot(9), seen), 0);
    assert_memory_equal(seen, page, PAGE_SIZE);
    assert_int_equal(disk_write(disk, slot(15), page), 0); /* a call makes the file longer again */
    assert_int_equal(disk_read(disk, slot(15), seen), 0);
    assert_memory_equal(seen, page, PAGE_SIZE);
    disk_destroy(disk);
    path_remove(path);
}

/* Whether we may mount things where nobody else sees them; without root's rights in a user namespace. */
static bool mounts_become_private(void) {
    const uid_t user = geteuid();
    if (unshare(CLONE_NEWNS) < 0) {
        char line[32];
        const int length = snprintf(line, sizeof line, "0 %u 1", user);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            return false;
        const int map = open("/proc/self/uid_map", O_WRONLY);
        if (map < 0 || write(map, line, (size_t)length) != length)
            return false;
        close(map);
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Whether the directory is now a file system in memory with room for 64 pages. */
static bool small_mount(const char *directory) {
    char options[64];
    snprintf(options, sizeof options, "size=%d", 64 * PAGE_SIZE);
    return mounts_become_private() && mount("swap", directory, "tmpfs", 0, options) == 0;
}

/* In a process of its own, since namespaces are. 0: as it should be; 77: the host does not let us try. */
static int fill_small_mount(const char *directory) {
    char path[128];
    struct disk *disk;
    uint8_t page[PAGE_SIZE], seen[PAGE_SIZE];
    if (!small_mount(directory))
        return 77;
    snprintf(path, sizeof path, "%s/swap", directory);
    if (disk_create(path, PAGES, NULL, &disk))
        return 1;
    page_fill(1, page);
    uint32_t stored = 0;
    while (disk_write(disk, slot(stored), page) == 0)
        stored++;
    if (stored < 32 || stored > 64 || disk_write(disk, slot(stored), page) != -ENOSPC)
        return 2;
    page_fill(2, page);
    for (uint32_t n = 0; n < stored; n++) /* what is there can still be replaced */
        if (disk_write(disk, slot(n), page) || disk_read(disk, slot(n), seen) ||
            memcmp(page, seen, PAGE_SIZE))
            return 3;
    /* Reading a hole through a map would ask the full host for a page. */
    static const uint8_t zeros[PAGE_SIZE];
    if (disk_read(disk, slot(PAGES - 1), seen) || memcmp(zeros, seen, PAGE_SIZE))
        return 4;
    disk_destroy(disk);
    return 0;
}

static void a_full_host_is_told(void **state) {
    char directory[] = "/tmp/thimble-test-disk-XXXXXX";
    assert_non_null(mkdtemp(directory));
    const pid_t child = fork();
    if (child == 0)
        _exit(fill_small_mount(directory));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    rmdir(directory);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_come_back_from_a_temporary_file),
        cmocka_unit_test(pages_come_back_from_a_named_file),
        cmocka_unit_test(pages_never_written_are_zero),
        cmocka_unit_test(pages_outside_do_not_exist),
        cmocka_unit_test(the_file_is_sparse_and_discarded_pages_are_given_back),
        cmocka_unit_test(injected_failures_are_io_errors),
        cmocka_unit_test(failing_allocations_create_nothing),
        cmocka_unit_test(a_short_file_is_an_error),
        cmocka_unit_test(an_existing_file_is_used_as_it_is),
        cmocka_unit_test(unusable_paths_are_refused),
        cmocka_unit_test(two_machines_do_not_share_a_swap_file),
        GUARDED(pages_come_back_from_a_temporary_file),
        GUARDED(pages_come_back_from_a_named_file),
        GUARDED(pages_never_written_are_zero),
        GUARDED(the_file_is_sparse_and_discarded_pages_are_given_back),
        GUARDED(injected_failures_are_io_errors),
        GUARDED(an_existing_file_is_used_as_it_is),
        GUARDED(one_machine_reads_what_the_map_wrote),
        GUARDED(a_file_cut_short_is_an_error),
        GUARDED(a_full_host_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
