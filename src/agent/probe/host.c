// Which host the facts are about: the session's header line and the fact "host".
#include <stdio.h>
#include <string.h>
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

// Options of the kernel's command line that decide what an IOMMU translates; the rest of it is not reported.
static bool is_iommu_option(const char *word)
{
    static const char *const names[] = {"intel_iommu=", "amd_iommu=",  "amd_iommu_intr=", "iommu=",
                                        "iommu.",       "intremap=",   "arm-smmu.",       "arm-smmu-v3."};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(word, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

// Adds the fact's `options`, also if there are none: then it is known that there are none.
static void report_options(void)
{
    char line[4096], options[1024] = "";
    size_t used = 0;
    if (read_value("/proc/cmdline", line, sizeof line) != 0 || !line[0])
        return;
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
        if (!is_iommu_option(word) || used + strlen(word) + 2 > sizeof options)
            continue;
        used += (size_t)snprintf(options + used, sizeof options - used, "%s%s", used ? " " : "", word);
    }
    json_text("options", options);
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
    report_options();
    fact_end("/proc/sys/kernel", 0);
}
