/* prctl() options that every kernel has, with values around what they take; personality; memory policies on
 * hosts with one node ("nodes"). */
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "say.h"

static void options(void) {
    static const int numbers[] = {PR_SET_PDEATHSIG,
                                  PR_GET_DUMPABLE,
                                  PR_SET_DUMPABLE,
                                  PR_SET_KEEPCAPS,
                                  PR_GET_KEEPCAPS,
                                  PR_GET_TIMING,
                                  PR_SET_TIMING,
                                  PR_GET_SECUREBITS,
                                  PR_SET_TIMERSLACK,
                                  PR_GET_TIMERSLACK,
                                  PR_SET_CHILD_SUBREAPER,
                                  PR_SET_NO_NEW_PRIVS,
                                  PR_GET_NO_NEW_PRIVS,
                                  PR_GET_THP_DISABLE,
                                  PR_MCE_KILL_GET,
                                  PR_TASK_PERF_EVENTS_DISABLE,
                                  PR_TASK_PERF_EVENTS_ENABLE,
                                  PR_GET_UNALIGN,
                                  PR_GET_FPEMU,
                                  PR_GET_ENDIAN,
                                  0,
                                  -1,
                                  9999};
    static const unsigned long values[] = {0, 1, 2, 64, 65, (unsigned long)-1};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (unsigned j = 0; j < 6; j++) {
            CASE(text("prctl %d %lx", numbers[i], values[j]),
                 syscall(SYS_prctl, numbers[i], values[j], 0, 0, 0));
            CASE(text("prctl %d %lx 1", numbers[i], values[j]),
                 numbers[i] == PR_SET_TIMERSLACK ? 0 : syscall(SYS_prctl, numbers[i], values[j], 1, 0, 0));
        }
    static const int reads[] = {PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER, PR_GET_TSC};
    for (int i = 0; i < 3; i++) {
        int value = -1;
        CASE(text("prctl read %d", reads[i]), prctl(reads[i], &value, 0, 0, 0));
        printf("  %d\n", value);
        CASE(text("prctl read %d nowhere", reads[i]), prctl(reads[i], 8, 0, 0, 0));
    }
    for (int what = 0; what < 6; what++) {
        if (what == PR_CAP_AMBIENT_RAISE)
            continue;
        CASE(text("ambient %d", what), prctl(PR_CAP_AMBIENT, what, 0, 0, 0));
        CASE(text("ambient %d of 100", what), prctl(PR_CAP_AMBIENT, what, 100, 0, 0));
        CASE(text("ambient %d 0 1", what), prctl(PR_CAP_AMBIENT, what, 0, 1, 0));
    }
    char name[17] = "";
    SAY(prctl(PR_SET_NAME, "a name that is too long"));
    SAY(prctl(PR_GET_NAME, name));
    puts(name);
    SAY(prctl(PR_SET_NAME, 8));
    SAY(personality(0xffffffff));
    SAY(personality(ADDR_NO_RANDOMIZE));
    SAY(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
}

static void nodes(void) {
    static unsigned long mask[4];
    int mode;
    char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at[0] = 1;
    for (int m = -1; m < 6; m++)
        for (unsigned long set = 0; set < 4; set++) {
            mask[0] = set;
            CASE(text("set_mempolicy %d %lu", m, set), syscall(SYS_set_mempolicy, m, mask, 64));
            mode = -1, mask[0] = 77;
            CASE("  get", syscall(SYS_get_mempolicy, &mode, mask, 64, 0, 0));
            printf("  %d %lx\n", mode, mask[0]);
            mask[0] = set;
            CASE(text("  mbind %d %lu", m, set), syscall(SYS_mbind, at, 4 * PAGE, m, mask, 64, 0));
        }
    SAY(syscall(SYS_set_mempolicy, 0, 0, 0));
    SAY(syscall(SYS_get_mempolicy, &mode, mask, 0, 0, 0));
    SAY(syscall(SYS_get_mempolicy, 8, 0, 0, 0, 0));
    SAY(syscall(SYS_get_mempolicy, &mode, 0, 0, at, 0));
    SAY(syscall(SYS_get_mempolicy, &mode, 0, 0, 8, MPOL_F_ADDR));
    SAY(syscall(SYS_get_mempolicy, &mode, 0, 0, at, MPOL_F_ADDR | MPOL_F_NODE));
    printf("node %d\n", mode);
    SAY(syscall(SYS_get_mempolicy, &mode, mask, 64, 0, MPOL_F_MEMS_ALLOWED));
    printf("allowed %lx\n", mask[0]);
    SAY(syscall(SYS_get_mempolicy, &mode, mask, 64, at, 64));
    SAY(syscall(SYS_mbind, at + 1, PAGE, 0, 0, 0, 0));
    SAY(syscall(SYS_mbind, at, 0, 0, 0, 0, 0));
    SAY(syscall(SYS_mbind, at, PAGE, 0, 0, 0, 64));
    SAY(syscall(SYS_mbind, 0, PAGE, 0, 0, 0, 0));
    SAY(syscall(SYS_mbind, at, -4096, 0, 0, 0, 0));
    void *pages[] = {at, at + PAGE, (void *)8, at + 1};
    int status[4] = {9, 9, 9, 9}, wanted[4] = {0, 0, 0, 0}, wrong[1] = {5};
    SAY(syscall(SYS_move_pages, 0, 4, pages, NULL, status, 0));
    printf("%d %d %d %d\n", status[0], status[1], status[2], status[3]);
    SAY(syscall(SYS_move_pages, 0, 1, pages, wanted, status, MPOL_MF_MOVE));
    printf("%d\n", status[0]);
    SAY(syscall(SYS_move_pages, 0, 1, pages, wrong, status, MPOL_MF_MOVE));
    SAY(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 64));
    SAY(syscall(SYS_move_pages, 4194305, 1, pages, NULL, status, 0));
    SAY(syscall(SYS_move_pages, 0, 1, 8, NULL, status, 0));
    mask[0] = 1;
    SAY(syscall(SYS_migrate_pages, 0, 64, mask, mask));
    SAY(syscall(SYS_migrate_pages, 4194305, 64, mask, mask));
}

int main(int count, char **arguments) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (count > 1 && !strcmp(arguments[1], "nodes"))
        nodes();
    else
        options();
    return 0;
}
