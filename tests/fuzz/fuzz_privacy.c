/*
 * What a client or a remote server may have written, on its way into an event: nothing that is to
 * be hidden is left, and the line is one line of JSON.
 */
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "record/json_line.h"
#include "record/privacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 512 };

static void
check_line(const char *text)
{
    JsonLine line;
    json_line_begin(&line, LIMIT);
    json_line_string(&line, "text", text);
    g_autofree char *written = json_line_end(&line);
    g_assert(strlen(written) <= LIMIT + strlen("{\"text\":\"\"}"));
    for (const char *octet = written; *octet != '\0'; octet++)
        g_assert(*octet >= 0x20 && *octet < 0x7f);
    json_t *read = json_loads(written, JSON_REJECT_DUPLICATES, NULL);
    g_assert(read != NULL && json_object_size(read) == 1);
    json_decref(read);
}

static void
check_privacy(const char *text, const Facts *facts, Privacy addresses, Privacy client)
{
    PolicySettings settings = {.log = {.addresses = addresses, .client = client}};
    settings.log.key = g_bytes_new_static("key", 3);
    g_autoptr(PrivacyFilter) filter = privacy_filter_new(&settings, facts);
    g_autofree char *hidden = privacy_text(filter, text);
    g_autofree char *folded = g_ascii_strdown(hidden, -1);
    g_assert(addresses == PRIVACY_PLAIN || strstr(folded, "bob.smith@") == NULL);
    g_assert(strlen(hidden) <= 24 * strlen(text) + 24);
    g_bytes_unref(settings.log.key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Facts facts;
    g_autofree char *text = g_strndup((const char *)data, size);
    facts_init(&facts, DOOR_MILTER);
    facts_set(&facts, FACT_CLIENT, "192.0.2.77");
    facts_set(&facts, FACT_CLIENT_NAME, "host-77.client.example");
    facts_set(&facts, FACT_HELO, text);
    facts_set(&facts, FACT_SENDER, text);
    facts_set(&facts, FACT_RECIPIENT, "bob.smith@rcpt.example");
    for (int i = 1; i < 9; i++)
        check_privacy(text, &facts, (Privacy)(i % 3), (Privacy)(i / 3));
    check_line(text);
    facts_clear(&facts);
    return 0;
}
