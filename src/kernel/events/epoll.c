/* epoll.
 *
 * Files that the host polls (streams, sockets of the host) are watched by an epoll set of the host, with the
 * program's own flags, so that edges are the host's to see. Files of the machine (pipes, Unix sockets, event
 * counters, other sets) are asked one by one when somebody wants to know. Those that have something to report
 * stand in the set's ready list, as in Linux in the order in which it happened; one that was reported and is
 * not edge-triggered goes to the list's end, so that all get their turn.
 *
 * An edge is a change of the file's activity: of `activity` for what concerns readers, of `activity_out` for
 * what concerns writers.
 *
 * Invariants: an item is on its set's list and on its file's list; a file that goes away takes its items
 * along (epoll_forget_file), so items need no reference. */
#include "kernel/events/epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/network/unix.h"

enum { EPOLL_DEPTH = 4, EPOLL_HOST_BATCH = 64 }; /* sets in sets, as Linux */

struct epoll_item {
    TAILQ_ENTRY(epoll_item) of_set, of_ready;
    LIST_ENTRY(epoll_item) of_file;
    struct epoll_set *set;
    struct file *file;
    int fd;
    struct epoll_event event;
    bool on_host;  /* the host's set watches it */
    bool disabled; /* EPOLLONESHOT has fired */
    bool ready;    /* on the ready list */
    bool reported; /* edge-triggered: as of these activities */
    uint64_t seen_in, seen_out;
};

struct epoll_set {
    struct kernel *kernel;
    int host; /* the host's set; the file's */
    TAILQ_HEAD(epoll_items, epoll_item) items;
    TAILQ_HEAD(epoll_ready, epoll_item) ready;
    bool own_first; /* the next report begins with the machine's files: the host's had their turn */
};

enum {
    READ_EVENTS = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND | EPOLLMSG | EPOLLRDHUP,
    WRITE_EVENTS = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
    ALWAYS_EVENTS = EPOLLERR | EPOLLHUP,
};

/* ---- what there is to report ---- */

/* Whether nothing has happened to the file since the edge-triggered item reported it. */
static bool item_is_stale(const struct epoll_item *item) {
    const struct file *f = item->file;
    uint32_t wanted = item->event.events;
    if (!(wanted & EPOLLET) || !item->reported || (!f->activity && !f->activity_out))
        return false;
    bool in = f->activity && *f->activity != item->seen_in;
    bool out = f->activity_out && *f->activity_out != item->seen_out;
    return !(in && wanted & (READ_EVENTS | ALWAYS_EVENTS)) &&
           !(out && wanted & (WRITE_EVENTS | ALWAYS_EVENTS));
}

/* The events of a file that the machine watches. */
static uint32_t item_events(struct epoll_item *item, struct thread *sleeper) {
    if (item->on_host || item->disabled)
        return 0;
    uint32_t wanted = item->event.events | ALWAYS_EVENTS;
    return (uint16_t)file_poll(item->file, sleeper, (short)(wanted & 0x7fff)) & wanted;
}

/* When the file changed last, in the order of the machine's changes. */
static uint64_t item_changed_at(const struct epoll_item *item) {
    const struct file *f = item->file;
    uint64_t in = f->activity ? *f->activity : 0, out = f->activity_out ? *f->activity_out : 0;
    return in > out ? in : out;
}

/* Whether the one comes behind the other, of two that became ready since somebody looked. Of those that watch
 * one file, Linux asks the youngest first. */
static bool item_is_later(const struct epoll_item *a, const struct epoll_item *b) {
    uint64_t changed_a = item_changed_at(a), changed_b = item_changed_at(b);
    return changed_a > changed_b || a->file == b->file;
}

/* To the ready list: behind those that are there, but before later news. */
static void item_make_ready(struct epoll_item *item, struct epoll_item *last_old) {
    struct epoll_set *set = item->set;
    struct epoll_item *before = TAILQ_LAST(&set->ready, epoll_ready);
    while (before && before != last_old && item_is_later(before, item))
        before = TAILQ_PREV(before, epoll_ready, of_ready);
    if (before)
        TAILQ_INSERT_AFTER(&set->ready, before, item, of_ready);
    else
        TAILQ_INSERT_HEAD(&set->ready, item, of_ready);
    item->ready = true;
}

static void item_leave_ready(struct epoll_item *item) {
    if (item->ready)
        TAILQ_REMOVE(&item->set->ready, item, of_ready);
    item->ready = false;
}

/* Brings the ready list up to date; the files that are not on it wake the sleeper. */
static void set_look(struct epoll_set *set, struct thread *sleeper) {
    struct epoll_item *item, *last_old = TAILQ_LAST(&set->ready, epoll_ready);
    TAILQ_FOREACH(item, &set->items, of_set) {
        if (!item->ready && !item->on_host && !item_is_stale(item) && item_events(item, sleeper))
            item_make_ready(item, last_old);
    }
}

/* Tells what an item of the ready list has to report, if it still has. */
static uint32_t item_report(struct epoll_item *item) {
    uint32_t events = item_events(item, NULL);
    const struct file *f = item->file;
    item_leave_ready(item);
    if (!events)
        return 0;
    item->disabled = item->event.events & EPOLLONESHOT;
    item->reported = true;
    item->seen_in = f->activity ? *f->activity : 0;
    item->seen_out = f->activity_out ? *f->activity_out : 0;
    if (!(item->event.events & (EPOLLET | EPOLLONESHOT)))
        item_make_ready(item, TAILQ_LAST(&item->set->ready, epoll_ready));
    return events;
}

