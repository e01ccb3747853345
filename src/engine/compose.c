/*
 * compose: makes what is said out of what was chosen, as each kind of door can say it.
 */
#include "engine/compose.h"

#include <string.h>

#include "engine/attribute_mark.h"
#include "engine/cause.h"
#include "engine/delivery_status.h"
#include "engine/explanation.h"
#include "engine/fit.h"
#include "engine/own_reply.h"
#include "engine/reference.h"
#include "engine/repair.h"

/* A remote server's words that are longer are left alone. */
#define DELIVERY_TEXT_MAX 4096
/* What may be said behind them. */
#define DELIVERY_WORDS_MAX 400
/* Postfix cuts its rbl reply at 510 octets, and needs most of them for who is listed, and where. */
#define RBL_WORDS_MAX 220

/* Everything that the functions of one decision share. */
typedef struct {
    const Facts *facts;
    const Choice *choice;
    Decision *decision;
    TemplateValues values;
    char *reference;
} Composition;

/* ---- code and status ------------------------------------------------------------------------ */

/* A filter's refusal at connect or HELO is heard at MAIL. */
static SmtpStage
heard_at(const Facts *facts)
{
    gboolean early = facts->stage == SMTP_STAGE_CONNECT || facts->stage == SMTP_STAGE_HELO;
    return early && facts->door == DOOR_FILTER ? SMTP_STAGE_MAIL : facts->stage;
}

LintContext
compose_lint_context(const Facts *facts, const Classification *cause, gboolean hangup_intended)
{
    gboolean milter = facts->door == DOOR_MILTER || facts->door == DOOR_FILTER;
    const char *address = facts->stage == SMTP_STAGE_RCPT   ? facts_get(facts, FACT_RECIPIENT)
                          : facts->stage == SMTP_STAGE_MAIL ? facts_get(facts, FACT_SENDER)
                                                            : NULL;
    return (LintContext){.stage = heard_at(facts),
                         .cause = cause,
                         .address = milter ? address : NULL,
                         .smtputf8 = facts->smtputf8,
                         .hangup_intended = hangup_intended,
                         .must_refuse = facts->door == DOOR_FILTER,
                         .specific_status = facts->door == DOOR_FILTER};
}

/* A rule that changes the class by its status alone gets a code that goes with it. */
static guint
code_of_class(guint code, guint class)
{
    static const guint pairs[][2] = {{450, 550}, {452, 552}, {451, 554}};
    if (code / 100 == class)
        return code;
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (pairs[i][class == 4] == code)
            return pairs[i][class == 5];
    return class == 4 ? 451 : 554;
}

/* The rule's code, unless it would make a temporary failure permanent, or the other way round,
 * without being allowed to. */
static guint
guarded_code(const PolicyRule *rule, guint code)
{
    guint wanted = rule->reply.code;
    if (wanted == 0)
        wanted = enhanced_status_is_set(rule->reply.status)
                     ? code_of_class(code, rule->reply.status.class)
                     : code;
    return rule->change_class || wanted / 100 == code / 100 ? wanted : code;
}

static EnhancedStatus
ruled_status(const PolicyRule *rule, EnhancedStatus status, guint class)
{
    if (rule != NULL && enhanced_status_is_set(rule->reply.status))
        status = rule->reply.status;
    return enhanced_status_is_set(status) ? enhanced_status_with_class(status, class) : status;
}

/* ---- the beginning and the end of each kind ---------------------------------------------------
 */

static void
composition_begin(Composition *composition, const Policy *policy, const EngineMoment *moment)
{
    composition->reference = reference_new(moment->random);
    composition->values = (TemplateValues){
        .policy = policy,
        .facts = composition->facts,
        .cause = &composition->decision->cause,
        .captures = composition->choice == NULL ? NULL : &composition->choice->captures,
        .original = composition->decision->original,
        .reference = composition->reference,
        .now_us = moment->now_us,
    };
}

static Explanation
explanation_of(Composition *composition)
{
    const Choice *choice = composition->choice;
    return (Explanation){.template = choice->rule == NULL ? NULL : &choice->rule->reply,
                         .disclosure = choice->disclosure,
                         .values = &composition->values};
}

