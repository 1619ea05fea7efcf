/* POST: the machine does something. The token was checked. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "web/parts.h"

static enum MHD_Result answer_recorded(struct request *r) {
    return answer_sentence(r, MHD_HTTP_CONFLICT, "This is a recording: nothing runs here.\n");
}

static enum MHD_Result answer_state(struct request *r) {
    struct text t = {0};
    look_put_state(r->server, &t);
    return answer_json(r, &t);
}

static enum MHD_Result run_to_goal(struct request *r) {
    struct goal goal;
    const char *text = request_parameter(r, "goal");
    const char *wrong = text ? goal_parse(text, &goal, NULL) : "goal=G is missing";
    if (wrong) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "The machine cannot run to that: %s.\n", wrong);
        return answer_sentence(r, MHD_HTTP_BAD_REQUEST, sentence);
    }
    live_run_to(r->server->live, &goal);
    return answer_state(r);
}

enum MHD_Result control_machine(struct request *r) {
    struct live *live = r->server->live;
    const char *what = request_parameter(r, "do");
    if (!live)
        return answer_recorded(r);
    if (!what)
        what = "";
    if (!strcmp(what, "run"))
        return run_to_goal(r);
    if (!strcmp(what, "continue"))
        live_continue(live);
    else if (!strcmp(what, "pause"))
        live_pause(live);
    else if (!strcmp(what, "stop"))
        live_stop(live);
    else
        return answer_sentence(r, MHD_HTTP_BAD_REQUEST,
                               "/control needs do=continue, pause, stop, or run with goal=G.\n");
    return answer_state(r);
}

enum MHD_Result control_input(struct request *r) {
    if (!r->server->live)
        return answer_recorded(r);
    int error = live_type(r->server->live, r->body, r->length);
    if (error == -EAGAIN)
        return answer_sentence(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                               "The program does not read: what was typed was not taken.\n");
    if (error)
        return answer_sentence(r, MHD_HTTP_CONFLICT, "The programs have no terminal.\n");
    return answer_state(r);
}
