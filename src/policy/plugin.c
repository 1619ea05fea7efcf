/* See plugin.h. Loading: what is wrong with a file is said before the dynamic linker sees it, where it would
 * say less; what is wrong with the policy in it, before anything of it is called. */
#include "policy/plugin.h"

#include <ctype.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "policy/guard.h"
#include "policy/plugin_link.h"

#define SYMBOL "thimble_policy"

enum { NAME_LENGTH = 32, PARAMETERS_MAX = 64 };

/* ---- the specification ---- */

/* How much of it is the name: up to the colon; one in the name of a directory is none. */
static size_t name_length(const char *specification) {
    const char *end = strstr(specification, ".so:");
    const size_t length = strlen(specification);
    if (end)
        return (size_t)(end - specification) + 3;
    if (length >= 3 && !strcmp(specification + length - 3, ".so"))
        return length;
    return strcspn(specification, ":");
}

bool plugin_is_meant(const char *specification) {
    const size_t length = name_length(specification);
    return memchr(specification, '/', length) ||
           (length > 3 && !strncmp(specification + length - 3, ".so", 3));
}

/* The name as the dynamic linker takes it for a path: with a slash. NULL without memory. */
static char *path_make(const char *specification) {
    const int length = (int)name_length(specification);
    const bool has_slash = memchr(specification, '/', (size_t)length);
    char *path;
    return asprintf(&path, "%s%.*s", has_slash ? "" : "./", length, specification) < 0 ? NULL : path;
}

/* ---- the file ---- */

