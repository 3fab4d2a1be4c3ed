// Watching: what has changed since the last report. Hot-plug comes as uevents; the address spaces of processes are
// compared with those of the last report every few seconds.
#include "probe.h"

#define SETTLE_MS 500 // quiet time after the last change
#define MAX_SETTLE_MS 5000
#define RESCAN_MS 5000  // between looks at the processes
#define COUNTS_MS 60000 // between reports of numbers of mappings that never settle

// A look at all processes. `spaces` changes when the address spaces of any process do, their mappings aside.
struct look {
    uint64_t spaces, mappings;
};

static bool watching;
static int uevents = -1;
static long long changed_at, settle_at; // when the first change came, and when it has settled; 0: none
static long long rescan_at;
static struct look noted; // of the last report
static long long noted_at;
static uint64_t last_mappings; // of the last look, noted or not

static struct look look_at_processes(void)
{
    json_hash_begin();
    report_processes();
    uint64_t spaces = json_hash_end();
    return (struct look){.spaces = spaces, .mappings = mapping_counts()};
}

static void note(struct look look)
{
    noted = look;
    last_mappings = look.mappings;
    noted_at = now_ms();
}

// A guest that maps and unmaps all the time is not a change each time; one that has come to rest is.
static bool is_change(struct look look)
{
    bool settled = look.mappings == last_mappings || now_ms() >= noted_at + COUNTS_MS;
    last_mappings = look.mappings;
    return look.spaces != noted.spaces || (settled && look.mappings != noted.mappings);
}

void watch_note(void)
{
    note(look_at_processes());
}

void watch_set(bool on)
{
    if (on == watching)
        return;
    watching = on;
    if (on) {
        uevents = uevents_open();
        watch_note();
        rescan_at = now_ms() + RESCAN_MS;
    } else {
        uevents_close();
        uevents = -1;
        changed_at = 0;
    }
}

int watch_descriptor(void)
{
    return watching ? uevents : -1;
}

bool watch_read(bool message)
{
    if (!watching)
        return false;
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
        settle_at = now + SETTLE_MS < changed_at + MAX_SETTLE_MS ? now + SETTLE_MS : changed_at + MAX_SETTLE_MS;
    }
    if (!changed_at || now < settle_at)
        return false;
    changed_at = 0;
    uevents_settled();
    return true;
}

long long watch_next(long long latest)
{
    if (watching && rescan_at < latest)
        latest = rescan_at;
    if (watching && changed_at && settle_at < latest)
        latest = settle_at;
    return latest;
}
