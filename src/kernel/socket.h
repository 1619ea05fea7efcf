/* Sockets: the host's, as open files of the machine. */
#ifndef KERNEL_SOCKET_H
#define KERNEL_SOCKET_H

#include <sys/socket.h>

#include "kernel/file.h"

bool file_is_socket(const struct file *);

/* Something was sent, received, connected or closed: wakes those whose peer it may be. */
void socket_changed(struct file *);

/* The host would make the call wait: SYS_SLEEP until it is ready for `events` or the socket's own time-out
 * (SO_RCVTIMEO or SO_SNDTIMEO) is over; -EAGAIN when it must not wait, or has waited long enough. */
long socket_wait(struct file *, struct thread *, short events, int flags);

#endif
