/*
 * classify_ratios: what reading and classifying costs, beside the libraries that do part of it.
 *
 * classify_ratios ROUNDS LINES MAIL...: a file of replies, one a line, and mails; all of it is read
 * into memory first. Each round takes, in turn, GMime parsing the mails and nothing else, the mails
 * read and classified, Vectorscan scanning the replies with the rules' database and nothing else,
 * the replies classified, and the mails again by two threads and by two processes. Prints one JSON
 * object; times are seconds of the processor, but for the threads and processes, of which it is the
 * clock's.
 */
#include <gmime/gmime.h>
#include <hs/hs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "classify/bounce.h"
#include "classify/rule.h"
#include "mail/mime_view.h"

typedef struct {
    char *octets;
    gsize length;
} Text;

typedef struct {
    const Classifier *classifier;
    const GArray *mails; /* of Text */
    guint from, step, repeats;
    pthread_barrier_t *start; /* of a crew */
} Share;

typedef struct {
    pid_t process; /* 0: a thread */
    pthread_t thread;
} Worker;

static double
now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
parse_alone(const GArray *mails)
{
    for (guint i = 0; i < mails->len; i++) {
        const Text *mail = &g_array_index(mails, Text, i);
        GMimeStream *stream = g_mime_stream_mem_new_with_buffer(mail->octets, mail->length);
        GMimeParser *parser = g_mime_parser_new_with_stream(stream);
        GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
        if (message != NULL)
            g_object_unref(message);
        g_object_unref(parser);
        g_object_unref(stream);
    }
}

static void *
read_share(void *data)
{
    const Share *share = data;
    for (guint repeat = 0; repeat < share->repeats; repeat++) {
        for (guint i = share->from; i < share->mails->len; i += share->step) {
            const Text *mail = &g_array_index(share->mails, Text, i);
            g_autoptr(MimeView) view =
                mime_view_new(mail->octets, mail->length, &mime_limits_default);
            g_autoptr(Bounce) bounce = bounce_read(share->classifier, view);
        }
    }
    return NULL;
}

static int
ignore_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
             void *data)
{
    (void)id, (void)from, (void)to, (void)flags, (void)data;
    return 0;
}

static void
scan_alone(const PatternSet *set, hs_scratch_t *scratch, const GArray *lines)
{
    const hs_database_t *database = pattern_set_database(set);
    for (guint i = 0; i < lines->len; i++) {
        const Text *line = &g_array_index(lines, Text, i);
        hs_scan(database, line->octets, (unsigned)line->length, 0, scratch, ignore_match, NULL);
    }
}

static void
classify_lines(const Classifier *classifier, const GArray *lines)
{
    for (guint i = 0; i < lines->len; i++) {
        const Text *line = &g_array_index(lines, Text, i);
        g_autoptr(SmtpReply) reply = smtp_reply_parse(line->octets, (gssize)line->length);
        ClassifierSubject subject = {.reply = reply};
        Classification result;
        classifier_reply(classifier, &subject, &result);
        classification_clear(&result);
    }
}

/* One of a crew: reads its share once to be warm, waits for the others, and reads it in earnest. */
static void *
work(void *data)
{
    Share *share = data;
    guint repeats = share->repeats;
    share->repeats = 1;
    read_share(share);
    share->repeats = repeats;
    pthread_barrier_wait(share->start);
    return read_share(share);
}

/* Starts one: a thread, or a process that shares nothing with the others but the start. */
static void
hire(Worker *worker, Share *share, gboolean process)
{
    worker->process = process ? fork() : 0;
    if (process && worker->process == 0) {
        work(share);
        _exit(EXIT_SUCCESS);
    }
    if (process ? worker->process < 0 : pthread_create(&worker->thread, NULL, work, share) != 0)
        exit(EXIT_FAILURE);
}

static void
await(const Worker *worker)
{
    int status = 0;
    if (worker->process == 0)
        pthread_join(worker->thread, NULL);
    else if (waitpid(worker->process, &status, 0) < 0 || status != 0)
        exit(EXIT_FAILURE);
}

