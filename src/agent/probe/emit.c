// Facts and diagnostics of the session format, one JSON object per line.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

static unsigned long facts, findings;
static const char *stream;
static bool is_finding;

void fact(const char *kind)
{
    json_open();
    json_text("kind", kind);
    is_finding = strcmp(kind, "diagnostic") != 0;
}

void fact_range(const char *kind, uint64_t start, uint64_t last)
{
    fact(kind);
    json_hex("start", start);
    json_hex("last", last);
}

void fact_end(const char *source, unsigned long line)
{
    if (stream)
        json_text("stream", stream);
    if (source)
        json_text("source", source);
    if (line > 0)
        json_number("line", (long long)line);
    json_close();
    facts++;
    if (is_finding)
        findings++;
}

void diagnostic(const char *severity, const char *code, const char *source, unsigned long line, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fact("diagnostic");
    json_text("severity", severity);
    json_text("code", code);
    json_text("message", message);
    fact_end(source, line);
}

void unavailable(int error, const char *code, const char *source, const char *need)
{
    if (error == EACCES || error == EPERM)
        diagnostic("warning", code, source, 0, "%s: run the probe as root to read it", strerror(error));
    else if (error == ENOENT || error == ENOTDIR)
        diagnostic("info", code, source, 0, "not found: %s", need);
    else if (error == EINVAL)
        diagnostic("warning", code, source, 0, "not a regular file");
    else
        diagnostic("warning", code, source, 0, "cannot be read: %s", strerror(error));
}

unsigned long fact_count(void)
{
    return facts;
}

unsigned long finding_count(void)
{
    return findings;
}

void stream_name(const char *name)
{
    stream = name;
}
