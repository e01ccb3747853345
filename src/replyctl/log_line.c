/*
 * log_line: the reply in a line of a mail log, as people paste it.
 */
#include "replyctl/log_line.h"

#include <string.h>

#include "mail/enhanced_status.h"

/* What stands before a reply in a log, and what ends it. */
typedef struct {
    const char *mark;
    const char *then; /* further words up to the reply; NULL: it follows at once */
    const char *end;  /* the last of these in the line; NULL: the line's end */
} LogForm;

static const LogForm forms[] = {
    {"status=bounced (", NULL, ")"},
    {"status=deferred (", NULL, ")"},
    {"status=undeliverable (", NULL, ")"},
    {"reject: ", "]: ", "; from=<"}, /* milter-reject: too */
    {"reject=", NULL, NULL},
    {"stat=", NULL, NULL},
    {"SMTP error from remote mail server after ", ": ", NULL},
};

/* "5.1.1 " of "dsn=5.1.1,", or "". The caller frees it. */
static char *
status_before(const char *text)
{
    const char *mark = strstr(text, "dsn=");
    EnhancedStatus status;
    gsize length = mark != NULL ? enhanced_status_scan(mark + strlen("dsn="), &status) : 0;
    return length > 0 ? g_strdup_printf("%.*s ", (int)length, mark + strlen("dsn=")) : g_strdup("");
}

static const char *
behind(const char *text, const char *words)
{
    const char *at = text != NULL ? strstr(text, words) : NULL;
    return at != NULL ? at + strlen(words) : NULL;
}

static const char *
reply_begins(const char *text, const LogForm *form)
{
    const char *at = behind(text, form->mark);
    if (form->then != NULL)
        at = behind(at, form->then);
    /* Exim puts the host before the reply where the message had more than one to go to. */
    gboolean host = at != NULL && form->end == NULL && g_str_has_prefix(at, "host ");
    return host ? behind(at, "]: ") : at;
}

static gsize
reply_length(const char *reply, const LogForm *form)
{
    gsize length = strlen(reply);
    const char *end = form->end != NULL ? g_strrstr_len(reply, (gssize)length, form->end) : NULL;
    return end != NULL ? (gsize)(end - reply) : length;
}

static gboolean
begins_with_number(const char *text)
{
    return strspn(text, "0123456789") == 3;
}

char *
log_line_reply(const char *text)
{
    if (begins_with_number(text) || strpbrk(text, "\r\n") != NULL)
        return g_strdup(text);
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        const char *reply = reply_begins(text, &forms[i]);
        if (reply == NULL || reply[0] == '\0')
            continue;
        gboolean whole = begins_with_number(reply) || strstr(reply, "said: ") != NULL;
        g_autofree char *status = whole ? g_strdup("") : status_before(text);
        return g_strdup_printf("%s%.*s", status, (int)reply_length(reply, &forms[i]), reply);
    }
    return g_strdup(text);
}
