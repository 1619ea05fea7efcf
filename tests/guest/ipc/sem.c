/* System V semaphores, case by case; children wait, and say what they got. */
#include <signal.h>
#include <sys/sem.h>
#include <time.h>

#include "say.h"

union argument {
    int value;
    struct semid_ds *stat;
    unsigned short *array;
    struct seminfo *info;
};

static int get(int id, int number, int command) {
    return semctl(id, number, command);
}

static int set(int id, int number, int value) {
    return semctl(id, number, SETVAL, (union argument){.value = value});
}

static int operate(int id, int number, int by, int flags) {
    struct sembuf op = {(unsigned short)number, (short)by, (short)flags};
    return semop(id, &op, 1);
}

/* Until so many wait at the semaphore. */
static void until_waiting(int id, int number, int command, int count) {
    while (get(id, number, command) < count)
        usleep(1000);
}

static void show(const char *when, int id) {
    unsigned short values[8] = {0};
    struct semid_ds s;
    if (semctl(id, 0, IPC_STAT, (union argument){.stat = &s}) < 0 ||
        semctl(id, 0, GETALL, (union argument){.array = values}) < 0) {
        printf("%s: %s\n", when, strerrorname_np(errno));
        return;
    }
    printf("%s: %lu semaphores, mode %o, otime %d ctime %d:", when, (unsigned long)s.sem_nsems,
           s.sem_perm.mode, s.sem_otime != 0, s.sem_ctime != 0);
    for (unsigned i = 0; i < s.sem_nsems && i < 8; i++) {
        int pid = get(id, (int)i, GETPID);
        printf(" %d(%s,%d,%d)", values[i],
               pid == getpid() ? "me"
               : pid           ? "other"
                               : "-",
               get(id, (int)i, GETNCNT), get(id, (int)i, GETZCNT));
    }
    puts("");
}

static void getting(void) {
    static const int counts[] = {-1, 0, 1, 5, 32000, 32001, INT32_MAX, INT32_MIN};
    key_t key = (key_t)(0x54690000 ^ getpid());
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        int id = (int)CASE_ID(text("semget private %d", counts[i]), semget(IPC_PRIVATE, counts[i], 0600));
        if (id >= 0)
            CASE("rmid", semctl(id, 0, IPC_RMID));
    }
    SAY(semget(key, 1, 0));
    int id = semget(key, 4, IPC_CREAT | IPC_EXCL | 0640);
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int flags = 0; flags <= 03000; flags += 01000)
            CASE_ID(text("semget existing %d %o", counts[i], flags), semget(key, counts[i], flags));
    show("made", id);
    SAY(semctl(id, 0, IPC_RMID));
    SAY(semctl(id, 0, IPC_RMID));
}

static void controls(void) {
    int id = semget(IPC_PRIVATE, 3, 0600);
    static const int numbers[] = {-1, 0, 2, 3, 1000000},
                     values[] = {-1, 0, 1, 32767, 32768, INT32_MAX, INT32_MIN};
    for (unsigned i = 0; i < 5; i++)
        for (unsigned j = 0; j < 7; j++)
            CASE(text("SETVAL %d %d", numbers[i], values[j]), set(id, numbers[i], values[j]));
    for (unsigned i = 0; i < 5; i++)
        for (int command = GETPID; command <= GETZCNT; command++)
            if (command != GETALL && command != GETPID)
                CASE(text("command %d at %d", command, numbers[i]), get(id, numbers[i], command));
    unsigned short all[3] = {1, 2, 3}, wrong[3] = {1, 40000, 3};
    SAY(semctl(id, 77, SETALL, (union argument){.array = all}));
    show("set all", id);
    SAY(semctl(id, 0, SETALL, (union argument){.array = wrong}));
    SAY(syscall(SYS_semctl, id, 0, SETALL, 8));
    SAY(syscall(SYS_semctl, id, 0, GETALL, 8));
    SAY(syscall(SYS_semctl, id, 0, IPC_STAT, 8));
    SAY(syscall(SYS_semctl, id, 0, IPC_SET, 8));
    show("unchanged", id);
    for (int command = -1; command < 24; command++) {
        unsigned short room[64];
        if (command != IPC_RMID && command != IPC_INFO && command != SEM_INFO && command != SEM_STAT &&
            command != 20 && command != IPC_SET && command != SETALL && command != GETPID)
            CASE(text("semctl(id, 0, %d)", command), syscall(SYS_semctl, id, 0, command, room));
        if (command != IPC_INFO && command != SEM_INFO) {
            CASE(text("semctl(-1, 0, %d)", command), syscall(SYS_semctl, -1, 0, command, room));
            if (command != SEM_STAT && command != 20)
                CASE(text("semctl(none, 0, %d)", command), syscall(SYS_semctl, INT32_MAX, 0, command, room));
        }
    }
    struct seminfo info;
    semctl(0, 0, IPC_INFO, (union argument){.info = &info});
    printf("opm %d vmx %d aem %d ume %d usz %d\n", info.semopm, info.semvmx, info.semaem, info.semume,
           info.semusz);
    SAY(semctl(id, 0, IPC_RMID));
}

