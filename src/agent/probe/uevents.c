// Hot-plug: the kernel's own messages about devices that come, go, or change their driver (netlink, NETLINK_KOBJECT_UEVENT,
// the kernel's group). Nothing is sent; the socket's address is chosen by the kernel. A message is
//
//   action "@" path NUL *(NAME "=" value NUL)
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

#define KOBJECT_UEVENT 15
#define KERNEL_GROUP 1
// Lines a burst of messages becomes at most; the rest are counted.
#define MAX_IN_BURST 32

struct address { // struct sockaddr_nl
    sa_family_t family;
    unsigned short pad;
    uint32_t port, groups;
};

static int sock = -1;
static unsigned burst;

int uevents_open(void)
{
    struct address address = {.family = AF_NETLINK, .groups = KERNEL_GROUP};
    if (!root_is_host()) {
        diagnostic("info", "no-uevents", NULL, 0, "hot-plug can be watched only on the running host, not with --sysroot");
        return -1;
    }
    sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, KOBJECT_UEVENT);
    if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof address) != 0) {
        diagnostic("warning", "no-uevents", NULL, 0, "cannot watch hot-plug: %s", strerror(errno));
        uevents_close();
    }
    return sock;
}

// What can bear on IOMMUs, groups and their devices.
static bool matters(const char *subsystem)
{
    static const char *const some[] = {"pci",      "platform", "amba",     "fsl-mc", "ap",  "ccw",   "iommu",
                                       "iommufd",  "vfio",     "vfio-dev", "mdev",   "cxl", "virtio", "misc"};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (strcmp(subsystem, some[i]) == 0)
            return true;
    return false;
}

static void report_change(const char *what, const char *action, const char *path)
{
    json_open();
    json_text("probe", "changed");
    json_text("what", what);
    if (action) {
        json_text("action", action);
        json_text("path", path);
    }
    json_close();
}

bool uevents_read(void)
{
    static char message[8192];
    bool changed = false;
    for (int i = 0; i < 256; i++) {
        struct address from = {0};
        socklen_t length = sizeof from;
        ssize_t count = recvfrom(sock, message, sizeof message - 1, 0, (struct sockaddr *)&from, &length);
        if (count < 0 && errno == ENOBUFS) {
            report_change("uevents-lost", NULL, NULL);
            changed = true;
            continue;
        }
        if (count < 0)
            break;
        message[count] = '\0';
        const char *at = strchr(message, '@'), *subsystem = "";
        if (from.port != 0 || !at) // not from the kernel
            continue;
        for (const char *field = message + strlen(message) + 1; field < message + count; field += strlen(field) + 1)
            if (strncmp(field, "SUBSYSTEM=", 10) == 0)
                subsystem = field + 10;
        if (!matters(subsystem))
            continue;
        changed = true;
        if (++burst > MAX_IN_BURST)
            continue;
        char action[16];
        snprintf(action, sizeof action, "%.*s", (int)(at - message), message);
        report_change("uevent", action, at + 1);
    }
    return changed;
}

void uevents_settled(void)
{
    if (burst > MAX_IN_BURST) {
        json_open();
        json_text("probe", "changed");
        json_text("what", "uevents");
        json_number("left_out", burst - MAX_IN_BURST);
        json_close();
    }
    burst = 0;
}

void uevents_close(void)
{
    if (sock >= 0)
        close(sock);
    sock = -1;
}
