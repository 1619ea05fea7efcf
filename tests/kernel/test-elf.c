/* exec: programs of every kind start as on Linux; malformed ones give the errno that says why, and the old
 * program goes on. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "fixture.h"

static char *const no_strings[] = {NULL};

static int run(struct fixture *f, const char *path) {
    char *argv[] = {"name", NULL};
    return exec_program(fixture_first(f), path, argv, no_strings);
}

static int run_bytes(struct fixture *f, const void *bytes, size_t length) {
    return run(f, fixture_write(f, "program", bytes, length, 0755));
}

static uint64_t rip(struct fixture *f) {
    struct cpu_registers r;
    fixture_get(fixture_first(f), &r);
    return r.rip;
}

static uint64_t auxiliary(const struct process *p, uint64_t type) {
    for (unsigned i = 0; i < p->auxv_count; i += 2)
        if (p->auxv[i] == type)
            return p->auxv[i + 1];
    fail_msg("no such entry in the auxiliary vector");
    return 0;
}

static void fixed_program_starts_at_its_entry(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    const uint64_t entry = 0x400000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    assert_int_equal(run_bytes(f, bytes, fixture_elf(bytes, ET_EXEC)), 0);
    assert_int_equal(rip(f), entry);
    const struct process *p = fixture_first(f)->process;
    assert_int_equal(auxiliary(p, AT_ENTRY), entry);
    assert_int_equal(auxiliary(p, AT_PHDR), 0x400000 + sizeof(Elf64_Ehdr));
    assert_int_equal(auxiliary(p, AT_BASE), 0);
    assert_string_equal(p->comm, "program");
}

static void position_independent_program_goes_to_its_place(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    assert_int_equal(run_bytes(f, bytes, fixture_elf(bytes, ET_DYN)), 0);
    assert_int_equal(rip(f), 0x555555554000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
}

static void bss_is_zero_and_the_heap_is_behind_it(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512], read[PAGE_SIZE];
    size_t length = fixture_elf(bytes, ET_EXEC);
    memset(bytes + length, 0xff, sizeof bytes - length); /* in the file, but not in the segment */
    assert_int_equal(run_bytes(f, bytes, sizeof bytes), 0);
    struct space *space = fixture_first(f)->process->space;
    assert_int_equal(user_read(space, 0x400000 + length, read, sizeof read), 0);
    for (size_t i = 0; i < sizeof read; i++)
        assert_int_equal(read[i], 0);
    assert_int_equal(space_brk(space, 0), 0x403000);
}

/* Nothing but the page with the zeroed tail, and the stack's, may be resident after exec. */
static void exec_loads_no_pages(void **state) {
    struct fixture *f = *state;
    struct space_counts counts;
    uint8_t bytes[512];
    Elf64_Phdr *segment = (Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr));
    size_t length = fixture_elf(bytes, ET_EXEC);
    segment->p_memsz = segment->p_filesz;
    assert_int_equal(run_bytes(f, bytes, length), 0);
    space_get_counts(fixture_first(f)->process->space, &counts);
    assert_int_equal(counts.resident, 1);
}

/* What is wrong with a header, and what exec says to it. */
struct malformed {
    const char *what;
    void (*change)(Elf64_Ehdr *, Elf64_Phdr *);
    int error;
};

static void change_magic(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_ident[0] = 'x';
}
static void change_machine(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_machine = EM_AARCH64;
}
static void change_type(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_type = ET_REL;
}
static void change_entry_size(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_phentsize = 55;
}
static void change_count_to_none(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_phnum = 0;
}
static void change_count_to_many(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_phnum = UINT16_MAX;
}
static void change_headers_offset(Elf64_Ehdr *h, Elf64_Phdr *s) {
    h->e_phoff = UINT64_MAX - 8;
}
static void change_file_size(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_filesz = s->p_memsz + 1;
}
static void change_memory_size(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_memsz = UINT64_MAX;
}
static void change_address(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_vaddr = USER_END;
}
static void change_to_kernel_space(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_vaddr = 0xffffffff80000000;
}
static void change_congruence(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_vaddr += 8;
}
static void change_offset_to_overflow(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_offset = (uint64_t)-PAGE_SIZE;
}
static void change_onto_the_stack(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_vaddr = USER_END - 16 * PAGE_SIZE;
}
static void change_interpreter_to_empty(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_type = PT_INTERP, s->p_filesz = 1;
}
static void change_interpreter_to_long(Elf64_Ehdr *h, Elf64_Phdr *s) {
    s->p_type = PT_INTERP, s->p_filesz = 5000;
}

