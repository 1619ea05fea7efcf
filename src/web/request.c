/* One HTTP request: whether it may be answered at all, and its parameters. */
#include "web/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct header_search {
    const char *name, *value;
    unsigned found;
};

static enum MHD_Result compare_header(void *context, enum MHD_ValueKind kind, const char *key,
                                      const char *value) {
    struct header_search *search = context;
    if (!strcasecmp(key, search->name)) {
        search->value = value ? value : "";
        search->found++;
    }
    return MHD_YES;
}

bool request_header(struct MHD_Connection *connection, const char *name, const char **ret_value) {
    struct header_search search = {.name = name};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, compare_header, &search);
    *ret_value = search.value;
    return search.found <= 1;
}

/* Whether `text` is `scheme` and then one of our two names. */
static bool is_ours(const char *text, const char *scheme, uint16_t port) {
    static const char *const names[] = {"127.0.0.1", "localhost"};
    char site[REQUEST_SITE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(site, sizeof site, "%s%s:%u", scheme, names[i], (unsigned)port);
        if (!strcasecmp(text, site))
            return true;
    }
    return false;
}

const char *request_wrong_site(struct MHD_Connection *connection, const struct request_site *site) {
    const char *host, *origin;
    if (!request_header(connection, MHD_HTTP_HEADER_HOST, &host) || !host || !is_ours(host, "", site->port))
        return "This server answers to 127.0.0.1 and localhost, at the port of the printed address, only: "
               "open that address.\n";
    if (!request_header(connection, MHD_HTTP_HEADER_ORIGIN, &origin) ||
        (origin && !is_ours(origin, "http://", site->port)))
        return "Pages of other sites are not answered: open the printed address.\n";
    return NULL;
}

bool request_has_token(struct MHD_Connection *connection, const struct request_site *site) {
    const char *given;
    if (!request_header(connection, "X-Thimble-Token", &given) || !given || strlen(given) != REQUEST_TOKEN)
        return false;
    volatile unsigned char difference = 0; /* of all characters: no early end tells how many were right */
    for (size_t i = 0; i < REQUEST_TOKEN; i++)
        difference = (unsigned char)(difference | (given[i] ^ site->token[i]));
    return difference == 0;
}

const char *request_parameter(const struct request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool request_number(const struct request *r, const char *name, uint64_t min, uint64_t max,
                    uint64_t *ret_number) {
    const char *text = request_parameter(r, name);
    if (!text || !isdigit((unsigned char)*text))
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || *end || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}
