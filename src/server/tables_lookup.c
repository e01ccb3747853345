/*
 * tables_lookup: one request of a socketmap client -> its answer, and the event of it.
 */
#include "server/tables_lookup.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/sendmail_answer.h"
#include "engine/table_answer.h"
#include "server/recorder.h"

/* Of a name that no table has, this much is shown. */
enum { NAME_SHOWN = 40 };

typedef char *(*TableAnswerFunction)(const Policy *policy, const char *key, Facts *facts,
                                     const EngineMoment *moment, Decision *decision);

/* In the order of MetricsTable. Sendmail's has another form, and is the reject door too. */
typedef struct {
    const char *name;
    Door door;
    TableAnswerFunction answer;
} Table;

static const Table tables[METRICS_TABLE_OTHER] = {
    [METRICS_TABLE_REJECT] = {"reject", DOOR_REJECT, table_answer},
    [METRICS_TABLE_FOOTER] = {"footer", DOOR_FOOTER, table_answer},
    [METRICS_TABLE_DELIVERY] = {"delivery", DOOR_DELIVERY, table_answer},
    [METRICS_TABLE_RBL] = {"rbl", DOOR_RBL, table_answer},
    [METRICS_TABLE_SENDMAIL] = {"sendmail", DOOR_REJECT, sendmail_answer},
};

/* NULL: there is no table of that name. */
static const Table *
find_table(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
        if (strcmp(tables[i].name, name) == 0)
            return &tables[i];
    return NULL;
}

/* Asks the engine; a refusal of mail is recorded, changed or not, unless a door of ours has done
 * so. NULL: not found. The caller frees it. */
static char *
find(TablesService *service, const Table *table, const char *key)
{
    g_autoptr(Policy) policy = policy_holder_get(service->context->policies);
    const EngineMoment moment = {.now_us = clock_now_us(), .random = chance_next(&service->chance)};
    Decision decision;
    Facts facts;

    facts_init(&facts, table->door);
    decision_init(&decision);
    char *answer = table->answer(policy, key, &facts, &moment, &decision);
    if (decision.original != NULL && !decision.own)
        recorder_put(service->context, policy, &facts, &decision, moment.now_us, &service->chance,
                     0);
    decision_clear(&decision);
    facts_clear(&facts);
    return answer;
}

static SocketmapStatus
refuse(GString *out, const char *reason)
{
    return socketmap_answer_append(out, SOCKETMAP_PERM, reason);
}

static SocketmapStatus
refuse_name(GString *out, const char *name)
{
    g_autofree char *shown = text_clean(name, NAME_SHOWN);
    g_autofree char *reason = g_strdup_printf(
        "unknown map \"%s\" (known: reject, footer, delivery, rbl, sendmail)", shown);
    return refuse(out, reason);
}

/* What has begun at `begun_us` is done. */
static SocketmapStatus
note(const TablesService *service, MetricsTable table, SocketmapStatus status, gint64 begun_us)
{
    MetricsLookup answer = status == SOCKETMAP_OK         ? METRICS_LOOKUP_FOUND
                           : status == SOCKETMAP_NOTFOUND ? METRICS_LOOKUP_NOT_FOUND
                                                          : METRICS_LOOKUP_REFUSED;
    metrics_lookup(service->context->metrics, table, answer, clock_monotonic_us() - begun_us);
    return status;
}

static SocketmapStatus
answer(TablesService *service, const Table *table, const char *key, GString *out)
{
    g_autofree char *text = find(service, table, key);
    log_trace(LOG_AREA_TABLES, "%s \"%s\": %s", table->name, key,
              text != NULL ? text : "not found");
    gboolean found = text != NULL && *text != '\0'; /* Postfix warns of an empty text */
    service->found += found ? 1 : 0;
    return socketmap_answer_append(out, found ? SOCKETMAP_OK : SOCKETMAP_NOTFOUND,
                                   found ? text : NULL);
}

SocketmapStatus
tables_lookup(TablesService *service, const char *payload, gsize length, GString *out)
{
    g_auto(SocketmapRequest) request;
    g_autoptr(GError) error = NULL;
    gint64 begun_us = clock_monotonic_us();

    service->lookups++;
    if (!socketmap_request_parse(payload, length, &request, &error)) {
        g_autofree char *reason = text_clean(error->message, SOCKETMAP_TEXT_MAX);
        return note(service, METRICS_TABLE_OTHER, refuse(out, reason), begun_us);
    }
    const Table *table = find_table(request.name);
    if (table == NULL)
        return note(service, METRICS_TABLE_OTHER, refuse_name(out, request.name), begun_us);
    SocketmapStatus status = answer(service, table, request.key, out);
    return note(service, (MetricsTable)(table - tables), status, begun_us);
}
