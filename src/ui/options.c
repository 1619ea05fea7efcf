/* The command line of the subcommands that run a program: argp finds the options, this file gives them their
 * meaning.
 *
 * Only the form of a value is judged here; what a machine can be built from is the machine's to say. The
 * first mistake ends the parse with one sentence that names the option, the value and what would be right.
 *
 * Options of the machine are common to all (machine_options); those that only some subcommands know stand in
 * a table of their own (step_options, web_options), which argp joins with the common one. */
#include "ui/options.h"

#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "trace/file.h"
#include "ui/curve_sizes.h"
#include "ui/recording.h"
#include "ui/size.h"

enum {
    KEY_RESERVED = 256, /* beyond every character: options without a short form */
    KEY_AVAILABLE,
    KEY_PAGE_TABLE,
    KEY_SWAP,
    KEY_SWAP_FILE,
    KEY_PAGE_CACHE,
    KEY_DETERMINISTIC,
    KEY_SEED,
    KEY_LAYOUT,
    KEY_OBSERVE,
    KEY_TELL_MEMORY,
    KEY_TRACE,
    KEY_STATS,
    KEY_STATS_FILE,
    KEY_MAX_INSTRUCTIONS,
    KEY_CPU,
    KEY_MACHINE,
    KEY_TLB,
    KEY_CONTENTS,
    KEY_UNTIL,
    KEY_PORT,
    KEY_TITLE,
    KEY_FORMAT,
    KEY_REAL_CLOCK,
    KEY_WARM_UP,
    KEY_DURATION,
    KEY_PREFETCH,
};

enum { DEFAULT_FRAMES = 65536, DEFAULT_RESERVED = 3, DEFAULT_TLB = 1024 };
/* What programs are told whose runs in several sizes are to be the same run: 4 GiB,
 * as they are analysed in. */
enum { TOLD_PAGES = OPTIONS_ANALYSIS_FRAMES };
enum { CONTENTS_FRAMES = 64 }; /* as many are drawn one by one */
#define FRAMES_MAX      (UINT32_MAX - 1ULL)
#define SWAP_MIN_PAGES  (1ULL << (30 - PAGE_SHIFT)) /* of the default: 1 GiB */
#define SWAP_MAX_PAGES  (UINT32_MAX - 1ULL)
#define SWAP_PER_MEMORY 4ULL
#define TOLD_MAX_PAGES  (1ULL << (42 - PAGE_SHIFT))

