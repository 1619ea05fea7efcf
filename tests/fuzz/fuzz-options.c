/* Fuzz target: the command line. Options that exist, with any value; a value that makes no sense is answered
 * with a message and never more. An option that does not exist ends the process, as --help does, and is not
 * for here; nor is
 * --machine, which reads a file: that is fuzz-machine-file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "ui/options.h"

enum { WORDS_MAX = 24, WORD_SIZE = 96 };

/* What lives as long as the process is not given back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}

static const char *const names[] = {
    "--available=",
    "--memory=",
    "--frames=",
    "--page-table=",
    "--policy=",
    "--reserved=",
    "--swap=",
    "--swap-file=",
    "--cpu=",
    "--tlb=",
    "--seed=",
    "--contents=",
    "--max-instructions=",
    "--stats=",
    "--trace=",
    "--stats-file=",
    "--files=",
    "--allow=",
    "--max-output=",
    "--network=",
    "--scratch=",
    "--max-processes=",
    "--max-seconds=",
    "--deterministic",
    "-n",
    "-m",
    "-p",
};
static const char *const watching[] = {"--until=", "--port="};

/* The name, and behind it what the input has up to the end of a line. */
static void word_make(struct input *in, enum options_command command, char word[WORD_SIZE]) {
    uint8_t sort = input_byte(in);
    bool is_watching = sort == 255 && command != OPTIONS_RUN;
    const char *name =
        is_watching ? watching[command == OPTIONS_WEB] : names[sort % (sizeof names / sizeof *names)];
    size_t length = strlen(name);
    memcpy(word, name, length + 1);
    if (strcmp(name, "--deterministic") == 0)
        return;
    for (uint8_t c; length < WORD_SIZE - 1 && in->left > 0 && (c = input_byte(in)) != '\n'; length++)
        word[length] = (char)c;
    word[length] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char words[WORDS_MAX][WORD_SIZE] = {"thimble"}, *argv[WORDS_MAX + 3], *message = NULL;
    struct input in = {data, size};
    struct options options;
    int argc = 1;
    argv[0] = words[0];
    enum options_command command = input_byte(&in) % 3;
    for (; argc < WORDS_MAX && in.left > 0; argc++) {
        word_make(&in, command, words[argc]);
        argv[argc] = words[argc];
    }
    argv[argc++] = (char *)"--";
    argv[argc++] = (char *)"program";
    argv[argc] = NULL;
    int error = options_parse(command, argc, argv, &options, &message);
    if (error != 0 && (error != -EINVAL || !message || !*message || strchr(message, '\n')))
        abort();
    free(message);
    return 0;
}
