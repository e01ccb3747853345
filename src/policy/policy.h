/*
 * policy: /etc/replymilter.conf as an immutable, counted snapshot.
 *
 * Loading looks at each file before libconfig does, reads it, checks every name, type, limit, code,
 * status, pattern and template, and either gives a whole Policy or a list of problems, each with
 * file and line. A snapshot never changes: a session pins the one it began with.
 *
 * policy_ref() and policy_unref() may be called from any thread, as may all readers. policy_load()
 * is called by one thread at a time.
 */
#pragma once

#include <glib.h>

#include "catalog/category.h"
#include "classify/classifier.h"
#include "mail/enhanced_status.h"
#include "mail/smtp_stage.h"
#include "policy/address_block.h"
#include "policy/fact.h"
#include "policy/matcher.h"
#include "policy/template.h"

#define POLICY_DEFAULT_FILE SYSCONFDIR "/replymilter.conf"

typedef struct Policy Policy;

typedef enum {
    REPLY_MODE_KEEP,     /* the reply goes out as it is */
    REPLY_MODE_REPAIR,   /* made right on the wire, with codes that agree */
    REPLY_MODE_ANNOTATE, /* repaired, and lines added */
    REPLY_MODE_REPLACE,  /* our text instead */
} ReplyMode;

typedef enum {
    DISCLOSURE_FULL,
    DISCLOSURE_BRIEF, /* outsiders get the category's sentence only; the log gets everything */
} Disclosure;

typedef enum {
    PRIVACY_PLAIN,
    PRIVACY_PARTIAL, /* "domain" for addresses, "prefix" for clients */
    PRIVACY_HASHED,  /* keyed */
} Privacy;

typedef enum {
    CHECK_REFUSE,
    CHECK_QUARANTINE,
    CHECK_DISCARD,
} CheckAction;

/* Without which proof a report may still have an address given up. */
typedef enum {
    BOUNCE_TRUST_OWN_MTA, /* only what our own MTA reports */
    BOUNCE_TRUST_PROOF,   /* and what shows by VERP or the Message-ID that the mail was ours */
    BOUNCE_TRUST_ALL,     /* and what shows nothing */
} BounceTrust;

/* Which events stand in the daemon's own log in words. */
typedef enum {
    LOG_LINES_NONE,
    LOG_LINES_OWN, /* what replymilter or a filter behind it has done */
    LOG_LINES_ALL, /* and what it has only seen */
} LogLines;

/* A listening socket and the names it goes by. socket NULL: this door stays shut. */
typedef struct {
    char *socket; /* "unix:/path", "local:/path", "inet:PORT[@HOST]", "inet6:PORT[@HOST]", "fd:N" */
    char *link;   /* NULL: none */
    guint mode;   /* permission bits */
    char *group;  /* NULL: left as it is */
} SocketSettings;

/* What the settings table (settings.h) fills. Every field has its default where the file is silent.
 */
typedef struct {
    SocketSettings milter;
    SocketSettings tables;
    SocketSettings control; /* no link */
    struct {
        char *listen; /* "127.0.0.1:9125", "[::1]:9125"; NULL: no metrics over HTTP */
    } metrics;
    struct {
        char *hostname;     /* NULL: the MTA's {j}, else the host's own name */
        GArray *networks;   /* of AddressBlock */
        Template *help_url; /* NULL: none */
        char *contact;      /* NULL: none */
        gboolean reference;
        Disclosure disclosure;
    } site;
    struct {
        ReplyMode mode; /* replies.default */
        guint stages;   /* bits 1 << SmtpStage */
    } replies;
    struct {
        gboolean tag;        /* add headers */
        guint64 max_body;    /* octets that are read; 0: no mail is */
        Matcher *recipients; /* takes reports, besides the null sender's mail; NULL: nobody */
        BounceTrust trust;
    } bounces;
    struct {
        guint64 memory; /* octets */
        guint sessions; /* milter sessions at once; more are let through unchecked, or put off */
        guint stop_timeout; /* seconds */
    } limits;
    struct {
        char *events; /* a path, "stdout", "syslog", or NULL: no event log */
        guint rate;   /* events a second; 0: no limit */
        char *syslog; /* facility */
        LogLines lines;
        Privacy addresses, client;
        char *key_file; /* NULL: none */
        GBytes *key;    /* its content; NULL: none */
    } log;
} PolicySettings;

typedef struct {
    Fact fact;
    Matcher *matcher;
} Condition;

/* What `then` says of a reply. */
typedef struct {
    guint code;            /* 0: unset */
    EnhancedStatus status; /* none: unset */
    GPtrArray *text;       /* of Template *, a line each; empty: unset */
} ReplyTemplate;

/* replies.rules: the first that matches speaks. */
typedef struct {
    char *name;
    char *file;
    guint line;
    GArray *conditions; /* of Condition, all needed */
    gboolean mode_set;
    ReplyMode mode;
    gboolean disclosure_set;
    Disclosure disclosure;
    gboolean change_class;
    ReplyTemplate reply;
} PolicyRule;

/* checks: what replymilter itself refuses. */
typedef struct {
    char *name;
    char *file;
    guint line;
    GArray *conditions;
    CheckAction action;
    ReplyTemplate reply; /* code, status and text are all set for CHECK_REFUSE */
    gboolean at_once;
    CheckPoint known_at;     /* the first point at which all conditions are known */
    CheckPoint speaks_at;    /* RCPT for what is known before it, unless at_once */
    gboolean asks_report;    /* what a report says: its kind or its categories */
    gboolean all_recipients; /* speaks behind RCPT and looks at the recipient: all accepted ones
                                must match */
} PolicyCheck;