/* The clock's time for the same work by so many threads, or processes. */
static double
read_by_crew(const Classifier *classifier, const GArray *mails, guint members, gboolean processes)
{
    enum { REPEATS = 8, MOST = 2 };
    Worker workers[MOST];
    Share shares[MOST];
    pthread_barrierattr_t shared;
    pthread_barrier_t *start =
        mmap(NULL, sizeof *start, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        exit(EXIT_FAILURE);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(start, &shared, members + 1);
    for (guint i = 0; i < members; i++) {
        shares[i] = (Share){classifier, mails, i, members, REPEATS, start};
        hire(&workers[i], &shares[i], processes);
    }
    pthread_barrier_wait(start);
    double before = now(CLOCK_MONOTONIC);
    for (guint i = 0; i < members; i++)
        await(&workers[i]);
    double taken = now(CLOCK_MONOTONIC) - before;
    munmap(start, sizeof *start);
    return taken;
}

static void
add_file(GArray *texts, const char *path)
{
    g_autoptr(GError) error = NULL;
    Text text;
    if (!g_file_get_contents(path, &text.octets, &text.length, &error)) {
        fprintf(stderr, "classify_ratios: %s\n", error->message);
        exit(EXIT_FAILURE);
    }
    g_array_append_val(texts, text);
}

static GArray *
read_lines(const char *path)
{
    g_autoptr(GArray) file = g_array_new(FALSE, FALSE, sizeof(Text));
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(Text));
    add_file(file, path);
    char **split = g_strsplit(g_array_index(file, Text, 0).octets, "\n", -1);
    for (char **line = split; *line != NULL; line++) {
        Text text = {*line, strlen(*line)};
        if (text.length > 0)
            g_array_append_val(lines, text);
    }
    return lines;
}

static double
megabytes(const GArray *texts)
{
    gsize octets = 0;
    for (guint i = 0; i < texts->len; i++)
        octets += g_array_index(texts, Text, i).length;
    return (double)octets / 1e6;
}

/* Processor time of `work`, added to `sum`. */
#define TAKE(sum, work)                                                                            \
    do {                                                                                           \
        double before = now(CLOCK_PROCESS_CPUTIME_ID);                                             \
        work;                                                                                      \
        (sum) = now(CLOCK_PROCESS_CPUTIME_ID) - before;                                            \
    } while (0)

static void
print_round(const Classifier *classifier, const PatternSet *set, const GArray *mails,
            const GArray *lines)
{
    enum { LINE_REPEATS = 10, THREAD_TURNS = 4 };
    hs_scratch_t *scratch = NULL;
    double parsed, read, scanned, classified;
    Share whole = {classifier, mails, 0, 1, 1, NULL};
    if (hs_alloc_scratch(pattern_set_database(set), &scratch) != HS_SUCCESS)
        exit(EXIT_FAILURE);
    TAKE(parsed, parse_alone(mails));
    TAKE(read, read_share(&whole));
    TAKE(scanned, for (int i = 0; i < LINE_REPEATS; i++) scan_alone(set, scratch, lines));
    TAKE(classified, for (int i = 0; i < LINE_REPEATS; i++) classify_lines(classifier, lines));
    hs_free_scratch(scratch);
    /* In turn, so that what else the machine does meets both. */
    double one = 0, two = 0, apart = 0;
    for (int turn = 0; turn < THREAD_TURNS; turn++) {
        one += read_by_crew(classifier, mails, 1, FALSE);
        two += read_by_crew(classifier, mails, 2, FALSE);
        apart += read_by_crew(classifier, mails, 2, TRUE);
    }
    printf("{\"mail\": %.3f, \"reply\": %.3f, \"threads\": %.3f, \"processes\": %.3f, "
           "\"mails\": %.0f, \"replies\": %.0f, \"mail_mb\": %.1f}\n",
           parsed / read, scanned / classified, one / two, one / apart, mails->len / read,
           lines->len * LINE_REPEATS / classified, megabytes(mails) / read);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: classify_ratios ROUNDS LINES MAIL...\n", stderr);
        return 2;
    }
    g_autoptr(GError) error = NULL;
    g_mime_init();
    mime_view_init();
    double before = now(CLOCK_PROCESS_CPUTIME_ID);
    g_autoptr(Classifier) classifier = classifier_new(&error);
    g_autoptr(PatternSet) set = classifier != NULL ? rule_patterns_load(RULE_TEXT, &error) : NULL;
    if (set == NULL) {
        fprintf(stderr, "classify_ratios: %s\n", error->message);
        return EXIT_FAILURE;
    }
    printf("{\"load\": %.2f}\n", now(CLOCK_PROCESS_CPUTIME_ID) - before);
    g_autoptr(GArray) lines = read_lines(argv[2]);
    g_autoptr(GArray) mails = g_array_new(FALSE, FALSE, sizeof(Text));
    for (int i = 3; i < argc; i++)
        add_file(mails, argv[i]);
    for (int round = atoi(argv[1]); round > 0; round--)
        print_round(classifier, set, mails, lines);
    return EXIT_SUCCESS;
}
