// iovascope-probe: tells what a host's I/O address spaces look like, as facts of the session format on stdout.
// It changes nothing on the host, opens no socket that listens, and knows no requests but those in requests.c.
// The one thing that it makes is, when asked to trace, a trace instance of its own, which it removes again.
//
// One thread, one poll loop: requests on stdin, hot-plug messages, a look at the processes now and then, trace events.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define SETTLE_MS 500     // quiet time after the last hot-plug message
#define MOST_SETTLE_MS 5000
#define RESCAN_MS 5000    // between looks at the processes
#define COUNTS_MS 60000   // between numbers of mappings that never settle
#define TRACE_MS 100      // between looks at the trace

static const char help[] =
    "usage: " PROGRAM " [--once | --watch [--trace]] [--tables] [--sysroot DIR]\n"
    "\n"
    "Tells what is known of this host's IOMMUs, groups, reserved regions and live I/O address\n"
    "spaces, as a session file on standard output. Without --once and --watch it answers\n"
    "requests on standard input, one JSON object a line. Some sources need root; what cannot be\n"
    "read is told, with what would be needed.\n"
    "\n"
    "  --once         print the facts and exit\n"
    "  --watch        print them, then go on: hot-plug, and again what has changed\n"
    "  --trace        with --watch, or --once --sysroot: the kernel's IOMMU trace events too\n"
    "  --tables       with --once or --watch: Intel's page tables from debugfs too (many lines)\n"
    "  --sysroot DIR  read the sysfs, procfs and debugfs below DIR\n"
    "  --help, --version\n"
    "\n"
    "Exit code 0: done; 1: nothing could be read, or not be written; 2: a bad call.\n";

volatile sig_atomic_t stopping;

static enum { SERVE, ONCE, WATCH } mode = SERVE;
static bool with_tables, with_trace;
static int uevents = -1;
static bool watching;
static long long changed_at, settle_at; // when the first change came, and when it has settled; 0: none
static long long rescan_at;

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void snapshot_facts(void)
{
    report_host();
    report_iommus();
    report_groups();
    report_iomem();
    report_processes();
    if (with_tables)
        report_tables();
}

// A look at all processes: `spaces` is another number if any process's address spaces are, their mappings aside.
struct look {
    uint64_t spaces, mappings;
};

static struct look noted; // of what was told last
static long long noted_at;
static uint64_t last_mappings; // at the last look, noted or not

static struct look look_at_processes(void)
{
    json_hash_begin();
    report_processes();
    uint64_t spaces = json_hash_end();
    return (struct look){.spaces = spaces, .mappings = mapping_counts()};
}

// Before they are told: what changes meanwhile is found by the next look.
static void note(struct look look)
{
    noted = look;
    last_mappings = look.mappings;
    noted_at = now_ms();
}

// A guest that maps and unmaps all the time is no change each time; one that has come to rest is.
static bool is_change(struct look look)
{
    bool settled = look.mappings == last_mappings || now_ms() >= noted_at + COUNTS_MS;
    last_mappings = look.mappings;
    return look.spaces != noted.spaces || (settled && look.mappings != noted.mappings);
}

void set_watching(bool on)
{
    if (on == watching)
        return;
    watching = on;
    if (on) {
        uevents = uevents_open();
        note(look_at_processes());
        rescan_at = now_ms() + RESCAN_MS;
    } else {
        uevents_close();
        uevents = -1;
        changed_at = 0;
    }
}

static void new_snapshot(void)
{
    unsigned long before = fact_count();
    long long start = now_ms();
    note(look_at_processes());
    json_open();
    json_text("probe", "begin");
    json_raw("id", "null");
    json_text("what", "snapshot");
    json_close();
    header_line();
    snapshot_facts();
    json_open();
    json_text("probe", "end");
    json_raw("id", "null");
    json_number("facts", (long long)(fact_count() - before));
    json_number("ms", now_ms() - start);
    json_close();
}

static void look_for_changes(bool message)
{
    long long now = now_ms();
    bool changed = message && uevents_read();
    if (now >= rescan_at) {
        struct look look = look_at_processes();
        rescan_at = now_ms() + RESCAN_MS;
        if (is_change(look)) {
            note(look);
            changed = true;
            json_open();
            json_text("probe", "changed");
            json_text("what", "processes");
            json_close();
        }
    }
    if (changed) {
        changed_at = changed_at ? changed_at : now;
        settle_at = now + SETTLE_MS < changed_at + MOST_SETTLE_MS ? now + SETTLE_MS : changed_at + MOST_SETTLE_MS;
    }
    if (changed_at && now >= settle_at) {
        changed_at = 0;
        uevents_settled();
        if (mode == WATCH)
            new_snapshot();
    }
}

static int until_next(void)
{
    long long now = now_ms(), next = now + 1000; // errors that were held back are told once a second
    if (watching && rescan_at < next)
        next = rescan_at;
    if (watching && changed_at && settle_at < next)
        next = settle_at;
    if (trace_is_on() && now + TRACE_MS < next)
        next = now + TRACE_MS;
    return next > now ? (int)(next - now) : 0;
}

// Waits, reads, answers, until somebody wants an end. A watch has no requests: its stdin only tells that it was hung up.
static void run(void)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    while (json_flush() && !stopping && !requests_ended()) {
        struct pollfd polled[] = {
            {.fd = STDIN_FILENO, .events = mode == SERVE ? POLLIN : POLLRDHUP},
            {.fd = watching ? uevents : -1, .events = POLLIN},
            // Nothing is asked of stdout but whether its reader is still there.
            {.fd = STDOUT_FILENO, .events = 0},
        };
        int timeout = until_next();
        struct timespec wait = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};
        // Signals are let in only here and during work, never between the look at `stopping` and the wait.
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
        if (watching)
            look_for_changes(polled[1].revents != 0);
        trace_read();
        requests_tick();
    }
}

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

// A descriptor 0, 1 or 2 that is closed would be taken by the next file that is opened.
static void hold_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

static int bad_call(const char *what, const char *argument)
{
    fprintf(stderr, PROGRAM ": %s%s; --help tells the options\n", what, argument);
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
    bool once = false, watch = false;
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
                return bad_call("--sysroot needs a folder", "");
            sysroot = arguments[i];
        } else if (strcmp(option, "--help") == 0 || strcmp(option, "--version") == 0) {
            fputs(option[2] == 'h' ? help : PROGRAM " " PROGRAM_VERSION "\n", stdout);
            return fflush(stdout) == 0 ? 0 : 1;
        } else {
            return bad_call("unknown option ", option);
        }
    }
    if (once && watch)
        return bad_call("--once and --watch exclude each other", "");
    if (with_tables && !once && !watch)
        return bad_call("--tables goes with --once or --watch", "");
    if (sysroot && !root_set(sysroot)) {
        fprintf(stderr, PROGRAM ": --sysroot %s: %s\n", sysroot, strerror(errno));
        return 2;
    }
    if (with_trace && !watch && (!once || root_is_host()))
        return bad_call("--trace goes with --watch, or with --once and a --sysroot", "");
    mode = once ? ONCE : watch ? WATCH : SERVE;

    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);

    if (mode != SERVE)
        header_line();
    if (mode == WATCH)
        set_watching(true); // first, so that nothing between is missed
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