static const struct malformed malformed[] = {
    {"magic", change_magic, -ENOEXEC},
    {"machine", change_machine, -ENOEXEC},
    {"type", change_type, -ENOEXEC},
    {"entry size", change_entry_size, -ENOEXEC},
    {"no headers", change_count_to_none, -ENOEXEC},
    {"too many headers", change_count_to_many, -ENOEXEC},
    {"headers beyond the file", change_headers_offset, -ENOEXEC},
    {"more in the file than in memory", change_file_size, -EINVAL},
    {"size overflows", change_memory_size, -ENOMEM},
    {"beyond user space", change_address, -ENOMEM},
    {"in kernel space", change_to_kernel_space, -ENOMEM},
    {"offset and address differ", change_congruence, -EINVAL},
    {"segment's offset overflows", change_offset_to_overflow, -EOVERFLOW},
    {"segment on the stack", change_onto_the_stack, -EEXIST},
    {"empty interpreter", change_interpreter_to_empty, -ENOEXEC},
    {"long interpreter", change_interpreter_to_long, -ENOEXEC},
};

static void malformed_programs_give_an_error_and_the_old_one_goes_on(void **state) {
    struct fixture *f = *state;
    struct space *old = fixture_first(f)->process->space;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        uint8_t bytes[512];
        uint64_t before = rip(f);
        size_t length = fixture_elf(bytes, ET_EXEC);
        malformed[i].change((Elf64_Ehdr *)bytes, (Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr)));
        int r = run_bytes(f, bytes, length);
        if (r != malformed[i].error)
            fail_msg("%s: %d instead of %d", malformed[i].what, r, malformed[i].error);
        assert_ptr_equal(fixture_first(f)->process->space, old);
        assert_int_equal(rip(f), before);
    }
}

static void a_cut_in_the_headers_is_refused(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    fixture_elf(bytes, ET_EXEC);
    for (size_t cut = 0; cut < sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr); cut++)
        assert_int_equal(run_bytes(f, bytes, cut), -ENOEXEC);
}

static void what_cannot_be_executed_says_so(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    size_t length = fixture_elf(bytes, ET_EXEC);
    assert_int_equal(run(f, fixture_write(f, "data", bytes, length, 0644)), -EACCES);
    assert_int_equal(run(f, f->directory), -EACCES);
    assert_int_equal(run(f, "/nowhere/at/all"), -ENOENT);
}

/* A program with a PT_INTERP of that path behind its segment. */
static size_t with_interpreter(uint8_t *bytes, const char *path) {
    uint8_t plain[512];
    size_t length = fixture_elf(plain, ET_DYN), at = 400;
    Elf64_Ehdr *h = (Elf64_Ehdr *)bytes;
    Elf64_Phdr *s = (Elf64_Phdr *)(bytes + sizeof *h);
    memset(bytes, 0, 512);
    memcpy(bytes, plain, length);
    h->e_phnum = 2;
    s[0].p_filesz = s[0].p_memsz = 512;
    s[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = at, .p_filesz = strlen(path) + 1};
    memcpy(bytes + at, path, strlen(path) + 1);
    return 512;
}

static void interpreter_is_mapped_top_down_and_started(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512], interpreter[512];
    char path[128];
    strcpy(path, fixture_write(f, "interpreter", interpreter, fixture_elf(interpreter, ET_DYN), 0755));
    assert_int_equal(run_bytes(f, bytes, with_interpreter(bytes, path)), 0);
    const struct process *p = fixture_first(f)->process;
    uint64_t base = auxiliary(p, AT_BASE);
    assert_true(base > 0x7ffff7000000 && base < 0x7ffff7fff000);
    assert_int_equal(rip(f), base + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
    assert_true(auxiliary(p, AT_ENTRY) > 0x555555554000 && auxiliary(p, AT_ENTRY) < 0x555555555000);
}

