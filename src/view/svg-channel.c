/* Channels: see svg-layout.h. An arrow gets the first track on which it meets no other. */
#include "view/svg-layout.h"

enum { TRACK = 8, CLEARANCE = 6 };

static bool meets(const struct channel *c, unsigned track, int from, int to) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->track[i] == track && from <= c->to[i] + CLEARANCE && to + CLEARANCE >= c->from[i])
            return true;
    return false;
}

unsigned channel_take(struct channel *c, int from, int to) {
    if (from > to) {
        int swapped = from;
        from = to;
        to = swapped;
    }
    unsigned track = 0;
    while (track < c->tracks && meets(c, track, from, to))
        track++;
    if (c->count == CHANNEL_LINES)
        return CHANNEL_LINES - 1;
    c->tracks = track >= c->tracks ? track + 1 : c->tracks;
    c->from[c->count] = from;
    c->to[c->count] = to;
    c->track[c->count] = track;
    return c->count++;
}

int channel_y(const struct channel *c, unsigned place) {
    return c->y + (place < c->count ? (int)c->track[place] * TRACK : 0);
}

int channel_height(const struct channel *c, int least) {
    return least + (c->tracks > 1 ? ((int)c->tracks - 1) * TRACK : 0);
}
