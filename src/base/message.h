/* Messages that say why something could not be done. */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

/* Formats *ret_message (malloc'd; NULL when there is no memory for it) and returns `error`. */
__attribute__((format(printf, 3, 4))) int message_fail(int error, char **ret_message, const char *format,
                                                       ...);

#endif
