/* The engine's promises about code and counting, on programs of a few bytes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/soft/codecache.h"
#include "os.h"

#define CODE  0x400000ULL
#define STACK 0x600000ULL

enum { FLAG_TF = 1 << 8, ERROR_FETCH_PRESENT = 0x15, ERROR_FETCH = 0x14 };

static const char end_with_syscall[] = "\x0f\x05";

static void start(struct os *os, unsigned tlb_entries) {
    const struct os_config config = {
        .frames = 8, .tlb_entries = tlb_entries, .quantum = 1000, .level = CPU_LEVEL_V2};
    os_create(os, &config);
    os_map(os, CODE, 2 * PAGE_SIZE, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC);
    os_map(os, STACK, PAGE_SIZE, ACCESS_READ | ACCESS_WRITE);
}

static void jump_to(struct os *os, uint64_t rip) {
    struct cpu_registers r = {.rip = rip, .general[CPU_RSP] = STACK + 2048, .rflags = 0x202};
    engine_soft.set_registers(os->engine, os->cpu, &r);
}

static struct cpu_registers registers(struct os *os) {
    struct cpu_registers r;
    engine_soft.get_registers(os->engine, os->cpu, &r);
    return r;
}

static struct engine_counters counters(struct os *os) {
    struct engine_counters c;
    engine_soft.get_counters(os->engine, &c);
    return c;
}

/* Writes code that ends in a system call, runs it, returns rax. */
static uint64_t result_of(struct os *os, uint64_t at) {
    jump_to(os, at);
    assert_int_equal(os_step(os, 1000).kind, TRAP_SYSCALL);
    return registers(os).general[CPU_RAX];
}

/* mov $value, %eax; syscall */
static void write_constant(struct os *os, uint64_t at, uint32_t value) {
    char code[7] = "\xb8";
    memcpy(code + 1, &value, sizeof value);
    memcpy(code + 5, end_with_syscall, 2);
    assert_true(os_write(os, at, code, sizeof code));
}

/* 1: inc %rax; cmp $0, %rcx; je 1b */
static void write_loop(struct os *os) {
    assert_true(os_write(os, CODE, "\x48\xff\xc0\x48\x83\xf9\x00\x74\xf7", 9));
}

static void test_budget_ends_at_the_same_instruction_whatever_the_tlb(void **state) {
    uint64_t rax[2], executed[2];
    for (int i = 0; i < 2; i++) {
        struct os os;
        start(&os, i ? 16 : 4096);
        write_loop(&os);
        jump_to(&os, CODE);
        for (int run = 0; run < 50; run++)
            assert_int_equal(os_step(&os, 1001).kind, TRAP_QUANTUM);
        rax[i] = registers(&os).general[CPU_RAX];
        executed[i] = counters(&os).instructions;
        assert_int_equal(executed[i], rax[i] * 3);
        assert_in_range(executed[i], 50 * 1001, 50 * (1001 + 2));
        os_destroy(&os);
    }
    assert_int_equal(rax[0], rax[1]);
}

static void test_long_budget_is_as_exact(void **state) {
    struct os os;
    start(&os, 64);
    write_loop(&os);
    jump_to(&os, CODE);
    assert_int_equal(os_step(&os, 10000001).kind, TRAP_QUANTUM);
    assert_in_range(counters(&os).instructions, 10000001, 10000003);
    os_destroy(&os);
}

static void test_fault_counts_only_what_was_executed(void **state) {
    struct os os;
    start(&os, 64);
    /* inc %rax four times; mov (%rbx), %rcx; inc %rax; syscall */
    os_write(&os, CODE, "\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\x48\x8b\x0b\x48\xff\xc0\x0f\x05",
             20);
    jump_to(&os, CODE);
    struct trap trap = os_step(&os, 1000);
    assert_int_equal(trap.kind, TRAP_EXCEPTION);
    assert_int_equal(trap.vector, VECTOR_PF);
    assert_int_equal(trap.address, 0);
    assert_int_equal(trap.error_code, 4);
    assert_int_equal(trap.fault, FAULT_NO_MAPPING);
    assert_int_equal(registers(&os).rip, CODE + 12);
    assert_int_equal(registers(&os).general[CPU_RAX], 4);
    assert_int_equal(counters(&os).instructions, 4);
    os_destroy(&os);
}

