/* What keys do. */
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "terminal/keys.h"
#include "terminal/parts.h"

static void say(struct stepper *s, const char *sentence) {
    snprintf(s->notice, sizeof s->notice, "%s", sentence);
}

void keyboard_follow(struct stepper *s, enum nav_result result) {
    struct live *live = s->config.live;
    if (result != NAV_NOTHING && s->mode == MODE_ASK)
        s->mode = MODE_WALK;
    switch (result) {
    case NAV_NOTHING:
    case NAV_DRAW:
    case NAV_FETCH: /* only where a film is not whole: in a browser */ break;
    case NAV_RUN: live_run_to(live, nav_goal(s->nav)); break;
    case NAV_CONTINUE: live_continue(live); break;
    case NAV_PAUSE: live_pause(live); break;
    case NAV_ASK:
        s->mode = MODE_ASK;
        prompt_clear(&s->prompt);
        break;
    case NAV_EXPORT: export_picture(s, s->notice, sizeof s->notice); break;
    case NAV_HELP: s->mode = MODE_HELP; break;
    case NAV_QUIT: s->leaving = true; break;
    }
}

static void press_for_question(struct stepper *s, int key) {
    switch (prompt_key(&s->prompt, key)) {
    case PROMPT_GOES_ON: return;
    case PROMPT_DONE: keyboard_follow(s, nav_answer(s->nav, s->prompt.line)); return;
    case PROMPT_GIVEN_UP: keyboard_follow(s, nav_answer(s->nav, NULL)); return;
    }
}

static void press_for_program(struct stepper *s, int key) {
    char bytes[KEYS_BYTES];
    if (key == NAV_ESCAPE) {
        s->mode = MODE_WALK;
        return;
    }
    size_t length = keys_put(key, bytes);
    int error = length ? live_type(s->config.live, bytes, length) : 0;
    if (error == -EAGAIN)
        say(s, "The program does not read what is typed: Esc, then c, lets it go on");
    else if (error)
        say(s, "The program cannot read what is typed: it has ended");
}

static void begin_typing(struct stepper *s) {
    if (!s->config.live)
        say(s, "This is a recording: no program reads here");
    else if (film_is_finished(s->config.film))
        say(s, "The program has ended: nothing reads here any more");
    else
        s->mode = MODE_TYPE;
}

static void press_to_walk(struct stepper *s, int key) {
    switch (key) {
    case KEYS_CTRL('c'): s->leaving = true; return;
    case KEYS_CTRL('z'): stepper_suspend(s); return;
    case KEYS_CTRL('l'): clearok(curscr, TRUE); return;
    case KEYS_TAB:
    case 'i': begin_typing(s); return;
    default: keyboard_follow(s, nav_key(s->nav, key)); return;
    }
}

void keyboard_press(struct stepper *s, int key) {
    s->notice[0] = 0;
    switch (s->mode) {
    case MODE_WALK: press_to_walk(s, key); return;
    case MODE_ASK: press_for_question(s, key); return;
    case MODE_TYPE: press_for_program(s, key); return;
    case MODE_HELP: s->mode = MODE_WALK; return;
    }
}
