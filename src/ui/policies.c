/* `thimble policies`: which replacement policies there are, Thimble's own and the user's, as a table or JSON;
 * and the beginning of a new one, which builds and runs as it is.
 *
 * The files of that beginning are examples/policy/ and the installed header themselves, taken into the
 * program when it is built: what is written was built and tested with it. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "page/assets.h"
#include "policy/policy.h"
#include "ui/commands.h"
#include "ui/guide.h"
#include "ui/json.h"
#include "ui/options.h"

/* examples/policy/ and the header; made by embed.py. */
extern const struct page_asset policy_file_table[];
extern const size_t policy_file_count;

#define EXAMPLE "sfifo" /* is replaced by the new name wherever it stands */

enum { NAME_LENGTH = 32, FILES_MAX = 16, PATH_LENGTH = 4096 };

struct request {
    bool as_json;
    const char *new_name;  /* NULL: a list is wanted */
    const char *directory; /* of the new policy */
    const char *files[FILES_MAX];
    size_t file_count;
    char *message; /* what is wrong; NULL: nothing */
};

/* ---- the list ---- */

static const char *const needs_names[] = {
    [POLICY_NEEDS_NOTHING] = "nothing",
    [POLICY_NEEDS_REFERENCED_BITS] = "referenced-bits",
    [POLICY_NEEDS_EVERY_REFERENCE] = "every-reference",
};

static json_t *policy_json(const struct policy_ops *ops) {
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "name", ops->name, "description", ops->description,
                     "needs", needs_names[ops->needs], "parameters", ops->parameters, "file", ops->file);
}

static int print_json(const struct policy_ops *const *list, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, policy_json(list[i]));
    return json_print(json_pack("{s:o}", "policies", array), stdout) ? EXIT_MACHINE : EXIT_SUCCESS;
}

static int print_list(const struct request *r, const struct policy_ops *const *list, size_t count) {
    if (r->as_json)
        return print_json(list, count);
    for (size_t i = 0; i < count; i++)
        guide_print_policy(stdout, list[i]);
    if (r->file_count == 0)
        fputs("\nOPT, which knows the future, stands beside these in thimble curve and thimble compare.\n"
              "thimble policies --new NAME writes the beginning of one of your own.\n",
              stdout);
    return EXIT_SUCCESS;
}

static int list_own(const struct request *r) {
    size_t count = 0;
    while (policies[count])
        count++;
    return print_list(r, policies, count);
}

/* Those in shared objects, which are loaded but not created. */
static int list_files(struct request *r) {
    const struct policy_ops *list[FILES_MAX];
    size_t count = 0;
    int error = 0;
    while (count < r->file_count && !error) {
        const char *parameters;
        error = policy_load(r->files[count], &list[count], &parameters, &r->message);
        count += !error;
    }
    const int status = error ? EXIT_MACHINE : print_list(r, list, count);
    while (count > 0)
        policy_unload(list[--count]);
    return status;
}

/* ---- a new one ---- */

static bool is_name(const char *name) {
    if (!islower((unsigned char)*name) || strlen(name) > NAME_LENGTH)
        return false;
    for (; *name; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && !strchr("-_", *name))
            return false;
    return true;
}

/* Writes the text with the example's name replaced. */
static void write_renamed(FILE *to, const char *text, size_t size, const char *name) {
    const char *end = text + size;
    const size_t length = strlen(EXAMPLE);
    while (text < end) {
        const char *found = memmem(text, (size_t)(end - text), EXAMPLE, length);
        fwrite(text, 1, (size_t)((found ? found : end) - text), to);
        if (found)
            fputs(name, to);
        text = found ? found + length : end;
    }
}

/* Where a file of the example goes. The header gets a folder, as it is included by that name. */
static void path_make(const struct request *r, const struct page_asset *file, char path[PATH_LENGTH]) {
    if (!strcmp(file->path, "/policy.h"))
        snprintf(path, PATH_LENGTH, "%s/thimble/policy.h", r->directory);
    else if (!strcmp(file->path, "/" EXAMPLE ".c"))
        snprintf(path, PATH_LENGTH, "%s/%s.c", r->directory, r->new_name);
    else
        snprintf(path, PATH_LENGTH, "%s%s", r->directory, file->path);
}

