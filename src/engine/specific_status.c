/*
 * specific_status: the registered enhanced status that says what a vague one leaves open.
 *
 * For most causes it is the category's. Where a category has more than one (RFC 7372, RFC 7505),
 * the words of the reply tell which.
 */
#include "engine/specific_status.h"

#include <string.h>

#include "catalog/catalog.h"

typedef struct {
    Category category;
    const char *words[2]; /* all in lower case, all needed; NULL: none */
    guint16 detail;       /* of x.7 */
} Specific;

/* The first row whose words all stand in the reply. */
static const Specific specifics[] = {
    {CATEGORY_AUTHENTICATION_FAILED, {"dmarc", NULL}, 26},
    {CATEGORY_AUTHENTICATION_FAILED, {"spf", "dkim"}, 26},
    {CATEGORY_AUTHENTICATION_FAILED, {"spf", "permerror"}, 24},
    {CATEGORY_AUTHENTICATION_FAILED, {"spf", "temperror"}, 24},
    {CATEGORY_AUTHENTICATION_FAILED, {"spf", "temporary"}, 24},
    {CATEGORY_AUTHENTICATION_FAILED, {"spf", NULL}, 23},
    {CATEGORY_AUTHENTICATION_FAILED, {"dkim", NULL}, 20},
    {CATEGORY_AUTHENTICATION_FAILED, {"arc", NULL}, 29},
    {CATEGORY_SENDER_REFUSED, {"null mx", NULL}, 27},
};

/* What more of a reply's text is not looked at. */
enum { TEXT_MAX = 4096 };

gboolean
specific_status_is_wanted(EnhancedStatus status)
{
    if (!enhanced_status_is_set(status))
        return TRUE;
    return (status.subject == 7 && status.detail <= 1) ||
           (status.subject == 0 && status.detail == 0);
}

/* Not as a part of another word. */
static gboolean
has_word(const char *text, const char *word)
{
    gsize length = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        if ((at == text || !g_ascii_isalnum(at[-1])) && !g_ascii_isalnum(at[length]))
            return TRUE;
    return FALSE;
}

static gboolean
has_words(const char *text, const Specific *specific)
{
    for (guint i = 0; i < G_N_ELEMENTS(specific->words) && specific->words[i] != NULL; i++)
        if (!has_word(text, specific->words[i]))
            return FALSE;
    return TRUE;
}

static EnhancedStatus
status_by_words(const SmtpReply *reply, Category category)
{
    g_autofree char *whole = smtp_reply_text(reply);
    g_autofree char *text = g_ascii_strdown(whole, (gssize)strnlen(whole, TEXT_MAX));
    for (guint i = 0; i < G_N_ELEMENTS(specifics); i++)
        if (specifics[i].category == category && has_words(text, &specifics[i]))
            return (EnhancedStatus){5, 7, specifics[i].detail};
    return ENHANCED_STATUS_NONE;
}

/* Whether the failure is one of several kinds, only words can tell. */
static gboolean
needs_words(Category category)
{
    return category == CATEGORY_AUTHENTICATION_FAILED;
}

static EnhancedStatus
status_of_cause(const SmtpReply *reply, Category category)
{
    EnhancedStatus status = status_by_words(reply, category);
    if (enhanced_status_is_set(status) || needs_words(category))
        return status;
    status = category_info(category)->status;
    return status.detail != 0 && !specific_status_is_wanted(status) ? status : ENHANCED_STATUS_NONE;
}

/* A temporary refusal has the status only where that is usual: most of them are final by their
 * definition. */
static gboolean
goes_with(guint code, EnhancedStatus status)
{
    CatalogPair pair = catalog_pair(code, status);
    return pair == CATALOG_PAIR_GOOD || (pair == CATALOG_PAIR_UNUSUAL && code >= 500);
}

EnhancedStatus
specific_status_for(guint code, const SmtpReply *reply, const Classification *cause)
{
    Confidence needed =
        category_info(cause->category)->permanent ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    if (cause->confidence < needed)
        return ENHANCED_STATUS_NONE;
    EnhancedStatus status = status_of_cause(reply, cause->category);
    if (!enhanced_status_is_set(status))
        return status;
    status = enhanced_status_with_class(status, code / 100);
    return goes_with(code, status) ? status : ENHANCED_STATUS_NONE;
}
