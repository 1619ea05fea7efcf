/* Ways from one process to another, and out of a program: segments of System V, /proc/PID/mem,
 * process_vm_readv, descriptors in messages, instructions and addresses that are the kernel's. Each gives
 * what it says and no more: new memory is zero, rights are those of whoever gave them. */
#include "../c/check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { SEGMENT_PAGES = 40 };

static sigjmp_buf escape;

static void on_fault(int signal) {
    siglongjmp(escape, signal);
}

static void say(const char *what, long result) {
    printf("%s: %s\n", what, result == -1 ? strerrorname_np(errno) : "done");
}

static void expect_zero(const char *what, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0) {
            printf("%s: byte %zu is not zero\n", what, i);
            return;
        }
    printf("%s: zero\n", what);
}

/* ---- segments ---- */

static uint8_t *segment_attach(int id) {
    void *at = shmat(id, NULL, 0);
    CHECK(at != (void *)-1);
    return at;
}

static void segments(void) {
    for (int round = 0; round < 2; round++) { /* the second has what the first left */
        int id = shmget(IPC_PRIVATE, SEGMENT_PAGES * PAGE - 100, 0600);
        CHECK(id >= 0);
        uint8_t *memory = segment_attach(id);
        expect_zero("a new segment", memory, PAGE);
        memory[20 * PAGE] = 's';
        expect_zero("holes of a segment", memory + 21 * PAGE, (SEGMENT_PAGES - 21) * PAGE);
        memset(memory, 's', SEGMENT_PAGES * PAGE);
        CHECK(shmctl(id, IPC_RMID, NULL) == 0);
        say("attach what was removed, but is in use", (long)shmat(id, NULL, 0) == -1 ? -1 : 0);
        CHECK(memory[PAGE] == 's' && shmdt(memory) == 0);
        say("attach what is gone", (long)shmat(id, NULL, 0));
        say("ask about what is gone", shmctl(id, IPC_STAT, &(struct shmid_ds){0}));
    }
}

