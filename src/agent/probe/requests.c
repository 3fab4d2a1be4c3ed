// Requests on stdin, one a line of at most 4096 bytes, and their answers:
//
//   {"id":NUMBER,"ask":"hello"|"snapshot"|"processes"|"page_tables"|"watch"|"unwatch"|"trace"|"untrace"|"ping"|"quit"}
//
// The parser accepts this shape and no other JSON: two keys in either order, blanks between the tokens. Anything else is
// answered with an error, at most 10 times a second, so that a flood of garbage does not cause a flood of answers.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define REQUEST_SIZE 4096
#define ERRORS_A_SECOND 10
#define PROTOCOL_VERSION 1

static char input[REQUEST_SIZE + 2]; // a request, its line end, and the NUL
static size_t held;
static bool too_long, ended;

static time_t error_second;
static unsigned errors, unanswered;

static time_t now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void error_line(long long id, const char *code, const char *message)
{
    json_open();
    json_text("probe", "error");
    if (id >= 0)
        json_number("id", id);
    else
        json_raw("id", "null");
    json_text("code", code);
    json_text("message", message);
    json_close();
}

void requests_tick(void)
{
    if (errors == 0 || now_seconds() == error_second)
        return;
    if (unanswered > 0) {
        char message[64];
        snprintf(message, sizeof message, "%u more lines were not requests", unanswered);
        error_line(-1, "bad-request", message);
    }
    errors = unanswered = 0;
}

static void refuse(long long id, const char *code, const char *message)
{
    requests_tick();
    error_second = errors == 0 ? now_seconds() : error_second;
    if (errors++ < ERRORS_A_SECOND)
        error_line(id, code, message);
    else
        unanswered++;
}

// ---- answers ----

static void answer_done(long long id)
{
    json_open();
    json_text("probe", "done");
    json_number("id", id);
    json_close();
}

static void ask_hello(long long id);

static void ask_snapshot(long long id)
{
    framed_facts(id, "snapshot", snapshot_facts);
}

static void ask_processes(long long id)
{
    framed_facts(id, "processes", report_processes);
}

static void ask_page_tables(long long id)
{
    framed_facts(id, "page_tables", report_tables);
}

static void ask_watch(long long id)
{
    watch_set(true);
    answer_done(id);
}

static void ask_unwatch(long long id)
{
    watch_set(false);
    answer_done(id);
}

static void ask_trace(long long id)
{
    stream_name("trace");
    trace_start();
    stream_name(NULL);
    answer_done(id);
}

static void ask_untrace(long long id)
{
    trace_stop();
    answer_done(id);
}

static void ask_quit(long long id)
{
    answer_done(id);
    ended = true;
}

static const struct {
    const char *name;
    void (*answer)(long long id);
} requests[] = {
    {"hello", ask_hello},     {"snapshot", ask_snapshot}, {"processes", ask_processes}, {"page_tables", ask_page_tables},
    {"watch", ask_watch},     {"unwatch", ask_unwatch},   {"trace", ask_trace},         {"untrace", ask_untrace},
    {"ping", answer_done},    {"quit", ask_quit},
};
#define REQUESTS (sizeof requests / sizeof *requests)

static void ask_hello(long long id)
{
    json_open();
    json_text("probe", "hello");
    json_number("id", id);
    json_number("version", PROTOCOL_VERSION);
    json_text("program", PROGRAM_VERSION);
    json_number("uid", (long long)geteuid());
    json_list("requests");
    for (size_t i = 0; i < REQUESTS; i++)
        json_text(NULL, requests[i].name);
    json_list_end();
    json_close();
}

// ---- the parser ----

static bool token(const char **at, const char *text)
{
    skip_blanks(at);
    return skip_text(at, text);
}

// `id` is set as soon as it is known, so that an error can name it. False: not the shape above.
static bool parse(const char *at, long long *id, char *ask, size_t size)
{
    uint64_t number;
    bool has_ask = false;
    if (!token(&at, "{"))
        return false;
    for (int field = 0; field < 2; field++) {
        if (field == 1 && !token(&at, ","))
            return false;
        if (*id < 0 && token(&at, "\"id\"")) {
            if (!token(&at, ":"))
                return false;
            skip_blanks(&at);
            bool zero_first = at[0] == '0' && at[1] >= '0' && at[1] <= '9';
            if (zero_first || !scan_decimal(&at, &number) || number >> 53) // what every JSON reader keeps exact
                return false;
            skip_blanks(&at);
            if (*at != ',' && *at != '}')
                return false;
            *id = (long long)number;
        } else if (!has_ask && token(&at, "\"ask\"")) {
            if (!token(&at, ":") || !token(&at, "\""))
                return false;
            size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
            if (length == 0 || length >= size || at[length] != '"')
                return false;
            snprintf(ask, size, "%.*s", (int)length, at);
            at += length + 1;
            has_ask = true;
        } else {
            return false;
        }
    }
    if (!token(&at, "}"))
        return false;
    skip_blanks(&at);
    return *at == '\0';
}

static void handle(char *line, size_t length)
{
    long long id = -1;
    char ask[64];
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    if (length > REQUEST_SIZE) {
        refuse(-1, "line-too-long", "a request has at most 4096 bytes");
        return;
    }
    if (strlen(line) != length || !parse(line, &id, ask, sizeof ask)) {
        refuse(id, "bad-request", "expected {\"id\":NUMBER,\"ask\":\"WORD\"}");
        return;
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        if (strcmp(requests[i].name, ask) == 0) {
            requests[i].answer(id);
            return;
        }
    }
    refuse(id, "unknown-request", "unknown request; the answer to hello lists the known ones");
}

void requests_read(void)
{
    ssize_t count = read(STDIN_FILENO, input + held, REQUEST_SIZE + 1 - held);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0) {
        if (held > 0 && !too_long)
            handle(input, held);
        ended = true;
        return;
    }
    held += (size_t)count;
    char *newline;
    while (!ended && !stopping && (newline = memchr(input, '\n', held))) {
        size_t length = (size_t)(newline - input);
        if (too_long)
            too_long = false;
        else
            handle(input, length);
        held -= length + 1;
        memmove(input, newline + 1, held);
    }
    if (held > REQUEST_SIZE) {
        if (!too_long)
            refuse(-1, "line-too-long", "a request has at most 4096 bytes");
        too_long = true;
        held = 0;
    }
}

bool requests_ended(void)
{
    return ended;
}
