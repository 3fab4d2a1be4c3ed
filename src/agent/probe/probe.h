// What the files of the probe offer each other, from the ground up: a file calls only files that come before it here.
#ifndef IOVASCOPE_PROBE_H
#define IOVASCOPE_PROBE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM "iovascope-probe"
#define PROGRAM_VERSION "0.1.0"

// Longest path that is opened, and longest input line that is parsed (a longer one is reported as cut).
#define PATH_SIZE 1024
#define INPUT_LINE_SIZE 2048

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

// ---- json.c: one JSON object per line on stdout ----
// Set by SIGTERM, SIGINT, SIGHUP, and when the reader of stdout has left. Long work checks it and ends early.
extern volatile sig_atomic_t stopping;
void json_open(void);
void json_text(const char *key, const char *text);
void json_hex(const char *key, uint64_t value);          // "0xfee00000"
void json_number(const char *key, long long value);
void json_bool(const char *key, bool value);
void json_raw(const char *key, const char *json);        // text that is JSON already
void json_list(const char *key);
void json_list_end(void);
void json_object(void);                                  // as the next element of a list
void json_object_end(void);
size_t json_room(void);                                  // bytes left in this line
void json_close(void);
bool json_flush(void);                                   // false: stdout is closed, or writing failed
int json_failure(void);                                  // errno of a failed write; 0: none, or a reader that left
// Between begin and end, lines are hashed instead of printed.
void json_hash_begin(void);
bool json_is_hashing(void);
uint64_t json_hash_end(void);

// ---- scan.c: small pieces of text ----
void skip_blanks(const char **at);
bool skip_text(const char **at, const char *text);
// Digits of a hexadecimal number without its prefix; returns how many there are, 17 and more: too large for 64 bits.
size_t scan_hex(const char **at, uint64_t *value);
// A decimal number; false: there is none, or it is too large for 64 bits.
bool scan_decimal(const char **at, uint64_t *value);
bool is_number(const char *text);

// ---- emit.c: facts and diagnostics of the session format ----
void fact(const char *kind);
void fact_range(const char *kind, uint64_t start, uint64_t last);
// Ends a fact. `line` counts from 1; 0: the fact is about the whole file.
void fact_end(const char *source, unsigned long line);
void diagnostic(const char *severity, const char *code, const char *source, unsigned long line, const char *format, ...)
    PRINTF_LIKE(5, 6);
// A diagnostic about a source that could not be opened: `need` says what would help if it does not exist.
void unavailable(int error, const char *code, const char *source, const char *need);
unsigned long fact_count(void);       // facts printed so far, including diagnostics
unsigned long finding_count(void);    // the same without diagnostics
void stream_name(const char *name);   // marks all facts from here on ("stream"); NULL: no mark

// ---- files.c: reading below the root ----
bool root_set(const char *path);
bool root_is_host(void);
// All paths are those of the host; a sysroot's symlinks cannot lead out of it.
int root_open(const char *path, int flags);
int root_open_file(const char *path); // for reading, without blocking; EINVAL: not a regular file
bool root_has(const char *path);
// First line of a file, without blanks at its ends. Returns 0 or an errno.
int read_value(const char *path, char *value, size_t size);
// Last component of where a symlink leads. Returns 0 or an errno.
int read_link_name(const char *path, char *name, size_t size);

struct names {
    char **name;
    size_t count;
    bool cut; // there are more than are listed
};
// The entries of a folder in natural order. Returns 0 or an errno; the caller frees.
int list_names(const char *path, struct names *names);
void free_names(struct names *names);

struct lines {
    int fd;
    const char *source;
    unsigned long number; // of the last line, from 1
    unsigned long faults; // damaged lines so far
    bool skipping, finished;
    size_t begin, end;
    char buffer[16384];
};
void lines_begin(struct lines *lines, int fd, const char *source);
// The next line, or NULL: the end, nothing more at the moment, or `stopping`.
char *lines_next(struct lines *lines);
// A diagnostic about the line at hand; from the tenth on they are counted only.
void line_fault(struct lines *lines, const char *severity, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);
void lines_end(struct lines *lines);

// ---- host.c, and one file for each subject that is read ----
void header_line(void);
void report_host(void);
void report_iommus(void);
void report_groups(void);
void report_iomem(void);
void report_tables(void);
void report_processes(void);
// A number that changes when the last report has another number of remaining mappings for any container.
uint64_t mapping_counts(void);

bool trace_start(void); // false: a diagnostic says why
void trace_read(void);
void trace_stop(void);
bool trace_is_on(void);

int uevents_open(void); // a descriptor to poll, or -1: a diagnostic says why
bool uevents_read(void); // true: something changed
void uevents_settled(void);
void uevents_close(void);

// ---- snapshot.c: everything at one moment ----
long long now_ms(void);          // of the monotonic clock
void snapshot_with_tables(void); // from here on, snapshots include Intel's page tables
void snapshot_facts(void);
// The lines "begin", header, what `report` prints, "end". `id` below 0: it was not requested.
void framed_facts(long long id, const char *what, void (*report)(void));

// ---- watch.c: changes since the last report ----
void watch_set(bool on);
int watch_descriptor(void);         // to poll; -1: none
bool watch_read(bool message);      // `message`: the descriptor has input. True: something changed, and has settled
void watch_note(void);              // what the next changes are compared with: call it before a snapshot is read
long long watch_next(long long latest); // when watch_read() must be called next; `latest` at the latest

// ---- requests.c: stdin ----
void requests_read(void);
void requests_tick(void);
bool requests_ended(void);

#endif