static void operations(void) {
    int id = semget(IPC_PRIVATE, 3, 0600);
    struct sembuf ops[501];
    static const short steps[] = {0, 1, -1, 32767, -32767, -32768, 2};
    static const short flags[] = {IPC_NOWAIT, IPC_NOWAIT | SEM_UNDO};
    for (int start = 0; start <= 32767; start = start ? start == 1 ? 32767 : 40000 : 1)
        for (unsigned i = 0; i < 7; i++)
            for (unsigned j = 0; j < 2; j++) {
                set(id, 0, start);
                CASE(text("%d by %d flags %o", start, steps[i], flags[j]),
                     operate(id, 0, steps[i], flags[j]));
                printf("  -> %d\n", get(id, 0, GETVAL));
            }
    set(id, 0, 1), set(id, 1, 0);
    struct sembuf two[] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}, {1, 1, 0}, {1, 0, IPC_NOWAIT}};
    SAY(semop(id, two, 2));
    show("nothing done", id);
    SAY(semop(id, (struct sembuf[]){{1, 1, 0}, {0, -1, 0}, {1, -1, IPC_NOWAIT}}, 3));
    show("all done", id);
    SAY(semop(id, (struct sembuf[]){{1, 1, 0}, {1, 0, IPC_NOWAIT}}, 2));
    SAY(semop(id, (struct sembuf[]){{2, 32767, 0}, {2, 1, 0}}, 2));
    SAY(operate(id, 3, 1, 0));
    SAY(operate(id, 65535, 1, 0));
    SAY(operate(-1, 0, 1, 0));
    SAY(operate(INT32_MAX, 0, 1, 0));
    SAY(semop(id, two, 0));
    for (int i = 0; i < 501; i++)
        ops[i] = (struct sembuf){0, 0, IPC_NOWAIT};
    SAY(semop(id, ops, 500));
    SAY(semop(id, ops, 501));
    SAY(syscall(SYS_semop, id, 8, 1));
    SAY(syscall(SYS_semop, -1, 8, 1));
    SAY(syscall(SYS_semop, id, 8, 1000));
    static const struct timespec times[] = {{0, 0},  {0, 20000000},   {-1, 0},
                                            {0, -1}, {0, 1000000000}, {0, 999999}};
    for (unsigned i = 0; i < 6; i++) {
        struct sembuf take = {0, -1, 0};
        CASE(text("timeout %d", (int)i), semtimedop(id, &take, 1, &times[i]));
    }
    SAY(syscall(SYS_semtimedop, id, two, 1, 8));
    SAY(semctl(id, 0, IPC_RMID));
}

static void on_signal(int signal) {
    (void)signal;
}

/* A child that does one operation, and what it got. */
static pid_t waiter(int id, int number, int by, int flags) {
    pid_t pid = child();
    if (pid == 0) {
        int r = operate(id, number, by, flags);
        _exit(r == 0 ? 0 : errno);
    }
    return pid;
}

