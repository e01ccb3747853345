/*
 * rule: the classifier's constant tables, generated from data/rules/ (data/rules/README).
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

#include "catalog/category.h"
#include "mail/smtp_stage.h"
#include "match/pattern_set.h"

typedef enum {
    RULE_CATEGORY, /* says what a reply means */
    RULE_MARKER,   /* says which provider speaks */
    RULE_RETRY,    /* says when to come back */
} RuleKind;

typedef struct {
    const char *id;
    RuleKind kind;
    Category category;
    guint8 weight;
    gint8 provider;                   /* -1: anybody's */
    guint16 first_limit, limit_count; /* the codes and statuses with which it counts; 0: any */
} Rule;

typedef struct {
    guint16 rule;
    gint16 dns_list; /* the list that its expression names; -1: none */
    const char *expression;
    const char *where; /* "generic.rules:12" */
} RulePattern;

typedef enum {
    RULE_TEXT, /* patterns of the normalised text */
    RULE_NAME, /* patterns of the URLs and host names in it */
} RuleField;

const Rule *rule_get(guint index);
guint rule_count(void);
const RulePattern *rule_pattern(RuleField field, guint index);
const Rule *rule_of_pattern(RuleField field, guint index);
guint rule_pattern_count(RuleField field);

/* All patterns of a field, in order (classify/compiled_patterns.h); NULL and an error that names
 * the line at fault. */
PatternSet *rule_patterns_load(RuleField field, GError **error);

/* May this rule's patterns decide a reply with these numbers? */
gboolean rule_allows(const Rule *rule, guint code, EnhancedStatus status);

/* The heaviest rule, of the provider or of nobody, for which the numbers alone are enough; NULL:
 * none. */
const Rule *rule_of_numbers(gint provider, guint code, EnhancedStatus status);

/* All of them, ending with NULL. */
const char *const *rule_provider_names(void);

/* "google"; constant. NULL for -1. */
const char *rule_provider_name(gint provider);

/* The provider to whose domains a host belongs; -1: none that is known. NULL host: -1. */
gint rule_provider_of_host(const char *host);

/* The zone of the DNS list that this pattern names, if `host` (`length` octets) is in or below the
 * list's domain; else NULL. */
const char *rule_dns_list(const RulePattern *pattern, const char *host, gsize length);

/* FALSE if no row fits; then the rest is left as it is. `specific`: the row is for this detail. */
gboolean rule_of_status(EnhancedStatus status, Category *category, gboolean *specific);
gboolean rule_of_code(guint code, SmtpStage stage, Category *category);
