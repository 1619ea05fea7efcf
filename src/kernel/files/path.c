/* The working directory and the umask of a process. The host process's own are what a program of the machine
 * starts with unless it was given a directory; its umask is the program's only while a call makes a file for
 * it (which lets the host ignore it where a directory has default permissions of its own). */
#include "kernel/files/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sandbox/sandbox.h"

/* Thimble may have been started in the host's /proc, which is not ours, or where the sandbox shows nothing:
 * the machine then starts at "/". */
static const char *default_directory(void) {
    char path[PATH_MAX] = "";
    bool in_proc =
        getcwd(path, sizeof(path)) && strncmp(path, "/proc", 5) == 0 && (!path[5] || path[5] == '/');
    return in_proc ? "/" : ".";
}

int pathfs_create(const struct kernel *k, const char *directory, struct pathfs **ret_fs) {
    struct pathfs *fs = calloc(1, sizeof(*fs));
    if (!fs)
        return -ENOMEM;
    *fs = (struct pathfs){.references = 1, .umask = umask(0)};
    umask(fs->umask);
    fs->directory = open(directory ? directory : default_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fs->directory < 0) {
        int error = -errno;
        free(fs);
        return error;
    }
    char path[PATH_MAX];
    if (k->sandbox && sandbox_where(k->sandbox, fs->directory, path) < 0)
        pathfs_set_host(fs, sandbox_open_directory(k->sandbox, "/", SANDBOX_LOWER));
    *ret_fs = fs;
    return 0;
}

struct pathfs *pathfs_copy(const struct pathfs *from) {
    struct pathfs *fs = malloc(sizeof(*fs));
    if (!fs)
        return NULL;
    *fs = *from;
    fs->references = 1;
    if (from->directory < 0)
        return fs;
    fs->directory = fcntl(from->directory, F_DUPFD_CLOEXEC, 3);
    if (fs->directory < 0) {
        free(fs);
        return NULL;
    }
    return fs;
}

struct pathfs *pathfs_ref(struct pathfs *fs) {
    fs->references++;
    return fs;
}

void pathfs_unref(struct pathfs *fs) {
    if (!fs || --fs->references)
        return;
    if (fs->directory >= 0)
        close(fs->directory);
    free(fs);
}

void pathfs_set_host(struct pathfs *fs, int directory) {
    if (fs->directory >= 0)
        close(fs->directory);
    fs->directory = directory;
}

void pathfs_set_proc(struct pathfs *fs, const struct proc_node *node) {
    pathfs_set_host(fs, -1);
    fs->node = *node;
}

ssize_t pathfs_name(const struct kernel *k, const struct pathfs *fs, char *to, size_t size) {
    if (fs->directory < 0) {
        int length = proc_path(&fs->node, to, size);
        return (size_t)length >= size ? -ERANGE : length + 1;
    }
    struct stat st;
    if (fstat(fs->directory, &st) < 0 || st.st_nlink == 0)
        return -ENOENT;
    char link[64], path[PATH_MAX + 16];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fs->directory);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    if (k->sandbox)
        length = (ssize_t)sandbox_show_path(k->sandbox, path);
    if ((size_t)length >= size)
        return -ERANGE;
    memcpy(to, path, (size_t)length + 1);
    return length + 1;
}