/* Takes `final`. */
static void
composition_end(Composition *composition, SmtpReply *final, gboolean changed)
{
    Decision *decision = composition->decision;
    smtp_reply_free(decision->final);
    decision->final = final;
    decision->changed = changed;
    decision->verdict = changed ? VERDICT_REPLY : VERDICT_PASS;
    if (changed && composition->choice != NULL) {
        decision->mode = composition->choice->mode;
        decision->disclosure = composition->choice->disclosure;
    }
    g_autofree char *text = smtp_reply_text(final);
    if (changed && strstr(text, composition->reference) != NULL)
        decision->reference = g_steal_pointer(&composition->reference);
    g_clear_pointer(&composition->reference, g_free);
    template_values_clear(&composition->values);
}

/* ---- a whole reply: milter, filter, reject, command -------------------------------------------
 */

static SmtpReply *
reply_of_lines(guint code, EnhancedStatus status, const GPtrArray *lines)
{
    SmtpReply *reply = smtp_reply_new(code, status, g_ptr_array_index(lines, 0));
    for (guint i = 1; i < lines->len; i++)
        smtp_reply_add_line(reply, g_ptr_array_index(lines, i));
    return reply;
}

/* What the last lines say already, as the help line alone may, is not said again. */
static GPtrArray *
unless_said(GPtrArray *added, const SmtpReply *reply)
{
    guint count = smtp_reply_line_count(reply);
    if (added->len > count)
        return added;
    for (guint i = 0; i < added->len; i++)
        if (strcmp(g_ptr_array_index(added, i),
                   smtp_reply_line(reply, count - added->len + i)->text) != 0)
            return added;
    g_ptr_array_set_size(added, 0);
    return added;
}

/* The added lines come first where there are too many. */
static void
add_lines(SmtpReply *reply, const GPtrArray *added)
{
    if (smtp_reply_line_count(reply) + added->len > FIT_MAX_LINES)
        smtp_reply_truncate(reply, FIT_MAX_LINES - added->len);
    for (guint i = 0; i < added->len; i++)
        smtp_reply_add_line(reply, g_ptr_array_index(added, i));
    smtp_reply_set_code(reply, reply->code, reply->status);
}

/* Our lines instead of the reply's own, or behind them. */
static SmtpReply *
with_text(Composition *composition, SmtpReply *reply, const LintContext *context)
{
    const Choice *choice = composition->choice;
    Explanation explanation = explanation_of(composition);
    gboolean brief = choice->disclosure == DISCLOSURE_BRIEF;
    gboolean nothing_to_keep = composition->facts->wordless && choice->mode >= REPLY_MODE_ANNOTATE;
    if (choice->mode == REPLY_MODE_REPLACE || brief || nothing_to_keep) {
        g_autoptr(GPtrArray) lines = explanation_instead(&explanation);
        SmtpReply *instead = reply_of_lines(reply->code, reply->status, lines);
        fit_reply(instead, context, NULL);
        smtp_reply_free(reply);
        return instead;
    }
    if (choice->mode == REPLY_MODE_ANNOTATE) {
        composition->decision->added = unless_said(explanation_added(&explanation, reply), reply);
        add_lines(reply, composition->decision->added);
    }
    return reply;
}

/* At 421 and 521 the MTA hangs up: the reject table means it, and a filter has always had it so. */
static gboolean
hangup_is_meant(const Composition *composition)
{
    const PolicyRule *rule = composition->choice->rule;
    const Facts *facts = composition->facts;
    return (rule != NULL && smtp_code_hangs_up(rule->reply.code)) ||
           ((facts->door == DOOR_REJECT || facts->door == DOOR_FILTER) &&
            smtp_code_hangs_up(composition->decision->original->code));
}

static SmtpReply *
repaired_original(const Composition *composition, const LintContext *context)
{
    Decision *decision = composition->decision;
    if (!composition->facts->wordless)
        return repair_reply(decision->original, context, decision->repairs);
    g_autoptr(SmtpReply) bare =
        smtp_reply_new(decision->original->code, decision->original->status, "");
    return repair_reply(bare, context, decision->repairs);
}

