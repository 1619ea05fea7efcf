#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>

int message_fail(int error, char **ret_message, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(ret_message, format, arguments) < 0)
        *ret_message = NULL;
    va_end(arguments);
    return error;
}
