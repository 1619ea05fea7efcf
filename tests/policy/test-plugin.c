/* Policies from shared objects: loaded, refused with the reason, run side by side, and caught whatever they
 * do. The argument is the folder of the shared objects. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rescue.h"
#include "base/rng.h"
#include "policy/policies.h"

enum { FRAMES = 24, IN_USE = 20, PAGES = 60, STEPS = 2000, LIMIT_MS = 160 };

static const char *folder;

/* A memory of IN_USE frames with a policy, which is fed random references. */
struct memory {
    const struct policy_ops *ops;
    void *policy;
    uint64_t page[FRAMES];
    bool referenced[FRAMES];
    struct rng rng;
    unsigned news[4];
    char line[1024];  /* of the last news */
    uint64_t victims; /* a checksum of them */
};

static bool memory_test_and_clear(void *context, pfn_t f) {
    struct memory *m = context;
    const bool referenced = m->referenced[f.n];
    m->referenced[f.n] = false;
    return referenced;
}

static void memory_told(void *context, enum policy_news news, const char *line) {
    struct memory *m = context;
    m->news[news]++;
    snprintf(m->line, sizeof m->line, "%s", line);
}

static void crashed(int signal, siginfo_t *info, void *context) {
    rescue_catch(signal, info, context);
    abort();
}

/* cmocka has handlers of its own during a test, which know nothing of rescues. */
static void take_signals(void) {
    const struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
}

static const struct policy_ops *load(const char *specification, const char **ret_parameters) {
    char full[512];
    const struct policy_ops *ops;
    char *message = NULL;
    snprintf(full, sizeof full, "%s/%s", folder, specification);
    if (policy_load(strchr(specification, '.') ? full : specification, &ops, ret_parameters, &message) < 0)
        fail_msg("%s", message);
    /* What they point to must outlive us. */
    *ret_parameters = *ret_parameters ? strchr(specification, ':') + 1 : NULL;
    return ops;
}

static int memory_open(struct memory *m, const char *specification) {
    const char *parameters;
    *m = (struct memory){.ops = load(specification, &parameters), .rng = {7}};
    const struct policy_config config = {.frames = FRAMES,
                                         .capacity = IN_USE,
                                         .seed = 1,
                                         .parameters = parameters,
                                         .test_and_clear_referenced = memory_test_and_clear,
                                         .tell = memory_told,
                                         .context = m};
    return policy_create(m->ops, &config, &m->policy);
}

static void memory_close(struct memory *m) {
    m->ops->destroy(m->policy);
    policy_unload(m->ops);
}

static void memory_remove(struct memory *m, pfn_t f, enum policy_remove reason) {
    const page_id_t page = {m->page[f.n]};
    m->page[f.n] = 0;
    m->ops->remove(m->policy, f, page, reason);
}

static pfn_t memory_find_frame(struct memory *m) {
    for (uint32_t f = 0; f < IN_USE; f++)
        if (!m->page[f])
            return (pfn_t){f};
    const pfn_t victim = m->ops->victim(m->policy);
    assert_true(victim.n < IN_USE && m->page[victim.n]);
    m->victims = m->victims * 31 + victim.n;
    memory_remove(m, victim, POLICY_EVICTED);
    return victim;
}

static void memory_step(struct memory *m) {
    const uint64_t page = 1 + rng_below(&m->rng, PAGES);
    for (uint32_t f = 0; f < IN_USE; f++)
        if (m->page[f] == page) {
            m->referenced[f] = true;
            if (rng_below(&m->rng, 8) == 0) /* its program gives it up */
                memory_remove(m, (pfn_t){f}, POLICY_UNMAPPED);
            return;
        }
    const pfn_t f = memory_find_frame(m);
    m->page[f.n] = page;
    m->referenced[f.n] = true;
    m->ops->insert(m->policy, f, (page_id_t){page});
}

static uint64_t memory_run(const char *specification) {
    struct memory m;
    assert_int_equal(memory_open(&m, specification), 0);
    for (int i = 0; i < STEPS; i++)
        memory_step(&m);
    assert_null(m.ops->check(m.policy));
    memory_close(&m);
    for (int i = 0; i < 4; i++)
        assert_int_equal(m.news[i], 0);
    return m.victims;
}

/* ---- what works ---- */

static void a_plugin_decides_as_the_same_policy_of_thimbles_own(void **state) {
    assert_int_equal(memory_run("acts.so"), memory_run("fifo"));
}

static void two_instances_share_nothing(void **state) {
    const uint64_t alone = memory_run("acts.so");
    struct memory one, two;
    assert_int_equal(memory_open(&one, "acts.so:share=0.25"), 0);
    assert_int_equal(memory_open(&two, "acts.so:act=1"), 0); /* fails half way */
    assert_ptr_not_equal(one.ops, two.ops);
    for (int i = 0; i < STEPS; i++) {
        memory_step(&one);
        memory_step(&two);
    }
    assert_int_equal(one.victims, alone);
    assert_int_equal(one.news[POLICY_FAILED], 0);
    assert_int_equal(two.news[POLICY_FAILED], 1);
    memory_close(&one);
    memory_close(&two);
}

