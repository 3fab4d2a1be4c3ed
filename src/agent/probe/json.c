// Writes JSON, one object per line, to stdout. All output goes through here.
//
// A line is built in a fixed buffer, after finished lines that wait to be written. One that does not fit is replaced by a
// diagnostic, never printed in part. Strings are read as UTF-8; invalid bytes become U+FFFD and control characters are
// escaped, so that no name on the host can break a line or reach a terminal.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

#define BUFFER_SIZE (256 * 1024)
#define LINE_SIZE (128 * 1024)
// A pipe that poll calls writable takes this much without blocking.
#define WRITE_SIZE 4096
// How long to wait for a reader that has closed our stdin but does not read our stdout.
#define PATIENCE_SECONDS 10

static char buffer[BUFFER_SIZE];
static size_t ready; // whole lines
static size_t at;    // end of the line being made
static bool overflow;
static bool comma;
static int failure;
static bool hashing;
static uint64_t hash;

volatile sig_atomic_t stopping;

static void put(const char *bytes, size_t count)
{
    if (overflow || count > LINE_SIZE - (at - ready)) {
        overflow = true;
        return;
    }
    memcpy(buffer + at, bytes, count);
    at += count;
}

static void put_text(const char *text)
{
    put(text, strlen(text));
}

// How many bytes at `s` are one UTF-8 character; 0: they are none, and `*wrong` bytes stand for one U+FFFD.
static size_t utf8_length(const unsigned char *s, size_t *wrong)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length;
    *wrong = 1;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        length = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        length = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0; // longer than needed
    else if (s[0] == 0xed)
        high = 0x9f; // surrogates
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f; // above U+10FFFF
    for (size_t i = 1; i < length; i++) {
        if (s[i] < low || s[i] > high) {
            *wrong = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

static void put_string(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    put("\"", 1);
    while (*s) {
        size_t wrong;
        size_t length = utf8_length(s, &wrong);
        bool c1 = length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
        if (length == 0) {
            put("\xef\xbf\xbd", 3);
            length = wrong;
        } else if (*s < 0x20 || *s == 0x7f || c1) {
            char escape[8];
            put(escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c1 ? s[1] : s[0]));
        } else {
            if (*s == '"' || *s == '\\')
                put("\\", 1);
            put((const char *)s, length);
        }
        s += length;
    }
    put("\"", 1);
}

static void put_key(const char *key)
{
    if (comma)
        put(",", 1);
    comma = true;
    if (key) {
        put_string(key);
        put(":", 1);
    }
}

void json_open(void)
{
    if (BUFFER_SIZE - ready < LINE_SIZE)
        json_flush();
    at = ready;
    overflow = false;
    comma = false;
    put("{", 1);
}

void json_text(const char *key, const char *text)
{
    put_key(key);
    put_string(text);
}

void json_hex(const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "\"0x%llx\"", (unsigned long long)value);
    json_raw(key, text);
}

void json_number(const char *key, long long value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", value);
    json_raw(key, text);
}

void json_bool(const char *key, bool value)
{
    json_raw(key, value ? "true" : "false");
}

void json_raw(const char *key, const char *json)
{
    put_key(key);
    put_text(json);
}

void json_list(const char *key)
{
    json_raw(key, "[");
    comma = false;
}

void json_list_end(void)
{
    put("]", 1);
    comma = true;
}

void json_object(void)
{
    json_raw(NULL, "{");
    comma = false;
}

void json_object_end(void)
{
    put("}", 1);
    comma = true;
}

size_t json_room(void)
{
    return overflow ? 0 : LINE_SIZE - (at - ready);
}

void json_close(void)
{
    put("}\n", 2);
    if (overflow) {
        json_open();
        json_text("kind", "diagnostic");
        json_text("severity", "warning");
        json_text("code", "line-too-long");
        json_text("message", "a fact of more than 128 KiB was left out");
        put("}\n", 2);
    }
    if (hashing) {
        for (size_t i = ready; i < at; i++)
            hash = (hash ^ (unsigned char)buffer[i]) * 0x100000001b3u; // FNV-1a
        at = ready;
        return;
    }
    ready = at;
    if (ready >= BUFFER_SIZE / 4)
        json_flush();
}

// True if the other end of stdin is closed, whether or not input still waits there.
static bool stdin_hung_up(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLRDHUP};
    return poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)) != 0;
}

bool json_flush(void)
{
    size_t done = 0;
    int waited = 0;
    while (done < ready && !failure) {
        struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
        int polled = poll(&output, 1, 1000);
        if (polled == 0 && stdin_hung_up() && ++waited >= PATIENCE_SECONDS)
            failure = EPIPE;
        if (polled == 0 || (polled < 0 && errno == EINTR)) {
            // Asked to stop while nobody reads: the pending output is dropped.
            if (stopping)
                failure = EPIPE;
            continue;
        }
        size_t count = ready - done < WRITE_SIZE ? ready - done : WRITE_SIZE;
        ssize_t written = write(STDOUT_FILENO, buffer + done, count);
        if (written > 0) {
            done += (size_t)written;
            waited = 0;
        } else if (written < 0 && errno != EINTR && errno != EAGAIN) {
            failure = errno;
        }
    }
    if (failure)
        stopping = 1;
    ready = at = 0;
    return failure == 0;
}

int json_failure(void)
{
    return failure == EPIPE ? 0 : failure;
}

void json_hash_begin(void)
{
    hashing = true;
    hash = 0xcbf29ce484222325u;
}

bool json_is_hashing(void)
{
    return hashing;
}

uint64_t json_hash_end(void)
{
    hashing = false;
    return hash;
}
