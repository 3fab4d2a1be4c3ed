// Live address spaces: what IOVA ranges the kernel gives to processes that hold a VFIO container (/dev/vfio/vfio) or an
// iommufd (/dev/iommu). The descriptor is duplicated (pidfd_getfd), asked, and closed at once; the process is not stopped
// and does not notice. Exactly two requests are made, and both only read: VFIO_IOMMU_GET_INFO and
// IOMMU_IOAS_IOVA_RANGES.
//
// A process may end at any time, and its number be reused. So the pidfd is opened first, and what was read is used only if
// the pidfd's process still exists afterwards. A descriptor may be closed and its number be reused: so it is checked again
// after it was duplicated. Neither is an error.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#define SAME_FILE 0 // KCMP_FILE

// <linux/vfio.h>: struct vfio_iommu_type1_info and its capabilities.
#define GET_INFO (';' << 8 | 112) // VFIO_IOMMU_GET_INFO
#define INFO_SIZE 24
#define INFO_PGSIZES 1
#define INFO_CAPS 2
#define CAP_IOVA_RANGE 1
#define CAP_DMA_AVAIL 3
#define MAX_CAPS 64

// <linux/iommufd.h>: struct iommu_ioas_iova_ranges.
#define IOVA_RANGES (';' << 8 | 0x84) // IOMMU_IOAS_IOVA_RANGES
struct iova_ranges {
    uint32_t size, ioas_id, num_iovas, reserved;
    uint64_t allowed_iovas, out_iova_alignment;
};
_Static_assert(sizeof(struct iova_ranges) == 32, "as the kernel has it");
#define LAST_OBJECT 4096 // object ids are looked at up to here,
#define MISSES 64        // or until so many in a row are no IOAS

static union {
    uint8_t bytes[65536];
    struct {
        uint32_t argsz, flags;
        uint64_t iova_pgsizes;
        uint32_t cap_offset, pad;
    } info;
    uint64_t range[8192]; // pairs of start and last
} answer;

struct holder {
    int pid, fd;
    bool iommufd;
    char process[64], guest[256], source[64];
};

#define MAX_SEEN 512
static struct holder seen[MAX_SEEN];
static size_t seen_count;
static unsigned forbidden;

static bool is_gone(int pidfd)
{
    struct pollfd process = {.fd = pidfd, .events = POLLIN};
    return poll(&process, 1, 0) != 0;
}

// The name in QEMU's `-name guest=NAME,…` or `-name NAME,…`, or in crosvm's `--name NAME`.
static void find_guest(struct holder *holder)
{
    static char arguments[32768];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", holder->pid);
    int fd = root_open(path, O_RDONLY);
    ssize_t count = fd < 0 ? -1 : read(fd, arguments, sizeof arguments - 1);
    if (fd >= 0)
        close(fd);
    if (count <= 0)
        return;
    arguments[count] = '\0';
    const char *end = arguments + count, *value = NULL;
    for (const char *at = arguments; at < end && !value; at += strlen(at) + 1) {
        if (strcmp(at, "-name") == 0 || strcmp(at, "--name") == 0)
            value = at + strlen(at) + 1;
        else if (strncmp(at, "--name=", 7) == 0)
            value = at + 7;
    }
    if (!value || value >= end)
        return;
    const char *named = strncmp(value, "guest=", 6) == 0 ? value : strstr(value, ",guest=");
    if (named)
        value = strchr(named, '=') + 1;
    size_t length = 0;
    for (; *value && length < sizeof holder->guest - 1; value++) {
        if (*value == ',' && *++value != ',') // a comma in a name is written twice
            break;
        holder->guest[length++] = *value;
    }
    holder->guest[length] = '\0';
}

// Asks about an earlier descriptor that is the same open file; NULL: none.
static const struct holder *same_as(const struct holder *holder)
{
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i].iommufd == holder->iommufd &&
            syscall(SYS_kcmp, seen[i].pid, holder->pid, SAME_FILE, seen[i].fd, holder->fd) == 0)
            return &seen[i];
    if (seen_count < MAX_SEEN)
        seen[seen_count++] = *holder;
    return NULL;
}

static void begin_range(const struct holder *holder, uint64_t start, uint64_t last, unsigned ioas)
{
    char space[64];
    fact_range("valid_range", start, last);
    int length = snprintf(space, sizeof space, "pid %d fd %d", holder->pid, holder->fd);
    if (ioas)
        snprintf(space + length, sizeof space - (size_t)length, " ioas %u", ioas);
    json_text(ioas ? "ioas" : "container", space);
    json_number("pid", holder->pid);
    json_text("process", holder->process);
    if (holder->guest[0])
        json_text("guest", holder->guest);
}

static void report_reversed(const struct holder *holder)
{
    diagnostic("warning", "start-above-last", holder->source, 0, "the kernel returned a range whose start is above its last address");
}

// ---- VFIO ----

