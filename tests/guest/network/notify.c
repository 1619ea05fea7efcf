/* inotify: every event, what it is called, cookies of moves, flags of watches, reading in pieces. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "show.h"

static int watcher;
static uint32_t cookies[64];
static int cookie_count;

/* Cookies are numbered as they come. */
static int cookie_name(uint32_t cookie) {
    if (!cookie)
        return 0;
    for (int i = 0; i < cookie_count; i++) {
        if (cookies[i] == cookie)
            return i + 1;
    }
    cookies[cookie_count++ % 64] = cookie;
    return cookie_count;
}

static void show_events(const char *when) {
    static char data[65536] __attribute__((aligned(8)));
    usleep(1000);
    int there = 0;
    CHECK(ioctl(watcher, FIONREAD, &there) == 0);
    ssize_t n = read(watcher, data, sizeof(data));
    printf("%s: %s%s\n", when, n < 0 ? outcome(n) : "", n >= 0 && n != there ? "more" : "");
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *e = (const struct inotify_event *)(data + at);
        printf("  %d %x %d '%s' %u\n", e->wd, e->mask, cookie_name(e->cookie), e->len ? e->name : "", e->len);
        at += (ssize_t)(sizeof(*e) + e->len);
    }
}

static void make_file(const char *path, const char *content) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
    close(fd);
}

static void show_changes(void) {
    char data[8];
    SHOW(inotify_add_watch(watcher, "d", IN_ALL_EVENTS));
    make_file("d/file", "hello");
    show_events("made");
    int fd = open("d/file", O_RDWR);
    show_events("opened");
    CHECK(read(fd, data, 2) == 2);
    show_events("read");
    CHECK(pwrite(fd, "x", 1, 3) == 1);
    show_events("written");
    CHECK(ftruncate(fd, 2) == 0);
    show_events("truncated");
    CHECK(fchmod(fd, 0600) == 0 && futimens(fd, NULL) == 0);
    show_events("changed");
    close(fd);
    show_events("closed");
    CHECK(link("d/file", "d/other") == 0 && symlink("file", "d/link") == 0);
    show_events("linked");
    CHECK(mkdir("d/sub", 0755) == 0 && mkfifo("d/fifo", 0600) == 0);
    make_file("d/sub/inner", "x");
    show_events("directory");
    CHECK(rename("d/file", "d/renamed") == 0);
    show_events("renamed");
    CHECK(rename("d/renamed", "e/away") == 0);
    show_events("moved away");
    CHECK(rename("e/away", "d/back") == 0);
    show_events("moved back");
    CHECK(rename("d/back", "d/other") == 0);
    show_events("moved over its other name");
    DIR *directory = opendir("d");
    CHECK(directory && readdir(directory));
    closedir(directory);
    show_events("listed");
    CHECK(unlink("d/other") == 0 && unlink("d/back") == 0 && unlink("d/link") == 0 && unlink("d/fifo") == 0);
    show_events("unlinked");
    CHECK(unlink("d/sub/inner") == 0 && rmdir("d/sub") == 0);
    show_events("directory gone");
    CHECK(rename("d", "d2") == 0);
    show_events("itself moved");
    CHECK(rmdir("d2") == 0);
    show_events("itself gone");
}

static void show_watches(void) {
    CHECK(mkdir("d", 0755) == 0);
    make_file("d/a", "a");
    int a = inotify_add_watch(watcher, "d/a", IN_MODIFY),
        d = inotify_add_watch(watcher, "d", IN_CREATE | IN_DELETE);
    printf("watches %d %d\n", a, d);
    printf("the same %d\n", inotify_add_watch(watcher, "d/../d/a", IN_MODIFY | IN_MASK_ADD | IN_OPEN) == a);
    SHOW(inotify_add_watch(watcher, "d", IN_MASK_CREATE | IN_CREATE));
    SHOW(inotify_add_watch(watcher, "d", IN_MASK_CREATE | IN_MASK_ADD | IN_CREATE));
    SHOW(inotify_add_watch(watcher, "d/a", IN_ONLYDIR | IN_CREATE));
    SHOW(inotify_add_watch(watcher, "d/none", IN_CREATE));
    SHOW(inotify_add_watch(watcher, "d", 0));
    SHOW(inotify_add_watch(watcher, "d", 1u << 20));
    SHOW(inotify_add_watch(0, "d", IN_CREATE));
    SHOW(inotify_add_watch(999, "d", IN_CREATE));
    SHOW(inotify_rm_watch(watcher, 99));
    SHOW(inotify_rm_watch(0, 1));
    SHOW(inotify_init1(1));
    make_file("d/a", "changed");
    show_events("modified and opened");
    CHECK(symlink("a", "d/link") == 0);
    printf("link itself %d\n", inotify_add_watch(watcher, "d/link", IN_ATTRIB | IN_DONT_FOLLOW) != a);
    SHOW(inotify_rm_watch(watcher, a));
    show_events("removed");
    int once = inotify_add_watch(watcher, "d", IN_CREATE | IN_ONESHOT);
    printf("once %d\n", once == d);
    make_file("d/b", "");
    make_file("d/c", "");
    show_events("once");
    SHOW(inotify_rm_watch(watcher, once));
    CHECK(inotify_add_watch(watcher, "d", IN_MODIFY | IN_EXCL_UNLINK) > 0);
    int fd = open("d/b", O_WRONLY);
    CHECK(unlink("d/b") == 0 && write(fd, "x", 1) == 1);
    close(fd);
    show_events("excluded");
}

static void show_reading(void) {
    char small[20];
    CHECK(inotify_add_watch(watcher, "d", IN_CREATE) > 0);
    SHOW(read(watcher, small, sizeof(small)));
    make_file("d/one", "");
    make_file("d/a rather long name", "");
    make_file("d/two", "");
    show_ready("events", watcher);
    SHOW(read(watcher, small, sizeof(small)));
    char data[64];
    SHOW(read(watcher, data, 60));
    SHOW(read(watcher, data, 64));
    SHOW(read(watcher, data, 64));
    SHOW(write(watcher, data, 1));
    SHOW(lseek(watcher, 0, SEEK_SET));
    pid_t child = fork();
    if (child == 0) {
        usleep(10000);
        make_file("d/by the child", "");
        _exit(0);
    }
    CHECK(fcntl(watcher, F_SETFL, 0) == 0);
    SHOW(read(watcher, data, 64));
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(fcntl(watcher, F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; i < 3; i++) /* the same event again is not told again */
        CHECK(inotify_add_watch(watcher, "d/one", IN_ATTRIB) > 0 && chmod("d/one", 0600 + i % 2) == 0);
    show_events("merged");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(watcher >= 0 && mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
    printf("flags %x %d\n", (unsigned)fcntl(watcher, F_GETFL), fcntl(watcher, F_GETFD));
    show_changes();
    show_watches();
    show_reading();
    return 0;
}