/* Whether an item has something to report; those that have nothing leave the ready list. */
static bool set_is_ready(struct epoll_set *set, struct thread *sleeper) {
    struct epoll_item *item, *next;
    set_look(set, sleeper);
    TAILQ_FOREACH_SAFE(item, &set->ready, of_ready, next) {
        if (item_events(item, NULL))
            return true;
        item_leave_ready(item);
    }
    return false;
}

static short epoll_poll(struct file *f, struct thread *sleeper, short events) {
    struct epoll_set *set = f->data;
    struct pollfd p = {.fd = f->host, .events = POLLIN};
    if (set_is_ready(set, NULL) || (sleeper && set_is_ready(set, sleeper)) || poll(&p, 1, 0) > 0)
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
    item_leave_ready(item);
    TAILQ_REMOVE(&item->set->items, item, of_set);
    LIST_REMOVE(item, of_file);
    free(item);
}

static void epoll_release(struct file *f) {
    struct epoll_set *set = f->data;
    struct epoll_item *item, *next;
    TAILQ_FOREACH_SAFE(item, &set->items, of_set, next)
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
    set->own_first = false;
    TAILQ_INIT(&set->items);
    TAILQ_INIT(&set->ready);
    f->data = set;
    f->host = host;
    *ret_file = f;
    return 0;
}

/* ---- epoll_ctl ---- */

static struct epoll_item *item_find(struct epoll_set *set, const struct file *watched, int fd) {
    struct epoll_item *item;
    TAILQ_FOREACH(item, &set->items, of_set) {
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
    TAILQ_FOREACH(item, &((struct epoll_set *)f->data)->items, of_set) {
        int below = file_is_epoll(item->file) ? nesting(item->file, target, depth + 1) : depth;
        deepest = below > deepest ? below : deepest;
    }
    return deepest;
}

static int epoll_add(struct file *f, struct file *watched, int fd, const struct epoll_event *event) {
    struct epoll_set *set = f->data;
    if (file_is_epoll(watched) && nesting(watched, f, 1) > EPOLL_DEPTH)
        return -ELOOP;
    struct epoll_item *item = inject_malloc(set->kernel->config.inject, sizeof(*item));
    if (!item)
        return -ENOMEM;
    *item = (struct epoll_item){.set = set, .file = watched, .fd = fd, .event = *event};
    if (watched->ops->host_polls || unix_is_outside(watched)) {
        int r = host_control(EPOLL_CTL_ADD, item);
        if (r < 0 && r != -EEXIST) { /* a duplicate descriptor of what is watched: we ask it ourselves */
            free(item);
            return r;
        }
        item->on_host = r == 0;
    }
    TAILQ_INSERT_TAIL(&set->items, item, of_set);
    LIST_INSERT_HEAD(&watched->watchers, item, of_file);
    return 0;
}

static int epoll_modify(struct epoll_item *item, const struct epoll_event *event) {
    if (item->event.events & EPOLLEXCLUSIVE)
        return -EINVAL;
    item_leave_ready(item);
    item->event = *event;
    item->disabled = item->reported = false;
    return item->on_host ? host_control(EPOLL_CTL_MOD, item) : 0;
}

/* EPOLLEXCLUSIVE: with which operations, files and other events it goes. The machine wakes all who wait. */
static bool exclusive_is_wrong(int operation, const struct file *watched, uint32_t events) {
    const uint32_t allowed =
        EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
    if (operation == EPOLL_CTL_DEL || !(events & EPOLLEXCLUSIVE))
        return false;
    return operation == EPOLL_CTL_MOD ||
           (operation == EPOLL_CTL_ADD && (file_is_epoll(watched) || events & ~allowed));
}

int epoll_control(struct file *f, int operation, struct file *watched, int fd,
                  const struct epoll_event *event) {
    if (!watched->ops->poll)
        return -EPERM;
    if (!file_is_epoll(f) || f == watched || exclusive_is_wrong(operation, watched, event->events))
        return -EINVAL;
    if (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD && operation != EPOLL_CTL_DEL)
        return -EINVAL;
    struct epoll_item *item = item_find(f->data, watched, fd);
    int r = 0;
    if (operation == EPOLL_CTL_ADD)
        r = item ? -EEXIST : epoll_add(f, watched, fd, event);
    else if (!item)
        r = -ENOENT;
    else if (operation == EPOLL_CTL_DEL)
        item_free(item);
    else
        r = epoll_modify(item, event);
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

/* The ready list once through: what goes to its end meanwhile has had its turn. */
static int collect_own(struct epoll_set *set, struct epoll_event *ret_events, int count) {
    struct epoll_item *last = TAILQ_LAST(&set->ready, epoll_ready), *item, *next;
    int n = 0;
    for (item = TAILQ_FIRST(&set->ready); item && n < count; item = next) {
        next = item == last ? NULL : TAILQ_NEXT(item, of_ready);
        uint32_t events = item_report(item);
        if (events)
            ret_events[n++] = (struct epoll_event){.events = events, .data = item->event.data};
    }
    return n;
}

int epoll_collect(struct file *f, struct thread *sleeper, struct epoll_event *ret_events, int count) {
    struct epoll_set *set = f->data;
    int n = set->own_first ? 0 : collect_host(f, ret_events, count);
    set_look(set, NULL);
    if (n < count)
        n += collect_own(set, ret_events + n, count - n);
    if (set->own_first && n < count)
        n += collect_host(f, ret_events + n, count - n);
    set->own_first = !set->own_first;
    if (!n) {
        set_look(set, sleeper);
        n = collect_own(set, ret_events, count); /* the host may have become ready just now */
        sched_sleep_fd(sleeper, f->host, POLLIN);
    }
    return n;
}
