/* The sandbox's zones, and what a name in them stands for. What a change of a name does is in
 * sandbox_change.c, listings are in sandbox_list.c, the layers of what is written in overlay.c.
 *
 * The zones are few: what the command line named, the links and the program that lead to them. A path belongs
 * to the longest one that it is in; the first is "/". */
#include "kernel/sandbox/sandbox.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/files/beneath.h"
#include "kernel/sandbox/sandbox_parts.h"
#include "kernel/sandbox/scratch.h"

enum { LINKS_MAX = 40, SHEBANG_DEPTH = 5 };

/* ---- paths ---- */

void sandbox_go_up(char path[PATH_MAX]) {
    char *slash = strrchr(path, '/');
    slash[slash == path] = '\0';
}

int sandbox_go_down(char path[PATH_MAX], const char *name) {
    size_t length = strlen(path), more = strcspn(name, "/"); /* a name may have a '/' behind it */
    if (length == 1)
        length = 0;
    if (length + 1 + more >= SANDBOX_PATH_MAX)
        return -ENAMETOOLONG;
    path[length] = '/';
    memcpy(path + length + 1, name, more);
    path[length + 1 + more] = '\0';
    return 0;
}

static bool path_is_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    if (length == 1)
        return true;
    return strncmp(path, directory, length) == 0 && (!path[length] || path[length] == '/');
}

static bool path_is_upper(const struct sandbox *box, const char *path) {
    return box->upper_length && path_is_in(path, box->upper_path);
}

size_t sandbox_show_path(const struct sandbox *box, char *path) {
    size_t length = strlen(path);
    if (!path_is_upper(box, path))
        return length;
    length -= box->upper_length;
    memmove(path, path + box->upper_length, length + 1);
    if (length)
        return length;
    strcpy(path, "/");
    return 1;
}

int sandbox_host_path(const struct sandbox *box, int host, char ret_path[PATH_MAX], bool *ret_upper) {
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", host);
    ssize_t n = readlink(link, ret_path, PATH_MAX - 1);
    if (n <= 0 || ret_path[0] != '/')
        return -ENOENT;
    ret_path[n] = '\0';
    *ret_upper = path_is_upper(box, ret_path);
    sandbox_show_path(box, ret_path);
    return 0;
}

int sandbox_where(const struct sandbox *box, int host, char ret_path[PATH_MAX]) {
    struct stat st;
    bool upper;
    if (fstat(host, &st) < 0 || (S_ISDIR(st.st_mode) && st.st_nlink == 0))
        return -ENOENT;
    int r = sandbox_host_path(box, host, ret_path, &upper);
    if (r < 0)
        return r;
    return sandbox_is_visible(box, ret_path) ? 0 : -ENOENT;
}

/* ---- zones ---- */

const struct sandbox_zone *sandbox_zone_of(const struct sandbox *box, const char *path) {
    const struct sandbox_zone *best = &box->zones[0];
    size_t longest = 0;
    for (size_t i = 1; i < box->zone_count; i++) {
        const struct sandbox_zone *z = &box->zones[i];
        size_t length = strlen(z->path);
        bool fits = z->itself_only ? strcmp(path, z->path) == 0 : path_is_in(path, z->path);
        if (fits && length > longest) {
            best = z;
            longest = length;
        }
    }
    return best;
}

/* A directory above a zone that can be seen, or (`itself`) a zone's own path. */
bool sandbox_leads_to_zone(const struct sandbox *box, const char *path, bool itself) {
    for (size_t i = 1; i < box->zone_count; i++) {
        const struct sandbox_zone *z = &box->zones[i];
        if (z->mode != SANDBOX_NONE && path_is_in(z->path, path) && (itself || strcmp(z->path, path) != 0))
            return true;
    }
    return false;
}

bool sandbox_is_visible(const struct sandbox *box, const char *path) {
    return sandbox_zone_of(box, path)->mode != SANDBOX_NONE || sandbox_leads_to_zone(box, path, false);
}

static int zone_add(struct sandbox *box, const char *path, enum sandbox_mode mode, bool itself_only) {
    for (size_t i = 0; i < box->zone_count; i++) {
        if (strcmp(box->zones[i].path, path) == 0 && box->zones[i].itself_only == itself_only) {
            box->zones[i].mode = mode; /* the last word counts */
            return 0;
        }
    }
    struct sandbox_zone *grown =
        inject_realloc(box->inject, box->zones, box->zone_count + 1, sizeof(*box->zones));
    if (!grown)
        return -ENOMEM;
    box->zones = grown;
    char *copy = inject_strdup(box->inject, path);
    if (!copy)
        return -ENOMEM;
    box->zones[box->zone_count++] = (struct sandbox_zone){copy, mode, itself_only};
    return 0;
}

