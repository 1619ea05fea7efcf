/* See goal.h. A goal is met by an event alone, without the state, so that it costs the machine's thread no
 * more than a comparison or two. */
#include "trace/goal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "hw/pte.h" /* values only */
#include "trace/schema.h"
#include "trace/syscall-name.h"

/* ---- meeting ---- */

/* The OS clears referenced and dirty bits as it looks for a victim; that is not a step of its own. */
static bool entry_is_changed(const struct event *e) {
    const uint64_t marks = PTE_REFERENCED | PTE_DIRTY;
    return ((e->args[2] ^ e->args[3]) & ~marks) != 0;
}

bool event_is_step(const struct event *e) {
    switch ((enum event_kind)e->kind) {
    case EVENT_MACHINE_START:
    case EVENT_MACHINE_STOP:
    case EVENT_PROCESS_CREATE:
    case EVENT_PROCESS_EXEC:
    case EVENT_PROCESS_EXIT:
    case EVENT_SWITCH:
    case EVENT_SYSCALL_ENTER:
    case EVENT_SYSCALL_EXIT:
    case EVENT_SIGNAL:
    case EVENT_OOM:
    case EVENT_SPACE_CREATE:
    case EVENT_SPACE_DESTROY:
    case EVENT_MAP:
    case EVENT_UNMAP:
    case EVENT_PROTECT:
    case EVENT_FAULT:
    case EVENT_FAULT_DONE:
    case EVENT_VICTIM:
    case EVENT_SWAP_OUT:
    case EVENT_SWAP_IN:
    case EVENT_FILE_READ:
    case EVENT_WRITE_BACK:
    case EVENT_ZERO_FILL:
    case EVENT_COPY:
    case EVENT_REACHED: return true;
    case EVENT_PTE: return entry_is_changed(e);
    case EVENT_STRING:
    case EVENT_STRING_DATA:
    case EVENT_OBJECT:
    case EVENT_OBJECT_GONE:
    case EVENT_FRAME:
    case EVENT_SLOT:
    case EVENT_OUTPUT:
    case EVENT_CONTENT:
    case EVENT_LABEL:
    case EVENT_NONE:
    case EVENT_KINDS: break;
    }
    return false;
}

static bool moves_page_of(const struct event *e, uint64_t object) {
    return (e->kind == EVENT_FILE_READ || e->kind == EVENT_WRITE_BACK) && e->args[1] == object;
}

static bool kind_is_met(const struct goal *g, const struct event *e) {
    switch (g->kind) {
    case GOAL_STEP: return event_is_step(e);
    case GOAL_FAULT: return g->object ? e->kind == EVENT_FILE_READ : e->kind == EVENT_FAULT;
    case GOAL_SERVED: return g->object ? e->kind == EVENT_FILE_READ : e->kind == EVENT_FAULT_DONE;
    case GOAL_KIND: return e->kind == g->event;
    case GOAL_SYSCALL: return e->kind == EVENT_SYSCALL_ENTER && e->flags == g->number;
    case GOAL_REACHED:
        return e->kind == EVENT_REACHED && (g->number ? e->args[0] == g->number : e->flags == g->reached);
    case GOAL_SEQUENCE: return e->sequence == g->number || (e->sequence > g->number && event_is_step(e));
    case GOAL_END:
    case GOALS: break;
    }
    return false;
}

bool goal_met(const struct goal *g, const struct event *e) {
    return kind_is_met(g, e) && (!g->pid || e->pid == g->pid) && (!g->object || moves_page_of(e, g->object));
}

/* ---- reading ---- */

/* A part of the text: up to the next comma. */
struct piece {
    const char *at;
    size_t length;
};

static bool piece_is(struct piece p, const char *word) {
    return p.length == strlen(word) && memcmp(p.at, word, p.length) == 0;
}

/* Takes "NAME=" off the front. */
static bool piece_takes(struct piece *p, const char *name) {
    size_t length = strlen(name);
    if (p->length < length || memcmp(p->at, name, length) != 0)
        return false;
    p->at += length;
    p->length -= length;
    return true;
}

static int digit_of(char c) {
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c | (c > '9' ? 0x20 : 0)) : NULL;
    return found ? (int)(found - digits) : 16;
}

/* The whole piece as a number of this base. */
static bool piece_number(struct piece p, unsigned base, uint64_t *ret_number) {
    uint64_t number = 0;
    for (size_t i = 0; i < p.length; i++) {
        unsigned digit = (unsigned)digit_of(p.at[i]);
        if (digit >= base || __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, digit, &number))
            return false;
    }
    *ret_number = number;
    return p.length > 0;
}

static const char *parse_kind(struct piece p, struct goal *g) {
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        const struct event_schema *schema = event_schema(kind);
        if (schema && piece_is(p, schema->name)) {
            *g = (struct goal){.kind = GOAL_KIND, .event = (uint16_t)kind};
            return NULL;
        }
    }
    return "there is no event of this kind: docs/TRACE.md has their names";
}

static const char *parse_syscall(struct piece p, struct goal *g) {
    g->kind = GOAL_SYSCALL;
    return syscall_number(p.at, p.length, &g->number) || piece_number(p, 10, &g->number)
               ? NULL
               : "there is no system call of this name";
}

static const char *parse_number(struct piece p, enum goal_kind kind, struct goal *g) {
    uint64_t number;
    if (!piece_number(p, 10, &number) || !number)
        return "a number from 1 up is needed after '='";
    *g = kind == GOAL_FAULT ? (struct goal){.kind = kind, .skip = number - 1}
                            : (struct goal){.kind = kind, .number = number};
    return NULL;
}

