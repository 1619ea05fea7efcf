/* The walker's questions: which step, which filter, which frame will be the victim.
 *
 * An answer that cannot be understood is asked for again, with a message that says what would be right; no
 * answer (escape) ends the question and changes nothing. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/schema.h"
#include "view/nav-state.h"
#include "view/plain.h"

enum { WORD = 64, NAME_COLUMNS = 40 };

__attribute__((format(printf, 3, 4))) static enum nav_result ask(struct nav *nav, enum nav_asking what,
                                                                 const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(nav->question, sizeof nav->question, format, arguments);
    va_end(arguments);
    nav->asking = what;
    return NAV_ASK;
}

/* A whole number that is all of the text. */
static bool parse_number(const char *text, uint64_t *ret_number) {
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return !*end && !errno;
}

/* The text without the blanks around it, cut to what an answer can be. */
static void trim(const char *line, char *word, size_t size) {
    while (isspace((unsigned char)*line))
        line++;
    snprintf(word, size, "%s", line);
    size_t length = strlen(word);
    while (length && isspace((unsigned char)word[length - 1]))
        word[--length] = 0;
}

/* ---- g ---- */

enum nav_result nav_ask_step(struct nav *nav) {
    nav->message[0] = 0;
    return ask(nav, ASK_STEP, "Go to (1–%llu, fault=N, main, _start, syscall=NAME, kind=NAME, 0xADDRESS): ",
               (unsigned long long)film_events(nav->film));
}

static enum nav_result take_step(struct nav *nav, const char *word) {
    struct goal goal;
    uint64_t n;
    nav->asking = ASK_NOTHING;
    if (parse_number(word, &n))
        return nav_go(nav, n);
    const char *wrong = goal_parse(word, &goal, NULL);
    if (!wrong && goal.kind == GOAL_END)
        return nav_go(nav, film_events(nav->film));
    if (!wrong)
        return nav_search(nav, 0, &goal, ASK_NOTHING);
    enum nav_result result = nav_ask_step(nav);
    nav_say(nav, "%s: %s", word, wrong);
    return result;
}

/* ---- f ---- */

enum nav_result nav_ask_filter(struct nav *nav, bool then_walk) {
    nav->then_walk = then_walk;
    nav->message[0] = 0;
    return ask(nav, ASK_FILTER, "Show only (pid=N kind=NAME file=NAME; nothing: everything): ");
}

static bool parse_kind(const char *name, uint16_t *ret_kind) {
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        const struct event_schema *schema = event_schema(kind);
        if (schema && !strcmp(schema->name, name)) {
            *ret_kind = (uint16_t)kind;
            return true;
        }
    }
    return false;
}

/* The whole path, or its last part. */
static bool path_is(const struct trace_text *path, const char *name) {
    if (!path)
        return false;
    const char *last = strrchr(path->bytes, '/');
    return !strcmp(path->bytes, name) || (last && !strcmp(last + 1, name));
}

/* The path of the file that pictures call by this name; the name itself when none is. */
static const char *label_path(const struct fold *fold, const char *name) {
    for (size_t i = 0; i < fold->label_count; i++) {
        const struct fold_label *label = &fold->labels[i];
        if (label->what != EVENT_LABEL_FILE || !path_is(fold_string(fold, label->args[1]), name))
            continue;
        const struct trace_text *path = fold_string(fold, label->args[0]);
        if (path)
            return path->bytes;
    }
    return name;
}

static uint64_t find_object(const struct fold *fold, const char *name) {
    const char *path = label_path(fold, name);
    for (size_t i = 0; i < fold->objects.count; i++) {
        const struct fold_object *object = fold->objects.entries[i].value;
        if (path_is(fold_string(fold, object->path), path))
            return object->number;
    }
    return 0;
}

/* A file that is known here, or else at the end of what there is. 0, -ENOENT or the film's -errno. */
static int parse_file(struct nav *nav, const char *name, uint64_t *ret_object) {
    const uint64_t places[] = {nav->position, film_events(nav->film)};
    for (size_t i = 0; i < 2; i++) {
        const struct fold *fold;
        int error = film_state(nav->film, places[i], &fold);
        if (error)
            return error;
        *ret_object = find_object(fold, name);
        if (*ret_object)
            return 0;
    }
    return -ENOENT;
}

static bool has_prefix(const char *word, const char *prefix, const char **ret_rest) {
    const size_t length = strlen(prefix);
    *ret_rest = word + length;
    return !strncmp(word, prefix, length);
}

/* One word of a filter. 0, -EINVAL with a message, or the film's -errno. */
static int parse_filter_word(struct nav *nav, const char *word, struct nav_filter *filter) {
    const char *rest;
    uint64_t number;
    if (has_prefix(word, "pid=", &rest)) {
        if (!parse_number(rest, &number) || !number || number > UINT32_MAX) {
            nav_say(nav, "pid=%s: give the number of a process", rest);
            return -EINVAL;
        }
        filter->pid = (uint32_t)number;
        return 0;
    }
    if (has_prefix(word, "kind=", &rest)) {
        if (parse_kind(rest, &filter->kind))
            return 0;
        nav_say(nav, "kind=%s: there is no such kind of event; try fault, victim, swap_out, pte, switch",
                rest);
        return -EINVAL;
    }
    if (!has_prefix(word, "file=", &rest)) {
        nav_say(nav, "%s: say pid=N, kind=NAME or file=NAME", word);
        return -EINVAL;
    }
    const int error = parse_file(nav, rest, &filter->object);
    if (error == -ENOENT)
        nav_say(nav, "file=%s: no such file is mapped here or at the end", rest);
    return error == -ENOENT ? -EINVAL : error;
}

