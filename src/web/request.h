/* One HTTP request: whether it may be answered at all, and its parameters. */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REQUEST_BODY = 4096,           /* bytes of the largest body that is taken */
    REQUEST_REFUSED = 1024 * 1024, /* bytes of a body after which nobody listens any more */
    REQUEST_TOKEN = 32,            /* characters of a token */
    REQUEST_SITE = 32,             /* room for "http://127.0.0.1:65535" */
};

/* Who we are, for the checks. */
struct request_site {
    uint16_t port;
    char token[REQUEST_TOKEN + 1];
};

struct server;

struct request {
    struct server *server;
    struct MHD_Connection *connection;
    char body[REQUEST_BODY];
    size_t length; /* of the whole body, also where it was too long to be kept */
};

/* The value of a header that must stand there at most once. *ret_value is NULL when it does not stand there;
 * false: it stands there twice, and who knows what others make of that. */
bool request_header(struct MHD_Connection *, const char *name, const char **ret_value);

/* Against pages of other sites, and names of other sites that lead here (DNS rebinding): the Host, and the
 * Origin if there is one, are ours. NULL, or what is wrong. */
const char *request_wrong_site(struct MHD_Connection *, const struct request_site *);
/* Whether the request carries the token. Takes the same time whatever it carries. */
bool request_has_token(struct MHD_Connection *, const struct request_site *);

/* The parameter of the query, NULL: it is not there. */
const char *request_parameter(const struct request *, const char *name);
/* A decimal number from min to max. False: it is not there, or it is something else. */
bool request_number(const struct request *, const char *name, uint64_t min, uint64_t max,
                    uint64_t *ret_number);

#endif