static void bad_interpreters_are_told_apart(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    char path[128];
    assert_int_equal(run_bytes(f, bytes, with_interpreter(bytes, "/nowhere/ld.so")), -ENOENT);
    strcpy(path, fixture_write(f, "text", "not a program", 13, 0755));
    assert_int_equal(run_bytes(f, bytes, with_interpreter(bytes, path)), -EIO);
    strcpy(path, fixture_write(f, "zeros", (uint8_t[256]){0}, 256, 0755));
    assert_int_equal(run_bytes(f, bytes, with_interpreter(bytes, path)), -ELIBBAD);
    strcpy(path, fixture_write(f, "closed", "not a program", 13, 0644));
    assert_int_equal(run_bytes(f, bytes, with_interpreter(bytes, path)), -EACCES);
}

/* Whatever stands in the headers: an error or a program, never harm to the machine.
 * The seeds are 1 … 1500. */
static void damaged_headers_do_no_harm(void **state) {
    struct fixture *f = *state;
    unsigned started = 0, refused = 0;
    uint8_t interpreter[512], bytes[512];
    char path[128];
    strcpy(path, fixture_write(f, "interpreter", interpreter, fixture_elf(interpreter, ET_DYN), 0755));
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        struct rng rng = {seed};
        with_interpreter(bytes, path);
        for (uint64_t n = 1 + rng_below(&rng, 3); n > 0; n--) {
            size_t at = rng_below(&rng, sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr));
            bytes[at] = (uint8_t)rng_next(&rng);
        }
        int r = run_bytes(f, bytes, sizeof bytes);
        if (r > 0 || !fixture_first(f)->process->space)
            fail_msg("seed %lu: %d", seed, r);
        started += r == 0;
        refused += r < 0;
        const char *wrong = seed % 50 == 0 ? vm_check(f->vm) : NULL;
        if (wrong)
            fail_msg("seed %lu: %s", seed, wrong);
    }
    assert_true(started > 100 &&
                refused > 100); /* else the damage is too small or too large to show anything */
}

/* ---- scripts ---- */

/* The strings that the program was started with, joined by '|'. */
static void read_arguments(const struct process *p, char *to, size_t size) {
    size_t length = p->arg_end - p->arg_start;
    assert_true(length > 0 && length < size);
    assert_int_equal(user_read(p->space, p->arg_start, to, length), 0);
    for (size_t i = 0; i + 1 < length; i++)
        if (to[i] == '\0')
            to[i] = '|';
}

static void script_runs_its_interpreter_with_one_argument(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    char line[256], program[128], script[128], expected[512], arguments[512];
    char *argv[] = {"called", "one", "two", NULL};
    strcpy(program, fixture_write(f, "shell", bytes, fixture_elf(bytes, ET_EXEC), 0755));
    int n = snprintf(line, sizeof line, "#! \t%s \t-a b c \t \necho\n", program);
    strcpy(script, fixture_write(f, "script", line, (size_t)n, 0755));
    assert_int_equal(exec_program(fixture_first(f), script, argv, no_strings), 0);
    read_arguments(fixture_first(f)->process, arguments, sizeof arguments);
    snprintf(expected, sizeof expected, "%s|-a b c|%s|one|two", program, script);
    assert_string_equal(arguments, expected);
    assert_string_equal(fixture_first(f)->process->comm, "script");
}

static void scripts_of_scripts_end_somewhere(void **state) {
    struct fixture *f = *state;
    char line[256], path[128];
    snprintf(path, sizeof path, "%s/loop", f->directory);
    int n = snprintf(line, sizeof line, "#!%s\n", path);
    fixture_write(f, "loop", line, (size_t)n, 0755);
    assert_int_equal(run(f, path), -ELOOP);
}

