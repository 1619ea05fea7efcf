/* process_vm_readv, process_vm_writev and kcmp: two processes, holes, permissions, vectors. */
#include <linux/kcmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "say.h"

static char *area; /* five pages: data, read-only, a hole, data, no access */

static void show(const char *when, const char *at, size_t n) {
    printf("%s:", when);
    for (size_t i = 0; i < n; i += 512)
        printf(" %02x", (unsigned char)at[i]);
    puts("");
}

/* Every pair of ranges that begin around the borders of the pages, both ways. */
static void ranges(pid_t other) {
    static const size_t lengths[] = {0, 1, 4095, 4096, 4097, 8192, 12288, 20480};
    char *local = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(local + 2 * PAGE, 2 * PAGE, PROT_NONE);
    for (int at = 0; at < 5; at++)
        for (int shift = -1; shift <= 1; shift++)
            for (unsigned i = 0; i < 8; i++)
                for (int write = 0; write < 2; write++) {
                    struct iovec here = {local, lengths[i]},
                                 there = {area + at * (ssize_t)PAGE + shift, lengths[i]};
                    if (shift < 0 && at == 0)
                        continue;
                    memset(local, 0x11 + write, 2 * PAGE);
                    CASE(text("%s at %d%+d, %zu", write ? "write" : "read", at, shift, lengths[i]),
                         write ? process_vm_writev(other, &here, 1, &there, 1, 0)
                               : process_vm_readv(other, &here, 1, &there, 1, 0));
                    if (!write)
                        show("  got", local, 2 * PAGE);
                }
    munmap(local, 4 * PAGE);
}

static void vectors(pid_t other) {
    static char a[100], b[100], c[100];
    struct iovec here[3] = {{a, 10}, {b, 0}, {c, 90}}, there[2] = {{area, 33}, {area + PAGE - 20, 67}};
    struct iovec many[1025], huge[2] = {{area, SIZE_MAX / 2 + 1}, {area, 1}},
                             kernel[1] = {{(void *)-4096, 10}};
    for (int i = 0; i < 1025; i++)
        many[i] = (struct iovec){a, 1};
    SAY(process_vm_readv(other, here, 3, there, 2, 0));
    SAY(process_vm_readv(other, here, 3, there, 1, 0));
    SAY(process_vm_readv(other, here, 1, there, 2, 0));
    SAY(process_vm_readv(other, here, 2, there, 2, 0));
    SAY(process_vm_readv(other, many, 1024, there, 2, 0));
    SAY(process_vm_readv(other, many, 1025, there, 2, 0));
    SAY(process_vm_readv(other, here, 3, many, 1025, 0));
    SAY(process_vm_readv(other, here, 0, there, 2, 0));
    SAY(process_vm_readv(other, here, 3, there, 0, 0));
    SAY(process_vm_readv(other, here, 3, there, 2, 1));
    SAY(process_vm_readv(other, huge, 2, there, 2, 0));
    SAY(process_vm_readv(other, here, 3, huge, 2, 0));
    SAY(process_vm_readv(other, kernel, 1, there, 2, 0));
    SAY(process_vm_readv(other, here, 3, kernel, 1, 0));
    SAY(process_vm_readv(other, (struct iovec *)8, 1, there, 1, 0));
    SAY(process_vm_readv(other, here, 1, (struct iovec *)8, 1, 0));
    SAY(process_vm_readv(other, here, SIZE_MAX, there, 1, 0));
    SAY(process_vm_readv(0, here, 1, there, 1, 0));
    SAY(process_vm_readv(-1, here, 1, there, 1, 0));
    SAY(process_vm_readv(4194305, here, 1, there, 1, 0));
    SAY(process_vm_readv(4194305, here, 0, there, 1, 0));
    SAY(process_vm_readv(4194305, here, 1, there, 0, 0));
    SAY(process_vm_readv(4194305, (struct iovec *)8, 1, there, 1, 0));
    SAY(process_vm_writev(getpid(), here, 3, there, 2, 0));
    SAY(process_vm_writev(other, (struct iovec[]){{NULL, 5}}, 1, there, 2, 0));
}

static void comparing(pid_t other) {
    for (int type = -1; type < 10; type++) {
        if (type == KCMP_EPOLL_TFD)
            continue;
        long self = syscall(SYS_kcmp, getpid(), getpid(), type, 0, 0), self_error = errno;
        printf("kcmp self %d: %s\n", type, self < 0 ? strerrorname_np((int)self_error) : self ? "differ" : "same");
        if (type == KCMP_IO || type == KCMP_SYSVSEM)
            continue;
        long r = syscall(SYS_kcmp, getpid(), other, type, 1, 1);
        printf("kcmp child %d: %s\n", type, r < 0 ? strerrorname_np(errno) : r ? "differ" : "same");
    }
    int copy = dup(1);
    printf("a duplicate: %ld\n", syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 1, copy));
    printf("the child's: %ld\n", syscall(SYS_kcmp, getpid(), other, KCMP_FILE, copy, 1));
    SAY(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 1, 999));
    SAY(syscall(SYS_kcmp, getpid(), 4194305, KCMP_FILE, 1, 1));
    SAY(syscall(SYS_kcmp, -1, getpid(), KCMP_FILE, 1, 1));
}

int main(void) {
    int tube[2];
    char c;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    area = mmap((void *)0x30000000, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0);
    CASE("pipe", pipe(tube));
    pid_t pid = child();
    if (pid == 0) {
        close(tube[1]);
        for (int i = 0; i < 5; i++)
            memset(area + (size_t)i * PAGE, 0xa0 + i, PAGE);
        mprotect(area + PAGE, PAGE, PROT_READ);
        munmap(area + 2 * PAGE, PAGE);
        mprotect(area + 4 * PAGE, PAGE, PROT_NONE);
        if (read(tube[0], &c, 1) != 1)
            _exit(1);
        if (read(tube[0], &c, 1) != 0)
            _exit(1);
        show("the child's", area, 2 * PAGE);
        show("the child's", area + 3 * PAGE, PAGE);
        fflush(stdout);
        _exit(0);
    }
    close(tube[0]);
    CASE("write", write(tube[1], "x", 1));
    usleep(50000); /* the child has set up its pages */
    ranges(pid);
    vectors(pid);
    comparing(pid);
    fflush(stdout);
    close(tube[1]);
    ended(pid);
    SAY(process_vm_readv(pid, &(struct iovec){&c, 1}, 1, &(struct iovec){area, 1}, 1, 0));
    return 0;
}