static void segment_rights(void) {
    int id = shmget(IPC_PRIVATE, PAGE, 0400);
    CHECK(id >= 0);
    const uint8_t *memory = shmat(id, NULL, SHM_RDONLY);
    CHECK(memory != (void *)-1);
    say("make a segment writable that was attached to be read",
        mprotect((void *)memory, PAGE, PROT_READ | PROT_WRITE));
    if (geteuid() != 0)
        say("attach a read-only segment to be written", (long)shmat(id, NULL, 0));
    CHECK(shmdt(memory) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
}

/* ---- memory by file and by number ---- */

static void own_memory(void) {
    static char word[8] = "before";
    uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/mem", O_RDWR);
    CHECK(fd >= 0 && page != MAP_FAILED && munmap(page + PAGE, PAGE) == 0);
    say("read own memory", pread(fd, word, 1, (off_t)word));
    say("read where nothing is", pread(fd, word, 8, (off_t)(page + PAGE)));
    say("read at zero", pread(fd, word, 8, 0));
    say("read at the end of the addresses", pread(fd, word, 8, 0x7ffffffff000));
    say("read the kernel's", pread(fd, word, 8, (off_t)0xffff800000000000));
    printf("read across the end of a mapping: %zd\n", pread(fd, word, 8, (off_t)(page + PAGE - 4)));
    CHECK(close(fd) == 0);
    fd = open("/proc/self/mem", O_RDONLY);
    say("write through a read-only descriptor", pwrite(fd, "x", 1, (off_t)word));
    CHECK(close(fd) == 0);
}

static volatile int *agreed;

static void other_memory(const char *what, int dumpable) {
    static char secret[8] = "mine", got[8];
    char path[64];
    fflush(stdout);
    *agreed = 0;
    pid_t pid = fork();
    if (pid == 0) {
        strcpy(secret, "child");
        prctl(PR_SET_DUMPABLE, dumpable);
        *agreed = 1;
        for (;;)
            pause();
    }
    CHECK(pid > 0);
    while (!*agreed)
        usleep(1000);
    struct iovec here = {got, sizeof got}, there = {secret, sizeof got};
    memset(got, 0, sizeof got);
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    printf("of %s\n", what);
    say("process_vm_readv", process_vm_readv(pid, &here, 1, &there, 1, 0));
    printf("got: %s\n", got);
    memset(got, 0, sizeof got);
    int fd = open(path, O_RDONLY);
    say("open its memory", fd);
    if (fd >= 0) {
        say("read it", pread(fd, got, sizeof got, (off_t)secret));
        printf("got: %s\n", got);
    }
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    if (fd >= 0) {
        printf("read it when it has ended: %zd\n", pread(fd, got, sizeof got, (off_t)secret));
        close(fd);
    }
    say("process_vm_readv when it has ended", process_vm_readv(pid, &here, 1, &there, 1, 0));
    CHECK(strcmp(secret, "mine") == 0);
}

/* ---- descriptors in messages ---- */

static int pass(int over[2], const int *send, size_t count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    char byte = 'x';
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(count * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), send, count * sizeof(int));
    if (sendmsg(over[0], &message, 0) < 0)
        return -1;
    memset(&control, 0, sizeof control);
    message.msg_controllen = sizeof control;
    CHECK(recvmsg(over[1], &message, MSG_CMSG_CLOEXEC) == 1);
    int fd;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

static void descriptors(void) {
    int over[2], fd = open("passed", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char byte;
    CHECK(fd >= 0 && write(fd, "1234", 4) == 4 && close(fd) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, over) == 0);
    for (int mode = O_RDONLY; mode <= O_RDWR; mode++) {
        fd = open("passed", mode);
        int got = pass(over, &fd, 1);
        CHECK(fd >= 0 && got >= 0 && got != fd);
        printf("passed on with mode %d: mode %d, flags %d\n", mode, fcntl(got, F_GETFL) & O_ACCMODE,
               fcntl(got, F_GETFD));
        say("read", read(got, &byte, 1));
        say("write", write(got, "w", 1));
        say("truncate", ftruncate(got, 4));
        say("map to be written", (long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, got, 0) == -1 ? -1 : 0);
        CHECK(close(got) == 0 && close(fd) == 0);
    }
    unsigned sent = 0;
    for (int number = 0; number < 2048; number++)
        if (fcntl(number, F_GETFD) < 0)
            sent += pass(over, &number, 1) >= 0;
    for (int shift = 11; shift < 32; shift++)
        sent += pass(over, (const int[]){(int)(1U << shift)}, 1) >= 0;
    printf("descriptors passed on that are not this program's: %u\n", sent);
    CHECK(unlink("passed") == 0);
}

/* ---- the kernel's instructions and addresses ---- */

#define TRY(what, code)                                                                                      \
    do {                                                                                                     \
        int signal = sigsetjmp(escape, 1);                                                                   \
        if (signal == 0) {                                                                                   \
            __asm__ volatile(code : : "a"(0), "c"(0), "d"(0x80) : "rbx", "memory", "cc");                    \
            puts(what ": executed");                                                                         \
        } else                                                                                               \
            printf("%s: %s\n", what, sigabbrev_np(signal));                                                  \
    } while (0)

static void instructions(void) {
    TRY("in", "in $0x80, %%al");
    TRY("in by dx", "in %%dx, %%eax");
    TRY("out", "out %%al, $0x80");
    TRY("out by dx", "out %%ax, %%dx");
    TRY("cli", "cli");
    TRY("sti", "sti");
    TRY("hlt", "hlt");
    TRY("rdmsr", "rdmsr");
    TRY("wrmsr", "wrmsr");
    TRY("invd", "invd");
    TRY("wbinvd", "wbinvd");
    TRY("clts", "clts");
    TRY("read cr0", "mov %%cr0, %%rax");
    TRY("write cr3", "mov %%rax, %%cr3");
    TRY("read dr7", "mov %%dr7, %%rax");
    TRY("lgdt", "lgdt (%%rsp)");
    TRY("lidt", "lidt (%%rsp)");
    TRY("ltr", "ltr %%ax");
    TRY("invlpg", "invlpg (%%rsp)");
    TRY("swapgs", "swapgs");
    TRY("sysretq", "sysretq");
    TRY("int 0x21", "int $0x21");
    TRY("int 0xff", "int $0xff");
    TRY("read the page of old system calls' neighbour", "movb 0xffffffffff5ff000, %%bl");
    TRY("write to the page of old system calls", "movb %%al, 0xffffffffff600000");
}

int main(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        CHECK(signal(signals[i], on_fault) != SIG_ERR);
    agreed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(agreed != MAP_FAILED);
    segments();
    segment_rights();
    own_memory();
    other_memory("a child", 1);
    other_memory("a child that is not to be looked at", 0);
    descriptors();
    instructions();
    return 0;
}
