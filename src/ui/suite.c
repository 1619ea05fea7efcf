/* See suite.h. */
#include "ui/suite.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "base/host_file.h"
#include "base/message.h"
#include "ui/options.h"
#include "ui/size.h"

extern char **environ;

/* ---- the file ---- */

static void entry_free(struct suite_entry *e) {
    free(e->name);
    free(e->command);
    for (char **word = e->words; word && *word; word++)
        free(*word);
    free(e->words);
    free(e->sizes);
}

void suite_free(struct suite *s) {
    for (size_t i = 0; i < s->count; i++)
        entry_free(&s->entries[i]);
    free(s->entries);
    *s = (struct suite){0};
}

struct place {
    const char *path;
    unsigned long line;
    char **ret_message;
};

static int refuse(const struct place *p, const char *what, const char *word) {
    return message_fail(-EINVAL, p->ret_message, "%s, line %lu: %s'%s'", p->path, p->line, what, word);
}

static char *trim(char *text) {
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text + strspn(text, " \t");
}

static const char *split_error(int error) {
    switch (error) {
    case WRDE_BADCHAR: return "one of | & ; < > ( ) { } is not in quotes (a shell would be sh -c '...'): ";
    case WRDE_BADVAL: return "a variable is not set: ";
    case WRDE_CMDSUB: return "commands within commands are not run: ";
    case WRDE_NOSPACE: return "no memory for ";
    default: return "a quotation mark is not closed: ";
    }
}

static int take_command(struct suite_entry *e, char *text, const struct place *p) {
    wordexp_t words;
    const int wrong = wordexp(text, &words, WRDE_NOCMD | WRDE_UNDEF);
    if (wrong)
        return refuse(p, split_error(wrong), text);
    e->command = strdup(text);
    e->words = calloc(words.we_wordc + 1, sizeof *e->words);
    int error = e->command && e->words ? 0 : -ENOMEM;
    for (size_t i = 0; !error && i < words.we_wordc; i++) {
        e->words[i] = strdup(words.we_wordv[i]);
        error = e->words[i] ? 0 : -ENOMEM;
    }
    if (!error && !words.we_wordc)
        error = refuse(p, "there is no command behind the colon of ", e->name);
    wordfree(&words);
    return error;
}

static int take_property(struct suite_entry *e, const char *word, const struct place *p) {
    if (!strncmp(word, "sizes=", 6)) {
        free(e->sizes);
        e->sizes = strdup(word + 6);
        return e->sizes ? 0 : -ENOMEM;
    }
    if (strncmp(word, "seed=", 5))
        return refuse(p, "neither seed=N nor sizes=LIST, nor a colon: ", word);
    e->has_seed = true;
    return number_parse(word + 5, 0, INT64_MAX, &e->seed) ? refuse(p, "no number of a seed: ", word + 5) : 0;
}

static int take_line(struct suite_entry *e, char *line, const struct place *p) {
    char *colon = strchr(line, ':'), *rest = line;
    if (!colon)
        return refuse(p, "no colon; a line is NAME [seed=N] [sizes=LIST] : COMMAND: ", line);
    /* Sizes have colons, too: the one meant has a blank behind it, or nothing. */
    while (colon && colon[1] && !isspace((unsigned char)colon[1]))
        colon = strchr(colon + 1, ':');
    if (!colon)
        return refuse(p, "no colon with a blank behind it: ", line);
    *colon = '\0';
    int error = 0;
    for (char *word; !error && (word = strsep(&rest, " \t")) != NULL;) {
        if (!*word)
            continue;
        if (e->name)
            error = take_property(e, word, p);
        else
            error = (e->name = strdup(word)) != NULL ? 0 : -ENOMEM;
    }
    if (!error && !e->name)
        error = refuse(p, "no name in front of the colon: ", trim(colon + 1));
    return error ? error : take_command(e, trim(colon + 1), p);
}