/* What becomes of mail while a filter cannot be asked. */
typedef enum {
    FILTER_FAILURE_TEMPFAIL,
    FILTER_FAILURE_ACCEPT, /* as if it were not configured */
    FILTER_FAILURE_REJECT,
} FilterFailure;

/* filters: another milter behind us. */
typedef struct {
    char *name;
    char *socket; /* "unix:/path", "local:/path", "inet:PORT@HOST", "inet6:PORT@HOST" */
    char *file;
    guint line;
    gint64 timeout_us;         /* for each answer */
    gint64 connect_timeout_us; /* to connect and to negotiate */
    FilterFailure on_failure;
} PolicyFilter;

/* classify.rules: what a reply means here, whatever others think. */
typedef struct {
    char *name; /* its number, if the policy gives none */
    char *id;   /* POLICY_SITE_RULE_PREFIX and the name: as evidence */
    char *file;
    guint line;
    Category category;
    GArray *conditions; /* of Condition on text, code, status and provider; all needed */
} PolicySiteRule;

#define POLICY_SITE_RULE_PREFIX "site:"

/* What the policy makes the MTA send; worked out at load. The filters' part is known only when they
 * have been asked. */
typedef struct {
    guint points;            /* bits 1 << CheckPoint: an answer of ours is possible there */
    gboolean headers;        /* the headers must be read */
    gboolean body;           /* the body must be counted */
    gboolean message_action; /* a quarantine is possible */
    gboolean reports;        /* mail that may report something is read as a whole */
    gboolean own_reports;    /* that which the MTA itself makes too */
    gboolean header_changes; /* such mail may get headers, and lose some */
} PolicyNeeds;

typedef struct {
    char *file;
    guint line; /* 0: the file as a whole */
    char *message;
} PolicyProblem;

void policy_problem_free(PolicyProblem *problem);

/* "/etc/replymilter.conf:12: unknown setting "mod": did you mean "mode"?" The caller frees it. */
char *policy_problem_format(const PolicyProblem *problem);

/*
 * Loads a policy. `problems`, an array of PolicyProblem * with policy_problem_free, gets everything
 * that is wrong, in the order of the file; NULL is returned if there was anything. `warnings` (may
 * be NULL) gets what is legal and yet hardly meant. The classifier is referenced; NULL: the policy
 * is only to be read, never asked.
 */
Policy *policy_load(const char *path, Classifier *classifier, GPtrArray *problems,
                    GPtrArray *warnings);

/*
 * Where the control door is, by a file of which all else may be wrong: who asks how a reload has
 * failed has just such a file. FALSE, and `problems` as above, if the file cannot be read or is not
 * in the form of such files. `socket` is the caller's to free; NULL: it is not set, or cannot be.
 */
gboolean policy_find_control(const char *path, char **socket, GPtrArray *problems);

Policy *policy_ref(Policy *policy);
void policy_unref(Policy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Policy, policy_unref)

const PolicySettings *policy_settings(const Policy *policy);
const PolicyNeeds *policy_needs(const Policy *policy);
const Classifier *policy_classifier(const Policy *policy);
const char *policy_path(const Policy *policy);

/* Belong to the policy. */
guint policy_rule_count(const Policy *policy);
const PolicyRule *policy_rule(const Policy *policy, guint index);

/* The values of a fact, ending with NULL; NULL if it is not known. Good until the next call. */
typedef const char *const *(*PolicyFactValues)(gpointer data, Fact fact);

/*
 * The numbers of the rules that are worth trying, in order: an array of guint. All others certainly
 * do not match. The caller frees it with g_array_unref().
 */
GArray *policy_likely_rules(const Policy *policy, PolicyFactValues values, gpointer data);

/* A line of a reply that the policy gives. */
typedef struct {
    const Template *template;
    guint code; /* of a check, which only says it with its own code; 0: any */
} PolicyText;

/* Of a text no more is looked for: what is longer may have been wrapped or cut on its way. */
#define POLICY_TEXT_HEAD 200

/*
 * The texts of rules and checks whose beginning may stand in this line, a backslash of theirs as a
 * slash: an array of const PolicyText *. All others certainly do not. The caller frees it with
 * g_ptr_array_unref().
 */
GPtrArray *policy_likely_texts(const Policy *policy, const char *line);

guint policy_check_count(const Policy *policy);
const PolicyCheck *policy_check(const Policy *policy, guint index);

guint policy_filter_count(const Policy *policy);
const PolicyFilter *policy_filter(const Policy *policy, guint index);

guint policy_site_rule_count(const Policy *policy);
const PolicySiteRule *policy_site_rule(const Policy *policy, guint index);

/*
 * How often each rule has decided since the policy was loaded. _note() counts the rule of that id
 * (Classification.rule); an id that is no site rule's is let be.
 */
void policy_site_rule_note(const Policy *policy, const char *id);
guint64 policy_site_rule_hits(const Policy *policy, guint index);

/* Is the client one of ours by site.networks? */
gboolean policy_is_inside(const Policy *policy, const char *client);

/* Settings that only a restart can change (sockets, log file's place): their paths, comma
 * separated, or NULL if both have the same. The caller frees it. */
char *policy_restart_needed(const Policy *running, const Policy *fresh);

/* The effective settings, as a configuration file that gives the same policy. The caller frees it.
 */
char *policy_print(const Policy *policy);
