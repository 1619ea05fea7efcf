/* Everything that is known about one thing of the picture: a virtual page, a frame, a page of a file or of
 * the swap area, a process, the machine. */
#ifndef PAGE_DETAILS_H
#define PAGE_DETAILS_H

#include "trace/fold.h"
#include "trace/text.h"

/* `token` names the thing as the picture's data-chain does: v<pid>:<VPN in hexadecimal>, f<frame>,
 * o<object>:<page>, s<slot>, p<pid>; m is the machine. Appends a JSON object whose member "what" says what it is; null when
 * there is no such thing in this state. */
void details_put_json(const struct fold *, const char *token, struct text *);

#endif
