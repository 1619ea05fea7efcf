/* The server of the page: HTTP on 127.0.0.1 and nowhere else.
 *
 *   GET  /, /page.js …            the page (page/assets.h)
 *   GET  /info                    JSON: {version, title, live, state: "running"|"paused"|"ended"|"recorded",
 *                                 events, finished, cut, header: the trace's}
 *   GET  /events?from=N&count=C   records of 64 bytes, as in trace/event.h (count at most 65536)
 *   GET  /state?n=N               the state after event N, as fold_save() gives it
 *   GET  /find?goal=G&from=N&backwards=0|1   JSON: {n} or {n: null}; G as goal_parse() reads it
 *   GET  /timeline?buckets=B      JSON: {events, counts: [[faults by kind], one a bucket]}: film_timeline()
 *   GET  /history                 JSON: history_put_json()
 *   GET  /live                    Server-Sent Events: {events, state} whenever they change; at once when
 *                                 opened
 *   GET  /output?from=N           bytes of the programs' terminal; header X-Offset: where they begin
 *   POST /control?do=continue|pause|stop|run&goal=G    needs the token; {events, state}
 *   POST /input                   body: what was typed (at most 4096 bytes); needs the token
 *
 * Other statuses come with a sentence of plain text that says what is wrong.
 *
 * Token: 128 random bits in the printed address (after '#', so that it is never sent or logged); the page
 * sends it as X-Thimble-Token. Every request: Host must be 127.0.0.1:PORT or localhost:PORT; an Origin, if
 * there is one, the same. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "live/live.h"
#include "trace/film.h"

struct server;

struct server_config {
    uint16_t port; /* 0: any free one */
    const char *title;
    struct film *film;
    struct live *live; /* NULL: recorded */
};

/* Begins to serve in threads of its own. 0, -EADDRINUSE, or another -errno. */
int server_start(const struct server_config *, struct server **ret_server);
/* "http://127.0.0.1:PORT/#token=…" */
const char *server_address(const struct server *);
/* From live_config.changed, or when a film has grown. */
void server_changed(struct server *);
void server_stop(struct server *);

#endif
