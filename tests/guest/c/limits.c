/* Large things: an argument list of a megabyte, one that is too large, a stack of six megabytes, allocation
 * of many sizes, thousands of mappings, hundreds of descriptors. Run as "limits count WORD…" it says how many
 * words and bytes it was given. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void arguments(const char *self, size_t words, size_t length) {
    char **list = calloc(words + 3, sizeof *list);
    char *word = malloc(length + 1);
    CHECK(list && word);
    memset(word, 'w', length);
    word[length] = 0;
    list[0] = (char *)self;
    list[1] = "count";
    for (size_t i = 0; i < words; i++)
        list[2 + i] = word;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execv(self, list);
        printf("%s\n", strerror(errno));
        exit(1);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    free(list);
    free(word);
}

static uint64_t deep(unsigned depth) {
    volatile uint64_t block[120];
    block[depth % 120] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + block[depth % 120];
}

static void stack(void) {
    printf("depth: %llu\n", (unsigned long long)deep(5500)); /* about 5.5 MB */
    volatile char large[2000000];
    for (size_t i = 0; i < sizeof large; i += PAGE)
        large[i] = (char)i;
    puts("stack");
}

static void allocation(void) {
    enum { BLOCKS = 400 };
    static struct {
        unsigned char *at;
        size_t size;
    } blocks[BLOCKS];
    uint64_t state = 3, total = 0;
    for (int i = 0; i < 6000; i++) {
        size_t b = next_random(&state) % BLOCKS;
        for (size_t j = 0; j < blocks[b].size; j += 97)
            CHECK(blocks[b].at[j] == (unsigned char)(b + j));
        free(blocks[b].at);
        blocks[b].size = next_random(&state) % (i % 50 ? 600 : 300000);
        blocks[b].at = malloc(blocks[b].size);
        CHECK(blocks[b].at);
        for (size_t j = 0; j < blocks[b].size; j += 97)
            blocks[b].at[j] = (unsigned char)(b + j);
        total += blocks[b].size;
    }
    printf("allocated %llu\n", (unsigned long long)total);
}

static void mappings(void) {
    enum { MAPPINGS = 3000 };
    char *at = mmap(NULL, 2 * MAPPINGS * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    for (size_t i = 0; i < MAPPINGS; i++)
        CHECK(mprotect(at + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    for (size_t i = 0; i < MAPPINGS; i += 50)
        at[2 * i * PAGE] = (char)i;
    for (size_t i = 0; i < MAPPINGS; i += 50)
        CHECK(at[2 * i * PAGE] == (char)i && at[(2 * i + 1) * PAGE] == 0);
    for (size_t i = 0; i < MAPPINGS; i++)
        CHECK(munmap(at + (2 * (i * 7 % MAPPINGS) + 1) * PAGE, PAGE) == 0);
    CHECK(munmap(at, 2 * MAPPINGS * PAGE) == 0);
    puts("mappings");
}

static void descriptors(void) {
    struct rlimit limit = {300, 300};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int fd, count = 0, last = -1;
    while ((fd = open("/dev/null", O_RDWR)) >= 0)
        last = fd, count++;
    CHECK(errno == EMFILE && last == 299 && count >= 200);
    CHECK_ERROR(dup(1), EMFILE);
    CHECK_ERROR(dup2(1, 300), EBADF);
    CHECK(close(150) == 0 && dup(1) == 150);
    for (fd = 3; fd < 300; fd++)
        close(fd);
    puts("descriptors");
}

static void memory_limit(void) {
    struct rlimit limit = {64 << 20, 64 << 20};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK_ERROR(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK(sbrk(100 << 20) == (void *)-1 && errno == ENOMEM);
    CHECK(mmap(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    puts("memory");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "count") == 0) {
        size_t bytes = 0;
        for (int i = 2; i < argc; i++)
            bytes += strlen(argv[i]);
        printf("%d words of %zu bytes\n", argc - 2, bytes);
        return 0;
    }
    arguments(argv[0], 10000, 99);
    arguments(argv[0], 1, 131000);
    arguments(argv[0], 1, 132000);  /* one word is too long */
    arguments(argv[0], 200, 20000); /* all of them are */
    stack();
    allocation();
    mappings();
    descriptors();
    memory_limit();
    return 0;
}