static void test_repeated_string_counts_iterations(void **state) {
    struct os os;
    start(&os, 64);
    os_write(&os, CODE, "\xf3\xaa\x0f\x05", 4); /* rep stosb; syscall */
    jump_to(&os, CODE);
    engine_soft.set_register(os.engine, os.cpu, CPU_RCX, 100);
    engine_soft.set_register(os.engine, os.cpu, CPU_RDI, STACK);
    assert_int_equal(os_step(&os, 10000).kind, TRAP_SYSCALL);
    assert_int_equal(counters(&os).instructions, 100 + 1 + 1); /* and the last look at rcx */
    os_destroy(&os);
}

static struct engine *engine_to_kick;

static void kick(int signal) {
    engine_soft.kick(engine_to_kick);
}

static void test_kick_ends_the_run_or_the_next(void **state) {
    struct os os;
    start(&os, 64);
    write_loop(&os);
    jump_to(&os, CODE);
    engine_soft.kick(os.engine);
    assert_int_equal(os_step(&os, 1000).kind, TRAP_KICKED);
    assert_int_equal(os_step(&os, 1000).kind, TRAP_QUANTUM);
    engine_to_kick = os.engine;
    signal(SIGALRM, kick);
    ualarm(2000, 0);
    assert_int_equal(os_step(&os, UINT64_MAX).kind, TRAP_KICKED);
    assert_int_equal(counters(&os).instructions, registers(&os).general[CPU_RAX] * 3);
    os_destroy(&os);
}

static void test_new_content_at_the_same_address_is_executed(void **state) {
    struct os os;
    start(&os, 64);
    write_constant(&os, CODE, 1);
    assert_int_equal(result_of(&os, CODE), 1);
    os_map(&os, CODE, PAGE_SIZE, ACCESS_READ | ACCESS_EXEC);
    write_constant(&os, CODE, 2);
    assert_int_equal(result_of(&os, CODE), 2);
    os_destroy(&os);
}

static void test_code_written_by_the_kernel_is_executed(void **state) {
    struct os os;
    start(&os, 64);
    for (uint32_t i = 0; i < 20; i++) {
        write_constant(&os, CODE, i);
        assert_int_equal(result_of(&os, CODE), i);
    }
    os_destroy(&os);
}

/* Every round leaves a code page behind that is never entered again. */
static void test_full_cache_starts_anew(void **state) {
    struct os os;
    start(&os, 64);
    write_constant(&os, CODE + PAGE_SIZE, 77);
    for (uint32_t i = 0; i < CODE_PAGES + 100; i++) {
        write_constant(&os, CODE, i);
        assert_int_equal(result_of(&os, CODE), i);
        if (i % 1000 == 0)
            assert_int_equal(result_of(&os, CODE + PAGE_SIZE), 77);
    }
    uint64_t translations = counters(&os).translations;
    assert_int_equal(result_of(&os, CODE + PAGE_SIZE), 77);
    assert_int_equal(counters(&os).translations, translations + 1); /* it was forgotten meanwhile */
    os_destroy(&os);
}

static void test_translations_survive_what_does_not_change_them(void **state) {
    struct os os;
    start(&os, 64);
    write_constant(&os, CODE, 1);
    result_of(&os, CODE);
    uint64_t translations = counters(&os).translations;
    os_write(&os, CODE + 100, "data", 4); /* beside the code */
    engine_soft.forget_table(os.engine, os.table);
    os_protect(&os, CODE, PAGE_SIZE, ACCESS_READ | ACCESS_EXEC);
    assert_int_equal(result_of(&os, CODE), 1);
    assert_int_equal(counters(&os).translations, translations);
    os_destroy(&os);
}

