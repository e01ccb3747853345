/*
 * fuzz_table_answer: whatever a table is asked, its answer is clean, bounded, keeps the reply's
 * class, and is left alone by the next table.
 *
 * The first octet chooses the door, the second the policy; the rest is the key.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/sendmail_answer.h"
#include "engine/table_answer.h"

/* Own words are not looked for in a longer line. */
enum { LONGEST_LOOKED_AT = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const Door doors[] = {DOOR_REJECT, DOOR_FOOTER, DOOR_DELIVERY, DOOR_RBL};

static const char *const texts[] = {
    "",
    "site = { reference = false; help_url = \"https://help.example/%{status}/%{reference}\"; };",
    "site = { disclosure = \"brief\"; reference = false; };",
    "replies = { default = \"replace\"; };",
    "site = { reference = false; }; replies = { rules = ("
    " { name = \"a\"; when = { text = \"/(spam|user) +(.*)/i\"; };"
    "   then = { mode = \"annotate\"; text = [ \"You said %{1}, and %{2}.\", "
    "\"\\\\c$x is what comes of %{original}\" ]; }; },"
    " { name = \"b\"; when = { category = \"!virus\"; };"
    "   then = { mode = \"replace\"; code = 450; status = \"4.7.1\";"
    "            text = [ \"Sorry, %{recipient}, not now.\", \"%{sender} said so to %{helo}\" ]; "
    "}; } ); };",
};

static Policy *policies[G_N_ELEMENTS(texts)];

static Policy *
load(const char *text, Classifier *classifier)
{
    g_autofree char *path = NULL;
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    int file = g_file_open_tmp("replymilter-fuzz-XXXXXX.conf", &path, NULL);
    g_assert(file >= 0 && g_close(file, NULL) && g_file_set_contents(path, text, -1, NULL));
    Policy *policy = policy_load(path, classifier, problems, NULL);
    g_unlink(path);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *problem = policy_problem_format(g_ptr_array_index(problems, i));
        fprintf(stderr, "%s\n", problem);
    }
    g_assert(policy != NULL);
    return policy;
}

static void
forget(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(policies); i++)
        policy_unref(policies[i]);
}

static void
load_once(void)
{
    if (policies[0] != NULL)
        return;
    g_autoptr(Classifier) classifier = classifier_new(NULL);
    g_assert(classifier != NULL);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        policies[i] = load(texts[i], classifier);
    atexit(forget);
}

static char *
ask(const Policy *policy, Door door, const char *key, guint *class)
{
    const EngineMoment moment = {.now_us = 0, .random = G_GUINT64_CONSTANT(0x123456789abcdef)};
    Facts facts;
    Decision decision;
    facts_init(&facts, door);
    decision_init(&decision);
    char *answer = table_answer(policy, key, &facts, &moment, &decision);
    *class = decision.original == NULL ? 0 : decision.original->code / 100;
    decision_clear(&decision);
    facts_clear(&facts);
    return answer;
}

static void
check_text(const char *text, gsize most)
{
    g_assert(strlen(text) > 0 && strlen(text) <= most);
    for (; *text != '\0'; text++)
        g_assert(g_ascii_isprint(*text));
}

static void
check_reject(const Policy *policy, const char *answer, guint class)
{
    guint again;
    g_auto(GStrv) lines = g_strsplit(answer, "\r\n", -1);
    guint count = g_strv_length(lines);
    g_assert(count <= 32);
    for (guint i = 0; i < count; i++) {
        check_text(lines[i], SMTP_REPLY_LINE_OCTETS - 2);
        g_assert(lines[i][0] == (char)('0' + class));
        g_assert(lines[i][3] == (i + 1 < count ? '-' : ' '));
        g_assert(strncmp(lines[i], lines[0], 3) == 0);
    }
    g_autofree char *reject = ask(policy, DOOR_REJECT, answer, &again);
    g_autofree char *footer = ask(policy, DOOR_FOOTER, answer, &again);
    g_assert(reject == NULL && footer == NULL);
}

