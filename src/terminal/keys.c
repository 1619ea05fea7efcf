/* Keys as the stepper knows them. */
#include "terminal/keys.h"

#include <curses.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

static int function_key(wint_t key) {
    switch (key) {
    case KEY_RIGHT: return NAV_RIGHT;
    case KEY_LEFT: return NAV_LEFT;
    case KEY_UP: return KEYS_UP;
    case KEY_DOWN: return KEYS_DOWN;
    case KEY_HOME: return NAV_HOME;
    case KEY_END: return NAV_END;
    case KEY_ENTER: return NAV_ENTER;
    case KEY_DC: return KEYS_DELETE;
    case KEY_BACKSPACE: return KEYS_BACKSPACE;
    case KEY_SUSPEND: return KEYS_CTRL('z');
    default: return KEYS_NONE;
    }
}

static int character_key(wint_t key) {
    if (key == '\r')
        return NAV_ENTER;
    if (key == 0x7f || key == '\b')
        return KEYS_BACKSPACE;
    return key < 0x80 ? (int)key : (int)(KEYS_CHARACTER + key);
}

int keys_next(bool *ret_more) {
    wint_t key;
    int kind = get_wch(&key);
    *ret_more = kind != ERR;
    if (kind == ERR)
        return KEYS_NONE;
    return kind == KEY_CODE_YES ? function_key(key) : character_key(key);
}

/* A character of Unicode in UTF-8. */
static size_t put_character(uint32_t c, char bytes[KEYS_BYTES]) {
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (size_t i = more; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(first[more] | c);
    return more + 1;
}

static size_t put_sequence(const char *sequence, char bytes[KEYS_BYTES]) {
    size_t length = strlen(sequence);
    memcpy(bytes, sequence, length);
    return length;
}

size_t keys_put(int key, char bytes[KEYS_BYTES]) {
    switch (key) {
    case KEYS_NONE: return 0;
    case NAV_ENTER: return put_sequence("\r", bytes);
    case KEYS_BACKSPACE: return put_sequence("\x7f", bytes);
    case KEYS_DELETE: return put_sequence("\x1b[3~", bytes);
    case KEYS_UP: return put_sequence("\x1b[A", bytes);
    case KEYS_DOWN: return put_sequence("\x1b[B", bytes);
    case NAV_RIGHT: return put_sequence("\x1b[C", bytes);
    case NAV_LEFT: return put_sequence("\x1b[D", bytes);
    case NAV_HOME: return put_sequence("\x1b[H", bytes);
    case NAV_END: return put_sequence("\x1b[F", bytes);
    default: break;
    }
    if (key >= KEYS_CHARACTER)
        return put_character((uint32_t)(key - KEYS_CHARACTER), bytes);
    bytes[0] = (char)key;
    return 1;
}
