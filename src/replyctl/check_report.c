/*
 * check_report: what a good policy makes the MTA do, and where its rules and checks speak.
 */
#include "replyctl/check_report.h"

#include <stdio.h>
#include <string.h>

#include "engine/rule_doors.h"
#include "replyctl/check_filters.h"
#include "replyctl/screen.h"
#include "replyctl/spoken.h"

enum { DOOR_INDENT = 4, DOOR_COLUMN = 13, POINT_COLUMN = 18 };

/* ---- the milter door ----------------------------------------------------------------------------
 */

/* "bad-helo, moved"; the caller frees it. */
static char *
checks_at(const Policy *policy, CheckPoint point)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < policy_check_count(policy); i++)
        if (policy_check(policy, i)->speaks_at == point)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   policy_check(policy, i)->name);
    return g_string_free(names, FALSE);
}

static const char *
what_is_sent(const PolicyNeeds *needs)
{
    if (needs->body)
        return "its headers and body are sent, unless DATA shows that no check can speak any more";
    if (needs->headers)
        return "its headers are sent, unless DATA shows that no check can speak any more; its body "
               "is not";
    return needs->reports ? "headers and body are sent of reports only, see there"
                          : "neither headers nor body are sent";
}

/* The caller frees it. */
static char *
what_is_answered(const Policy *policy, CheckPoint point)
{
    g_autofree char *names = checks_at(policy, point);
    if (policy_needs(policy)->points & 1u << point)
        return g_strconcat("it waits for our answer", names[0] != '\0' ? ": " : NULL, names, NULL);
    switch (point) {
    case CHECK_POINT_RCPT:
        return g_strdup("it waits, so that what it refuses is seen before the client leaves");
    case CHECK_POINT_DATA:
        return g_strdup("it waits to hear whether the message must be read");
    default:
        return g_strdup("it does not wait");
    }
}

/* Which mail is read as a report, and what for. */
static void
put_reports(const Policy *policy)
{
    const PolicyNeeds *needs = policy_needs(policy);
    const Matcher *recipients = policy_settings(policy)->bounces.recipients;
    if (!needs->reports) {
        screen_field(SCREEN_INDENT, POINT_COLUMN, "reports", "no mail is read for what it reports");
        return;
    }
    g_autofree char *which =
        g_strconcat("headers and body are sent of mail with the null sender",
                    recipients != NULL ? ", and of mail for " : NULL,
                    recipients != NULL ? matcher_text(recipients) : NULL, NULL);
    screen_field(SCREEN_INDENT, POINT_COLUMN, "reports", which);
    if (needs->own_reports)
        screen_field(SCREEN_INDENT, POINT_COLUMN, "its own bounces",
                     "are read and logged, if internal_mail_filter_classes shows them to us, and "
                     "never changed");
}

/* NULL: nothing. */
static const char *
what_may_be_done(const PolicyNeeds *needs)
{
    if (needs->header_changes)
        return needs->message_action ? "add and remove headers of reports, quarantine"
                                     : "add and remove headers of reports";
    return needs->message_action ? "quarantine" : NULL;
}

static void
put_needs(const Policy *policy)
{
    const PolicyNeeds *needs = policy_needs(policy);
    screen_heading("What the MTA does at the milter door%s",
                   policy_filter_count(policy) > 0 ? ", but for what the filters need" : "");
    for (CheckPoint point = CHECK_POINT_CONNECT; point < CHECK_POINT_COUNT; point++) {
        g_autofree char *answer = what_is_answered(policy, point);
        screen_field(SCREEN_INDENT, POINT_COLUMN, spoken_point(point), answer);
    }
    screen_field(SCREEN_INDENT, POINT_COLUMN, "the message", what_is_sent(needs));
    put_reports(policy);
    const char *actions = what_may_be_done(needs);
    if (actions != NULL)
        screen_field(SCREEN_INDENT, POINT_COLUMN, "actions", actions);
    screen_field(SCREEN_INDENT, POINT_COLUMN, "refusals",
                 "each recipient that the MTA refuses is shown to us, and logged");
}

/* ---- checks -------------------------------------------------------------------------------------
 */

static const char *
when_it_speaks(const PolicyCheck *check)
{
    if (check->all_recipients)
        return ", if all accepted recipients match";
    if (check->known_at < check->speaks_at && check->speaks_at == CHECK_POINT_RCPT)
        return ", for each recipient: earlier, the MTA would lose the text";
    return "";
}

