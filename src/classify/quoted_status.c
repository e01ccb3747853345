/*
 * quoted_status: looks for statuses in a text.
 */
#include "classify/quoted_status.h"

#include <string.h>

gboolean
status_is_telling(EnhancedStatus status)
{
    return enhanced_status_is_set(status) && (status.subject != 0 || status.detail != 0);
}

/* What a status may stand behind: nothing that makes it a version, an address or a number. */
static gboolean
may_stand_behind(const char *start, const char *at)
{
    static const char *const versions[] = {"version ", "Exim ", "Postfix ",
                                           "Server ",  "ver. ", " v"};
    if (at > start && strchr(" \t\n(#:[<'\"-=;,", at[-1]) == NULL)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
        gsize length = strlen(versions[i]);
        if (at - start >= (gssize)length &&
            g_ascii_strncasecmp(at - length, versions[i], length) == 0)
            return FALSE;
    }
    return TRUE;
}

/* A reply's code and separator end at `at`: "421 ", "550-". */
static gboolean
follows_code(const char *start, const char *at)
{
    if (at > start && strchr("#'\"", at[-1]) != NULL)
        at--;
    if (at - start < 4 || strchr(" -", at[-1]) == NULL)
        return FALSE;
    at -= at - start >= 5 && at[-2] == ' ' ? 2 : 1;
    return at - start >= 3 && strchr("45", at[-3]) != NULL && g_ascii_isdigit(at[-2]) &&
           g_ascii_isdigit(at[-1]) && (at - start == 3 || !g_ascii_isalnum(at[-4]));
}

/* What stands before the code of a reply that is quoted: "<421 ", "'550 ", "-> 550 ", "said: 550 ".
 */
static gboolean
is_quoted(const char *start, const char *at)
{
    while (at > start && (g_ascii_isdigit(at[-1]) || strchr(" -#'", at[-1]) != NULL))
        at--;
    return at > start && strchr("<>[(\":", at[-1]) != NULL;
}

EnhancedStatus
quoted_status(const char *text, EnhancedStatus own)
{
    EnhancedStatus first = ENHANCED_STATUS_NONE, inner = ENHANCED_STATUS_NONE;
    for (const char *at = strpbrk(text, "45"); at != NULL; at = strpbrk(at + 1, "45")) {
        EnhancedStatus found;
        if (at[1] != '.' || !may_stand_behind(text, at) || enhanced_status_scan(at, &found) == 0)
            continue;
        if (!enhanced_status_is_set(first))
            first = found;
        if (at > text && follows_code(text, at) && is_quoted(text, at))
            inner = found;
    }
    if (status_is_telling(inner))
        return inner;
    return enhanced_status_is_set(own) ? own : first;
}

/* Behind "code": what may stand between the word and the number. */
static const char *
skip_to_number(const char *at)
{
    while (*at != '\0' && strchr(" :=#.([\"'", *at) != NULL)
        at++;
    if (g_ascii_strncasecmp(at, "is ", 3) == 0 || g_ascii_strncasecmp(at, "was ", 4) == 0)
        at += strcspn(at, " ") + 1;
    return at;
}

guint
quoted_code(const char *text)
{
    for (const char *at = strcasestr(text, "code"); at != NULL; at = strcasestr(at, "code")) {
        at += strlen("code");
        const char *number = skip_to_number(at);
        gboolean refusal = *number == '4' || *number == '5';
        if (number > at && refusal && g_ascii_isdigit(number[1]) && g_ascii_isdigit(number[2]) &&
            !g_ascii_isalnum(number[3]))
            return (guint)g_ascii_strtoull(number, NULL, 10);
    }
    return 0;
}
