/*
 * dsn_path: each recipient's group of fields, and what else the report says about it.
 */
#include "classify/dsn_path.h"

#include <string.h>

#include "classify/original_mail.h"
#include "classify/recipient_name.h"
#include "mail/dsn_report.h"

/* A longer text explains more than one reason. */
#define MOST_SENTENCE_OCTETS 400

typedef struct {
    BounceReading *reading;
    const DsnReport *report;
    GHashTable *seen;     /* address in lower case -> how often it came before */
    GHashTable *findings; /* the same -> GPtrArray of LayoutFinding; NULL until asked for */
} Path;

/* ---- the report ----------------------------------------------------------------------------- */

/* NULL, or a report with recipients. */
static DsnReport *
parse_if_any(const char *text, gsize length)
{
    DsnReport *report = dsn_report_parse(text, length);
    if (report->recipients->len > 0)
        return report;
    dsn_report_free(report);
    return NULL;
}

/* People forward reports and quote them: theirs are not for us. */
static gboolean
is_believed(BounceReading *reading)
{
    return strcmp(reading->view->type, "multipart/report") == 0 ||
           bounce_reading_is_from_system(reading);
}

static DsnReport *
report_of(BounceReading *reading)
{
    const GPtrArray *parts = reading->view->parts;
    if (!is_believed(reading))
        return NULL;
    for (guint i = 0; i < parts->len; i++) {
        const MimePart *part = g_ptr_array_index(parts, i);
        if (part->kind != MIME_PART_DELIVERY_STATUS)
            continue;
        DsnReport *report = parse_if_any(part->text, part->length);
        if (report != NULL)
            return report;
    }
    const ReportText *text = bounce_reading_text(reading);
    DsnReport *report =
        text->fields != NULL ? parse_if_any(text->fields, strlen(text->fields)) : NULL;
    if (report != NULL)
        report->truncated = report->truncated || text->truncated;
    return report;
}

/* ---- the layout's finding for a recipient --------------------------------------------------- */

static void
index_findings(Path *path)
{
    const LayoutReading *layout = bounce_reading_layout(path->reading);
    path->findings =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; layout != NULL && i < layout->findings->len; i++) {
        const LayoutFinding *finding = g_ptr_array_index(layout->findings, i);
        char *key = g_ascii_strdown(finding->recipient, -1);
        GPtrArray *same = g_hash_table_lookup(path->findings, key);
        if (same == NULL) {
            same = g_ptr_array_new();
            g_hash_table_insert(path->findings, key, same);
        } else {
            g_free(key);
        }
        g_ptr_array_add(same, (gpointer)finding);
    }
}

/* The `nth` about this address, from 0; or the only one, where there is one recipient. */
static const LayoutFinding *
finding_for(Path *path, const char *address, guint nth)
{
    if (path->findings == NULL)
        index_findings(path);
    g_autofree char *key = g_ascii_strdown(address, -1);
    const GPtrArray *same = g_hash_table_lookup(path->findings, key);
    if (same != NULL && *key != '\0' && nth < same->len)
        return g_ptr_array_index(same, nth);
    const LayoutReading *layout = bounce_reading_layout(path->reading);
    gboolean only =
        path->report->recipients->len == 1 && layout != NULL && layout->findings->len == 1;
    return only ? g_ptr_array_index(layout->findings, 0) : NULL;
}

static guint
count_before(Path *path, const char *address)
{
    char *key = g_ascii_strdown(address, -1);
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(path->seen, key));
    g_hash_table_replace(path->seen, key, GUINT_TO_POINTER(before + 1));
    return before;
}

/* ---- what happened -------------------------------------------------------------------------- */

static MailKind
kind_of(const DsnRecipient *recipient, const LayoutFinding *finding)
{
    static const MailKind kinds[] = {
        [DSN_ACTION_FAILED] = MAIL_KIND_FAILURE,      [DSN_ACTION_DELAYED] = MAIL_KIND_DELAY,
        [DSN_ACTION_DELIVERED] = MAIL_KIND_DELIVERED, [DSN_ACTION_RELAYED] = MAIL_KIND_DELIVERED,
        [DSN_ACTION_EXPANDED] = MAIL_KIND_DELIVERED,
    };
    if (recipient->action != DSN_ACTION_UNKNOWN)
        return kinds[recipient->action];
    if (recipient->status.class == 2)
        return MAIL_KIND_DELIVERED;
    gboolean retried = header_fields_get(recipient->fields, "Will-Retry-Until") != NULL;
    if (retried || (finding != NULL && finding->verdict == LAYOUT_DELAYED))
        return MAIL_KIND_DELAY;
    return MAIL_KIND_FAILURE;
}

