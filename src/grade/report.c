/* Reports. All are made from the same JSON that a submission's process handed over. Names and texts that come
 * from submissions were made printable by judge.c. */
#include "grade/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_of(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static bool passed(const json_t *object) {
    return json_is_true(json_object_get(object, "passed"));
}

/* ---- for people ---- */

static void print_criterion(FILE *to, const char *who, const json_t *test, const json_t *c) {
    fprintf(to, "%s  %s%s%s: %s: %s", passed(c) ? "pass" : "FAIL", who, *who ? ": " : "",
            text_of(test, "name"), text_of(c, "name"), text_of(c, "detail"));
    if (number_of(c, "max_score") > 0)
        fprintf(to, " [%g/%g]", number_of(c, "score"), number_of(c, "max_score"));
    fputc('\n', to);
}

void report_print(FILE *to, const struct class_submission *s, bool many) {
    const json_t *test, *c;
    size_t i, j;
    const char *who = many ? s->name : "", *message = text_of(s->graded, "message");
    if (*message)
        fprintf(to, "FAIL  %s%s%s\n", who, *who ? ": " : "", message);
    json_array_foreach(json_object_get(s->graded, "tests"), i, test) {
        json_array_foreach(json_object_get(test, "criteria"), j, c) print_criterion(to, who, test, c);
    }
    fprintf(to, "%s: %g of %g points\n", s->name, number_of(s->graded, "score"),
            number_of(s->graded, "max_score"));
}

/* ---- for spreadsheets ---- */

/* RFC 4180; and nothing begins a formula. */
static void print_cell(FILE *to, const char *text) {
    fputc('"', to);
    if (*text && strchr("=+-@\t\r", *text))
        fputc('\'', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void print_head(FILE *to, const struct spec *spec) {
    fputs("submission,status,score,max_score,seconds,peak_memory_bytes", to);
    for (size_t i = 0; i < spec->test_count; i++) {
        const struct spec_test *t = &spec->tests[i];
        fputc(',', to);
        print_cell(to, t->name);
        for (unsigned c = 0; c < CRITERIA; c++) {
            char name[300];
            if (!spec_has_criterion(t, c))
                continue;
            snprintf(name, sizeof(name), "%s: %s", t->name, spec_criterion_name(c));
            fputc(',', to);
            print_cell(to, name);
        }
    }
    fputs("\r\n", to);
}

static void print_row(FILE *to, const struct class_submission *s) {
    const json_t *test, *c;
    size_t i, j;
    bool built = json_is_true(json_object_get(s->graded, "built"));
    print_cell(to, s->name);
    fprintf(to, ",%s,%g,%g,%.2f,%.0f",
            !built                       ? "not built"
            : class_submission_passed(s) ? "passed"
                                         : "failed",
            number_of(s->graded, "score"), number_of(s->graded, "max_score"), number_of(s->graded, "seconds"),
            number_of(s->graded, "peak_memory"));
    json_array_foreach(json_object_get(s->graded, "tests"), i, test) {
        fprintf(to, ",%g", number_of(test, "score"));
        json_array_foreach(json_object_get(test, "criteria"), j, c)
            fprintf(to, ",%s", passed(c) ? "pass" : "fail");
    }
    fputs("\r\n", to);
}

int report_write_csv(const char *path, const struct spec *spec, const struct class_submission *submissions,
                     size_t count) {
    FILE *to = fopen(path, "we");
    if (!to)
        return -errno;
    print_head(to, spec);
    for (size_t i = 0; i < count; i++)
        print_row(to, &submissions[i]);
    bool failed = ferror(to);
    return fclose(to) != 0 || failed ? -(errno ? errno : EIO) : 0;
}

/* ---- for Gradescope ---- */

/* The lines that explain a test to its student. malloc'd. */
static char *explain(const json_t *test) {
    char *text = NULL;
    size_t size, j;
    const json_t *c;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    json_array_foreach(json_object_get(test, "criteria"), j, c) print_criterion(to, "", test, c);
    if (*text_of(test, "output"))
        fprintf(to, "\nStandard error:\n%s", text_of(test, "output"));
    fclose(to);
    return text;
}

static json_t *gradescope_test(const json_t *test, size_t number) {
    char index[32], *text = explain(test);
    snprintf(index, sizeof(index), "%zu", number + 1);
    json_t *made = json_pack("{s:s, s:s, s:f, s:f, s:s, s:s, s:s}", "name", text_of(test, "name"), "number",
                             index, "score", number_of(test, "score"), "max_score",
                             number_of(test, "max_score"), "status", passed(test) ? "passed" : "failed",
                             "output", text ? text : "", "visibility", text_of(test, "visibility"));
    free(text);
    return made;
}

int report_write_gradescope(const char *path, const struct class_submission *s) {
    const json_t *test;
    size_t i;
    json_t *tests = json_array();
    json_array_foreach(json_object_get(s->graded, "tests"), i, test)
        json_array_append_new(tests, gradescope_test(test, i));
    json_t *root = json_pack("{s:f, s:s, s:s, s:s, s:f, s:o}", "score", number_of(s->graded, "score"),
                             "output", text_of(s->graded, "message"), "output_format", "text", "visibility",
                             "visible", "execution_time", number_of(s->graded, "seconds"), "tests", tests);
    errno = 0;
    int r = root && json_dump_file(root, path, JSON_INDENT(2)) == 0 ? 0 : -(errno ? errno : ENOMEM);
    json_decref(root);
    return r;
}
