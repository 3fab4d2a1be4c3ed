// The kernel's trace events of the IOMMU and of the DMA API, read from an own trace instance, which is removed at the end.
//
//   … [time ":"] event ": IOMMU:" …
//   map:                      ["dev=" name] "iova=0x" hex ["- 0x" hex] "paddr=0x" hex "size=" number
//   unmap:                    ["dev=" name] "iova=0x" hex ["- 0x" hex] "size=" number "unmapped_size=" number
//   io_page_fault:            driver device "iova=0x" hex "flags=0x" hex       bit 0: a write
//   add_device_to_group:      "groupID=" decimal "device=" name
//   attach_device_to_domain:  "device=" name
//   "CPU:" n "[LOST" n "EVENTS]"
//
//   … [time ":"] event ": " device ["dir=" word] "dma_addr=" hex "size=" decimal …      (system dma, since Linux 6.12)
//   dma_map_page, dma_map_phys, dma_map_resource:       "phys_addr=" hex …
//   dma_alloc, dma_alloc_pages:                         "virt_addr=" pointer …
//   dma_alloc_sgt, dma_unmap_…, dma_free…
//
// These name the device, which map and unmap do not. Scatter lists (dma_map_sg) are left to map and unmap: their unmap
// does not have the addresses of the device. An address of all ones, or 0 with a null pointer, is a mapping that failed.
//
// The second address is exclusive, missing in older kernels, and 0 for a range that ends at 2^64. The kernel's ring buffer
// is the only queue: when stdout is slow it is not read, the kernel drops the oldest events, and says how many.
//
// With --sysroot nothing is traced: a recorded `trace` file is read instead.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

#define PREFIX "iovascope-"
#define KIB_PER_CPU "256"
// Lines that one call reads at most, so that requests are answered meanwhile.
#define LINES_AT_ONCE 4096

static const char *const events[] = {"map", "unmap", "io_page_fault", "add_device_to_group", "attach_device_to_domain"};
#define EVENTS (sizeof events / sizeof *events)

// Those of the DMA API that map come first. Kernels have some of them.
static const char *const dma_events[] = {
    "dma_map_page",   "dma_map_phys",   "dma_map_resource",   "dma_alloc", "dma_alloc_pages", "dma_alloc_sgt",
    "dma_unmap_page", "dma_unmap_phys", "dma_unmap_resource", "dma_free",  "dma_free_pages",  "dma_free_sgt",
};
#define DMA_EVENTS (sizeof dma_events / sizeof *dma_events)
#define DMA_MAPS 6

static char instance[PATH_SIZE]; // empty: none
static char pipe_path[PATH_SIZE + 16];
static struct lines lines = {.fd = -1};

// ---- one line ----

// Time in seconds that ends at `end`, as it is written; false: none with decimals.
static bool time_before(const char *line, const char *end, char *time, size_t size)
{
    while (end > line && end[-1] == ' ')
        end--;
    if (end == line || *--end != ':')
        return false;
    const char *begin = end;
    while (begin > line && ((begin[-1] >= '0' && begin[-1] <= '9') || begin[-1] == '.'))
        begin--;
    while (begin[0] == '0' && begin[1] >= '0' && begin[1] <= '9') // JSON has no leading zeros
        begin++;
    const char *dot = memchr(begin, '.', (size_t)(end - begin));
    if (!dot || dot == begin || dot - begin > 12 || end - dot < 2 || end - dot > 11 ||
        memchr(dot + 1, '.', (size_t)(end - dot - 1)))
        return false;
    snprintf(time, size, "%.*s", (int)(end - begin), begin);
    return true;
}

static bool number_field(const char **at, const char *name, uint64_t *value)
{
    skip_blanks(at);
    if (!skip_text(at, name))
        return false;
    if (!skip_text(at, "0x"))
        return scan_decimal(at, value);
    size_t digits = scan_hex(at, value);
    return digits > 0 && digits <= 16;
}

