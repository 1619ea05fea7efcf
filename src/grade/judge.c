/* The criteria, one function each. A limit counts only for a program that does its work: one that ends at
 * once has no page faults, and deserves nothing for that. */
#include "grade/judge.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { TEXT_MAX = 8192, QUOTE_MAX = 60 };

struct verdict {
    bool passed;
    char *detail; /* malloc'd; NULL: nothing to say */
};

static struct verdict verdict_make(bool passed, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct verdict verdict_make(bool passed, const char *format, ...) {
    struct verdict v = {.passed = passed};
    va_list values;
    va_start(values, format);
    if (vasprintf(&v.detail, format, values) < 0)
        v.detail = NULL;
    va_end(values);
    return v;
}

json_t *judge_text(const char *bytes, size_t length, size_t most) {
    size_t n = length > most ? most : length;
    char *copy = malloc(n + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        copy[i] = c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f) ? bytes[i] : '?';
    }
    copy[n] = '\0';
    json_t *string = json_string(copy);
    for (size_t i = 0; !string && i < n; i++)
        copy[i] = copy[i] & 0x80 ? '?' : copy[i];
    if (!string)
        string = json_string(copy);
    free(copy);
    return string;
}

/* ---- how it ended ---- */

static char *first_line_of_error(const struct run_result *r) {
    const struct spec_text *e = &r->capture.error;
    char *line;
    size_t n = 0;
    while (n < e->length && n < 200 && e->bytes[n] != '\n')
        n++;
    if (asprintf(&line, "it could not be run: %.*s", (int)n, e->length ? e->bytes : "") < 0)
        return NULL;
    return line;
}

char *judge_end(const struct run_result *r) {
    const char *reached =
        json_string_value(json_object_get(json_object_get(r->summary, "limits"), "reached"));
    switch (r->capture.end) {
    case CAPTURE_ENDED: break;
    case CAPTURE_OUTPUT: return strdup("stopped: it wrote too much");
    case CAPTURE_TIME: return strdup("stopped: it took too long");
    case CAPTURE_MEMORY: return strdup("stopped: it took too much memory of this computer");
    case CAPTURE_DISK: return strdup("stopped: it wrote too much to files");
    }
    if (!r->summary)
        return first_line_of_error(r);
    if (!reached)
        return NULL;
    if (strcmp(reached, "time") == 0)
        return strdup("stopped: it took too long");
    if (strcmp(reached, "output") == 0)
        return strdup("stopped: it wrote too much");
    return strdup("stopped: it executed too many instructions");
}

static struct verdict judge_status(const struct spec_test *t, const struct run_result *r) {
    char *end = judge_end(r);
    if (end)
        return (struct verdict){false, end};
    int status = (int)run_number(r, "exit_status");
    if (status == t->status)
        return verdict_make(true, "%d", status);
    if (status > 128)
        return verdict_make(false, "ended with status %d (%s), expected %d", status, strsignal(status - 128),
                            t->status);
    return verdict_make(false, "ended with status %d, expected %d", status, t->status);
}

/* ---- output ---- */

/* The next line of the text from *at on, without its newline; in the lenient way without the blanks at its
 * end. False at the end of the text. */
static bool next_line(const struct spec_text *text, size_t *at, bool lenient, struct spec_text *ret_line) {
    if (*at >= text->length)
        return false;
    char *start = text->bytes + *at, *newline = memchr(start, '\n', text->length - *at);
    size_t length = newline ? (size_t)(newline - start) : text->length - *at;
    *at += length + (newline != NULL);
    while (lenient && length && strchr(" \t\r", start[length - 1]) && start[length - 1])
        length--;
    *ret_line = (struct spec_text){start, length};
    return true;
}

static struct spec_text without_blank_end(struct spec_text text) {
    while (text.length && text.bytes[text.length - 1] && strchr(" \t\r\n", text.bytes[text.length - 1]))
        text.length--;
    return text;
}