/* The same key as Sendmail's rule set might have it: one quotation, and nothing that would end it.
 */
static void
check_sendmail(const Policy *policy, const char *key)
{
    const EngineMoment moment = {.now_us = 0, .random = 1};
    Facts facts;
    Decision decision;
    facts_init(&facts, DOOR_REJECT);
    decision_init(&decision);
    g_autofree char *answer = sendmail_answer(policy, key, &facts, &moment, &decision);
    if (answer != NULL) {
        gsize length = strlen(answer);
        check_text(answer, strlen("\"550 5.123.123 \"") + SENDMAIL_ANSWER_TEXT);
        g_assert(strchr("45", answer[1]) != NULL && strcspn(answer + 1, "\"\\") == length - 2);
    }
    decision_clear(&decision);
    facts_clear(&facts);
}

/* Each '$' is doubled or begins a name that we know. */
static void
check_dollars(const char *text)
{
    static const char *const names[] = {
        "$$",         "$client_",     "${client_",     "$helo_name", "${helo_name",   "$sender",
        "${sender",   "$server_name", "${server_name", "$rbl_",      "${rbl_reason?", "$recipient",
        "${recipient"};
    for (const char *at = strchr(text, '$'); at != NULL; at = strchr(at, '$')) {
        gboolean known = FALSE;
        for (guint i = 0; i < G_N_ELEMENTS(names); i++)
            known = known || g_str_has_prefix(at, names[i]);
        g_assert(known);
        at += g_str_has_prefix(at, "$$") ? 2 : 1;
    }
}

static void
check_footer(const Policy *policy, const char *key, const char *answer)
{
    guint class;
    check_text(answer, 3 * SMTP_REPLY_LINE_OCTETS);
    check_dollars(answer);
    g_auto(GStrv) lines = g_strsplit(answer, "\\n", -1);
    g_autoptr(SmtpReply) whole = smtp_reply_parse(key, -1);
    g_assert(g_strv_length(lines) <= 3);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_assert(strchr(lines[i], '\\') == NULL);
        g_auto(GStrv) dollars = g_strsplit(lines[i], "$$", -1);
        g_autofree char *line = g_strjoinv("$", dollars);
        smtp_reply_add_line(whole, line);
    }
    g_autofree char *said = smtp_reply_to_wire(whole);
    g_autofree char *again = ask(policy, DOOR_FOOTER, said, &class);
    g_assert(again == NULL || strlen(said) > TABLE_KEY_MAX || whole->line_count > 200);
}

static void
check_delivery(const Policy *policy, const char *key, const char *answer)
{
    guint class;
    EnhancedStatus status;
    check_text(answer, TABLE_KEY_MAX);
    g_assert(enhanced_status_scan(answer, &status) > 0 && answer[0] == key[0]);
    g_autofree char *again = ask(policy, DOOR_DELIVERY, answer, &class);
    g_assert(again == NULL || strlen(answer) > LONGEST_LOOKED_AT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    load_once();
    guint class = 0;
    Door door = doors[data[0] % G_N_ELEMENTS(doors)];
    const Policy *policy = policies[data[1] % G_N_ELEMENTS(policies)];
    g_autofree char *key = g_strndup((const char *)data + 2, size - 2);
    g_autofree char *answer = ask(policy, door, key, &class);
    check_sendmail(policy, key);
    if (answer == NULL)
        return 0;
    switch (door) {
    case DOOR_REJECT:
        check_reject(policy, answer, class);
        break;
    case DOOR_FOOTER:
        check_footer(policy, key, answer);
        break;
    case DOOR_DELIVERY:
        check_delivery(policy, key, answer);
        break;
    default:
        check_text(answer, 510);
        check_dollars(answer);
        break;
    }
    return 0;
}
