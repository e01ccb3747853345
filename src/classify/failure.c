/*
 * failure: weighs the texts about one recipient against each other.
 */
#include "classify/failure.h"

#include <string.h>

#include "classify/quoted_status.h"

/* From here on a text says what it means (data/rules/README: 40 is "a word that points to it"). */
#define CLEAR_WEIGHT 40

/* What the numbers alone are worth beside texts. */
#define STATUS_WEIGHT 30
#define CODE_WEIGHT   5

/* Octets of a text that are kept. */
#define TEXT_OCTETS 4096

/* From here on to compare a text costs much less than to classify it again. */
#define LONG_TEXT_OCTETS 200

struct Failure {
    FailureReader *reader;
    BounceRecipient *best;
    guint weight;          /* of the best text */
    gboolean said;         /* there was a text */
    SmtpStage kept;        /* the stage with which the best text was classified */
    EnhancedStatus status; /* the report's field */
    EnhancedStatus noted;  /* of the first text that has a telling one */
    SmtpStage stage;       /* of any of the texts */
};

void
failure_reader_init(FailureReader *reader, const Classifier *classifier)
{
    *reader = (FailureReader){.classifier = classifier};
}

void
failure_reader_clear(FailureReader *reader)
{
    g_clear_pointer(&reader->text, g_free);
    g_clear_pointer(&reader->remote_mta, g_free);
    classification_clear(&reader->meaning);
}

Failure *
failure_new(FailureReader *reader, MailKind kind, const char *recipient, EnhancedStatus status,
            const char *remote_mta)
{
    Failure *failure = g_new0(Failure, 1);
    failure->reader = reader;
    failure->status = status;
    failure->stage = SMTP_STAGE_UNKNOWN;
    failure->best = g_new0(BounceRecipient, 1);
    failure->best->kind = kind;
    failure->best->recipient = g_strdup(recipient);
    failure->best->remote_mta = g_strdup(remote_mta);
    failure->best->reply = smtp_reply_new(0, status, "");
    failure->best->text = g_strdup("");
    failure->best->classification = (Classification){.retry_after = -1};
    return failure;
}

/* The text's own status counts, then that of a text that is trusted more, unless the report's field
 * says more. */
static EnhancedStatus
settle_status(Failure *failure, const char *text, const SmtpReply *reply)
{
    EnhancedStatus said = quoted_status(text, reply->status);
    if (status_is_telling(said) && !status_is_telling(failure->noted))
        failure->noted = said;
    if (status_is_telling(said))
        return said;
    if (status_is_telling(failure->noted))
        return failure->noted;
    if (status_is_telling(failure->status) || !enhanced_status_is_set(said))
        return failure->status;
    return said;
}

static SmtpStage
stage_of(const Failure *failure, const SmtpReply *reply)
{
    return reply->stage != SMTP_STAGE_UNKNOWN ? reply->stage : failure->stage;
}

static void
classify(const Failure *failure, const SmtpReply *reply, Classification *result)
{
    const BounceRecipient *best = failure->best;
    ClassifierSubject subject = {
        .reply = reply,
        .remote_name = *best->remote_mta != '\0' ? best->remote_mta : NULL,
        .stage = stage_of(failure, reply),
        .finality = mail_kind_finality(best->kind),
    };
    classifier_reply(failure->reader->classifier, &subject, result);
}

static gboolean
is_remembered(const Failure *failure, const char *text, const SmtpReply *reply)
{
    const FailureReader *reader = failure->reader;
    return reader->text != NULL && reader->kind == failure->best->kind &&
           reader->stage == stage_of(failure, reply) &&
           enhanced_status_equal(reader->status, reply->status) &&
           strcmp(reader->remote_mta, failure->best->remote_mta) == 0 &&
           strcmp(reader->text, text) == 0;
}

static void
remember(const Failure *failure, const char *text, const SmtpReply *reply,
         const Classification *meaning)
{
    FailureReader *reader = failure->reader;
    failure_reader_clear(reader);
    reader->text = g_strdup(text);
    reader->remote_mta = g_strdup(failure->best->remote_mta);
    reader->status = reply->status;
    reader->stage = stage_of(failure, reply);
    reader->kind = failure->best->kind;
    classification_copy(meaning, &reader->meaning);
}

/* The same of a text that the reader may have just read for another recipient. */
static void
classify_text(const Failure *failure, const char *text, const SmtpReply *reply,
              Classification *result)
{
    if (strlen(text) < LONG_TEXT_OCTETS) {
        classify(failure, reply, result);
    } else if (is_remembered(failure, text, reply)) {
        classification_copy(&failure->reader->meaning, result);
    } else {
        classify(failure, reply, result);
        remember(failure, text, reply, result);
    }
}

static guint
weight_of(const Classification *result)
{
    if (result->weight > 0)
        return result->weight;
    switch (result->confidence) {
    case CONFIDENCE_HIGH:
    case CONFIDENCE_MEDIUM:
        return STATUS_WEIGHT;
    case CONFIDENCE_LOW:
        break;
    }
    return result->category == CATEGORY_UNCLASSIFIED ? 0 : CODE_WEIGHT;
}

