// The session format: its header line, facts and diagnostics (one JSON object each).
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"

static unsigned long facts, findings;
static const char *stream;
static bool is_finding;

void header_line(void)
{
    char value[256];
    json_open();
    json_text("format", "iova-trace");
    json_number("version", 1);
    if (root_is_host())
        json_hex("page_size", (uint64_t)sysconf(_SC_PAGESIZE));
    json_text("source", PROGRAM);
    if (read_value("/proc/sys/kernel/osrelease", value, sizeof value) == 0 && value[0])
        json_text("kernel", value);
    if (read_value("/proc/sys/kernel/hostname", value, sizeof value) == 0 && value[0])
        json_text("title", value);
    json_close();
}

void report_host(void)
{
    char name[256] = "", kernel[256] = "", arch[256] = "";
    struct utsname own;
    if (root_is_host() && uname(&own) == 0) // the file for the architecture is there from Linux 6.1 on
        snprintf(arch, sizeof arch, "%s", own.machine);
    else
        read_value("/proc/sys/kernel/arch", arch, sizeof arch);
    read_value("/proc/sys/kernel/hostname", name, sizeof name);
    read_value("/proc/sys/kernel/osrelease", kernel, sizeof kernel);
    if (!name[0] && !kernel[0] && !arch[0]) {
        diagnostic("info", "no-host", "/proc/sys/kernel", 0, "neither hostname nor osrelease can be read");
        return;
    }
    fact("host");
    if (name[0])
        json_text("name", name);
    if (kernel[0])
        json_text("kernel", kernel);
    if (arch[0])
        json_text("arch", arch);
    fact_end("/proc/sys/kernel", 0);
}

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
        diagnostic("info", code, source, 0, "not there: %s", need);
    else if (error == EINVAL)
        diagnostic("warning", code, source, 0, "no plain file");
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
