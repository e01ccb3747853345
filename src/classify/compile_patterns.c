/*
 * compile_patterns: compiles the rules and the layouts at build time, and writes them as a C table
 * (compiled_patterns.c includes it) to standard output. Runs only where it is built.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify/compiled_patterns.h"
#include "classify/layout_form.h"
#include "classify/rule.h"

/* In this program nothing is compiled yet. */
PatternSet *
compiled_patterns_load(CompiledSet which, const PatternSpec *specs, guint count, GError **error)
{
    (void)which;
    return pattern_set_new(specs, count, error);
}

static void
fail(const char *reason)
{
    fprintf(stderr, "compile_patterns: %s\n", reason);
    exit(EXIT_FAILURE);
}

/* As words, so that they begin where words do; the last is filled up. Returns the octets. */
static guint
put_words(CompiledSet which, const PatternSet *set)
{
    enum { A_LINE = 4 };
    g_autoptr(GByteArray) octets = pattern_set_write(set);
    if (octets == NULL)
        fail("no memory");
    printf("static const guint64 words_%d[] = {", which);
    for (guint at = 0; at < octets->len; at += (guint)sizeof(guint64)) {
        guint64 word = 0;
        memcpy(&word, octets->data + at, MIN(sizeof word, octets->len - at));
        printf("%s0x%" G_GINT64_MODIFIER "x,", at / sizeof word % A_LINE == 0 ? "\n" : " ", word);
    }
    puts("\n};");
    return octets->len;
}

static guint
put_rules(RuleField field, CompiledSet which)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PatternSet) set = rule_patterns_load(field, &error);
    if (set == NULL)
        fail(error->message);
    return put_words(which, set);
}

static guint
put_layouts(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LayoutForms) forms = layout_forms_new(&error);
    if (forms == NULL)
        fail(error->message);
    return put_words(COMPILED_LAYOUT_PHRASES, forms->set);
}

int
main(void)
{
    guint lengths[COMPILED_COUNT];
    puts("/* Made by compile_patterns: do not edit. */");
    lengths[COMPILED_RULE_TEXTS] = put_rules(RULE_TEXT, COMPILED_RULE_TEXTS);
    lengths[COMPILED_RULE_NAMES] = put_rules(RULE_NAME, COMPILED_RULE_NAMES);
    lengths[COMPILED_LAYOUT_PHRASES] = put_layouts();
    puts("static const CompiledOctets compiled_octets[COMPILED_COUNT] = {");
    for (int which = 0; which < COMPILED_COUNT; which++)
        printf("    {words_%d, %u},\n", which, lengths[which]);
    puts("};");
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("cannot write");
    return EXIT_SUCCESS;
}