// Fills `answer`. Returns the number of bytes in it, or 0, with the errno in `error`.
static size_t ask_container(int fd, int *error)
{
    uint32_t size = 256;
    for (;;) {
        memset(&answer, 0, size);
        answer.info.argsz = size;
        if (ioctl(fd, GET_INFO, &answer) != 0) {
            *error = errno;
            return 0;
        }
        uint32_t wanted = answer.info.argsz;
        if (wanted <= size) // older kernels say less than we gave
            return size;
        if (wanted > sizeof answer) {
            *error = EMSGSIZE;
            return 0;
        }
        size = wanted;
    }
}

// The capability with this id; 0: none. The chain is what the kernel wrote, but nothing here relies on that.
static size_t find_capability(size_t size, unsigned id, size_t least)
{
    size_t at = answer.info.flags & INFO_CAPS ? answer.info.cap_offset : 0;
    for (int i = 0; i < MAX_CAPS && at >= INFO_SIZE && at + 8 <= size; i++) {
        uint16_t own;
        uint32_t next;
        memcpy(&own, answer.bytes + at, sizeof own);
        memcpy(&next, answer.bytes + at + 4, sizeof next);
        if (own == id)
            return at + least <= size ? at : 0;
        at = next;
    }
    return 0;
}

static uint64_t counts; // of this report

uint64_t mapping_counts(void)
{
    return counts;
}

static void report_container(const struct holder *holder, size_t size, int error)
{
    if (error == EINVAL || error == ENOTTY) {
        diagnostic("info", "container-without-iommu", holder->source, 0,
                   "the container of pid %d (%s) has no IOMMU set: no group is attached yet", holder->pid, holder->process);
        return;
    }
    if (error) {
        diagnostic("warning", "container-unreadable", holder->source, 0, "VFIO_IOMMU_GET_INFO: %s", strerror(error));
        return;
    }
    size_t at = find_capability(size, CAP_IOVA_RANGE, 16);
    uint32_t count = 0, left = 0;
    if (at)
        memcpy(&count, answer.bytes + at + 8, sizeof count);
    size_t avail = find_capability(size, CAP_DMA_AVAIL, 12);
    if (avail)
        memcpy(&left, answer.bytes + avail + 8, sizeof left);
    counts = (counts ^ left) * 0x100000001b3u; // FNV-1a, by number
    if (at && count > (size - at - 16) / 16) {
        diagnostic("warning", "container-damaged", holder->source, 0, "the kernel's answer is too short for its %u ranges", count);
        return;
    }
    if (count == 0)
        diagnostic("info", "container-without-ranges", holder->source, 0,
                   "the container of pid %d (%s) reports no ranges (needs Linux 5.4 or newer)", holder->pid, holder->process);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t range[2];
        memcpy(range, answer.bytes + at + 16 + 16 * (size_t)i, sizeof range);
        if (range[0] > range[1]) {
            report_reversed(holder);
            continue;
        }
        begin_range(holder, range[0], range[1], 0);
        if (avail && !json_is_hashing()) // counted apart, see mapping_counts()
            json_number("mappings_left", left);
        if (answer.info.flags & INFO_PGSIZES)
            json_hex("pgsize_bitmap", answer.info.iova_pgsizes);
        fact_end(holder->source, 0);
    }
}

// ---- iommufd ----

static int ask_ioas(int fd, uint32_t id, struct iova_ranges *ask)
{
    *ask = (struct iova_ranges){.size = sizeof *ask, .ioas_id = id, .num_iovas = sizeof answer / 16};
    ask->allowed_iovas = (uint64_t)(uintptr_t)&answer;
    // Told too small (EMSGSIZE), the kernel says how many there are; more than this are not shown.
    return ioctl(fd, IOVA_RANGES, ask) == 0 ? 0 : errno;
}

static void report_iommufd(const struct holder *holder, int copy, int pidfd)
{
    unsigned found = 0, misses = 0;
    for (uint32_t id = 1; id <= LAST_OBJECT && misses < MISSES; id++) {
        struct iova_ranges ask;
        int error = ask_ioas(copy, id, &ask);
        if (error == ENOENT || error == EINVAL) {
            misses++;
            continue;
        }
        if (is_gone(pidfd))
            return;
        if (error && error != EMSGSIZE) {
            diagnostic("warning", "iommufd-unreadable", holder->source, 0, "IOMMU_IOAS_IOVA_RANGES: %s", strerror(error));
            return;
        }
        misses = 0;
        found++;
        size_t most = sizeof answer / 16;
        for (size_t i = 0; i < ask.num_iovas && i < most; i++) {
            if (answer.range[2 * i] > answer.range[2 * i + 1]) {
                report_reversed(holder);
                continue;
            }
            begin_range(holder, answer.range[2 * i], answer.range[2 * i + 1], id);
            json_hex("alignment", ask.out_iova_alignment);
            fact_end(holder->source, 0);
        }
        if (error)
            diagnostic("warning", "ioas-cut", holder->source, 0, "IOAS %u has %u ranges; %zu are shown", id, ask.num_iovas,
                       most);
    }
    if (found == 0)
        diagnostic("info", "iommufd-without-ioas", holder->source, 0, "the iommufd of pid %d (%s) has no address space",
                   holder->pid, holder->process);
}

