/* A guest program: random operations on the files below its working directory, each with its result on a line
 * of standard output, and at the end all that is there. Run natively on a copy and in a sandbox's overlay it
 * must print the same.
 *
 * usage: random-tree SEED OPERATIONS */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 256, CONTENT = 64 };

static uint64_t state;

static unsigned draw(unsigned below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33) % below;
}

/* Few names and not deep, so that operations meet. */
static const char *random_path(char path[PATH_SIZE]) {
    static const char *const names[] = {"a", "b", "c", "d", "link", "."};
    unsigned depth = 1 + draw(3);
    path[0] = '\0';
    for (unsigned i = 0; i < depth; i++) {
        if (i)
            strcat(path, "/");
        strcat(path, draw(24) == 0 ? ".." : names[draw(draw(8) ? 5 : 6)]);
    }
    return path;
}

static void say(const char *what, const char *path, long result) {
    printf("%s %s: %s\n", what, path, result < 0 ? strerrorname_np(errno) : "ok");
}

static void read_file(const char *path) {
    char content[CONTENT + 1];
    int fd = open(path, O_RDONLY | (draw(4) ? 0 : O_NOFOLLOW));
    ssize_t n = fd < 0 ? -1 : read(fd, content, CONTENT);
    int error = errno;
    printf("read %s: %s %.*s\n", path, n < 0 ? strerrorname_np(error) : "ok", n < 0 ? 0 : (int)n, content);
    if (fd >= 0)
        close(fd);
}

static void write_file(const char *path) {
    static const int extra[] = {O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND, O_CREAT | O_APPEND, 0};
    char text[CONTENT];
    int flags = (draw(2) ? O_WRONLY : O_RDWR) | extra[draw(6)];
    int fd = open(path, flags, 0600 + draw(2) * 0044);
    say("open", path, fd);
    if (fd < 0)
        return;
    int length = snprintf(text, sizeof(text), "[%u]", draw(1000));
    say("write", path, write(fd, text, (size_t)length));
    if (draw(3) == 0)
        say("fchmod", path, fchmod(fd, 0600 + draw(8)));
    close(fd);
}

static void show_status(char *path) {
    struct stat st;
    if (draw(4) == 0)
        strcat(path, "/");
    long r = draw(2) ? stat(path, &st) : lstat(path, &st);
    say("stat", path, r);
    if (r == 0)
        printf("  %o %s\n", st.st_mode & (S_ISDIR(st.st_mode) ? S_IFMT : S_IFMT | 0777),
               S_ISREG(st.st_mode) ? "file" : "other");
    if (r == 0 && S_ISREG(st.st_mode))
        printf("  size %ld links %lu\n", (long)st.st_size, (unsigned long)st.st_nlink);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_directory(const char *path) {
    char *names[64];
    size_t count = 0;
    DIR *stream = opendir(path);
    say("list", path, stream ? 0 : -1);
    for (struct dirent *d; stream && count < 64 && (d = readdir(stream));)
        names[count++] = strdup(d->d_name);
    qsort(names, count, sizeof(*names), compare);
    for (size_t i = 0; i < count; i++) {
        printf(" %s", names[i]);
        free(names[i]);
    }
    printf("\n");
    if (stream)
        closedir(stream);
}

/* By a descriptor of a directory, and by the working directory. */
static void from_directory(const char *directory, const char *name) {
    char here[PATH_SIZE] = "";
    int fd = open(directory, O_RDONLY | O_DIRECTORY), back = open(".", O_RDONLY | O_DIRECTORY);
    say("directory", directory, fd);
    if (fd >= 0) {
        say("mkdirat", name, mkdirat(fd, name, 0755));
        say("unlinkat", name, unlinkat(fd, name, draw(2) ? AT_REMOVEDIR : 0));
        say("fchdir", directory, fchdir(fd));
        const char *slash = getcwd(here, sizeof(here)) ? strrchr(here, '/') : "?";
        printf("  in %s\n", slash);
        write_file(name);
        say("back", ".", fchdir(back));
        close(fd);
    }
    close(back);
}

static void change_one(char *path, const char *other) {
    char text[PATH_SIZE];
    switch (draw(16)) {
    case 0: read_file(path); break;
    case 1:
    case 2: write_file(path); break;
    case 3: show_status(path); break;
    case 4: list_directory(path); break;
    case 5: say("mkdir", path, mkdir(path, 0755)); break;
    case 6:
        if (!strstr(path, "..")) /* "x/.." fails either way, with ENOTEMPTY or EINVAL */
            say("rmdir", path, rmdir(path));
        break;
    case 7: say("unlink", path, unlink(path)); break;
    case 8:
    case 9: say("rename", path, rename(path, other)); break;
    case 10: say("noreplace", path, renameat2(AT_FDCWD, path, AT_FDCWD, other, 1)); break;
    case 11: say("link", path, link(path, other)); break;
    case 12: say("symlink", path, symlink(other, path)); break;
    case 13: say("truncate", path, truncate(path, draw(10))); break;
    case 14: say("chmod", path, chmod(path, 0700 + draw(8))); break;
    case 15:
        say("readlink", path, readlink(path, text, sizeof(text)));
        if (!strchr(other, '/') && strcmp(other, "..") != 0)
            from_directory(path, other);
        break;
    }
}

static void show_tree(const char *path) {
    struct stat st;
    if (lstat(path, &st) < 0)
        return;
    if (S_ISREG(st.st_mode))
        read_file(path);
    if (S_ISLNK(st.st_mode))
        printf("%s is a link\n", path);
    if (!S_ISDIR(st.st_mode))
        return;
    list_directory(path);
    DIR *stream = opendir(path);
    char *names[64];
    size_t count = 0;
    for (struct dirent *d; stream && count < 64 && (d = readdir(stream));)
        if (d->d_name[0] != '.')
            names[count++] = strdup(d->d_name);
    if (stream)
        closedir(stream);
    qsort(names, count, sizeof(*names), compare);
    for (size_t i = 0; i < count; i++) {
        char child[PATH_SIZE * 4];
        snprintf(child, sizeof(child), "%s/%s", path, names[i]);
        free(names[i]);
        show_tree(child);
    }
}

int main(int argc, char **argv) {
    char path[PATH_SIZE + 1], other[PATH_SIZE];
    state = strtoull(argc > 1 ? argv[1] : "1", NULL, 10);
    long operations = strtol(argc > 2 ? argv[2] : "100", NULL, 10);
    umask(022);
    for (long i = 0; i < operations; i++) {
        random_path(path);
        change_one(path, random_path(other));
    }
    show_tree(".");
    return 0;
}
