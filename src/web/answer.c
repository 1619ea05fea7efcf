/* Answers: a status, content, and the headers that every answer carries. */
#include "web/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The browser is told to trust nothing but what comes from here, to show this page in no other, to guess no
 * types, to keep nothing and to tell nobody where it was. WebAssembly counts as evaluation of code; the page
 * has two lines of script inside itself, which carry the nonce. */
static const char *const common_headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self' 'nonce-page' 'wasm-unsafe-eval'; "
     "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; "
     "form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Cache-Control", "no-store"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static bool add_headers(struct MHD_Response *response, const char *type) {
    bool whole = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES;
    for (size_t i = 0; i < sizeof common_headers / sizeof *common_headers; i++)
        whole &= MHD_add_response_header(response, common_headers[i][0], common_headers[i][1]) == MHD_YES;
    return whole;
}

enum MHD_Result answer_response(struct request *r, unsigned status, const char *type,
                                struct MHD_Response *response) {
    if (!response)
        return MHD_NO; /* out of memory: the connection is closed */
    enum MHD_Result result = MHD_NO;
    if (add_headers(response, type)) /* never without them */
        result = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result answer_sentence(struct request *r, unsigned status, const char *sentence) {
    return answer_response(
        r, status, "text/plain; charset=utf-8",
        MHD_create_response_from_buffer(strlen(sentence), (void *)sentence, MHD_RESPMEM_MUST_COPY));
}

enum MHD_Result answer_wrong_method(struct request *r, const char *allowed) {
    static const char sentence[] = "This is asked for with another method: see the Allow header.\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof sentence - 1, (void *)sentence, MHD_RESPMEM_PERSISTENT);
    if (response && MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allowed) != MHD_YES) {
        MHD_destroy_response(response);
        response = NULL;
    }
    return answer_response(r, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", response);
}

static struct MHD_Response *response_of(void *bytes, size_t length) {
    struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    return response;
}

enum MHD_Result answer_json(struct request *r, struct text *t) {
    if (t->failed) {
        text_free(t);
        return answer_error(r, -ENOMEM);
    }
    return answer_response(r, MHD_HTTP_OK, "application/json", response_of(t->bytes, t->length));
}

enum MHD_Result answer_bytes(struct request *r, void *bytes, size_t length, const uint64_t *offset) {
    struct MHD_Response *response = response_of(bytes, length);
    char number[24];
    if (response && offset) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)*offset);
        if (MHD_add_response_header(response, "X-Offset", number) != MHD_YES) {
            MHD_destroy_response(response);
            response = NULL;
        }
    }
    return answer_response(r, MHD_HTTP_OK, "application/octet-stream", response);
}

enum MHD_Result answer_asset(struct request *r, const struct page_asset *asset) {
    return answer_response(
        r, MHD_HTTP_OK, asset->type,
        MHD_create_response_from_buffer(asset->size, (void *)asset->bytes, MHD_RESPMEM_PERSISTENT));
}

enum MHD_Result answer_error(struct request *r, int error) {
    if (error == -EINVAL)
        return answer_sentence(r, MHD_HTTP_NOT_FOUND, "There is no such event (yet).\n");
    char sentence[128];
    snprintf(sentence, sizeof sentence, "The recording cannot be read here: %s.\n", strerror(-error));
    return answer_sentence(r, MHD_HTTP_INTERNAL_SERVER_ERROR, sentence);
}
