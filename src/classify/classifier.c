/*
 * classifier: reads a reply by the rules of data/rules/.
 *
 * The text is normalised and scanned; what was masked in it is scanned by the few patterns that
 * know names (DNS lists, help pages of providers). From the hits, and from the numbers where the
 * provider is known, the best rule is taken; where none is good enough, the status and the code
 * decide.
 */
#include "classify/classifier.h"

#include <stdatomic.h>
#include <string.h>

#include "classify/reply_text.h"
#include "classify/retry_after.h"

/* A specific status beats texts that are said beside many reasons (data/rules/README). */
#define STATUS_WEIGHT 30
#define SURE_WEIGHT   60

/* A provider's rule beats all that are not. */
#define PROVIDER_WEIGHT 100

/* How far from the words "try again" the time may stand. */
#define RETRY_BEFORE 16
#define RETRY_BEHIND 40

/* Rules whose match ends at the name of the list. */
#define LIST_RULE "dns-list"

struct Classifier {
    atomic_int references;
    PatternSet *patterns[2]; /* by RuleField; NULL: no text is read */
    Layouts *layouts;
};

/* One reply while it is being read. */
typedef struct {
    const SmtpReply *reply;
    const ReplyText *text;
    gint provider;
} Reading;

/* The best rule so far. */
typedef struct {
    const Rule *rule; /* NULL: none */
    guint weight;
    RuleField field;
    PatternHit hit; /* of no length: the numbers were enough */
} Verdict;

/* ---- life ---------------------------------------------------------------------------------- */

Classifier *
classifier_new_for_numbers(void)
{
    Classifier *classifier = g_new0(Classifier, 1);
    atomic_init(&classifier->references, 1);
    return classifier;
}

Classifier *
classifier_new(GError **error)
{
    Classifier *classifier = classifier_new_for_numbers();
    for (RuleField field = RULE_TEXT; field <= RULE_NAME; field++) {
        classifier->patterns[field] = rule_patterns_load(field, error);
        if (classifier->patterns[field] == NULL) {
            classifier_unref(classifier);
            return NULL;
        }
    }
    classifier->layouts = layouts_new(error);
    if (classifier->layouts == NULL) {
        classifier_unref(classifier);
        return NULL;
    }
    return classifier;
}

Classifier *
classifier_ref(Classifier *classifier)
{
    atomic_fetch_add(&classifier->references, 1);
    return classifier;
}

void
classifier_unref(Classifier *classifier)
{
    if (classifier == NULL || atomic_fetch_sub(&classifier->references, 1) > 1)
        return;
    for (RuleField field = RULE_TEXT; field <= RULE_NAME; field++)
        pattern_set_free(classifier->patterns[field]);
    layouts_free(classifier->layouts);
    g_free(classifier);
}

const Layouts *
classifier_layouts(const Classifier *classifier)
{
    return classifier->layouts;
}

void
classification_clear(Classification *classification)
{
    g_free(classification->rule);
    g_free(classification->match);
    g_free(classification->dnsbl);
    *classification = (Classification){.retry_after = -1};
}

void
classification_copy(const Classification *from, Classification *to)
{
    *to = *from;
    to->rule = g_strdup(from->rule);
    to->match = g_strdup(from->match);
    to->dnsbl = g_strdup(from->dnsbl);
}

const char *
confidence_name(Confidence confidence)
{
    static const char *const names[] = {"low", "medium", "high"};
    g_assert((guint)confidence < G_N_ELEMENTS(names));
    return names[confidence];
}

/* ---- reading ------------------------------------------------------------------------------- */

static const Rule *
hit_rule(const PatternHit *hit, RuleField field)
{
    return rule_of_pattern(field, hit->index);
}