/* White space of all kinds folded to one space. */
static char *
one_line(const char *text)
{
    GString *line = g_string_new(NULL);
    for (; *text != '\0' && line->len < TEXT_OCTETS; text++) {
        if (!g_ascii_isspace(*text))
            g_string_append_c(line, *text);
        else if (line->len > 0 && line->str[line->len - 1] != ' ')
            g_string_append_c(line, ' ');
    }
    if (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
    char *valid = g_utf8_make_valid(line->str, (gssize)line->len); /* it may end in a letter */
    g_string_free(line, TRUE);
    return valid;
}

static void
keep(Failure *failure, const char *text, SmtpReply *reply, const Classification *result)
{
    BounceRecipient *best = failure->best;
    smtp_reply_free(best->reply);
    best->reply = reply;
    g_free(best->text);
    best->text = one_line(text);
    classification_clear(&best->classification);
    best->classification = *result;
    failure->weight = weight_of(result);
    failure->kept = stage_of(failure, reply);
}

static void
note_remote(BounceRecipient *best, const SmtpReply *reply)
{
    if (*best->remote_mta == '\0' && reply->remote_name != NULL) {
        g_free(best->remote_mta);
        best->remote_mta = g_strdup(reply->remote_name);
    }
}

/* An address is given up for a guess only if the reply was about the address (X.1.X). */
static gboolean
is_mere_guess(const Failure *failure, const SmtpReply *reply, const Classification *result)
{
    return failure->best->reply->code != 0 && reply->code == 0 && result->permanent &&
           failure->best->reply->status.subject != 1;
}

static void
add(Failure *failure, const char *text, gboolean prose)
{
    while (g_ascii_isspace(*text))
        text++;
    if (*text == '\0')
        return;
    SmtpReply *reply = smtp_reply_parse(text, -1);
    Classification result;
    if (reply->code == 0)
        reply->code = quoted_code(text);
    reply->status = settle_status(failure, text, reply);
    note_remote(failure->best, reply);
    if (failure->stage == SMTP_STAGE_UNKNOWN)
        failure->stage = reply->stage;
    classify_text(failure, text, reply, &result);
    if ((!failure->said || weight_of(&result) > failure->weight) &&
        !(prose && is_mere_guess(failure, reply, &result))) {
        keep(failure, text, reply, &result);
    } else {
        smtp_reply_free(reply);
        classification_clear(&result);
    }
    failure->said = TRUE;
}

void
failure_add(Failure *failure, const char *text)
{
    add(failure, text, FALSE);
}

void
failure_add_prose(Failure *failure, const char *text)
{
    add(failure, text, TRUE);
}

gboolean
failure_is_clear(const Failure *failure)
{
    return failure->weight >= CLEAR_WEIGHT;
}

/* What only numbers decided may be decided otherwise by the command that was answered. */
BounceRecipient *
failure_end(Failure *failure)
{
    BounceRecipient *best = failure->best;
    gboolean by_numbers = failure->weight <= CODE_WEIGHT;
    if (by_numbers &&
        (best->classification.rule == NULL || failure->kept != stage_of(failure, best->reply))) {
        classification_clear(&best->classification);
        classify(failure, best->reply, &best->classification);
    }
    g_free(failure);
    return best;
}

BounceRecipient *
failure_none(MailKind kind, const char *recipient, const char *text, EnhancedStatus status,
             const char *remote_mta)
{
    static const Category categories[MAIL_KIND_COUNT] = {
        [MAIL_KIND_NOT_A_BOUNCE] = CATEGORY_UNCLASSIFIED,
        [MAIL_KIND_FAILURE] = CATEGORY_UNCLASSIFIED,
        [MAIL_KIND_DELAY] = CATEGORY_UNCLASSIFIED,
        [MAIL_KIND_DELIVERED] = CATEGORY_DELIVERED,
        [MAIL_KIND_FEEDBACK] = CATEGORY_FEEDBACK_REPORT,
        [MAIL_KIND_AUTO_REPLY] = CATEGORY_AUTO_REPLY,
    };
    BounceRecipient *none = g_new0(BounceRecipient, 1);
    none->recipient = g_strdup(recipient);
    none->kind = kind;
    none->reply = smtp_reply_parse(text, -1);
    if (!enhanced_status_is_set(none->reply->status))
        none->reply->status = status;
    none->text = one_line(text);
    none->remote_mta = g_strdup(remote_mta);
    none->classification = (Classification){
        .category = categories[kind],
        .action = category_info(categories[kind])->action,
        .confidence = CONFIDENCE_HIGH,
        .rule = g_strdup(mail_kind_name(kind)),
        .retry_after = -1,
    };
    return none;
}

void
bounce_recipient_free(BounceRecipient *recipient)
{
    g_free(recipient->recipient);
    g_free(recipient->text);
    g_free(recipient->remote_mta);
    smtp_reply_free(recipient->reply);
    classification_clear(&recipient->classification);
    g_free(recipient);
}