static bool word_field(const char **at, const char *name, char *word, size_t size)
{
    skip_blanks(at);
    if (!skip_text(at, name))
        return false;
    size_t length = strcspn(*at, " \t");
    snprintf(word, size, "%.*s", (int)length, *at);
    *at += length;
    return length > 0 && length < size;
}

// The index of a name in a list; `count`: it is none of them.
static size_t index_of(const char *const *names, size_t count, const char *name, size_t length)
{
    size_t i = 0;
    while (i < count && (strlen(names[i]) != length || strncmp(names[i], name, length) != 0))
        i++;
    return i;
}

// Begins the fact of a map or an unmap. False if it has no bytes, which is said instead.
static bool begin_range(bool map, uint64_t start, uint64_t size)
{
    if (size == 0) {
        diagnostic("info", "empty-range", lines.source, lines.number, "the %s at 0x%llx has size 0",
                   map ? "map" : "unmap", (unsigned long long)start);
        return false;
    }
    fact_range(map ? "map" : "unmap", start, start + (size - 1));
    return true;
}

// The rest of that fact; texts that are empty are not known.
static void end_range(const char *device, const char *time)
{
    if (device[0])
        json_text("device", device);
    if (time[0])
        json_raw("time", time);
    json_text("origin", "ftrace");
    fact_end(lines.source, lines.number);
}

static bool read_mapping(const char *at, bool map, const char *time)
{
    char device[128] = "";
    uint64_t start, end = 0, paddr = 0, size, unmapped = 0;
    skip_blanks(&at);
    if (strncmp(at, "dev=", 4) == 0 && !word_field(&at, "dev=", device, sizeof device))
        return false;
    if (!number_field(&at, "iova=", &start))
        return false;
    skip_blanks(&at);
    bool has_end = skip_text(&at, "-");
    if ((has_end && !number_field(&at, "", &end)) || (map && !number_field(&at, "paddr=", &paddr)) ||
        !number_field(&at, "size=", &size) || (!map && !number_field(&at, "unmapped_size=", &unmapped)))
        return false;
    skip_blanks(&at);
    if (*at || (has_end && start + size != end) || (size > 0 && start + (size - 1) < start))
        return false;
    if (!begin_range(map, start, size))
        return true;
    if (map)
        json_hex("paddr", paddr);
    else
        json_hex("unmapped", unmapped);
    end_range(device, time);
    return true;
}

static bool read_fault(const char *at)
{
    const char *fields = strstr(at, " iova=");
    uint64_t address, flags;
    char device[128], driver[128];
    if (!fields)
        return false;
    // The driver's name may have blanks in it; the last word is the device.
    const char *end = fields;
    while (end > at && end[-1] == ' ')
        end--;
    const char *word = end;
    while (word > at && word[-1] != ' ')
        word--;
    const char *last = word;
    while (last > at && last[-1] == ' ')
        last--;
    skip_blanks(&at);
    if (word == end || end - word >= (int)sizeof device || !number_field(&fields, "iova=", &address) ||
        !number_field(&fields, "flags=", &flags))
        return false;
    snprintf(device, sizeof device, "%.*s", (int)(end - word), word);
    snprintf(driver, sizeof driver, "%.*s", last > at ? (int)(last - at) : 0, at);
    fact("fault");
    json_hex("address", address);
    json_text("device", device);
    json_text("access", flags & 1 ? "write" : "read");
    if (driver[0])
        json_text("driver", driver);
    fact_end(lines.source, lines.number);
    return true;
}

static bool read_group(const char *at)
{
    uint64_t number;
    char group[24], device[128];
    if (!number_field(&at, "groupID=", &number) || !word_field(&at, "device=", device, sizeof device))
        return false;
    snprintf(group, sizeof group, "%llu", (unsigned long long)number);
    fact("group");
    json_text("group", group);
    json_list("devices");
    json_text(NULL, device);
    json_list_end();
    fact_end(lines.source, lines.number);
    return true;
}