static void test_two_tables_share_translations(void **state) {
    struct os os;
    struct page_table *other;
    struct table_frames none = {.mem = &os.mem};
    start(&os, 64);
    write_constant(&os, CODE, 7);
    assert_int_equal(result_of(&os, CODE), 7);
    uint64_t translations = counters(&os).translations;
    assert_int_equal(page_table_array.create(&none, &other), 0);
    assert_int_equal(other->ops->prepare(other, vpn_of(CODE)), 0);
    other->ops->set(other, vpn_of(CODE),
                    pte_make_present(os_page(&os, CODE)->frame, ACCESS_READ | ACCESS_EXEC, 0));
    jump_to(&os, CODE);
    struct trap trap;
    engine_soft.run(os.engine, os.cpu, other, 1000, &trap);
    assert_int_equal(trap.kind, TRAP_SYSCALL);
    assert_int_equal(registers(&os).general[CPU_RAX], 7);
    assert_int_equal(counters(&os).translations, translations);
    other->ops->set(other, vpn_of(CODE), (pte_t){0});
    engine_soft.forget_table(os.engine, other);
    other->ops->destroy(other);
    os_destroy(&os);
}

static void test_fetch_needs_execute_permission(void **state) {
    struct os os;
    start(&os, 64);
    write_constant(&os, CODE, 1);
    result_of(&os, CODE);
    os_protect(&os, CODE, PAGE_SIZE, ACCESS_READ);
    jump_to(&os, CODE);
    struct trap trap = os_step(&os, 1000);
    assert_int_equal(trap.vector, VECTOR_PF);
    assert_int_equal(trap.fault, FAULT_PERMISSION);
    assert_int_equal(trap.error_code, ERROR_FETCH_PRESENT);
    assert_int_equal(trap.address, CODE);
    os_destroy(&os);
}

static void test_instruction_across_pages_faults_in_the_second(void **state) {
    struct os os;
    start(&os, 64);
    write_constant(&os, CODE + 2 * PAGE_SIZE - 7, 3);
    assert_int_equal(result_of(&os, CODE + 2 * PAGE_SIZE - 7), 3); /* ends with the page */
    write_constant(&os, CODE + PAGE_SIZE - 3, 5);
    assert_int_equal(result_of(&os, CODE + PAGE_SIZE - 3), 5);
    os_write(&os, CODE + 2 * PAGE_SIZE - 3, "\xb8\0\0", 3);
    jump_to(&os, CODE + 2 * PAGE_SIZE - 3);
    struct trap trap = os_step(&os, 1000);
    assert_int_equal(trap.vector, VECTOR_PF);
    assert_int_equal(trap.error_code, ERROR_FETCH);
    assert_int_equal(trap.address, CODE + 2 * PAGE_SIZE);
    assert_int_equal(registers(&os).rip, CODE + 2 * PAGE_SIZE - 3);
    os_map(&os, CODE + 2 * PAGE_SIZE, PAGE_SIZE, ACCESS_READ | ACCESS_EXEC);
    os_write(&os, CODE + 2 * PAGE_SIZE, "\x06\0\x0f\x05", 4); /* the rest of it */
    assert_int_equal(result_of(&os, CODE + 2 * PAGE_SIZE - 3), 0x60000);
    os_destroy(&os);
}

static void test_trap_flag_stops_behind_each_instruction(void **state) {
    struct os os;
    start(&os, 64);
    os_write(&os, CODE, "\x48\xff\xc0\x48\xff\xc0\x90", 7); /* inc %rax; inc %rax; nop */
    jump_to(&os, CODE);
    struct cpu_registers r = registers(&os);
    r.rflags |= FLAG_TF;
    engine_soft.set_registers(os.engine, os.cpu, &r);
    for (uint64_t i = 1; i <= 2; i++) {
        struct trap trap = os_step(&os, 1000);
        assert_int_equal(trap.vector, VECTOR_DB);
        assert_int_equal(registers(&os).rip, CODE + 3 * i);
        assert_int_equal(registers(&os).general[CPU_RAX], i);
        assert_true(registers(&os).rflags & FLAG_TF);
    }
    os_destroy(&os);
}