/* A word without arguments. False: it is none of these. */
static bool parse_word(struct piece p, struct goal *g) {
    static const struct {
        const char *word;
        struct goal goal;
    } words[] = {
        {"step", {.kind = GOAL_STEP}},
        {"fault", {.kind = GOAL_FAULT}},
        {"served", {.kind = GOAL_SERVED}},
        {"main", {.kind = GOAL_REACHED, .reached = EVENT_REACHED_MAIN}},
        {"_start", {.kind = GOAL_REACHED, .reached = EVENT_REACHED_ENTRY}},
        {"watched", {.kind = GOAL_REACHED, .reached = EVENT_REACHED_WATCHED}},
        {"end", {.kind = GOAL_END}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (piece_is(p, words[i].word)) {
            *g = words[i].goal;
            return true;
        }
    }
    return false;
}

static const char *parse_address(struct piece p, struct goal *g) {
    g->kind = GOAL_REACHED;
    g->reached = EVENT_REACHED_WATCHED;
    return piece_number(p, 16, &g->number) && g->number ? NULL : "this is not an address";
}

/* What stands before the first comma. *ret_symbol: it is a symbol's name. */
static const char *parse_what(struct piece p, struct goal *g, bool *ret_symbol) {
    *ret_symbol = false;
    if (parse_word(p, g))
        return NULL;
    if (piece_takes(&p, "kind="))
        return parse_kind(p, g);
    if (piece_takes(&p, "syscall="))
        return parse_syscall(p, g);
    if (piece_takes(&p, "fault="))
        return parse_number(p, GOAL_FAULT, g);
    if (piece_takes(&p, "event="))
        return parse_number(p, GOAL_SEQUENCE, g);
    if (piece_takes(&p, "0x"))
        return parse_address(p, g);
    *ret_symbol = true;
    return p.length && !memchr(p.at, '=', p.length) ? NULL
                                                    : "a goal is step, fault, fault=N, served, kind=NAME, "
                                                      "syscall=NAME, main, _start, 0xADDRESS, a "
                                                      "symbol, event=N or end";
}

/* ",pid=N" and the like, one of them. */
static const char *parse_filter(struct piece p, struct goal *g) {
    uint64_t number;
    if (piece_takes(&p, "pid=") && piece_number(p, 10, &number) && number && number <= UINT32_MAX) {
        g->pid = (uint32_t)number;
        return NULL;
    }
    if (piece_takes(&p, "object=") && piece_number(p, 10, &number) && number) {
        g->object = number;
        return NULL;
    }
    if (piece_takes(&p, "skip=") && piece_number(p, 10, &number)) {
        g->skip = number;
        return NULL;
    }
    return "after a comma, pid=N, object=N or skip=N is expected";
}

static struct piece next_piece(const char **text) {
    struct piece p = {*text, strcspn(*text, ",")};
    *text += p.length;
    return p;
}

const char *goal_parse(const char *text, struct goal *ret_goal, const char **ret_symbol) {
    const char *whole = text;
    struct goal g = {0};
    bool symbol;
    const char *wrong = parse_what(next_piece(&text), &g, &symbol);
    if (!wrong && symbol && (!ret_symbol || *text))
        wrong =
            ret_symbol ? "a symbol cannot be combined with pid= or object=" : "symbols are not known here";
    if (!wrong && symbol)
        g = (struct goal){.kind = GOAL_REACHED, .reached = EVENT_REACHED_WATCHED};
    while (!wrong && *text == ',') {
        text++;
        wrong = parse_filter(next_piece(&text), &g);
    }
    if (wrong)
        return wrong;
    if (ret_symbol)
        *ret_symbol = symbol ? whole : NULL;
    *ret_goal = g;
    return NULL;
}

/* ---- printing ---- */

static int print_reached(const struct goal *g, char *text, size_t size) {
    static const char *const words[] = {
        [EVENT_REACHED_ENTRY] = "_start",
        [EVENT_REACHED_MAIN] = "main",
        [EVENT_REACHED_WATCHED] = "watched",
    };
    return g->number ? snprintf(text, size, "0x%" PRIx64, g->number)
                     : snprintf(text, size, "%s", words[g->reached]);
}

static int print_syscall(uint64_t number, char *text, size_t size) {
    const char *name = syscall_name(number);
    uint64_t same;
    return syscall_number(name, strlen(name), &same) ? snprintf(text, size, "syscall=%s", name)
                                                     : snprintf(text, size, "syscall=%" PRIu64, number);
}

static int print_what(const struct goal *g, char *text, size_t size) {
    switch (g->kind) {
    case GOAL_STEP: return snprintf(text, size, "step");
    case GOAL_FAULT: return snprintf(text, size, "fault");
    case GOAL_SERVED: return snprintf(text, size, "served");
    case GOAL_KIND: return snprintf(text, size, "kind=%s", event_schema(g->event)->name);
    case GOAL_SYSCALL: return print_syscall(g->number, text, size);
    case GOAL_REACHED: return print_reached(g, text, size);
    case GOAL_SEQUENCE: return snprintf(text, size, "event=%" PRIu64, g->number);
    case GOAL_END:
    case GOALS: break;
    }
    return snprintf(text, size, "end");
}

/* Appends ",NAME=NUMBER", unless the number is 0. */
static void print_filter(const char *name, uint64_t number, char *text, size_t size) {
    size_t length = strlen(text);
    if (number)
        snprintf(text + length, size - length, ",%s=%" PRIu64, name, number);
}

void goal_print(const struct goal *g, char *text, size_t size) {
    if (!size)
        return;
    print_what(g, text, size);
    print_filter("pid", g->pid, text, size);
    print_filter("object", g->object, text, size);
    print_filter("skip", g->skip, text, size);
}
