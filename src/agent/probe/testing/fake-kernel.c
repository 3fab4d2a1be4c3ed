// For tests only: stands between the probe and the kernel, so that live address spaces can be made without VFIO.
// A file DIR/dev/vfio/vfio or DIR/dev/iommu is taken for the device, and its content is what the kernel answers:
//
//   VFIO_IOMMU_GET_INFO     the bytes; an empty file has no IOMMU set (EINVAL)
//   IOMMU_IOAS_IOVA_RANGES  64-bit words: id, errno, alignment, number of ranges, start and last of each; and again
//
// Below DIR/plain they are not devices, and below DIR/other they are other devices than those of sysfs.
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *const devices[] = {"/dev/vfio/vfio", "/dev/iommu"};
static const char *const numbers[] = {"/sys/class/misc/vfio/dev", "/sys/class/misc/iommu/dev"};
#define MISC 10
#define FIRST_MINOR 196

int __real_read_value(const char *path, char *value, size_t size);
int __wrap_read_value(const char *path, char *value, size_t size);
int __real_fstatat(int folder, const char *path, struct stat *file, int flags);
int __wrap_fstatat(int folder, const char *path, struct stat *file, int flags);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_readlinkat(int folder, const char *path, char *buffer, size_t size);
ssize_t __real_readlinkat(int folder, const char *path, char *buffer, size_t size);

static uint8_t content[1 << 20];

static int get_info(uint8_t *out, size_t size)
{
    uint32_t given, told = (uint32_t)size;
    memcpy(&given, out, 4);
    if (size == 0 || given < 16) {
        errno = EINVAL;
        return -1;
    }
    // Too small for all: the first part only, and how much is needed.
    size_t count = given >= size ? size : given < 24 ? given : 24;
    memcpy(out, content, count < size ? count : size);
    memcpy(out, &told, 4);
    return 0;
}

static int iova_ranges(uint8_t *out, size_t size)
{
    uint32_t id, given;
    uint64_t array, word[4];
    memcpy(&id, out + 4, 4);
    memcpy(&given, out + 8, 4);
    memcpy(&array, out + 16, 8);
    for (size_t at = 0; at + 32 <= size; at += 32 + 16 * word[3]) {
        memcpy(word, content + at, 32);
        if (word[0] != id)
            continue;
        uint32_t count = (uint32_t)word[3];
        errno = word[1] ? (int)word[1] : count > given ? EMSGSIZE : 0;
        memcpy(out + 8, &count, 4);
        memcpy(out + 24, &word[2], 8);
        memcpy((void *)(uintptr_t)array, content + at + 32, 16 * (size_t)(count < given ? count : given));
        return errno ? -1 : 0;
    }
    errno = ENOENT;
    return -1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    uint8_t *out = va_arg(arguments, uint8_t *);
    va_end(arguments);
    ssize_t size = pread(fd, content, sizeof content, 0);
    if (size >= 0 && request == 0x3b70)
        return get_info(out, (size_t)size);
    if (size >= 0 && request == 0x3b84)
        return iova_ranges(out, (size_t)size);
    errno = ENOTTY; // nothing else may ever be asked
    return -1;
}

ssize_t __wrap_readlinkat(int folder, const char *path, char *buffer, size_t size)
{
    char target[4096];
    ssize_t length = __real_readlinkat(folder, path, target, sizeof target - 1);
    for (size_t i = 0; length > 0 && i < 2; i++) {
        size_t end = strlen(devices[i]);
        target[length] = '\0';
        if ((size_t)length > end && strcmp(target + (size_t)length - end, devices[i]) == 0) {
            memcpy(buffer, devices[i], end < size ? end : size);
            return (ssize_t)end;
        }
    }
    if (length > 0)
        memcpy(buffer, target, (size_t)length < size ? (size_t)length : size);
    return length < (ssize_t)size ? length : (ssize_t)size;
}

int __wrap_read_value(const char *path, char *value, size_t size)
{
    for (unsigned i = 0; i < 2; i++) {
        if (strcmp(path, numbers[i]) != 0)
            continue;
        snprintf(value, size, "%d:%u", MISC, FIRST_MINOR + i);
        return 0;
    }
    return __real_read_value(path, value, size);
}

int __wrap_fstatat(int folder, const char *path, struct stat *file, int flags)
{
    char target[4096];
    int result = __real_fstatat(folder, path, file, flags);
    ssize_t length = __real_readlinkat(folder, path, target, sizeof target - 1);
    for (unsigned i = 0; result == 0 && length > 0 && i < 2; i++) {
        size_t end = strlen(devices[i]);
        target[length] = '\0';
        if ((size_t)length <= end || strcmp(target + (size_t)length - end, devices[i]) != 0 || strstr(target, "/plain/"))
            continue;
        file->st_mode = S_IFCHR;
        file->st_rdev = strstr(target, "/other/") ? makedev(1, 3) : makedev(MISC, FIRST_MINOR + i);
    }
    return result;
}
