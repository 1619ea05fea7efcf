/* epoll: sets of files that are watched together. */
#ifndef KERNEL_EPOLL_H
#define KERNEL_EPOLL_H

#include <sys/epoll.h>

#include "kernel/files/file.h"

int epoll_file_create(struct kernel *, struct file **ret_file);
/* 0 or -errno, as epoll_ctl. */
int epoll_control(struct file *set, int operation, struct file *watched, int fd,
                  const struct epoll_event *event);
/* Events that are ready, at most `count`; registers what the sleeper must wait for when there are none. */
int epoll_collect(struct file *set, struct thread *sleeper, struct epoll_event *ret_events, int count);
bool file_is_epoll(const struct file *);
/* The file is going away: no set watches it any longer. */
void epoll_forget_file(struct file *);

#endif
