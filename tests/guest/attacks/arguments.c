/* How many arguments execve takes, how long they may be, and what none become. The program executes itself:
 * with SHOW in its environment it says what it got, with QUIET it says nothing. */
#include "../c/check.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { STRING_MAX = 128 << 10, WORDS = 8000, WORD = 1000 };

static char self[] = "/proc/self/exe";
static char show[] = "SHOW=1";
static char *const shows[] = {show, NULL};

static void attempt(const char *what, char *const argv[], char *const envp[]) {
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execve(self, argv, envp);
        printf("%s: %s\n", what, strerrorname_np(errno));
        fflush(stdout);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void single_strings(void) {
    char name[64], *text = malloc(STRING_MAX + 2);
    CHECK(text);
    for (size_t length = STRING_MAX - 2; length <= STRING_MAX + 1; length++) {
        char *const with[] = {self, text, NULL}, *const without[] = {self, NULL},
                    *const envp[] = {show, text, NULL};
        memset(text, 'a', length);
        text[length] = '\0';
        snprintf(name, sizeof name, "a string of %zu", length);
        attempt(name, with, shows);
        attempt(name, without, envp);
    }
    free(text);
}

static int takes(char **argv) {
    char quiet[] = "QUIET=1", *const envp[] = {quiet, NULL};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execve(self, argv, envp);
        _exit(errno == E2BIG ? 7 : 8);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && (status == 0 || status >> 8 == 7));
    return status == 0;
}

/* The greatest number of words that is taken with a stack of this size. */
static void total(rlim_t size) {
    static char word[WORD + 1], *argv[WORDS + 1];
    struct rlimit stack;
    int low = 1, high = WORDS;
    memset(word, 'w', WORD);
    CHECK(getrlimit(RLIMIT_STACK, &stack) == 0);
    stack.rlim_cur = size;
    CHECK(setrlimit(RLIMIT_STACK, &stack) == 0);
    while (low < high) {
        int middle = (low + high + 1) / 2;
        for (int i = 0; i <= WORDS; i++)
            argv[i] = i < middle ? word : NULL;
        if (takes(argv))
            low = middle;
        else
            high = middle - 1;
    }
    printf("stack of %llu: %d words\n", (unsigned long long)size, low);
}

int main(int argc, char **argv) {
    if (getenv("QUIET"))
        return 0;
    if (getenv("SHOW")) {
        printf("argc %d, argv[0] \"%s\", then %s\n", argc, argv[0], argv[1] ? "more" : "nothing");
        return 0;
    }
    single_strings();
    attempt("no arguments", (char *[]){NULL}, shows);
    total(8 << 20);
    total(1 << 20);
    total(300 << 10);
    return 0;
}
