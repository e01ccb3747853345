/*
 * event_log: a bounded queue in front of one writer thread.
 *
 * All fields of an EventLog are under its lock, but for the sink, which is the writer's. The writer
 * takes the whole queue at once and writes it without the lock.
 */
#include "record/event_log.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "record/event.h"
#include "record/event_sink.h"
#include "record/json_line.h"
#include "record/rate_window.h"

#define SUMMARY_EVERY_US G_USEC_PER_SEC
#define WARNING_EVERY_US (60 * G_USEC_PER_SEC)
/* Lines that nobody waits for gather so long before they are written. */
#define GATHER_US 2000

typedef enum {
    LOSS_RATE,
    LOSS_QUEUE,
    LOSS_SINK,
    LOSS_COUNT,
} Loss;

static const char *const loss_reasons[LOSS_COUNT] = {"rate", "queue", "sink"};

/* Somebody who waits for a line; lives on that thread's stack. */
typedef struct {
    pthread_cond_t ready;
    gboolean done, written;
} Waiter;

typedef struct Entry {
    struct Entry *next;
    char *line; /* ends with a newline */
    gsize size;
    char *words;    /* for the daemon's own log; NULL: none */
    Waiter *waiter; /* NULL: nobody, or no longer */
} Entry;

typedef struct {
    Entry *first, *last;
    guint lines; /* of these and of those that the writer has in hand */
    gsize octets;
} EntryQueue;

struct EventLog {
    EventSink *sink; /* NULL: events are only told in words */
    pthread_t writer;
    pthread_mutex_t lock;
    pthread_cond_t work;     /* for the writer */
    pthread_cond_t finished; /* for event_log_close() */
    pthread_condattr_t monotonic;

    EntryQueue queue;
    guint rate;
    RateWindow window;
    guint64 missing[LOSS_COUNT]; /* not yet told by a summary line */
    gint64 summary_due_us;       /* 0: nothing is missing */
    gint64 warning_due_us;
    guint64 unwarned;
    int last_error; /* errno of the last line that the sink refused; 0: queue was full */
    EventLogCounts counts;
    gboolean awaited; /* somebody waits for a line that is in the queue */
    gboolean reopen, stop, done;
    gboolean abandoned; /* nobody waits for the writer any more: it frees the log */
};

/* What the writer takes along when it leaves the lock. */
typedef struct {
    Entry *entries;
    guint64 missing[LOSS_COUNT];
    guint64 unwarned;
    int last_error;
    gboolean reopen;
} Batch;

static Entry *
entry_new(char *line, char *words)
{
    Entry *entry = g_new0(Entry, 1);
    entry->words = words;
    entry->size = strlen(line) + 1;
    entry->line = g_realloc(line, entry->size + 1);
    entry->line[entry->size - 1] = '\n';
    entry->line[entry->size] = '\0';
    return entry;
}

static void
entry_free(Entry *entry)
{
    g_free(entry->line);
    g_free(entry->words);
    g_free(entry);
}

/* What it takes of EVENT_LOG_QUEUE_OCTETS. */
static gsize
entry_octets(const Entry *entry)
{
    return entry->size + (entry->words != NULL ? strlen(entry->words) : 0);
}

static void
queue_append(EntryQueue *queue, Entry *entry)
{
    if (queue->last != NULL)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
    queue->lines++;
    queue->octets += entry_octets(entry);
}

static Entry *
queue_take_all(EntryQueue *queue)
{
    Entry *first = queue->first;
    queue->first = queue->last = NULL;
    return first;
}

static struct timespec
timespec_of(gint64 monotonic_us)
{
    return (struct timespec){.tv_sec = monotonic_us / G_USEC_PER_SEC,
                             .tv_nsec = (monotonic_us % G_USEC_PER_SEC) * 1000};
}

/* Under the lock. The writer may be asleep without a date: it is told of the first loss. */
static void
note_missing(EventLog *log, Loss loss, gint64 now_us)
{
    log->missing[loss]++;
    if (log->summary_due_us == 0) {
        log->summary_due_us = now_us + SUMMARY_EVERY_US;
        (void)pthread_cond_signal(&log->work);
    }
}

