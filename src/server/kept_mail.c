/*
 * kept_mail: what is kept of one mail until it can be read.
 */
#include "server/kept_mail.h"

#include <string.h>

#include "base/session_memory.h"
#include "base/spool.h"

/* A view of a mail takes up to three times its octets more (mail/mime_view.h). */
#define VIEW_SHARES 3

struct KeptMail {
    const PolicySettings *settings;
    Spool *octets; /* NULL: let go */
    gsize taken;   /* of the memory of all sessions, for reading it */
    gsize header;  /* octets of it that are header, while it is the header that comes */
    gsize body;    /* likewise of the body */
    gboolean in_body;
    ReportGap gap;
};

KeptMail *
kept_mail_new(const PolicySettings *settings)
{
    KeptMail *mail = g_new0(KeptMail, 1);
    mail->settings = settings;
    mail->octets = spool_new(G_MAXSIZE, settings->limits.memory);
    return mail;
}

static void
let_go(KeptMail *mail)
{
    g_clear_pointer(&mail->octets, spool_free);
    session_memory_give(mail->taken);
    mail->taken = 0;
}

void
kept_mail_free(KeptMail *mail)
{
    if (mail == NULL)
        return;
    let_go(mail);
    g_free(mail);
}

static void
give_up(KeptMail *mail)
{
    mail->gap = REPORT_GAP_MEMORY;
    let_go(mail);
}

static void
keep(KeptMail *mail, const char *octets, gsize count)
{
    if (mail->octets != NULL && !spool_append(mail->octets, octets, count, NULL))
        give_up(mail);
}

void
kept_mail_header(KeptMail *mail, const char *name, const char *value)
{
    g_autofree char *line = g_strconcat(name, ": ", value + strspn(value, " \t"), "\r\n", NULL);
    gsize length = strlen(line);
    if (mail->header + length > KEPT_MAIL_HEADER_OCTETS) {
        mail->gap = MAX(mail->gap, REPORT_GAP_LIMITS);
        return;
    }
    mail->header += length;
    keep(mail, line, length);
}

void
kept_mail_body(KeptMail *mail, const char *octets, gsize count)
{
    gsize room = (gsize)mail->settings->bounces.max_body - mail->body;
    if (!mail->in_body)
        keep(mail, "\r\n", 2);
    mail->in_body = TRUE;
    if (count > room)
        mail->gap = MAX(mail->gap, REPORT_GAP_MAX_BODY);
    mail->body += MIN(count, room);
    keep(mail, octets, MIN(count, room));
}

ReportGap
kept_mail_gap(const KeptMail *mail)
{
    return mail->gap;
}

/* The memory for reading it is taken only here: in a file, a mail can wait for it. */
static gboolean
make_readable(KeptMail *mail)
{
    gsize share = (gsize)spool_length(mail->octets) * VIEW_SHARES;
    if (mail->taken > 0)
        return TRUE;
    if (!session_memory_take(share, mail->settings->limits.memory))
        return FALSE;
    mail->taken = share;
    return TRUE;
}

const char *
kept_mail_octets(KeptMail *mail, gsize *length)
{
    *length = 0;
    if (mail->octets == NULL)
        return NULL;
    const char *octets = make_readable(mail) ? spool_octets(mail->octets, NULL) : NULL;
    if (octets == NULL)
        give_up(mail);
    else
        *length = (gsize)spool_length(mail->octets);
    return octets;
}