/* The provider of the first marker that was hit. */
static gint
marked_provider(const ReplyText *text)
{
    for (RuleField field = RULE_TEXT; field <= RULE_NAME; field++) {
        for (guint i = 0; i < text->hits[field]->len; i++) {
            const Rule *rule = hit_rule(&g_array_index(text->hits[field], PatternHit, i), field);
            if (rule->kind == RULE_MARKER)
                return rule->provider;
        }
    }
    return -1;
}

static Reading
reading_of(const Classifier *classifier, const SmtpReply *reply, const char *remote_name)
{
    Reading reading = {reply, reply_text_read(reply, classifier->patterns),
                       rule_provider_of_host(remote_name)};
    if (reading.provider < 0)
        reading.provider = marked_provider(reading.text);
    return reading;
}

/* The heavier rule counts; of equal ones the first. */
static void
verdict_take(Verdict *verdict, const Rule *rule, RuleField field, PatternHit hit)
{
    guint weight = rule->weight + (rule->provider >= 0 ? PROVIDER_WEIGHT : 0u);
    if (verdict->rule == NULL || weight > verdict->weight ||
        (weight == verdict->weight && rule < verdict->rule))
        *verdict = (Verdict){rule, weight, field, hit};
}

/* What answers a command before RCPT TO says nothing of the recipient. */
static gboolean
is_too_early(SmtpStage stage, guint code, Category category)
{
    gboolean early = stage == SMTP_STAGE_CONNECT || stage == SMTP_STAGE_HELO ||
                     stage == SMTP_STAGE_STARTTLS || stage == SMTP_STAGE_AUTH ||
                     stage == SMTP_STAGE_MAIL;
    return early && code != 0 &&
           (category == CATEGORY_USER_UNKNOWN || category == CATEGORY_DOMAIN_UNKNOWN ||
            category == CATEGORY_MAILBOX_MOVED);
}

static Verdict
reading_verdict(const Reading *reading, SmtpStage stage)
{
    Verdict verdict = {.rule = NULL};
    const SmtpReply *reply = reading->reply;
    const Rule *numbers = rule_of_numbers(reading->provider, reply->code, reply->status);
    if (numbers != NULL)
        verdict_take(&verdict, numbers, RULE_TEXT, (PatternHit){0, 0, 0});
    for (RuleField field = RULE_TEXT; field <= RULE_NAME; field++) {
        for (guint i = 0; i < reading->text->hits[field]->len; i++) {
            const PatternHit *hit = &g_array_index(reading->text->hits[field], PatternHit, i);
            const Rule *rule = hit_rule(hit, field);
            if (rule->kind == RULE_CATEGORY && !is_too_early(stage, reply->code, rule->category) &&
                (rule->provider < 0 || rule->provider == reading->provider) &&
                rule_allows(rule, reply->code, reply->status))
                verdict_take(&verdict, rule, field, *hit);
        }
    }
    return verdict;
}

/* The words before the time are what matched; where words stand behind it (Chinese and the like),
 * the octets before them are looked at too. */
static gint64
reading_retry_after(const Reading *reading)
{
    gint64 seconds = -1;
    for (guint i = 0; i < reading->text->hits[RULE_TEXT]->len && seconds < 0; i++) {
        const PatternHit *hit = &g_array_index(reading->text->hits[RULE_TEXT], PatternHit, i);
        if (hit_rule(hit, RULE_TEXT)->kind != RULE_RETRY)
            continue;
        const NormalText *normal = reading->text->normal;
        gboolean behind = (guchar)normal->text[hit->start] >= 0x80;
        gsize start = behind ? hit->start - MIN(hit->start, RETRY_BEFORE) : hit->end;
        seconds = retry_after_parse(normal->text + start,
                                    MIN(normal->length, hit->end + RETRY_BEHIND) - start);
    }
    return seconds;
}

/* ---- the named list ------------------------------------------------------------------------ */

/* The host part of a masked URL or host name. */
static const char *
mask_host(const char *line, const NormalMask *mask, gsize *length)
{
    const char *host = line + mask->start, *end = host + mask->length;
    const char *scheme = g_strstr_len(host, mask->length, "://");
    if (scheme != NULL)
        host = scheme + 3;
    *length = 0;
    while (host + *length < end && strchr("/?#:", host[*length]) == NULL)
        ++*length;
    return host;
}