static void test_registers_are_kept_for_each_thread(void **state) {
    struct os os;
    struct cpu *other;
    struct cpu_registers r, read;
    uint8_t image[CPU_XSAVE_SIZE] = {0}, back[CPU_XSAVE_SIZE];
    start(&os, 64);
    write_constant(&os, CODE, 9);
    assert_int_equal(engine_soft.cpu_create(os.engine, &other), 0);
    for (unsigned i = 0; i < CPU_REGISTERS; i++)
        r.general[i] = 0x1111111111111111ULL * i;
    r.rip = CODE + 8;
    r.rflags = 0x202 | 0xcd5 | 1 << 10; /* arithmetic flags and DF */
    r.fs_base = 0x1234;
    r.gs_base = 0x5678;
    for (unsigned i = 0; i < 256; i++)
        image[160 + i] = image[576 + i] = (uint8_t)i;
    image[512] = 7;
    engine_soft.set_registers(os.engine, other, &r);
    engine_soft.set_xsave(os.engine, other, image);
    assert_int_equal(result_of(&os, CODE), 9); /* the first thread runs meanwhile */
    engine_soft.get_registers(os.engine, other, &read);
    assert_memory_equal(&r, &read, sizeof r);
    engine_soft.get_xsave(os.engine, other, back);
    assert_memory_equal(image + 160, back + 160, 256);
    assert_memory_equal(image + 576, back + 576, 256);
    engine_soft.cpu_copy(os.engine, os.cpu, other);
    read = registers(&os);
    assert_memory_equal(&r, &read, sizeof r);
    image[512] = 1; /* neither SSE nor AVX: both in their initial state */
    engine_soft.set_xsave(os.engine, other, image);
    engine_soft.get_xsave(os.engine, other, back);
    for (unsigned i = 0; i < 256; i++)
        assert_true(back[160 + i] == 0 && back[576 + i] == 0);
    engine_soft.cpu_destroy(os.engine, other);
    os_destroy(&os);
}

static void test_impossible_configurations_are_refused(void **state) {
    struct physmem mem;
    struct engine *engine;
    assert_int_equal(physmem_create(4, &mem), 0);
    struct engine_config config = {.mem = &mem, .level = CPU_LEVEL_V2, .tlb_entries = 8};
    assert_int_equal(engine_soft.create(&config, &engine), -22);
    config.tlb_entries = 100;
    assert_int_equal(engine_soft.create(&config, &engine), -22);
    physmem_destroy(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_ends_at_the_same_instruction_whatever_the_tlb),
        cmocka_unit_test(test_long_budget_is_as_exact),
        cmocka_unit_test(test_fault_counts_only_what_was_executed),
        cmocka_unit_test(test_repeated_string_counts_iterations),
        cmocka_unit_test(test_kick_ends_the_run_or_the_next),
        cmocka_unit_test(test_new_content_at_the_same_address_is_executed),
        cmocka_unit_test(test_code_written_by_the_kernel_is_executed),
        cmocka_unit_test(test_full_cache_starts_anew),
        cmocka_unit_test(test_translations_survive_what_does_not_change_them),
        cmocka_unit_test(test_two_tables_share_translations),
        cmocka_unit_test(test_fetch_needs_execute_permission),
        cmocka_unit_test(test_instruction_across_pages_faults_in_the_second),
        cmocka_unit_test(test_trap_flag_stops_behind_each_instruction),
        cmocka_unit_test(test_registers_are_kept_for_each_thread),
        cmocka_unit_test(test_impossible_configurations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
