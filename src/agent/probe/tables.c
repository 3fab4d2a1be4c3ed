// Intel's page tables, as debugfs shows them: /sys/kernel/debug/iommu/intel/domain_translation_struct, or since
// Linux 6.6 one such file in the folder of each device (and of each of its PASIDs).
//
//   "Device" name ["with pasid" hex] "@0x" hex               the root of the table: devices with the same share a domain
//   "0x" hex "|" PML5E PML4E PDPE [PDE [PTE]]                 the first is the IOVA in pages of 4 KiB
//
// The last entry that is not 0 is the leaf: a PTE, or a PDE (2 MiB) or PDPE (1 GiB) with bit 7. Bits 0 and 1: read,
// write. Pages that run on in both spaces are one fact.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define TABLES "/sys/kernel/debug/iommu/intel"
#define FILE_NAME "domain_translation_struct"
#define ENTRIES 5
#define ADDRESS_BITS 0x000ffffffffff000u
#define LARGE (1u << 7)

static struct {
    char device[256];
    uint64_t domain, pasid;
    bool has_pasid, known;
} owner;

static struct {
    uint64_t start, last, paddr;
    unsigned access;
    unsigned long line; // 0: none
} run;

static void run_end(const char *source)
{
    if (run.line == 0)
        return;
    fact_range("map", run.start, run.last);
    json_hex("paddr", run.paddr);
    if (owner.known) {
        json_text("device", owner.device);
        json_hex("domain", owner.domain);
    }
    json_text("origin", "page-table");
    if (run.access != 3) {
        json_bool("read", run.access & 1);
        json_bool("write", run.access & 2);
    }
    if (owner.has_pasid)
        json_number("pasid", (long long)owner.pasid);
    fact_end(source, run.line);
    run.line = 0;
}

static bool read_owner(const char *at)
{
    skip_blanks(&at);
    if (!skip_text(&at, "Device "))
        return false;
    skip_blanks(&at);
    size_t length = strcspn(at, " \t");
    if (length == 0 || length >= sizeof owner.device)
        return false;
    snprintf(owner.device, sizeof owner.device, "%.*s", (int)length, at);
    at += length;
    skip_blanks(&at);
    owner.has_pasid = skip_text(&at, "with pasid ");
    size_t digits = owner.has_pasid ? scan_hex(&at, &owner.pasid) : 1;
    skip_blanks(&at);
    if (digits == 0 || digits > 8 || !skip_text(&at, "@0x"))
        return false;
    digits = scan_hex(&at, &owner.domain);
    return digits > 0 && digits <= 16;
}

// Puts a row's page behind the pages before it. False: the row is damaged, or has no leaf.
static bool read_row(const char *at, const struct lines *lines)
{
    uint64_t frame, entry[ENTRIES] = {0};
    size_t digits, count = 0;
    skip_blanks(&at);
    if (!skip_text(&at, "0x") || (digits = scan_hex(&at, &frame)) == 0 || digits > 16 || frame >> 52)
        return false;
    skip_blanks(&at);
    if (!skip_text(&at, "|"))
        return false;
    for (skip_blanks(&at); *at; skip_blanks(&at)) {
        if (count == ENTRIES || !skip_text(&at, "0x"))
            return false;
        digits = scan_hex(&at, &entry[count++]);
        if (digits == 0 || digits > 16)
            return false;
    }
    int leaf = entry[4] ? 4 : entry[3] ? 3 : 2;
    uint64_t size = leaf == 4 ? 0x1000 : leaf == 3 ? 0x200000 : 0x40000000;
    uint64_t start = frame << 12;
    unsigned access = entry[leaf] & 3;
    if (count < 3 || (leaf < 4 && !(entry[leaf] & LARGE)) || access == 0 || start % size != 0)
        return false;
    uint64_t paddr = entry[leaf] & ADDRESS_BITS & ~(size - 1);
    if (run.line && run.last + 1 == start && start != 0 && run.paddr + (run.last - run.start) + 1 == paddr &&
        run.access == access) {
        run.last = start + (size - 1);
        return true;
    }
    run_end(lines->source);
    run.start = start;
    run.last = start + (size - 1);
    run.paddr = paddr;
    run.access = access;
    run.line = lines->number;
    return true;
}

// Returns 0 or the errno of opening the file.
static int report_table(const char *path)
{
    static struct lines lines;
    int fd = root_open_file(path);
    if (fd < 0)
        return errno;
    lines_begin(&lines, fd, path);
    owner.known = owner.has_pasid = false;
    const char *line;
    while ((line = lines_next(&lines))) {
        const char *at = line;
        skip_blanks(&at);
        if (!*at || strncmp(at, "IOVA_PFN", 8) == 0)
            continue;
        bool row = strncmp(at, "0x", 2) == 0;
        if (row && read_row(line, &lines))
            continue;
        run_end(path);
        if (!row)
            owner.known = read_owner(line);
        if (row || !owner.known)
            line_fault(&lines, "warning", "damaged-page-table", "malformed, or has no leaf: %.160s", line);
    }
    run_end(path);
    lines_end(&lines);
    return 0;
}

// The tables in a folder and, `depth` levels down, in the folders below it. Returns how many there were.
static unsigned report_folder(const char *folder, int depth)
{
    char path[PATH_SIZE];
    struct names names;
    unsigned found = 0;
    if (list_names(folder, &names) != 0)
        return 0;
    for (size_t i = 0; i < names.count && !stopping; i++) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, names.name[i]) >= sizeof path)
            continue;
        if (strcmp(names.name[i], FILE_NAME) == 0) {
            int error = report_table(path);
            if (error)
                unavailable(error, "no-page-tables", path, "it was removed meanwhile");
            found++;
        } else if (depth > 0) {
            found += report_folder(path, depth - 1);
        }
    }
    free_names(&names);
    return found;
}

void report_tables(void)
{
    struct names names;
    int error = list_names(TABLES, &names);
    free_names(&names);
    if (error)
        unavailable(error, "no-page-tables", TABLES,
                    "needs an Intel IOMMU, a kernel with CONFIG_INTEL_IOMMU_DEBUGFS, and debugfs "
                    "(mount -t debugfs none /sys/kernel/debug)");
    else if (report_folder(TABLES, 2) == 0)
        diagnostic("info", "no-page-tables", TABLES, 0, "there is no " FILE_NAME " (needs Linux 5.5 or newer)");
}