static void its_memory_is_counted(void **state) {
    struct memory m;
    assert_int_equal(memory_open(&m, "acts.so"), 0);
    const size_t array = FRAMES * sizeof(uint64_t), name = sizeof "acts";
    const size_t bytes = m.ops->bytes(m.policy);
    assert_true(bytes > array + name && bytes < array + name + 100);
    memory_close(&m);
}

static void it_can_talk_and_sees_its_parameters(void **state) {
    struct memory m;
    assert_int_equal(memory_open(&m, "acts.so:share=0.125,act=23"), 0);
    assert_int_equal(m.news[POLICY_SAYS], 1);
    assert_non_null(strstr(m.line, "says: 24 frames, share 0.125"));
    memory_close(&m);
}

/* ---- what is refused ---- */

static void refused(const char *specification, const char *expected) {
    char full[512], *message = NULL;
    const struct policy_ops *ops;
    const char *parameters;
    if (strchr(specification, '/'))
        snprintf(full, sizeof full, "%s", specification);
    else
        snprintf(full, sizeof full, "%s/%s", folder, specification);
    assert_int_equal(policy_load(full, &ops, &parameters, &message), -EINVAL);
    if (!strstr(message, expected))
        fail_msg("the message is '%s', without '%s'", message, expected);
    free(message);
}

static void what_is_no_policy_is_refused_with_the_reason(void **state) {
    refused("missing.so", "No such file or directory");
    refused("old-version.so", "built for version 7 of the interface, this Thimble has version 1");
    refused("no-symbol.so", "exports no symbol `thimble_policy`");
    refused("no-victim.so", "`victim` is NULL: every policy must have one");
    refused("bad-name.so", "its name 'A Name' cannot be used");
    refused("/proc/self/exe", "cannot be loaded: /proc/self/exe: cannot dynamically load");
    refused("/proc/self/stat", "this is no shared object");
    refused("/", "cannot be read: Is a directory");
}

/* A real object whose header says that it is for another processor. */
static void another_processors_object_is_refused(void **state) {
    char path[] = "/tmp/thimble-test-XXXXXX.so", from[512];
    snprintf(from, sizeof from, "%s/acts.so", folder);
    const int fd = mkstemps(path, 3);
    FILE *source = fopen(from, "rb"), *copy = fdopen(fd, "wb");
    assert_non_null(source);
    for (int c, at = 0; (c = getc(source)) != EOF; at++)
        putc(at == 18 ? 183 : c, copy); /* e_machine: AArch64 */
    fclose(source);
    fclose(copy);
    refused(path, "built for another processor (ELF class 2, machine 183)");
    remove(path);
}