static void waiting(void) {
    int id = semget(IPC_PRIVATE, 2, 0600);
    pid_t pid = waiter(id, 0, -1, 0);
    until_waiting(id, 0, GETNCNT, 1);
    show("one waits", id);
    operate(id, 0, 1, 0);
    show("given", id); /* taken at once */
    ended(pid);

    set(id, 0, 1);
    pid = waiter(id, 0, 0, 0);
    until_waiting(id, 0, GETZCNT, 1);
    show("for zero", id);
    operate(id, 0, -1, 0);
    ended(pid);

    /* Two want, one more than is given: the one that can go on does. */
    pid_t large = waiter(id, 0, -5, 0), small = waiter(id, 0, -1, 0);
    until_waiting(id, 0, GETNCNT, 2);
    operate(id, 0, 2, 0);
    ended(small);
    show("the larger still waits", id);
    SAY(set(id, 0, 9));
    ended(large);
    show("both went on", id);

    /* A taker and one who waits for zero. */
    set(id, 0, 0), set(id, 1, 1);
    pid_t zero = waiter(id, 1, 0, 0), taker = waiter(id, 0, -1, 0);
    until_waiting(id, 0, GETNCNT, 1);
    until_waiting(id, 1, GETZCNT, 1);
    SAY(semop(id, (struct sembuf[]){{0, 1, 0}, {1, -1, 0}}, 2));
    ended(zero);
    ended(taker);

    /* Signals. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    set(id, 0, 0);
    pid = waiter(id, 0, -1, 0);
    until_waiting(id, 0, GETNCNT, 1);
    kill(pid, SIGUSR1);
    printf("EINTR is %d\n", EINTR);
    ended(pid);
    pid = waiter(id, 0, -1, 0);
    until_waiting(id, 0, GETNCNT, 1);
    kill(pid, SIGKILL);
    ended(pid);
    show("nobody waits", id);

    /* The set goes. */
    pid = waiter(id, 0, -1, SEM_UNDO);
    until_waiting(id, 0, GETNCNT, 1);
    SAY(semctl(id, 0, IPC_RMID));
    printf("EIDRM is %d\n", EIDRM);
    ended(pid);
}

static void undoing(void) {
    int id = semget(IPC_PRIVATE, 3, 0600);
    set(id, 0, 5);
    pid_t pid = child();
    if (pid == 0) {
        operate(id, 0, -3, SEM_UNDO);
        operate(id, 1, 4, SEM_UNDO);
        operate(id, 2, 2, 0);
        show("in the child", id);
        fflush(stdout);
        _exit(0);
    }
    ended(pid);
    show("undone", id);
    pid = child();
    if (pid == 0) {
        operate(id, 0, -3, SEM_UNDO);
        kill(getpid(), SIGKILL);
    }
    ended(pid);
    show("undone after a kill", id);
    pid = child();
    if (pid == 0) {
        operate(id, 0, 3, SEM_UNDO);
        set(id, 0, 1); /* forgets what was to be undone */
        operate(id, 1, 1, SEM_UNDO);
        execl("/bin/true", "true", NULL);
    }
    ended(pid);
    show("after an exec", id);
    set(id, 0, 0);
    pid = child();
    if (pid == 0) {
        operate(id, 0, 1, SEM_UNDO);
        pid_t other = fork(); /* does not inherit */
        if (other == 0)
            _exit(operate(id, 0, -1, IPC_NOWAIT));
        waitpid(other, NULL, 0);
        show("taken by the grandchild", id);
        fflush(stdout);
        _exit(0);
    }
    ended(pid);
    show("not below zero", id);
    /* The end of one is what the other waits for. */
    set(id, 0, 1);
    pid = child();
    if (pid == 0) {
        operate(id, 0, -1, SEM_UNDO);
        until_waiting(id, 0, GETNCNT, 1);
        _exit(0);
    }
    while (get(id, 0, GETVAL))
        usleep(1000);
    SAY(operate(id, 0, -1, 0));
    ended(pid);
    set(id, 0, 0);
    for (int i = 0; i < 3; i++)
        CASE("towards the limit of undo", operate(id, 0, i == 1 ? -16384 : 16384, SEM_UNDO | IPC_NOWAIT));
    SAY(operate(id, 0, 16384, SEM_UNDO));
    SAY(operate(id, 0, 16383, SEM_UNDO));
    SAY(semctl(id, 0, IPC_RMID));
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    getting();
    controls();
    operations();
    waiting();
    undoing();
    return 0;
}
