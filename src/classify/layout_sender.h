/*
 * layout_sender: what a mail's header says about who wrote it.
 *
 * Pure. Threads: any.
 */
#pragma once

#include "classify/layout.h"
#include "classify/layout_form.h"
#include "mail/header_fields.h"

/*
 * Has a mail system sent the mail, judged by the common fields? A strong one is enough
 * (MAILER-DAEMON); else two of these three are needed: a weak one (postmaster), the null return
 * path, words of a report; and nothing may stand against it (an answer, a forwarded mail).
 */
gboolean layout_sender_is_system(const LayoutForm *common, const HeaderFields *header);

/* Do the header fields that the form needs stand there? TRUE if it needs none. */
gboolean layout_sender_fits(const LayoutForm *form, const HeaderFields *header);

/* The verdict that the header tells; `otherwise` if it tells none. */
LayoutVerdict layout_sender_verdict(const LayoutForm *form, const HeaderFields *header,
                                    LayoutVerdict otherwise);
