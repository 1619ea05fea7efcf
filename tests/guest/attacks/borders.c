/* Beyond a program's own borders there is nothing: addresses of the kernel and of whatever runs the program,
 * descriptors that it was not given, memory that it may only read. */
#include "../c/check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { DESCRIPTORS = 1024, SCRIBBLE = 16 << 20 };

static sigjmp_buf escape;

static void on_fault(int signal) {
    siglongjmp(escape, signal);
}

static const char *try_read(uint64_t address) {
    if (sigsetjmp(escape, 1))
        return "refused";
    (void)*(const volatile uint8_t *)address;
    return "READ";
}

static const char *try_write(uint64_t address) {
    if (sigsetjmp(escape, 1))
        return "refused";
    *(volatile uint8_t *)address = 1;
    return "WRITTEN";
}

static const char *try_execute(uint64_t address) {
    if (sigsetjmp(escape, 1))
        return "refused";
    ((void (*)(void))address)();
    return "EXECUTED";
}

/* ---- addresses ---- */

static void addresses(void) {
    static const uint64_t places[] = {
        0,
        1,
        PAGE,
        0x400000,
        0x800000,
        0x1000000,
        0x10000000,

        0x7ffffffff000,
        0x800000000000,
        0xffff7fffffffffff,
        0xffff800000000000,
        1ULL << 63,
        1ULL << 48,
        1ULL << 62,
        0xffffffff80000000,
        0xffffffffffffffff,
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        printf("%#llx: %s, %s, %s\n", (unsigned long long)places[i], try_read(places[i]),
               try_write(places[i]), try_execute(places[i]));
}

/* Where programs that are linked at fixed addresses lie, the machine perhaps among them: it is this program's
 * to fill. */
static void scribble(void) {
    uint8_t *low = mmap((void *)0x400000, SCRIBBLE, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(low == (uint8_t *)0x400000);
    for (size_t i = 0; i < SCRIBBLE; i += PAGE / 2)
        CHECK(low[i] == 0);
    for (size_t i = 0; i < SCRIBBLE; i += PAGE)
        memset(low + i, 0xcc, 64);
    CHECK(munmap(low, SCRIBBLE) == 0);
    puts("low addresses: this program's own");
}

/* ---- what may only be read ---- */

static void read_only(void) {
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fds[2];
    CHECK(p != MAP_FAILED && pipe(fds) == 0 && write(fds[1], "0123456789", 10) == 10);
    memset(p, 'r', 2 * PAGE);
    CHECK(mprotect(p, PAGE, PROT_READ) == 0);
    struct iovec vector[] = {{p + PAGE - 4, 8}};
    printf("store: %s\n", try_write((uint64_t)p));
    CHECK_ERROR(read(fds[0], p, 4), EFAULT);
    long n = readv(fds[0], vector, 1); /* begins in what may only be read */
    printf("readv over the border: %s\n", n < 0 ? "refused" : "DONE");
    CHECK_ERROR(syscall(SYS_getrandom, p + 8, 8, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_gettimeofday, p + 16, NULL), EFAULT);
    CHECK_ERROR(syscall(SYS_futex, p, 5 /* FUTEX_WAKE_OP */, 1, 1, p, 1 << 12 | 1 << 24), EFAULT);
    int constant = open("/proc/self/exe", O_RDONLY);
    char *text = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, constant, 0);
    CHECK(text != MAP_FAILED);
    CHECK_ERROR(mprotect(text, PAGE, PROT_READ | PROT_WRITE), EACCES);
    printf("the program's file: %s\n", try_write((uint64_t)text));
    for (size_t i = 0; i < PAGE; i++)
        CHECK(p[i] == 'r');
    puts("all as it was");
}

/* ---- descriptors ---- */

static void send_number(int fd, const char *what) {
    char data = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {&data, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    int pair[2];
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    printf("sending %s: %s\n", what, sendmsg(pair[0], &message, 0) < 0 ? strerror(errno) : "SENT");
    close(pair[0]), close(pair[1]);
}

static void descriptors(void) {
    unsigned found = 0;
    for (int fd = 3; fd < DESCRIPTORS; fd++) {
        char path[2][64], byte, target[64];
        snprintf(path[0], sizeof path[0], "/proc/self/fd/%d", fd);
        snprintf(path[1], sizeof path[1], "/dev/fd/%d", fd);
        found += fcntl(fd, F_GETFD) >= 0 || dup2(fd, fd) >= 0 || read(fd, &byte, 1) >= 0;
        found += readlink(path[0], target, sizeof target) >= 0;
        found += open(path[0], O_RDONLY) >= 0 || open(path[1], O_RDWR) >= 0;
        found += mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED;
    }
    printf("descriptors that nobody gave: %u\n", found);
    for (int shift = 10; shift < 31; shift++)
        found += fcntl(1 << shift, F_GETFD) >= 0 || fcntl(-(1 << shift), F_GETFD) >= 0;
    printf("beyond the table: %u\n", found);
    send_number(777, "a number without a file");
    send_number(-1, "-1");
}

/* Over exec only those go that may: the program runs itself to see. */
static void inheritance(const char *self) {
    int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char text[2][16];
    CHECK(kept >= 0 && closed >= 0);
    snprintf(text[0], sizeof text[0], "%d", kept);
    snprintf(text[1], sizeof text[1], "%d", closed);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(execl(self, self, text[0], text[1], (char *)NULL));
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

int main(int argc, char **argv) {
    if (argc == 3) {
        printf("over exec: %s, %s\n", fcntl(atoi(argv[1]), F_GETFD) < 0 ? "gone" : "kept",
               fcntl(atoi(argv[2]), F_GETFD) < 0 ? "gone" : "kept");
        return 0;
    }
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER | SA_ONSTACK};
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    CHECK(stack.ss_sp && sigaltstack(&stack, NULL) == 0);
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
    descriptors();
    addresses();
    scribble();
    read_only();
    inheritance("/proc/self/exe");
    return 0;
}