static struct verdict describe_difference(unsigned line, const struct spec_text *want,
                                          const struct spec_text *have) {
    if (!have)
        return verdict_make(false, "ends before line %u, expected \"%.*s\"", line,
                            (int)(want->length < QUOTE_MAX ? want->length : QUOTE_MAX), want->bytes);
    if (!want)
        return verdict_make(false, "line %u was not expected: \"%.*s\"", line,
                            (int)(have->length < QUOTE_MAX ? have->length : QUOTE_MAX), have->bytes);
    return verdict_make(false, "line %u is \"%.*s\", expected \"%.*s\"", line,
                        (int)(have->length < QUOTE_MAX ? have->length : QUOTE_MAX), have->bytes,
                        (int)(want->length < QUOTE_MAX ? want->length : QUOTE_MAX), want->bytes);
}

static struct verdict compare_lines(struct spec_text want, struct spec_text have, bool lenient) {
    size_t at_want = 0, at_have = 0;
    struct spec_text a, b;
    if (lenient) {
        want = without_blank_end(want);
        have = without_blank_end(have);
    }
    for (unsigned line = 1;; line++) {
        bool more_want = next_line(&want, &at_want, lenient, &a);
        bool more_have = next_line(&have, &at_have, lenient, &b);
        if (!more_want && !more_have)
            break;
        if (more_want != more_have || a.length != b.length || memcmp(a.bytes, b.bytes, a.length) != 0)
            return describe_difference(line, more_want ? &a : NULL, more_have ? &b : NULL);
    }
    if (!lenient && want.length != have.length)
        return verdict_make(false, "the newline at the end %s",
                            have.length < want.length ? "is missing" : "was not expected");
    return verdict_make(true, "as expected");
}

/* The whole output must match. */
static struct verdict compare_pattern(const struct spec_text *pattern, const struct spec_text *have) {
    regex_t compiled;
    regmatch_t match;
    if (memchr(have->bytes ? have->bytes : "", '\0', have->length))
        return verdict_make(false, "contains a NUL byte");
    char *text = strndup(have->bytes ? have->bytes : "", have->length);
    if (!text || regcomp(&compiled, pattern->bytes, REG_EXTENDED) != 0) {
        free(text);
        return verdict_make(false, "no memory to compare it");
    }
    bool passed = regexec(&compiled, text, 1, &match, 0) == 0 && match.rm_so == 0 &&
                  (size_t)match.rm_eo == have->length;
    regfree(&compiled);
    free(text);
    return verdict_make(passed, passed ? "as expected" : "does not match the pattern");
}

static struct verdict judge_output(const struct spec_test *t, const struct run_result *r) {
    if (t->compare == SPEC_PATTERN)
        return compare_pattern(&t->output, &r->capture.output);
    return compare_lines(t->output, r->capture.output, t->compare == SPEC_TRAILING_SPACE);
}

/* ---- limits ---- */

static uint64_t value_of(const struct run_result *r, enum spec_limit limit) {
    switch (limit) {
    case SPEC_FAULTS: return run_number(r, "faults.total");
    case SPEC_MAJOR_FAULTS: return run_number(r, "faults.major");
    case SPEC_MISSES: return run_number(r, "faults.misses");
    case SPEC_EVICTIONS: return run_number(r, "evictions.total");
    case SPEC_SWAP_INS: return run_number(r, "swap.in");
    case SPEC_SWAP_OUTS: return run_number(r, "swap.out");
    case SPEC_FRAMES: {
        uint64_t idle = run_number(r, "frames.reserved") + run_number(r, "frames_peak.free");
        return run_number(r, "frames.total") - idle;
    }
    case SPEC_INSTRUCTIONS: return run_number(r, "instructions");
    case SPEC_PROCESSES: return run_number(r, "limits.processes_peak");
    case SPEC_OUTPUT: return run_number(r, "limits.output_bytes");
    case SPEC_MILLISECONDS:
        return (uint64_t)(json_real_value(json_object_get(r->summary, "wall_seconds")) * 1000);
    case SPEC_DISK:
    case SPEC_LIMITS: break;
    }
    return 0;
}

