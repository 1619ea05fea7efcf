/* Random system calls about files with random arguments: wild pointers, closed descriptors, absurd sizes. The
 * machine survives, its invariants hold, and nothing outside the test's directory is touched: the host's
 * other files are not there (a wild pointer into what getcwd left is a path, too), and no call that makes
 * devices or reaches other processes is among them. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/rng.h"
#include "memory.h"

enum { ROUNDS = 20, CALLS_PER_ROUND = 1500, AREA_PAGES = 4, FILE_SIZE_MAX = 1 << 20 };

static const char *const names[] = {"a",
                                    "b",
                                    "d",
                                    "d/e",
                                    "link",
                                    "fifo",
                                    "d/",
                                    "d/../a",
                                    ".",
                                    "/proc/self/maps",
                                    "/proc/self/fd/3",
                                    "/proc/self",
                                    "/dev/fd/4",
                                    "proc",
                                    "",
                                    "nowhere/x",
                                    "/proc/self/comm"};

static bool is_excluded(int number) {
    switch (number) {
    case SYS_mknod:
    case SYS_mknodat: /* devices */
    case SYS_sync:
    case SYS_syncfs: /* take long */
    case SYS_connect:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg: /* to whom? */
    case SYS_fallocate:
    case SYS_setxattr: return true;
    }
    return false;
}

static size_t list_calls(int *ret_numbers, size_t size) {
    const struct syscall_entry *const tables[] = {
        syscalls_file, syscalls_descriptor, syscalls_path,   syscalls_status,  syscalls_xattr,
        syscalls_poll, syscalls_time,       syscalls_socket, syscalls_inotify,
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct syscall_entry *e = tables[i]; e->number >= 0 && n < size; e++) {
            if (!is_excluded(e->number))
                ret_numbers[n++] = e->number;
        }
    }
    return n;
}

/* The program's memory: the names, one every 32 bytes, then small numbers that make sense as lengths, times
 * and descriptors. */
static uint64_t lay_out_memory(struct thread *t, struct rng *r) {
    uint64_t area = memory_before_hole(t, AREA_PAGES);
    for (uint64_t at = 0; at < AREA_PAGES * PAGE_SIZE; at += 32) {
        const char *name = names[rng_below(r, sizeof(names) / sizeof(names[0]))];
        uint64_t numbers[4] = {rng_below(r, 8), rng_below(r, 100), rng_below(r, 4), rng_below(r, 4096)};
        if (at < AREA_PAGES / 2 * PAGE_SIZE)
            user_write(t->process->space, area + at, name, strlen(name) + 1);
        else
            user_write(t->process->space, area + at, numbers, sizeof(numbers));
    }
    return area;
}

static uint64_t random_argument(struct rng *r, uint64_t area) {
    switch (rng_below(r, 8)) {
    case 0: return rng_below(r, 12);
    case 1: return rng_below(r, 200);
    case 2: return area + rng_below(r, AREA_PAGES / 2 * 128) * 32;
    case 3: return area + AREA_PAGES / 2 * PAGE_SIZE + rng_below(r, AREA_PAGES / 2 * 128) * 32;
    case 4: return area + AREA_PAGES * PAGE_SIZE - rng_below(r, 40);
    case 5: return 1ULL << rng_below(r, 64);
    case 6: return rng_below(r, 2) ? UINT64_MAX : (uint64_t)AT_FDCWD;
    }
    return rng_below(r, 3) ? rng_below(r, 16) : rng_next(r);
}

/* A call that sleeps is interrupted by a signal, whose handler is not run. */
static void interrupt(struct thread *t, const struct cpu_registers *before) {
    signal_send_thread(t, SIGUSR1, NULL);
    call_resumed(t);
    fixture_set(t, before);
    signal_set_blocked(t, 0);
}

/* `page` is overwritten with the string. */
static long call_with_path(struct thread *t, long number, uint64_t page, const char *path, uint64_t second,
                           uint64_t third) {
    user_write(t->process->space, page, path, strlen(path) + 1);
    return CALL_3(t, number, page, second, third);
}

/* The files that it starts with, as descriptors 0 to 5: calls may have closed, renamed or removed them. */
static void open_files(struct thread *t, uint64_t page) {
    CALL_3(t, SYS_close_range, 0, ~0U, 0);
    call_with_path(t, SYS_open, page, "a", O_RDWR | O_CREAT, 0666);
    call_with_path(t, SYS_open, page, "b", O_RDWR | O_CREAT | O_APPEND, 0666);
    call_with_path(t, SYS_open, page, ".", O_RDONLY | O_DIRECTORY, 0);
    call_with_path(t, SYS_open, page, "/proc/self", O_RDONLY | O_DIRECTORY, 0);
    call_with_path(t, SYS_mkdir, page, "d", 0777, 0);
    user_write(t->process->space, page + 100, "link", 5);
    call_with_path(t, SYS_symlink, page, "a", page + 100, 0);
    CALL_2(t, SYS_pipe2, page, 0);
}

static void handle_signals(struct thread *t) {
    uint64_t handler = fixture_map(t);
    for (int s = 1; s <= SIGNAL_COUNT; s++)
        t->process->actions[s].handler = (uint64_t)(uintptr_t)SIG_IGN;
    t->process->actions[SIGUSR1] = (struct signal_action){
        .handler = handler, .flags = 0x04000000 /* SA_RESTORER */, .restorer = handler};
}

static void run_calls(struct fixture *f, struct rng *r) {
    struct thread *t = fixture_first(f);
    int numbers[256];
    size_t count = list_calls(numbers, 256);
    t->process->limits[RLIMIT_FSIZE].rlim_cur = FILE_SIZE_MAX;
    enter_directory(f);
    handle_signals(t);
    uint64_t area = lay_out_memory(t, r), page = fixture_map(t);
    struct cpu_registers before;
    fixture_get(t, &before);
    for (int i = 0; i < CALLS_PER_ROUND; i++) {
        uint64_t a[6];
        if (i % 50 == 0)
            open_files(t, page);
        for (int j = 0; j < 6; j++)
            a[j] = j == 0 && rng_below(r, 2) ? rng_below(r, 8) : random_argument(r, area);
        int number = numbers[rng_below(r, count)];
        if (fixture_call(t, number, a[0], a[1], a[2], a[3], a[4], a[5]) == FIXTURE_SLEEPS)
            interrupt(t, &before);
        if (i % 100 == 0)
            fixture_check(f);
    }
    char command[128]; /* whatever modes it set: the fixture must be able to remove it */
    snprintf(command, sizeof(command), "chmod -R u+rwx '%s'", f->directory);
    assert_int_equal(system(command), 0);
}

static void the_machine_survives_random_calls(void **state) {
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("SEED=%lu\n", seed);
    for (int i = 0; i < ROUNDS; i++) {
        struct rng r = {.state = seed + (uint64_t)i};
        void *fixture;
        fixture_setup_confined(&fixture);
        run_calls(fixture, &r);
        fixture_teardown(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_machine_survives_random_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
