/* The terminal that Thimble was started from. Nothing else is included here: term.h takes common words. */
#include "terminal/tty.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

enum { FEW_COLOURS = 8 };

/* Standard input and output, or the terminal that the process belongs to: input or output may go through a
 * pipe. */
static int tty_find(struct tty *t) {
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        t->input = stdin;
        t->output = stdout;
        return 0;
    }
    t->input = t->output = fopen("/dev/tty", "r+e");
    return t->output ? 0 : -ENOTTY;
}

/* What terminfo says of it. */
static int tty_ask(struct tty *t) {
    int found;
    if (setupterm(NULL, fileno(t->output), &found) == ERR)
        return -ENXIO;
    const char *place = tigetstr("cup");
    bool has_place = place && place != (const char *)-1;
    /* A terminal without colours is an old one, which has no characters beyond ASCII either. */
    t->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || tigetnum("colors") < FEW_COLOURS;
    del_curterm(cur_term);
    return has_place ? 0 : -ENXIO;
}

int tty_open(struct tty *t) {
    setlocale(LC_CTYPE, "");
    int error = tty_find(t);
    return error ? error : tty_ask(t);
}

void tty_close(struct tty *t) {
    if (t->output && t->output != stdout)
        fclose(t->output);
}
