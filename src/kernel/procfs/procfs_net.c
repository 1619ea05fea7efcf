/* /proc/PID/net: the sockets that the machine's programs have open, and the network as the host has it, which
 * is theirs as well. Without a network there is the loop-back device of the list alone. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/files/descriptor.h"
#include "kernel/network/socket.h"
#include "kernel/network/unix.h"
#include "kernel/procfs/procfs_entry.h"

/* ---- which sockets there are: each once, whoever has it open ---- */

struct sockets {
    struct file **files; /* malloc'd; borrowed files */
    size_t count;
};

static int compare_files(const void *a, const void *b) {
    const struct file *const *x = a, *const *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void sockets_add_process(struct sockets *s, struct process *p) {
    for (int fd = 0; p->descriptors && (fd = descriptor_next(p, fd)) >= 0; fd++) {
        struct file *f = descriptor_file(p, fd);
        if (file_is_socket(f) && s->files)
            s->files[s->count] = f;
        s->count += file_is_socket(f);
    }
}

static void sockets_add_all(struct sockets *s, struct kernel *k) {
    struct process *p;
    s->count = 0;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        sockets_add_process(s, p);
}

/* Empty when memory is short. The caller frees `files`. */
static struct sockets sockets_find(struct kernel *k) {
    struct sockets s = {0};
    sockets_add_all(&s, k);
    s.files = s.count ? inject_calloc(k->config.inject, s.count, sizeof(s.files[0])) : NULL;
    if (!s.files)
        return (struct sockets){0};
    sockets_add_all(&s, k);
    qsort(s.files, s.count, sizeof(s.files[0]), compare_files);
    size_t kept = 0;
    for (size_t i = 0; i < s.count; i++) {
        if (!kept || s.files[kept - 1] != s.files[i])
            s.files[kept++] = s.files[i];
    }
    s.count = kept;
    return s;
}

static int option_of(const struct file *f, int name) {
    int value = -1;
    socklen_t size = sizeof(value);
    return getsockopt(f->host, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

static unsigned long inode_of(struct file *f) {
    struct stat st;
    return f->ops->stat && f->ops->stat(f, &st) == 0 ? st.st_ino : 0;
}

/* ---- TCP and UDP ---- */

enum { STATE_ESTABLISHED = 1, STATE_CLOSED = 7 };

static unsigned state_of(const struct file *f, int type, bool connected) {
    struct tcp_info info;
    socklen_t size = sizeof(info);
    if (type == SOCK_STREAM && getsockopt(f->host, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
        return info.tcpi_state;
    return connected ? STATE_ESTABLISHED : STATE_CLOSED;
}

static void show_address(FILE *out, const struct sockaddr_storage *address, int domain) {
    if (domain == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        fprintf(out, "%08X:%04X ", in->sin_addr.s_addr, ntohs(in->sin_port));
        return;
    }
    const struct sockaddr_in6 *in6 = (const void *)address;
    for (unsigned i = 0; i < 4; i++)
        fprintf(out, "%08X", in6->sin6_addr.s6_addr32[i]);
    fprintf(out, ":%04X ", ntohs(in6->sin6_port));
}

static void show_internet(struct kernel *k, FILE *out, int domain, int type) {
    struct sockets s = sockets_find(k);
    fprintf(out, domain == AF_INET
                     ? "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                       "uid  timeout inode\n"
                     : "  sl  local_address                         remote_address                    "
                       "    st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
    unsigned line = 0;
    for (size_t i = 0; i < s.count; i++) {
        struct file *f = s.files[i];
        struct sockaddr_storage local = {0}, remote = {0};
        socklen_t local_size = sizeof(local), remote_size = sizeof(remote);
        if (file_is_unix(f) || f->host < 0 || option_of(f, SO_DOMAIN) != domain ||
            option_of(f, SO_TYPE) != type)
            continue;
        getsockname(f->host, (struct sockaddr *)&local, &local_size);
        bool connected = getpeername(f->host, (struct sockaddr *)&remote, &remote_size) == 0;
        fprintf(out, "%4u: ", line++);
        show_address(out, &local, domain);
        show_address(out, &remote, domain);
        fprintf(
            out,
            "%02X 00000000:00000000 00:00000000 00000000 %5u        0 %lu 1 0000000000000000 100 0 0 10 0\n",
            state_of(f, type, connected), geteuid(), inode_of(f));
    }
    free(s.files);
}

static void show_tcp(const struct proc_view *v, FILE *out) {
    show_internet(v->kernel, out, AF_INET, SOCK_STREAM);
}

static void show_tcp6(const struct proc_view *v, FILE *out) {
    show_internet(v->kernel, out, AF_INET6, SOCK_STREAM);
}

static void show_udp(const struct proc_view *v, FILE *out) {
    show_internet(v->kernel, out, AF_INET, SOCK_DGRAM);
}

static void show_udp6(const struct proc_view *v, FILE *out) {
    show_internet(v->kernel, out, AF_INET6, SOCK_DGRAM);
}

/* ---- Unix sockets ---- */

enum { STREAM_LISTENS = 0x10000, STREAM_UNCONNECTED = 1, STREAM_CONNECTED = 3 };

static void show_unix_path(FILE *out, struct file *f) {
    struct socket_address address = {0};
    if (unix_name(f, false, &address) < 0)
        return;
    const struct sockaddr_un *name = (const void *)&address.given;
    size_t begin = offsetof(struct sockaddr_un, sun_path);
    if (address.given_length <= begin)
        return;
    fputc(' ', out);
    for (size_t i = 0; i < address.given_length - begin && (name->sun_path[i] || !i); i++)
        fputc(name->sun_path[i] ? name->sun_path[i] : '@', out);
}

static void show_unix(const struct proc_view *v, FILE *out) {
    struct sockets s = sockets_find(v->kernel);
    fprintf(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    for (size_t i = 0; i < s.count; i++) {
        struct file *f = s.files[i];
        if (!file_is_unix(f))
            continue;
        const struct unix_socket *u = f->data;
        bool listens = u->state == UNIX_LISTENING,
             joined = u->state == UNIX_CONNECTED || u->state == UNIX_OUTSIDE;
        fprintf(out, "%016lx: %08X %08X %08X %04X %02X %5lu", 0UL, 2, 0, listens ? STREAM_LISTENS : 0,
                u->type, joined ? STREAM_CONNECTED : STREAM_UNCONNECTED, inode_of(f));
        show_unix_path(out, f);
        fputc('\n', out);
    }
    free(s.files);
}

/* ---- the host's ---- */

static void show_host(const struct proc_view *v, FILE *out) {
    char path[128];
    if (!v->kernel->config.no_network) {
        snprintf(path, sizeof(path), "/proc/self/net/%s", v->node->chain[v->node->depth]->name);
        proc_copy_host(path, out);
    }
}

static void show_dev(const struct proc_view *v, FILE *out) {
    if (!v->kernel->config.no_network) {
        show_host(v, out);
        return;
    }
    fprintf(
        out,
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo "
        "colls carrier compressed\n"
        "    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0 "
        "    0       0          0\n");
}

const struct proc_entry proc_net_entries[] = {
    PROC_FILE("arp", show_host),
    PROC_FILE("dev", show_dev),
    PROC_FILE("if_inet6", show_host),
    PROC_FILE("ipv6_route", show_host),
    PROC_FILE("route", show_host),
    PROC_FILE("tcp", show_tcp),
    PROC_FILE("tcp6", show_tcp6),
    PROC_FILE("udp", show_udp),
    PROC_FILE("udp6", show_udp6),
    PROC_FILE("unix", show_unix),
    {.name = NULL},
};
