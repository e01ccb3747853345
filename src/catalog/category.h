/*
 * category: the failure categories (data/categories.tsv), and what follows from each.
 *
 * Category, permanence and action are three answers: see doc/overview.md. The tables are generated
 * and constant. Threads: any.
 */
#pragma once

#include <glib.h>

#include "mail/enhanced_status.h"

#include "catalog/category_names.h" /* generated: typedef enum Category { CATEGORY_USER_UNKNOWN, ... } */

typedef enum {
    ACTION_NONE,
    ACTION_SUPPRESS,           /* stop sending to this address */
    ACTION_CORRECT_ADDRESS,    /* the address is wrong, a right one may exist */
    ACTION_RETRY,              /* the same again, later */
    ACTION_RETRY_SLOWER,       /* the same again, later and less at once */
    ACTION_REVIEW,             /* a person should look */
    ACTION_FIX_SENDER,         /* the envelope sender */
    ACTION_FIX_AUTHENTICATION, /* SPF, DKIM, DMARC, ARC */
    ACTION_FIX_CONFIGURATION,
    ACTION_FIX_REPUTATION,
    ACTION_FIX_MESSAGE,
    ACTION_COUNT
} Action;

typedef struct {
    const char *name;   /* "user-unknown" */
    const char *group;  /* "recipient" */
    gboolean permanent; /* the address is dead once the failure is final */
    Action action;
    const char *meaning;  /* half a sentence, as in the table */
    const char *sentence; /* what an outsider may be told: one sentence, no particulars; 7-bit */
    const char *advice;   /* what the sender should do: one sentence; 7-bit */
    EnhancedStatus
        status; /* the status for a reply of this category, class 5 (replace the class for a 4xx) */
    const char *aliases[4]; /* the nearest names in sisimai, powermta, kumomta, postalsys */
} CategoryInfo;

/* Never NULL. */
const CategoryInfo *category_info(Category category);

/* FALSE if no category has that name. */
gboolean category_from_name(const char *name, Category *category);

/* All names in the order of the enum, ending with NULL. */
const char *const *category_names(void);

/* "suppress", "fix-sender" ... */
const char *action_name(Action action);
gboolean action_from_name(const char *name, Action *action);
