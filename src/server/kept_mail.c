/*
 * kept_mail: what is kept of one mail until it can be read.
 */
#include "server/kept_mail.h"

#include <string.h>

#include "base/session_memory.h"

/* A view of a mail takes up to three times its octets more (mail/mime_view.h). */
#define SHARES 4

struct KeptMail {
    const PolicySettings *settings;
    GString *octets; /* NULL: let go */
    gsize taken;     /* of the memory of all sessions */
    gsize header;    /* octets of it that are header, while it is the header that comes */
    gsize body;      /* likewise of the body */
    gboolean in_body;
    ReportGap gap;
};

KeptMail *
kept_mail_new(const PolicySettings *settings)
{
    KeptMail *mail = g_new0(KeptMail, 1);
    mail->settings = settings;
    mail->octets = g_string_new(NULL);
    return mail;
}

static void
let_go(KeptMail *mail)
{
    if (mail->octets != NULL)
        g_string_free(mail->octets, TRUE);
    mail->octets = NULL;
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
keep(KeptMail *mail, const char *octets, gsize count)
{
    if (mail->octets == NULL)
        return;
    if (!session_memory_take(count * SHARES, mail->settings->limits.memory)) {
        mail->gap = REPORT_GAP_MEMORY;
        let_go(mail);
        return;
    }
    mail->taken += count * SHARES;
    g_string_append_len(mail->octets, octets, (gssize)count);
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

const char *
kept_mail_octets(KeptMail *mail, gsize *length)
{
    *length = mail->octets != NULL ? mail->octets->len : 0;
    return mail->octets != NULL ? mail->octets->str : NULL;
}
