/* epoll.
 *
 * Files that the host polls (streams, sockets) are watched by an epoll set of the host, with the program's
 * own flags, so that edges are the host's to see. Files of the machine (pipes, event counters, timers, other
 * sets) are asked one by one; one that is watched edge-triggered is reported again only after it changed.
 *
 * Invariants: an item is on its set's list and on its file's list; a file that goes away takes its items
 * along (epoll_forget_file), so items need no reference. */
#include "kernel/epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"

enum { EPOLL_DEPTH = 5, EPOLL_HOST_BATCH = 64 }; /* sets in sets, as Linux */

struct epoll_item {
    LIST_ENTRY(epoll_item) of_set, of_file;
    struct epoll_set *set;
    struct file *file;
    int fd;
    struct epoll_event event;
    bool on_host;  /* the host's set watches it */
    bool disabled; /* EPOLLONESHOT has fired */
    bool reported; /* edge-triggered: at this activity */
    uint64_t activity;
};

struct epoll_set {
    struct kernel *kernel;
    int host; /* the host's set; the file's */
    LIST_HEAD(, epoll_item) items;
};

static bool item_is_stale(const struct epoll_item *item) {
    return item->event.events & EPOLLET && item->reported && item->file->activity &&
           item->activity == *item->file->activity;
}

/* What an item that the machine watches has to report. */
static uint32_t item_ready(struct epoll_item *item, struct thread *sleeper) {
    if (item->on_host || item->disabled)
        return 0;
    short wanted = (short)(item->event.events & 0x7fff); /* EPOLL* and POLL* agree */
    uint32_t ready = (uint16_t)file_poll(item->file, sleeper, wanted);
    return item_is_stale(item) ? 0 : ready & (item->event.events | EPOLLERR | EPOLLHUP);
}

static void item_report(struct epoll_item *item) {
    item->disabled = item->event.events & EPOLLONESHOT;
    item->reported = true;
    item->activity = item->file->activity ? *item->file->activity : 0;
}

static short epoll_poll(struct file *f, struct thread *sleeper, short events) {
    struct epoll_set *set = f->data;
    struct epoll_item *item;
    LIST_FOREACH(item, &set->items, of_set) {
        if (item_ready(item, sleeper))
            return events & (POLLIN | POLLRDNORM);
    }
    struct pollfd p = {.fd = f->host, .events = POLLIN};
    if (poll(&p, 1, 0) > 0)
        return events & (POLLIN | POLLRDNORM);
    if (sleeper)
        sched_sleep_fd(sleeper, f->host, POLLIN);
    return 0;
}

static int epoll_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static int host_control(int operation, const struct epoll_item *item) {
    struct epoll_event event = {.events = item->event.events, .data.ptr = (void *)item};
    return epoll_ctl(item->set->host, operation, item->file->host, &event) < 0 ? -errno : 0;
}

static void item_free(struct epoll_item *item) {
    if (item->on_host)
        host_control(EPOLL_CTL_DEL, item);
    LIST_REMOVE(item, of_set);
    LIST_REMOVE(item, of_file);
    free(item);
}

static void epoll_release(struct file *f) {
    struct epoll_set *set = f->data;
    struct epoll_item *item, *next;
    LIST_FOREACH_SAFE(item, &set->items, of_set, next)
        item_free(item);
    free(set);
}

static const struct file_ops epoll_ops = {
    .fixed_position = true,
    .name = "eventpoll",
    .host_helps = true,
    .poll = epoll_poll,
    .stat = epoll_stat,
    .release = epoll_release,
};

bool file_is_epoll(const struct file *f) {
    return f->ops == &epoll_ops;
}

int epoll_file_create(struct kernel *k, struct file **ret_file) {
    struct epoll_set *set = inject_malloc(k->config.inject, sizeof(*set));
    struct file *f = set ? file_create(k, &epoll_ops, O_RDWR) : NULL;
    int host = f ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (host < 0) {
        int error = f ? -errno : -ENOMEM;
        free(f); /* release must not see it */
        free(set);
        return error;
    }
    set->kernel = k;
    set->host = host;
    LIST_INIT(&set->items);
    f->data = set;
    f->host = host;
    *ret_file = f;
    return 0;
}

