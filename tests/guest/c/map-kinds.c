/* mmap of every kind: private and shared, anonymous and of a file, with offsets, past the end of the file,
 * fixed, across fork; coherent with read and write; and the errors. The file "mapped.dat" that it leaves
 * behind holds what went through the shared mappings. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const char file_name[] = "mapped.dat";

static char *map(size_t length, int protection, int flags, int fd, off_t offset) {
    char *at = mmap(NULL, length, protection, flags, fd, offset);
    CHECK(at != MAP_FAILED);
    return at;
}

/* Ten pages; byte i of page p is p * 3 + i. */
static int file_make(void) {
    int fd = open(file_name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    unsigned char page[PAGE];
    for (size_t p = 0; p < 10; p++) {
        for (size_t i = 0; i < PAGE; i++)
            page[i] = (unsigned char)(p * 3 + i);
        CHECK(write(fd, page, PAGE) == (ssize_t)PAGE);
    }
    return fd;
}

static void file_private(int fd) {
    unsigned char *at = (unsigned char *)map(10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    for (size_t p = 0; p < 10; p++)
        CHECK(at[p * PAGE + 7] == (unsigned char)(p * 3 + 7));
    memset(at + 3 * PAGE, 0xee, PAGE);
    unsigned char byte;
    CHECK(pread(fd, &byte, 1, 3 * PAGE) == 1 && byte == 9); /* the file does not see it */
    CHECK(munmap(at, 10 * PAGE) == 0);
    at = (unsigned char *)map(PAGE, PROT_READ, MAP_PRIVATE, fd, 3 * PAGE);
    CHECK(at[0] == 9);
    CHECK(munmap(at, PAGE) == 0);
    puts("private file");
}

static void file_shared(int fd) {
    unsigned char *a = (unsigned char *)map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
    unsigned char *b = (unsigned char *)map(10 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    a[PAGE + 5] = 0xaa; /* page 3 of the file */
    CHECK(b[3 * PAGE + 5] == 0xaa);
    unsigned char byte;
    CHECK(pread(fd, &byte, 1, 3 * PAGE + 5) == 1 && byte == 0xaa); /* read sees the mapping */
    CHECK(pwrite(fd, "\x55", 1, 2 * PAGE + 9) == 1);
    CHECK(a[9] == 0x55 && b[2 * PAGE + 9] == 0x55); /* the mapping sees write */
    pid_t child = fork();
    if (child == 0) {
        a[3 * PAGE] = 0x77;
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(b[5 * PAGE] == 0x77);
    CHECK(munmap(a, 4 * PAGE) == 0 && munmap(b, 10 * PAGE) == 0);
    puts("shared file");
}

static void file_end(int fd) {
    CHECK(ftruncate(fd, 9 * PAGE + 100) == 0);
    char *at = map(12 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (size_t i = 100; i < PAGE; i++)
        CHECK(at[9 * PAGE + i] == 0); /* the rest of the last page is zeros */
    at[9 * PAGE + 200] = 1;           /* allowed, and goes nowhere */
    CHECK(munmap(at, 12 * PAGE) == 0);
    CHECK(lseek(fd, 0, SEEK_END) == (off_t)(9 * PAGE + 100));
    puts("end of file");
}

static void anonymous(void) {
    char *shared = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *private = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shared[PAGE] == 0 && private[PAGE] == 0);
    strcpy(shared, "parent");
    strcpy(private, "parent");
    pid_t child = fork();
    if (child == 0) {
        CHECK(strcmp(shared, "parent") == 0 && strcmp(private, "parent") == 0);
        strcpy(shared + PAGE, "child"); /* a page that nobody has touched before the fork */
        strcpy(shared, "child");
        strcpy(private, "child");
        _exit(3);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    CHECK(strcmp(shared, "child") == 0 && strcmp(shared + PAGE, "child") == 0);
    CHECK(strcmp(private, "parent") == 0);
    CHECK(munmap(shared, 3 * PAGE) == 0 && munmap(private, 3 * PAGE) == 0);
    puts("anonymous");
}

static void fixed(int fd) {
    char *at = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    memset(at, 'x', 8 * PAGE);
    CHECK(mmap(at + 2 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == at + 2 * PAGE);
    CHECK(at[2 * PAGE - 1] == 'x' && at[2 * PAGE] == 3 && at[3 * PAGE] == 6 && at[4 * PAGE] == 'x');
    CHECK(munmap(at + 5 * PAGE, PAGE) == 0); /* a hole … */
    char *hint = mmap(at + 5 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(hint == at + 5 * PAGE); /* … which a hint fills */
    CHECK(hint[0] == 0 && at[6 * PAGE] == 'x');
    CHECK(munmap(at, 8 * PAGE) == 0);
    CHECK(munmap(at, 8 * PAGE) == 0); /* nothing is there any more: not an error */
    puts("fixed");
}

static void errors(int fd) {
    int reader = open(file_name, O_RDONLY), pipe_ends[2];
    CHECK(reader >= 0 && pipe(pipe_ends) == 0);
    const int private = MAP_PRIVATE | MAP_ANONYMOUS;
    CHECK_ERROR(mmap(NULL, 0, PROT_READ, private, -1, 0), EINVAL);
    CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
    CHECK_ERROR(mmap((void *)100, PAGE, PROT_READ, private | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    CHECK_ERROR(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), EACCES);
    CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pipe_ends[0], 0), ENODEV);
    CHECK_ERROR(mmap(NULL, (size_t)1 << 60, PROT_READ, private, -1, 0), ENOMEM);
    CHECK_ERROR(munmap((void *)1, PAGE), EINVAL);
    CHECK_ERROR(munmap((void *)PAGE, 0), EINVAL);
    char *at = map(PAGE, PROT_READ, MAP_SHARED, reader, 0);
    CHECK_ERROR(mprotect(at, PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK_ERROR(mprotect(at + 1, PAGE, PROT_READ), EINVAL);
    CHECK(munmap(at, PAGE) == 0);
    CHECK_ERROR(mprotect(at, PAGE, PROT_READ), ENOMEM);
    close(reader);
    puts("errors");
}

/* The mapping outlives the descriptor, and the name. */
static void unlinked(void) {
    int fd = open("gone.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, "still here", 10) == 10);
    char *at = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(close(fd) == 0 && unlink("gone.dat") == 0);
    CHECK(memcmp(at, "still here", 10) == 0);
    at[0] = 'S';
    CHECK(msync(at, PAGE, MS_SYNC) == 0 && at[0] == 'S');
    CHECK(munmap(at, PAGE) == 0);
    puts("unlinked");
}

int main(void) {
    int fd = file_make();
    file_private(fd);
    file_shared(fd);
    file_end(fd);
    anonymous();
    fixed(fd);
    errors(fd);
    unlinked();
    CHECK(close(fd) == 0);
    return 0;
}
