/* What a program is given: argv, envp, and the auxiliary vector with what may differ masked; standard
 * streams, and that the stack holds the strings. Exits with the number of arguments. */
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/resource.h>

extern char **environ;
extern const char __executable_start[] __attribute__((weak));

static void auxiliary(char **argv) {
    (void)argv;
    CHECK(getauxval(AT_PAGESZ) == 4096);
    CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned loads = 0;
    for (size_t i = 0; i < getauxval(AT_PHNUM); i++)
        loads += headers[i].p_type == PT_LOAD;
    printf("loadable segments %u\n", loads);
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_CLKTCK) == (unsigned long)sysconf(_SC_CLK_TCK));
    CHECK(getauxval(AT_RANDOM) != 0 && getauxval(AT_ENTRY) != 0 && getauxval(AT_HWCAP) != 0);
    CHECK(strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    const char *path = (const char *)getauxval(AT_EXECFN);
    printf("executed as %s\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
}

int main(int argc, char **argv) {
    const char *name = strrchr(argv[0], '/');
    printf("argv[0] %s\n", name ? name + 1 : argv[0]);
    for (int i = 1; i < argc; i++)
        printf("argv[%d] \"%s\"\n", i, argv[i]);
    CHECK(argv[argc] == NULL);
    for (char **e = environ; *e; e++)
        printf("%s\n", *e);
    auxiliary(argv);
    CHECK(((uintptr_t)__builtin_frame_address(0) & 15) == 0); /* the ABI's alignment */
    CHECK((char *)&argc < argv[0] && argv[0] < environ[0]);   /* strings above the frames, in this order */
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 64 * 1024);
    fprintf(stderr, "on standard error\n");
    return argc;
}
