// IOMMUs: /sys/class/iommu/NAME, with the registers that Intel's and AMD's drivers show there and its devices.
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define IOMMUS "/sys/class/iommu"
#define NAME_ROOM 2048

// A file of hex digits; false: not there, or no 64-bit number.
static bool read_hex(const char *name, const char *file, uint64_t *value)
{
    char path[PATH_SIZE], text[64];
    const char *at = text;
    snprintf(path, sizeof path, IOMMUS "/%s/%s", name, file);
    if (read_value(path, text, sizeof text) != 0)
        return false;
    skip_text(&at, "0x");
    size_t digits = scan_hex(&at, value);
    return digits > 0 && digits <= 16 && *at == '\0';
}

// For drivers that show nothing of their own: by how they name their IOMMUs. virtio's have the names of PCI devices.
static const char *driver_of(const char *name)
{
    char path[PATH_SIZE], driver[64];
    static const char *const known[][2] = {{"dmar", "intel"},      {"ivhd", "amd"},           {"smmu3.", "smmu-v3"},
                                           {"smmu.", "smmu-v2"},   {"virtio", "virtio"},      {"s390", "s390"},
                                           {"riscv", "riscv"},     {"apple-dart", "apple-dart"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(name, known[i][0], strlen(known[i][0])) == 0)
            return known[i][1];
    snprintf(path, sizeof path, IOMMUS "/%s/device/driver", name);
    bool virtio = read_link_name(path, driver, sizeof driver) == 0 && strcmp(driver, "virtio_iommu") == 0;
    return virtio ? "virtio" : "unknown";
}

// Intel's CAP register: address width (MGAW, stored minus one), and page sizes of the second stage.
static void intel_fields(uint64_t cap)
{
    json_number("address_width", (long long)(cap >> 16 & 0x3f) + 1);
    json_hex("cap", cap);
    json_hex("pgsize_bitmap", 0x1000 | (cap >> 34 & 1 ? 0x200000 : 0) | (cap >> 35 & 1 ? 0x40000000 : 0));
}

static void report_iommu(const char *name)
{
    char path[PATH_SIZE], source[PATH_SIZE], text[256];
    uint64_t value;
    snprintf(source, sizeof source, IOMMUS "/%s", name);
    snprintf(path, sizeof path, "%s/intel-iommu", source);
    bool intel = root_has(path);
    snprintf(path, sizeof path, "%s/amd-iommu", source);
    bool amd = root_has(path);
    fact("iommu");
    json_text("name", name);
    json_text("driver", intel ? "intel" : amd ? "amd" : driver_of(name));
    if (intel) {
        if (read_hex(name, "intel-iommu/cap", &value))
            intel_fields(value);
        if (read_hex(name, "intel-iommu/ecap", &value))
            json_hex("ecap", value);
        snprintf(path, sizeof path, "%s/intel-iommu/version", source);
        if (read_value(path, text, sizeof text) == 0 && text[0])
            json_text("hardware_version", text);
    } else if (amd) {
        if (read_hex(name, "amd-iommu/cap", &value))
            json_hex("cap", value);
        snprintf(path, sizeof path, "%s/amd-iommu/features", source);
        if (read_value(path, text, sizeof text) == 0 && text[0]) // one register, or two with a colon between them
            json_text("features", text);
    }
    struct names devices;
    snprintf(path, sizeof path, "%s/devices", source);
    size_t listed = 0;
    if (list_names(path, &devices) == 0) {
        json_list("devices");
        for (; listed < devices.count && json_room() > NAME_ROOM; listed++)
            json_text(NULL, devices.name[listed]);
        json_list_end();
    }
    fact_end(source, 0);
    if (listed < devices.count)
        diagnostic("warning", "iommu-cut", source, 0, "only %zu of %zu devices are listed", listed, devices.count);
    free_names(&devices);
}

void report_iommus(void)
{
    struct names iommus;
    int error = list_names(IOMMUS, &iommus);
    if (error)
        unavailable(error, "no-iommus", IOMMUS, "needs sysfs and a kernel with IOMMU support");
    else if (iommus.count == 0)
        diagnostic("info", "no-iommus", IOMMUS, 0, "no driver has registered an IOMMU");
    for (size_t i = 0; i < iommus.count && !stopping; i++)
        report_iommu(iommus.name[i]);
    free_names(&iommus);
}
