/*
 * mbox: the mails in an mbox file, one after the other, as a stream.
 *
 * All four dialects: mboxo and mboxrd (">From " quoted), mboxcl and mboxcl2 (Content-Length). A
 * From_ line ("From sender Sat Nov 21 12:00:01 2026") begins a mail where an empty line stands
 * before it or a header field behind it; if the file's first one has no date, none needs one. A
 * Content-Length is believed where the mail it describes ends at a From_ line or the end of the
 * file, and is not more than `most` octets. One '>' is taken off quoted From_ lines.
 *
 * Memory is bounded by about three times `most`, whatever the file holds; time is linear. Threads:
 * one owner.
 */
#pragma once

#include <glib.h>

typedef struct MboxSplitter MboxSplitter;

/* Up to `size` octets into `buffer`; 0: the end; -1 and an error: cannot be read. */
typedef gssize (*MboxRead)(gpointer source, char *buffer, gsize size, GError **error);

/* Of a mail `most` octets are kept. */
MboxSplitter *mbox_splitter_new(MboxRead read, gpointer source, gsize most);
void mbox_splitter_free(MboxSplitter *splitter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MboxSplitter, mbox_splitter_free)

/*
 * The next mail, without its From_ line, replaces what is in `mail`; `truncated`: it was longer
 * than `most`. FALSE: the end, or an error if that is set; what was read of a mail until then comes
 * before the error.
 */
gboolean mbox_splitter_next(MboxSplitter *splitter, GString *mail, gboolean *truncated,
                            GError **error);

/* Does a file that starts so begin with a From_ line? */
gboolean mbox_begins(const char *head, gsize length);
