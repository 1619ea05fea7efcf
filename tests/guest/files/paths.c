/* Calls that take paths, tried on paths of every kind and with every flag. Usage: files-paths PART, in a
 * directory of its own; each call finds the same files. */
#include <dirent.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <utime.h>

#include "case.h"

static char long_name[300], long_path[5000], deep_path[4200];

static void clear_tree(const char *path) {
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, NULL);
    char child[PATH_MAX];
    for (int i = 0; i < count; i++) {
        snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
        if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0 && unlink(child) < 0)
            clear_tree(child);
        free(names[i]);
    }
    free(names);
    rmdir(path);
}

/* In "work": a file, a directory with a file, an empty one, links to them, to nothing, to each other, a FIFO,
 * a file that nobody may read. */
static void lay_out(void) {
    clear_tree("work");
    if (mkdir("work", 0755) < 0 || chdir("work") < 0)
        exit(99);
    mkdir("directory", 0755), mkdir("empty", 0755), mkdir("closed", 0700);
    fill_file("file", 100), fill_file("directory/inner", 10), fill_file("other", 20);
    if (symlink("file", "to-file") < 0 || symlink("directory", "to-directory") < 0 ||
        symlink("nothing", "to-nothing") < 0 || symlink("loop-b", "loop-a") < 0 ||
        symlink("loop-a", "loop-b") < 0 || symlink("directory/", "to-directory-slash") < 0 ||
        symlink("/", "to-root") < 0 || link("file", "second-name") < 0 || mkfifo("fifo", 0600) < 0)
        exit(99);
    chmod("other", 0);
}

static void clean_up(void) {
    if (chdir("..") < 0)
        exit(99);
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

/* Names, kinds, modes, links, sizes and targets. */
static uint64_t hash_tree(const char *path, uint64_t hash) {
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char child[PATH_MAX], line[PATH_MAX + 100], target[PATH_MAX] = "";
        struct stat st;
        snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
        bool own = strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0;
        free(names[i]);
        if (!own || lstat(child, &st) < 0)
            continue;
        if (S_ISLNK(st.st_mode) && readlink(child, target, sizeof(target) - 1) < 0)
            exit(99);
        bool folder = S_ISDIR(st.st_mode);
        int length = snprintf(line, sizeof(line), "%s %o %ld %ld %.99s", child, st.st_mode,
                              folder ? 0 : (long)st.st_nlink, folder ? 0 : st.st_size, target);
        hash = hash_bytes(hash, line, (size_t)length);
        if (folder)
            hash = hash_tree(child, hash);
    }
    free(names);
    return hash;
}

static void tell_tree(void) {
    printf("%016lx\n", hash_tree(".", 0xcbf29ce484222325u));
}

static const char *paths[] = {
    "file",
    "directory",
    "empty",
    "to-file",
    "to-directory",
    "to-nothing",
    "loop-a",
    "nothing",
    "",
    ".",
    "..",
    "/",
    "file/",
    "directory/",
    "to-file/",
    "to-directory/",
    "to-nothing/",
    "nothing/",
    "file/x",
    "file/.",
    "file/..",
    "directory/.",
    "directory/..",
    "directory/inner",
    "to-directory/inner",
    "nothing/x",
    "loop-a/x",
    "to-directory-slash",
    "to-directory-slash/inner",
    "fifo",
    "other",
    "./file",
    "directory//inner",
    "directory/../file",
    "to-directory/../file",
    long_name,
    long_path,
    deep_path,
    "second-name",
    "/proc/self/exe",
    "/proc/self/fd/0",
    "/proc/nothing",
    "/proc/self/task/",
    "/dev/null",
    "/proc/self",
    "/proc/self/cwd/file",
    NULL,
};

static const char *shown(const char *path) {
    return !path               ? "NULL"
           : path == long_name ? "(long name)"
           : path == long_path ? "(long path)"
           : path == deep_path ? "(deep path)"
                               : path;
}

static void close_if_open(long fd) {
    if (fd >= 0)
        close((int)fd);
}

/* Each path, by itself and with a file laid out anew. */
#define EACH_PATH(path)                                                                                      \
    for (size_t at = 0; at < COUNT(paths); at++)                                                             \
        for (const char *path = paths[at], *once = ""; once; once = NULL)

#define TELL_PATH(call, name, path) TELL_OK(call, "%s %s", name, shown(path))

