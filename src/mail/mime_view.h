/*
 * mime_view: a mail (RFC 5322, RFC 2045 to 2049) as a flat list of parts that can be read.
 *
 * Transfer encodings are undone, charsets become UTF-8 (where a charset is unknown or wrong, octets
 * that are not UTF-8 are read as Latin-1), line ends become LF, NUL octets go. What is broken is
 * read as far as it goes: without a boundary, cut off, with CR or LF alone, without header. The
 * original mail in a report is one part, not parts of its own: its structure proves nothing, and
 * only its header is read.
 *
 * Hostile input: MimeLimits bound what is kept, and what was left out is told by `truncated`.
 * Memory is at most about three times the mail, time linear. Threads: any; a view belongs to its
 * owner. mime_view_init() once before, from one thread.
 */
#pragma once

#include <glib.h>

#include "mail/header_fields.h"

typedef enum {
    MIME_PART_TEXT, /* text/plain, text of no better known kind, and what has no type */
    MIME_PART_HTML, /* text/html: its text, tags and references undone, block ends as LF */
    MIME_PART_DELIVERY_STATUS, /* message/delivery-status, message/global-delivery-status */
    MIME_PART_FEEDBACK,        /* message/feedback-report */
    MIME_PART_DISPOSITION,     /* message/disposition-notification */
    MIME_PART_ORIGINAL,        /* message/rfc822, message/global, text/rfc822-headers; text is "" */
    MIME_PART_OTHER,           /* not read: text is "" */
} MimePartKind;

typedef struct {
    MimePartKind kind;
    char *type; /* "text/plain", in lower case; "" if the mail does not say */
    char *text; /* UTF-8; never NULL */
    gsize length;
    HeaderFields *original; /* of MIME_PART_ORIGINAL: its header; else NULL */
} MimePart;

typedef struct {
    gsize octets;      /* of the mail; the rest is not read */
    gsize text_octets; /* kept of each part */
    guint parts;
    guint depth; /* of multiparts */
} MimeLimits;

/* 16 MiB, 1 MiB a part, 200 parts, depth 20. */
extern const MimeLimits mime_limits_default;

typedef struct {
    HeaderFields *header; /* the mail's own; decoded */
    char *type;           /* of the whole mail, as "multipart/report" */
    char *report_type;    /* RFC 6522: "delivery-status", "feedback-report"; NULL: none */
    GPtrArray *parts;     /* of MimePart *, in order */
    gboolean truncated;
} MimeView;

void mime_view_init(void);

/* Never NULL. `octets` may be anything. */
MimeView *mime_view_new(const char *octets, gsize length, const MimeLimits *limits);
void mime_view_free(MimeView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeView, mime_view_free)

/* The first part of this kind, or NULL. */
const MimePart *mime_view_part(const MimeView *view, MimePartKind kind);