static const struct argp_option machine_options[] = {
    {NULL, 0, NULL, 0, "Memory:", 1},
    {"frames", 'n', "N", 0, "Page frames of 4 KiB in all (default 65536)", 0},
    {"memory", 'm', "SIZE", 0, "The same in bytes; K, M, G, T are powers of 1024", 0},
    {"reserved", KEY_RESERVED, "N", 0, "Frames kept for the operating system (default 3)", 0},
    {"available", KEY_AVAILABLE, "N", 0,
     "Instead of -n: exactly N frames for pages, beside reserved and page-table frames", 0},
    {"page-table", KEY_PAGE_TABLE, "FORMAT", 0,
     "array or x86-64 (default: x86-64 from 256 frames up, array below)", 0},
    {"swap", KEY_SWAP, "SIZE", 0,
     "Swap area in bytes, or in pages with suffix p (28p), or none (default: four times the memory, at least "
     "1G)",
     0},
    {"swap-file", KEY_SWAP_FILE, "PATH", 0, "Swap there instead of in an unlinked temporary file", 0},
    {"page-cache", KEY_PAGE_CACHE, "mapped|all", 0,
     "What of files takes frames: what programs map (default), or also what they read and write, as on Linux",
     0},
    {"policy", 'p', "NAME[:KEY=VALUE,...]", 0,
     "Page replacement policy (default clock); list describes them all", 0},
    {"prefetch", KEY_PREFETCH, "NAME[:KEY=VALUE,...]", 0,
     "Bring pages along with missing ones: fault-around, swap-ahead, swap-ahead-address, policy, joined by + "
     "(default none)",
     0},
    {"machine", KEY_MACHINE, "FILE", 0,
     "The machine, its programs and their names from FILE (JSON), in front of options that change it", 0},
    {NULL, 0, NULL, 0, "CPU:", 2},
    {"cpu", KEY_CPU, "LEVEL", 0, "x86-64-v2 or x86-64-v3 (default)", 0},
    {"tlb", KEY_TLB, "N", 0, "TLB entries, a power of two (default 1024)", 0},
    {"max-instructions", KEY_MAX_INSTRUCTIONS, "N", 0,
     "Stop the machine after N guest instructions, with exit status 124", 0},
    {NULL, 0, NULL, 0, "Repeatable runs:", 3},
    {"deterministic", KEY_DETERMINISTIC, NULL, 0,
     "Virtual clock and seeded randomness: the same command and input give the same trace", 0},
    {"seed", KEY_SEED, "N", 0, "Seed of that randomness and of policies that draw lots (default 1)", 0},
    {"layout", KEY_LAYOUT, "N", 0, "Lay address spaces out by this seed (default 0: always the same)", 0},
    {"tell-memory", KEY_TELL_MEMORY, "SIZE|real", 0,
     "What programs are told that ask how much memory there is, all of it free: the same whatever there is "
     "(default: 4G for analyses and where --deterministic and --available are given, else real)",
     0},
    {"observe", KEY_OBSERVE, "bits:K|all", 0,
     "What policies get that want every reference: all (default), or only which pages of memory were "
     "referenced, each K instructions",
     0},
    {NULL, 0, NULL, 0, "What is shown:", 4},
    {"stats", KEY_STATS, "FORMAT", 0,
     "Summary at exit: text, json or none (default: text if standard error is a terminal, else none)", 0},
    {"stats-file", KEY_STATS_FILE, "FILE", 0,
     "Write the summary to FILE; json if its name ends in .json and --stats does not say otherwise", 0},
    {"trace", KEY_TRACE, "FILE", 0,
     "Record every event: JSON lines if FILE ends in .jsonl or .jsonl.zst, else the native format", 0},
    {"contents", KEY_CONTENTS, "yes|no", 0,
     "Also say what the frames contain (default: when somebody watches and there are at most 64 frames)", 0},
    {0},
};

#define UNTIL_DOC                                                                                            \
    "Run until then before anything is shown: main, _start, fault=N, syscall=NAME, event=N, a symbol or a "  \
    "0xADDRESS"

static const struct argp_option step_options[] = {
    {NULL, 0, NULL, 0, "Watching:", 6},
    {"until", KEY_UNTIL, "GOAL", 0, UNTIL_DOC, 6},
    {"title", KEY_TITLE, "TEXT", 0, "What is watched, as shown above the picture (default: the command)", 6},
    {0},
};

static const struct argp_option web_options[] = {
    {NULL, 0, NULL, 0, "Watching:", 6},
    {"until", KEY_UNTIL, "GOAL", 0, UNTIL_DOC, 6},
    {"title", KEY_TITLE, "TEXT", 0, "What is watched, as shown above the picture (default: the command)", 6},
    {"port", KEY_PORT, "P", 0, "Serve at port P of 127.0.0.1 (default: any that is free)", 6},
    {0},
};

static const struct argp_option analysis_options[] = {
    {NULL, 0, NULL, 0, "References:", 6},
    {"format", KEY_FORMAT, "FORMAT", 0,
     "What FILE is: thimble, oracleGeneral, lackey, csv, perf-script or ostep (default: by its content)", 6},
    {"real-clock", KEY_REAL_CLOCK, NULL, 0,
     "Run the program with the host's clock and randomness (default: deterministic)", 6},
    {"warm-up", KEY_WARM_UP, "SECONDS|Ni", 0,
     "Do not count what happens in the first SECONDS of the run, or, as in 1000000i, before so many "
     "instructions",
     6},
    {"duration", KEY_DURATION, "SECONDS", 0, "End the program so long after that: for services", 6},
    {0},
};

/* Of the machine's options, those that an analysis has no use for. */
static const char *const run_only[] = {"policy", "deterministic", "stats", "stats-file", "trace", "contents"};

static const char *const command_names[] = {
    [OPTIONS_RUN] = "thimble run",
    [OPTIONS_STEP] = "thimble step",
    [OPTIONS_WEB] = "thimble web",
};

