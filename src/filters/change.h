/*
 * change: one thing that a filter wants done to a message or its envelope, and lists of them.
 *
 * Header values are kept as in a message, with the space behind the colon: the value of
 * "Subject: x" is " x". change_from_answer() puts it there for a filter that does not send it, and
 * whoever tells an MTA takes it away for one that adds it (change_value()). Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "base/spool.h"
#include "wire/milter_answer.h"

/* Most changes in a list, and most octets of their texts together; bodies do not count. */
#define CHANGE_LIST_MAX        20000
#define CHANGE_LIST_OCTETS_MAX (16 * 1024 * 1024)

typedef enum {
    CHANGE_ADD_HEADER,        /* behind the others: name, value */
    CHANGE_INSERT_HEADER,     /* index from 0, the MTA's own Received line counted: name, value */
    CHANGE_SET_HEADER,        /* the index-th of its name, from 1: name, value, not empty */
    CHANGE_DELETE_HEADER,     /* the index-th of its name, from 1: name */
    CHANGE_ADD_RECIPIENT,     /* address */
    CHANGE_ADD_RECIPIENT_PAR, /* address, perhaps arguments */
    CHANGE_DELETE_RECIPIENT,  /* address */
    CHANGE_SENDER,            /* address, perhaps arguments */
    CHANGE_BODY,              /* body, all of the new one */
    CHANGE_QUARANTINE,        /* reason, perhaps empty */
} ChangeKind;

/* What its kind does not have is 0 or NULL. */
typedef struct {
    ChangeKind kind;
    guint32 index;
    char *name;
    char *value;
    char *address;
    char *arguments; /* of ESMTP, in one string */
    char *reason;
    Spool *body;
    char body_last;     /* octet of it so far */
    const char *filter; /* who wants it: its name, borrowed; NULL: we ourselves */
} Change;

void change_free(Change *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Change, change_free)

/*
 * From an answer of the kind MILTER_ANSWER_IS_CHANGE. `leading_space`: the filter sends it
 * (MILTER_STEP_HDR_LEADSPC). A piece of a body (REPLBODY) becomes a CHANGE_BODY without a body, to
 * which this and the following pieces are then added by change_body_append(). An index beyond
 * G_MAXINT32, which libmilter does not take, becomes that.
 */
Change *change_from_answer(const MilterAnswer *answer, gboolean leading_space);

/* For those who change without a filter. `value` with its leading space. */
Change *change_header(ChangeKind kind, guint32 index, const char *name, const char *value);

/*
 * Adds to the body of a CHANGE_BODY, as an MTA takes it: every line ends with CR LF.
 * `memory_limit`: limits.memory. FALSE and an error: there is no room for it. A body is whole after
 * change_body_end(), once.
 */
gboolean change_body_append(Change *change, const char *octets, gsize count, guint64 memory_limit,
                            GError **error);
gboolean change_body_end(Change *change, guint64 memory_limit, GError **error);

/* The value for an MTA: `leading_space`: it takes it as it is (SMFIP_HDR_LEADSPC), else it puts a
 * space before it. */
const char *change_value(const Change *change, gboolean leading_space);

typedef struct {
    GPtrArray *changes; /* of Change *, owned, in their order */
    gsize octets;       /* of their texts */
} ChangeList;

ChangeList *change_list_new(void);
void change_list_free(ChangeList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChangeList, change_list_free)

guint change_list_count(const ChangeList *list);
Change *change_list_get(const ChangeList *list, guint i);

/* The list owns the change now. FALSE: there are too many, and it is freed. */
gboolean change_list_add(ChangeList *list, Change *change);

/* All of `from` behind those of `to`, whatever the limits; `from` is empty then. */
void change_list_move(ChangeList *to, ChangeList *from);
