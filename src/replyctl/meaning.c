/*
 * meaning: what a reply means, gathered for the screen and for JSON alike.
 */
#include "replyctl/meaning.h"

#include <string.h>

#include "mail/log_line.h"

static void
add_readings(GPtrArray *readings, const CatalogReading *rows, guint count)
{
    for (guint i = 0; i < count; i++) {
        gboolean known = FALSE;
        for (guint k = 0; k < readings->len && !known; k++)
            known = strcmp(((CatalogReading *)readings->pdata[k])->name, rows[i].name) == 0;
        if (!known)
            g_ptr_array_add(readings, (gpointer)&rows[i]);
    }
}

/* X.0.0 is put in by rote, so the code says more than it. */
static gboolean
status_is_specific(const Meaning *meaning)
{
    const CatalogStatus *row = meaning->status;
    return row != NULL && (row->subject != 0 || row->detail != 0) && row->reading_count > 0;
}

static void
gather_readings(Meaning *meaning)
{
    const CatalogReplyCode *code = meaning->code;
    const CatalogStatus *status = meaning->status;
    gboolean specific = status_is_specific(meaning);
    if (status != NULL && (specific || code == NULL))
        add_readings(meaning->readings, status->readings, status->reading_count);
    if (code != NULL && (!specific || meaning->has_text))
        add_readings(meaning->readings, code->readings, code->reading_count);
}

/* A text tells the causes apart: those of its category come first. */
static void
sort_readings(Meaning *meaning)
{
    GPtrArray *readings = meaning->readings;
    meaning->fitting = readings->len;
    if (!meaning->has_text || meaning->cause.confidence == CONFIDENCE_LOW)
        return;
    meaning->fitting = 0;
    for (guint i = 0; i < readings->len; i++) {
        CatalogReading *reading = readings->pdata[i];
        if (reading->category != meaning->cause.category)
            continue;
        g_ptr_array_remove_index(readings, i);
        g_ptr_array_insert(readings, (gint)meaning->fitting++, reading);
    }
}

/* A code alone, or with a status, is that, whatever its digits; elsewhere a number such as 250 may
 * be anything. NULL: it is more than that. The caller frees it. */
static SmtpReply *
typed_numbers(const char *text)
{
    guint code = 0;
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    gsize digits = strspn(text, "0123456789");
    const char *rest = text + digits + strspn(text + digits, " ");
    if (digits != 3)
        return NULL;
    code = (guint)g_ascii_strtoull(text, NULL, 10);
    if (*rest != '\0' && !enhanced_status_parse(rest, &status))
        return NULL;
    return code != 0 ? smtp_reply_new(code, status, "") : NULL;
}

static gboolean
is_failure(const SmtpReply *reply)
{
    if (reply->code != 0)
        return reply->code / 100 != 2 && reply->code / 100 != 3;
    return reply->status.class != 2;
}

static SmtpReply *
reply_of(const char *text)
{
    SmtpReply *reply = typed_numbers(text);
    if (reply != NULL)
        return reply;
    g_autofree char *said = log_line_reply(text);
    return smtp_reply_parse(said, -1);
}

static gboolean
reply_has_text(const SmtpReply *reply)
{
    g_autofree char *words = smtp_reply_text(reply);
    return g_strstrip(words)[0] != '\0';
}

gboolean
meaning_has_text(const char *text)
{
    g_autoptr(SmtpReply) reply = reply_of(text);
    return reply_has_text(reply);
}

gboolean
meaning_make(const Classifier *classifier, const char *text, Meaning *meaning)
{
    *meaning = (Meaning){.reply = reply_of(text), .readings = g_ptr_array_new()};
    const SmtpReply *reply = meaning->reply;
    gboolean has_status = enhanced_status_is_set(reply->status);
    meaning->has_text = reply_has_text(reply);
    meaning->is_failure = is_failure(reply);
    meaning->code = reply->code != 0 ? catalog_reply_code(reply->code) : NULL;
    meaning->status = has_status ? catalog_status(reply->status) : NULL;
    ClassifierSubject subject = {.reply = reply};
    classifier_reply(classifier, &subject, &meaning->cause);
    gather_readings(meaning);
    sort_readings(meaning);
    return reply->code != 0 || has_status || meaning->has_text;
}

void
meaning_clear(Meaning *meaning)
{
    classification_clear(&meaning->cause);
    g_clear_pointer(&meaning->reply, smtp_reply_free);
    g_clear_pointer(&meaning->readings, g_ptr_array_unref);
}

static gboolean
has_category(const CatalogReading *readings, guint count, Category category)
{
    for (guint i = 0; i < count; i++)
        if (readings[i].category == category)
            return TRUE;
    return FALSE;
}

GPtrArray *
meaning_readings_of(Category category)
{
    guint codes, statuses;
    const CatalogReplyCode *code = catalog_reply_codes(&codes);
    const CatalogStatus *status = catalog_statuses(&statuses);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GPtrArray *readings = g_ptr_array_new();
    for (guint i = 0; i < statuses; i++)
        add_readings(all, status[i].readings, status[i].reading_count);
    for (guint i = 0; i < codes; i++)
        add_readings(all, code[i].readings, code[i].reading_count);
    for (guint i = 0; i < all->len; i++)
        if (((CatalogReading *)all->pdata[i])->category == category)
            g_ptr_array_add(readings, all->pdata[i]);
    return readings;
}

char *
meaning_codes_of(Category category)
{
    guint count;
    GString *names = g_string_new(NULL);
    const CatalogReplyCode *codes = catalog_reply_codes(&count);
    for (guint i = 0; i < count; i++)
        if (has_category(codes[i].readings, codes[i].reading_count, category))
            g_string_append_printf(names, "%s%u", names->len > 0 ? " " : "", codes[i].code);
    const CatalogStatus *statuses = catalog_statuses(&count);
    for (guint i = 0; i < count; i++)
        if (has_category(statuses[i].readings, statuses[i].reading_count, category))
            g_string_append_printf(names, "%sX.%u.%u", names->len > 0 ? " " : "",
                                   statuses[i].subject, statuses[i].detail);
    return g_string_free(names, FALSE);
}
