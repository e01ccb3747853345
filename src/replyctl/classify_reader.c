/*
 * classify_reader: what `replyctl classify` is given to read, as jobs on a ring.
 */
#include "replyctl/classify_reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/thread.h"
#include "mail/mbox.h"
#include "replyctl/classify_job.h"
#include "replyctl/file_walk.h"
#include "replyctl/input_kind.h"
#include "replyctl/octet_source.h"

enum {
    JOB_MAILS_MOST = 64,
    JOB_OCTETS = 128 * 1024,     /* a job of mails is put in when it has so many */
    LINE_OCTETS_MAX = 64 * 1024, /* the rest of a line is left out */
    GUESS_OCTETS = 4096,
};

struct ClassifyReader {
    const char *const *paths;
    gboolean lines;
    MimeLimits limits;
    WorkRing *ring;
    ClassifyJob *mails; /* not yet put in; NULL: none */
    gboolean stopped;
    guint64 done; /* octets of files that have been read to their end */
    atomic_uint_fast64_t octets;
    gboolean started;
    pthread_t thread;
};

/* ---- jobs --------------------------------------------------------------------------------------
 */

static void
put_job(ClassifyReader *reader, ClassifyJob *job)
{
    gsize octets = job->octets->len;
    if (work_ring_put(reader->ring, job, octets))
        return;
    reader->stopped = TRUE;
    classify_job_free(job);
}

static void
put_mails(ClassifyReader *reader)
{
    if (reader->mails != NULL)
        put_job(reader, g_steal_pointer(&reader->mails));
}

static void
add_mail(ClassifyReader *reader, const char *file, guint64 message, const GString *octets,
         gboolean truncated)
{
    if (reader->mails == NULL)
        reader->mails = classify_job_new(JOB_MAILS, NULL);
    ClassifyJob *job = reader->mails;
    classify_job_add_mail(job, file, message, octets->str, octets->len, truncated);
    if (job->mails->len >= JOB_MAILS_MOST || job->octets->len >= JOB_OCTETS)
        put_mails(reader);
}

static void
put_fault(const char *file, const char *why, gpointer data)
{
    ClassifyReader *reader = data;
    put_mails(reader);
    ClassifyJob *job = classify_job_new(JOB_FAULT, file);
    job->fault = g_strdup_printf("%s: %s", strcmp(file, "-") == 0 ? "standard input" : file, why);
    put_job(reader, job);
}

/* ---- files -------------------------------------------------------------------------------------
 */

static void
note_progress(ClassifyReader *reader, OctetSource *source)
{
    atomic_store_explicit(&reader->octets, reader->done + octet_source_position(source),
                          memory_order_relaxed);
}

/* FALSE and an error; or the end of what is wanted. */
static gboolean
read_up_to(OctetSource *source, GString *octets, gsize most, GError **error)
{
    gssize count = 1;
    while (octets->len < most && count > 0) {
        gsize before = octets->len, block = MIN(most - before, JOB_OCTETS);
        g_string_set_size(octets, before + block);
        count = octet_source_read(source, octets->str + before, block, error);
        g_string_set_size(octets, before + (count > 0 ? (gsize)count : 0));
    }
    return count >= 0;
}

static gboolean
read_mail(ClassifyReader *reader, const char *file, OctetSource *source, GError **error)
{
    gsize most = reader->limits.octets;
    g_autoptr(GString) octets = g_string_new(NULL);
    gboolean whole = read_up_to(source, octets, most + 1, error);
    gboolean truncated = octets->len > most;
    if (truncated)
        g_string_truncate(octets, most);
    if (whole || octets->len > 0)
        add_mail(reader, file, 0, octets, truncated || !whole);
    return whole;
}

static gboolean
read_mbox(ClassifyReader *reader, const char *file, OctetSource *source, GError **error)
{
    gboolean truncated;
    GError *fault = NULL;
    g_autoptr(MboxSplitter) splitter =
        mbox_splitter_new(octet_source_read, source, reader->limits.octets);
    g_autoptr(GString) mail = g_string_new(NULL);
    for (guint64 message = 1; !reader->stopped; message++) {
        if (!mbox_splitter_next(splitter, mail, &truncated, &fault))
            break;
        add_mail(reader, file, message, mail, truncated);
        note_progress(reader, source);
    }
    if (fault != NULL)
        g_propagate_error(error, fault);
    return fault == NULL;
}

static guint64
count_lines(const char *octets, gsize length)
{
    guint64 lines = 0;
    for (const char *at = octets; (at = memchr(at, '\n', length - (gsize)(at - octets))) != NULL;
         at++)
        lines++;
    return lines;
}

/* The whole lines of what has been read become a job; the rest of the last one stays. */
static void
put_lines(ClassifyReader *reader, ClassifyJobKind kind, const char *file, GString *held,
          guint64 *line, gboolean last)
{
    const char *newline = memrchr(held->str, '\n', held->len);
    gsize length = newline != NULL ? (gsize)(newline + 1 - held->str) : 0;
    if (last)
        length = held->len;
    if (length == 0)
        return;
    ClassifyJob *job = classify_job_new(kind, file);
    job->first_line = *line;
    g_string_append_len(job->octets, held->str, (gssize)length);
    *line += count_lines(held->str, length);
    g_string_erase(held, 0, (gssize)length);
    put_job(reader, job);
}

