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

/* NULL: there is no table of that name. Sendmail's has another form, and is the reject door too. */
static TableAnswerFunction
find_table(const char *name, Door *door)
{
    *door = DOOR_REJECT;
    if (strcmp(name, "sendmail") == 0)
        return sendmail_answer;
    gboolean known = door_from_name(name, door) && (*door == DOOR_REJECT || *door == DOOR_FOOTER ||
                                                    *door == DOOR_DELIVERY || *door == DOOR_RBL);
    return known ? table_answer : NULL;
}

/* Asks the engine; a refusal of mail is recorded, changed or not, unless a door of ours has done
 * so. NULL: not found. The caller frees it. */
static char *
find(TablesService *service, Door door, TableAnswerFunction function, const char *key)
{
    g_autoptr(Policy) policy = policy_holder_get(service->context->policies);
    const EngineMoment moment = {.now_us = clock_now_us(), .random = chance_next(&service->chance)};
    Decision decision;
    Facts facts;

    facts_init(&facts, door);
    decision_init(&decision);
    char *answer = function(policy, key, &facts, &moment, &decision);
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

SocketmapStatus
tables_lookup(TablesService *service, const char *payload, gsize length, GString *out)
{
    g_auto(SocketmapRequest) request;
    g_autoptr(GError) error = NULL;
    Door door;

    service->lookups++;
    if (!socketmap_request_parse(payload, length, &request, &error)) {
        g_autofree char *reason = text_clean(error->message, SOCKETMAP_TEXT_MAX);
        return refuse(out, reason);
    }
    TableAnswerFunction function = find_table(request.name, &door);
    if (function == NULL)
        return refuse_name(out, request.name);
    g_autofree char *text = find(service, door, function, request.key);
    log_trace(LOG_AREA_TABLES, "%s \"%s\": %s", request.name, request.key,
              text != NULL ? text : "not found");
    gboolean found = text != NULL && *text != '\0'; /* Postfix warns of an empty text */
    service->found += found ? 1 : 0;
    return socketmap_answer_append(out, found ? SOCKETMAP_OK : SOCKETMAP_NOTFOUND,
                                   found ? text : NULL);
}
