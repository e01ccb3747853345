/*
 * catalog: look-ups in the generated tables, and what fits together.
 *
 * The rows come from data/reply-codes.txt, data/enhanced-status-codes.txt, data/readings.txt and
 * data/digits.txt (scripts/generate-catalog). They are sorted: codes are found by halving, statuses
 * by a walk through the rows of their subject, since blocks of numbers overlap.
 */
#include "catalog/catalog.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    guint code;
    SmtpStage stage; /* SMTP_STAGE_UNKNOWN: every stage that has no row of its own */
    EnhancedStatus status;
} DefaultStatus;

#include "catalog/catalog_table.h" /* generated */

/* "2", "2.x.x" and "2.1.5" as words of a list that blanks separate. */
static gboolean
list_has(const char *list, const char *word)
{
    gsize length = strlen(word);
    for (const char *at = strstr(list, word); at != NULL; at = strstr(at + 1, word)) {
        gboolean begins = at == list || at[-1] == ' ';
        if (begins && (at[length] == ' ' || at[length] == '\0'))
            return TRUE;
    }
    return FALSE;
}

static guint
code_class(guint code)
{
    return code / 100;
}

/* ---- what the digits say ---- */

static const char *
digit_text(const char *const texts[10], guint digit)
{
    return digit < 10 ? texts[digit] : NULL;
}

const char *
catalog_first_digit(guint code)
{
    return digit_text(first_texts, code_class(code));
}

const char *
catalog_second_digit(guint code)
{
    return catalog_first_digit(code) != NULL ? digit_text(second_texts, code / 10 % 10) : NULL;
}

const char *
catalog_third_digit(guint code)
{
    if (catalog_first_digit(code) == NULL)
        return NULL;
    const CatalogReplyCode *row = catalog_reply_code(code);
    gboolean defined =
        row != NULL && (row->origin == CATALOG_RFC || row->origin == CATALOG_REGISTRY);
    return defined ? third_known : third_unknown;
}

const char *
catalog_status_class(EnhancedStatus status)
{
    return digit_text(class_texts, status.class);
}

const char *
catalog_status_subject(EnhancedStatus status)
{
    return enhanced_status_is_set(status) ? digit_text(subject_texts, status.subject) : NULL;
}

const char *
catalog_status_detail(EnhancedStatus status)
{
    if (!enhanced_status_is_set(status))
        return NULL;
    if (catalog_status_subject(status) == NULL && catalog_status(status) == NULL)
        return detail_astray;
    if (status.detail == 0)
        return detail_texts[0];
    const CatalogStatus *row = catalog_status(status);
    return row != NULL && row->origin != CATALOG_WILD ? detail_known : detail_unknown;
}

/* ---- rows ---- */

static int
compare_code(const void *key, const void *row)
{
    guint wanted = *(const guint *)key, code = ((const CatalogReplyCode *)row)->code;
    return wanted < code ? -1 : wanted > code;
}

const CatalogReplyCode *
catalog_reply_code(guint code)
{
    return bsearch(&code, reply_codes, G_N_ELEMENTS(reply_codes), sizeof(reply_codes[0]),
                   compare_code);
}

static gboolean
row_speaks_of(const CatalogStatus *row, EnhancedStatus status)
{
    gboolean inside = row->subject == status.subject && row->detail <= status.detail &&
                      status.detail <= row->last_detail;
    return inside && (row->origin != CATALOG_WILD || (row->classes & 1U << status.class) != 0);
}

const CatalogStatus *
catalog_status(EnhancedStatus status)
{
    const CatalogStatus *best = NULL;
    if (!enhanced_status_is_set(status))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(statuses) && statuses[i].subject <= status.subject; i++) {
        const CatalogStatus *row = &statuses[i];
        if (row_speaks_of(row, status) &&
            (best == NULL || row->last_detail - row->detail < best->last_detail - best->detail))
            best = row;
    }
    return best;
}

EnhancedStatus
catalog_status_instead(EnhancedStatus status)
{
    const CatalogStatus *row = catalog_status(status);
    if (row == NULL || row->instead_subject == 0)
        return status;
    return (EnhancedStatus){status.class, row->instead_subject, row->instead_detail};
}

const CatalogReplyCode *
catalog_reply_codes(guint *count)
{
    *count = G_N_ELEMENTS(reply_codes);
    return reply_codes;
}

const CatalogStatus *
catalog_statuses(guint *count)
{
    *count = G_N_ELEMENTS(statuses);
    return statuses;
}

/* ---- pairs ---- */