/* Under the lock: a loss that is not the admin's own setting. */
static void
note_loss(EventLog *log, Loss loss, int error_number, gint64 now_us)
{
    note_missing(log, loss, now_us);
    log->unwarned++;
    log->last_error = error_number;
    if (loss == LOSS_QUEUE)
        log->counts.dropped++;
    else
        log->counts.failed++;
}

/* ---- the writer --------------------------------------------------------------------------- */

/* A line is no longer waited for: its producer has been told, or has left. */
static void
settle(EventLog *log, const Entry *entry, gboolean written, int error_number)
{
    (void)pthread_mutex_lock(&log->lock);
    log->queue.lines--;
    log->queue.octets -= entry_octets(entry);
    if (written)
        log->counts.written += log->sink != NULL ? 1 : 0;
    else
        note_loss(log, LOSS_SINK, error_number, clock_monotonic_us());
    if (entry->waiter != NULL) {
        entry->waiter->done = TRUE;
        entry->waiter->written = written;
        (void)pthread_cond_signal(&entry->waiter->ready);
    }
    (void)pthread_mutex_unlock(&log->lock);
}

static void
write_entries(EventLog *log, const Entry *first)
{
    for (const Entry *entry = first; entry != NULL; entry = entry->next) {
        int error_number = 0;
        gboolean written = log->sink == NULL ||
                           event_sink_write(log->sink, entry->line, entry->size, &error_number);
        settle(log, entry, written, error_number);
    }
}

/* Behind all of them: nobody waits for a syslog that is slow. */
static void
tell_entries(Entry *entry)
{
    while (entry != NULL) {
        Entry *next = entry->next;
        if (entry->words != NULL)
            log_info("%s", entry->words);
        entry_free(entry);
        entry = next;
    }
}

static char *
summary_line(Loss loss, guint64 count)
{
    char id[EVENT_ID_SIZE];
    guint64 random = 0;
    gint64 now_us = clock_now_us();
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = (guint64)clock_monotonic_us();
    g_autofree char *time = clock_format(now_us);
    JsonLine line;
    json_line_begin(&line, EVENT_LINE_MAX);
    json_line_number(&line, "v", EVENT_VERSION);
    json_line_string(&line, "time", time);
    json_line_string(&line, "id", event_id(now_us, random, id));
    json_line_string(&line, "event", "suppressed");
    json_line_number(&line, "count", (gint64)MIN(count, (guint64)G_MAXINT64));
    json_line_string(&line, "reason", loss_reasons[loss]);
    return json_line_end(&line);
}

/* A summary that cannot be written is not lost: its count stays for the next one. */
static void
write_summary(EventLog *log, Loss loss, guint64 count)
{
    int error_number = 0;
    if (log->sink == NULL)
        return;
    Entry *entry = entry_new(summary_line(loss, count), NULL);
    if (!event_sink_write(log->sink, entry->line, entry->size, &error_number)) {
        (void)pthread_mutex_lock(&log->lock);
        log->missing[loss] += count;
        if (log->summary_due_us == 0)
            log->summary_due_us = clock_monotonic_us() + SUMMARY_EVERY_US;
        (void)pthread_mutex_unlock(&log->lock);
    }
    entry_free(entry);
}

static void
warn_of_losses(EventLog *log, const Batch *batch)
{
    const char *name = log->sink != NULL ? event_sink_name(log->sink) : "syslog";
    if (batch->last_error != 0)
        log_warning("the event log \"%s\" cannot be written: %s; events missing there: "
                    "%" G_GUINT64_FORMAT,
                    name, g_strerror(batch->last_error), batch->unwarned);
    else
        log_warning("the event log \"%s\" is too slow; events missing there: "
                    "%" G_GUINT64_FORMAT,
                    name, batch->unwarned);
}

static void
reopen_sink(EventLog *log)
{
    g_autoptr(GError) error = NULL;
    if (log->sink != NULL && !event_sink_reopen(log->sink, &error))
        log_warning("%s; events still go to the old file", error->message);
}

static void
write_batch(EventLog *log, const Batch *batch)
{
    if (batch->reopen)
        reopen_sink(log);
    write_entries(log, batch->entries);
    tell_entries(batch->entries);
    for (Loss loss = 0; loss < LOSS_COUNT; loss++)
        if (batch->missing[loss] > 0)
            write_summary(log, loss, batch->missing[loss]);
    if (batch->unwarned > 0)
        warn_of_losses(log, batch);
}

