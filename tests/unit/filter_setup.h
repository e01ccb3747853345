/*
 * filter_setup: scripted filters and a chain to them, as the tests of the chain use them.
 */
#pragma once

#include "test_support.h"

#include "filters/filter_chain.h"
#include "scripted_filter.h"

enum {
    SETUP_FILTERS = 3,
    TIMEOUT_US = 50 * 1000, /* of a filter that is to be waited for in vain */
    PATIENCE_US = 20 * 1000 * 1000,
};

typedef struct {
    guint count;
    ScriptedFilter *filters[SETUP_FILTERS];
    PolicyFilter policy[SETUP_FILTERS];
    char *notes[SETUP_FILTERS]; /* of the filters, once they have stopped */
    FilterStates *states;
    FilterChain *chain;
    GString *news;
    gint64 negotiating_us; /* by all of them */
    guint progress;
    GHashTable *macros; /* static texts */
} Setup;

extern const char *const setup_mail[];
extern const char *const setup_rcpt[];

/* `count` scripted filters, which wait long, and a chain to them. */
Setup *setup_new(const Script *scripts, guint count);
void setup_free(Setup *setup);

/* Another chain to the same filters, as for the next connection from the MTA. */
void setup_chain(Setup *setup);

/* Connects and negotiates, with all that an MTA can offer. */
void setup_begin(Setup *setup);

/* Ends the connections; what the filters wrote down is then in `notes`. */
void setup_stop(Setup *setup);

/* "Subject: x", "X-Tab:\ty", and one line. */
HeldMessage *small_message(void);

/* One event by its command's letter; E is the whole message. */
FilterResult setup_event(Setup *setup, char stage, HeldMessage *message, ChangeList *changes);

/* "M REPLY one 550 5.7.1 no again"; "M CONTINUE". The caller frees it. */
char *result_text(char stage, const FilterResult *result);

/*
 * The events in order ("CHMRTE") with one small message, until one is not to go on; gives what that
 * was, or the last. The caller frees it.
 */
char *setup_play(Setup *setup, const char *stages);

#define assert_played(setup, stages, expected)                                                     \
    do {                                                                                           \
        g_autofree char *played_ = setup_play(setup, stages);                                      \
        assert_string_equal(played_, expected);                                                    \
    } while (0)
