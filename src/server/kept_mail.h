/*
 * kept_mail: what is kept of one mail until it can be read: its header and body, as far as limits
 * allow.
 *
 * Of the body at most bounces.max_body octets are kept, of the header KEPT_MAIL_HEADER_OCTETS; all
 * count against limits.memory, and where that is used up, a temporary file takes them
 * (base/spool.h). What reading takes is counted when it comes to that: where there is no room for
 * it, nor for the file, everything is let go, and the mail is passed over. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "engine/decision.h"

#define KEPT_MAIL_HEADER_OCTETS (512 * 1024)

typedef struct KeptMail KeptMail;

KeptMail *kept_mail_new(const PolicySettings *settings); /* they must outlive it */
void kept_mail_free(KeptMail *mail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeptMail, kept_mail_free)

/* As a milter gets it: a folded value has LF or CRLF in it. */
void kept_mail_header(KeptMail *mail, const char *name, const char *value);
void kept_mail_body(KeptMail *mail, const char *octets, gsize count);

/* What is missing so far. */
ReportGap kept_mail_gap(const KeptMail *mail);

/* The octets of the whole mail, made ready to be read; NULL with REPORT_GAP_MEMORY. Belong to it,
 * and stay. */
const char *kept_mail_octets(KeptMail *mail, gsize *length);