static void opening(void) {
    static const int flags[] = {O_RDONLY,
                                O_WRONLY,
                                O_RDWR,
                                3,
                                O_CREAT | O_WRONLY,
                                O_CREAT | O_EXCL | O_RDWR,
                                O_TRUNC | O_RDWR,
                                O_DIRECTORY,
                                O_NOFOLLOW,
                                O_PATH,
                                O_PATH | O_NOFOLLOW,
                               
                                O_PATH | O_DIRECTORY,
                                O_APPEND | O_WRONLY,
                                O_TMPFILE | O_RDWR,
                                O_TMPFILE | O_RDONLY,
                                O_TMPFILE | O_RDWR | O_EXCL,
                                O_CREAT | O_NOFOLLOW | O_WRONLY,
                                O_DIRECTORY | O_NOFOLLOW,
                                O_NOATIME};
    for (size_t i = 0; i < COUNT(flags); i++) {
        EACH_PATH(path) {
            if (path && strncmp(path, "/proc/self/exe", 14) == 0 && (flags[i] & 3))
                continue;
            lay_out();
            long fd = syscall(SYS_openat, AT_FDCWD, path, flags[i] | O_NONBLOCK, 0640);
            tell(fd < 0 ? -1 : 0, "open %s %o", shown(path), flags[i]);
            if (fd >= 0 && (flags[i] & O_DIRECTORY) != O_DIRECTORY && path &&
                strncmp(path, "/proc", 5) != 0 && path[0] != '/')
                TELL(fcntl((int)fd, F_GETFL), "flags");
            close_if_open(fd);
            struct stat st;
            if (stat("file", &st) == 0 && lstat("nothing", &st) == 0)
                printf("made: %o\n", st.st_mode);
            clean_up();
        }
    }
}

static void opening_2(void) {
    static const uint64_t resolves[] = {0,
                                        RESOLVE_NO_XDEV,
                                        RESOLVE_NO_MAGICLINKS,
                                        RESOLVE_NO_SYMLINKS,
                                        RESOLVE_BENEATH,
                                        RESOLVE_IN_ROOT,
                                        RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
                                        RESOLVE_BENEATH | RESOLVE_IN_ROOT,
                                        0x400};
    lay_out();
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < COUNT(resolves); i++) {
        EACH_PATH(path) {
            if (path && strncmp(path, "/dev", 4) == 0)
                continue;
            struct open_how how = {.flags = O_RDONLY | O_NONBLOCK, .resolve = resolves[i]};
            long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
            tell(fd < 0 ? -1 : 0, "openat2 %s %lx", shown(path), resolves[i]);
            close_if_open(fd);
        }
    }
    struct {
        struct open_how how;
        uint64_t more;
    } large = {{.flags = O_RDONLY}, 0};
    TELL_OK(syscall(SYS_openat2, AT_FDCWD, "file", &large, sizeof(large)), "openat2 of a larger structure");
    large.more = 1;
    TELL_OK(syscall(SYS_openat2, AT_FDCWD, "file", &large, sizeof(large)), "openat2 of one that says more");
    TELL_OK(syscall(SYS_openat2, AT_FDCWD, "file", &large, 8L), "openat2 of a small structure");
    TELL_OK(syscall(SYS_openat2, AT_FDCWD, "file", &large, 5000L), "openat2 of a huge structure");
    TELL_OK(syscall(SYS_openat2, AT_FDCWD, "file", bad_memory(), sizeof(large.how)), "openat2 of nowhere");
    struct open_how strange[] = {{.flags = 0x40000000},
                                 {.mode = 0600},
                                 {.flags = O_CREAT, .mode = 010000},
                                 {.flags = O_PATH | O_RDWR}};
    for (size_t i = 0; i < COUNT(strange); i++)
        TELL_OK(syscall(SYS_openat2, AT_FDCWD, "file", &strange[i], sizeof(strange[i])),
                "openat2 strange %zu", i);
    clean_up();
}

