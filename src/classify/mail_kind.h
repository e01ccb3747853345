/*
 * mail_kind: what a mail tells of mail that was sent before.
 *
 * Constant; threads: any.
 */
#pragma once

#include <glib.h>

#include "classify/classifier.h"

typedef enum {
    MAIL_KIND_NOT_A_BOUNCE,
    MAIL_KIND_FAILURE,
    MAIL_KIND_DELAY,
    MAIL_KIND_DELIVERED,
    MAIL_KIND_FEEDBACK,
    MAIL_KIND_AUTO_REPLY,
    MAIL_KIND_COUNT
} MailKind;

const char *mail_kind_name(MailKind kind); /* "failure", "not-a-bounce", ... */

/* In the order of the enum, ending with NULL. */
const char *const *mail_kind_names(void);

/* Was somebody not reached, for good or so far? */
gboolean mail_kind_fails(MailKind kind);

Finality mail_kind_finality(MailKind kind);
