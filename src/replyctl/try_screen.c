/*
 * try_screen: a session or a reply that was tried, for people.
 */
#include "replyctl/try_screen.h"

#include <string.h>

#include "policy/settings.h"
#include "replyctl/filter_words.h"
#include "replyctl/screen.h"
#include "replyctl/spoken.h"

enum { REPLY_INDENT = 4 };

static void
put_trace(const char *label, const GPtrArray *trace)
{
    for (guint i = 0; i < trace->len; i++) {
        const TraceStep *step = g_ptr_array_index(trace, i);
        const char *sign = i == 0 ? label : "";
        if (step->matched)
            screen_labelledf(sign, "\"%s\" matches: %s", step->name, step->why);
        else
            screen_labelledf(sign, "\"%s\" does not match: %s", step->name, step->why);
    }
}

static void
put_repairs(const Decision *decision)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < decision->repairs->len; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               (const char *)g_ptr_array_index(decision->repairs, i));
    screen_labelled("repaired", names->str);
    g_string_free(names, TRUE);
}

/* ---- a session ----------------------------------------------------------------------------------
 */

static const char *
verdict_words(const Decision *decision)
{
    switch (decision->verdict) {
    case VERDICT_REPLY:
        return "refused";
    case VERDICT_QUARANTINE:
        return "put into quarantine";
    case VERDICT_DISCARD:
        return "taken and thrown away";
    case VERDICT_PASS:
        break;
    }
    return "nothing to say";
}

static void
put_heard(const GPtrArray *all)
{
    for (guint i = 0; i < all->len; i++) {
        const TryHeard *heard = g_ptr_array_index(all, i);
        const char *label = i == 0 ? "filters" : "";
        if (heard->failure != NULL)
            screen_labelledf(label, "%s fails: %s", heard->filter, heard->failure);
        else
            screen_labelledf(label, "%s %s (%.1f ms)", heard->filter,
                             filter_words_verdict(heard->verdict), (double)heard->spent_us / 1000);
        for (guint k = 0; k < heard->changes->len; k++) {
            g_autofree char *words = filter_words_change(g_ptr_array_index(heard->changes, k));
            screen_labelledf("", "%s %s", heard->filter, words);
        }
    }
}

static void
put_step(const TryStep *step)
{
    if (step->recipient != NULL)
        screen_heading("RCPT %s: %s", step->recipient, verdict_words(&step->decision));
    else
        screen_heading("%s: %s", spoken_point(step->point), verdict_words(&step->decision));
    if (step->decision.final != NULL && step->spoken)
        screen_reply(STYLE_BAD, REPLY_INDENT, step->decision.final);
    put_trace("checks", step->trace);
    put_heard(step->heard);
    if (step->filter != NULL && step->decision.changed) {
        g_autofree char *original = smtp_reply_to_line(step->decision.original);
        screen_labelled("instead of", original);
        screen_labelled("rule", step->decision.rule);
    }
    put_repairs(&step->decision);
}

const char *
try_screen_outcome(TryOutcome outcome)
{
    switch (outcome) {
    case TRY_ACCEPTED:
        return "Nothing stands against the message.";
    case TRY_PARTLY:
        return "Some recipients were refused; nothing stands against the message for the others.";
    case TRY_REFUSED:
        return "Refused.";
    case TRY_TAKEN:
        return "The client is told that all is well.";
    case TRY_UNDECIDED:
        return "Played no further.";
    }
    g_assert_not_reached();
}

static void
put_reported(const TryReported *reported)
{
    const Classification *cause = &reported->decision.cause;
    screen_labelled("recipient", reported->recipient != NULL ? reported->recipient : "not known");
    screen_labelled("kind", mail_kind_name(reported->decision.kind));
    screen_labelled("category", category_info(cause->category)->name);
    screen_labelled("action", action_name(cause->action));
    screen_labelled("proof", proof_name(reported->decision.proof));
    spoken_evidence(cause);
}

static void
put_report(const TryReport *report)
{
    screen_heading("What the message reports");
    if (report->reported->len == 0)
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, "nothing");
    for (guint i = 0; i < report->reported->len; i++)
        put_reported(g_ptr_array_index(report->reported, i));
}

void
try_screen_session(const TrySession *session)
{
    if (session->report != NULL)
        put_report(session->report);
    for (guint i = 0; i < session->steps->len; i++) {
        const TryStep *step = g_ptr_array_index(session->steps, i);
        if (step->spoken || step->trace->len > 0 || step->heard->len > 0 || step->recipient != NULL)
            put_step(step);
    }
    gboolean good = session->outcome == TRY_ACCEPTED || session->outcome == TRY_UNDECIDED;
    screen_heading("In the end");
    screen_paragraph(good ? STYLE_GOOD : STYLE_BAD, SCREEN_INDENT,
                     try_screen_outcome(session->outcome));
    if (session->outcome > TRY_PARTLY)
        return;
    if (session->unasked)
        screen_paragraph(STYLE_FAINT, SCREEN_INDENT,
                         "The filters behind us were not asked: --filters does that.");
    else if (!session->read && session->report == NULL)
        screen_paragraph(STYLE_FAINT, SCREEN_INDENT,
                         "The message itself need not be read: no check can speak about it.");
}

/* ---- a reply ------------------------------------------------------------------------------------
 */

static void
put_cause(const Classification *cause)
{
    const CategoryInfo *info = category_info(cause->category);
    screen_heading("What it is");
    screen_labelledf("category", "%s (%s)", info->name, info->meaning);
    screen_labelled("action", action_name(cause->action));
    spoken_evidence(cause);
}

static void
put_rules(const TryReply *reply)
{
    if (reply->trace == NULL)
        return;
    screen_heading("Who speaks");
    put_trace("rules", reply->trace);
    if (reply->decision.rule == NULL)
        screen_labelled("so", "no rule: the default (replies.default)");
    if (reply->decision.changed)
        screen_labelledf("mode", "%s, disclosure %s", reply_mode_names[reply->decision.mode],
                         disclosure_names[reply->decision.disclosure]);
}

static void
put_final(const TryReply *reply)
{
    const Decision *decision = &reply->decision;
    gboolean status_only = reply->door == DOOR_DELIVERY || reply->door == DOOR_RBL;
    if (reply->why_unchanged != NULL) {
        screen_heading("It stays as it is");
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, reply->why_unchanged);
        return;
    }
    if (!status_only) {
        screen_heading("What the client gets");
        screen_reply(STYLE_GOOD, SCREEN_INDENT, decision->final);
        put_repairs(decision);
    }
    /* The reject table's answer is that very reply. */
    if (reply->answer != NULL && reply->door != DOOR_REJECT) {
        screen_heading("What the table \"%s\" answers", door_name(reply->door));
        screen_paragraph(status_only ? STYLE_GOOD : STYLE_PLAIN, SCREEN_INDENT, reply->answer);
    }
}

void
try_screen_reply(const TryReply *reply)
{
    const Decision *decision = &reply->decision;
    if (reply->key != NULL) {
        screen_heading("What the table is asked");
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, reply->key);
    }
    if (decision->original != NULL && !decision->own)
        put_cause(&decision->cause);
    put_rules(reply);
    put_final(reply);
}