static void say_filter(struct nav *nav) {
    const struct nav_filter *filter = &nav->filter;
    const struct event_schema *schema = event_schema(filter->kind);
    char pid[24] = "", kind[40] = "";
    if (filter->pid)
        snprintf(pid, sizeof pid, " pid=%u", (unsigned)filter->pid);
    if (schema)
        snprintf(kind, sizeof kind, " kind=%s", schema->name);
    if (filter->pid || filter->kind || filter->object)
        nav_say(nav, "Only%s%s%s", pid, kind, filter->object ? " that file" : "");
    else
        nav_say(nav, "Everything is shown");
}

static enum nav_result take_filter(struct nav *nav, const char *line) {
    struct nav_filter filter = {0};
    char words[NAV_LINE], *rest = words, *word;
    snprintf(words, sizeof words, "%s", line);
    while ((word = strsep(&rest, " \t,")) != NULL) {
        const int error = *word ? parse_filter_word(nav, word, &filter) : 0;
        if (error)
            return error == -EINVAL ? NAV_ASK : nav_failed(nav, error);
    }
    nav->asking = ASK_NOTHING;
    nav->filter = filter;
    if (nav->then_walk && (filter.pid || filter.kind || filter.object)) {
        const struct goal goal = nav_filtered(nav, GOAL_STEP);
        return nav_search(nav, nav->position, &goal, ASK_NOTHING);
    }
    say_filter(nav);
    return NAV_DRAW;
}

/* ---- p ---- */

enum nav_result nav_ask_victim(struct nav *nav, uint64_t victim) {
    uint64_t step;
    const int error = nav_step_before(nav->film, victim - 1, &step);
    if (error)
        return nav_failed(nav, error);
    nav->position = step;
    nav->victim = victim;
    nav->message[0] = 0;
    return ask(nav, ASK_VICTIM, "No frame is free. Which frame will be the victim? PP");
}

/* "3", "PP3", "pp3". */
static bool parse_frame(const char *word, uint64_t *ret_frame) {
    if (tolower((unsigned char)word[0]) == 'p' && tolower((unsigned char)word[1]) == 'p')
        word += 2;
    return parse_number(word, ret_frame);
}

/* An answer that is no guess: asked again, not counted. */
static bool frame_is_possible(struct nav *nav, const struct fold *fold, const char *word,
                              uint64_t *ret_frame) {
    const bool number = parse_frame(word, ret_frame);
    if (number && *ret_frame >= fold->reserved && *ret_frame < fold->frame_total)
        return true;
    if (number && *ret_frame < fold->reserved)
        nav_say(nav, "PP%llu is reserved for the OS and is never a victim", (unsigned long long)*ret_frame);
    else
        nav_say(nav, "%s: give the number of a frame, PP%llu to PP%llu", word,
                (unsigned long long)fold->reserved, (unsigned long long)fold->frame_total - 1);
    return false;
}

static enum nav_result take_victim(struct nav *nav, const char *word) {
    const struct fold *fold;
    struct event event;
    uint64_t frame;
    int error = film_event(nav->film, nav->victim, &event);
    if (!error)
        error = film_state(nav->film, nav->position, &fold);
    if (error)
        return nav_failed(nav, error);
    if (!frame_is_possible(nav, fold, word, &frame))
        return NAV_ASK;
    const bool right = frame == event.args[0];
    nav->asking = ASK_NOTHING;
    nav->asked++;
    nav->right += right;
    nav->position = nav->victim;
    if (right)
        nav_say(nav, "Right: PP%llu (%u of %u)", (unsigned long long)frame, nav->right, nav->asked);
    else
        nav_say(nav, "No, not PP%llu: the victim is PP%llu (%u of %u)", (unsigned long long)frame,
                (unsigned long long)event.args[0], nav->right, nav->asked);
    return NAV_DRAW;
}

/* ---- all of them ---- */

enum nav_result nav_take_answer(struct nav *nav, const char *line) {
    char word[WORD];
    const enum nav_asking asking = nav->asking;
    nav->message[0] = 0;
    if (!line || asking == ASK_NOTHING) {
        nav->asking = ASK_NOTHING;
        return asking == ASK_NOTHING ? NAV_NOTHING : NAV_DRAW;
    }
    trim(line, word, sizeof word);
    if (!*word && asking != ASK_FILTER)
        return nav_take_answer(nav, NULL);
    switch (asking) {
    case ASK_STEP: return take_step(nav, word);
    case ASK_FILTER: return take_filter(nav, line);
    case ASK_VICTIM: return take_victim(nav, word);
    case ASK_NOTHING: break;
    }
    return NAV_NOTHING;
}