/* The zone of the first list that was hit and has this host. */
static const char *
hit_zone(const GArray *hits, const char *host, gsize length)
{
    const char *zone = NULL;
    for (guint i = 0; i < hits->len && zone == NULL; i++) {
        guint index = g_array_index(hits, PatternHit, i).index;
        zone = rule_dns_list(rule_pattern(RULE_NAME, index), host, length);
    }
    return zone;
}

/* A zone is named by itself, a list's web page stands for its main zone. */
static char *
list_name(const ReplyText *text, const NormalMask *mask)
{
    gsize length;
    const char *host = mask_host(text->line, mask, &length);
    const char *zone = hit_zone(text->hits[RULE_NAME], host, length);
    if (zone == NULL)
        return NULL;
    gboolean page = mask->kind == NORMAL_MASK_URL || g_ascii_strncasecmp(host, "www.", 4) == 0 ||
                    memchr(host, '.', length) == memrchr(host, '.', length);
    return page ? g_strdup(zone) : g_ascii_strdown(host, (gssize)length);
}

/* A list that a rule about lists names, though nobody knows it: "blocked using rbl.example.org". */
static char *
unknown_list_name(const Reading *reading, const Verdict *verdict)
{
    char *name = NULL;
    if (verdict->rule == NULL || verdict->field != RULE_TEXT ||
        !g_str_has_prefix(verdict->rule->id, LIST_RULE))
        return NULL;
    for (guint i = 0; i < reading->text->normal->mask_count; i++) {
        const NormalMask *mask = &reading->text->normal->masks[i];
        if (mask->kind == NORMAL_MASK_HOST && mask->at >= verdict->hit.start &&
            mask->at < verdict->hit.end) {
            g_free(name);
            name = g_ascii_strdown(reading->text->line + mask->start, mask->length);
        }
    }
    return name;
}

static char *
reading_dnsbl(const Reading *reading, const Verdict *verdict)
{
    static const NormalMaskKind order[] = {NORMAL_MASK_HOST, NORMAL_MASK_URL};
    const NormalText *normal = reading->text->normal;
    /* Each list's domain is among the patterns of names. */
    guint count = reading->text->hits[RULE_NAME]->len > 0 ? G_N_ELEMENTS(order) : 0;
    for (guint k = 0; k < count; k++) {
        for (guint i = 0; i < normal->mask_count; i++) {
            const NormalMask *mask = &normal->masks[i];
            char *name = mask->kind == order[k] ? list_name(reading->text, mask) : NULL;
            if (name != NULL)
                return name;
        }
    }
    return unknown_list_name(reading, verdict);
}

/* ---- the answer ---------------------------------------------------------------------------- */

static void
decide(Classification *result, Category category, Confidence confidence, const char *rule,
       char *match)
{
    result->category = category;
    result->confidence = confidence;
    result->rule = g_strdup(rule);
    result->match = match;
}

/* "550 5.7.25": what matched where the numbers were enough. */
static char *
numbers_text(const SmtpReply *reply)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    enhanced_status_format(reply->status, status);
    if (reply->code == 0)
        return g_strdup(status);
    return g_strdup_printf("%03u%s%s", reply->code, *status != '\0' ? " " : "", status);
}

static char *
verdict_match(const Reading *reading, const Verdict *verdict)
{
    gsize start = verdict->hit.start, end = verdict->hit.end;
    if (start == end)
        return numbers_text(reading->reply);
    if (verdict->field == RULE_TEXT)
        return normal_text_original(reading->text->normal, reading->text->line, start, end);
    return g_strchomp(g_strndup(reading->text->names->str + start, end - start));
}

