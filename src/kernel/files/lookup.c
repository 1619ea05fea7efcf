/* Looking paths up.
 *
 *     rest of the path:  "../proc/self/maps"
 *     cursor:            a host directory, or a node of /proc
 *
 * takes the next name off the rest and moves the cursor, until the last name is left. A symbolic link puts
 * its text in front of the rest. The root directory's "proc" is where the cursor passes into the machine's
 * /proc, ".." in /proc's root where it leaves it again. (A few directories in /sys are ours as well.)
 * In a sandbox the cursor is a path of the guest's own, and kernel/sandbox/sandbox.h says what stands behind
 * a name. Permission to search is the host's affair: the cursor opens each directory relative to the one
 * before. */
#include "kernel/files/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/files/inode.h"
#include "kernel/files/path.h"

enum { LINKS_MAX = 40 }; /* as Linux */

struct walk {
    struct thread *thread;
    struct lookup *at; /* the cursor: kind, directory, node, file */
    unsigned flags;    /* LOOKUP_* */
    unsigned resolve;  /* RESOLVE_* */
    struct scope {     /* where it began, if `resolve` says anything */
        dev_t dev;
        ino_t ino;
        int directory; /* of the host */
        char *inside;  /* in a sandbox: the guest path, malloc'd */
    } scope;
    unsigned links;
    char rest[2 * PATH_MAX];
    size_t next; /* in rest */
    bool last;   /* no name comes behind the current one */
    bool slash;  /* but a '/' does */
};

static void cursor_drop(struct lookup *at) {
    if (at->kind == LOOKUP_HOST && at->owned)
        close(at->directory);
    if (at->kind == LOOKUP_FILE)
        file_unref(at->file);
}

static void cursor_set_host(struct lookup *at, int directory, bool owned) {
    cursor_drop(at);
    at->kind = LOOKUP_HOST;
    at->directory = directory;
    at->owned = owned;
}

static void cursor_set_proc(struct lookup *at, const struct proc_node *node) {
    struct proc_node copy = *node;
    cursor_drop(at);
    at->kind = LOOKUP_PROC;
    at->node = copy;
}

static void cursor_set_file(struct lookup *at, struct file *f) {
    file_ref(f);
    cursor_drop(at);
    at->kind = LOOKUP_FILE;
    at->file = f;
}

static const struct sandbox *walk_sandbox(const struct walk *w) {
    return w->thread->process->kernel->sandbox;
}

static void cursor_set_root(struct walk *w) {
    cursor_set_host(w->at, inodes_root(w->thread->process->kernel), false);
    if (w->at->inside)
        strcpy(w->at->inside, "/");
}

/* ---- what RESOLVE_* forbids ---- */

static bool is_same(int directory, const struct scope *scope) {
    struct stat here;
    return fstat(directory, &here) == 0 && here.st_dev == scope->dev && here.st_ino == scope->ino;
}

/* The walk begins at the cursor. */
static int scope_begin(struct walk *w) {
    struct stat st = {0};
    if (!w->resolve)
        return 0;
    if (w->at->kind == LOOKUP_HOST && fstat(w->at->directory, &st) < 0)
        return -errno;
    w->scope = (struct scope){.dev = st.st_dev, .ino = st.st_ino, .directory = -1};
    if (w->at->kind == LOOKUP_HOST)
        w->scope.directory = fcntl(w->at->directory, F_DUPFD_CLOEXEC, 3);
    struct inject *inject = w->thread->process->kernel->config.inject;
    if (w->at->inside && !(w->scope.inside = inject_strdup(inject, w->at->inside)))
        return -ENOMEM;
    return 0;
}

static void scope_end(struct walk *w) {
    if (!w->resolve)
        return;
    if (w->scope.directory >= 0)
        close(w->scope.directory);
    free(w->scope.inside);
}

static bool scope_is_at_base(const struct walk *w) {
    if (w->at->kind != LOOKUP_HOST)
        return false;
    return w->at->inside ? strcmp(w->at->inside, w->scope.inside) == 0 : is_same(w->at->directory, &w->scope);
}

/* 1: ".." from here stays where it is, 0: it may be followed, or -EXDEV. */
static int scope_leave(const struct walk *w) {
    if (!(w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) || !scope_is_at_base(w))
        return 0;
    return w->resolve & RESOLVE_BENEATH ? -EXDEV : 1;
}

