// Holds devices as a virtual machine monitor does that uses iommufd: an address space (IOAS) with the memory of a small
// guest mapped in it, and a second one that is empty and has no device. Without a device that can be attached the first
// has none either. Usage: hold-iommufd PCI-ADDRESS [anything that a monitor's command line says]
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

// <linux/iommufd.h> and the newer part of <linux/vfio.h>, which the headers of Debian 12 lack. All requests are _IO(';', n).
#define REQUEST(number) (';' << 8 | (number))
#define IOAS_ALLOC REQUEST(0x81)
#define IOAS_MAP REQUEST(0x85)
#define MAP_FIXED_IOVA 1
#define MAP_WRITEABLE 2
#define MAP_READABLE 4
#define BIND_IOMMUFD REQUEST(118)
#define ATTACH_PT REQUEST(119)

struct ioas_alloc {
    uint32_t size, flags, ioas;
};
struct ioas_map {
    uint32_t size, flags, ioas, reserved;
    uint64_t user_va, length, iova;
};
struct bind_iommufd {
    uint32_t argsz, flags;
    int32_t iommufd;
    uint32_t device;
};
struct attach_pt {
    uint32_t argsz, flags, pt;
};

#define SUPERPAGE 0x200000u

static const struct {
    uint64_t iova, size;
    uint32_t access;
} guest[] = {
    {0x0, 0xa0000, MAP_READABLE | MAP_WRITEABLE},
    {0xc0000, 0x20000, MAP_READABLE},
    {0x10000000, 2 * SUPERPAGE, MAP_READABLE | MAP_WRITEABLE},
    {0x100000000, SUPERPAGE, MAP_READABLE | MAP_WRITEABLE},
};

static int failed(const char *what)
{
    perror(what);
    return 1;
}

// The device's own file, /dev/vfio/devices/vfioN; -1: it has none.
static int open_device(const char *address)
{
    char path[512];
    int fd = -1;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/vfio-dev", address);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && fd < 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/dev/vfio/devices/%s", entry->d_name);
        fd = open(path, O_RDWR);
    }
    if (folder)
        closedir(folder);
    return fd;
}

// Memory that begins on a superpage, and consists of such where the kernel can make them.
static void *allocate(uint64_t size)
{
    uint8_t *memory = mmap(NULL, size + SUPERPAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    memory += -(uintptr_t)memory % SUPERPAGE;
    madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    int iommufd = open("/dev/iommu", O_RDWR);
    struct ioas_alloc space = {.size = sizeof space}, empty = {.size = sizeof empty};
    if (iommufd < 0 || ioctl(iommufd, IOAS_ALLOC, &space))
        return failed("/dev/iommu");
    int device = open_device(argv[1]);
    struct bind_iommufd bind = {.argsz = sizeof bind, .iommufd = iommufd};
    struct attach_pt attach = {.argsz = sizeof attach, .pt = space.ioas};
    // The address space is worth being looked at without a device, too.
    if (device < 0 || ioctl(device, BIND_IOMMUFD, &bind) || ioctl(device, ATTACH_PT, &attach))
        perror(argv[1]);
    for (size_t i = 0; i < sizeof guest / sizeof *guest; i++) {
        void *memory = allocate(guest[i].size);
        struct ioas_map map = {
            .size = sizeof map,
            .flags = MAP_FIXED_IOVA | guest[i].access,
            .ioas = space.ioas,
            .user_va = (uintptr_t)memory,
            .length = guest[i].size,
            .iova = guest[i].iova,
        };
        if (!memory || ioctl(iommufd, IOAS_MAP, &map))
            return failed("map");
    }
    if (ioctl(iommufd, IOAS_ALLOC, &empty))
        return failed("second address space");
    for (;;)
        pause();
}
