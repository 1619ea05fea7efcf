/* Sockets: what the kinds have in common, and the host's as open files of the machine. */
#ifndef KERNEL_SOCKET_H
#define KERNEL_SOCKET_H

#include "kernel/network/message.h"

/* Of any kind: the machine's own Unix sockets (unix.h), or the host's. */
bool file_is_socket(const struct file *);

/* Bytes sent or received, -errno or SYS_SLEEP, over the socket of the host that the file has (SIGPIPE is sent
 * where it is due). `progress`: bytes that earlier attempts of the call sent or received. Control messages
 * come from and go to m->control. */
long socket_send(struct thread *, struct file *, struct message *, uint64_t *progress);
long socket_receive(struct thread *, struct file *, struct message *, uint64_t *progress);
/* A further descriptor of the host, for a connection: >= 0, -errno or SYS_SLEEP. */
long socket_accept(struct thread *, struct file *, struct socket_address *ret_address);
long socket_ioctl(struct file *, struct thread *, unsigned request, uint64_t argument);

/* Something was sent, received, connected or closed: wakes those whose peer it may be. */
void socket_changed(struct file *);

/* The call would have to wait. SYS_SLEEP: it may, and the socket's own time-out (SO_RCVTIMEO or SO_SNDTIMEO)
 * is registered; the caller registers what ends the wait. -EAGAIN when it must not wait, or has waited long
 * enough. */
long socket_wait_begin(struct file *, struct thread *, short events, int flags);
/* The same with waiting until the host is ready for `events`. */
long socket_wait(struct file *, struct thread *, short events, int flags);

#endif
