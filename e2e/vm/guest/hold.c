// Holds an IOMMU group as a virtual machine monitor does: a container of VFIO type1 v2 with the memory of a small guest
// mapped in it. Usage: hold GROUP [anything that a monitor's command line says]
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

static const struct { uint64_t iova, size; } guest[] = {
    {0x0, 0xa0000}, {0xc0000, 0x20000}, {0x10000000, 0x400000}, {0x100000000, 0x200000},
};

static int failed(const char *what)
{
    perror(what);
    return 1;
}

int main(int argc, char **argv)
{
    char path[64];
    if (argc < 2)
        return 2;
    snprintf(path, sizeof path, "/dev/vfio/%s", argv[1]);
    int container = open("/dev/vfio/vfio", O_RDWR);
    int group = open(path, O_RDWR);
    if (container < 0 || group < 0)
        return failed(path);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) || ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        return failed("attach");
    for (size_t i = 0; i < sizeof guest / sizeof *guest; i++) {
        void *memory = mmap(NULL, guest[i].size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct vfio_iommu_type1_dma_map map = {
            .argsz = sizeof map,
            .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
            .vaddr = (uintptr_t)memory,
            .iova = guest[i].iova,
            .size = guest[i].size,
        };
        if (memory == MAP_FAILED || ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
            return failed("map");
    }
    for (;;)
        pause();
}
