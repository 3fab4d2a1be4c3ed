// Which host the facts are about: the session's header line and the fact "host".
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"

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
    if (root_is_host() && uname(&own) == 0) // /proc/sys/kernel/arch exists since Linux 6.1
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