/* Takes the link at `path` as known to the guest, and gives the path with the link's text in its place. */
static int allow_link(struct sandbox *box, const char *path, const char *rest, char ret_path[PATH_MAX]) {
    char text[PATH_MAX], directory[PATH_MAX];
    ssize_t n = readlink(path, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    strcpy(directory, path);
    sandbox_go_up(directory);
    n = snprintf(ret_path, PATH_MAX, "%s/%s/%s", text[0] == '/' ? "" : directory, text, rest);
    return n >= PATH_MAX ? -ENAMETOOLONG : zone_add(box, path, SANDBOX_READ_ONLY, true);
}

/* One walk from the root to the end of `path` or to the first link in it: 1 with the path to go on with. */
static int allow_walk(struct sandbox *box, char path[PATH_MAX], char ret_real[PATH_MAX]) {
    char *save, next[PATH_MAX];
    strcpy(ret_real, "/");
    for (char *name = strtok_r(path, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
        struct stat st;
        if (strcmp(name, "..") == 0)
            sandbox_go_up(ret_real);
        if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
            continue;
        int r = sandbox_go_down(ret_real, name);
        if (strcmp(ret_real, "/proc") == 0) /* the machine's own, whatever is behind it */
            return 0;
        if (r == 0 && lstat(ret_real, &st) < 0)
            r = -errno;
        if (r == 0 && S_ISLNK(st.st_mode))
            r = allow_link(box, ret_real, save, next);
        else if (r == 0)
            continue;
        if (r == 0)
            strcpy(path, next);
        return r < 0 ? r : 1;
    }
    return 0;
}

/* A zone at what the path leads to; the links on the way can be read as well. */
static int allow_path(struct sandbox *box, const char *path, enum sandbox_mode mode) {
    char rest[PATH_MAX], real[PATH_MAX], cwd[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
        return -errno;
    if (snprintf(rest, sizeof(rest), "%s/%s", cwd, path) >= PATH_MAX)
        return -ENAMETOOLONG;
    for (int links = 0; links <= LINKS_MAX; links++) {
        int r = allow_walk(box, rest, real);
        if (r <= 0)
            return r < 0 || strcmp(real, "/proc") == 0 ? r : zone_add(box, real, mode, false);
    }
    return -ELOOP;
}

/* ---- the program itself ---- */

/* What the file names as its interpreter, in a "#!" line or as an ELF file: 1, or 0 when it names none. */
static int find_interpreter(int fd, char ret_path[PATH_MAX]) {
    char line[256];
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
    if (n > 2 && line[0] == '#' && line[1] == '!') {
        line[n] = '\0';
        char *start = line + 2 + strspn(line + 2, " \t");
        start[strcspn(start, " \t\n")] = '\0';
        strcpy(ret_path, start);
        return *ret_path != '\0';
    }
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG))
        return 0;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        off_t at = (off_t)(header.e_phoff + i * sizeof(segment));
        if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
            return 0;
        if (segment.p_type != PT_INTERP || segment.p_filesz == 0 || segment.p_filesz >= PATH_MAX)
            continue;
        n = pread(fd, ret_path, segment.p_filesz, (off_t)segment.p_offset);
        ret_path[n > 0 ? n : 0] = '\0';
        return n > 0;
    }
    return 0;
}

int sandbox_admit_program(struct sandbox *box, const char *path) {
    char next[PATH_MAX], current[PATH_MAX];
    if (box->zones[0].mode != SANDBOX_NONE || strlen(path) >= sizeof(current))
        return 0;
    strcpy(current, path);
    for (int depth = 0; depth < SHEBANG_DEPTH; depth++) {
        struct stat st;
        int fd = open(current, O_RDONLY | O_CLOEXEC | O_NONBLOCK), more = 0;
        if (fd < 0)
            return 0;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && faccessat(fd, "", X_OK, AT_EMPTY_PATH) == 0)
            more = find_interpreter(fd, next) + 1;
        close(fd);
        int r = more ? allow_path(box, current, SANDBOX_READ_ONLY) : 0;
        if (r < 0 || more < 2)
            return r;
        strcpy(current, next);
    }
    return 0;
}

/* ---- looking ---- */

