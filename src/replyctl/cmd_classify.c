/*
 * replyctl classify: what mails, logs and replies say about failures.
 *
 * One thread reads, several classify, this one prints, in the order of the input.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replyctl/classify_job.h"
#include "replyctl/classify_reader.h"
#include "replyctl/columns.h"
#include "replyctl/command.h"
#include "replyctl/policy_file.h"
#include "replyctl/progress.h"

enum { QUEUED_OCTETS = 64 * 1024 * 1024, TAKE_US = 100 * 1000, WIDEST = 200 };

static const char description[] =
    "A PATH is a mail, an mbox, a Maildir, a folder (all that is in it), a mail log\n"
    "of Postfix or Sendmail, or - for standard input; gzip'd or not. Which it is, is\n"
    "found out. With --lines it is a file with one SMTP reply a line.\n\n"
    "Examples:\n"
    "  replyctl classify ~/Maildir/.Bounces\n"
    "  replyctl classify --summary /var/log/mail.log.2.gz /var/log/mail.log\n"
    "  echo '550 5.7.26 Unauthenticated email' | replyctl classify --lines --json";

typedef struct {
    gboolean json;
    gboolean lines;
    gboolean summary;
    gint jobs;
    char *config;
    char **paths;
} ClassifyOptions;

/* One run: what is shared by the steps below. */
typedef struct {
    const ClassifyOptions *options;
    ClassifyStyle style;
    WorkRing *ring;
    ClassifyReader *reader;
    Progress progress;
    guint64 total; /* octets to read; 0: not known */
    Tally tally;
    gboolean headed; /* the table has its heading */
    gboolean failed; /* an input could not be read */
} Run;

static void
print_table_heading(Run *run, const ClassifyJob *job)
{
    g_autoptr(GString) heading = g_string_new(NULL);
    RowKind row = job->kind == JOB_LINES ? ROW_LINE : ROW_MAIL;
    run->headed = TRUE;
    classify_row_heading(row, run->style.width, heading);
    fputs(heading->str, stdout);
}

static void
print_job(Run *run, const ClassifyJob *job)
{
    tally_add(&run->tally, &job->tally);
    if (job->fault == NULL && job->output->len == 0)
        return;
    progress_erase(&run->progress);
    if (job->fault != NULL) {
        run->failed = TRUE;
        fflush(stdout);
        command_complain("classify: %s", job->fault);
        return;
    }
    if (!run->style.json && !run->headed)
        print_table_heading(run, job);
    fwrite(job->output->str, 1, job->output->len, stdout);
}

static void
draw_progress(Run *run)
{
    const Tally *tally = &run->tally;
    progress_draw(&run->progress, classify_reader_octets(run->reader), run->total,
                  tally->mails > 0 ? tally->mails : tally->lines,
                  tally->mails > 0 ? "mails" : "lines");
}

/* Prints what is done until all is. */
static void
print_all(Run *run)
{
    gboolean ended = FALSE;
    while (!ended && !ferror(stdout)) {
        ClassifyJob *job = work_ring_take(run->ring, 0, &ended);
        if (job == NULL && !ended) {
            fflush(stdout); /* who reads it need not wait for more */
            job = work_ring_take(run->ring, TAKE_US, &ended);
        }
        if (job != NULL)
            print_job(run, job);
        g_clear_pointer(&job, classify_job_free);
        draw_progress(run);
    }
    progress_erase(&run->progress);
    work_ring_stop(run->ring);
}

static gboolean
run_all(Run *run, GError **error)
{
    const ClassifyOptions *options = run->options;
    const char *const *paths = (const char *const *)options->paths;
    guint workers = options->jobs > 0 ? (guint)options->jobs : g_get_num_processors();
    run->ring = work_ring_new(workers, classify_job_do, &run->style, QUEUED_OCTETS, error);
    if (run->ring == NULL)
        return FALSE;
    progress_begin(&run->progress);
    if (run->progress.shown)
        run->total = classify_reader_total(paths);
    run->reader = classify_reader_new(paths, options->lines, &run->style.limits, run->ring);
    gboolean started = classify_reader_start(run->reader, error);
    if (started)
        print_all(run);
    classify_reader_free(run->reader);
    work_ring_free(run->ring, (GDestroyNotify)classify_job_free);
    return started;
}

static int
classify(const ClassifyOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Policy) policy = NULL;
    mime_view_init();
    g_autoptr(Classifier) classifier = classifier_new(&error);
    if (classifier != NULL && options->config != NULL) {
        policy = policy_file_load_path(options->config, classifier, TRUE);
        if (policy == NULL)
            return COMMAND_FAILED;
    }
    Run run = {.options = options};
    run.style = (ClassifyStyle){
        .classifier = classifier,
        .policy = policy,
        .limits = mime_limits_default,
        .json = options->json,
        .silent = options->summary,
        .width = MIN(columns_of_terminal(STDOUT_FILENO, CLASSIFY_ROW_NARROWEST), WIDEST),
    };
    if (classifier == NULL || !run_all(&run, &error)) {
        command_complain("classify: %s", error->message);
        return COMMAND_FAILED;
    }
    gboolean any = run.headed || run.tally.mails > 0 || run.tally.lines > 0;
    if (!options->json && (any || !run.failed)) {
        if (run.headed)
            putchar('\n');
        tally_print(&run.tally);
    }
    return run.failed ? COMMAND_FAILED : COMMAND_DONE;
}

/* FALSE: wrong usage, said. */
static gboolean
check_options(const ClassifyOptions *options, int argc)
{
    if (!options->lines && argc < 2) {
        command_complain("classify: which mails? (see replyctl classify --help)");
        return FALSE;
    }
    if (options->summary && options->json) {
        command_complain("classify: --summary is for people, --json for programs: choose one");
        return FALSE;
    }
    if (options->jobs < 0 || options->jobs > WORK_RING_JOBS) {
        command_complain("classify: --jobs takes 1 to %d", WORK_RING_JOBS);
        return FALSE;
    }
    return TRUE;
}

/* "-j4" is "-j 4", as with make(1). */
static void
separate_jobs(int argc, char **argv, GPtrArray *words)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (g_str_has_prefix(argv[i], "-j") && g_ascii_isdigit(argv[i][2])) {
            g_ptr_array_add(words, g_strconcat("--jobs=", argv[i] + 2, NULL));
            argv[i] = words->pdata[words->len - 1];
        }
}

int
cmd_classify(int argc, char **argv)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    ClassifyOptions options = {.json = FALSE};
    const GOptionEntry entries[] = {
        {"lines", 'l', 0, G_OPTION_ARG_NONE, &options.lines,
         "one SMTP reply or diagnostic text a line, not mails", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "one JSON object a recipient or line",
         NULL},
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config,
         "a policy whose classify.rules know better", "FILE"},
        {"summary", 's', 0, G_OPTION_ARG_NONE, &options.summary, "the summary only", NULL},
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs,
         "threads that classify (default: as many as processors)", "N"},
        G_OPTION_ENTRY_NULL,
    };
    separate_jobs(argc, argv, words);
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    char *standard_input[] = {(char[]){"-"}, NULL};
    options.paths = argc > 1 ? argv + 1 : standard_input;
    int status = check_options(&options, argc) ? classify(&options) : COMMAND_USAGE;
    g_free(options.config);
    return status;
}