static const char *const command_arguments[] = {
    [OPTIONS_RUN] = "[--] PROGRAM [ARG...]",
    [OPTIONS_STEP] = "[--] PROGRAM [ARG...]\nTRACE",
    [OPTIONS_WEB] = "[--] PROGRAM [ARG...]\nTRACE",
};

#define STATUS_DOC                                                                                           \
    "The exit status is the program's own, or 128 + the signal that ended it; 124 when "                     \
    "--max-instructions was reached, 125 when the machine could not be built or failed, 126 when "           \
    "PROGRAM cannot be executed, 127 when it was not found.\n\nSee also: man thimble"

static const char *const command_docs[] = {
    [OPTIONS_RUN] = "Run PROGRAM on a machine that has exactly the memory asked for.\v" STATUS_DOC,
    [OPTIONS_STEP] = "Watch what virtual memory does, step by step, in this terminal: for PROGRAM while it "
                     "runs, or from a TRACE that thimble run --trace recorded.\v" STATUS_DOC,
    [OPTIONS_WEB] =
        "Watch what virtual memory does, step by step, in a browser on this computer: for PROGRAM "
        "while it runs, or from a TRACE that thimble run --trace recorded. The address of the page "
        "is printed; Ctrl-C ends it.\v" STATUS_DOC,
};

/* While argp goes through the arguments. */
struct parse {
    struct options options;
    char *message;          /* the first mistake, NULL: none yet */
    const char *memory_by;  /* which of the options that say how much memory was given */
    const char *swap_text;  /* as given, NULL: default */
    bool machine_described; /* some option of the machine was given */
    bool contents_said;
    bool told_said; /* what programs are told of memory */
    bool quoted;    /* "--" stood before the program */
    /* of an analysis: */
    const struct options_analysis *analysis; /* NULL: none */
    struct argp_option machine_options[ARRAY_LENGTH(machine_options)];
    bool clock_is_real;
};

__attribute__((format(printf, 2, 3))) static error_t refuse(struct parse *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&p->message, format, arguments) < 0)
        p->message = NULL;
    va_end(arguments);
    return EINVAL;
}

static error_t take_number(struct parse *p, const char *option, const char *text, uint64_t min, uint64_t max,
                           uint64_t *ret_number) {
    return number_take(option, text, min, max, ret_number, &p->message) ? EINVAL : 0;
}

/* Only one option may say how much memory there is. */
static error_t take_memory(struct parse *p, const char *option, const char *text) {
    if (p->memory_by && strcmp(p->memory_by, option))
        return refuse(p, "%s and %s both say how much memory there is: give one of them", p->memory_by,
                      option);
    p->memory_by = option;
    uint64_t frames = 0;
    error_t error = 0;
    const char *wrong = NULL;
    if (strcmp(option, "--memory"))
        error = take_number(p, option, text, 1, FRAMES_MAX, &frames);
    else if ((wrong = size_parse(text, false, &frames)) != NULL || frames > FRAMES_MAX)
        error = refuse(p, "%s: '%s' %s: give bytes with an optional K, M, G or T, from 4K to 16383G", option,
                       text, wrong ? wrong : "is too large");
    bool available = !strcmp(option, "--available");
    p->options.machine.available = available ? (uint32_t)frames : 0;
    p->options.machine.frames = available ? 0 : (uint32_t)frames;
    return error;
}

static error_t take_reserved(struct parse *p, const char *text) {
    uint64_t frames = 0;
    error_t error = take_number(p, "--reserved", text, 0, FRAMES_MAX, &frames);
    p->options.machine.reserved = (uint32_t)frames;
    return error;
}

static error_t take_tlb(struct parse *p, const char *text) {
    uint64_t entries = 0;
    error_t error = take_number(p, "--tlb", text, 1, UINT32_MAX, &entries);
    p->options.machine.tlb_entries = (unsigned)entries;
    return error;
}

