/*
 * fuzz_repair: whatever is repaired breaks no rule, fits the wire, and is repaired once and for
 * all.
 *
 * The first two octets choose the context.
 */
#include <stdint.h>
#include <string.h>

#include "engine/fit.h"
#include "engine/milter_text.h"
#include "engine/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_lines(const char *wire, const LintContext *context)
{
    g_auto(GStrv) lines = g_strsplit(wire, "\r\n", -1);
    g_assert(g_strv_length(lines) <= FIT_MAX_LINES);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_assert(strlen(lines[i]) <= SMTP_REPLY_LINE_OCTETS - 2);
        for (const char *at = lines[i]; *at != '\0'; at++)
            g_assert(g_ascii_isprint(*at) || ((*at & 0x80) != 0 && context->smtputf8));
        g_assert(g_utf8_validate(lines[i], -1, NULL));
    }
}

static char *
repaired(const char *raw, gsize length, const LintContext *context)
{
    g_autoptr(SmtpReply) reply = repair_text(raw, (gssize)length, context, NULL);
    char *wire = smtp_reply_to_wire(reply);
    check_lines(wire, context);
    if (!context->milter_text)
        return wire;
    char *escaped = milter_text_escape(wire);
    g_free(wire);
    return escaped;
}

static void
check_no_finding(const char *wire, const LintContext *context)
{
    g_autoptr(GPtrArray) findings = lint_reply(wire, -1, context);
    g_assert(findings->len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    Classification cause = {.category = (Category)(data[1] % (CATEGORY_UNCLASSIFIED + 1)),
                            .confidence = (Confidence)(data[1] % 3)};
    LintContext context = {.stage = (SmtpStage)(data[0] % SMTP_STAGE_COUNT),
                           .cause = (data[0] & 0x10) != 0 ? &cause : NULL,
                           .address = (data[0] & 0x20) != 0 ? "user@example.org" : NULL,
                           .smtputf8 = (data[0] & 0x40) != 0,
                           .hangup_intended = (data[1] & 0x40) != 0,
                           .milter_text = (data[0] & 0x80) != 0};
    /* Words around the reply may tell the stage, and are gone the second time. */
    g_autoptr(SmtpReply) told = smtp_reply_parse((const char *)data + 2, (gssize)size - 2);
    if (context.stage == SMTP_STAGE_UNKNOWN)
        context.stage = told->stage;
    g_autofree char *wire = repaired((const char *)data + 2, size - 2, &context);
    g_autofree char *again = repaired(wire, strlen(wire), &context);
    g_assert(strcmp(wire, again) == 0);
    check_no_finding(wire, &context);
    return 0;
}