/* Under the lock: what there is to do now; FALSE if nothing. */
static gboolean
take_batch(EventLog *log, Batch *batch, gint64 now_us)
{
    *batch = (Batch){.entries = queue_take_all(&log->queue), .reopen = log->reopen};
    log->reopen = log->awaited = FALSE;
    gboolean summaries = log->summary_due_us != 0 && (log->stop || now_us >= log->summary_due_us);
    if (summaries) {
        memcpy(batch->missing, log->missing, sizeof(log->missing));
        memset(log->missing, 0, sizeof(log->missing));
        log->summary_due_us = 0;
    }
    if (log->unwarned > 0 && now_us >= log->warning_due_us) {
        batch->unwarned = log->unwarned;
        batch->last_error = log->last_error;
        log->unwarned = 0;
        log->warning_due_us = now_us + WARNING_EVERY_US;
    }
    return batch->entries != NULL || batch->reopen || summaries || batch->unwarned > 0;
}

/* Under the lock. */
static void
wait_for_work(EventLog *log)
{
    if (log->summary_due_us == 0) {
        (void)pthread_cond_wait(&log->work, &log->lock);
        return;
    }
    struct timespec until = timespec_of(log->summary_due_us);
    (void)pthread_cond_timedwait(&log->work, &log->lock, &until);
}

/* Under the lock. To be woken for each line would cost more than to write it. */
static void
gather_work(EventLog *log)
{
    if (log->queue.first == NULL || log->awaited || log->reopen || log->stop)
        return;
    struct timespec until = timespec_of(clock_monotonic_us() + GATHER_US);
    (void)pthread_cond_timedwait(&log->work, &log->lock, &until);
}

static void
event_log_free(EventLog *log)
{
    if (log->sink != NULL)
        event_sink_close(log->sink);
    (void)pthread_cond_destroy(&log->work);
    (void)pthread_cond_destroy(&log->finished);
    (void)pthread_condattr_destroy(&log->monotonic);
    (void)pthread_mutex_destroy(&log->lock);
    g_free(log);
}

/* The last summaries are tried once: a disk that stays full must not keep the process. */
static void *
writer_run(void *data)
{
    EventLog *log = data;
    Batch batch;
    gboolean last_round = FALSE;
    (void)pthread_mutex_lock(&log->lock);
    while (!last_round || log->queue.first != NULL) {
        last_round = log->stop;
        if (take_batch(log, &batch, clock_monotonic_us())) {
            (void)pthread_mutex_unlock(&log->lock);
            write_batch(log, &batch);
            (void)pthread_mutex_lock(&log->lock);
        } else if (!last_round) {
            wait_for_work(log);
            gather_work(log);
        }
    }
    log->done = TRUE;
    (void)pthread_cond_signal(&log->finished);
    gboolean abandoned = log->abandoned;
    (void)pthread_mutex_unlock(&log->lock);
    if (abandoned)
        event_log_free(log);
    return NULL;
}

/* ---- everybody else ------------------------------------------------------------------------- */

static gboolean
start_writer(EventLog *log, GError **error)
{
    int fault = thread_start(&log->writer, writer_run, log);
    if (fault != 0)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "the event log's writer cannot be started: %s", g_strerror(fault));
    return fault == 0;
}

EventLog *
event_log_open(const PolicySettings *settings, GError **error)
{
    EventSink *sink = NULL;
    if (settings->log.events != NULL && (sink = event_sink_open(settings, error)) == NULL)
        return NULL;
    EventLog *log = g_new0(EventLog, 1);
    log->sink = sink;
    log->rate = settings->log.rate;
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_condattr_init(&log->monotonic);
    (void)pthread_condattr_setclock(&log->monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&log->work, &log->monotonic);
    (void)pthread_cond_init(&log->finished, &log->monotonic);
    if (!start_writer(log, error)) {
        event_log_free(log);
        return NULL;
    }
    return log;
}

/* Under the lock: until the writer is done or the time is over. */
static gboolean
wait_until_done(EventLog *log, gint64 deadline_us)
{
    struct timespec until = timespec_of(deadline_us);
    int fault = 0;
    while (!log->done && fault == 0)
        fault = pthread_cond_timedwait(&log->finished, &log->lock, &until);
    return log->done;
}