/* Of a line that is too long the start stays; TRUE: what follows up to its end is to be left out.
 */
static gboolean
cut_long_line(GString *held)
{
    if (held->len <= LINE_OCTETS_MAX)
        return FALSE;
    g_string_truncate(held, LINE_OCTETS_MAX);
    return TRUE;
}

static void
append_lines(GString *held, const char *block, gsize length, gboolean *skipping)
{
    const char *newline = *skipping ? memchr(block, '\n', length) : block;
    if (newline == NULL)
        return;
    *skipping = FALSE;
    g_string_append_len(held, newline, (gssize)(length - (gsize)(newline - block)));
}

static gboolean
read_lines(ClassifyReader *reader, ClassifyJobKind kind, const char *file, OctetSource *source,
           GError **error)
{
    gssize count;
    guint64 line = 1;
    gboolean skipping = FALSE;
    g_autofree char *block = g_malloc(JOB_OCTETS);
    g_autoptr(GString) held = g_string_sized_new(JOB_OCTETS + LINE_OCTETS_MAX);
    while ((count = octet_source_read(source, block, JOB_OCTETS, error)) > 0 && !reader->stopped) {
        append_lines(held, block, (gsize)count, &skipping);
        put_lines(reader, kind, file, held, &line, FALSE);
        skipping = cut_long_line(held) || skipping;
        note_progress(reader, source);
    }
    put_lines(reader, kind, file, held, &line, TRUE);
    return count >= 0;
}

static gboolean
read_source(ClassifyReader *reader, const char *file, OctetSource *source, GError **error)
{
    gsize length;
    if (reader->lines) {
        put_mails(reader);
        return read_lines(reader, JOB_LINES, file, source, error);
    }
    const char *head = octet_source_peek(source, GUESS_OCTETS, &length);
    switch (input_kind_guess(head, length)) {
    case INPUT_LOG:
        put_mails(reader);
        return read_lines(reader, JOB_LOG, file, source, error);
    case INPUT_MBOX:
        return read_mbox(reader, file, source, error);
    default:
        return read_mail(reader, file, source, error);
    }
}

static gboolean
read_file(const char *path, guint64 size, gpointer data)
{
    ClassifyReader *reader = data;
    g_autoptr(GError) error = NULL;
    (void)size;
    g_autoptr(OctetSource) source = octet_source_open(path, &error);
    if (source == NULL || !read_source(reader, path, source, &error))
        put_fault(path, error->message, reader);
    if (source != NULL) {
        note_progress(reader, source);
        reader->done += octet_source_position(source);
    }
    return !reader->stopped;
}

static void *
reader_run(void *data)
{
    ClassifyReader *reader = data;
    const FileWalk walk = {.found = read_file, .fault = put_fault, .data = reader};
    for (const char *const *path = reader->paths; *path != NULL && !reader->stopped; path++)
        file_walk(*path, &walk);
    put_mails(reader);
    work_ring_end(reader->ring);
    return NULL;
}

/* ---- the main thread's side --------------------------------------------------------------------
 */

ClassifyReader *
classify_reader_new(const char *const *paths, gboolean lines, const MimeLimits *limits,
                    WorkRing *ring)
{
    ClassifyReader *reader = g_new0(ClassifyReader, 1);
    reader->paths = paths;
    reader->lines = lines;
    reader->limits = *limits;
    reader->ring = ring;
    atomic_init(&reader->octets, 0);
    return reader;
}

gboolean
classify_reader_start(ClassifyReader *reader, GError **error)
{
    int fault = thread_start(&reader->thread, reader_run, reader);
    reader->started = fault == 0;
    if (fault != 0)
        return error_fail(error, REPLYMILTER_ERROR_IO, "no thread can be started: %s",
                          g_strerror(fault));
    return TRUE;
}

guint64
classify_reader_octets(ClassifyReader *reader)
{
    return atomic_load_explicit(&reader->octets, memory_order_relaxed);
}

void
classify_reader_free(ClassifyReader *reader)
{
    if (reader->started)
        (void)pthread_join(reader->thread, NULL);
    g_clear_pointer(&reader->mails, classify_job_free);
    g_free(reader);
}

static gboolean
add_size(const char *path, guint64 size, gpointer data)
{
    guint64 *total = data;
    (void)path;
    *total += size;
    return TRUE;
}

static void
ignore_fault(const char *path, const char *why, gpointer data)
{
    (void)path;
    (void)why;
    (void)data;
}

guint64
classify_reader_total(const char *const *paths)
{
    guint64 total = 0;
    const FileWalk walk = {.found = add_size, .fault = ignore_fault, .data = &total};
    for (; *paths != NULL; paths++)
        file_walk(*paths, &walk);
    return total;
}
