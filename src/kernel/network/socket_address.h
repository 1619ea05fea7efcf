/* Addresses of sockets, between user memory and the host. */
#ifndef KERNEL_SOCKET_ADDRESS_H
#define KERNEL_SOCKET_ADDRESS_H

#include "kernel/network/message.h"

/* Reads an address of the program; `makes`: it is bound, not looked for. 0, -EINVAL, -EFAULT, or what is
 * wrong with a local path. */
int socket_address_load(struct thread *, uint64_t user, uint64_t length, bool makes,
                        struct socket_address *ret_address);
/* Stores as much of `given` as fits, and its whole length, as accept and its like do; nothing if `user` is 0.
 * 0, -EFAULT or -EINVAL. */
int socket_address_store(struct thread *, const struct socket_address *, uint64_t user, uint64_t user_length);
/* The same for an address that is asked for: 0 is an address like any other. */
int socket_address_return(struct thread *, const struct socket_address *, uint64_t user,
                          uint64_t user_length);

#endif
