/* Messages on their way through a socket: what sendmsg and recvmsg carry beside bytes. */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "kernel/files/file.h"
#include "kernel/files/transfer.h"

enum {
    MESSAGE_FILES_MAX = 253,     /* SCM_MAX_FD: open files in a message */
    MESSAGE_CONTROL_MAX = 20480, /* bytes of control messages: net.core.optmem_max as it was for long */
};

/* An address as the program wrote it, and as the host must be given it. */
struct socket_address {
    struct sockaddr_storage given, host;
    socklen_t given_length, host_length;
    bool on_host; /* false: the name is one of the machine's alone (abstract, in a sandbox) */
};

struct message {
    struct transfer data;
    int flags;        /* MSG_* of the call */
    int result_flags; /* MSG_* that the receiver is told */

    /* Sending: where to, if has_address. Receiving: where from, in `given` (length 0: from nowhere). */
    bool has_address;
    struct socket_address address;

    /* Sending: checked by message_load_control(). Receiving: put by the socket, stored by
     * message_store_control(). */
    unsigned file_count;
    struct file *files[MESSAGE_FILES_MAX]; /* references */
    bool has_credentials;
    struct ucred credentials; /* with the machine's process numbers */

    /* The control messages: the program's buffer, and for sockets of the host a copy. */
    uint64_t control_user;
    size_t control_room, control_used;
    char control[MESSAGE_CONTROL_MAX] __attribute__((aligned(8)));
};

/* Everything but `data` and `control` empty. */
void message_init(struct message *, int flags);
/* Drops the references to the files. */
void message_end(struct message *);

/* Reads the control messages of the program, which are for a local socket: fills files and credentials.
 * 0 or -errno, as Linux's __scm_send(). */
int message_load_control(struct thread *, struct message *);
/* Installs files and stores credentials in the program's buffer; what does not fit is dropped, with
 * MSG_CTRUNC. */
void message_store_control(struct thread *, struct message *, bool close_on_exec);

/* ---- for sockets of the host: the same in place, in `control` ---- */

/* Open files become descriptors of the host. 0, or -EOPNOTSUPP for what the host does not have. */
int message_control_to_host(struct thread *, struct message *);
/* And back: the host's descriptors (of `length` bytes of control messages) become open files. */
void message_control_from_host(struct thread *, struct message *, size_t length, bool close_on_exec);

/* The credentials that the thread's process gives with what it sends. */
struct ucred message_credentials(const struct thread *);

#endif
