// Reading files and folders below the root: the host's own, or a copy of sysfs and procfs in a folder (--sysroot).
// Only plain files and folders are opened, only for reading, and none of them is read whole into memory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define MAX_NAMES 65536
#define MAX_LINE_FAULTS 9

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define OPEN_IN_ROOT 0x10 // RESOLVE_IN_ROOT

static int root = -1; // -1: the host's own

bool root_set(const char *path)
{
    struct stat host, other;
    if (stat("/", &host) != 0 || stat(path, &other) != 0)
        return false;
    if (host.st_dev == other.st_dev && host.st_ino == other.st_ino)
        return true;
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root >= 0;
}

bool root_is_host(void)
{
    return root < 0;
}

int root_open(const char *path, int flags)
{
    flags |= O_CLOEXEC;
    if (root < 0)
        return open(path, flags);
    // A link to /etc in a copy means the copy's /etc.
    struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = (uint64_t)flags, .resolve = OPEN_IN_ROOT};
    long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) // before Linux 5.6
        return openat(root, path + 1, flags);
    return (int)fd;
}

bool root_has(const char *path)
{
    int fd = root_open(path, O_PATH);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

int root_open_file(const char *path)
{
    struct stat about;
    int fd = root_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

int read_value(const char *path, char *value, size_t size)
{
    value[0] = '\0';
    int fd = root_open_file(path);
    if (fd < 0)
        return errno;
    ssize_t count = read(fd, value, size - 1);
    int error = errno;
    close(fd);
    if (count < 0)
        return error;
    value[count] = '\0';
    value[strcspn(value, "\n")] = '\0';
    size_t blanks = strspn(value, " \t\r");
    memmove(value, value + blanks, strlen(value + blanks) + 1);
    for (size_t length = strlen(value); length > 0 && strchr(" \t\r", value[length - 1]); length--)
        value[length - 1] = '\0';
    return 0;
}

int read_link_name(const char *path, char *name, size_t size)
{
    char target[PATH_SIZE];
    int fd = root_open(path, O_PATH | O_NOFOLLOW);
    if (fd < 0)
        return errno;
    ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
    int error = errno;
    close(fd);
    if (length < 0)
        return error;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : target);
    return 0;
}

static int natural_order(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

int list_names(const char *path, struct names *names)
{
    *names = (struct names){0};
    int fd = root_open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno;
    DIR *folder = fdopendir(fd);
    if (!folder) {
        int error = errno;
        close(fd);
        return error;
    }
    size_t capacity = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) && !names->cut) {
        if (entry->d_name[0] == '.')
            continue;
        if (names->count == MAX_NAMES) {
            names->cut = true;
            break;
        }
        if (names->count == capacity) {
            size_t larger = capacity ? 2 * capacity : 64;
            char **moved = realloc(names->name, larger * sizeof *moved);
            if (!moved) {
                names->cut = true;
                break;
            }
            names->name = moved;
            capacity = larger;
        }
        char *copy = strdup(entry->d_name);
        if (copy)
            names->name[names->count++] = copy;
        else
            names->cut = true;
    }
    closedir(folder);
    if (names->count > 1)
        qsort(names->name, names->count, sizeof *names->name, natural_order);
    if (names->cut)
        diagnostic("warning", "too-many-entries", path, 0, "only the first %zu entries are read", names->count);
    return 0;
}

void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct names){0};
}

void lines_begin(struct lines *lines, int fd, const char *source)
{
    lines->fd = fd;
    lines->source = source;
    lines->number = lines->faults = 0;
    lines->begin = lines->end = 0;
    lines->skipping = lines->finished = false;
}

// Hands out the next `length` bytes as a line, of which the first INPUT_LINE_SIZE count.
static char *take_line(struct lines *lines, size_t length, size_t separator)
{
    char *line = lines->buffer + lines->begin;
    lines->begin += length + separator;
    lines->number++;
    if (length > INPUT_LINE_SIZE) {
        line[INPUT_LINE_SIZE] = '\0';
        line_fault(lines, "warning", "long-line-cut", "a line longer than %d bytes was cut", INPUT_LINE_SIZE);
        return line;
    }
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return line;
}

char *lines_next(struct lines *lines)
{
    while (!stopping) {
        char *start = lines->buffer + lines->begin;
        size_t held = lines->end - lines->begin;
        char *newline = memchr(start, '\n', held);
        if (newline && lines->skipping) {
            lines->begin += (size_t)(newline - start) + 1;
            lines->skipping = false;
            continue;
        }
        if (newline)
            return take_line(lines, (size_t)(newline - start), 1);
        if (held > INPUT_LINE_SIZE || (lines->finished && held > 0 && !lines->skipping)) {
            bool first = !lines->skipping;
            lines->skipping = true;
            if (first)
                return take_line(lines, held, 0);
            lines->begin = lines->end;
        }
        if (lines->finished) {
            lines->begin = lines->end; // the rest of a line that was cut
            return NULL;
        }
        // The line just handed out may still be in use up to `begin`; it is not by now.
        held = lines->end - lines->begin;
        memmove(lines->buffer, lines->buffer + lines->begin, held);
        lines->begin = 0;
        lines->end = held;
        ssize_t count = read(lines->fd, lines->buffer + held, sizeof lines->buffer - 1 - held);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return NULL;
        if (count < 0)
            diagnostic("warning", "unreadable", lines->source, 0, "read failed: %s", strerror(errno));
        if (count <= 0)
            lines->finished = true;
        else
            lines->end += (size_t)count;
    }
    return NULL;
}

void line_fault(struct lines *lines, const char *severity, const char *code, const char *format, ...)
{
    char message[512];
    va_list arguments;
    if (++lines->faults > MAX_LINE_FAULTS)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    diagnostic(severity, code, lines->source, lines->number, "%s", message);
}

void lines_end(struct lines *lines)
{
    if (lines->faults > MAX_LINE_FAULTS)
        diagnostic("warning", "more-damaged-lines", lines->source, 0, "%lu more malformed or unusual lines",
                   lines->faults - MAX_LINE_FAULTS);
    if (lines->fd >= 0)
        close(lines->fd);
    lines->fd = -1;
}
