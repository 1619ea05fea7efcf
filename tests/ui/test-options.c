/* The command line of `thimble run`: what each option means, and what a mistake is answered with. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/block.h"
#include "ui/options.h"

enum { ARGUMENTS_MAX = 16 };

/* Splits `line` at blanks; the strings of the result live in `words`. */
static int parse_line(enum options_command command, const char *line, struct options *ret_options,
                      char **ret_message) {
    static char words[512];
    static char *argv[ARGUMENTS_MAX];
    int argc = 0;
    assert_true(strlen(line) < sizeof words);
    argv[argc++] = (char *)"thimble";
    strcpy(words, line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    *ret_message = NULL;
    return options_parse(command, argc, argv, ret_options, ret_message);
}

static struct options parsed_by(enum options_command command, const char *line) {
    struct options options;
    char *message;
    assert_int_equal(parse_line(command, line, &options, &message), 0);
    return options;
}

static struct options parsed(const char *line) {
    return parsed_by(OPTIONS_RUN, line);
}

/* The message must hold both texts: what was wrong, and what to do. */
static void refused_by(enum options_command command, const char *line, const char *wrong,
                       const char *advice) {
    struct options options;
    char *message;
    assert_int_equal(parse_line(command, line, &options, &message), -EINVAL);
    assert_non_null(message);
    if (!strstr(message, wrong) || !strstr(message, advice))
        fail_msg("'%s': the message is '%s', without '%s' or '%s'", line, message, wrong, advice);
    free(message);
}

static void refused(const char *line, const char *wrong, const char *advice) {
    refused_by(OPTIONS_RUN, line, wrong, advice);
}

static void test_defaults(void **state) {
    struct options o = parsed("ls");
    assert_int_equal(o.machine.frames, 65536);
    assert_int_equal(o.machine.available, 0);
    assert_int_equal(o.machine.reserved, 3);
    assert_null(o.machine.page_table);
    assert_int_equal(o.machine.swap_pages, 262144); /* four times 256 MiB is 1 GiB */
    assert_null(o.machine.swap_path);
    assert_string_equal(o.machine.policy, "clock");
    assert_false(o.machine.deterministic);
    assert_int_equal(o.machine.seed, 1);
    assert_int_equal(o.machine.level, CPU_LEVEL_V3);
    assert_int_equal(o.machine.tlb_entries, 1024);
    assert_int_equal(o.machine.max_instructions, 0);
    assert_null(o.trace_path);
    assert_int_equal(o.stats, STATS_DEFAULT);
    assert_null(o.stats_path);
    assert_int_equal(o.program_count, 1);
}

static void test_everything_behind_the_program_is_its_own(void **state) {
    struct options o = parsed("-n 48 ls -n 9 --stats json -- x");
    assert_int_equal(o.machine.frames, 48);
    assert_int_equal(o.stats, STATS_DEFAULT);
    assert_int_equal(o.program_count, 7);
    assert_string_equal(o.program[0], "ls");
    assert_string_equal(o.program[5], "--");
    assert_null(o.program[7]);
}

static void test_two_dashes_end_the_options(void **state) {
    struct options o = parsed("-n 48 -- -odd-name -n");
    assert_int_equal(o.program_count, 2);
    assert_string_equal(o.program[0], "-odd-name");
}

static void test_memory_may_be_said_in_three_ways(void **state) {
    assert_int_equal(parsed("--frames 9 ls").machine.frames, 9);
    assert_int_equal(parsed("-m 192K ls").machine.frames, 48);
    struct options o = parsed("--available 6 ls");
    assert_int_equal(o.machine.frames, 0);
    assert_int_equal(o.machine.available, 6);
    assert_int_equal(parsed("-n 9 -n 12 ls").machine.frames, 12); /* the last one counts */
    refused("-n 9 -m 1M ls", "--frames and --memory both say", "give one of them");
    refused("--available 9 -n 12 ls", "--available and --frames both say", "give one of them");
}

static void test_bad_amounts_of_memory_are_refused(void **state) {
    refused("-n 0 ls", "--frames: '0' is too small", "from 1 to 4294967294");
    refused("-n -5 ls", "--frames: '-5' is not a whole number", "from 1 to");
    refused("-n 4294967295 ls", "'4294967295' is too large", "to 4294967294");
    refused("-n 99999999999999999999 ls", "is too large", "to 4294967294");
    refused("-n 48K ls", "'48K' is not a whole number", "from 1 to");
    refused("-m 0 ls", "--memory: '0' is no memory at all", "from 4K");
    refused("-m -1M ls", "--memory: '-1M' is not a size", "K, M, G or T");
    refused("-m lots ls", "--memory: 'lots' is not a size", "K, M, G or T");
    refused("-m 16384G ls", "--memory: '16384G' is too large", "16383G");
    refused("--available 0 ls", "--available: '0' is too small", "from 1");
    refused("--reserved -1 ls", "--reserved: '-1' is not a whole number", "from 0");
}

static void test_swap(void **state) {
    assert_int_equal(parsed("--swap 28p ls").machine.swap_pages, 28);
    assert_int_equal(parsed("--swap 1M ls").machine.swap_pages, 256);
    assert_int_equal(parsed("--swap none ls").machine.swap_pages, 0);
    assert_int_equal(parsed("-m 1G ls").machine.swap_pages, 4 * 262144);
    assert_int_equal(parsed("-n 9 ls").machine.swap_pages, 262144); /* at least 1 GiB */
    assert_string_equal(parsed("--swap-file /s ls").machine.swap_path, "/s");
    refused("--swap 0 ls", "--swap: '0' is no memory at all", "or none");
    refused("--swap 28q ls", "--swap: '28q' is not a size", "(28p)");
    refused("--swap 99999G ls", "--swap: '99999G' is too large", "or none");
    refused("--swap none --swap-file /s ls", "--swap-file /s and --swap none", "contradict");
}

static void test_policy_list_needs_no_program(void **state) {
    assert_true(parsed("--policy list").list_policies);
    assert_false(parsed("--policy random:seed=3 ls").list_policies);
    assert_string_equal(parsed("-p random:seed=3 ls").machine.policy, "random:seed=3");
}

static void test_cpu_and_limits(void **state) {
    assert_int_equal(parsed("--cpu x86-64-v2 ls").machine.level, CPU_LEVEL_V2);
    assert_int_equal(parsed("--cpu v3 ls").machine.level, CPU_LEVEL_V3);
    refused("--cpu pentium ls", "--cpu: 'pentium' is not a CPU level", "x86-64-v2 and x86-64-v3");
    assert_int_equal(parsed("--tlb 64 ls").machine.tlb_entries, 64);
    refused("--tlb x ls", "--tlb: 'x' is not a whole number", "from 1");
    assert_int_equal(parsed("--max-instructions 1000 ls").machine.max_instructions, 1000);
    refused("--max-instructions 0 ls", "--max-instructions: '0' is too small", "from 1");
}

static void test_what_is_shown(void **state) {
    assert_int_equal(parsed("--stats json ls").stats, STATS_JSON);
    assert_int_equal(parsed("--stats none ls").stats, STATS_NONE);
    assert_string_equal(parsed("--stats-file /f ls").stats_path, "/f");
    assert_string_equal(parsed("--trace t.jsonl ls").trace_path, "t.jsonl");
    refused("--stats xml ls", "--stats: 'xml' is not a format", "text, json and none");
    refused("--trace= ls", "--trace: the name of the file is empty", "");
    assert_true(parsed("--deterministic --seed 7 ls").machine.deterministic);
    assert_int_equal(parsed("--seed 7 ls").machine.seed, 7);
    assert_int_equal(parsed("--deterministic -n 48 ls").machine.told_pages, 0);
    assert_int_equal(parsed("--available 48 ls").machine.told_pages, 0);
    assert_int_equal(parsed("--deterministic --available 48 ls").machine.told_pages, 1 << 20);
    assert_int_equal(parsed("--deterministic --available 48 --tell-memory real ls").machine.told_pages, 0);
    assert_int_equal(parsed("--tell-memory 1M ls").machine.told_pages, 256);
    refused("--tell-memory 5T ls", "--tell-memory: '5T' is too large", "to 4T, or real");
    refused("--seed x ls", "--seed: 'x' is not a whole number", "from 0");
}

static void test_a_program_must_be_given(void **state) {
    refused("-n 48", "no program was given", "thimble run [OPTION...] [--] PROGRAM");
    refused("-n 48 --", "no program was given", "PROGRAM");
}

static void test_contents_are_for_small_machines_that_somebody_watches(void **state) {
    assert_false(parsed("-n 9 ls").machine.record_contents);
    assert_true(parsed("-n 9 --contents yes ls").machine.record_contents);
    assert_true(parsed_by(OPTIONS_STEP, "-n 9 ls").machine.record_contents);
    assert_true(parsed_by(OPTIONS_WEB, "-n 64 ls").machine.record_contents);
    assert_true(parsed_by(OPTIONS_WEB, "--available 61 ls").machine.record_contents); /* 3 are reserved */
    assert_false(parsed_by(OPTIONS_WEB, "-n 65 ls").machine.record_contents);
    assert_false(parsed_by(OPTIONS_WEB, "ls").machine.record_contents);
    assert_true(parsed_by(OPTIONS_WEB, "--contents yes ls").machine.record_contents);
    assert_false(parsed_by(OPTIONS_STEP, "-n 9 --contents no ls").machine.record_contents);
    refused("--contents maybe ls", "--contents: 'maybe'", "yes nor no");
}

static void test_the_title(void **state) {
    assert_null(parsed_by(OPTIONS_STEP, "ls").title);
    assert_string_equal(parsed_by(OPTIONS_WEB, "--title Lecture ls").title, "Lecture");
}

static void test_the_port(void **state) {
    assert_int_equal(parsed_by(OPTIONS_WEB, "ls").port, 0);
    assert_int_equal(parsed_by(OPTIONS_WEB, "--port 8080 ls").port, 8080);
    refused_by(OPTIONS_WEB, "--port 65536 ls", "--port: '65536' is too large", "from 0 to 65535");
    refused_by(OPTIONS_WEB, "--port http ls", "--port: 'http' is not a whole number", "from 0");
}

static void test_where_a_run_that_is_watched_begins(void **state) {
    assert_false(parsed_by(OPTIONS_STEP, "ls").has_until);
    struct options o = parsed_by(OPTIONS_STEP, "--until main ls");
    assert_true(o.has_until);
    assert_int_equal(o.until.kind, GOAL_REACHED);
    assert_int_equal(o.until.reached, EVENT_REACHED_MAIN);
    assert_null(o.symbol);
    o = parsed_by(OPTIONS_WEB, "--until fault=3,pid=7 ls");
    assert_int_equal(o.until.kind, GOAL_FAULT);
    assert_int_equal(o.until.skip, 2);
    assert_int_equal(o.until.pid, 7);
    o = parsed_by(OPTIONS_WEB, "--until sum ls");
    assert_string_equal(o.symbol, "sum");
    assert_int_equal(o.until.reached, EVENT_REACHED_WATCHED);
    assert_int_equal(parsed_by(OPTIONS_STEP, "--until sum --until 0x401000 ls").until.number, 0x401000);
    assert_null(parsed_by(OPTIONS_STEP, "--until sum --until 0x401000 ls").symbol);
    refused_by(OPTIONS_STEP, "--until fault=0 ls", "--until: 'fault=0'", "fault=N");
    refused_by(OPTIONS_WEB, "--until syscall=frobnicate ls", "no system call of this name", "syscall=NAME");
}

/* Writes a file of the beginning of a trace (or of anything else) into the current folder. */
static void write_file(const char *name, const void *bytes, size_t length) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static int enter_folder(void **state) {
    char *folder = strdup("/tmp/thimble-test-XXXXXX");
    *state = folder;
    if (!mkdtemp(folder) || chdir(folder))
        return -1;
    struct block_opening opening = {.magic = BLOCK_MAGIC};
    write_file("recorded", &opening, sizeof opening);
    write_file("short", &opening, sizeof opening - 1);
    write_file("lines.jsonl", "{", 1);
    return 0;
}

static int leave_folder(void **state) {
    int failed = unlink("recorded") | unlink("short") | unlink("lines.jsonl") | rmdir(*state);
    free(*state);
    return failed;
}

static void test_a_trace_is_told_from_a_program(void **state) {
    assert_string_equal(parsed_by(OPTIONS_STEP, "recorded").recording, "recorded");
    assert_string_equal(parsed_by(OPTIONS_WEB, "--port 80 recorded").recording, "recorded");
    assert_null(parsed_by(OPTIONS_STEP, "-- recorded").recording);
    assert_null(parsed_by(OPTIONS_STEP, "-n 9 -- recorded").recording);
    assert_null(parsed_by(OPTIONS_STEP, "short").recording);
    assert_null(parsed_by(OPTIONS_STEP, "no-such-file").recording);
    assert_null(parsed("recorded").recording);
}

static void test_a_trace_is_not_run(void **state) {
    refused_by(OPTIONS_STEP, "-n 9 recorded", "recorded is a recording", "put -- in front");
    refused_by(OPTIONS_STEP, "--trace copy recorded", "recorded is a recording", "put -- in front");
    refused_by(OPTIONS_WEB, "recorded argument", "recorded is a recording", "neither arguments nor");
    refused_by(OPTIONS_STEP, "--until sum recorded", "does not know where 'sum' is", "fault=N");
    assert_true(parsed_by(OPTIONS_STEP, "--until main recorded").has_until);
    refused_by(OPTIONS_WEB, "lines.jsonl", "lines.jsonl holds its events as JSON lines", "--trace");
}

/* ---- the options of a command that analyses references ---- */

struct own {
    const char *policy;
};

static int take_own(void *context, int key, const char *value, char **ret_message) {
    struct own *own = context;
    if (key == 'w' && asprintf(ret_message, "--width: '%s' is no width", value) > 0)
        return -EINVAL;
    own->policy = value;
    return 0;
}

static int parse_analysis(const char *line, bool takes_none, struct own *own, struct options *ret_options,
                          char **ret_message) {
    static const struct argp_option table[] = {
        {"policy", 'p', "LIST", 0, "", 0}, {"width", 'w', "PIXELS", 0, "", 0}, {0}};
    const struct options_analysis analysis = {.name = "thimble curve",
                                              .options = table,
                                              .take = take_own,
                                              .context = own,
                                              .takes_file = true,
                                              .takes_none = takes_none};
    static char words[512]; /* what the options point into */
    static char *argv[ARGUMENTS_MAX];
    int argc = 1;
    argv[0] = (char *)"thimble";
    strcpy(words, line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    *ret_message = NULL;
    return options_parse_analysis(&analysis, argc, argv, ret_options, ret_message);
}

static void test_an_analysis_has_options_of_its_own_before_those_of_the_machine(void **state) {
    struct options o;
    struct own own = {0};
    char *message;
    assert_int_equal(parse_analysis("-p lru,opt -n 77 -- ls -p x", false, &own, &o, &message), 0);
    assert_string_equal(own.policy, "lru,opt");
    assert_string_equal(o.machine.policy, "clock");
    assert_int_equal(o.machine.frames, 77);
    assert_true(o.machine.deterministic);
    assert_int_equal(o.machine.told_pages, OPTIONS_ANALYSIS_FRAMES);
    assert_string_equal(o.program[0], "ls");
    assert_int_equal(o.program_count, 3);
    assert_int_equal(parse_analysis("--real-clock ls", false, &own, &o, &message), 0);
    assert_false(o.machine.deterministic);
    assert_int_equal(parse_analysis("--width 7 ls", false, &own, &o, &message), -EINVAL);
    assert_string_equal(message, "--width: '7' is no width");
    free(message);
}

static void test_an_analysis_reads_a_file_where_a_program_could_stand(void **state) {
    char path[] = "/tmp/thimble-options-XXXXXX", line[64];
    const int fd = mkstemp(path);
    struct options o;
    struct own own = {0};
    char *message;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "page,kind\n", 10), 10);
    close(fd);
    assert_int_equal(parse_analysis(path, false, &own, &o, &message), 0);
    assert_string_equal(o.references, path);
    snprintf(line, sizeof line, "-- %s", path);
    assert_int_equal(parse_analysis(line, false, &own, &o, &message), 0);
    assert_string_equal(o.references, path); /* it cannot be run */
    snprintf(line, sizeof line, "--format csv %s", path);
    assert_int_equal(parse_analysis(line, false, &own, &o, &message), 0);
    assert_string_equal(o.format, "csv");
    snprintf(line, sizeof line, "%s -p opt", path); /* options may follow */
    assert_int_equal(parse_analysis(line, false, &own, &o, &message), 0);
    assert_string_equal(own.policy, "opt");
    snprintf(line, sizeof line, "-n 12 %s", path);
    assert_int_equal(parse_analysis(line, false, &own, &o, &message), -EINVAL);
    assert_non_null(strstr(message, "leave the options of one out"));
    free(message);
    snprintf(line, sizeof line, "%s more", path);
    assert_int_equal(parse_analysis(line, false, &own, &o, &message), -EINVAL);
    assert_non_null(strstr(message, "one argument too many"));
    free(message);
    unlink(path);
    assert_int_equal(parse_analysis("/bin/sh", false, &own, &o, &message), 0);
    assert_null(o.references);
    assert_int_equal(parse_analysis("-p x", false, &own, &o, &message), -EINVAL);
    assert_non_null(strstr(message, "no program was given"));
    free(message);
    assert_int_equal(parse_analysis("-p x", true, &own, &o, &message), 0);
    assert_null(o.program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_analysis_has_options_of_its_own_before_those_of_the_machine),
        cmocka_unit_test(test_an_analysis_reads_a_file_where_a_program_could_stand),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything_behind_the_program_is_its_own),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_memory_may_be_said_in_three_ways),
        cmocka_unit_test(test_bad_amounts_of_memory_are_refused),
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_policy_list_needs_no_program),
        cmocka_unit_test(test_cpu_and_limits),
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_a_program_must_be_given),
        cmocka_unit_test(test_contents_are_for_small_machines_that_somebody_watches),
        cmocka_unit_test(test_the_title),
        cmocka_unit_test(test_the_port),
        cmocka_unit_test(test_where_a_run_that_is_watched_begins),
        cmocka_unit_test(test_a_trace_is_told_from_a_program),
        cmocka_unit_test(test_a_trace_is_not_run),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