static int file_judge(const char *path, const Elf64_Ehdr *header, ssize_t got, char **ret_message) {
    static const char make[] = "build it with cc -shared -fPIC -o mine.so mine.c";
    if (got < (ssize_t)sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return message_fail(-EINVAL, ret_message, "policy %s: this is no shared object: %s", path, make);
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
        return message_fail(-EINVAL, ret_message,
                            "policy %s: it was built for another processor (ELF class %u, machine %u): "
                            "Thimble loads 64-bit x86-64 shared objects only",
                            path, header->e_ident[EI_CLASS], header->e_machine);
    if (header->e_type != ET_DYN)
        return message_fail(-EINVAL, ret_message, "policy %s: this is not a shared object but %s: %s", path,
                            header->e_type == ET_REL ? "an object file" : "a program", make);
    return 0;
}

static int file_check(const char *path, char **ret_message) {
    Elf64_Ehdr header;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t got = fd < 0 ? -1 : read(fd, &header, sizeof header);
    const int error = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return message_fail(-EINVAL, ret_message, "policy %s: the file cannot be read: %s%s", path,
                            strerror(error), error == ENOENT ? " (make builds it)" : "");
    return file_judge(path, &header, got, ret_message);
}

/* ---- the policy in it ---- */

static bool is_name(const char *name) {
    const size_t length = name ? strlen(name) : 0;
    if (length == 0 || length > NAME_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '-' &&
            name[i] != '_')
            return false;
    return true;
}

static int version_check(const char *path, const struct thimble_policy *policy, char **ret_message) {
    static const char rebuild[] = "rebuild it with the thimble/policy.h of this Thimble";
    if (policy->version != THIMBLE_POLICY_VERSION)
        return message_fail(-EINVAL, ret_message,
                            "policy %s: it was built for version %u of the interface, this Thimble has "
                            "version %u: %s",
                            path, policy->version, THIMBLE_POLICY_VERSION, rebuild);
    if (policy->size < offsetof(struct thimble_policy, victim) + sizeof policy->victim)
        return message_fail(-EINVAL, ret_message,
                            "policy %s: its `size` is %u, which cannot be sizeof(struct thimble_policy): %s",
                            path, policy->size, rebuild);
    return 0;
}

static const char *missing_function(const struct thimble_policy *p) {
    return !p->create    ? "create"
           : !p->destroy ? "destroy"
           : !p->insert  ? "insert"
           : !p->remove  ? "remove"
           : !p->victim  ? "victim"
                         : NULL;
}

static int policy_check(const char *path, const struct thimble_policy *p, char **ret_message) {
    if (!is_name(p->name))
        return message_fail(-EINVAL, ret_message,
                            "policy %s: its name '%.40s' cannot be used: 1 to %d lower-case letters, digits, "
                            "'-' and '_'",
                            path, p->name ? p->name : "", NAME_LENGTH);
    if (!p->description)
        return message_fail(-EINVAL, ret_message,
                            "policy %s: `description` is NULL: say in one line what it does", path);
    const char *missing = missing_function(p);
    if (missing)
        return message_fail(-EINVAL, ret_message, "policy %s: `%s` is NULL: every policy must have one", path,
                            missing);
    if (p->needs > THIMBLE_NEEDS_EVERY_REFERENCE)
        return message_fail(-EINVAL, ret_message, "policy %s: `needs` is %u: there are 0, 1 and 2", path,
                            p->needs);
    if ((p->needs == THIMBLE_NEEDS_EVERY_REFERENCE) != (p->access != NULL))
        return message_fail(-EINVAL, ret_message,
                            "policy %s: %s: `access` is called with THIMBLE_NEEDS_EVERY_REFERENCE, and only "
                            "then",
                            path, p->access ? "it has `access` but does not need it" : "`access` is NULL");
    return 0;
}

static int parameters_check(struct plugin *plugin, char **ret_message) {
    const struct thimble_parameter *p = plugin->policy.parameters;
    for (size_t i = 0; p && p[i].name; i++) {
        if (i == PARAMETERS_MAX)
            return message_fail(-EINVAL, ret_message,
                                "policy %s: it has more than %d parameters: the list must end with a name "
                                "that is NULL",
                                plugin->path, PARAMETERS_MAX);
        const bool in_range = p[i].initial >= p[i].minimum && p[i].initial <= p[i].maximum;
        if (!is_name(p[i].name) || !p[i].description || !in_range)
            return message_fail(-EINVAL, ret_message,
                                "policy %s: its parameter '%.40s' needs a name of lower-case letters, a "
                                "description, and an initial value between minimum and maximum",
                                plugin->path, p[i].name);
        plugin->parameter_count++;
    }
    return 0;
}

/* "alpha=0.25 (0 to 1): share of the second queue; depth=…". 0 or -ENOMEM. */
static int parameters_describe(struct plugin *plugin) {
    size_t size;
    FILE *to = plugin->parameter_count ? open_memstream(&plugin->parameters, &size) : NULL;
    if (!to)
        return plugin->parameter_count ? -ENOMEM : 0;
    for (size_t i = 0; i < plugin->parameter_count; i++) {
        const struct thimble_parameter *p = &plugin->policy.parameters[i];
        fprintf(to, "%s%s=%g (%s%g to %g): %s", i ? "; " : "", p->name, p->initial, p->whole ? "whole, " : "",
                p->minimum, p->maximum, p->description);
    }
    return fclose(to) ? -ENOMEM : 0;
}

static int policy_take(struct plugin *plugin, char **ret_message) {
    const struct thimble_policy *found = dlsym(plugin->handle, SYMBOL);
    if (!found)
        return message_fail(-EINVAL, ret_message,
                            "policy %s: it exports no symbol `" SYMBOL
                            "`: include thimble/policy.h and define "
                            "const struct thimble_policy " SYMBOL,
                            plugin->path);
    int error = version_check(plugin->path, found, ret_message);
    if (error)
        return error;
    memcpy(&plugin->policy, found, found->size < sizeof *found ? found->size : sizeof *found);
    error = policy_check(plugin->path, &plugin->policy, ret_message);
    if (!error)
        error = parameters_check(plugin, ret_message);
    return error ? error : parameters_describe(plugin);
}

static int plugin_open(struct plugin *plugin, char **ret_message) {
    int error = file_check(plugin->path, ret_message);
    if (error)
        return error;
    plugin->handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->handle)
        return message_fail(-EINVAL, ret_message, "policy %s: it cannot be loaded: %s", plugin->path,
                            dlerror());
    error = policy_take(plugin, ret_message);
    if (error)
        return error;
    struct plugin_place place;
    error = plugin_link(plugin->handle, &place);
    if (error)
        return message_fail(error, ret_message, "policy %s: its calls cannot be watched: %s", plugin->path,
                            strerror(-error));
    plugin->base = place.base;
    plugin->code_start = place.code_start;
    plugin->code_end = place.code_end;
    return 0;
}

