/* System V message queues, case by case. */
#include <signal.h>
#include <sys/msg.h>

#include "say.h"

struct letter {
    long type;
    char text[8200];
};

static struct letter out, in;

static int queue(void) {
    return msgget(IPC_PRIVATE, 0600);
}

static long put(int id, long type, const char *what, int flags) {
    out.type = type;
    strcpy(out.text, what);
    return msgsnd(id, &out, strlen(what), flags);
}

static void take(const char *how, int id, size_t room, long type, int flags) {
    memset(&in, 0, sizeof in);
    errno = 0;
    long r = msgrcv(id, &in, room, type, flags);
    if (r < 0)
        printf("%s: %s\n", how, strerrorname_np(errno));
    else
        printf("%s: %ld bytes of type %ld: %.20s\n", how, r, in.type, in.text);
}

static void show(const char *when, int id) {
    struct msqid_ds s;
    if (msgctl(id, IPC_STAT, &s) < 0) {
        printf("%s: %s\n", when, strerrorname_np(errno));
        return;
    }
    printf("%s: %lu messages, %lu bytes of %lu, mode %o, spid %s rpid %s, times %d %d %d\n", when,
           (unsigned long)s.msg_qnum, (unsigned long)s.__msg_cbytes, (unsigned long)s.msg_qbytes,
           s.msg_perm.mode,
           s.msg_lspid == getpid() ? "me"
           : s.msg_lspid           ? "other"
                                   : "-",
           s.msg_lrpid == getpid() ? "me"
           : s.msg_lrpid           ? "other"
                                   : "-",
           s.msg_stime != 0, s.msg_rtime != 0, s.msg_ctime != 0);
}

static void sending(void) {
    int id = queue();
    show("new", id);
    static const long types[] = {1, 0, -1, INT64_MAX, INT64_MIN};
    static const size_t sizes[] = {0, 1, 8192, 8193, SIZE_MAX, (size_t)1 << 63};
    for (unsigned i = 0; i < 5; i++)
        for (unsigned j = 0; j < 6; j++) {
            out.type = types[i];
            CASE(text("msgsnd type %ld size %zx", types[i], sizes[j]),
                 msgsnd(id, &out, sizes[j], IPC_NOWAIT));
        }
    show("sent", id);
    SAY(msgsnd(-1, &out, 1, 0));
    SAY(msgsnd(INT32_MAX, &out, 1, 0));
    SAY(syscall(SYS_msgsnd, id, 8, 1, 0));
    SAY(syscall(SYS_msgsnd, -1, 8, 1, 0));
    SAY(syscall(SYS_msgsnd, -1, &out, 1, 0));
    for (int i = 0; i < 3; i++)
        take("drain", id, 8192, 0, IPC_NOWAIT);
    show("drained", id);
    int sent = 0;
    out.type = 1;
    while (msgsnd(id, &out, 100, IPC_NOWAIT) == 0)
        sent++;
    printf("%d of 100 bytes, then %s\n", sent, strerrorname_np(errno));
    while (msgsnd(id, &out, 0, IPC_NOWAIT) == 0 && sent < 20000)
        sent++;
    printf("%d in all, then %s\n", sent, strerrorname_np(errno));
    show("full", id);
    SAY(msgctl(id, IPC_RMID, NULL));
    SAY(msgctl(id, IPC_RMID, NULL));
}

static void fill(int id) {
    put(id, 5, "five", 0), put(id, 3, "three", 0), put(id, 7, "seven", 0), put(id, 3, "three again", 0);
}

static void receiving(void) {
    int id = queue();
    static const long types[] = {0, 1, 3, 5, -1, -3, -4, -5, -100, INT64_MIN, 7, 100};
    static const int flags[] = {0,
                                MSG_NOERROR,
                                MSG_EXCEPT,
                                MSG_EXCEPT | MSG_NOERROR,
                                MSG_COPY,
                                MSG_COPY | MSG_EXCEPT,
                                MSG_COPY | MSG_NOERROR};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++)
        for (unsigned j = 0; j < sizeof flags / sizeof *flags; j++)
            for (size_t room = 3; room <= 100; room += 97) {
                fill(id);
                take(text("type %ld flags %o room %zu", types[i], flags[j], room), id, room, types[i],
                     flags[j] | IPC_NOWAIT);
                while (msgrcv(id, &in, 8192, 0, IPC_NOWAIT) >= 0)
                    printf("  %s", in.text), memset(&in, 0, sizeof in);
                puts("");
            }
    fill(id);
    SAY(msgrcv(id, &in, SIZE_MAX, 0, 0));
    SAY(msgrcv(-1, &in, 10, 0, 0));
    SAY(msgrcv(INT32_MAX, &in, 10, 0, 0));
    SAY(msgrcv(id, &in, 10, 0, MSG_COPY));
    SAY(syscall(SYS_msgrcv, id, 8, 100, 0, 0));
    show("one was lost", id);
    SAY(msgctl(id, IPC_RMID, NULL));
}