/* The row of the reply code names the status? */
static gboolean
code_names_status(guint code, EnhancedStatus status)
{
    const CatalogReplyCode *row = catalog_reply_code(code);
    char text[ENHANCED_STATUS_TEXT_SIZE], any[] = "0.x.x";
    any[0] = (char)('0' + status.class);
    return row != NULL && (list_has(row->statuses, enhanced_status_format(status, text)) ||
                           list_has(row->statuses, any));
}

/* The row of the status names the reply code? */
static gboolean
status_names_code(EnhancedStatus status, guint code)
{
    const CatalogStatus *row = catalog_status(status);
    char text[] = "000", any[] = "0xx";
    text[0] = any[0] = (char)('0' + code / 100);
    text[1] = (char)('0' + code / 10 % 10);
    text[2] = (char)('0' + code % 10);
    return row != NULL &&
           (list_has(row->codes, text) || list_has(row->codes, any) || list_has(row->codes, "any"));
}

CatalogPair
catalog_pair(guint code, EnhancedStatus status)
{
    if (!enhanced_status_is_set(status))
        return CATALOG_PAIR_GOOD;
    if (!catalog_takes_status(code, SMTP_STAGE_UNKNOWN))
        return CATALOG_PAIR_MISPLACED;
    if (code_class(code) != status.class)
        return CATALOG_PAIR_CLASS;
    return code_names_status(code, status) || status_names_code(status, code)
               ? CATALOG_PAIR_GOOD
               : CATALOG_PAIR_UNUSUAL;
}

gboolean
catalog_takes_status(guint code, SmtpStage stage)
{
    switch (code_class(code)) {
    case 2:
        return stage != SMTP_STAGE_CONNECT && stage != SMTP_STAGE_HELO;
    case 4:
    case 5:
        return TRUE;
    default:
        return FALSE;
    }
}

/* ---- stages ---- */

CatalogStageVerdict
catalog_code_at_stage(guint code, SmtpStage stage)
{
    const CatalogReplyCode *row = catalog_reply_code(code);
    if (row == NULL || stage == SMTP_STAGE_UNKNOWN || (row->stages | row->tolerated) == 0)
        return CATALOG_STAGE_UNKNOWN;
    if ((row->stages & 1U << stage) != 0)
        return CATALOG_STAGE_GOOD;
    return (row->tolerated & 1U << stage) != 0 ? CATALOG_STAGE_TOLERATED : CATALOG_STAGE_WRONG;
}

/* RFC 5321 section 4.3.2 where it has a code of the class, else the plainest that practice has. */
static const struct {
    guint success, temporary, permanent;
} stage_codes[SMTP_STAGE_COUNT] = {
    [SMTP_STAGE_CONNECT] = {220, 451, 554},  [SMTP_STAGE_HELO] = {250, 451, 550},
    [SMTP_STAGE_STARTTLS] = {220, 454, 554}, [SMTP_STAGE_AUTH] = {235, 454, 535},
    [SMTP_STAGE_MAIL] = {250, 451, 550},     [SMTP_STAGE_RCPT] = {250, 450, 550},
    [SMTP_STAGE_DATA] = {0, 451, 554},       [SMTP_STAGE_EOM] = {250, 451, 554},
    [SMTP_STAGE_OTHER] = {250, 451, 550},
};

static guint
intermediate_code(SmtpStage stage)
{
    if (stage == SMTP_STAGE_DATA)
        return 354;
    return stage == SMTP_STAGE_AUTH ? 334 : 0;
}

guint
catalog_code_for_stage(guint code, SmtpStage stage)
{
    guint best = 0;
    if (catalog_code_at_stage(code, stage) != CATALOG_STAGE_WRONG)
        return code;
    if (code_class(code) == 2)
        best = stage_codes[stage].success;
    else if (code_class(code) == 3)
        best = intermediate_code(stage);
    else if (code_class(code) == 4)
        best = stage_codes[stage].temporary;
    else
        best = stage_codes[stage].permanent;
    return best != 0 ? best : code;
}

/* ---- the status when nothing else is known ---- */

static EnhancedStatus
status_of_unknown_code(guint code)
{
    enum { SUBJECT_PROTOCOL = 5 };
    EnhancedStatus status = {(guint8)code_class(code), 0, 0};
    if (code_class(code) != 2 && code / 10 % 10 == 0)
        status.subject = SUBJECT_PROTOCOL;
    return status;
}

EnhancedStatus
catalog_default_status(guint code, SmtpStage stage)
{
    if (!catalog_takes_status(code, stage))
        return ENHANCED_STATUS_NONE;
    for (gsize i = 0; i < G_N_ELEMENTS(default_statuses); i++) {
        const DefaultStatus *row = &default_statuses[i];
        /* The row for every stage is the last of its code. */
        if (row->code == code && (row->stage == stage || row->stage == SMTP_STAGE_UNKNOWN))
            return row->status;
    }
    return status_of_unknown_code(code);
}
