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

#include "classify/retry_after.h"
#include "classify/rule.h"
#include "match/normal_text.h"
#include "match/pattern_set.h"

/* Octets of a reply's text that are read. */
#define MAX_TEXT 8192

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
    GString *line; /* its text */
    NormalText *normal;
    GString *names; /* the masked names, one a line */
    GArray *hits[2];
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
        classifier->patterns[field] = rule_patterns_compile(field, error);
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

static GString *
line_of(const SmtpReply *reply)
{
    GString *line = g_string_sized_new(256);
    for (guint i = 0; i < smtp_reply_line_count(reply) && line->len < MAX_TEXT; i++) {
        if (line->len > 0)
            g_string_append_c(line, ' ');
        g_string_append(line, smtp_reply_line(reply, i)->text);
    }
    if (line->len > MAX_TEXT)
        g_string_truncate(line, MAX_TEXT);
    return line;
}

/* Of IP addresses only a DNS list's answers mean something. */
static gboolean
is_telling(const NormalMask *mask, const char *line)
{
    return mask->kind == NORMAL_MASK_URL || mask->kind == NORMAL_MASK_HOST ||
           (mask->kind == NORMAL_MASK_IP && g_str_has_prefix(line + mask->start, "127."));
}

static GString *
names_of(const NormalText *normal, const char *line)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < normal->mask_count; i++) {
        const NormalMask *mask = &normal->masks[i];
        if (!is_telling(mask, line))
            continue;
        g_string_append_len(names, line + mask->start, mask->length);
        g_string_append_c(names, '\n');
    }
    return names;
}

static const Rule *
hit_rule(const PatternHit *hit, RuleField field)
{
    return rule_get(rule_pattern(field, hit->index)->rule);
}

/* The provider of the first marker that was hit. */
static gint
marked_provider(const Reading *reading)
{
    for (RuleField field = RULE_TEXT; field <= RULE_NAME; field++) {
        for (guint i = 0; i < reading->hits[field]->len; i++) {
            const Rule *rule = hit_rule(&g_array_index(reading->hits[field], PatternHit, i), field);
            if (rule->kind == RULE_MARKER)
                return rule->provider;
        }
    }
    return -1;
}

static GArray *
scan(const PatternSet *patterns, const char *text, gsize length)
{
    return patterns != NULL ? pattern_set_scan(patterns, text, length)
                            : g_array_new(FALSE, FALSE, sizeof(PatternHit));
}

static void
reading_init(Reading *reading, const Classifier *classifier, const SmtpReply *reply,
             const char *remote_name)
{
    reading->reply = reply;
    reading->line = line_of(reply);
    reading->normal = normal_text_new(reading->line->str, reading->line->len);
    reading->names = names_of(reading->normal, reading->line->str);
    reading->hits[RULE_TEXT] =
        scan(classifier->patterns[RULE_TEXT], reading->normal->text, reading->normal->length);
    reading->hits[RULE_NAME] =
        scan(classifier->patterns[RULE_NAME], reading->names->str, reading->names->len);
    reading->provider = rule_provider_of_host(remote_name);
    if (reading->provider < 0)
        reading->provider = marked_provider(reading);
}

static void
reading_clear(Reading *reading)
{
    g_string_free(reading->line, TRUE);
    g_string_free(reading->names, TRUE);
    normal_text_free(reading->normal);
    g_array_unref(reading->hits[RULE_TEXT]);
    g_array_unref(reading->hits[RULE_NAME]);
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
        for (guint i = 0; i < reading->hits[field]->len; i++) {
            const PatternHit *hit = &g_array_index(reading->hits[field], PatternHit, i);
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
    for (guint i = 0; i < reading->hits[RULE_TEXT]->len && seconds < 0; i++) {
        const PatternHit *hit = &g_array_index(reading->hits[RULE_TEXT], PatternHit, i);
        if (hit_rule(hit, RULE_TEXT)->kind != RULE_RETRY)
            continue;
        const NormalText *normal = reading->normal;
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

/* A zone is named by itself, a list's web page stands for its main zone. */
static char *
list_name(const char *line, const NormalMask *mask)
{
    gsize length;
    const char *host = mask_host(line, mask, &length);
    const char *zone = rule_dns_list(host, length);
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
    for (guint i = 0; i < reading->normal->mask_count; i++) {
        const NormalMask *mask = &reading->normal->masks[i];
        if (mask->kind == NORMAL_MASK_HOST && mask->at >= verdict->hit.start &&
            mask->at < verdict->hit.end) {
            g_free(name);
            name = g_ascii_strdown(reading->line->str + mask->start, mask->length);
        }
    }
    return name;
}

static char *
reading_dnsbl(const Reading *reading, const Verdict *verdict)
{
    static const NormalMaskKind order[] = {NORMAL_MASK_HOST, NORMAL_MASK_URL};
    /* Each list's domain is among the patterns of names. */
    guint count = reading->hits[RULE_NAME]->len > 0 ? G_N_ELEMENTS(order) : 0;
    for (guint k = 0; k < count; k++) {
        for (guint i = 0; i < reading->normal->mask_count; i++) {
            const NormalMask *mask = &reading->normal->masks[i];
            char *name = mask->kind == order[k] ? list_name(reading->line->str, mask) : NULL;
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
        return normal_text_original(reading->normal, reading->line->str, start, end);
    return g_strchomp(g_strndup(reading->names->str + start, end - start));
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
    Reading reading;
    Category category;
    gboolean specific = FALSE;
    reading_init(&reading, classifier, reply,
                 subject->remote_name != NULL ? subject->remote_name : reply->remote_name);
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
    reading_clear(&reading);
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
