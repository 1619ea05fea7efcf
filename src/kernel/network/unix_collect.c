/* Unix sockets: dropping messages, and finding those that nobody can receive any more.
 *
 * A socket that was sent through itself, or two that were sent through each other, keep each other open when
 * their descriptors are closed. As Linux does, this is looked for when a socket is closed while files are in
 * flight: sockets that only messages hold are garbage unless a message that can still
 * be received holds them. */
#include <stdlib.h>

#include "kernel/network/unix.h"

/* The message is out of every queue. */
static void message_free(struct kernel *k, struct unix_message *message) {
    struct unix_socket *sender = message->sender;
    sender->charged -= message->charge;
    if (!sender->dead && sender->charged * 4 <= sender->send_limit)
        unix_changed_out(sender);
    k->unix_sockets->in_flight -= message->file_count;
    for (unsigned i = 0; i < message->file_count; i++) {
        message->files[i]->in_flight--;
        file_unref(message->files[i]);
    }
    unix_unref(sender);
    free(message->files);
    free(message);
}

/* Dropping a file may close a socket that has messages with files …: these wait their turn, so that the depth
 * of the stack does not depend on what programs do. */
void unix_drop(struct kernel *k, struct unix_messages *messages) {
    struct unix_sockets *all = k->unix_sockets;
    struct unix_message *message;
    TAILQ_CONCAT(&all->dropped, messages, of_queue);
    if (all->dropping)
        return;
    all->dropping = true;
    while ((message = TAILQ_FIRST(&all->dropped))) {
        TAILQ_REMOVE(&all->dropped, message, of_queue);
        message_free(k, message);
    }
    all->dropping = false;
}

/* Marks what can be received from `s`. True if something was not marked before. */
static bool reach(struct unix_socket *s) {
    const struct unix_message *message;
    struct unix_socket *embryo;
    bool news = false;
    TAILQ_FOREACH(embryo, &s->backlog, of_backlog) {
        news |= !embryo->reachable;
        embryo->reachable = true;
    }
    TAILQ_FOREACH(message, &s->messages, of_queue) {
        for (unsigned i = 0; i < message->file_count; i++) {
            struct file *f = message->files[i];
            if (!file_is_unix(f) || unix_of(f)->reachable)
                continue;
            unix_of(f)->reachable = true;
            news = true;
        }
    }
    return news;
}

static void mark(struct unix_sockets *all) {
    struct unix_socket *s;
    bool news = true;
    LIST_FOREACH(s, &all->sockets, of_machine)
        s->reachable = s->file && s->file->references > s->file->in_flight;
    while (news) {
        news = false;
        LIST_FOREACH(s, &all->sockets, of_machine)
            news |= s->reachable && reach(s);
    }
}

void unix_collect(struct kernel *k) {
    struct unix_sockets *all = k->unix_sockets;
    struct unix_messages garbage = TAILQ_HEAD_INITIALIZER(garbage);
    struct unix_socket *s;
    if (all->dropping) /* a socket in a dropped message: that is looked at when all of them are gone */
        return;
    mark(all);
    LIST_FOREACH(s, &all->sockets, of_machine) {
        if (s->reachable || s->dead)
            continue;
        TAILQ_CONCAT(&garbage, &s->messages, of_queue);
        s->message_count = 0;
    }
    unix_drop(k, &garbage);
}