/* What took how long is only told when it was too long: the same submission gets the same lines again. */
static struct verdict judge_seconds(uint64_t value, uint64_t most) {
    if (value <= most)
        return verdict_make(true, "at most %g s", (double)most / 1000);
    return verdict_make(false, "%.2f s, at most %g", (double)value / 1000, (double)most / 1000);
}

static struct verdict judge_limit(const struct spec_test *t, const struct run_result *r,
                                  enum spec_limit limit) {
    uint64_t most = t->limits.most[limit], value = value_of(r, limit);
    if (limit == SPEC_DISK)
        return verdict_make(r->capture.end != CAPTURE_DISK, "at most %llu bytes", (unsigned long long)most);
    if (limit == SPEC_MILLISECONDS)
        return judge_seconds(value, most);
    if (limit == SPEC_PROCESSES && run_number(r, "limits.processes_refused"))
        return verdict_make(false, "more were refused, at most %llu", (unsigned long long)most);
    return verdict_make(value <= most, "%llu, at most %llu", (unsigned long long)value,
                        (unsigned long long)most);
}

/* ---- a test ---- */

/* `works`: status and output are right. */
static struct verdict judge_criterion(const struct spec_test *t, const struct run_result *r,
                                      unsigned criterion, bool works) {
    switch (criterion) {
    case CRITERION_STATUS: return judge_status(t, r);
    case CRITERION_OUTPUT: return judge_output(t, r);
    default: break;
    }
    char *end = works ? judge_end(r) : NULL;
    if (end)
        return (struct verdict){false, end};
    struct verdict v = judge_limit(t, r, criterion - CRITERION_LIMITS);
    if (!works && v.passed) {
        free(v.detail);
        v = verdict_make(false, "does not count: the program does not do what it should");
    }
    return v;
}

static json_t *criterion_json(const struct spec_test *t, unsigned criterion, const struct verdict *v) {
    double most = t->points_apart ? t->each[criterion] : 0;
    const char *detail = v->detail ? v->detail : "";
    return json_pack("{s:s, s:b, s:o, s:f, s:f}", "name", spec_criterion_name(criterion), "passed", v->passed,
                     "detail", judge_text(detail, strlen(detail), TEXT_MAX), "score", v->passed ? most : 0.0,
                     "max_score", most);
}

static json_t *test_json(const struct spec_test *t, json_t *criteria, bool passed, double score,
                         json_t *output) {
    return json_pack("{s:s, s:b, s:f, s:f, s:s, s:o, s:o}", "name", t->name, "passed", passed, "score",
                     t->points_apart ? score
                     : passed        ? t->points
                                     : 0.0,
                     "max_score", t->points, "visibility", spec_visibility_name(t->visibility), "output",
                     output, "criteria", criteria);
}

json_t *judge_test(const struct spec_test *t, const struct run_result *r) {
    json_t *criteria = json_array();
    bool passed = true, works = true;
    double score = 0;
    for (unsigned c = 0; c < CRITERIA; c++) {
        if (!spec_has_criterion(t, c))
            continue;
        struct verdict v = judge_criterion(t, r, c, works);
        json_array_append_new(criteria, criterion_json(t, c, &v));
        passed &= v.passed;
        works &= v.passed || c >= CRITERION_LIMITS;
        score += v.passed ? t->each[c] : 0;
        free(v.detail);
    }
    const struct spec_text *error = &r->capture.error;
    return test_json(t, criteria, passed, score, judge_text(error->bytes, error->length, TEXT_MAX));
}

json_t *judge_not_run(const struct spec_test *t, const char *why) {
    json_t *criteria = json_array();
    for (unsigned c = 0; c < CRITERIA; c++) {
        struct verdict v = {.passed = false, .detail = (char *)why};
        if (spec_has_criterion(t, c))
            json_array_append_new(criteria, criterion_json(t, c, &v));
    }
    return test_json(t, criteria, false, 0, json_string(""));
}
