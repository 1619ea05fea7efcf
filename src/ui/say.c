/* See say.h. */
#include "ui/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/size.h"
#include "view/plain.h"

bool say_refused(const char *what) {
    fprintf(stderr, "thimble: %s\n", what);
    return false;
}

bool say_failed(char *message, int error) {
    fprintf(stderr, "thimble: %s\n", message ? message : strerror(-error));
    free(message);
    return false;
}

void say_plain(const char *string) {
    struct text t = {0};
    plain_put(&t, string, strlen(string), 0);
    fwrite(t.bytes ? t.bytes : "", 1, t.length, stdout);
    text_free(&t);
}

void say_number(uint64_t number, const char *what) {
    char digits[SIZE_TEXT];
    printf("%s %s", number_format(number, digits), what);
}