static void
compose_reply(Composition *composition)
{
    const PolicyRule *rule = composition->choice->rule;
    Decision *decision = composition->decision;
    LintContext context =
        compose_lint_context(composition->facts, &decision->cause, hangup_is_meant(composition));
    SmtpReply *reply = repaired_original(composition, &context);
    if (rule != NULL) {
        guint wanted = guarded_code(rule, reply->code);
        smtp_reply_set_code(reply, wanted, ruled_status(rule, reply->status, wanted / 100));
    }
    composition->values.code = reply->code;
    composition->values.status = reply->status;
    fit_reply(reply, &context, NULL);
    reply = with_text(composition, reply, &context);
    g_autofree char *before = smtp_reply_to_wire(decision->original);
    g_autofree char *after = smtp_reply_to_wire(reply);
    gboolean changed = decision->repairs->len > 0 || strcmp(before, after) != 0;
    composition_end(composition, reply, changed);
}

/* ---- the footer table: lines behind a reply that stays as it is -------------------------------
 */

/* Postfix reads "\n" as a line's end and "\c" as "no line of its own": no backslash of ours may do
 * that. */
static void
slash_backslashes(char *line)
{
    for (char *at = strchr(line, '\\'); at != NULL; at = strchr(at, '\\'))
        *at = '/';
}

static void
compose_footer(Composition *composition)
{
    Decision *decision = composition->decision;
    Explanation explanation = explanation_of(composition);
    composition->values.code = decision->original->code;
    composition->values.status = decision->original->status;
    decision->added =
        unless_said(explanation_added(&explanation, decision->original), decision->original);
    SmtpReply *final = smtp_reply_copy(decision->original);
    for (guint i = 0; i < decision->added->len; i++) {
        slash_backslashes(g_ptr_array_index(decision->added, i));
        g_autofree char *shown = attribute_mark_show(g_ptr_array_index(decision->added, i));
        smtp_reply_add_line(final, shown);
    }
    composition_end(composition, final, decision->added->len > 0);
}

/* ---- the delivery table: a status and one line ------------------------------------------------
 */

static EnhancedStatus
delivery_status(const Composition *composition, EnhancedStatus given, const char *text)
{
    const PolicyRule *rule = composition->choice->rule;
    guint class = given.class;
    if (rule != NULL && rule->change_class)
        class = rule->reply.code != 0                        ? rule->reply.code / 100
                : enhanced_status_is_set(rule->reply.status) ? rule->reply.status.class
                                                             : class;
    g_autoptr(SmtpReply) remote = smtp_reply_parse(text, -1);
    EnhancedStatus corrected =
        delivery_status_for(given, remote->status, &composition->decision->cause);
    return ruled_status(rule, corrected, class);
}

/* The remote server's words stay in every mode: they are what a postmaster searches for. */
static char *
delivery_text(Composition *composition, const char *text)
{
    const Choice *choice = composition->choice;
    if (choice->mode == REPLY_MODE_REPAIR && choice->disclosure == DISCLOSURE_FULL)
        return g_strdup(text);
    Explanation explanation = explanation_of(composition);
    g_autofree char *words = explanation_words(&explanation, DELIVERY_WORDS_MAX);
    g_autofree char *behind = g_strconcat(OWN_REPLY_DASH, words, NULL);
    gboolean said_already = words == NULL || g_str_has_suffix(text, behind);
    return g_strconcat(text, said_already ? NULL : behind, NULL);
}

static void
compose_delivery(Composition *composition)
{
    Decision *decision = composition->decision;
    g_autofree char *raw = smtp_reply_text(decision->original);
    g_autofree char *text = fit_clean(raw, FALSE);
    EnhancedStatus given = decision->original->status;
    if (strlen(text) > DELIVERY_TEXT_MAX || !enhanced_status_is_set(given)) {
        composition_end(composition, smtp_reply_copy(decision->original), FALSE);
        return;
    }
    EnhancedStatus status = delivery_status(composition, given, text);
    composition->values.code = decision->original->code;
    composition->values.status = status;
    g_autofree char *said = delivery_text(composition, text);
    SmtpReply *final = smtp_reply_new(decision->original->code, status, said);
    gboolean changed = strcmp(said, text) != 0 || !enhanced_status_equal(status, given);
    composition_end(composition, final, changed);
}

/* ---- the rbl table: a template that begins with the reply code --------------------------------
 */

