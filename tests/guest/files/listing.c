/* Reading directories: small buffers, positions, changes meanwhile. Names are printed in order, because a
 * file system lists them in its own. In a directory of its own. */
#include <dirent.h>

#include "case.h"

enum { FILES = 60 };

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names that getdents64 gives with that much room, and what the last call says. */
static void list(int fd, size_t room) {
    char buffer[4096], *names[200];
    size_t count = 0;
    long n;
    while ((n = syscall(SYS_getdents64, fd, buffer, room)) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64 *d = (struct dirent64 *)(void *)(buffer + at);
            char entry[300];
            snprintf(entry, sizeof(entry), "%s:%d", d->d_name, d->d_type);
            names[count++] = strdup(entry);
            at += d->d_reclen;
        }
    }
    tell(n, "room %zu, %zu names", room, count);
    qsort(names, count, sizeof(names[0]), compare);
    for (size_t i = 0; i < count; i++) {
        printf("%s ", names[i]);
        free(names[i]);
    }
    printf("\n");
}

static void rooms(const char *path) {
    static const size_t sizes[] = {0, 1, 23, 24, 31, 32, 40, 100, 280, 4096};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        int fd = open(path, O_RDONLY | O_DIRECTORY);
        printf("%s ", path);
        list(fd, sizes[i]);
        TELL(syscall(SYS_getdents64, fd, bad_memory(), 4096L), "at the end, to nowhere");
        TELL(lseek(fd, 0, SEEK_SET), "back");
        TELL(syscall(SYS_getdents64, fd, bad_memory(), 4096L), "to nowhere");
        close(fd);
    }
}

/* Every name is found again at the position that telldir() gave. */
static void positions(const char *path) {
    long places[200];
    char names[200][64];
    int count = 0, right = 0;
    DIR *directory = opendir(path);
    for (struct dirent *d; count < 200;) {
        places[count] = telldir(directory);
        if (!(d = readdir(directory)))
            break;
        snprintf(names[count++], sizeof(names[0]), "%.60s", d->d_name);
    }
    for (int i = count - 1; i >= 0; i--) {
        seekdir(directory, places[i]);
        struct dirent *d = readdir(directory);
        right += d && strcmp(d->d_name, names[i]) == 0;
    }
    rewinddir(directory);
    struct dirent *first = readdir(directory);
    printf("%s: %s found again, %s\n", path, right == count ? "all" : "not all",
           first && strcmp(first->d_name, names[0]) == 0 ? "from the beginning" : "?");
    closedir(directory);
}

/* What stays is listed once, whatever comes and goes. */
static void changes(void) {
    char name[32], buffer[1000];
    int seen[FILES] = {0}, number, once = 0, fd = open("many", O_RDONLY | O_DIRECTORY);
    for (int turn = 0; turn < 1000; turn++) {
        long n = syscall(SYS_getdents64, fd, buffer, 200L);
        if (n <= 0)
            break;
        for (long at = 0; at < n;) {
            struct dirent64 *d = (struct dirent64 *)(void *)(buffer + at);
            if (sscanf(d->d_name, "f%d", &number) == 1 && number < FILES)
                seen[number]++;
            at += d->d_reclen;
        }
        snprintf(name, sizeof(name), "many/g%d", turn);
        fill_file(name, 1);
        if (turn % 2)
            unlink(name);
    }
    for (int i = 0; i < FILES; i++)
        once += seen[i] == 1;
    printf("%d of %d seen once\n", once, FILES);
    TELL(unlinkat(AT_FDCWD, "empty", AT_REMOVEDIR), "remove a directory");
    close(fd);
}

int main(void) {
    char name[32], buffer[1000];
    mkdir("many", 0755), mkdir("empty", 0755), mkdir("many/folder", 0755), mkfifo("many/fifo", 0600);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "many/f%d", i);
        fill_file(name, 1);
    }
    if (symlink("f1", "many/link") < 0)
        return 1;
    rooms("many");
    rooms("empty");
    positions("many");
    positions("empty");
    positions("/proc/sys/kernel");
    int gone = open("empty", O_RDONLY | O_DIRECTORY);
    changes();
    TELL(syscall(SYS_getdents64, gone, buffer, sizeof(buffer)), "a removed directory");
    TELL(syscall(SYS_getdents64, open("many/f1", O_RDONLY), buffer, sizeof(buffer)), "a file");
    TELL(syscall(SYS_getdents64, 77, buffer, sizeof(buffer)), "closed");
    TELL(syscall(SYS_getdents, gone, buffer, sizeof(buffer)), "a removed directory, the old call");
    return 0;
}
