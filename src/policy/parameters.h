/* Parameters of a policy: "key=value,key=value", numbers in decimal, octal or hexadecimal. */
#ifndef POLICY_PARAMETERS_H
#define POLICY_PARAMETERS_H

#include <stddef.h>
#include <stdint.h>

/* One key that a policy knows. */
struct policy_parameter {
    const char *key;
    uint64_t *value; /* set if the key is given, untouched otherwise */
    uint64_t min, max;
};

/* Takes the parameters apart. `text` may be NULL or empty: there are none. 0, or -EINVAL for an unknown key,
 * a key given twice, a value that is not a number or out of range, or text that is not key=value; the values
 * are then undefined. At most 64 known keys. */
int policy_parse(const char *text, const struct policy_parameter *known, size_t count);

#endif
