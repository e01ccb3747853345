/*
 * mail_kind: what a mail tells of mail that was sent before.
 *
 * Constant; threads: any.
 */
#pragma once

#include <glib.h>

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
