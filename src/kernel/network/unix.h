/* Unix sockets: objects of the machine, so that any open file can be passed through them, that they know the
 * machine's process numbers, and that names of a sandbox stay in it.
 *
 * Each has a socket of the host beside it (file.host) for what is outside: it carries the options, binds the
 * name in the host's file system, and there it listens, too, and hears those who are not of the machine. A
 * socket that is connected to one outside is that host socket and nothing else (UNIX_OUTSIDE).
 *
 *      program ── unix_socket ══ queue of messages ══ unix_socket ── program
 *                     │ file.host
 *                     └── host socket ── programs outside
 */
#ifndef KERNEL_UNIX_H
#define KERNEL_UNIX_H

#include "kernel/network/message.h"

struct unix_sockets; /* kernel->unix_sockets */

int unix_create(struct kernel *);              /* 0 or -ENOMEM */
void unix_destroy(struct kernel *);            /* no process is left; what is in flight goes */
const char *unix_check(const struct kernel *); /* NULL, or which invariant is broken */

bool file_is_unix(const struct file *);
/* It is connected to a program outside: its host socket says all about it. */
bool unix_is_outside(const struct file *);

/* ---- unix.c: what the calls of that name do; arguments were checked as far as the comments say ---- */

int unix_socket_create(struct kernel *, int type, int flags, struct file **ret_file);
int unix_pair_create(struct thread *, int type, int flags, struct file *ret_files[2]);
int unix_bind(struct thread *, struct file *, struct socket_address *);
int unix_listen(struct thread *, struct file *, int backlog);
/* 0, -errno or SYS_SLEEP. */
long unix_connect(struct thread *, struct file *, const struct socket_address *);
/* A new file, of the peer's name in *ret_address; 0, -errno or SYS_SLEEP. */
long unix_accept(struct thread *, struct file *, int flags, struct file **ret_file,
                 struct socket_address *ret_address);
int unix_shutdown(struct file *, int how);
int unix_name(struct file *, bool peer, struct socket_address *ret_address);

/* ---- unix_option.c, of level SOL_SOCKET ---- */

enum { UNIX_OPTION_OF_HOST = 1 }; /* it is the host socket's to answer */
/* `value` has room for `*size` bytes, and gets as many as there are. 0, -errno or UNIX_OPTION_OF_HOST. */
int unix_get_option(struct file *, int option, void *value, socklen_t *size);
/* It was set on the host socket, with success. */
void unix_option_changed(struct file *, int option);

/* ---- unix_queue.c ---- */

/* Bytes sent, -errno or SYS_SLEEP. `progress`: bytes that earlier attempts of the call sent. */
long unix_send(struct thread *, struct file *, struct message *, uint64_t *progress);
long unix_receive(struct thread *, struct file *, struct message *, uint64_t *progress);

/* ---- between unix.c, unix_queue.c and unix_collect.c ---- */

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED, UNIX_OUTSIDE };
enum { UNIX_SHUT_RECEIVE = 1, UNIX_SHUT_SEND = 2, UNIX_SHUT_BOTH = 3 };

struct unix_message {
    TAILQ_ENTRY(unix_message) of_queue;
    struct unix_socket *sender; /* a reference, for its name and its `charged` */
    size_t charge;
    struct ucred credentials; /* pid 0, uid and gid 65534 unless somebody wanted them */
    unsigned file_count;
    struct file **files; /* references, counted in their in_flight; NULL iff none */
    size_t length, done; /* bytes; of these read */
    char data[];
};
TAILQ_HEAD(unix_messages, unix_message);

struct unix_socket {
    LIST_ENTRY(unix_socket) of_machine;
    TAILQ_ENTRY(unix_socket) of_backlog; /* while it was not accepted */
    struct kernel *kernel;
    unsigned references;
    struct file *file; /* NULL: not accepted yet, or dead */
    bool dead;
    int type;
    enum unix_state state;
    unsigned shut;                      /* UNIX_SHUT_* */
    int error;                          /* of SO_ERROR, positive */
    uint64_t activity_in, activity_out; /* kernel->news as of the last news for readers, for writers */
    /* A reference. Streams and packets: also when it is dead. Datagrams: where to, by connect(). */
    struct unix_socket *peer;

    struct sockaddr_un name; /* as bound */
    socklen_t name_length;   /* 0: unnamed */
    dev_t device;            /* with inode: of a name in the file system */
    ino_t inode;             /* 0: none */
    bool bound;              /* can be found under its name; accepted ones have the listener's and cannot */
    bool on_host;            /* the host socket has the name, too: programs outside may call */

    struct unix_messages messages;
    unsigned message_count;
    size_t charged; /* of messages that it sent and nobody has read */

    TAILQ_HEAD(, unix_socket) backlog; /* connected to this one, to be accepted: references */
    unsigned backlog_count, backlog_max;

    struct ucred credentials, peer_credentials; /* pid 0 unless listening, connected or a pair */
    bool pass_credentials;                      /* SO_PASSCRED */
    size_t send_limit;                          /* SO_SNDBUF, bytes of charge */
    size_t receive_least;                       /* SO_RCVLOWAT */
    int64_t peek_offset;                        /* SO_PEEK_OFF; -1: off */
    bool reachable;                             /* unix_collect.c */
};

struct unix_sockets {
    LIST_HEAD(, unix_socket) sockets;
    unsigned long in_flight;      /* open files in messages */
    unsigned dgram_backlog;       /* net.unix.max_dgram_qlen */
    size_t send_limit;            /* net.core.wmem_default */
    uint64_t automatic;           /* last name that was given to one without */
    struct unix_messages dropped; /* unix_collect.c */
    bool dropping;
};

struct unix_socket *unix_of(const struct file *);
struct unix_socket *unix_ref(struct unix_socket *);
void unix_unref(struct unix_socket *);
/* Wakes who waits for it, to read or to write. */
void unix_changed_in(struct unix_socket *);
void unix_changed_out(struct unix_socket *);
/* The socket of that name. 0 and a borrowed pointer, NULL if it is none of the machine's; -EPROTOTYPE,
 * -EACCES. */
int unix_find(struct kernel *, const struct socket_address *, int type, struct unix_socket **ret_socket);
int unix_bind_automatically(struct unix_socket *);
/* Nobody has connected to it or it has gone away. */
void unix_disconnect(struct unix_socket *);
bool unix_is_full(const struct unix_socket *); /* more messages or connections than may wait */
/* The call would have to wait for a change of `channel`: SYS_SLEEP or -EAGAIN. */
long unix_wait(struct unix_socket *, struct thread *, const struct unix_socket *channel, short events,
               int flags);

/* ---- unix_collect.c ---- */

/* Drops messages, and the files in them. */
void unix_drop(struct kernel *, struct unix_messages *);
/* Drops what only messages hold that nobody can receive: sockets in flight through each other. */
void unix_collect(struct kernel *);

#endif