static error_t take_cpu(struct parse *p, const char *text) {
    static const char prefix[] = "x86-64-";
    const char *level = strncmp(text, prefix, sizeof prefix - 1) ? text : text + sizeof prefix - 1;
    if (!strcmp(level, "v2"))
        p->options.machine.level = CPU_LEVEL_V2;
    else if (!strcmp(level, "v3"))
        p->options.machine.level = CPU_LEVEL_V3;
    else
        return refuse(p, "--cpu: '%s' is not a CPU level: there are x86-64-v2 and x86-64-v3", text);
    return 0;
}

static error_t take_stats(struct parse *p, const char *text) {
    if (!strcmp(text, "text"))
        p->options.stats = STATS_TEXT;
    else if (!strcmp(text, "json"))
        p->options.stats = STATS_JSON;
    else if (!strcmp(text, "none"))
        p->options.stats = STATS_NONE;
    else
        return refuse(p, "--stats: '%s' is not a format: there are text, json and none", text);
    return 0;
}

static error_t take_path(struct parse *p, const char *option, const char *text, const char **ret_path) {
    if (!*text)
        return refuse(p, "%s: the name of the file is empty", option);
    *ret_path = text;
    return 0;
}

static error_t take_contents(struct parse *p, const char *text) {
    bool wanted = !strcmp(text, "yes");
    if (!wanted && strcmp(text, "no"))
        return refuse(p, "--contents: '%s' is neither yes nor no", text);
    p->contents_said = true;
    p->options.machine.record_contents = wanted;
    return 0;
}

static error_t take_page_cache(struct parse *p, const char *text) {
    p->options.machine.cache_all = !strcmp(text, "all");
    if (!p->options.machine.cache_all && strcmp(text, "mapped"))
        return refuse(p, "--page-cache: '%s' is neither mapped nor all", text);
    return 0;
}

static error_t take_until(struct parse *p, const char *text) {
    struct options *o = &p->options;
    const char *symbol = NULL;
    const char *wrong = goal_parse(text, &o->until, &symbol);
    if (wrong)
        return refuse(p,
                      "--until: '%s': %s: give main, _start, fault=N, syscall=NAME, event=N, a symbol of the "
                      "program or a 0xADDRESS",
                      text, wrong);
    o->has_until = true;
    o->symbol = symbol;
    return 0;
}

static error_t take_port(struct parse *p, const char *text) {
    uint64_t port = 0;
    error_t error = take_number(p, "--port", text, 0, UINT16_MAX, &port);
    p->options.port = (uint16_t)port;
    return error;
}

static void take_policy(struct parse *p, const char *text) {
    p->options.list_policies = !strcmp(text, "list");
    p->options.machine.policy = text;
}

/* The file is what the options behind it change. */
static error_t take_machine_file(struct parse *p, const char *path) {
    struct options *o = &p->options;
    char *message;
    if (o->machine_file || p->machine_described)
        return refuse(p, "--machine %s: give it once, in front of options that change the machine", path);
    int error = machine_file_read(path, &o->machine_file, &message);
    if (error)
        p->message = message;
    else
        o->machine = *machine_file_config(o->machine_file);
    return error ? -error : 0;
}

static error_t take_observation(struct parse *p, const char *value) {
    return curve_observe_parse(value, &p->options.machine.observe_bits, &p->message) ? EINVAL : 0;
}

static error_t take_told(struct parse *p, const char *text) {
    uint64_t pages = 0;
    const char *wrong = strcmp(text, "real") ? size_parse(text, false, &pages) : NULL;
    if (wrong || pages > TOLD_MAX_PAGES)
        return refuse(p,
                      "--tell-memory: '%s' %s: give bytes with an optional K, M, G or T, from 4K to 4T, or "
                      "real",
                      text, wrong ? wrong : "is too large");
    p->told_said = true;
    p->options.machine.told_pages = (uint32_t)pages;
    return 0;
}

