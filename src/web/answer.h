/* Answers: a status, content, and the headers that every answer carries. Each returns what MHD wants to hear
 * from the handler of a request. */
#ifndef WEB_ANSWER_H
#define WEB_ANSWER_H

#include "page/assets.h"
#include "trace/text.h"
#include "web/request.h"

/* One sentence of plain text. */
enum MHD_Result answer_sentence(struct request *, unsigned status, const char *sentence);
/* The method is not the right one: `allowed` is. */
enum MHD_Result answer_wrong_method(struct request *, const char *allowed);
/* JSON; takes the text's bytes over. A text that is not whole gives an error. */
enum MHD_Result answer_json(struct request *, struct text *);
/* Bytes from malloc(), taken over. offset: the X-Offset header, NULL: none. */
enum MHD_Result answer_bytes(struct request *, void *bytes, size_t length, const uint64_t *offset);
enum MHD_Result answer_asset(struct request *, const struct page_asset *);
/* An endless one: a response that was made elsewhere, of the given content type. Takes it over; NULL when it
 * could not be made. */
enum MHD_Result answer_response(struct request *, unsigned status, const char *type, struct MHD_Response *);
/* -errno of a film as a status and a sentence. */
enum MHD_Result answer_error(struct request *, int error);

#endif