static void looking(void) {
    lay_out();
    int home = open(".", O_RDONLY);
    EACH_PATH(path) {
        struct stat st;
        struct statx stx;
        struct statfs fs;
        char text[PATH_MAX];
        for (int nofollow = 0; nofollow < 2; nofollow++) {
            int flags = nofollow ? AT_SYMLINK_NOFOLLOW : 0;
            if (TELL_OK(syscall(SYS_newfstatat, AT_FDCWD, path, &st, flags), "stat %s %x", shown(path),
                        flags) == 0)
                printf("%o\n", st.st_mode);
            TELL_OK(syscall(SYS_faccessat2, AT_FDCWD, path, R_OK, flags), "access %s %x", shown(path), flags);
            TELL_OK(syscall(SYS_statx, AT_FDCWD, path, flags, STATX_ALL, &stx), "statx %s %x", shown(path),
                    flags);
        }
        if (!path || strncmp(path, "/proc", 5) != 0)
            TELL_PATH(syscall(SYS_access, path, W_OK | X_OK), "access for more", path);
        TELL_PATH(syscall(SYS_readlink, path, text, sizeof(text)), "readlink", path);
        TELL_PATH(syscall(SYS_statfs, path, &fs), "statfs", path);
        TELL_PATH(syscall(SYS_getxattr, path, "user.none", text, 10L), "getxattr", path);
        TELL_PATH(syscall(SYS_lgetxattr, path, "user.none", text, 10L), "lgetxattr", path);
        TELL_PATH(syscall(SYS_chdir, path), "chdir", path);
        if (fchdir(home) < 0)
            exit(99);
    }
    clean_up();
}

static long change(int what, const char *path) {
    struct timespec times[2] = {{1, 2}, {3, 4}};
    struct timeval values[2] = {{1, 2}, {3, 4}};
    struct utimbuf seconds = {1, 3};
    switch (what) {
    case 0: return syscall(SYS_chmod, path, 0604);
    case 1: return syscall(SYS_chown, path, -1, -1);
    case 2: return syscall(SYS_lchown, path, -1, -1);
    case 3: return syscall(SYS_utimensat, AT_FDCWD, path, times, 0);
    case 4: return syscall(SYS_utimensat, AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    case 5: return syscall(SYS_truncate, path, 7L);
    case 6: return syscall(SYS_unlink, path);
    case 7: return syscall(SYS_rmdir, path);
    case 8: return syscall(SYS_mkdir, path, 0711);
    case 9: return syscall(SYS_mknod, path, S_IFREG | 0600, 0);
    case 10: return syscall(SYS_symlink, "text", path);
    case 11: return syscall(SYS_link, "file", path);
    case 12: return syscall(SYS_rename, "file", path);
    case 13: return syscall(SYS_rename, "empty", path);
    case 14: return syscall(SYS_rename, path, "renamed");
    case 15: return syscall(SYS_link, path, "linked");
    case 16: return syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW);
    case 17: return syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, path, 1 /* NOREPLACE */);
    case 18: return syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, path, 2 /* EXCHANGE */);
    case 19: return syscall(SYS_renameat2, AT_FDCWD, "directory", AT_FDCWD, path, 0);
    case 20: return syscall(SYS_mknod, path, S_IFIFO | 0600, 0);
    case 21: return syscall(SYS_creat, path, 0620);
    case 22: return syscall(SYS_setxattr, path, "user.name", "value", 5L, 0);
    case 23: return syscall(SYS_lsetxattr, path, "user.name", "value", 5L, 0);
    case 24: return syscall(SYS_utimes, path, values);
    case 25: return syscall(SYS_utime, path, &seconds);
    case 26: return syscall(SYS_mknod, path, S_IFDIR | 0600, 0);
    case 27: return syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
    case 28: return syscall(SYS_truncate, path, -1L);
    default: return -1;
    }
}

static void changing(int first, int last) {
    for (int what = first; what < last; what++) {
        EACH_PATH(path) {
            if (path &&
                (strcmp(path, "/") == 0 || strcmp(path, "/dev/null") == 0 || strcmp(path, "..") == 0 ||
                 strcmp(path, "/proc/self/fd/0") == 0 || strcmp(path, "/proc/self/exe") == 0 ||
                 (what == 21 && strcmp(path, "fifo") == 0))) /* which would wait for a reader */
                continue;
            if (path && strncmp(path, "/proc", 5) == 0)
                continue; /* much there depends on Linux's version */
            lay_out();
            long result = change(what, path);
            close_if_open(what == 21 ? result : -1);
            tell(result < 0 ? -1 : 0, "change %d %s", what, shown(path));
            if (result >= 0)
                tell_tree();
            clean_up();
        }
    }
}

/* ---- the rest, by hand ---- */

static void times_told(const char *name) {
    struct stat st;
    if (lstat(name, &st) == 0)
        printf("%s %ld.%09ld %ld.%09ld\n", name, st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec,
               st.st_mtim.tv_nsec);
}