/* Options that describe the machine itself. */
static error_t take_machine_option(int key, char *value, struct parse *p) {
    struct machine_config *machine = &p->options.machine;
    switch (key) {
    case 'n': return take_memory(p, "--frames", value);
    case 'm': return take_memory(p, "--memory", value);
    case KEY_AVAILABLE: return take_memory(p, "--available", value);
    case KEY_RESERVED: return take_reserved(p, value);
    case KEY_PAGE_TABLE: machine->page_table = value; return 0;
    case KEY_SWAP: p->swap_text = value; return 0;
    case KEY_SWAP_FILE: return take_path(p, "--swap-file", value, &machine->swap_path);
    case KEY_PAGE_CACHE: return take_page_cache(p, value);
    case 'p': take_policy(p, value); return 0;
    case KEY_PREFETCH: machine->prefetch = value; return 0;
    case KEY_CPU: return take_cpu(p, value);
    case KEY_MACHINE: return take_machine_file(p, value);
    case KEY_TLB: return take_tlb(p, value);
    case KEY_MAX_INSTRUCTIONS:
        return take_number(p, "--max-instructions", value, 1, INT64_MAX, &machine->max_instructions);
    case KEY_DETERMINISTIC: machine->deterministic = true; return 0;
    case KEY_CONTENTS: return take_contents(p, value);
    case KEY_SEED: return take_number(p, "--seed", value, 0, INT64_MAX, &machine->seed);
    case KEY_LAYOUT: return take_number(p, "--layout", value, 0, INT64_MAX, &machine->layout_seed);
    case KEY_OBSERVE: return take_observation(p, value);
    case KEY_TELL_MEMORY: return take_told(p, value);
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Where a run that is watched begins, and how. */
static error_t take_watching_option(int key, char *value, struct argp_state *state) {
    struct parse *p = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        state->child_inputs[1] = &p->options.confinement;
        return 0;
    case KEY_UNTIL: return take_until(p, value);
    case KEY_PORT: return take_port(p, value);
    case KEY_TITLE: p->options.title = value; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Whether the name is that of a file that no program can be: it is there, and is neither ELF nor a script; or
 * a pipe, of which nothing may be read yet. */
static bool is_no_program(const char *name) {
    char beginning[4] = "";
    struct stat found;
    if (!strcmp(name, "-") || (!stat(name, &found) && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)))
        return true;
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    const size_t got = fread(beginning, 1, sizeof beginning, file);
    const bool is_directory = ferror(file);
    fclose(file);
    const bool is_program =
        (got == 4 && !memcmp(beginning, "\177ELF", 4)) || (got >= 2 && !memcmp(beginning, "#!", 2));
    return !is_directory && !is_program;
}

/* Whether PATH has a program of that name. */
static bool is_in_path(const char *name) {
    const char *folders = getenv("PATH");
    bool found = false;
    while (!strchr(name, '/') && folders && *folders && !found) {
        const int length = (int)strcspn(folders, ":");
        char *path;
        if (asprintf(&path, "%.*s/%s", length, folders, name) < 0)
            return false;
        found = access(path, X_OK) == 0;
        free(path);
        folders += length + (folders[length] == ':');
    }
    return found;
}

/* A file of references, by its content: what is neither ELF nor a script cannot be run. Behind "--" a name
 * that PATH has is a program all the same. Options may follow it. */
static bool is_references(const struct parse *p, const struct argp_state *state, const char *name) {
    const bool is_first = !p->options.program && p->analysis && p->analysis->takes_file;
    return is_first && (p->options.format || (is_no_program(name) && !(state->quoted && is_in_path(name))));
}

static error_t take_references(struct parse *p, struct argp_state *state) {
    p->options.program = state->argv + state->next - 1;
    p->options.program_count = 1;
    p->options.references = p->options.program[0];
    return 0;
}

/* The program: everything behind it is its own. */
static void take_program(struct parse *p, struct argp_state *state) {
    p->options.program = state->argv + state->next - 1;
    p->options.program_count = state->argc - state->next + 1;
    p->quoted = state->quoted != 0;
    state->next = state->argc;
}

static error_t take_argument(struct parse *p, struct argp_state *state, const char *value) {
    if (p->options.references)
        return refuse(
            p, "'%s' is one argument too many: %s is a file of references%s", value, p->options.references,
            is_in_path(p->options.references) ? " (to run the program of that name, put -- in front of it)"
                                              : "");
    if (is_references(p, state, value))
        return take_references(p, state);
    take_program(p, state);
    return 0;
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct parse *p = state->input;
    switch (key) {
    case KEY_TRACE: return take_path(p, "--trace", value, &p->options.trace_path);
    case KEY_STATS: return take_stats(p, value);
    case KEY_STATS_FILE: return take_path(p, "--stats-file", value, &p->options.stats_path);
    case ARGP_KEY_ARG: return take_argument(p, state, value);
    default: break;
    }
    error_t error = take_machine_option(key, value, p);
    const bool is_of_policies = p->analysis && key == KEY_SEED; /* of those that draw lots, too */
    p->machine_described |= error != ARGP_ERR_UNKNOWN && !is_of_policies;
    return error;
}

static error_t finish_swap(struct parse *p) {
    struct machine_config *machine = &p->options.machine;
    if (p->options.machine_file && !p->swap_text)
        return 0;
    uint64_t memory = machine->frames ? machine->frames : (uint64_t)machine->available + machine->reserved;
    uint64_t pages = SWAP_PER_MEMORY * memory;
    if (pages < SWAP_MIN_PAGES)
        pages = SWAP_MIN_PAGES;
    if (pages > SWAP_MAX_PAGES)
        pages = SWAP_MAX_PAGES;
    const char *text = p->swap_text;
    if (text && !strcmp(text, "none")) {
        if (machine->swap_path)
            return refuse(p, "--swap-file %s and --swap none contradict each other", machine->swap_path);
        pages = 0;
    } else if (text) {
        const char *wrong = size_parse(text, true, &pages);
        if (wrong || pages > SWAP_MAX_PAGES)
            return refuse(p,
                          "--swap: '%s' %s: give bytes with an optional K, M, G or T, pages with suffix p "
                          "(28p), or none",
                          text, wrong ? wrong : "is too large");
    }
    machine->swap_pages = (uint32_t)pages;
    return 0;
}

/* A name that stands for a recording is opened as one, unless "--" says that it is a program. */
static error_t finish_recording(struct parse *p, bool *ret_is_recording) {
    struct options *o = &p->options;
    const char *name = o->program[0];
    *ret_is_recording = false;
    if (p->options.command == OPTIONS_RUN || p->quoted)
        return 0;
    if (recording_is_text(name))
        return refuse(p,
                      "%s holds its events as JSON lines, which cannot be wound to and fro: record the run "
                      "with a --trace that does not end in .jsonl or .jsonl.zst",
                      name);
    *ret_is_recording = recording_is_native(name);
    if (!*ret_is_recording)
        return 0;
    if (p->machine_described || o->confinement.given || o->trace_path || o->program_count > 1)
        return refuse(p,
                      "%s is a recording: it takes neither arguments nor options of a machine (to run a "
                      "program of that name, put -- in front of it)",
                      name);
    if (o->symbol)
        return refuse(p,
                      "--until: a recording does not know where '%s' is: give main, _start, fault=N, "
                      "syscall=NAME, event=N or a 0xADDRESS that was watched",
                      o->symbol);
    o->recording = name;
    return 0;
}

/* What an analysis is about. */
static error_t finish_analysis(struct parse *p) {
    struct options *o = &p->options;
    if (o->machine_file && o->program)
        return refuse(p, "%s: --machine says what is run: no program may follow", o->program[0]);
    if (o->machine.prefetch && strcmp(o->machine.prefetch, "none"))
        return refuse(p,
                      "--prefetch %s: an analysis computes the misses of the references themselves, with "
                      "which pages brought along have nothing to do: only run, step and web take it",
                      o->machine.prefetch);
    if (!o->program && !o->machine_file && !p->analysis->takes_none)
        return refuse(p, "no program was given: %s [OPTION...] %s", p->analysis->name,
                      p->analysis->takes_file ? "PROGRAM [ARG...], or a FILE of references"
                                              : "PROGRAM [ARG...]");
    const bool is_run_described = p->machine_described || o->confinement.given || p->clock_is_real;
    if (o->references && is_run_described)
        return refuse(p, "%s is a file of references: no machine is run, so leave the options of one out",
                      o->references);
    if (o->references && (o->warm_up > 0 || o->duration > 0))
        return refuse(p,
                      "%s is a file of references, and seconds are of a run: leave --duration out, and give "
                      "--warm-up in instructions (Ni), or record with both",
                      o->references);
    if (o->references || (!o->program && !o->machine_file))
        return 0;
    if (confine_apply(&o->confinement, &o->machine) < 0)
        return EINVAL;
    o->machine.deterministic = !p->clock_is_real;
    if (!p->told_said)
        o->machine.told_pages = TOLD_PAGES;
    return finish_swap(p);
}

/* What is small enough to be drawn frame by frame shows what is in the frames. */
static void finish_contents(struct parse *p) {
    struct machine_config *machine = &p->options.machine;
    uint64_t frames = machine->frames ? machine->frames : (uint64_t)machine->available + machine->reserved;
    if (!p->contents_said && !p->options.machine_file)
        machine->record_contents = p->options.command != OPTIONS_RUN && frames <= CONTENTS_FRAMES;
}

/* A run of exactly so many frames that can be repeated is one of those that an analysis speaks of. */
static void finish_told(struct parse *p) {
    struct machine_config *machine = &p->options.machine;
    if (!p->told_said && !p->options.machine_file && machine->deterministic && machine->available)
        machine->told_pages = TOLD_PAGES;
}

/* What is to be run. */
static error_t finish_program(struct parse *p, bool *ret_is_recording) {
    *ret_is_recording = false;
    if (p->options.machine_file && p->options.program)
        return refuse(p, "%s: --machine says what is run: no program may follow", p->options.program[0]);
    if (p->options.machine_file)
        return 0;
    if (!p->options.program)
        return refuse(p, "no program was given: %s [OPTION...] %s", command_names[p->options.command],
                      command_arguments[p->options.command]);
    return finish_recording(p, ret_is_recording);
}

static error_t finish(struct parse *p) {
    if (p->options.list_policies)
        return 0;
    bool is_recording;
    error_t error = finish_program(p, &is_recording);
    if (error || is_recording)
        return error;
    if (confine_apply(&p->options.confinement, &p->options.machine) < 0)
        return EINVAL;
    finish_contents(p);
    finish_told(p);
    return finish_swap(p);
}

static error_t parse_arguments(struct parse *p, int argc, char **argv) {
    static const struct argp machine = {.options = machine_options, .parser = take_option};
    static const struct argp_child children[] = {{.argp = &machine}, {.argp = &confine_argp}, {0}};
    static const struct argp_option *const watching[] = {
        [OPTIONS_STEP] = step_options,
        [OPTIONS_WEB] = web_options,
    };
    const struct argp argp = {
        .options = p->options.command == OPTIONS_RUN ? NULL : watching[p->options.command],
        .parser = take_watching_option,
        .args_doc = command_arguments[p->options.command],
        .doc = command_docs[p->options.command],
        .children = children,
    };
    argp_err_exit_status = EXIT_MACHINE;
    return argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, p);
}

static error_t take_seconds(struct parse *p, const char *option, const char *text, const char *what,
                            double *ret_seconds) {
    char *end;
    const double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds > 0 && seconds < 1e9))
        return refuse(p, "%s: '%s' is not a number of %s", option, text, what);
    *ret_seconds = seconds;
    return 0;
}

