/* Samples of memory accesses as `perf script` prints them:
 *
 *     perf record -d … ; perf script -F comm,pid,time,event,addr,ip
 *
 *     ls  1658 37336.549151: mem-loads:     7fff79be8f29     7f2ecc6cfb70
 *
 * Taken are the process (pid or pid/tid), the event's name, and behind it the address of the data and, if it
 * is there, that of the instruction; other fields before the event (CPU, time, period) are passed over, as is
 * what stands behind the two addresses. The instruction's page is executed; the data's is written if the
 * event's name has "store" in it, or perf's description of the access says OP STORE, and read otherwise.
 * Addresses of 0 and of the kernel's half do not count. Each process is a space. Adjacent accesses to a page
 * are one reference.
 *
 * Samples are not the reference string: the totals' conditions say so. Call chains (lines that begin with a
 * tab), empty lines and lines that begin with # are passed over. */
#include <errno.h>
#include <string.h>

#include "hw/types.h"
#include "refs/lines.h"

enum { KERNEL_SHIFT = 63 };

struct token {
    const char *from, *end;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The next token of the line; false: there is none. */
static bool token_next(const char **from, const char *end, struct token *ret_token) {
    while (*from < end && is_blank(**from))
        ++*from;
    ret_token->from = *from;
    while (*from < end && !is_blank(**from))
        ++*from;
    ret_token->end = *from;
    return ret_token->from < ret_token->end;
}

static bool token_is_number(const struct token *t, unsigned base, uint64_t *ret_number) {
    const char *from = t->from;
    return lines_number(&from, t->end, base, ret_number) && from == t->end;
}

/* "1658" or "1658/1659": the process of it. */
static bool token_is_process(const struct token *t, uint64_t *ret_pid) {
    const char *from = t->from;
    uint64_t thread;
    if (!lines_number(&from, t->end, 10, ret_pid))
        return false;
    if (from == t->end)
        return true;
    return *from++ == '/' && lines_number(&from, t->end, 10, &thread) && from == t->end;
}

/* "37336.547444:" */
static bool token_is_time(const struct token *t) {
    const char *from = t->from;
    uint64_t number;
    return lines_number(&from, t->end, 10, &number) && from < t->end && *from++ == '.' &&
           lines_number(&from, t->end, 10, &number) && t->end - from == 1 && *from == ':';
}

static bool token_is_event(const struct token *t) {
    return t->end[-1] == ':' && t->end - t->from > 1 && !token_is_time(t);
}

static bool token_has(const struct token *t, const char *part) {
    return memmem(t->from, (size_t)(t->end - t->from), part, strlen(part)) != NULL;
}

struct sample {
    uint64_t pid, data, instruction; /* 0: none */
    bool store;
};

/* "[003]" or "37336.547444:", which stand right behind the process. */
static bool token_is_behind_process(const struct token *t) {
    return (*t->from == '[' && t->end[-1] == ']') || token_is_time(t);
}

/* The process and the event, which come first. A program's name may have blanks and numbers in it: the
 * process is what stands before the CPU or the time, or else the first number behind the name. NULL, or what
 * is missing. */
static const char *sample_begin(const char **from, const char *end, struct sample *sample) {
    struct token t;
    bool process = false, sure = false;
    uint64_t last = 0, number;
    for (unsigned i = 0; token_next(from, end, &t); i++) {
        if (process && !sure && token_is_behind_process(&t)) {
            sample->pid = last;
            sure = true;
        } else if (i && !sure && token_is_process(&t, &number)) {
            sample->pid = process ? sample->pid : number;
            last = number;
            process = true;
        } else if (process && token_is_event(&t)) {
            sample->store = token_has(&t, "store");
            return NULL;
        }
    }
    return process ? "there is no event" : "there is no process";
}

/* The addresses. NULL, or what is missing. */
static const char *sample_addresses(const char **from, const char *end, struct sample *sample) {
    struct token t;
    if (!token_next(from, end, &t) || !token_is_number(&t, 16, &sample->data))
        return "there is no address behind the event";
    if (!token_next(from, end, &t))
        return NULL;
    if (!token_is_number(&t, 16, &sample->instruction))
        return "there is one address, and it is the instruction's";
    while (token_next(from, end, &t)) {
        if (*t.from != '|')
            continue;
        sample->instruction = 0; /* the second number was the code of the description that is here */
        struct token description = {t.from, end};
        sample->store = sample->store || token_has(&description, "OP STORE");
        return NULL;
    }
    return NULL;
}

static const char *sample_parse(const char *from, const char *end, struct sample *ret_sample) {
    *ret_sample = (struct sample){0};
    const char *missing = sample_begin(&from, end, ret_sample);
    return missing ? missing : sample_addresses(&from, end, ret_sample);
}

static bool is_remark(const char *from, const char *end) {
    while (from < end && *from == ' ')
        from++;
    return from == end || *from == '#' || *from == '\t';
}

static bool perf_fits(const uint8_t *bytes, size_t length) {
    const char *from = (const char *)bytes, *end = from + length;
    struct sample sample;
    while (from < end) {
        const char *newline = memchr(from, '\n', (size_t)(end - from));
        const char *line_end = newline ? newline : end;
        if (!is_remark(from, line_end))
            return !sample_begin(&from, line_end, &sample);
        from = newline ? newline + 1 : end;
    }
    return false;
}

/* The space of a process. 0 or -errno. */
static int space_of(struct refs_source *s, struct lines *l, uint64_t pid, uint16_t *ret_space) {
    uint64_t space;
    if (!map_get(&l->spaces, pid, &space)) {
        space = map_count(&l->spaces);
        if (space > UINT16_MAX)
            return lines_fail(s, l, "more than 65536 processes");
        if (map_put(&l->spaces, pid, space))
            return source_fail(s, -ENOMEM, "out of memory");
    }
    *ret_space = (uint16_t)space;
    return 0;
}

static bool is_users(uint64_t address) {
    return address && !(address >> KERNEL_SHIFT);
}

static int perf_piece(struct refs_source *s, struct lines *l) {
    char quote[LINES_QUOTE + 4];
    struct sample sample;
    uint16_t space = 0;
    l->from = l->end;
    if (is_remark(l->start, l->end))
        return 0;
    const char *missing = sample_parse(l->start, l->end, &sample);
    if (missing)
        return lines_fail(s, l, "\"%s\": %s; say perf script -F comm,pid,time,event,addr,ip",
                          lines_quote(quote, l->start, l->end), missing);
    int error = space_of(s, l, sample.pid, &space);
    if (!error && is_users(sample.instruction))
        error = lines_add(s, l, sample.instruction >> PAGE_SHIFT, space, ACCESS_EXEC);
    if (!error && is_users(sample.data))
        error = lines_add(s, l, sample.data >> PAGE_SHIFT, space, sample.store ? ACCESS_WRITE : ACCESS_READ);
    return error;
}

static int perf_open(struct refs_source *s) {
    static const char *const conditions[] = {"sampled by perf", NULL};
    s->totals.conditions = conditions;
    return lines_open(s, &(struct lines){.piece = perf_piece, .joins = true, .must_end = true});
}

const struct refs_reader perf_reader = {
    .format = REFS_FORMAT_PERF_SCRIPT,
    .fits = perf_fits,
    .open = perf_open,
    .close = lines_close,
    .rewind = lines_rewind,
    .next = lines_next,
};
