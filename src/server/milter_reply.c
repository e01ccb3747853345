/*
 * milter_reply: our reply in libmilter's hands.
 */
#include "server/milter_reply.h"

#include "base/clock.h"
#include "engine/milter_text.h"
#include "server/trouble.h"

enum { MAX_LINES = 32 };

/* smfi_setmlreply() takes its lines as arguments up to a NULL: all 32 are passed, unused ones NULL.
 */
static int
set_lines(SMFICTX *context, char *code, char *status, char **t)
{
    return smfi_setmlreply(context, code, status, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7],
                           t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15], t[16], t[17],
                           t[18], t[19], t[20], t[21], t[22], t[23], t[24], t[25], t[26], t[27],
                           t[28], t[29], t[30], t[31], NULL);
}

static int
set_reply(SMFICTX *context, const SmtpReply *reply)
{
    char code[8], status[ENHANCED_STATUS_TEXT_SIZE];
    char *lines[MAX_LINES + 1] = {NULL};
    guint count = smtp_reply_line_count(reply);
    g_assert(count >= 1);
    g_snprintf(code, sizeof(code), "%u", reply->code);
    enhanced_status_format(reply->status, status);
    for (guint i = 0; i < MIN(count, MAX_LINES); i++)
        lines[i] = milter_text_escape(smtp_reply_line(reply, i)->text);
    /* With no status smfi_setmlreply() would put 5.0.0 there, smfi_setreply() puts none. */
    char *wanted = status[0] != '\0' ? status : NULL;
    int answer = count == 1 ? smfi_setreply(context, code, wanted, lines[0])
                            : set_lines(context, code, wanted, lines);
    for (guint i = 0; i < MAX_LINES; i++)
        g_free(lines[i]);
    return answer;
}

sfsistat
milter_reply_set(SMFICTX *context, const SmtpReply *reply)
{
    static SharedTrouble refused = SHARED_TROUBLE_INIT;
    if (set_reply(context, reply) != MI_SUCCESS) {
        g_autofree char *line = smtp_reply_to_line(reply);
        shared_trouble_note_of(&refused, clock_monotonic_us(), smfi_getsymval(context, (char *)"i"),
                               "libmilter does not take the reply \"%s\": the MTA words it", line);
    }
    return reply->code < 500 ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}
