/*
 * dsn_report: the fields of a delivery status notification (RFC 3464, RFC 6533 section 3), as real
 * MTAs write them.
 *
 * A group about the message, then one for each recipient. Read loosely: missing blank lines between
 * groups (a second Final-Recipient or Action begins the next recipient), missing types
 * ("Final-Recipient: user@example.org"), "X-Actual-Recipient", statuses with a comment
 * ("5.0.0 (permanent failure)"), fields that stand in the text part only.
 *
 * Threads: any; a report belongs to its owner.
 */
#pragma once

#include <glib.h>

#include "mail/enhanced_status.h"
#include "mail/header_fields.h"

typedef enum {
    DSN_ACTION_UNKNOWN, /* missing, or no word of RFC 3464 */
    DSN_ACTION_FAILED,
    DSN_ACTION_DELAYED,
    DSN_ACTION_DELIVERED,
    DSN_ACTION_RELAYED,
    DSN_ACTION_EXPANDED,
} DsnAction;

typedef struct {
    char *final_recipient;    /* address, "" if missing or nobody ("@mx.example.org") */
    char *original_recipient; /* ORCPT (RFC 3461), xtext decoded; "" if missing */
    char *actual_recipient;   /* X-Actual-Recipient: whom an alias meant; "" if missing, or a
                                 program or file */
    DsnAction action;
    EnhancedStatus status; /* Status; none if missing or no status */
    char *diagnostic;      /* Diagnostic-Code without its type; "" if missing */
    char *diagnostic_type; /* "smtp", in lower case; "" if missing */
    char *remote_mta;      /* host name; "" if missing */
    HeaderFields *fields;  /* all of the group, X- fields too */
} DsnRecipient;

typedef struct {
    char *reporting_mta;    /* host name; "" if missing */
    char *envelope_id;      /* Original-Envelope-Id; "" if missing */
    HeaderFields *fields;   /* of the message's group */
    GPtrArray *recipients;  /* of DsnRecipient * */
    HeaderFields *original; /* of the original, if its header stands behind the fields; else NULL */
    gboolean truncated;     /* there are more recipients */
} DsnReport;

#define DSN_REPORT_MAX_RECIPIENTS 10000

/* Reads the text of a delivery-status part. Never NULL; without recipients if it has none. */
DsnReport *dsn_report_parse(const char *text, gsize length);

/* The same for a text part in which such fields stand among other text, perhaps quoted ("> ") or
 * indented. NULL: there is no recipient in it. */
DsnReport *dsn_report_find(const char *text, gsize length);
void dsn_report_free(DsnReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DsnReport, dsn_report_free)

/* The host in the value of an -MTA field: "dns; mx.example.org. (192.0.2.1)" as "mx.example.org",
 * "[192.0.2.1]" as "192.0.2.1"; "" for NULL. The caller frees it. */
char *dsn_report_host(const char *value);