static void until_sleeping(void) {
    usleep(30000);
}

static void on_signal(int signal) {
    (void)signal;
}

static void waiting(void) {
    int id = queue();
    pid_t pid = child();
    if (pid == 0) {
        take("waited for 4", id, 100, 4, 0);
        fflush(stdout);
        _exit(0);
    }
    until_sleeping();
    put(id, 3, "not this", 0), put(id, 4, "this", 0);
    show("given to who waited", id);
    ended(pid);
    pid = child();
    if (pid == 0) {
        take("waited with little room", id, 2, 9, 0);
        fflush(stdout);
        _exit(0);
    }
    until_sleeping();
    put(id, 9, "too long", 0);
    show("stays", id);
    ended(pid);
    take("drain", id, 100, 0, IPC_NOWAIT);
    take("drain", id, 100, 0, IPC_NOWAIT);

    /* A full queue. */
    while (put(id, 1, "0123456789012345678901234567890123456789", IPC_NOWAIT) == 0)
        continue;
    pid = child();
    if (pid == 0) {
        CASE("sent at last", put(id, 2, "0123456789012345678901234567890123456789", 0));
        fflush(stdout);
        _exit(0);
    }
    until_sleeping();
    take("room is made", id, 100, 0, 0);
    ended(pid);
    take("what waited", id, 100, 2, 0);

    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 2; i++) {
        pid = child();
        if (pid == 0) {
            long r = i ? msgsnd(id, &out, 8000, 0) : msgrcv(id, &in, 100, 77, 0);
            printf("interrupted: %ld %s\n", r, strerrorname_np(errno));
            fflush(stdout);
            _exit(0);
        }
        until_sleeping();
        kill(pid, SIGUSR1);
        ended(pid);
    }
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = child();
        if (pids[i] == 0) {
            long r = i ? msgsnd(id, &out, 8000, 0) : msgrcv(id, &in, 100, 77, 0);
            printf("removed: %ld %s\n", r, strerrorname_np(errno));
            fflush(stdout);
            _exit(0);
        }
        until_sleeping();
    }
    SAY(msgctl(id, IPC_RMID, NULL));
    usleep(100000);
    ended(pids[0]);
    ended(pids[1]);
}

static void controls(void) {
    struct msqid_ds s;
    int id = queue();
    for (int command = -2; command < 18; command++) {
        if (command == IPC_INFO || command == MSG_INFO)
            continue;
        CASE(text("msgctl(-1, %d)", command), msgctl(-1, command, &s));
        if (command != MSG_STAT && command != 13)
            CASE(text("msgctl(none, %d)", command), msgctl(INT32_MAX, command, &s));
        if (command != IPC_RMID && command != IPC_SET && command != MSG_STAT && command != 13)
            CASE(text("msgctl(id, %d)", command), msgctl(id, command, &s));
    }
    msgctl(id, IPC_STAT, &s);
    s.msg_qbytes = 100;
    s.msg_perm.mode = 0640;
    SAY(msgctl(id, IPC_SET, &s));
    show("smaller", id);
    SAY(put(id, 1, "short", IPC_NOWAIT));
    memset(out.text, 'x', 101);
    SAY(msgsnd(id, &out, 101, IPC_NOWAIT));
    s.msg_qbytes = 16384;
    SAY(msgctl(id, IPC_SET, &s));
    SAY(msgctl(id, IPC_STAT, (struct msqid_ds *)8));
    SAY(msgctl(id, IPC_SET, (struct msqid_ds *)8));
    key_t key = (key_t)(0x546a0000 ^ getpid());
    SAY(msgget(key, 0));
    int own = (int)SAY_ID(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    SAY(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    printf("the same: %d\n", msgget(key, 0600) == own);
    SAY(msgctl(own, IPC_RMID, NULL));
    SAY(msgctl(id, IPC_RMID, NULL));
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    sending();
    receiving();
    waiting();
    controls();
    return 0;
}