static int file_write(struct request *r, const struct page_asset *file) {
    char path[PATH_LENGTH];
    path_make(r, file, path);
    FILE *to = fopen(path, "wxe");
    if (!to)
        return message_fail(-errno, &r->message, "%s cannot be written: %s", path, strerror(errno));
    write_renamed(to, (const char *)file->bytes, file->size, r->new_name);
    errno = 0;
    const bool failed = ferror(to);
    if (fclose(to) || failed)
        return message_fail(-EIO, &r->message, "%s could not be written: %s", path,
                            strerror(errno ? errno : EIO));
    return 0;
}

/* Nothing is written when something of the kind is there. */
static int files_check(struct request *r) {
    char path[PATH_LENGTH];
    struct stat status;
    for (size_t i = 0; i < policy_file_count; i++) {
        path_make(r, &policy_file_table[i], path);
        if (lstat(path, &status) == 0)
            return message_fail(-EEXIST, &r->message,
                                "%s is there already, and nothing is overwritten: give another directory "
                                "with -o DIR",
                                path);
    }
    return 0;
}

static int directory_make(struct request *r, const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return 0;
    return message_fail(-errno, &r->message, "the directory %s cannot be made: %s", path, strerror(errno));
}

static int new_write(struct request *r) {
    char path[PATH_LENGTH];
    if (!is_name(r->new_name))
        return message_fail(-EINVAL, &r->message,
                            "--new: '%s' cannot be the name of a policy: give a lower-case letter, then up "
                            "to %d more, digits, '-' and '_'",
                            r->new_name, NAME_LENGTH - 1);
    int error = files_check(r);
    if (!error)
        error = directory_make(r, r->directory);
    snprintf(path, sizeof path, "%s/thimble", r->directory);
    if (!error)
        error = directory_make(r, path);
    for (size_t i = 0; i < policy_file_count && !error; i++)
        error = file_write(r, &policy_file_table[i]);
    return error;
}

static int new_command(struct request *r) {
    if (new_write(r))
        return EXIT_MACHINE;
    const char *place = strcmp(r->directory, ".") ? r->directory : NULL;
    printf("%s/%s.c is a policy that works: build it with make, and change it.\n\n", r->directory,
           r->new_name);
    printf("    make%s%s\n    thimble run -p %s/%s.so --stats text -n 64 -- ls /\n", place ? " -C " : "",
           place ? place : "", r->directory, r->new_name);
    return EXIT_SUCCESS;
}

/* ---- the command line ---- */

enum { KEY_NEW = 256 };

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct request *r = state->input;
    switch (key) {
    case 'j': r->as_json = true; return 0;
    case 'o': r->directory = value; return 0;
    case KEY_NEW: r->new_name = value; return 0;
    case ARGP_KEY_ARG:
        if (r->file_count == FILES_MAX)
            argp_error(state, "more than %d files", FILES_MAX);
        else
            r->files[r->file_count++] = value;
        return 0;
    case ARGP_KEY_END:
        if (r->new_name && (r->file_count || r->as_json))
            argp_error(state, "--new takes neither files nor --json");
        else if (!r->new_name && r->directory)
            argp_error(state, "-o says where --new writes");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int policies_command(int argc, char **argv, char **envp) {
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "One JSON object instead of lines", 0},
        {"new", KEY_NEW, "NAME", 0, "Write a policy of that name to begin with: NAME.c, Makefile, README", 0},
        {"directory", 'o', "DIR", 0, "Where --new writes (default: here)", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = take_option,
        .args_doc = "[FILE.so...]",
        .doc = "Say which page replacement policies there are, with their parameters and what they need; or "
               "which those in FILE.so are.\vSee also: man thimble-policies",
    };
    struct request r = {0};
    argp_err_exit_status = EXIT_MACHINE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &r))
        return EXIT_MACHINE;
    if (!r.directory)
        r.directory = ".";
    const int status = r.new_name ? new_command(&r) : r.file_count ? list_files(&r) : list_own(&r);
    if (r.message)
        fprintf(stderr, "thimble: %s\n", r.message);
    free(r.message);
    return status;
}
