// Small pieces of text: blanks, words and numbers of up to 64 bits.
#include <string.h>

#include "probe.h"

void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t')
        ++*at;
}

bool skip_text(const char **at, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t scan_hex(const char **at, uint64_t *value)
{
    const char *begin = *at;
    *value = 0;
    for (int digit = hex_digit(**at); digit >= 0; digit = hex_digit(**at)) {
        *value = *value << 4 | (uint64_t)digit;
        ++*at;
    }
    return (size_t)(*at - begin);
}

bool scan_decimal(const char **at, uint64_t *value)
{
    const char *begin = *at;
    *value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return *at > begin;
}

bool is_number(const char *text)
{
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}
