/* System V shared memory, case by case. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "say.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

static key_t own_key;
static sigjmp_buf back;

static void on_fault(int signal) {
    siglongjmp(back, signal);
}

static const char *touch(volatile char *at, int write) {
    int signal = sigsetjmp(back, 1);
    if (signal)
        return signal == SIGSEGV ? "SIGSEGV" : "SIGBUS";
    if (write)
        *at = 1;
    else
        (void)*at;
    return "ok";
}

static void show(const char *when, int id) {
    struct shmid_ds s;
    memset(&s, 0x55, sizeof s);
    if (shmctl(id, IPC_STAT, &s) < 0) {
        printf("%s: %s\n", when, strerrorname_np(errno));
        return;
    }
    printf("%s: size %zu mode %o nattch %lu key %s cpid %s lpid %s atime %d dtime %d ctime %d uid %d\n", when,
           s.shm_segsz, s.shm_perm.mode, (unsigned long)s.shm_nattch,
           s.shm_perm.__key == 0         ? "private"
           : s.shm_perm.__key == own_key ? "own"
                                         : "other",
           s.shm_cpid == getpid() ? "me" : "other",
           s.shm_lpid == getpid() ? "me"
           : s.shm_lpid == 0      ? "none"
                                  : "other",
           s.shm_atime != 0, s.shm_dtime != 0, s.shm_ctime != 0, s.shm_perm.uid == geteuid());
}

static void getting(void) {
    static const size_t sizes[] = {
        0, 1, 4095, 4096, 4097, 8192, (size_t)1 << 62, SIZE_MAX - (1 << 24) - 4096, SIZE_MAX};
    static const int flags[] = {0, IPC_CREAT, IPC_CREAT | IPC_EXCL, IPC_EXCL};
    SAY(shmget(own_key, 0, 0));
    SAY(shmget(own_key, 4096, 0600));
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int id =
            (int)CASE_ID(text("shmget private, size %zx", sizes[i]), shmget(IPC_PRIVATE, sizes[i], 0600));
        if (id >= 0)
            CASE("rmid", shmctl(id, IPC_RMID, NULL));
    }
    int id = (int)SAY_ID(shmget(own_key, 5000, IPC_CREAT | IPC_EXCL | 0640));
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned j = 0; j < 4; j++) {
            int again = (int)CASE_ID(text("shmget existing, size %zx flags %o", sizes[i], flags[j]),
                                     shmget(own_key, sizes[i], flags[j] | 0600));
            if (again >= 0 && again != id)
                puts("another id");
        }
    show("made", id);
    SAY(shmctl(id, IPC_RMID, NULL));
    SAY(shmctl(id, IPC_RMID, NULL));
    SAY(shmget(own_key, 4096, 0600));
    SAY(shmget(IPC_PRIVATE, 4096, SHM_HUGETLB | 0600) == -1 ? 0 : 1);
}

static void attaching(void) {
    int id = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
    char *free_place = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(free_place, 8 * PAGE);
    char *taken = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static const int flags[] = {
        0, SHM_RND, SHM_REMAP, SHM_RND | SHM_REMAP, SHM_RDONLY, SHM_EXEC, SHM_EXEC | SHM_RDONLY};
    struct {
        const char *name;
        char *at;
    } places[] = {{"null", NULL},
                  {"free", free_place},
                  {"free + 1", free_place + 1},
                  {"taken", taken},
                  {"taken + 5", taken + 5},
                  {"-1", (char *)-1},
                  {"end", (char *)0x7ffffffff000},
                  {"high", (char *)0x8000000000000000},
                  {"last", (char *)-4096}};
    show("before", id);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        for (unsigned j = 0; j < sizeof flags / sizeof *flags; j++) {
            char *at;
            at = (char *)CASE_ID(text("shmat %s flags %o", places[i].name, flags[j]),
                                 shmat(id, places[i].at, flags[j]));
            if (at == (char *)-1)
                continue;
            printf("  at the place: %d, rounded: %d, read %s, write %s\n", at == places[i].at,
                   at == (char *)((uintptr_t)places[i].at & ~(PAGE - 1)), touch(at, 0), touch(at + PAGE, 1));
            show("  attached", id);
            printf("  mprotect: %s\n",
                   mprotect(at, PAGE, PROT_READ | PROT_WRITE) ? strerrorname_np(errno) : "ok");
            CASE("  shmdt + 1", shmdt(at + 1));
            CASE("  shmdt + page", shmdt(at + PAGE));
            CASE("  shmdt", shmdt(at));
            CASE("  shmdt again", shmdt(at));
            if (places[i].at == taken || places[i].at == taken + 5)
                mmap(taken, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        }
    SAY(shmat(-1, NULL, 0));
    SAY(shmat(id + 1, NULL, 0));
    SAY(shmat(id + 32768, NULL, 0));
    SAY(shmdt(NULL));
    SAY(shmdt((void *)-4096));
    show("after", id);
    SAY(shmctl(id, IPC_RMID, NULL));
    SAY(shmat(id, NULL, 0));
}

static void pieces(void) {
    int id = shmget(IPC_PRIVATE, 4 * PAGE + 100, 0600);
    char *at = shmat(id, NULL, 0);
    at[0] = 'a', at[PAGE] = 'b', at[4 * PAGE] = 'e';
    show("whole", id);
    SAY(munmap(at + PAGE, PAGE));
    show("with a hole", id);
    SAY(mprotect(at + 3 * PAGE, PAGE, PROT_READ));
    show("three pieces", id);
    SAY(mprotect(at + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE));
    show("not merged again", id);
    printf("beyond the size, in the last page: %s\n", touch(at + 4 * PAGE + 200, 1));
    char *again = shmat(id, NULL, SHM_RDONLY);
    printf("seen again: %c %c %c\n", again[0], again[PAGE], again[4 * PAGE]);
    SAY(shmdt(at));
    printf("gone: %s, other attachment: %s\n", touch(at + 3 * PAGE, 0), touch(again, 0));
    show("one left", id);
    char *moved = mremap(again, 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at);
    printf("moved: %d %c\n", moved == at, moved[0]);
    show("moved", id);
    SAY(munmap(moved, 5 * PAGE));
    show("unmapped", id);
    SAY(shmctl(id, IPC_RMID, NULL));
}

static void forking(void) {
    int id = shmget(own_key, PAGE, IPC_CREAT | 0600), tube[2];
    volatile char *at = shmat(id, NULL, 0);
    char c;
    CASE("pipe", pipe(tube));
    show("attached once", id);
    pid_t pid = child();
    if (pid == 0) {
        close(tube[1]);
        show("in the child", id);
        at[1] = 'c';
        if (read(tube[0], &c, 1) != 0)
            puts("?");
        printf("from the parent: %c\n", at[0]);
        fflush(stdout);
        _exit(0);
    }
    at[0] = 'p';
    close(tube[1]);
    ended(pid);
    close(tube[0]);
    printf("from the child: %c\n", at[1]);
    show("child ended", id);
    SAY(shmctl(id, IPC_RMID, NULL));
    show("removed", id);
    SAY(shmget(own_key, PAGE, 0600));
    SAY_ID(shmat(id, NULL, 0));
    show("attached twice", id);
    pid = child();
    if (pid == 0) {
        shmdt((void *)at);
        show("child detached one", id);
        fflush(stdout);
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    ended(pid);
    show("child executed", id);
    shmdt((void *)at);
    show("one left", id);
    pid = child();
    if (pid == 0)
        _exit(0);
    ended(pid);
    show("still there", id);
}

static void permissions(void) {
    struct shmid_ds s;
    int id = shmget(IPC_PRIVATE, PAGE, 0);
    for (unsigned mode = 0; mode <= 0777; mode += 0111) {
        CASE("IPC_STAT", shmctl(id, IPC_STAT, &s));
        s.shm_perm.mode = mode;
        s.shm_perm.uid = geteuid();
        s.shm_perm.gid = getegid();
        CASE(text("IPC_SET %o", mode), shmctl(id, IPC_SET, &s));
        void *at = shmat(id, NULL, SHM_RDONLY);
        printf("mode %o: %s\n", mode, at == (void *)-1 ? strerrorname_np(errno) : "ok");
        if (at != (void *)-1)
            shmdt(at);
    }
    s.shm_perm.uid = (uid_t)-1;
    SAY(shmctl(id, IPC_SET, &s));
    s.shm_perm.uid = geteuid();
    s.shm_perm.mode = 01777777;
    SAY(shmctl(id, IPC_SET, &s));
    show("all bits", id);
    SAY(shmctl(id, SHM_LOCK, NULL));
    show("locked", id);
    SAY(shmctl(id, SHM_UNLOCK, NULL));
    show("unlocked", id);
    SAY(shmctl(id, IPC_STAT, (struct shmid_ds *)8));
    SAY(shmctl(id, IPC_SET, (struct shmid_ds *)8));
    SAY(shmctl(id, IPC_RMID, (struct shmid_ds *)8));
}

static void controls(void) {
    struct shmid_ds s;
    struct shminfo info;
    int id = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
    static const int ids[] = {-1, INT32_MIN, INT32_MAX};
    for (int command = -2; command < 20; command++)
        for (unsigned i = 0; i < 3; i++)
            if (command != IPC_INFO && command != SHM_INFO)
                CASE(text("shmctl(%d, %d)", ids[i], command), shmctl(ids[i], command, &s));
    for (int command = -2; command < 20; command++)
        if (command != IPC_INFO && command != SHM_INFO && command != IPC_RMID && command != SHM_STAT &&
            command != SHM_STAT_ANY && command != IPC_SET)
            CASE(text("shmctl(id, %d)", command), shmctl(id, command, &s));
    int highest = shmctl(0, IPC_INFO, (struct shmid_ds *)&info), found = 0;
    printf("min %lu seg = mni %d\n", info.shmmin, info.shmseg == info.shmmni);
    for (int i = 0; i <= highest; i++)
        if (shmctl(i, SHM_STAT, &s) == id)
            found++;
    printf("found by index: %d\n", found);
    SAY(shmctl(0, IPC_INFO, (struct shmid_ds *)8));
    SAY(shmctl(0, SHM_INFO, (struct shmid_ds *)8));
    SAY(shmctl(-1, IPC_INFO, (struct shmid_ds *)&info));
    SAY(shmctl(id, IPC_RMID, NULL));
}

int main(void) {
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    own_key = (key_t)(0x54680000 ^ getpid());
    getting();
    attaching();
    pieces();
    forking();
    permissions();
    controls();
    return 0;
}