static void
put_check(const PolicyCheck *check)
{
    static const char *const actions[] = {
        [CHECK_REFUSE] = "refuses",
        [CHECK_QUARANTINE] = "puts into quarantine",
        [CHECK_DISCARD] = "takes and throws away",
    };
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_autofree char *codes =
        check->action == CHECK_REFUSE
            ? g_strdup_printf(" with %u %s", check->reply.code,
                              enhanced_status_format(check->reply.status, status))
            : g_strdup("");
    screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, check->name);
    g_autofree char *text = g_strdup_printf("%s%s at %s%s", actions[check->action], codes,
                                            spoken_point(check->speaks_at), when_it_speaks(check));
    screen_paragraph(STYLE_PLAIN, DOOR_INDENT, text);
}

static void
put_checks(const Policy *policy)
{
    screen_heading("Checks");
    if (policy_check_count(policy) == 0)
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, "none: nothing of ours refuses anything");
    for (guint i = 0; i < policy_check_count(policy); i++)
        put_check(policy_check(policy, i));
}

/* ---- rules --------------------------------------------------------------------------------------
 */

/* The doors that change what others say; the milter door only watches that. The first is there
 * only where the policy has filters. */
static const Door doors[] = {DOOR_FILTER, DOOR_REJECT, DOOR_FOOTER, DOOR_DELIVERY, DOOR_RBL};

static gsize
first_door(const Policy *policy)
{
    return policy_filter_count(policy) > 0 ? 0 : 1;
}

/* The doors of which the same is to be said, once: "reject, rbl". The caller frees it. */
static char *
doors_alike(const RuleReach *reaches, char *const *reasons, gsize like, gboolean *told)
{
    GString *names = g_string_new(NULL);
    for (gsize i = like; i < G_N_ELEMENTS(doors); i++) {
        if (reaches[i] != reaches[like] || g_strcmp0(reasons[i], reasons[like]) != 0)
            continue;
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", door_name(doors[i]));
        told[i] = TRUE;
    }
    return g_string_free(names, FALSE);
}

static void
put_rule(const PolicyRule *rule, gsize first)
{
    RuleReach reaches[G_N_ELEMENTS(doors)];
    char *reasons[G_N_ELEMENTS(doors)] = {NULL};
    gboolean told[G_N_ELEMENTS(doors)] = {FALSE};
    for (gsize i = first; i < G_N_ELEMENTS(doors); i++)
        reaches[i] = rule_reach(rule, doors[i], &reasons[i]);
    screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, rule->name);
    for (gsize i = first; i < G_N_ELEMENTS(doors); i++) {
        if (told[i])
            continue;
        g_autofree char *names = doors_alike(reaches, reasons, i, told);
        g_autofree char *text =
            g_strconcat(names, reasons[i] != NULL ? ": " : NULL, reasons[i], NULL);
        screen_field(DOOR_INDENT, DOOR_COLUMN, rule_reach_name(reaches[i]), text);
    }
    for (gsize i = first; i < G_N_ELEMENTS(doors); i++)
        g_free(reasons[i]);
}

static void
put_rules(const Policy *policy)
{
    gsize first = first_door(policy);
    screen_heading("%s", first == 0 ? "Rules, and the doors at which they work"
                                    : "Rules, and the tables at which they work");
    if (policy_rule_count(policy) == 0)
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, "none: replies.default holds for every reply");
    for (guint i = 0; i < policy_rule_count(policy); i++)
        put_rule(policy_rule(policy, i), first);
}

static gboolean
works_nowhere(const PolicyRule *rule, gsize first)
{
    for (gsize i = first; i < G_N_ELEMENTS(doors); i++)
        if (rule_reach(rule, doors[i], NULL) != RULE_REACH_NEVER)
            return FALSE;
    return TRUE;
}

void
check_report_warn(const Policy *policy)
{
    for (guint i = 0; i < policy_rule_count(policy); i++) {
        const PolicyRule *rule = policy_rule(policy, i);
        if (!works_nowhere(rule, first_door(policy)))
            continue;
        g_autofree char *why = NULL;
        rule_reach(rule, DOOR_FOOTER, &why);
        fprintf(stderr, "warning: %s:%u: rule \"%s\" works at no table: %s\n", rule->file,
                rule->line, rule->name, why);
    }
}

void
check_report_print(const Policy *policy)
{
    g_autofree char *good = g_strdup_printf("%s: no fault found", policy_path(policy));
    screen_paragraph(STYLE_GOOD, 0, good);
    put_checks(policy);
    put_rules(policy);
    put_needs(policy);
    check_filters_print(policy);
}