static int add_line(struct suite *s, char *line, const struct place *p) {
    line = trim(line);
    if (!*line || *line == '#')
        return 0;
    struct suite_entry *entries = reallocarray(s->entries, s->count + 1, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    s->entries = entries;
    struct suite_entry *e = &entries[s->count++];
    *e = (struct suite_entry){0};
    int error = take_line(e, line, p);
    for (size_t i = 0; !error && i + 1 < s->count; i++)
        if (!strcmp(entries[i].name, e->name))
            error = refuse(p, "there is another program of the name ", e->name);
    return error;
}

int suite_read(const char *path, struct suite *ret_suite, char **ret_message) {
    struct suite suite = {0};
    struct place place = {path, 0, ret_message};
    char *line = NULL;
    size_t room = 0;
    int error = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return message_fail(-errno, ret_message, "--suite: %s: %s", path, strerror(errno));
    while (!error && getline(&line, &room, file) >= 0) {
        place.line++;
        error = add_line(&suite, line, &place);
    }
    if (!error && ferror(file))
        error = message_fail(-EIO, ret_message, "--suite: %s cannot be read", path);
    if (!error && !suite.count)
        error = message_fail(-EINVAL, ret_message, "--suite: %s names no program", path);
    free(line);
    fclose(file);
    if (error)
        suite_free(&suite);
    else
        *ret_suite = suite;
    return error;
}

/* ---- running ---- */

enum { SAID_MOST = 2000 /* bytes */ };

enum { OPTIONS_MOST = 4, OPTION_TEXT = 40, WORDS_AROUND = OPTIONS_MOST + 6 };

/* The options of `thimble record` that a run takes, each in one word. */
struct run_options {
    char text[OPTIONS_MOST][OPTION_TEXT];
    size_t count;
};

static void make_options(const struct suite_run *run, struct run_options *o) {
    snprintf(o->text[o->count++], OPTION_TEXT, "--seed=%llu", (unsigned long long)run->seed);
    snprintf(o->text[o->count++], OPTION_TEXT, "--layout=%llu", (unsigned long long)run->layout);
    if (run->warm_up > 0)
        snprintf(o->text[o->count++], OPTION_TEXT, "--warm-up=%.9g", run->warm_up);
    if (run->duration > 0)
        snprintf(o->text[o->count++], OPTION_TEXT, "--duration=%.9g", run->duration);
}

/* thimble record OPTIONS -o TRACE -- COMMAND; the array is the caller's to free. */
static char **make_arguments(const struct suite_entry *e, struct run_options *o, const char *trace) {
    size_t words = 0, count = 0;
    while (e->words[words])
        words++;
    char **arguments = calloc(WORDS_AROUND + words, sizeof *arguments);
    if (!arguments)
        return NULL;
    arguments[count++] = (char *)"thimble";
    arguments[count++] = (char *)"record";
    for (size_t i = 0; i < o->count; i++)
        arguments[count++] = o->text[i];
    arguments[count++] = (char *)"-o";
    arguments[count++] = (char *)trace;
    arguments[count++] = (char *)"--";
    memcpy(arguments + count, e->words, words * sizeof *arguments);
    return arguments;
}

static int spawn(char **arguments, int said, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    int error = -posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = -posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = -posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = -posix_spawn_file_actions_adddup2(&actions, said, 2);
    if (!error)
        error = -posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* What the other process said, for our message. */
static void read_said(int said, char text[SAID_MOST]) {
    const ssize_t got = pread(said, text, SAID_MOST - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    trim(text);
}

int suite_record(const struct suite_entry *e, const struct suite_run *run, const char *trace,
                 char **ret_message) {
    char text[SAID_MOST];
    struct run_options options = {0};
    make_options(run, &options);
    const int said = host_file_unnamed(host_temporary_folder());
    char **arguments = make_arguments(e, &options, trace);
    pid_t pid;
    int status = 0;
    int error = said < 0 ? said : arguments ? spawn(arguments, said, &pid) : -ENOMEM;
    if (!error)
        while (waitpid(pid, &status, 0) < 0)
            if (errno != EINTR) {
                error = -errno;
                break;
            }
    const int exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_MACHINE;
    /* A program may end as it likes; the machine may not. */
    if (!error && exit_status >= EXIT_LIMIT && exit_status <= EXIT_NOT_FOUND)
        error = -ECHILD;
    if (error) {
        *text = '\0';
        if (said >= 0)
            read_said(said, text);
        message_fail(error, ret_message, "%s: it could not be recorded: %s", e->name,
                     *text ? text : strerror(-error));
    }
    if (said >= 0)
        close(said);
    free(arguments);
    return error;
}