static bool read_attach(const char *at)
{
    char device[128];
    if (!word_field(&at, "device=", device, sizeof device))
        return false;
    diagnostic("info", "device-attached", lines.source, lines.number,
               "%s was attached to a domain; the event does not say which", device);
    return true;
}

static bool hex_field(const char **at, const char *name, uint64_t *value)
{
    const char *field = strstr(*at, name);
    if (!field)
        return false;
    field += strlen(name);
    size_t digits = scan_hex(&field, value);
    *at = field;
    return digits > 0 && digits <= 16;
}

static bool read_dma(const char *at, bool map, const char *time)
{
    char device[128];
    uint64_t start, size, paddr, pointer;
    if (!word_field(&at, "", device, sizeof device) || !hex_field(&at, " dma_addr=", &start) ||
        !number_field(&at, "size=", &size))
        return false;
    const char *memory = at;
    bool has_paddr = map && hex_field(&memory, " phys_addr=", &paddr);
    memory = at;
    bool is_null = strstr(at, " virt_addr=(n") || (hex_field(&memory, " virt_addr=", &pointer) && pointer == 0);
    if (map && (start == UINT64_MAX || (start == 0 && is_null))) {
        diagnostic("warning", "dma-map-failed", lines.source, lines.number,
                   "a DMA mapping of 0x%llx bytes for %s failed", (unsigned long long)size, device);
        return true;
    }
    if (size > 0 && start + (size - 1) < start)
        return false;
    if (!begin_range(map, start, size))
        return true;
    if (has_paddr)
        json_hex("paddr", paddr);
    end_range(device, time);
    return true;
}

// True: the line has an event of the DMA API, understood or not.
static bool read_dma_event(const char *line)
{
    char time[32] = "";
    for (const char *name = strstr(line, ": dma_"); name; name = strstr(name + 1, ": dma_")) {
        const char *at = name + 2;
        size_t length = strcspn(at, ": ");
        size_t event = index_of(dma_events, DMA_EVENTS, at, length);
        if (event == DMA_EVENTS || at[length] != ':' || at[length + 1] != ' ')
            continue;
        if (!time_before(line, at, time, sizeof time))
            time[0] = '\0';
        if (!read_dma(at + length + 2, event < DMA_MAPS, time))
            line_fault(&lines, "warning", "damaged-event", "malformed trace event: %.200s", at);
        return true;
    }
    return false;
}

static void read_lost(const char *line)
{
    const char *at = strstr(line, "[LOST ");
    uint64_t count;
    if (!at)
        return;
    at += 6;
    if (scan_decimal(&at, &count))
        diagnostic("warning", "trace-events-lost", lines.source, lines.number,
                   "%llu trace events were dropped because they were not read in time", (unsigned long long)count);
    else
        diagnostic("warning", "trace-events-lost", lines.source, lines.number, "trace events were dropped");
}

static void read_event(const char *line)
{
    static const char mark[] = ": IOMMU:";
    char time[32] = "";
    // What comes before the event may hold anything: it is a process's name.
    for (const char *at = strstr(line, mark); at; at = strstr(at + 1, mark)) {
        const char *name = at;
        while (name > line && ((name[-1] >= 'a' && name[-1] <= 'z') || name[-1] == '_'))
            name--;
        size_t event = index_of(events, EVENTS, name, (size_t)(at - name));
        if (event == EVENTS)
            continue;
        const char *fields = at + sizeof mark - 1;
        if (!time_before(line, name, time, sizeof time))
            time[0] = '\0';
        bool understood = event < 2    ? read_mapping(fields, event == 0, time)
                          : event == 2 ? read_fault(fields)
                          : event == 3 ? read_group(fields)
                                       : read_attach(fields);
        if (!understood)
            line_fault(&lines, "warning", "damaged-event", "malformed trace event: %.200s", name);
        return;
    }
    if (!read_dma_event(line))
        read_lost(line);
}

