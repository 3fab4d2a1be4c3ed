// iovascope-probe: reports a host's I/O address spaces as facts of the session format on stdout.
// It changes nothing on the host, listens on no socket, and answers only the requests in requests.c.
// The one thing that it creates, only when asked to trace, is a trace instance of its own, which it removes at the end.
//
// One thread, one poll loop: requests on stdin, hot-plug messages, a regular look at the processes, trace events.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define TRACE_MS 100 // between reads of the trace

static const char help[] =
    "usage: " PROGRAM " [--once | --watch [--trace]] [--tables] [--sysroot DIR]\n"
    "\n"
    "Reports this host's IOMMUs, groups, reserved regions and live I/O address spaces as a\n"
    "session file on standard output. Without --once and --watch it answers requests on standard\n"
    "input, one JSON object per line. Some sources need root; for each one that cannot be read, a\n"
    "diagnostic says what it needs.\n"
    "\n"
    "  --once         print the facts and exit\n"
    "  --watch        print the facts, then print them again whenever something has changed\n"
    "  --trace        with --watch, or --once --sysroot: also the kernel's trace events of IOMMUs and the DMA API\n"
    "  --tables       with --once or --watch: also Intel's page tables from debugfs (many lines)\n"
    "  --sysroot DIR  read the sysfs, procfs and debugfs below DIR\n"
    "  --help, --version\n"
    "\n"
    "Exit code 0: done; 1: nothing could be read, or the output failed; 2: usage error.\n";

static enum { SERVE, ONCE, WATCH } mode = SERVE;
static bool with_trace;

// Milliseconds until something has to be done without being asked.
static int until_next(void)
{
    long long now = now_ms(), next = watch_next(now + 1000); // errors that were held back are reported once a second
    if (trace_is_on() && now + TRACE_MS < next)
        next = now + TRACE_MS;
    return next > now ? (int)(next - now) : 0;
}

static void new_snapshot(void)
{
    watch_note(); // before it is read: a change meanwhile is found by the next look
    framed_facts(-1, "snapshot", snapshot_facts);
}

// Waits, reads and answers until told to stop. A watch takes no requests: its stdin only shows a hang-up.
static void run(void)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    while (json_flush() && !stopping && !requests_ended()) {
        struct pollfd polled[] = {
            {.fd = STDIN_FILENO, .events = mode == SERVE ? POLLIN : POLLRDHUP},
            {.fd = watch_descriptor(), .events = POLLIN},
            // Only to learn when the reader of stdout has left.
            {.fd = STDOUT_FILENO, .events = 0},
        };
        int timeout = until_next();
        struct timespec wait = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};
        // Signals are accepted only here and during work, never between the check of `stopping` and the wait.
        sigprocmask(SIG_SETMASK, &all, NULL);
        int ready = stopping ? 0 : ppoll(polled, 3, &wait, &none);
        int error = errno;
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (ready < 0 && error != EINTR)
            break;
        if (ready <= 0)
            polled[0].revents = polled[1].revents = polled[2].revents = 0;
        if (polled[2].revents & (POLLERR | POLLHUP | POLLNVAL))
            break;
        if (polled[0].revents && mode == SERVE)
            requests_read();
        else if (polled[0].revents)
            break;
        if (watch_read(polled[1].revents != 0) && mode == WATCH)
            new_snapshot();
        trace_read();
        requests_tick();
    }
}

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

// If descriptor 0, 1 or 2 is closed, the next file to be opened would get its number.
static void hold_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

static int usage_error(const char *what, const char *argument)
{
    fprintf(stderr, PROGRAM ": %s%s; see --help\n", what, argument);
    return 2;
}

static int write_failed(void)
{
    fprintf(stderr, PROGRAM ": standard output cannot be written: %s\n", strerror(json_failure()));
    return 1;
}

int main(int count, char **arguments)
{
    const char *sysroot = NULL;
    bool once = false, watch = false, with_tables = false;
    hold_standard_descriptors();
    for (int i = 1; i < count; i++) {
        const char *option = arguments[i];
        if (strcmp(option, "--once") == 0) {
            once = true;
        } else if (strcmp(option, "--watch") == 0) {
            watch = true;
        } else if (strcmp(option, "--trace") == 0) {
            with_trace = true;
        } else if (strcmp(option, "--tables") == 0) {
            with_tables = true;
        } else if (strcmp(option, "--sysroot") == 0) {
            if (++i >= count)
                return usage_error("--sysroot needs a folder", "");
            sysroot = arguments[i];
        } else if (strcmp(option, "--help") == 0 || strcmp(option, "--version") == 0) {
            fputs(option[2] == 'h' ? help : PROGRAM " " PROGRAM_VERSION "\n", stdout);
            return fflush(stdout) == 0 ? 0 : 1;
        } else {
            return usage_error("unknown option ", option);
        }
    }
    if (once && watch)
        return usage_error("--once and --watch exclude each other", "");
    if (with_tables && !once && !watch)
        return usage_error("--tables goes with --once or --watch", "");
    if (sysroot && !root_set(sysroot)) {
        fprintf(stderr, PROGRAM ": --sysroot %s: %s\n", sysroot, strerror(errno));
        return 2;
    }
    if (with_trace && !watch && (!once || root_is_host()))
        return usage_error("--trace goes with --watch, or with --once and a --sysroot", "");
    mode = once ? ONCE : watch ? WATCH : SERVE;

    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);

    if (with_tables)
        snapshot_with_tables();
    if (mode != SERVE)
        header_line();
    if (mode == WATCH)
        watch_set(true); // first, so that no change is missed
    if (mode != SERVE)
        snapshot_facts();
    if (with_trace && trace_start() && mode == ONCE)
        while (trace_is_on() && !stopping)
            trace_read();
    if (mode != ONCE)
        run();
    trace_stop();
    json_flush();
    if (json_failure())
        return write_failed();
    return mode == ONCE && finding_count() == 0 && !stopping ? 1 : 0;
}