/* The cursor has moved, or its last name is looked at. */
static int scope_check_device(const struct walk *w) {
    struct stat st;
    if (!(w->resolve & RESOLVE_NO_XDEV))
        return 0;
    if (w->at->kind != LOOKUP_HOST)
        return -EXDEV;
    if (fstat(w->at->directory, &st) == 0 && st.st_dev != w->scope.dev)
        return -EXDEV;
    bool there = fstatat(w->at->directory, w->at->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    return w->last && there && st.st_dev != w->scope.dev ? -EXDEV : 0;
}

/* To the root directory, by a path or a link that begins there. */
static int walk_to_root(struct walk *w) {
    if (w->resolve & RESOLVE_BENEATH)
        return -EXDEV;
    if (!(w->resolve & RESOLVE_IN_ROOT)) {
        cursor_set_root(w);
        return 0;
    }
    int own = fcntl(w->scope.directory, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return -errno;
    cursor_set_host(w->at, own, true);
    if (w->at->inside)
        strcpy(w->at->inside, w->scope.inside);
    return 0;
}

/* At a directory of the host that the process has: in a sandbox, at its guest path. */
static int cursor_set_directory(struct walk *w, int host) {
    struct stat st;
    cursor_set_host(w->at, host, false);
    if (!w->at->inside)
        return 0;
    if (fstat(host, &st) == 0 && !S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return sandbox_where(walk_sandbox(w), host, w->at->inside);
}

/* The directory that relative paths begin at. */
static int cursor_start(struct walk *w, int directory, const char *path) {
    struct process *p = w->thread->process;
    *w->at = (struct lookup){.kind = LOOKUP_HOST, .directory = -1};
    if (p->kernel->sandbox && !(w->at->inside = inject_malloc(p->kernel->config.inject, PATH_MAX)))
        return -ENOMEM;
    bool absolute = path[0] == '/';
    if (absolute && w->resolve & RESOLVE_BENEATH)
        return -EXDEV;
    if (absolute && !(w->resolve & RESOLVE_IN_ROOT)) {
        cursor_set_root(w);
        return 0;
    }
    if (directory == AT_FDCWD) {
        if (p->fs->directory < 0)
            cursor_set_proc(w->at, &p->fs->node);
        else
            return cursor_set_directory(w, p->fs->directory);
        return 0;
    }
    struct file *f = descriptor_file(p, directory);
    if (!f)
        return -EBADF;
    if (proc_file_node(f))
        cursor_set_proc(w->at, proc_file_node(f));
    else if (f->host >= 0)
        return cursor_set_directory(w, f->host);
    else
        return -ENOTDIR;
    return 0;
}

static bool walk_follows_last(const struct walk *w) {
    return !(w->flags & LOOKUP_ENTRY) && (w->flags & LOOKUP_FOLLOW || w->slash);
}

/* Takes the next name off the rest. False: there is none. */
static bool walk_next(struct walk *w, int *ret_error) {
    const char *rest = w->rest + w->next;
    rest += strspn(rest, "/");
    size_t length = strcspn(rest, "/");
    *ret_error = length > NAME_MAX ? -ENAMETOOLONG : 0;
    if (!length || *ret_error)
        return false;
    memcpy(w->at->name, rest, length);
    w->at->name[length] = '\0';
    rest += length;
    w->slash = *rest == '/';
    rest += strspn(rest, "/");
    w->last = !*rest;
    w->next = (size_t)(rest - w->rest);
    return true;
}

/* Goes on at a symbolic link's text. */
static int walk_splice(struct walk *w, const char *text, size_t length) {
    if (++w->links > LINKS_MAX || w->resolve & RESOLVE_NO_SYMLINKS)
        return -ELOOP;
    if (!length)
        return -ENOENT;
    char rest[2 * PATH_MAX];
    int total =
        snprintf(rest, sizeof(rest), "%.*s%s%s", (int)length, text, w->slash ? "/" : "", w->rest + w->next);
    if (total >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(w->rest, rest, (size_t)total + 1);
    w->next = 0;
    return text[0] == '/' ? walk_to_root(w) : 0;
}

/* Whether the cursor is at the host directory of that path below the root. */
static bool is_at(struct walk *w, const char *path) {
    struct stat here, there;
    return fstat(w->at->directory, &here) == 0 &&
           fstatat(inodes_root(w->thread->process->kernel), path, &there, 0) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Steps return 1 when the last name stands in the cursor, 0 to go on. */
static int step_link(struct walk *w) {
    char text[PATH_MAX];
    ssize_t length = readlinkat(w->at->directory, w->at->name, text, sizeof(text));
    if (length < 0)
        return -errno;
    return walk_splice(w, text, (size_t)length);
}

static int step_host(struct walk *w) {
    char *name = w->at->name;
    struct proc_node node;
    const char *place = proc_mount(name, &node);
    if (place && is_at(w, place)) {
        cursor_set_proc(w->at, &node);
        return w->last;
    }
    if (w->last) {
        bool follow = walk_follows_last(w);
        if (follow && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            int r = step_link(w);
            if (r == 0 || r == -ELOOP || r == -ENAMETOOLONG)
                return r;
        }
        if (w->slash)
            strcat(name, "/"); /* the host then insists on a directory */
        return 1;
    }
    if (strcmp(name, ".") == 0)
        return 0;
    int next = openat(w->at->directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next >= 0) {
        cursor_set_host(w->at, next, true);
        return 0;
    }
    if (errno != ENOTDIR && errno != ELOOP)
        return -errno;
    int r = step_link(w);
    return r == -EINVAL ? -ENOTDIR : r;
}

/* ---- in a sandbox: the cursor is a guest path, and the host is asked for one name at a time ---- */

static int step_inside_link(struct walk *w) {
    char text[PATH_MAX];
    ssize_t n = sandbox_read_link(walk_sandbox(w), w->at->inside, w->at->name, w->at->layer, text);
    return n < 0 ? (int)n : walk_splice(w, text, (size_t)n);
}

static bool is_ours(const struct lookup *at, struct proc_node *ret_node) {
    const char *place = proc_mount(at->name, ret_node);
    return place && strcmp(at->inside + 1, strcmp(place, ".") == 0 ? "" : place) == 0;
}

static int step_inside(struct walk *w) {
    struct lookup *at = w->at;
    struct proc_node node;
    mode_t type;
    if (strcmp(at->name, "..") == 0) {
        sandbox_go_up(at->inside);
        strcpy(at->name, ".");
    }
    if (strcmp(at->name, ".") == 0)
        return w->last;
    if (is_ours(at, &node)) {
        cursor_set_proc(at, &node);
        return w->last;
    }
    int r = sandbox_look(walk_sandbox(w), at->inside, at->name, &at->layer, &type);
    if (r < 0)
        return r;
    if (S_ISLNK(type) && (!w->last || walk_follows_last(w)))
        return step_inside_link(w);
    if (w->last)
        return 1;
    if (!S_ISDIR(type))
        return at->layer == SANDBOX_MISSING ? -ENOENT : -ENOTDIR;
    return sandbox_go_down(at->inside, at->name);
}

/* The walk is over: the cursor gets the host directory that the last name is in. */
static int finish_inside(struct walk *w) {
    struct lookup *at = w->at;
    bool itself = strcmp(at->name, ".") == 0;
    if (itself)
        at->layer = sandbox_top_layer(walk_sandbox(w), at->inside);
    if (itself && at->layer == SANDBOX_MISSING)
        return -ENOENT;
    int directory = sandbox_open_directory(walk_sandbox(w), at->inside, at->layer);
    if (directory < 0)
        return directory;
    cursor_set_host(at, directory, true);
    if (w->slash && !itself)
        strcat(at->name, "/");
    return 0;
}

/* Out of /proc, or of what is ours in /sys. */
static int step_outside(struct walk *w, const char *place) {
    int directory = openat(inodes_root(w->thread->process->kernel), place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    cursor_set_host(w->at, directory, true);
    if (w->at->inside)
        snprintf(w->at->inside, PATH_MAX, "/%s", strcmp(place, ".") == 0 ? "" : place);
    strcpy(w->at->name, ".");
    return w->last;
}

/* A link in /proc: to an open file, or a text. */
static int step_proc_link(struct walk *w, const struct proc_node *link) {
    struct file *f = proc_node_file(w->thread->process->kernel, link);
    if (w->resolve && proc_is_magic(link))
        return w->resolve & (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS) ? -ELOOP : -EXDEV;
    if (f && (w->last || f->host < 0)) {
        cursor_set_file(w->at, f);
        return w->last ? 1 : -ENOTDIR;
    }
    if (f && w->at->inside)
        return cursor_set_directory(w, f->host);
    if (f) {
        int own = fcntl(f->host, F_DUPFD_CLOEXEC, 3);
        if (own < 0)
            return -errno;
        cursor_set_host(w->at, own, true);
        return 0;
    }
    char text[PATH_MAX];
    ssize_t length = proc_readlink(w->thread, link, text, sizeof(text));
    return length < 0 ? (int)length : walk_splice(w, text, (size_t)length);
}

static int step_proc(struct walk *w) {
    struct kernel *k = w->thread->process->kernel;
    struct proc_node next = w->at->node;
    if (!proc_exists(k, &w->at->node))
        return -ENOENT;
    if (strcmp(w->at->name, "..") == 0) {
        if (!proc_parent(&w->at->node, &next))
            return step_outside(w, proc_outside(&w->at->node));
    } else if (strcmp(w->at->name, ".") != 0) {
        int r = proc_child(k, &w->at->node, w->at->name, &next);
        if (r < 0)
            return r;
    }
    if (proc_is_link(&next) && (!w->last || walk_follows_last(w)))
        return step_proc_link(w, &next);
    if ((!w->last || w->slash) && !proc_is_directory(&next))
        return -ENOTDIR;
    cursor_set_proc(w->at, &next);
    return w->last;
}

static int walk_run(struct walk *w) {
    int error;
    while (walk_next(w, &error)) {
        int r = strcmp(w->at->name, "..") == 0 ? scope_leave(w) : 0;
        if (r < 0)
            return r;
        if (r > 0)
            strcpy(w->at->name, ".");
        r = w->at->kind == LOOKUP_PROC ? step_proc(w) : w->at->inside ? step_inside(w) : step_host(w);
        if (r >= 0 && scope_check_device(w) < 0)
            return -EXDEV;
        if (r)
            return r;
    }
    if (error)
        return error;
    strcpy(w->at->name, "."); /* the path was "/", or a link led to a directory such as "/" */
    return 1;
}

int lookup_path(struct thread *t, int directory, const char *path, unsigned flags,
                struct lookup *ret_lookup) {
    if (!path[0])
        return -ENOENT;
    size_t length = strlen(path);
    if (length >= PATH_MAX)
        return -ENAMETOOLONG;
    struct walk w; /* not initialised as a whole: most of `rest` is never used */
    w.thread = t;
    w.at = ret_lookup;
    w.flags = flags;
    w.resolve = flags >> LOOKUP_RESOLVE_SHIFT;
    w.links = 0;
    w.next = 0;
    w.last = w.slash = false;
    memcpy(w.rest, path, length + 1);
    int r = cursor_start(&w, directory, path);
    if (r == 0)
        r = scope_begin(&w);
    if (r == 0) {
        r = walk_run(&w);
        scope_end(&w);
    }
    if (r >= 0 && ret_lookup->inside && ret_lookup->kind == LOOKUP_HOST)
        r = finish_inside(&w);
    if (r < 0) {
        lookup_end(ret_lookup);
        return r;
    }
    return 0;
}

int lookup_user(struct thread *t, int directory, uint64_t user, int at_flags, struct lookup *ret_lookup) {
    char path[PATH_MAX];
    ssize_t length = user_string(t->process->space, user, path, sizeof(path));
    if (length < 0)
        return (int)length;
    unsigned flags = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
    if (length || !(at_flags & AT_EMPTY_PATH))
        return lookup_path(t, directory, path, flags, ret_lookup);
    if (directory == AT_FDCWD)
        return lookup_path(t, directory, ".", flags, ret_lookup);
    struct file *f = descriptor_file(t->process, directory);
    if (!f)
        return -EBADF;
    *ret_lookup = (struct lookup){.kind = LOOKUP_FILE, .file = file_ref(f)};
    return 0;
}

void lookup_end(struct lookup *l) {
    cursor_drop(l);
    free(l->inside);
    l->inside = NULL;
}

int lookup_change(struct thread *t, struct lookup *l, enum sandbox_change change) {
    if (l->kind != LOOKUP_HOST || !l->inside)
        return 0;
    int directory = sandbox_change(t->process->kernel->sandbox, l->inside, l->name, change);
    if (directory < 0)
        return directory;
    cursor_set_host(l, directory, true);
    return 0;
}

int lookup_open_file(struct thread *t, struct file *f, struct lookup *ret_lookup) {
    const struct sandbox *box = f->kernel->sandbox;
    char path[PATH_MAX];
    int r = box && f->host >= 0 && !f->ops->host_helps ? sandbox_file_change(box, f->host, path) : 0;
    if (r == 0)
        *ret_lookup = (struct lookup){.kind = LOOKUP_FILE, .file = file_ref(f)};
    if (r <= 0)
        return r;
    r = lookup_path(t, AT_FDCWD, path, 0, ret_lookup);
    if (r < 0)
        return r;
    r = lookup_change(t, ret_lookup, SANDBOX_STATUS);
    if (r < 0)
        lookup_end(ret_lookup);
    return r;
}

void lookup_host_path(const struct lookup *l, char *to, size_t size) {
    snprintf(to, size, "/proc/self/fd/%d/%s", l->directory, l->name);
}