/* Postfix's own words (its default_rbl_reply), before ours. */
static char *
rbl_listing(void)
{
    g_autofree char *class = attribute_mark_new("rbl_class");
    g_autofree char *what = attribute_mark_new("rbl_what");
    g_autofree char *domain = attribute_mark_new("rbl_domain");
    g_autofree char *reason = attribute_mark_new("{rbl_reason?; $rbl_reason}");
    return g_strconcat("Service unavailable; ", class, " [", what, "] blocked using ", domain,
                       reason, NULL);
}

static char *
rbl_text(Composition *composition)
{
    const Choice *choice = composition->choice;
    Explanation explanation = explanation_of(composition);
    if (choice->disclosure == DISCLOSURE_BRIEF)
        return explanation_words(&explanation, RBL_WORDS_MAX);
    gboolean own = choice->rule != NULL && choice->rule->reply.text->len > 0;
    g_autofree char *words = explanation_words(&explanation, RBL_WORDS_MAX);
    if (choice->mode == REPLY_MODE_REPLACE && own)
        return g_steal_pointer(&words);
    g_autofree char *listing = rbl_listing();
    return words == NULL ? g_steal_pointer(&listing)
                         : g_strconcat(listing, OWN_REPLY_DASH, words, NULL);
}

/* The code of Postfix's maps_rbl_reject_code is not known: ours only where the class may change. */
static void
compose_rbl(Composition *composition)
{
    Decision *decision = composition->decision;
    const PolicyRule *rule = composition->choice->rule;
    guint code = rule != NULL && rule->change_class ? rule->reply.code : 0;
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    if (code != 0)
        status = ruled_status(rule, (EnhancedStatus){5, 7, 1}, code / 100);
    composition->values.code = code;
    composition->values.status = status;
    char *text = rbl_text(composition);
    if (text == NULL || composition->choice->mode == REPLY_MODE_REPAIR) {
        g_free(text);
        composition_end(composition, smtp_reply_copy(decision->original), FALSE);
        return;
    }
    g_autofree char *shown = attribute_mark_show(text);
    decision->added = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(decision->added, text);
    composition_end(composition, smtp_reply_new(code, status, shown), TRUE);
}

/* ---- the calls --------------------------------------------------------------------------------
 */

void
compose_decision(const Policy *policy, const Facts *facts, const Choice *choice,
                 const EngineMoment *moment, Decision *decision)
{
    Composition composition = {.facts = facts, .choice = choice, .decision = decision};
    composition_begin(&composition, policy, moment);
    switch (facts->door) {
    case DOOR_FOOTER:
        compose_footer(&composition);
        break;
    case DOOR_DELIVERY:
        compose_delivery(&composition);
        break;
    case DOOR_RBL:
        compose_rbl(&composition);
        break;
    default:
        compose_reply(&composition);
        break;
    }
}

/* What is left where no line has all its values. */
static void
add_sentence_of(Composition *composition, const PolicyCheck *check, GPtrArray *lines)
{
    Decision *decision = composition->decision;
    g_autoptr(SmtpReply) bare = smtp_reply_new(check->reply.code, check->reply.status, "");
    cause_of_reply(composition->values.policy, composition->facts, bare, &decision->cause);
    g_ptr_array_add(lines, g_strdup(category_info(decision->cause.category)->sentence));
}

void
compose_refusal(const Policy *policy, const Facts *facts, const PolicyCheck *check,
                const MatchCaptures *captures, const EngineMoment *moment, Decision *decision)
{
    Composition composition = {.facts = facts, .decision = decision};
    LintContext context = compose_lint_context(facts, NULL, smtp_code_hangs_up(check->reply.code));
    composition_begin(&composition, policy, moment);
    composition.values.captures = captures;
    composition.values.code = check->reply.code;
    composition.values.status = check->reply.status;
    g_autoptr(GPtrArray) lines = explanation_text(&check->reply, &composition.values);
    if (lines->len == 0)
        add_sentence_of(&composition, check, lines);
    g_autoptr(SmtpReply) raw = reply_of_lines(check->reply.code, check->reply.status, lines);
    SmtpReply *reply = repair_reply(raw, &context, decision->repairs);
    fit_reply(reply, &context, NULL);
    cause_of_reply(policy, facts, reply, &decision->cause);
    composition_end(&composition, reply, TRUE);
    decision->mode = REPLY_MODE_REPLACE;
}