static void times(void) {
    lay_out();
    struct timespec base[2] = {{1000, 1}, {2000, 2}};
    static const long special[] = {0, 999999999, 1000000000, -1, UTIME_OMIT};
    for (size_t i = 0; i < COUNT(special); i++) {
        struct timespec t[2] = {{5, special[i]}, {6, 7}};
        utimensat(AT_FDCWD, "file", base, 0);
        TELL_OK(utimensat(AT_FDCWD, "file", t, 0), "utimensat %ld", special[i]);
        times_told("file");
    }
    struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    TELL_OK(utimensat(AT_FDCWD, "nothing", omit, 0), "omitting both of what is not there");
    TELL_OK(utimensat(AT_FDCWD, "to-nothing", base, AT_SYMLINK_NOFOLLOW), "a link's own");
    times_told("to-nothing");
    TELL_OK(syscall(SYS_utimensat, AT_FDCWD, NULL, base, 0), "no path and no descriptor");
    TELL_OK(syscall(SYS_utimensat, 77, NULL, base, 0), "a closed descriptor");
    TELL_OK(utimensat(AT_FDCWD, "file", base, 0x10), "a strange flag");
    TELL_OK(syscall(SYS_utimensat, AT_FDCWD, "file", bad_memory(), 0), "times nowhere");
    int fd = open("file", O_RDONLY);
    TELL_OK(syscall(SYS_utimensat, fd, NULL, base, 0), "a descriptor's");
    TELL_OK(syscall(SYS_utimensat, fd, NULL, base, AT_SYMLINK_NOFOLLOW), "a descriptor's with a flag");
    times_told("file");
    struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    struct stat st;
    TELL_OK(futimens(fd, now), "now and omitted");
    TELL(fstat(fd, &st) == 0 && st.st_atim.tv_sec > 100000 && st.st_mtim.tv_sec == 2000, "so it is");
    struct timeval values[2] = {{1, 1000000}, {1, 0}};
    TELL_OK(utimes("file", values), "a million microseconds");
    clean_up();
}

static void attributes(void) {
    lay_out();
    char value[70000], name[300], list[1000];
    memset(value, 'v', sizeof(value));
    memset(name, 'n', sizeof(name));
    memcpy(name, "user.", 5);
    static const size_t sizes[] = {0, 1, 1000, 65536, 65537};
    for (size_t i = 0; i < COUNT(sizes); i++)
        TELL_OK(setxattr("file", "user.a", value, sizes[i], 0), "a value of %zu bytes", sizes[i]);
    for (size_t length = 254; length < 258; length++) {
        name[length] = '\0';
        TELL_OK(setxattr("file", name, "x", 1, 0), "a name of %zu letters", length);
        name[length] = 'n';
    }
    removexattr("file", "user.a");
    static const char *names[] = {
        "user.a", "user.", "", "none", "other.a", "user", "system.posix_acl_access", "security.none"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strncmp(names[i], "sec", 3) == 0)
            continue;
        TELL_OK(setxattr("file", names[i], "12345", 5, 0), "set '%s'", names[i]);
        TELL(getxattr("file", names[i], list, sizeof(list)), "get '%s'", names[i]);
        TELL(getxattr("file", names[i], list, 0), "size of '%s'", names[i]);
        TELL(getxattr("file", names[i], list, 2), "get '%s' into two bytes", names[i]);
    }
    TELL_OK(setxattr("file", "user.a", "1", 1, XATTR_CREATE), "create what is there");
    TELL_OK(setxattr("file", "user.b", "1", 1, XATTR_REPLACE), "replace what is not there");
    TELL_OK(setxattr("file", "user.b", "1", 1, 3), "both");
    TELL_OK(setxattr("file", "user.b", "1", 1, 8), "a strange flag");
    TELL_OK(setxattr("file", "user.b", bad_memory(), 1, 0), "a value from nowhere");
    TELL(getxattr("file", "user.a", bad_memory(), 10), "a value to nowhere");
    TELL(listxattr("file", list, sizeof(list)) > 0, "list");
    TELL(listxattr("file", list, 1), "list into one byte");
    TELL(listxattr("file", NULL, 0) > 0, "size of the list");
    TELL_OK(lsetxattr("to-file", "user.a", "1", 1, 0), "of a link itself");
    TELL_OK(setxattr("fifo", "user.a", "1", 1, 0), "of a FIFO");
    TELL(lgetxattr("to-file", "user.a", list, 10), "of a link itself");
    TELL_OK(setxattr("directory", "user.a", "1", 1, 0), "of a directory");
    TELL_OK(removexattr("file", "user.none"), "remove what is not there");
    TELL_OK(removexattr("file", "user.a"), "remove");
    int fd = open("file", O_RDONLY), path = open("file", O_PATH);
    TELL_OK(fsetxattr(fd, "user.c", "1", 1, 0), "by descriptor");
    TELL(fgetxattr(fd, "user.c", list, 10), "by descriptor");
    TELL(fgetxattr(path, "user.c", list, 10), "by O_PATH");
    TELL_OK(fremovexattr(fd, "user.c"), "by descriptor");
    clean_up();
}

