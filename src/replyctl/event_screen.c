/*
 * event_screen: an event for people.
 */
#include "replyctl/event_screen.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "catalog/category.h"
#include "replyctl/screen.h"

static const char *
text_of(const json_t *event, const char *member)
{
    return json_string_value(json_object_get(event, member));
}

/* "550 5.1.1 No such user", as far as it says so; NULL for none. The caller frees it. */
static char *
reply_words(const json_t *reply, gboolean with_text)
{
    if (!json_is_object(reply))
        return NULL;
    const json_t *code = json_object_get(reply, "code");
    const char *status = text_of(reply, "status"), *text = text_of(reply, "text");
    GString *words = g_string_new(NULL);
    if (json_is_integer(code))
        g_string_append_printf(words, "%d", (int)json_integer_value(code));
    if (status != NULL)
        g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", status);
    if (with_text && text != NULL)
        g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", text);
    return g_string_free(words, FALSE);
}

/* ---- in full -----------------------------------------------------------------------------------
 */

static void
put(const json_t *event, const char *member, const char *label)
{
    screen_labelled(label, text_of(event, member));
}

static void
put_client(const json_t *client)
{
    if (!json_is_object(client))
        return;
    const char *address = text_of(client, "addr"), *name = text_of(client, "name");
    const char *helo = text_of(client, "helo");
    if (address != NULL || name != NULL)
        screen_labelledf("client", "%s [%s]", name != NULL ? name : "unknown",
                         address != NULL ? address : "?");
    screen_labelled("HELO", helo);
}

static void
put_path(const char *label, const json_t *event, const char *member)
{
    const char *address = text_of(event, member);
    if (address != NULL)
        screen_labelledf(label, "<%s>", address);
}

static void
put_replies(const json_t *event)
{
    g_autofree char *original = reply_words(json_object_get(event, "original"), TRUE);
    g_autofree char *final = reply_words(json_object_get(event, "final"), TRUE);
    if (json_is_true(json_object_get(event, "changed"))) {
        screen_labelled("original", original);
        screen_labelled("said", final);
    } else {
        screen_labelled("reply", final != NULL ? final : original);
    }
    screen_labelled("instead", text_of(event, "verdict"));
}

static void
put_repairs(const json_t *repairs)
{
    GString *names = g_string_new(NULL);
    size_t i;
    const json_t *name;
    json_array_foreach(repairs, i, name) if (json_is_string(name))
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", json_string_value(name));
    screen_labelled("repaired", names->str);
    g_string_free(names, TRUE);
}

static void
put_cause(const json_t *event)
{
    Category category;
    const char *name = text_of(event, "category"), *confidence = text_of(event, "confidence");
    const json_t *evidence = json_object_get(event, "evidence");
    const char *rule = text_of(evidence, "rule"), *match = text_of(evidence, "match");
    if (name == NULL)
        return;
    gboolean known = category_from_name(name, &category);
    screen_labelledf("category", "%s%s%s", name, known ? ": " : "",
                     known ? category_info(category)->sentence : "");
    if (match != NULL)
        screen_labelledf("because", "%s says so of \"%s\"; confidence %s", rule, match,
                         confidence != NULL ? confidence : "unknown");
    put(event, "action", "to do");
}

void
event_screen_show(const json_t *event)
{
    static const struct {
        const char *member, *label;
    } rest[] = {
        {"check", "check"},
        {"rule", "rule"},
        {"filter", "filter"},
        {"on_failure", "on failure"},
        {"proof", "proof"},
        {"provider", "provider"},
        {"reporting_mta", "reporting MTA"},
        {"remote_mta", "remote MTA"},
        {"message_id", "Message-ID"},
        {"dnsbl", "DNS list"},
        {"incomplete", "incomplete"},
        {"reference", "reference"},
        {"id", "event"},
        {"joins", "joins"},
    };
    g_autofree char *time = screen_time(text_of(event, "time"), "%Y-%m-%d %H:%M:%S %z");
    const char *kind = text_of(event, "event"), *door = text_of(event, "door");
    const char *stage = text_of(event, "stage");
    screen_heading("%s: %s", time, kind != NULL ? kind : "event");
    if (door != NULL)
        screen_labelledf("seen at", "the %s door%s%s", door, stage != NULL ? ", stage " : "",
                         stage != NULL ? stage : "");
    put(event, "queue_id", "queue id");
    put_client(json_object_get(event, "client"));
    put_path("sender", event, "sender");
    put_path("recipient", event, "recipient");
    put_replies(event);
    put_repairs(json_object_get(event, "repairs"));
    put(event, "reason", "because");
    put_cause(event);
    for (gsize i = 0; i < G_N_ELEMENTS(rest); i++)
        put(event, rest[i].member, rest[i].label);
}

/* ---- a line ------------------------------------------------------------------------------------
 */

static void
add_word(GString *line, const char *word)
{
    if (word != NULL && word[0] != '\0')
        g_string_append_printf(line, " %s", word);
}

static void
add_named(GString *line, const char *name, const char *before, const char *value,
          const char *behind)
{
    if (value != NULL)
        g_string_append_printf(line, " %s=%s%s%s", name, before, value, behind);
}

static void
add_client(GString *line, const json_t *client)
{
    const char *address = text_of(client, "addr"), *name = text_of(client, "name");
    if (address != NULL || name != NULL)
        g_string_append_printf(line, " client=%s[%s]", name != NULL ? name : "unknown",
                               address != NULL ? address : "?");
}

char *
event_screen_line(const json_t *event)
{
    g_autofree char *time = screen_time(text_of(event, "time"), "%b %e %H:%M:%S");
    const char *queue_id = text_of(event, "queue_id");
    const json_t *final = json_object_get(event, "final"), *count = json_object_get(event, "count");
    const json_t *said = final != NULL ? final : json_object_get(event, "original");
    g_autofree char *codes = reply_words(said, FALSE);
    const char *text =
        said != NULL || count != NULL ? text_of(said, "text") : text_of(event, "reason");
    g_autoptr(GString) line = g_string_new(time);
    g_string_append_printf(line, " %s:", queue_id != NULL ? queue_id : "NOQUEUE");
    add_word(line, text_of(event, "event"));
    add_word(line, text_of(event, "verdict"));
    add_word(line, text_of(event, "stage"));
    add_word(line, codes);
    add_word(line, text_of(event, "category"));
    if (json_is_integer(count))
        g_string_append_printf(line, " %" JSON_INTEGER_FORMAT " events (%s)",
                               json_integer_value(count), text_of(event, "reason"));
    add_named(line, "from", "<", text_of(event, "sender"), ">");
    add_named(line, "to", "<", text_of(event, "recipient"), ">");
    add_client(line, json_object_get(event, "client"));
    add_named(line, "door", "", text_of(event, "door"), "");
    add_named(line, "check", "", text_of(event, "check"), "");
    add_named(line, "filter", "", text_of(event, "filter"), "");
    add_named(line, "on_failure", "", text_of(event, "on_failure"), "");
    add_named(line, "rule", "", text_of(event, "rule"), "");
    add_named(line, "reference", "", text_of(event, "reference"), "");
    if (text != NULL)
        g_string_append_printf(line, ": %s", text);
    return text_escape(line->str);
}
