/*
 * layout_sender: what a mail's header says about who wrote it.
 *
 * Threads: any; a LayoutSender belongs to its owner.
 */
#pragma once

#include "classify/layout.h"
#include "classify/layout_form.h"
#include "mail/header_fields.h"

/* A header made ready: the values of the fields that forms ask for. */
typedef struct LayoutSender LayoutSender;

/* Both must stay. */
LayoutSender *layout_sender_new(const LayoutForms *forms, const HeaderFields *header);
void layout_sender_free(LayoutSender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutSender, layout_sender_free)

/*
 * Has a mail system sent the mail, judged by the common fields? A strong one is enough
 * (MAILER-DAEMON); else two of these three are needed: a weak one (postmaster), the null return
 * path (or: sent to an address that takes reports alone), words of a report; and nothing may stand
 * against it (an answer, a forwarded mail, a mailing list).
 */
gboolean layout_sender_is_system(const LayoutSender *sender);

/* Do the header fields that the form needs stand there? TRUE if it needs none. */
gboolean layout_sender_fits(const LayoutSender *sender, const LayoutForm *form);

/* What a failure means in this form, by the header where it tells it. */
LayoutVerdict layout_sender_verdict(const LayoutSender *sender, const LayoutForm *form);