static void directories(void) {
    char path[PATH_MAX], home[PATH_MAX];
    lay_out();
    TELL_OK(mkdir("gone", 0755), "mkdir");
    TELL_OK(chdir("gone"), "chdir");
    TELL_OK(rmdir("../gone"), "rmdir of the working directory");
    TELL(syscall(SYS_getcwd, path, sizeof(path)), "getcwd");
    TELL_OK(open("x", O_CREAT | O_WRONLY, 0600), "make a file there");
    TELL_OK(open(".", O_RDONLY), "open it");
    TELL_OK(open("..", O_RDONLY), "open its parent");
    TELL_OK(mkdir("y", 0700), "mkdir there");
    TELL_OK(chdir(".."), "leave");
    TELL(syscall(SYS_getcwd, path, 0L), "getcwd without room");
    TELL(syscall(SYS_getcwd, path, 2L), "getcwd with little room");
    TELL(syscall(SYS_getcwd, bad_memory(), 4096L), "getcwd to nowhere");
    TELL(syscall(SYS_getcwd, home, sizeof(home)) > 1, "getcwd");
    int fd = open("directory", O_PATH);
    TELL_OK(fchdir(fd), "fchdir by O_PATH");
    TELL_OK(open("inner", O_RDONLY), "a file there");
    TELL_OK(chdir(home), "chdir back");
    TELL_OK(openat(fd, "inner", O_RDONLY), "openat by O_PATH");
    TELL_OK(openat(77, "inner", O_RDONLY), "openat by a closed one");
    TELL_OK(openat(77, home, O_RDONLY), "openat by a closed one, absolute");
    TELL_OK(openat(0, "inner", O_RDONLY), "openat by what is no directory");
    struct stat st;
    TELL_OK(fstatat(fd, "", &st, AT_EMPTY_PATH), "fstatat by O_PATH");
    TELL_OK(faccessat(fd, "inner", R_OK, 0), "faccessat by O_PATH");
    TELL_OK(fchmod(fd, 0700), "fchmod by O_PATH");
    TELL_OK(syscall(SYS_fchownat, fd, "", -1, -1, AT_EMPTY_PATH), "fchownat by O_PATH");
    TELL_OK(mkdirat(fd, "new", 0700), "mkdirat by O_PATH");
    TELL_OK(unlinkat(fd, "new", 0), "unlinkat of a directory");
    TELL_OK(unlinkat(fd, "new", AT_REMOVEDIR), "unlinkat");
    TELL_OK(unlinkat(fd, "new", 1), "unlinkat with a strange flag");
    tell_tree();
    clean_up();
}

static void unnamed(void) {
    char path[64];
    lay_out();
    int fd = open(".", O_TMPFILE | O_RDWR, 0640), closed = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640),
        file = open("file", O_PATH);
    struct stat st;
    TELL(fstat(fd, &st) == 0 ? (long)st.st_nlink : -1, "links");
    TELL(write(fd, "text", 4), "write");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    TELL_OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), "link by its name in /proc");
    TELL_OK(linkat(fd, "", AT_FDCWD, "named-again", AT_EMPTY_PATH), "link by descriptor");
    TELL(fstat(fd, &st) == 0 ? (long)st.st_nlink : -1, "links");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", closed);
    TELL_OK(linkat(AT_FDCWD, path, AT_FDCWD, "never", AT_SYMLINK_FOLLOW), "link of an exclusive one");
    TELL_OK(linkat(file, "", AT_FDCWD, "from-path", AT_EMPTY_PATH), "link by O_PATH");
    TELL_OK(linkat(AT_FDCWD, "file", AT_FDCWD, "x", 0x10), "link with a strange flag");
    TELL_OK(linkat(AT_FDCWD, "directory", AT_FDCWD, "x", 0), "link to a directory");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    int again = open(path, O_RDONLY);
    TELL_OK(again, "open O_PATH again");
    TELL(read(again, path, 4), "read");
    tell_tree();
    clean_up();
}