// ---- the instance ----

static bool write_file(const char *folder, const char *file, const char *text)
{
    char path[2 * PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

// Instances of probes that were killed. One that still has a reader cannot be removed.
static void remove_stale(const char *folder)
{
    struct names names;
    if (list_names(folder, &names) != 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.name[i];
        char path[PATH_SIZE];
        if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || !is_number(name + strlen(PREFIX)))
            continue;
        if (kill((pid_t)strtol(name + strlen(PREFIX), NULL, 10), 0) == 0 || errno != ESRCH)
            continue;
        snprintf(path, sizeof path, "%s/%.64s", folder, name);
        rmdir(path);
    }
    free_names(&names);
}

static bool start_recorded(void)
{
    static const char *const paths[] = {"/sys/kernel/tracing/trace", "/sys/kernel/debug/tracing/trace"};
    for (size_t i = 0; i < 2; i++) {
        int fd = root_open_file(paths[i]);
        if (fd < 0)
            continue;
        lines_begin(&lines, fd, paths[i]);
        return true;
    }
    diagnostic("info", "no-trace", paths[0], 0, "not found: with --sysroot a recorded trace is read");
    return false;
}

bool trace_start(void)
{
    static const char *const folders[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    char path[PATH_SIZE];
    if (trace_is_on())
        return true;
    if (!root_is_host())
        return start_recorded();
    const char *folder = folders[0];
    snprintf(path, sizeof path, "%s/instances", folder);
    if (access(path, F_OK) != 0 && errno != EACCES) {
        folder = folders[1];
        snprintf(path, sizeof path, "%s/instances", folder);
    }
    if (access(path, F_OK) != 0) {
        unavailable(errno, "no-trace", folders[0], "needs tracefs (mount -t tracefs none /sys/kernel/tracing)");
        return false;
    }
    remove_stale(path);
    snprintf(instance, sizeof instance, "%s/instances/" PREFIX "%d", folder, (int)getpid());
    if (mkdir(instance, 0700) != 0) {
        unavailable(errno, "no-trace", instance, "cannot create a trace instance");
        instance[0] = '\0';
        return false;
    }
    write_file(instance, "buffer_size_kb", KIB_PER_CPU);
    unsigned enabled = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        snprintf(path, sizeof path, "events/iommu/%s/enable", events[i]);
        enabled += write_file(instance, path, "1");
    }
    for (size_t i = 0; i < DMA_EVENTS; i++) {
        snprintf(path, sizeof path, "events/dma/%s/enable", dma_events[i]);
        enabled += write_file(instance, path, "1");
    }
    snprintf(pipe_path, sizeof pipe_path, "%s/trace_pipe", instance);
    int fd = enabled ? open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0) {
        diagnostic("warning", "no-trace", instance, 0, "%s",
                   enabled ? strerror(errno) : "this kernel has no trace events of IOMMUs or the DMA API (events/iommu, events/dma)");
        trace_stop();
        return false;
    }
    lines_begin(&lines, fd, pipe_path);
    return true;
}

void trace_read(void)
{
    if (!trace_is_on())
        return;
    stream_name("trace");
    for (int i = 0; i < LINES_AT_ONCE; i++) {
        const char *line = lines_next(&lines);
        if (!line)
            break;
        read_event(line);
    }
    if (lines.finished && lines.begin == lines.end)
        trace_stop();
    stream_name(NULL);
}

void trace_stop(void)
{
    if (lines.fd >= 0)
        lines_end(&lines);
    if (instance[0] && rmdir(instance) != 0)
        diagnostic("warning", "trace-instance-left", instance, 0, "cannot remove it: %s", strerror(errno));
    instance[0] = '\0';
}

bool trace_is_on(void)
{
    return lines.fd >= 0;
}
