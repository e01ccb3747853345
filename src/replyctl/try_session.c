/*
 * try_session: a session played against the policy's checks, as the milter door plays it.
 */
#include "replyctl/try_session.h"

#include <sys/random.h>

#include "base/clock.h"
#include "engine/check_run.h"
#include "mail/address.h"

typedef struct {
    const Policy *policy;
    const TryOptions *options;
    TrySession *session;
    CheckRun *checks;
    Facts facts;
    GPtrArray *recipients; /* of char *: the accepted ones; ends with NULL */
    guint refused, accepted;
} Player;

EngineMoment
try_session_moment(void)
{
    EngineMoment moment = {.now_us = clock_now_us()};
    if (getrandom(&moment.random, sizeof(moment.random), 0) != sizeof(moment.random))
        moment.random = (guint64)clock_monotonic_us();
    return moment;
}

static void
step_free(TryStep *step)
{
    decision_clear(&step->decision);
    g_ptr_array_unref(step->trace);
    g_ptr_array_unref(step->heard);
    g_free(step);
}

/* ---- the points --------------------------------------------------------------------------------
 */

static SmtpStage
stage_of(CheckPoint point)
{
    return point == CHECK_POINT_HEADERS ? SMTP_STAGE_EOM : check_point_stage(point);
}

/* Behind the checks, as at the milter door. */
static void
ask_filters(Player *player, const EngineMoment *moment, TryStep *step)
{
    TryFilters *filters = player->session->filters;
    if (step->spoken || filters == NULL)
        return;
    decision_clear(&step->decision);
    decision_init(&step->decision);
    step->filter = try_filters_ask(filters, step->point, step->recipient, &player->facts, moment,
                                   step->heard, &step->decision);
    step->spoken = step->filter != NULL;
}

/* FALSE: a check has spoken, or a filter. */
static gboolean
play_point(Player *player, CheckPoint point, const char *recipient)
{
    TryStep *step = g_new0(TryStep, 1);
    EngineMoment moment = try_session_moment();
    step->point = point;
    step->recipient = recipient;
    decision_init(&step->decision);
    player->facts.stage = stage_of(point);
    step->spoken = check_run_at(player->checks, point, &player->facts, &moment, &step->decision);
    step->trace = trace_checks(player->policy, &player->facts, point,
                               (const char *const *)player->recipients->pdata);
    step->heard = try_heard_new();
    ask_filters(player, &moment, step);
    g_ptr_array_add(player->session->steps, step);
    return !step->spoken;
}

static gboolean
goes_beyond(const Player *player, CheckPoint point)
{
    SmtpStage last = player->options->stage;
    return last == SMTP_STAGE_UNKNOWN || stage_of(point) <= last;
}

static void
play_recipient(Player *player, const char *given)
{
    g_autofree char *recipient = given != NULL ? address_parse(given) : NULL;
    facts_set(&player->facts, FACT_RECIPIENT, recipient);
    if (!play_point(player, CHECK_POINT_RCPT, given)) {
        player->refused++;
        return;
    }
    player->accepted++;
    if (recipient == NULL)
        return;
    check_run_accept_recipient(player->checks, recipient);
    g_ptr_array_insert(player->recipients, (gint)player->recipients->len - 1,
                       g_steal_pointer(&recipient));
}

static void
play_recipients(Player *player)
{
    char **recipients = player->options->recipients;
    if (recipients == NULL)
        play_recipient(player, NULL);
    for (char **recipient = recipients; recipient != NULL && *recipient != NULL; recipient++)
        play_recipient(player, *recipient);
    facts_set(&player->facts, FACT_RECIPIENT, NULL);
}

static TryOutcome
outcome_of_last(const Player *player)
{
    const GPtrArray *steps = player->session->steps;
    const TryStep *last = g_ptr_array_index(steps, steps->len - 1);
    return last->decision.verdict == VERDICT_REPLY ? TRY_REFUSED : TRY_TAKEN;
}

/* FALSE: it ends here, and the outcome is set. */
static gboolean
play_points(Player *player, CheckPoint from, CheckPoint to)
{
    for (CheckPoint point = from; point <= to; point++) {
        if (!goes_beyond(player, point)) {
            player->session->outcome = TRY_UNDECIDED;
            return FALSE;
        }
        if (!play_point(player, point, NULL)) {
            player->session->outcome = outcome_of_last(player);
            return FALSE;
        }
    }
    return TRUE;
}

/* What it reports is known at its end; no check asks for it before. */
static void
read_report(Player *player)
{
    const char *const *recipients = (const char *const *)player->recipients->pdata;
    if (player->options->whole == NULL ||
        !try_report_is_read(player->policy, &player->facts, recipients))
        return;
    player->session->report =
        try_report_new(player->policy, &player->facts, recipients, player->options->whole);
    facts_set(&player->facts, FACT_KIND, mail_kind_name(player->session->report->kind));
    if (player->session->report->categories[0] != NULL)
        player->facts.categories = player->session->report->categories;
}

static void
play(Player *player)
{
    TrySession *session = player->session;
    if (!play_points(player, CHECK_POINT_CONNECT, CHECK_POINT_MAIL))
        return;
    session->outcome = TRY_UNDECIDED;
    if (!goes_beyond(player, CHECK_POINT_RCPT))
        return;
    play_recipients(player);
    if (player->accepted == 0) {
        session->outcome = outcome_of_last(player);
        return;
    }
    if (!play_points(player, CHECK_POINT_DATA, CHECK_POINT_DATA))
        return;
    session->outcome = player->refused > 0 ? TRY_PARTLY : TRY_ACCEPTED;
    read_report(player);
    session->read =
        session->filters != NULL ||
        check_run_wants_message(player->checks, CHECK_POINT_DATA, session->report != NULL);
    try_options_message(player->options, &player->facts);
    if (session->read)
        play_points(player, CHECK_POINT_HEADERS, CHECK_POINT_EOM);
}

void
try_session_play(const Policy *policy, const TryOptions *options, TrySession *session)
{
    *session = (TrySession){.steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free)};
    Player player = {.policy = policy, .options = options, .session = session};
    facts_init(&player.facts, DOOR_MILTER);
    try_options_session(options, policy, &player.facts);
    player.checks = check_run_new(policy);
    session->filters = options->filters ? try_filters_new(policy, options) : NULL;
    session->unasked = session->filters == NULL && policy_filter_count(policy) > 0;
    player.recipients = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(player.recipients, NULL);
    play(&player);
    check_run_free(player.checks);
    facts_clear(&player.facts);
    g_ptr_array_unref(player.recipients);
}

void
try_session_clear(TrySession *session)
{
    g_clear_pointer(&session->steps, g_ptr_array_unref);
    g_clear_pointer(&session->filters, try_filters_free);
    g_clear_pointer(&session->report, try_report_free);
}