void
event_log_close(EventLog *log, gint64 timeout_us)
{
    if (log == NULL)
        return;
    pthread_t writer = log->writer;
    (void)pthread_mutex_lock(&log->lock);
    log->stop = TRUE;
    (void)pthread_cond_signal(&log->work);
    gboolean done = wait_until_done(log, clock_monotonic_us() + timeout_us);
    log->abandoned = !done;
    (void)pthread_mutex_unlock(&log->lock);
    if (done) {
        (void)pthread_join(writer, NULL);
        event_log_free(log);
    } else {
        (void)pthread_detach(writer);
        log_warning("the event log did not finish in time: events may be missing there");
    }
}

/* Under the lock: is there room for the line, and may it be written? */
static gboolean
admit(EventLog *log, const Entry *entry, gint64 now_us, gboolean *limited)
{
    *limited = FALSE;
    if (log->stop || log->queue.lines >= EVENT_LOG_QUEUE_LINES ||
        log->queue.octets + entry_octets(entry) > EVENT_LOG_QUEUE_OCTETS) {
        note_loss(log, LOSS_QUEUE, 0, now_us);
        return FALSE;
    }
    *limited = !rate_window_take(&log->window, log->rate, now_us);
    if (*limited) {
        log->counts.limited++;
        note_missing(log, LOSS_RATE, now_us);
    }
    return !*limited;
}

/* Under the lock. The entry belongs to the writer, which lets go of the waiter under the lock. */
static gboolean
wait_for_line(EventLog *log, Entry *entry, gint64 deadline_us)
{
    struct timespec until = timespec_of(deadline_us);
    Waiter waiter = {.done = FALSE};
    int fault = 0;
    (void)pthread_cond_init(&waiter.ready, &log->monotonic);
    entry->waiter = &waiter;
    while (!waiter.done && fault == 0)
        fault = pthread_cond_timedwait(&waiter.ready, &log->lock, &until);
    if (!waiter.done)
        entry->waiter = NULL;
    (void)pthread_cond_destroy(&waiter.ready);
    return waiter.done && waiter.written;
}

gboolean
event_log_put(EventLog *log, char *line, gint64 wait_us)
{
    return event_log_put_told(log, line, NULL, wait_us);
}

gboolean
event_log_put_told(EventLog *log, char *line, char *words, gint64 wait_us)
{
    if (log->sink == NULL && words == NULL) {
        g_free(line);
        return TRUE;
    }
    gboolean limited = FALSE;
    gint64 now_us = clock_monotonic_us();
    Entry *entry = entry_new(line, words);
    (void)pthread_mutex_lock(&log->lock);
    gboolean taken = admit(log, entry, now_us, &limited);
    gboolean written = taken || limited;
    if (taken) {
        log->awaited = log->awaited || wait_us > 0;
        if (log->queue.first == NULL || wait_us > 0)
            (void)pthread_cond_signal(&log->work);
        queue_append(&log->queue, entry);
        if (wait_us > 0)
            written = wait_for_line(log, entry, now_us + wait_us);
    }
    (void)pthread_mutex_unlock(&log->lock);
    if (!taken)
        entry_free(entry);
    return written;
}

gboolean
event_log_wants(EventLog *log, gboolean in_words)
{
    if (log->sink == NULL && !in_words)
        return FALSE;
    gint64 now_us = clock_monotonic_us();
    (void)pthread_mutex_lock(&log->lock);
    gboolean full = rate_window_is_full(&log->window, log->rate, now_us);
    if (full) {
        log->counts.limited++;
        note_missing(log, LOSS_RATE, now_us);
    }
    (void)pthread_mutex_unlock(&log->lock);
    return !full;
}

void
event_log_reopen(EventLog *log, const PolicySettings *settings)
{
    (void)pthread_mutex_lock(&log->lock);
    log->rate = settings->log.rate;
    log->reopen = TRUE;
    (void)pthread_cond_signal(&log->work);
    (void)pthread_mutex_unlock(&log->lock);
}

EventLogCounts
event_log_counts(EventLog *log)
{
    (void)pthread_mutex_lock(&log->lock);
    EventLogCounts counts = log->counts;
    counts.queued = log->queue.lines;
    counts.queued_octets = log->queue.octets;
    (void)pthread_mutex_unlock(&log->lock);
    return counts;
}