static void masks(void) {
    lay_out();
    static const mode_t values[] = {0, 022, 077, 0777, 01777};
    for (size_t i = 0; i < COUNT(values); i++) {
        struct stat st;
        umask(values[i]);
        TELL(umask(values[i]), "umask");
        close(open("m", O_CREAT | O_WRONLY, 07777)), mkdir("d", 07777), mkfifo("f", 0666);
        static const char *names[] = {"m", "d", "f"};
        for (size_t j = 0; j < COUNT(names); j++) {
            if (lstat(names[j], &st) == 0)
                printf("%s %o\n", names[j], st.st_mode);
        }
        unlink("m"), rmdir("d"), unlink("f");
    }
    umask(022);
    clean_up();
}

static void statx_masks(void) {
    lay_out();
    static const unsigned masks[] = {0,         STATX_TYPE,  STATX_SIZE,     STATX_BASIC_STATS,
                                     STATX_ALL, STATX_BTIME, STATX__RESERVED};
    static const int flags[] = {0,
                                AT_STATX_FORCE_SYNC,
                                AT_STATX_DONT_SYNC,
                                AT_STATX_SYNC_TYPE,
                                AT_SYMLINK_NOFOLLOW,
                                AT_NO_AUTOMOUNT,
                                0x10000};
    for (size_t i = 0; i < COUNT(masks); i++) {
        for (size_t j = 0; j < COUNT(flags); j++) {
            struct statx stx = {0};
            long result = TELL_OK(syscall(SYS_statx, AT_FDCWD, "to-file", flags[j], masks[i], &stx),
                                  "statx mask %x flags %x", masks[i], flags[j]);
            struct stat st;
            if (result == 0 && fstatat(AT_FDCWD, "to-file", &st, flags[j] & AT_SYMLINK_NOFOLLOW) == 0)
                printf("%x %o %lld %d\n", stx.stx_mask & STATX_BASIC_STATS, stx.stx_mode, stx.stx_size,
                       stx.stx_ino == st.st_ino &&
                           makedev(stx.stx_dev_major, stx.stx_dev_minor) == st.st_dev);
        }
    }
    TELL_OK(syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_ALL, bad_memory()), "statx to nowhere");
    TELL_OK(syscall(SYS_statx, AT_FDCWD, bad_memory(), 0, STATX_ALL, bad_memory()), "statx from nowhere");
    struct statfs fs, other;
    TELL_OK(statfs(".", &fs), "statfs");
    int fd = open("file", O_RDONLY), path = open("file", O_PATH);
    TELL_OK(fstatfs(fd, &other), "fstatfs");
    TELL(fs.f_type == other.f_type && fs.f_bsize == other.f_bsize && fs.f_namelen == 255 &&
             fs.f_blocks == other.f_blocks,
         "the same");
    TELL_OK(fstatfs(path, &other), "fstatfs by O_PATH");
    static const char *places[] = {"/proc", "/dev/null", "/proc/self/status", "/dev/shm"};
    for (size_t i = 0; i < COUNT(places); i++) {
        if (statfs(places[i], &fs) == 0)
            printf("%s %lx %ld %ld\n", places[i], fs.f_type, fs.f_bsize, fs.f_namelen);
    }
    clean_up();
}

static const struct {
    const char *name;
    void (*run)(void);
} parts[] = {{"opening", opening}, {"opening-2", opening_2},   {"looking", looking},
             {"times", times},     {"attributes", attributes}, {"directories", directories},
             {"unnamed", unnamed}, {"masks", masks},           {"statx", statx_masks}};

int main(int argc, char **argv) {
    memset(long_name, 'n', sizeof(long_name) - 1);
    memset(long_path, 'p', sizeof(long_path) - 1);
    for (size_t i = 99; i < sizeof(long_path) - 1; i += 100)
        long_path[i] = '/';
    for (size_t i = 0; i + 1 < sizeof(deep_path); i += 2)
        memcpy(deep_path + i, "./", 2);
    deep_path[4090] = '\0';
    umask(022);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (argc > 3 && strcmp(argv[1], "changing") == 0) {
        changing(atoi(argv[2]), atoi(argv[3]));
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < COUNT(parts); i++) {
        if (strcmp(parts[i].name, argv[1]) == 0) {
            parts[i].run();
            return 0;
        }
    }
    return 2;
}
