/*
 * enhanced_status: an enhanced mail system status code (RFC 3463 section 2), as numbers.
 */
#include "mail/enhanced_status.h"

/* One to three digits without a leading zero. Returns their count, or 0. */
static gsize
scan_part(const char *text, guint16 *value)
{
    gsize digits = 0;
    guint number = 0;
    while (g_ascii_isdigit(text[digits])) {
        number = number * 10 + (guint)(text[digits] - '0');
        if (++digits > 3)
            return 0;
    }
    if (digits > 1 && text[0] == '0')
        return 0;
    *value = (guint16)number;
    return digits;
}

gsize
enhanced_status_scan(const char *text, EnhancedStatus *status)
{
    EnhancedStatus found = ENHANCED_STATUS_NONE;
    if ((text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.')
        return 0;
    found.class = (guint8)(text[0] - '0');
    gsize at = 2, digits = scan_part(text + at, &found.subject);
    at += digits;
    if (digits == 0 || text[at++] != '.')
        return 0;
    digits = scan_part(text + at, &found.detail);
    at += digits;
    gboolean ends =
        !g_ascii_isalnum(text[at]) && !(text[at] == '.' && g_ascii_isdigit(text[at + 1]));
    if (digits == 0 || !ends)
        return 0;
    if (status != NULL)
        *status = found;
    return at;
}

gboolean
enhanced_status_parse(const char *text, EnhancedStatus *status)
{
    gsize taken = enhanced_status_scan(text, status);
    return taken > 0 && text[taken] == '\0';
}

const char *
enhanced_status_format(EnhancedStatus status, char buffer[ENHANCED_STATUS_TEXT_SIZE])
{
    if (enhanced_status_is_set(status))
        g_snprintf(buffer, ENHANCED_STATUS_TEXT_SIZE, "%u.%u.%u", status.class, status.subject,
                   status.detail);
    else
        buffer[0] = '\0';
    return buffer;
}

gboolean
enhanced_status_is_set(EnhancedStatus status)
{
    return status.class != 0;
}

gboolean
enhanced_status_equal(EnhancedStatus a, EnhancedStatus b)
{
    return a.class == b.class && a.subject == b.subject && a.detail == b.detail;
}

EnhancedStatus
enhanced_status_with_class(EnhancedStatus status, guint class)
{
    status.class = (guint8) class;
    return status;
}
