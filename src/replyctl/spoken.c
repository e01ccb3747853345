/*
 * spoken: what several commands say in the same words.
 */
#include "replyctl/spoken.h"

#include <string.h>

#include "replyctl/screen.h"

const char *
spoken_point(CheckPoint point)
{
    static const char *const titles[CHECK_POINT_COUNT] = {
        [CHECK_POINT_CONNECT] = "connect",    [CHECK_POINT_HELO] = "HELO",
        [CHECK_POINT_MAIL] = "MAIL",          [CHECK_POINT_RCPT] = "RCPT",
        [CHECK_POINT_DATA] = "DATA",          [CHECK_POINT_HEADERS] = "end of headers",
        [CHECK_POINT_EOM] = "end of message",
    };
    return titles[point];
}

void
spoken_evidence(const Classification *cause)
{
    if (cause->match != NULL)
        screen_labelledf("known by", "\"%s\" (rule %s, %s confidence)", cause->match, cause->rule,
                         confidence_name(cause->confidence));
    else
        screen_labelledf("known by", "the %s%s (%s confidence)",
                         strcmp(cause->rule, "digit") == 0 ? "first " : "", cause->rule,
                         confidence_name(cause->confidence));
    screen_labelled("provider", cause->provider);
    screen_labelled("DNS list", cause->dnsbl);
    if (cause->retry_after >= 0)
        screen_labelledf("asks to wait", "%" G_GINT64_FORMAT " seconds", cause->retry_after);
}
