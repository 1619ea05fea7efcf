/* Copying and removing directories that programs of the machine have written: any permissions, any depth that
 * a path allows. */
#include "grade/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_bytes(int from, int to) {
    char piece[65536];
    ssize_t n;
    while ((n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0)) > 0)
        ;
    if (n == 0)
        return 0;
    while ((n = read(from, piece, sizeof(piece))) > 0) { /* other file systems, old hosts */
        for (ssize_t done = 0, w; done < n; done += w) {
            w = write(to, piece + done, (size_t)(n - done));
            if (w < 0)
                return -errno;
        }
    }
    return n < 0 ? -errno : 0;
}

static int copy_file(const char *from, const char *to, const struct stat *st) {
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return -errno;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = out < 0 ? -errno : copy_bytes(in, out);
    if (r == 0 && (fchmod(out, st->st_mode & 07777) < 0 || futimens(out, times) < 0))
        r = -errno;
    if (out >= 0)
        close(out);
    close(in);
    return r;
}

static int copy_link(const char *from, const char *to) {
    char text[PATH_MAX];
    ssize_t n = readlink(from, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    return symlink(text, to) < 0 ? -errno : 0;
}

/* A directory may be written to until all below it is there. */
static int copy_entry(const FTSENT *e, const char *to) {
    switch (e->fts_info) {
    case FTS_D: return mkdir(to, 0700) < 0 ? -errno : 0;
    case FTS_DP: return chmod(to, e->fts_statp->st_mode & 07777) < 0 ? -errno : 0;
    case FTS_F: return copy_file(e->fts_path, to, e->fts_statp);
    case FTS_SL:
    case FTS_SLNONE: return copy_link(e->fts_path, to);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS: return -e->fts_errno;
    default: return 0;
    }
}

int copy_tree(const char *from, const char *to) {
    char *roots[] = {(char *)from, NULL}, path[PATH_MAX];
    int r = 0;
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return -errno;
    for (FTSENT *e; r == 0 && (e = fts_read(walk));) {
        int n = snprintf(path, sizeof(path), "%s%s", to, e->fts_path + strlen(from));
        r = n >= (int)sizeof(path) ? -ENAMETOOLONG : copy_entry(e, path);
    }
    fts_close(walk);
    return r;
}

void copy_remove(const char *directory) {
    char *roots[] = {(char *)directory, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; walk && (e = fts_read(walk));) {
        if (e->fts_info == FTS_D && (e->fts_statp->st_mode & 0700) != 0700)
            chmod(e->fts_path, 0700);
        if (e->fts_info == FTS_DNR && chmod(e->fts_path, 0700) == 0)
            fts_set(walk, e, FTS_AGAIN);
        else if (e->fts_info == FTS_DP)
            rmdir(e->fts_path);
        else if (e->fts_info != FTS_D)
            unlink(e->fts_path);
    }
    if (walk)
        fts_close(walk);
}
