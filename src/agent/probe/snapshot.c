// A snapshot: everything that can be read of the host at one moment, in a fixed order, and the frame around it.
#include <time.h>

#include "probe.h"

static bool with_tables;

long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void snapshot_with_tables(void)
{
    with_tables = true;
}

void snapshot_facts(void)
{
    report_host();
    report_iommus();
    report_groups();
    report_iomem();
    report_processes();
    if (with_tables)
        report_tables();
}

static void frame_open(const char *probe, long long id)
{
    json_open();
    json_text("probe", probe);
    if (id >= 0)
        json_number("id", id);
    else
        json_raw("id", "null");
}

void framed_facts(long long id, const char *what, void (*report)(void))
{
    unsigned long before = fact_count();
    long long start = now_ms();
    frame_open("begin", id);
    json_text("what", what);
    json_close();
    header_line();
    report();
    frame_open("end", id);
    json_number("facts", (long long)(fact_count() - before));
    json_number("ms", now_ms() - start);
    json_close();
}
