// IOMMU groups: /sys/kernel/iommu_groups/N/{type,reserved_regions,devices/}, and what sysfs says of each device.
//
// reserved_regions has a line a region, both ends inclusive: "0x" hex " 0x" hex " " type
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

#define GROUPS "/sys/kernel/iommu_groups"
// What one device takes in a line at most: its name twice, four values, each character escaped.
#define DEVICE_ROOM 12288

// PCI classes by their upper 16 bits; those of a whole base class come last.
static const struct {
    unsigned base, sub;
    const char *name;
} classes[] = {
    {0x01, 0x01, "IDE"},         {0x01, 0x04, "RAID"},          {0x01, 0x06, "SATA"},
    {0x01, 0x07, "SAS"},         {0x01, 0x08, "NVMe"},          {0x02, 0x00, "Ethernet"},
    {0x02, 0x07, "InfiniBand"},  {0x03, 0x00, "VGA"},           {0x03, 0x02, "3D"},
    {0x04, 0x01, "audio"},       {0x04, 0x03, "audio"},         {0x06, 0x00, "host bridge"},
    {0x06, 0x01, "ISA bridge"},  {0x06, 0x04, "PCI bridge"},    {0x08, 0x06, "IOMMU"},
    {0x0c, 0x03, "USB"},         {0x0c, 0x05, "SMBus"},
    {0x01, 0x100, "storage"},    {0x02, 0x100, "network"},      {0x03, 0x100, "display"},
    {0x04, 0x100, "multimedia"}, {0x05, 0x100, "memory"},       {0x06, 0x100, "bridge"},
    {0x07, 0x100, "serial"},     {0x08, 0x100, "system"},       {0x09, 0x100, "input"},
    {0x0b, 0x100, "processor"},  {0x0c, 0x100, "serial bus"},   {0x0d, 0x100, "wireless"},
    {0x10, 0x100, "encryption"}, {0x11, 0x100, "signal processing"}, {0x12, 0x100, "accelerator"},
};

static const char *class_name(const char *text)
{
    uint64_t value;
    if (!skip_text(&text, "0x") || scan_hex(&text, &value) != 6 || *text)
        return NULL;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].base == value >> 16 && (classes[i].sub == (value >> 8 & 0xff) || classes[i].sub == 0x100))
            return classes[i].name;
    return NULL;
}

static void device_details(const char *folder, const char *device)
{
    static const char *const values[][2] = {{"vendor", "vendor"}, {"device", "device_id"}, {"class", "class"}};
    char path[PATH_SIZE], value[256];
    json_object();
    json_text("device", device);
    snprintf(path, sizeof path, "%s/%s/driver", folder, device);
    if (read_link_name(path, value, sizeof value) == 0 && value[0])
        json_text("driver", value);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", folder, device, values[i][0]);
        if (read_value(path, value, sizeof value) != 0 || !value[0])
            continue;
        json_text(values[i][1], value);
        if (i == 2 && class_name(value))
            json_text("class_name", class_name(value));
    }
    json_object_end();
}

static void report_group(const char *group)
{
    char path[PATH_SIZE], source[PATH_SIZE], type[256];
    struct names devices;
    snprintf(source, sizeof source, GROUPS "/%s", group);
    snprintf(path, sizeof path, "%s/devices", source);
    int error = list_names(path, &devices);
    if (error)
        unavailable(error, "no-devices", path, "the group's devices are unknown");
    snprintf(path, sizeof path, "%s/type", source);
    error = read_value(path, type, sizeof type);
    if (error && error != ENOENT) // it came with Linux 4.20
        unavailable(error, "no-type", path, "the group's type is unknown");
    fact("group");
    json_text("group", group);
    if (type[0])
        json_text("type", type);
    size_t listed = 0;
    json_list("devices");
    // Half of the line is for the names, the rest for what is known of them.
    for (size_t room = json_room(); listed < devices.count && json_room() > room / 2; listed++)
        json_text(NULL, devices.name[listed]);
    json_list_end();
    snprintf(path, sizeof path, "%s/devices", source);
    size_t described = 0;
    json_list("details");
    for (; described < listed && json_room() > DEVICE_ROOM; described++)
        device_details(path, devices.name[described]);
    json_list_end();
    fact_end(source, 0);
    if (described < devices.count)
        diagnostic("warning", "group-cut", source, 0, "the group has %zu devices; %zu are listed and %zu described", devices.count,
                   listed, described);
    free_names(&devices);
}

static bool is_type(const char *word)
{
    size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return word[0] >= 'a' && word[0] <= 'z' && length <= 64 && word[length + strspn(word + length, " \t")] == '\0';
}

static void report_region(struct lines *lines, const char *line, const char *group)
{
    const char *at = line;
    uint64_t bound[2];
    size_t digits[2];
    skip_blanks(&at);
    if (!*at)
        return;
    for (int i = 0; i < 2; i++) {
        skip_blanks(&at);
        digits[i] = skip_text(&at, "0x") ? scan_hex(&at, &bound[i]) : 0;
        if (digits[i] == 0 || (*at != ' ' && *at != '\t')) {
            line_fault(lines, "warning", "damaged-region", "malformed region: %.120s", line);
            return;
        }
    }
    skip_blanks(&at);
    if (!is_type(at)) {
        line_fault(lines, "warning", "damaged-region", "malformed region: %.120s", line);
    } else if (digits[0] > 16 || digits[1] > 16) {
        line_fault(lines, "error", "too-many-digits", "an address with more than 16 hex digits: %.120s", line);
    } else if (bound[0] > bound[1]) {
        line_fault(lines, "error", "start-above-last", "start is above last: %.120s", line);
    } else {
        char type[80];
        snprintf(type, sizeof type, "%.*s", (int)strcspn(at, " \t"), at);
        fact_range("reserved", bound[0], bound[1]);
        json_text("type", type);
        json_text("origin", "sysfs");
        json_text("group", group);
        fact_end(lines->source, lines->number);
    }
}

static void report_regions(const char *group)
{
    char path[PATH_SIZE];
    static struct lines lines;
    snprintf(path, sizeof path, GROUPS "/%s/reserved_regions", group);
    int fd = root_open_file(path);
    if (fd < 0) {
        unavailable(errno, "no-reserved-regions", path, "needs Linux 4.11 or newer");
        return;
    }
    lines_begin(&lines, fd, path);
    const char *line;
    while ((line = lines_next(&lines)))
        report_region(&lines, line, group);
    lines_end(&lines);
}

void report_groups(void)
{
    struct names groups;
    int error = list_names(GROUPS, &groups);
    if (error)
        unavailable(error, "no-iommu-groups", GROUPS, "needs sysfs and a kernel with IOMMU support");
    else if (groups.count == 0)
        diagnostic("info", "no-iommu-groups", GROUPS, 0,
                   "no IOMMU groups: there is no IOMMU, or it is disabled (check the firmware setup and intel_iommu=on, amd_iommu=, iommu=)");
    for (size_t i = 0; i < groups.count && !stopping; i++) {
        report_group(groups.name[i]);
        report_regions(groups.name[i]);
    }
    free_names(&groups);
}
