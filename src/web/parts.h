/* Inside web/: the server, and the handlers of its requests. All handlers run in the server's one thread,
 * which is the one that looks at the film. */
#ifndef WEB_PARTS_H
#define WEB_PARTS_H

#include "page/history.h"
#include "web/answer.h"
#include "web/feed.h"
#include "web/request.h"
#include "web/server.h"

enum { SERVER_ADDRESS = 96 };

struct server {
    struct request_site site;
    char address[SERVER_ADDRESS]; /* what the user opens */
    char *title;
    struct film *film;
    struct live *live; /* NULL: recorded */
    struct MHD_Daemon *daemon;
    struct feed *feed;
    struct history *history;
};

/* Appends {"events": …, "state": …}, as GET /live tells it. */
void look_put_state(const struct server *, struct text *);

/* GET: looking changes nothing. */
enum MHD_Result look_info(struct request *);
enum MHD_Result look_events(struct request *);
enum MHD_Result look_state(struct request *);
enum MHD_Result look_find(struct request *);
enum MHD_Result look_timeline(struct request *);
enum MHD_Result look_history(struct request *);
enum MHD_Result look_live(struct request *);
enum MHD_Result look_output(struct request *);

/* POST, with the token: the machine does something. */
enum MHD_Result control_machine(struct request *);
enum MHD_Result control_input(struct request *);

#endif