int plugin_load(const char *specification, struct plugin **ret_plugin, const char **ret_parameters,
                char **ret_message) {
    struct plugin *plugin = calloc(1, sizeof *plugin);
    if (!plugin)
        return message_fail(-ENOMEM, ret_message, "no memory for policy %s", specification);
    plugin->path = path_make(specification);
    int error = plugin->path ? plugin_open(plugin, ret_message)
                             : message_fail(-ENOMEM, ret_message, "no memory for policy %s", specification);
    if (error) {
        plugin_unload(plugin);
        return error;
    }
    plugin->ops = (struct policy_ops){
        .name = plugin->policy.name,
        .description = plugin->policy.description,
        .needs = (enum policy_needs)plugin->policy.needs,
        .parameters = plugin->parameters,
        .file = plugin->path,
    };
    guard_make_ops(&plugin->policy, &plugin->ops);
    const size_t length = name_length(specification);
    *ret_parameters = specification[length] ? specification + length + 1 : NULL;
    *ret_plugin = plugin;
    return 0;
}

void plugin_unload(struct plugin *plugin) {
    if (plugin->handle)
        dlclose(plugin->handle);
    free(plugin->parameters);
    free(plugin->path);
    free(plugin);
}

const struct plugin *plugin_of(const struct policy_ops *ops) {
    return ops->file ? (const struct plugin *)(const void *)((const char *)ops - offsetof(struct plugin, ops))
                     : NULL;
}

/* ---- parameters ---- */

/* "there are alpha (0 … 1), depth (whole, 1 … 64)" */
static char *parameters_list(const struct plugin *plugin) {
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs(plugin->parameter_count ? "there are" : "there are none", to);
    for (size_t i = 0; i < plugin->parameter_count; i++) {
        const struct thimble_parameter *p = &plugin->policy.parameters[i];
        fprintf(to, "%s %s (%s%g to %g)", i ? "," : "", p->name, p->whole ? "whole numbers from " : "from ",
                p->minimum, p->maximum);
    }
    fclose(to);
    return text;
}

static int parameter_refuse(const struct plugin *plugin, const char *text, const char *what,
                            char **ret_message) {
    char *list = parameters_list(plugin);
    const int error = message_fail(-EINVAL, ret_message, "cannot use '%.*s': %s; %s", (int)strcspn(text, ","),
                                   text, what, list ? list : "");
    free(list);
    return error;
}

static size_t parameter_find(const struct plugin *plugin, const char *text, size_t length) {
    size_t i = 0;
    while (i < plugin->parameter_count && (strlen(plugin->policy.parameters[i].name) != length ||
                                           strncmp(plugin->policy.parameters[i].name, text, length) != 0))
        i++;
    return i;
}

/* One "name=value". NULL, or what is wrong. */
static const char *parameter_take(const struct plugin *plugin, const char *text, uint64_t *seen,
                                  double *values) {
    const size_t length = strcspn(text, "=,"), i = parameter_find(plugin, text, length);
    if (i == plugin->parameter_count)
        return "it has no such parameter";
    if (text[length] != '=')
        return "a parameter is given as name=value";
    if (*seen >> i & 1)
        return "it is given twice";
    *seen |= 1ULL << i;
    const struct thimble_parameter *p = &plugin->policy.parameters[i];
    const char *number = text + length + 1;
    char *end;
    const double value = strtod(number, &end);
    if (isspace((unsigned char)*number) || end == number || (*end && *end != ','))
        return "this is no number";
    if (!(value >= p->minimum && value <= p->maximum)) /* nor NaN */
        return "the value is out of range";
    if (p->whole && value != floor(value))
        return "it takes whole numbers";
    values[i] = value;
    return NULL;
}

int plugin_parse(const struct plugin *plugin, const char *parameters, double *values, char **ret_message) {
    uint64_t seen = 0;
    for (size_t i = 0; i < plugin->parameter_count; i++)
        values[i] = plugin->policy.parameters[i].initial;
    if (!parameters || !*parameters)
        return 0;
    for (const char *text = parameters;; text++) {
        const char *wrong = parameter_take(plugin, text, &seen, values);
        if (wrong)
            return parameter_refuse(plugin, text, wrong, ret_message);
        text += strcspn(text, ",");
        if (!*text)
            return 0;
    }
}