// ---- processes ----

// The number that sysfs gives for a device, such as 10:196; false: the kernel has no such device.
static bool device_number(const char *path, dev_t *device)
{
    char text[32];
    const char *at = text;
    uint64_t major, minor;
    if (read_value(path, text, sizeof text) != 0 || !scan_decimal(&at, &major) || !skip_text(&at, ":") ||
        !scan_decimal(&at, &minor) || *at || major > UINT32_MAX || minor > UINT32_MAX)
        return false;
    *device = makedev((unsigned)major, (unsigned)minor);
    return true;
}

// 0: neither; 1: a VFIO container; 2: an iommufd. Any file may have such a name: only the kernel's own device is asked.
static int kind_of(int folder, const char *name)
{
    char target[32];
    struct stat file;
    dev_t device;
    ssize_t length = readlinkat(folder, name, target, sizeof target - 1);
    if (length <= 0)
        return 0;
    target[length] = '\0';
    int kind = strcmp(target, "/dev/vfio/vfio") == 0 ? 1 : strcmp(target, "/dev/iommu") == 0 ? 2 : 0;
    if (kind == 0 || fstatat(folder, name, &file, 0) != 0 || !S_ISCHR(file.st_mode))
        return 0;
    const char *number = kind == 1 ? "/sys/class/misc/vfio/dev" : "/sys/class/misc/iommu/dev";
    return device_number(number, &device) && file.st_rdev == device ? kind : 0;
}

static void report_descriptor(struct holder *holder, int pidfd)
{
    char name[32];
    const struct holder *other = same_as(holder);
    if (other) {
        diagnostic("info", "same-container", holder->source, 0, "pid %d fd %d is the same as pid %d fd %d", holder->pid,
                   holder->fd, other->pid, other->fd);
        return;
    }
    int copy = (int)syscall(SYS_pidfd_getfd, pidfd, holder->fd, 0);
    if (copy < 0) {
        int error = errno;
        if (error == ESRCH || error == EBADF || is_gone(pidfd))
            return;
        diagnostic("warning", "descriptor-forbidden", holder->source, 0,
                   "pid %d (%s) holds %s, which cannot be queried: %s; needs root (CAP_SYS_PTRACE) and Linux 5.6 or newer",
                   holder->pid, holder->process, holder->iommufd ? "an iommufd" : "a VFIO container", strerror(error));
        return;
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d", copy);
    int error = 0;
    size_t size = 0;
    if (kind_of(AT_FDCWD, name) != (holder->iommufd ? 2 : 1)) {
        close(copy);
        return;
    }
    if (holder->iommufd) {
        report_iommufd(holder, copy, pidfd);
        close(copy);
        return;
    }
    size = ask_container(copy, &error);
    close(copy);
    if (!is_gone(pidfd))
        report_container(holder, size, error);
}

static void report_process(int pid)
{
    struct holder holder = {.pid = pid};
    char path[64];
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        if (errno == ENOSYS)
            forbidden++;
        return;
    }
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    int fd = root_open(path, O_RDONLY | O_DIRECTORY);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder && (errno == EACCES || errno == EPERM))
        forbidden++;
    const struct dirent *entry;
    while (folder && !stopping && (entry = readdir(folder))) {
        int kind = is_number(entry->d_name) ? kind_of(fd, entry->d_name) : 0;
        if (kind == 0)
            continue;
        holder.fd = (int)strtol(entry->d_name, NULL, 10);
        holder.iommufd = kind == 2;
        if (!holder.process[0]) {
            snprintf(path, sizeof path, "/proc/%d/comm", pid);
            read_value(path, holder.process, sizeof holder.process);
            find_guest(&holder);
        }
        snprintf(holder.source, sizeof holder.source, "/proc/%d/fd/%d", pid, holder.fd);
        if (is_gone(pidfd))
            break;
        report_descriptor(&holder, pidfd);
    }
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
    close(pidfd);
}

void report_processes(void)
{
    counts = 0;
    struct names names;
    if (!root_is_host()) {
        diagnostic("info", "processes-skipped", "/proc", 0, "processes can be read only on the running host, not with --sysroot");
        return;
    }
    int error = list_names("/proc", &names);
    if (error)
        unavailable(error, "no-processes", "/proc", "needs procfs");
    seen_count = 0;
    forbidden = 0;
    for (size_t i = 0; i < names.count && !stopping; i++)
        if (is_number(names.name[i]) && strtol(names.name[i], NULL, 10) != (long)getpid())
            report_process((int)strtol(names.name[i], NULL, 10));
    free_names(&names);
    if (forbidden > 0)
        diagnostic("info", "processes-forbidden", "/proc", 0,
                   "%u processes could not be read: needs root (CAP_SYS_PTRACE) and Linux 5.6 or newer", forbidden);
    else if (seen_count == 0 && !error)
        diagnostic("info", "no-address-spaces", "/proc", 0, "no process holds a VFIO container or an iommufd");
}