static void found(const struct stat *st, enum sandbox_layer layer, enum sandbox_layer *ret_layer,
                  mode_t *ret_type) {
    *ret_layer = layer;
    *ret_type = st->st_mode & S_IFMT;
}

int sandbox_lower_stat(const struct sandbox *box, const char *path, struct stat *ret_stat) {
    const char *name;
    int directory = beneath_open_parent(box->root, path, &name);
    if (directory < 0)
        return directory;
    int r = fstatat(directory, name, ret_stat, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    close(directory);
    return r;
}

int sandbox_look_at(const struct sandbox *box, const char *path, enum sandbox_layer *ret_layer,
                    mode_t *ret_type) {
    enum sandbox_mode mode = sandbox_zone_of(box, path)->mode;
    bool written = mode == SANDBOX_OVERLAY || mode == SANDBOX_EMPTY;
    struct stat st;
    *ret_layer = SANDBOX_MISSING;
    *ret_type = 0;
    if (mode == SANDBOX_NONE && !sandbox_leads_to_zone(box, path, false))
        return 0;
    if (written && overlay_has_upper(&box->overlay, path, &st)) {
        found(&st, SANDBOX_UPPER, ret_layer, ret_type);
        return 0;
    }
    if (written && overlay_hides(&box->overlay, path))
        return 0;
    if (mode == SANDBOX_EMPTY && !sandbox_leads_to_zone(box, path, false))
        return 0;
    int r = sandbox_lower_stat(box, path, &st);
    if (r == 0)
        found(&st, SANDBOX_LOWER, ret_layer, ret_type);
    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
}

int sandbox_look(const struct sandbox *box, const char *directory, const char *name,
                 enum sandbox_layer *ret_layer, mode_t *ret_type) {
    char path[PATH_MAX];
    strcpy(path, directory);
    int r = sandbox_go_down(path, name);
    return r < 0 ? r : sandbox_look_at(box, path, ret_layer, ret_type);
}

enum sandbox_layer sandbox_top_layer(const struct sandbox *box, const char *directory) {
    enum sandbox_layer layer;
    mode_t type;
    int r = sandbox_look_at(box, directory, &layer, &type);
    return r < 0 || !S_ISDIR(type) ? SANDBOX_MISSING : layer;
}

int sandbox_open_directory(const struct sandbox *box, const char *directory, enum sandbox_layer layer) {
    int fd = -1;
    switch (layer) {
    case SANDBOX_MISSING: fd = fcntl(box->nowhere, F_DUPFD_CLOEXEC, 3); return fd < 0 ? -errno : fd;
    case SANDBOX_LOWER: return beneath_open_directory(box->root, directory);
    case SANDBOX_UPPER: return beneath_open_directory(box->overlay.upper, directory);
    }
    return fd;
}

ssize_t sandbox_read_link(const struct sandbox *box, const char *directory, const char *name,
                          enum sandbox_layer layer, char text[PATH_MAX]) {
    int fd = sandbox_open_directory(box, directory, layer);
    if (fd < 0)
        return fd;
    ssize_t n = readlinkat(fd, name, text, PATH_MAX);
    n = n < 0 ? -errno : n;
    close(fd);
    return n;
}

/* ---- opening ---- */

static bool is_device(dev_t device) {
    switch (major(device)) {
    case 1: return minor(device) == 3 || minor(device) == 5 || (minor(device) >= 7 && minor(device) <= 9);
    case 5: return minor(device) == 0 || minor(device) == 2;     /* the controlling terminal, and new ones */
    default: return major(device) >= 136 && major(device) < 144; /* terminal.c says which */
    }
}

int sandbox_may_open(const struct sandbox *box, const char *directory, const char *name,
                     enum sandbox_layer layer, bool *ret_device) {
    char path[PATH_MAX];
    struct stat st;
    *ret_device = false;
    strcpy(path, directory);
    int r = strcmp(name, ".") ? sandbox_go_down(path, name) : 0;
    if (r < 0 || layer != SANDBOX_LOWER)
        return r;
    r = sandbox_lower_stat(box, path, &st);
    if (r < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
        return r;
    *ret_device = S_ISCHR(st.st_mode) && is_device(st.st_rdev);
    return *ret_device || sandbox_zone_of(box, path)->mode == SANDBOX_HOST ? 0 : -EACCES;
}

int sandbox_may_connect(const struct sandbox *box, const char *directory, const char *name,
                        enum sandbox_layer layer) {
    char path[PATH_MAX];
    strcpy(path, directory);
    int r = sandbox_go_down(path, name);
    if (r < 0)
        return r;
    return layer == SANDBOX_UPPER || sandbox_zone_of(box, path)->mode == SANDBOX_HOST ? 0 : -EACCES;
}

void sandbox_hold(struct sandbox *box, int host) {
    if (box->held >= 0)
        close(box->held);
    box->held = host;
}

/* ---- making it ---- */

/* A directory that is gone: nothing is in it, and nothing can be made there. */
static int make_nowhere(struct sandbox *box) {
    char path[PATH_MAX];
    int r = scratch_create(path);
    if (r < 0)
        return r;
    box->nowhere = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    r = box->nowhere < 0 ? -errno : 0;
    if (rmdir(path) < 0 && r == 0)
        r = -errno;
    return r;
}

static bool config_writes(const struct sandbox_config *c) {
    bool writes = c->files == SANDBOX_OVERLAY || c->files == SANDBOX_EMPTY;
    for (size_t i = 0; i < c->rule_count; i++)
        writes |= c->rules[i].mode == SANDBOX_OVERLAY || c->rules[i].mode == SANDBOX_EMPTY;
    return writes;
}

/* The scratch copy's directories, which the guest must never meet under their own names. */
static int make_layers(struct sandbox *box, const char *scratch) {
    char path[PATH_MAX];
    int r = 0;
    if (!scratch)
        r = scratch_create(path);
    if (r < 0)
        return r;
    box->own_scratch = !scratch;
    box->scratch = realpath(scratch ? scratch : path, NULL);
    if (!box->scratch)
        return -errno;
    int fd = open(box->scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
    r = fd < 0 ? -errno : overlay_create(box->root, fd, &box->overlay);
    if (fd >= 0)
        close(fd);
    if (r < 0)
        return r;
    int n = snprintf(box->upper_path, sizeof(box->upper_path), "%s/upper", box->scratch);
    box->upper_length = (size_t)n;
    return n >= PATH_MAX ? -ENAMETOOLONG : zone_add(box, box->scratch, SANDBOX_NONE, false);
}

/* An empty zone's own directory is made at once, like the host's one. */
static int make_empty_zones(struct sandbox *box) {
    for (size_t i = 0; i < box->zone_count; i++) {
        if (box->zones[i].mode != SANDBOX_EMPTY)
            continue;
        int fd = overlay_open_upper(&box->overlay, box->zones[i].path);
        if (fd < 0)
            return fd;
        close(fd);
    }
    return 0;
}

static int add_rules(struct sandbox *box, const struct sandbox_config *config, const char **ret_wrong) {
    for (size_t i = 0; i < config->rule_count; i++) {
        int r = allow_path(box, config->rules[i].path, config->rules[i].mode);
        if (r < 0) {
            *ret_wrong = config->rules[i].path;
            return r;
        }
    }
    return 0;
}

int sandbox_create(const struct sandbox_config *config, struct inject *inject, struct sandbox **ret_sandbox,
                   const char **ret_wrong) {
    struct sandbox *box = inject_calloc(inject, 1, sizeof(*box));
    *ret_wrong = NULL;
    if (!box)
        return -ENOMEM;
    *box = (struct sandbox){.inject = inject, .nowhere = -1, .held = -1, .overlay = {-1, -1, -1}};
    box->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r = box->root < 0 ? -errno : zone_add(box, "/", config->files, false);
    if (r == 0)
        r = make_nowhere(box);
    if (r == 0)
        r = add_rules(box, config, ret_wrong);
    if (r == 0 && config_writes(config))
        r = make_layers(box, config->scratch);
    if (r == 0)
        r = make_empty_zones(box);
    if (r < 0) {
        sandbox_destroy(box);
        return r;
    }
    *ret_sandbox = box;
    return 0;
}

static void close_if_open(int fd) {
    if (fd >= 0)
        close(fd);
}

void sandbox_destroy(struct sandbox *box) {
    if (!box)
        return;
    close_if_open(box->held);
    close_if_open(box->nowhere);
    overlay_destroy(&box->overlay);
    if (box->own_scratch && box->scratch)
        (void)scratch_remove(AT_FDCWD,
                             box->scratch); /* what cannot be removed stays in the temporary files */
    close_if_open(box->root);
    for (size_t i = 0; i < box->zone_count; i++)
        free(box->zones[i].path);
    free(box->zones);
    free(box->scratch);
    free(box);
}