/* ---- what was said -------------------------------------------------------------------------- */

/* "4.2.2 (Over quota)": what the MTA itself calls it. */
static void
add_status_comment(Failure *failure, const DsnRecipient *recipient)
{
    const char *status = header_fields_get(recipient->fields, "Status");
    const char *open = status != NULL ? strchr(status, '(') : NULL;
    const char *close = open != NULL ? strrchr(open, ')') : NULL;
    if (close == NULL)
        return;
    g_autofree char *comment = g_strndup(open + 1, (gsize)(close - open - 1));
    failure_add_prose(failure, comment);
}

static void
add_diagnostic(Path *path, Failure *failure, const char *diagnostic)
{
    g_autofree char *whole = NULL;
    if (strlen(diagnostic) > 4 && diagnostic[3] == '-' && bounce_reading_may_look(path->reading))
        whole = report_text_whole_reply(bounce_reading_text(path->reading), diagnostic);
    failure_add(failure, whole != NULL ? whole : diagnostic);
}

/* Some reports give the reason in a sentence that names nobody: it is about the only recipient. */
static void
add_sentence(Path *path, Failure *failure, const char *address)
{
    const char *text = bounce_reading_text(path->reading)->text;
    gboolean names = *address == '\0' || strcasestr(text, address) != NULL;
    if (path->report->recipients->len == 1 && !names && strlen(text) <= MOST_SENTENCE_OCTETS)
        failure_add(failure, text);
}

static BounceRecipient *
read_failure(Path *path, MailKind kind, const DsnRecipient *recipient, const char *address,
             guint nth)
{
    BounceReading *reading = path->reading;
    Failure *failure =
        failure_new(&reading->failures, kind, address, recipient->status, recipient->remote_mta);
    add_diagnostic(path, failure, recipient->diagnostic);
    if (!failure_is_clear(failure)) {
        const LayoutFinding *finding = finding_for(path, address, nth);
        if (finding != NULL)
            failure_add_prose(failure, finding->text);
        add_status_comment(failure, recipient);
    }
    if (!failure_is_clear(failure))
        bounce_reading_add_near(reading, failure, address);
    if (!failure_is_clear(failure))
        add_sentence(path, failure, address);
    return failure_end(failure);
}

/* Where no field names a real one: as the layout or the text does, else whatever there is. */
static char *
address_of(Path *path, const DsnRecipient *recipient)
{
    char *address = recipient_name_of(recipient);
    if (*address != '\0')
        return address;
    g_free(address);
    const LayoutFinding *finding = finding_for(path, "", 0);
    if (finding != NULL && recipient_name_is_real(finding->recipient))
        return g_strdup(finding->recipient);
    return g_strdup(*recipient->final_recipient != '\0' ? recipient->final_recipient
                                                        : recipient->original_recipient);
}

static BounceRecipient *
read_recipient(Path *path, const DsnRecipient *recipient)
{
    g_autofree char *address = address_of(path, recipient);
    guint nth = count_before(path, address);
    const LayoutFinding *finding =
        recipient->action == DSN_ACTION_UNKNOWN ? finding_for(path, address, nth) : NULL;
    MailKind kind = kind_of(recipient, finding);
    if (kind == MAIL_KIND_DELIVERED)
        return failure_none(kind, address, recipient->diagnostic, recipient->status,
                            recipient->remote_mta);
    return read_failure(path, kind, recipient, address, nth);
}

gboolean
dsn_path_read(BounceReading *reading)
{
    g_autoptr(DsnReport) report = report_of(reading);
    if (report == NULL)
        return FALSE;
    Path path = {reading, report, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                 NULL};
    reading->bounce->layout = "dsn";
    reading->bounce->truncated = reading->bounce->truncated || report->truncated;
    g_free(reading->bounce->reporting_mta);
    reading->bounce->reporting_mta = g_strdup(report->reporting_mta);
    original_mail_from_fields(reading->bounce, report->fields);
    for (guint i = 0; i < report->recipients->len; i++)
        if (!bounce_reading_take(reading,
                                 read_recipient(&path, g_ptr_array_index(report->recipients, i))))
            break;
    g_hash_table_unref(path.seen);
    if (path.findings != NULL)
        g_hash_table_unref(path.findings);
    return TRUE;
}