static void
decide_by_rule(const Reading *reading, const Verdict *verdict, Classification *result)
{
    decide(result, verdict->rule->category,
           verdict->weight >= SURE_WEIGHT ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM, verdict->rule->id,
           verdict_match(reading, verdict));
    result->weight = verdict->weight;
}

static void
decide_by_numbers(const SmtpReply *reply, SmtpStage stage, Classification *result)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    Category category;
    gboolean specific;
    if (enhanced_status_is_set(reply->status) &&
        rule_of_status(reply->status, &category, &specific) &&
        !is_too_early(stage, reply->code, category)) {
        decide(result, category, specific ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW, "status",
               g_strdup(enhanced_status_format(reply->status, status)));
    } else if (reply->code != 0 && rule_of_code(reply->code, stage, &category)) {
        decide(result, category, CONFIDENCE_LOW, "code", g_strdup_printf("%03u", reply->code));
    } else if (reply->code / 100 == 4) {
        decide(result, CATEGORY_SYSTEM_ERROR, CONFIDENCE_LOW, "digit", NULL);
    } else {
        decide(result, CATEGORY_UNCLASSIFIED, CONFIDENCE_LOW, reply->code != 0 ? "digit" : "none",
               NULL);
    }
}

/* Does this end the attempts? What has neither code nor status is a diagnostic of a failure. */
static gboolean
is_final(const ClassifierSubject *subject)
{
    const SmtpReply *reply = subject->reply;
    if (subject->finality != FINALITY_REPLY)
        return subject->finality == FINALITY_FAILED;
    if (reply->code != 0)
        return reply->code / 100 == 5;
    return reply->status.class != 4;
}

static void
set_consequences(gboolean final, Classification *result)
{
    const CategoryInfo *info = category_info(result->category);
    result->permanent = final && info->permanent;
    result->action = info->action;
    if (!final && info->action != ACTION_RETRY_SLOWER && info->action != ACTION_NONE)
        result->action = ACTION_RETRY;
}

static void
read_refusal(const Classifier *classifier, const ClassifierSubject *subject, Classification *result)
{
    const SmtpReply *reply = subject->reply;
    const char *remote_name =
        subject->remote_name != NULL ? subject->remote_name : reply->remote_name;
    Reading reading = reading_of(classifier, reply, remote_name);
    Category category;
    gboolean specific = FALSE;
    SmtpStage stage = subject->stage != SMTP_STAGE_UNKNOWN ? subject->stage : reply->stage;
    Verdict verdict = reading_verdict(&reading, stage);
    if (verdict.weight < STATUS_WEIGHT)
        specific = rule_of_status(reply->status, &category, &specific) && specific &&
                   !is_too_early(stage, reply->code, category);
    if (verdict.rule != NULL && !specific)
        decide_by_rule(&reading, &verdict, result);
    else
        decide_by_numbers(reply, stage, result);
    result->provider = rule_provider_name(reading.provider);
    result->retry_after = reading_retry_after(&reading);
    result->dnsbl = reading_dnsbl(&reading, &verdict);
}

void
classifier_reply(const Classifier *classifier, const ClassifierSubject *subject,
                 Classification *result)
{
    *result = (Classification){.retry_after = -1};
    guint digit = subject->reply->code / 100;
    if (digit == 2 && subject->finality == FINALITY_REPLY)
        decide(result, CATEGORY_DELIVERED, CONFIDENCE_MEDIUM, "code",
               g_strdup_printf("%03u", subject->reply->code));
    else
        read_refusal(classifier, subject, result);
    set_consequences(is_final(subject), result);
}

void
classification_overrule(Classification *classification, const ClassifierSubject *subject,
                        Category category, const char *rule, const char *match)
{
    char *old_rule = classification->rule, *old_match = classification->match;
    decide(classification, category, CONFIDENCE_HIGH, rule, g_strdup(match));
    g_free(old_rule);
    g_free(old_match);
    set_consequences(is_final(subject), classification);
}

const char *const *
classifier_providers(void)
{
    return rule_provider_names();
}