/* ---- epoll_ctl ---- */

static struct epoll_item *item_find(struct epoll_set *set, const struct file *watched, int fd) {
    struct epoll_item *item;
    LIST_FOREACH(item, &set->items, of_set) {
        if (item->file == watched && item->fd == fd)
            return item;
    }
    return NULL;
}

/* How deep sets are nested below `f`; more than EPOLL_DEPTH when `target` is among them. */
static int nesting(struct file *f, const struct file *target, int depth) {
    if (f == target || depth > EPOLL_DEPTH)
        return EPOLL_DEPTH + 1;
    int deepest = depth;
    struct epoll_item *item;
    LIST_FOREACH(item, &((struct epoll_set *)f->data)->items, of_set) {
        int below = file_is_epoll(item->file) ? nesting(item->file, target, depth + 1) : depth;
        deepest = below > deepest ? below : deepest;
    }
    return deepest;
}

static int epoll_add(struct file *f, struct file *watched, int fd, const struct epoll_event *event) {
    struct epoll_set *set = f->data;
    if (!watched->ops->poll)
        return -EPERM;
    if (file_is_epoll(watched) && nesting(watched, f, 1) > EPOLL_DEPTH)
        return -ELOOP;
    struct epoll_item *item = inject_malloc(set->kernel->config.inject, sizeof(*item));
    if (!item)
        return -ENOMEM;
    *item = (struct epoll_item){.set = set, .file = watched, .fd = fd, .event = *event};
    if (watched->ops->host_polls) {
        int r = host_control(EPOLL_CTL_ADD, item);
        if (r < 0 && r != -EEXIST) { /* a duplicate descriptor of what is watched: we ask it ourselves */
            free(item);
            return r;
        }
        item->on_host = r == 0;
    }
    LIST_INSERT_HEAD(&set->items, item, of_set);
    LIST_INSERT_HEAD(&watched->watchers, item, of_file);
    return 0;
}

int epoll_control(struct file *f, int operation, struct file *watched, int fd,
                  const struct epoll_event *event) {
    if (!file_is_epoll(f) || f == watched)
        return -EINVAL;
    struct epoll_item *item = item_find(f->data, watched, fd);
    int r = 0;
    if (operation == EPOLL_CTL_ADD)
        r = item ? -EEXIST : epoll_add(f, watched, fd, event);
    else if (operation != EPOLL_CTL_MOD && operation != EPOLL_CTL_DEL)
        r = -EINVAL;
    else if (!item)
        r = -ENOENT;
    else if (operation == EPOLL_CTL_DEL)
        item_free(item);
    else {
        item->event = *event;
        item->disabled = item->reported = false;
        if (item->on_host)
            r = host_control(EPOLL_CTL_MOD, item);
    }
    sched_wake(f->kernel, f->data);
    return r;
}

void epoll_forget_file(struct file *f) {
    struct epoll_item *item, *next;
    LIST_FOREACH_SAFE(item, &f->watchers, of_file, next)
        item_free(item);
}

/* ---- epoll_wait ---- */

static int collect_host(struct file *f, struct epoll_event *ret_events, int count) {
    struct epoll_event events[EPOLL_HOST_BATCH];
    int n = epoll_wait(f->host, events, count < EPOLL_HOST_BATCH ? count : EPOLL_HOST_BATCH, 0);
    for (int i = 0; i < n; i++) {
        const struct epoll_item *item = events[i].data.ptr;
        ret_events[i] = (struct epoll_event){.events = events[i].events, .data = item->event.data};
    }
    return n < 0 ? 0 : n;
}

int epoll_collect(struct file *f, struct thread *sleeper, struct epoll_event *ret_events, int count) {
    struct epoll_set *set = f->data;
    int n = collect_host(f, ret_events, count);
    struct epoll_item *item;
    LIST_FOREACH(item, &set->items, of_set) {
        if (n == count)
            break;
        uint32_t ready = item_ready(item, sleeper);
        if (!ready)
            continue;
        ret_events[n++] = (struct epoll_event){.events = ready, .data = item->event.data};
        item_report(item);
    }
    if (!n)
        sched_sleep_fd(sleeper, f->host, POLLIN);
    return n;
}