/* Seconds, or instructions with an "i" behind the number. */
static error_t take_warm_up(struct parse *p, const char *text) {
    struct options *o = &p->options;
    char digits[24] = "";
    const size_t length = strlen(text);
    o->warm_up = 0;
    o->counted =
        (struct warm_up){.by_instructions = length > 1 && length <= sizeof digits && text[length - 1] == 'i'};
    if (o->counted.by_instructions &&
        !number_parse(memcpy(digits, text, length - 1), 0, INT64_MAX, &o->counted.instructions))
        return 0;
    o->counted = (struct warm_up){.marked = true};
    return take_seconds(p, "--warm-up", text, "seconds above 0, as in 5, or of instructions, as in 1000000i",
                        &o->warm_up);
}

/* An option of the analysis: its own, or one that all have in common. */
static error_t take_analysis_option(int key, char *value, struct argp_state *state) {
    struct parse *p = state->input;
    switch (key) {
    case KEY_FORMAT: p->options.format = value; return 0;
    case KEY_REAL_CLOCK: p->clock_is_real = true; return 0;
    case KEY_WARM_UP: return take_warm_up(p, value);
    case KEY_DURATION: return take_seconds(p, "--duration", value, "seconds above 0", &p->options.duration);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t take_own_option(int key, char *value, struct argp_state *state) {
    struct parse *p = state->input;
    if (key == ARGP_KEY_ARG || key >= ARGP_KEY_END)
        return ARGP_ERR_UNKNOWN; /* no option */
    return -p->analysis->take(p->analysis->context, key, value, &p->message);
}

static error_t take_analysis_init(int key, char *value, struct argp_state *state) {
    struct parse *p = state->input;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    for (int i = 0; i < 3; i++)
        state->child_inputs[i] = p;
    state->child_inputs[3] = &p->options.confinement;
    return 0;
}

static bool names_option(const struct argp_option *table, const char *name) {
    for (; table->name || table->key || table->doc; table++)
        if (table->name && !strcmp(table->name, name))
            return true;
    return false;
}

static bool is_run_only(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(run_only); i++)
        if (!strcmp(run_only[i], name))
            return true;
    return false;
}

/* The machine's options without those that mean nothing to the analysis or something else, and without a
 * heading that nothing is left below. */
static void keep_machine_options(struct parse *p) {
    size_t kept = 0;
    for (const struct argp_option *o = machine_options; o->name || o->key || o->doc; o++) {
        if (o->name && (is_run_only(o->name) || names_option(p->analysis->options, o->name)))
            continue;
        if ((!o->name || o->group) && kept && !p->machine_options[kept - 1].name)
            kept--;
        p->machine_options[kept] = *o;
        if (o->key == 'n')
            p->machine_options[kept].doc = "Page frames of 4 KiB in all (default 1048576: ample)";
        if (o->key == KEY_PREFETCH)
            p->machine_options[kept].flags = OPTION_HIDDEN; /* it is refused, with the reason */
        kept++;
    }
    if (kept && !p->machine_options[kept - 1].name)
        p->machine_options[kept - 1] = (struct argp_option){0};
}

static error_t parse_analysis(struct parse *p, int argc, char **argv) {
    keep_machine_options(p);
    const struct argp own = {.options = p->analysis->options, .parser = take_own_option};
    const struct argp common = {.options = analysis_options, .parser = take_analysis_option};
    const struct argp machine = {.options = p->machine_options, .parser = take_option};
    /* The empty heading keeps its own options, with their headings, together and in front of the others. */
    const struct argp_child children[] = {
        {.argp = &own, .header = ""}, {.argp = &common}, {.argp = &machine}, {.argp = &confine_argp}, {0}};
    const struct argp argp = {
        .parser = take_analysis_init,
        .args_doc = p->analysis->arguments,
        .doc = p->analysis->doc,
        .children = children,
    };
    argp_err_exit_status = EXIT_MACHINE;
    return argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, p);
}

