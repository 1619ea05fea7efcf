/* Inside terminal/: the stepper's state, shared by stepper.c (its life), keyboard.c (what keys do) and
 * panes.c (what is seen). Used by one thread, but for `wake_fd`, `ending` and `said`. */
#ifndef TERMINAL_PARTS_H
#define TERMINAL_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "terminal/paint.h"
#include "terminal/prompt.h"
#include "terminal/stepper.h"
#include "terminal/tty.h"
#include "view/nav.h"

enum { PANES_COLUMNS = 80, PANES_ROWS = 24 }; /* the least */
enum { OUTPUT_KEPT = 16 * 1024, NOTICE = 200 };

enum stepper_mode {
    MODE_WALK, /* keys are the walker's */
    MODE_ASK,  /* keys make the answer to the walker's question */
    MODE_TYPE, /* keys are the program's */
    MODE_HELP, /* the next key ends it */
};

/* The end of what the programs wrote. */
struct output_tail {
    char bytes[OUTPUT_KEPT];
    size_t length;
    uint64_t next; /* offset of the byte that follows */
};

struct stepper {
    struct stepper_config config;
    struct nav *nav;
    struct tty tty;
    int wake_fd; /* eventfd: stepper_changed(), stepper_end() */
    int signal_fd;
    _Atomic bool ending;
    pthread_mutex_t lock; /* of `said`, which other threads write; "": nothing new */
    char said[NOTICE];
    bool leaving;
    int ended_by; /* signal, 0: the user left */
    struct paint paint;
    enum stepper_mode mode;
    struct prompt prompt;
    char notice[NOTICE]; /* until the next key; "" */
    struct output_tail output;
};

/* What the walker's answer to a key, a question or new events asks for. */
void keyboard_follow(struct stepper *, enum nav_result);
void keyboard_press(struct stepper *, int key);

/* Draws everything anew. */
void panes_draw(struct stepper *);

/* Gives the terminal back and stops, until somebody lets the process go on. */
void stepper_suspend(struct stepper *);

/* Writes the picture as SVG into the current folder; a sentence about it goes to `notice`. */
void export_picture(const struct stepper *, char *notice, size_t size);

#endif
