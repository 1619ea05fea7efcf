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

int tty_open(struct tty *t) {
    int found, error = tty_find(t);
    if (error)
        return error;
    if (setupterm(NULL, fileno(t->output), &found) == ERR)
        return -ENXIO;
    const char *place = tigetstr("cup");
    if (!place || place == (const char *)-1)
        return -ENXIO;
    setlocale(LC_CTYPE, "");
    /* A terminal without colours is an old one, which has no characters beyond ASCII either. */
    t->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || tigetnum("colors") < FEW_COLOURS;
    return 0;
}

void tty_close(struct tty *t) {
    if (t->output && t->output != stdout)
        fclose(t->output);
}