static const struct machine_config default_machine = {
    .frames = DEFAULT_FRAMES,
    .reserved = DEFAULT_RESERVED,
    .policy = "clock",
    .seed = 1,
    .level = CPU_LEVEL_V3,
    .tlb_entries = DEFAULT_TLB,
};

static int end_parse(struct parse *p, error_t error, struct options *ret_options, char **ret_message) {
    if (error) {
        machine_file_destroy(p->options.machine_file);
        *ret_message = p->message ? p->message : p->options.confinement.message;
        return -error;
    }
    *ret_options = p->options;
    return 0;
}

int options_parse(enum options_command command, int argc, char **argv, struct options *ret_options,
                  char **ret_message) {
    struct parse p = {.options = {.command = command, .machine = default_machine}};
    error_t error = parse_arguments(&p, argc, argv);
    if (!error)
        error = finish(&p);
    return end_parse(&p, error, ret_options, ret_message);
}

int options_parse_analysis(const struct options_analysis *analysis, int argc, char **argv,
                           struct options *ret_options, char **ret_message) {
    struct parse p = {.options = {.command = OPTIONS_ANALYSE, .machine = default_machine},
                      .analysis = analysis};
    p.options.machine.frames = OPTIONS_ANALYSIS_FRAMES;
    error_t error = parse_analysis(&p, argc, argv);
    if (!error)
        error = finish_analysis(&p);
    return end_parse(&p, error, ret_options, ret_message);
}
