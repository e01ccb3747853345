/*
 * facts: what a door knows about the reply it asks for, and who it is.
 *
 * A value with owned strings: the door fills it, the engine only reads it. NULL means that this
 * door does not know (a condition on it never matches, negated or not); "" means known to be none.
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "mail/smtp_stage.h"
#include "policy/fact.h"

typedef enum {
    DOOR_MILTER,
    DOOR_FILTER,
    DOOR_REJECT,
    DOOR_FOOTER,
    DOOR_DELIVERY,
    DOOR_RBL,
    DOOR_LOG,     /* the mail log, followed by replyctl: what it tells is only recorded */
    DOOR_COMMAND, /* replyctl */
    DOOR_COUNT
} Door;

/* "milter", "filter", "reject", "footer", "delivery", "rbl", "log", "command". */
const char *door_name(Door door);
gboolean door_from_name(const char *name, Door *door);
/* One of the tables that Postfix asks? */
gboolean door_is_table(Door door);

typedef struct {
    Door door;
    SmtpStage stage;
    char *known[FACT_COUNT]; /* stage, code, status, category, provider, text, header and size are
                                not kept here */
    GPtrArray *headers;      /* of char *, "Name: value"; NULL: not known */
    const char *const *categories; /* of a report, one for each that it has, ending with NULL; not
                                      owned; NULL: not known */
    gint64 size;                   /* octets; -1: not known */
    char *queue_id;                /* NULL: none yet */
    char *hostname;                /* the MTA's own {j}; NULL: not known */
    gboolean smtputf8;             /* the client has announced SMTPUTF8 */
    gboolean wordless;             /* a filter refuses without a text: the reply's is what MTAs say
                                      then, and tells nothing */
    gboolean observed;             /* the MTA refuses by itself, we only watch */
} Facts;

void facts_init(Facts *facts, Door door);
void facts_clear(Facts *facts);

/* Copies; NULL makes it unknown again. */
void facts_set(Facts *facts, Fact fact, const char *value);
const char *facts_get(const Facts *facts, Fact fact);
