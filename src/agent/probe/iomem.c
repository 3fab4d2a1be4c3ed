// /proc/iomem: what the host's physical address space holds. A line a range, two blanks a level, both ends inclusive:
//
//   *"  " hex "-" hex " : " name
//
// Read without privilege, all addresses are zero. The types are those that src/dumps/formats/iomem.ts gives.
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "probe.h"

#define IOMEM "/proc/iomem"

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool starts(const char *name, const char *prefix)
{
    return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

static bool starts_with_word(const char *name, const char *word)
{
    return starts(name, word) && !is_word_character(name[strlen(word)]);
}

static bool has_word(const char *name, const char *word)
{
    for (const char *at = name; *at; at++)
        if ((at == name || !is_word_character(at[-1])) && starts_with_word(at, word))
            return true;
    return false;
}

static bool is_memory(const char *name)
{
    return starts_with_word(name, "System RAM") || starts_with_word(name, "Persistent Memory") ||
           starts_with_word(name, "Soft Reserved") || starts_with_word(name, "CXL Window");
}

// pci@1000, pcie@40000000: nodes of a device tree.
static bool is_pci_node(const char *name)
{
    const char *at = name + (starts(name, "pcie@") ? 5 : 4);
    uint64_t value;
    return (starts(name, "pci@") || starts(name, "pcie@")) && scan_hex(&at, &value) > 0 && *at == '\0';
}

static const char *window_type(const char *name, bool in_memory)
{
    static const char *const others[] = {
        "Kernel",        "Crash kernel",  "ACPI",      "Video ROM", "System ROM",    "Adapter ROM",
        "Video RAM",     "Persistent Memory", "Soft Reserved", "Unusable",  "Unknown",  "Unaddressable",
        "CXL Window",    "Graphics Stolen", "RAM buffer", "EFI",    "device tree"};
    size_t length = strlen(name);
    if (starts_with_word(name, "System RAM"))
        return "ram";
    if (strcasecmp(name, "reserved") == 0)
        return "reserved";
    if (has_word(name, "ECAM") || has_word(name, "MMCONFIG") || has_word(name, "MMCFG") ||
        (length >= 12 && strcasecmp(name + length - 12, ".pcie config") == 0))
        return "ecam";
    if (starts_with_word(name, "PCI Bus") || starts_with_word(name, "PCIe Bus") || starts_with_word(name, "PCI-X Bus") ||
        is_pci_node(name))
        return "pci";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (starts(name, others[i]))
            return "other";
    if ((starts(name, "namespace") && name[9] >= '0' && name[9] <= '9') ||
        (starts(name, "dax") && name[3] >= '0' && name[3] <= '9'))
        return "other";
    return in_memory ? "other" : "mmio";
}

struct row {
    size_t indent, digits;
    uint64_t start, last;
    const char *name;
};

static bool read_row(const char *line, struct row *row)
{
    const char *at = line + strspn(line, " ");
    row->indent = (size_t)(at - line);
    size_t first = scan_hex(&at, &row->start);
    if (first == 0 || !skip_text(&at, "-"))
        return false;
    size_t second = scan_hex(&at, &row->last);
    row->digits = first > second ? first : second;
    row->name = at + 3;
    return second > 0 && skip_text(&at, " : ") && *at;
}

void report_iomem(void)
{
    static struct lines lines;
    int fd = root_open_file(IOMEM);
    if (fd < 0) {
        unavailable(errno, "no-iomem", IOMEM, "needs procfs");
        return;
    }
    lines_begin(&lines, fd, IOMEM);
    bool hidden = false;
    size_t memory = SIZE_MAX; // indentation of the memory that the lines below may lie in
    const char *line;
    while ((line = lines_next(&lines))) {
        struct row row;
        if (!line[strspn(line, " \t")])
            continue;
        if (!read_row(line, &row)) {
            line_fault(&lines, "warning", "damaged-window", "expected a range with a name: %.120s", line);
        } else if (row.digits > 16) {
            line_fault(&lines, "error", "too-many-digits", "an address with more than 16 hex digits: %.120s", line);
        } else if (row.start == 0 && row.last == 0) {
            if (!hidden)
                diagnostic("warning", "addresses-hidden", IOMEM, lines.number,
                           "all addresses are zero: run the probe as root (CAP_SYS_ADMIN) to read them");
            hidden = true;
        } else if (row.start > row.last) {
            line_fault(&lines, "error", "start-above-last", "start is above last: %.120s", line);
        } else {
            if (memory != SIZE_MAX && row.indent <= memory)
                memory = SIZE_MAX;
            const char *type = window_type(row.name, memory != SIZE_MAX);
            if (memory == SIZE_MAX && is_memory(row.name))
                memory = row.indent;
            fact_range("window", row.start, row.last);
            json_text("name", row.name);
            json_number("depth", (long long)(row.indent / 2));
            json_text("type", type);
            fact_end(IOMEM, lines.number);
        }
    }
    lines_end(&lines);
}
