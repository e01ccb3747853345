/*
 * delivery_ledger: which deliveries are still open, as the lines of a mail log tell it.
 *
 * The first deferral of a recipient is a delay, its repeats are nothing; that it was given up is a
 * failure, also where the line names nobody (Postfix: "status=expired", Sendmail: "Cannot send
 * message for 5 days"): then each recipient failed that is still open, with what was said last.
 * Sender and Message-ID come from other lines of the same queue id.
 *
 * At most LEDGER_MAILS mails and LEDGER_OPEN open recipients are kept, none longer than
 * LEDGER_AGE_US after its last line: what has been quiet for longest is forgotten first. Threads:
 * one owner.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "classify/mail_kind.h"
#include "mail/log_line.h"

#define LEDGER_MAILS  50000
#define LEDGER_OPEN   50000
#define LEDGER_AGE_US (G_GINT64_CONSTANT(10) * 24 * 3600 * G_USEC_PER_SEC)
#define LEDGER_TEXT   1000 /* octets of what was said that are kept */

typedef struct DeliveryLedger DeliveryLedger;

/* A recipient was given up (failure), or put off for the first time (delay). Everything is
 * borrowed; NULL where not known. */
typedef struct {
    MailKind kind;
    gint64 time_us;
    const char *host; /* whose log it is */
    const char *queue_id, *sender, *message_id, *recipient;
    const char *remote; /* who said it */
    const char *text;   /* what was said; never NULL */
} DeliveryNews;

typedef void (*DeliveryNewsFunction)(const DeliveryNews *news, gpointer data);

DeliveryLedger *delivery_ledger_new(DeliveryNewsFunction function, gpointer data);
void delivery_ledger_free(DeliveryLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeliveryLedger, delivery_ledger_free)

void delivery_ledger_take(DeliveryLedger *ledger, const LogLine *line, gint64 time_us);

/* Open recipients. */
guint delivery_ledger_open(const DeliveryLedger *ledger);

/* What is open, for the state file, and back. Fields that are missing or wrong are passed over. */
json_t *delivery_ledger_to_json(const DeliveryLedger *ledger);
void delivery_ledger_from_json(DeliveryLedger *ledger, const json_t *array);