static void wrong_parameters_are_refused(void **state) {
    take_signals();
    static const char *const wrong[][2] = {
        {"acts.so:alpha=1", "cannot use 'alpha=1': it has no such parameter; there are act (whole numbers "
                            "from 0 to 99), share (from 0 to 1)"},
        {"acts.so:share=1.5", "the value is out of range"},
        {"acts.so:share=nan", "the value is out of range"},
        {"acts.so:share=", "this is no number"},
        {"acts.so:share= 1", "this is no number"},
        {"acts.so:share=0.1x", "this is no number"},
        {"acts.so:share", "a parameter is given as name=value"},
        {"acts.so:share=1,share=1", "it is given twice"},
        {"acts.so:act=1.5", "it takes whole numbers"},
        {"acts.so:act=0,", "it has no such parameter"},
        {"acts.so:act=14", "its create() returned NULL"},
        {"acts.so:act=15", "crashed in create(): Segmentation fault"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct memory m;
        assert_int_equal(memory_open(&m, wrong[i][0]), -EINVAL);
        assert_int_equal(m.news[POLICY_REFUSES], 1);
        if (!strstr(m.line, wrong[i][1]))
            fail_msg("%s: the message is '%s'", wrong[i][0], m.line);
        policy_unload(m.ops);
    }
}

static void the_name_of_a_file_is_told_from_a_policys(void **state) {
    char *message = NULL;
    const struct policy_ops *ops;
    const char *parameters;
    assert_int_equal(policy_load("best:of=all", &ops, &parameters, &message), -EINVAL);
    assert_non_null(strstr(message, "unknown policy 'best:of=all': there are fifo, "));
    free(message);
    assert_int_equal(policy_load("random:seed=3", &ops, &parameters, &message), 0);
    assert_ptr_equal(ops, &policy_random);
    assert_string_equal(parameters, "seed=3");
    policy_unload(ops);
    assert_int_equal(policy_load("mine.so", &ops, &parameters, &message), -EINVAL);
    assert_non_null(strstr(message, "policy ./mine.so: "));
    free(message);
}

/* ---- what is caught ---- */

static const struct act {
    unsigned act;
    const char *expected;
} acts[] = {
    {1, "named no frame, although 20 hold pages, in victim()"},
    {2, "named frame 24, where numbers are below 24, in victim()"},
    {3, "named frame 20, which holds no page, in victim()"},
    {4, "crashed in victim(): Segmentation fault at address 0x0 (addr2line -f -e "},
    {5, "did not come back from victim() in time (addr2line"},
    {6, "called abort() in victim()"},
    {7, "found its assertion `zero == 1' ("},
    {8, "crashed in victim(): Floating point exception"},
    {9, "crashed in victim(): Segmentation fault at address 0x"},
    {10, "called exit(3) in victim()"},
    {11, "called _exit(3) in victim()"},
    {17, "asked for its parameter 'beta', which it has not declared, in victim()"},
    {18, "for frame 29, where numbers are below 24, in victim()"},
    {19, "gave host->free() what host->alloc() had not given, in victim()"},
    {20, "crashed in insert()"},
    {21, "crashed in remove()"},
    {22, "did not come back from victim() in time"},
};
enum { ACTS = sizeof acts / sizeof *acts };

/* Caught, named once, and CLOCK goes on, which finds all pages that are there. False after a complaint: this
 * runs in threads, where cmocka's own do not work. */
static bool act_is_caught(const struct act *act) {
    struct memory m;
    char specification[32];
    snprintf(specification, sizeof specification, "acts.so:act=%u", act->act);
    if (memory_open(&m, specification) < 0)
        return false;
    for (int i = 0; i < STEPS; i++)
        memory_step(&m);
    const bool caught = m.news[POLICY_FAILED] == 1 && strstr(m.line, act->expected) &&
                        strstr(m.line, ": CLOCK goes on in its place") && !m.ops->check(m.policy);
    memory_close(&m);
    if (!caught || m.news[POLICY_LEAKS])
        print_error("act %u was caught %u times: %s\n", act->act, m.news[POLICY_FAILED], m.line);
    return caught && !m.news[POLICY_LEAKS];
}

static void whatever_it_does_clock_goes_on(void **state) {
    bool caught = true;
    take_signals();
    for (size_t i = 0; i < ACTS; i++)
        caught &= act_is_caught(&acts[i]);
    assert_true(caught);
}

/* Loops take their time: one of three threads has one. */
static void *acts_in_a_thread(void *argument) {
    bool caught = true;
    for (size_t i = 0; i < ACTS; i++)
        if (!strstr(acts[i].expected, "in time") || (argument == NULL && acts[i].act == 5))
            caught &= act_is_caught(&acts[i]);
    return caught ? argument : (void *)UINTPTR_MAX;
}

static void each_thread_has_its_own_guard(void **state) {
    pthread_t threads[3];
    take_signals();
    for (uintptr_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, acts_in_a_thread, (void *)i), 0);
    for (uintptr_t i = 0; i < 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, (void *)i);
    }
}

static void memory_that_it_keeps_is_named(void **state) {
    struct memory m;
    assert_int_equal(memory_open(&m, "acts.so:act=12"), 0);
    memory_close(&m);
    assert_int_equal(m.news[POLICY_LEAKS], 1);
    assert_non_null(strstr(m.line, "kept 1 block of memory (192 bytes)"));
    assert_int_equal(memory_open(&m, "acts.so:act=13"), 0);
    memory_close(&m);
    assert_int_equal(m.news[POLICY_LEAKS], 1);
    assert_non_null(strstr(m.line, "kept 1 block of memory (300 bytes)"));
}

static void a_crash_at_the_end_is_named(void **state) {
    take_signals();
    struct memory m;
    assert_int_equal(memory_open(&m, "acts.so:act=16"), 0);
    memory_close(&m);
    assert_int_equal(m.news[POLICY_FAILED], 1);
    assert_non_null(strstr(m.line, "crashed in destroy()"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_decides_as_the_same_policy_of_thimbles_own),
        cmocka_unit_test(two_instances_share_nothing),
        cmocka_unit_test(its_memory_is_counted),
        cmocka_unit_test(it_can_talk_and_sees_its_parameters),
        cmocka_unit_test(what_is_no_policy_is_refused_with_the_reason),
        cmocka_unit_test(another_processors_object_is_refused),
        cmocka_unit_test(wrong_parameters_are_refused),
        cmocka_unit_test(the_name_of_a_file_is_told_from_a_policys),
        cmocka_unit_test(whatever_it_does_clock_goes_on),
        cmocka_unit_test(each_thread_has_its_own_guard),
        cmocka_unit_test(memory_that_it_keeps_is_named),
        cmocka_unit_test(a_crash_at_the_end_is_named),
    };
    if (argc != 2)
        return 2;
    folder = argv[1];
    rescue_set_limit(LIMIT_MS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