static void bad_script_lines_are_refused(void **state) {
    struct fixture *f = *state;
    char line[400];
    memset(line, 'x', sizeof line);
    memcpy(line, "#!/", 3);
    assert_int_equal(run_bytes(f, "#!\n", 3), -ENOEXEC);
    assert_int_equal(run_bytes(f, "#!   \n", 6), -ENOEXEC);
    assert_int_equal(run_bytes(f, line, sizeof line), -ENOEXEC);
    assert_int_equal(run_bytes(f, "#!/nowhere/sh\n", 14), -ENOENT);
}

/* ---- the stack ---- */

static void stack_is_as_the_abi_says(void **state) {
    struct fixture *f = *state;
    struct thread *t = fixture_first(f);
    struct cpu_registers r;
    uint64_t words[6 + 2 * 19];
    char text[32];
    fixture_get(t, &r);
    assert_int_equal(r.general[CPU_RSP] % 16, 0);
    assert_int_equal(user_read(t->process->space, r.general[CPU_RSP], words, sizeof words), 0);
    assert_int_equal(words[0], 2); /* argc */
    assert_true(user_string(t->process->space, words[2], text, sizeof text) > 0);
    assert_string_equal(text, "argument");
    assert_int_equal(words[3], 0);
    assert_true(user_string(t->process->space, words[4], text, sizeof text) > 0);
    assert_string_equal(text, "NAME=value");
    assert_int_equal(words[5], 0);
    assert_memory_equal(words + 6, t->process->auxv, t->process->auxv_count * sizeof words[0]);
    assert_int_equal(auxiliary(t->process, AT_PAGESZ), PAGE_SIZE);
    assert_true(user_string(t->process->space, auxiliary(t->process, AT_PLATFORM), text, sizeof text) > 0);
    assert_string_equal(text, "x86_64");
}

static void arguments_that_are_too_long_are_refused(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    size_t size = 33 * PAGE_SIZE;
    char *long_one = malloc(size + 1), *argv[] = {"name", long_one, NULL};
    assert_non_null(long_one);
    memset(long_one, 'x', size);
    long_one[size] = '\0';
    const char *path = fixture_write(f, "program", bytes, fixture_elf(bytes, ET_EXEC), 0755);
    assert_int_equal(exec_program(fixture_first(f), path, argv, no_strings), -E2BIG);
    long_one[size / 2] = '\0';
    assert_int_equal(exec_program(fixture_first(f), path, argv, no_strings), 0);
    free(long_one);
}

/* The n-th allocation fails, for every n: an error or success, and always a whole process. */
static void exec_survives_every_failed_allocation(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    const char *path = fixture_write(f, "program", bytes, fixture_elf(bytes, ET_EXEC), 0755);
    int r = -ENOMEM;
    for (uint64_t n = 1; r != 0; n++) {
        f->inject.calls[INJECT_ALLOC] = 0;
        f->inject.fail_at[INJECT_ALLOC] = n;
        r = run(f, path);
        f->inject.fail_at[INJECT_ALLOC] = 0;
        assert_true(r == 0 || r == -ENOMEM);
        assert_non_null(fixture_first(f)->process->space);
        fixture_check(f);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fixed_program_starts_at_its_entry),
        TEST(position_independent_program_goes_to_its_place),
        TEST(bss_is_zero_and_the_heap_is_behind_it),
        TEST(exec_loads_no_pages),
        TEST(malformed_programs_give_an_error_and_the_old_one_goes_on),
        TEST(a_cut_in_the_headers_is_refused),
        TEST(what_cannot_be_executed_says_so),
        TEST(interpreter_is_mapped_top_down_and_started),
        TEST(bad_interpreters_are_told_apart),
        TEST(damaged_headers_do_no_harm),
        TEST(script_runs_its_interpreter_with_one_argument),
        TEST(scripts_of_scripts_end_somewhere),
        TEST(bad_script_lines_are_refused),
        TEST(stack_is_as_the_abi_says),
        TEST(arguments_that_are_too_long_are_refused),
        TEST(exec_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
