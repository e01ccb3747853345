/*
 * retry_after: numbers and units (see the header).
 */
#include "classify/retry_after.h"

#include <string.h>

#define WEEK (7 * 24 * 3600)

/* What a unit begins with, longer beginnings before shorter ones; ASCII without regard to case. */
static const struct {
    const char *beginning;
    gint64 seconds;
} units[] = {
    {"sec", 1},
    {"sek", 1},
    {"seg", 1},
    {"\347\247\222", 1},
    {"\321\201\320\265\320\272", 1},
    {"min", 60},
    {"\345\210\206", 60},
    {"\320\274\320\270\320\275", 60},
    {"st", 3600},
    {"std", 3600},
    {"hour", 3600},
    {"hr", 3600},
    {"heure", 3600},
    {"hora", 3600},
    {"ore", 3600},
    {"ora", 3600},
    {"uur", 3600},
    {"uren", 3600},
    {"godz", 3600},
    {"hod", 3600},
    {"\345\260\217\346\227\266", 3600},
    {"\346\231\202\351\226\223", 3600},
    {"\346\231\202", 3600},
    {"\321\207\320\260\321\201", 3600},
    {"day", 86400},
    {"tag", 86400},
    {"h", 3600},
    {"m", 60},
    {"s", 1},
    {"d", 86400},
};

static gint64
unit_seconds(const char *text, gsize length)
{
    for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
        gsize size = strlen(units[i].beginning);
        if (size > length || g_ascii_strncasecmp(text, units[i].beginning, size) != 0)
            continue;
        /* A single letter is a unit only if it stands alone. */
        if (size > 1 || size == length || !g_ascii_isalnum(text[size]))
            return units[i].seconds;
    }
    return -1;
}

/* Digits at `text`; `used` is how many. */
static gint64
digits_value(const char *text, gsize length, gsize *used)
{
    gint64 value = 0;
    for (*used = 0; *used < length && g_ascii_isdigit(text[*used]); ++*used)
        value = MIN(value * 10 + (text[*used] - '0'), WEEK + 1);
    return value;
}

/* "00:04:59" or "4:59" behind the first number. -1 if it is no clock. */
static gint64
clock_seconds(gint64 first, const char *text, gsize length, gsize *used)
{
    gint64 value = first;
    guint groups = 1;
    *used = 0;
    while (groups < 3 && *used + 2 < length && text[*used] == ':' &&
           g_ascii_isdigit(text[*used + 1]) && g_ascii_isdigit(text[*used + 2])) {
        value = value * 60 + (text[*used + 1] - '0') * 10 + (text[*used + 2] - '0');
        *used += 3;
        groups++;
    }
    return groups > 1 ? value : -1;
}

gint64
retry_after_parse(const char *text, gsize length)
{
    gint64 found = -1;
    for (gsize at = 0; at < length;) {
        gsize used, more;
        gint64 number = digits_value(text + at, length - at, &used);
        if (used == 0) {
            at++;
            continue;
        }
        at += used;
        gint64 seconds = clock_seconds(number, text + at, length - at, &more);
        if (seconds < 0) {
            gsize unit = at;
            while (unit < length && (text[unit] == ' ' || text[unit] == '-' || text[unit] == '('))
                unit++;
            gint64 each = unit_seconds(text + unit, length - unit);
            seconds = each < 0 ? -1 : number * each;
        }
        at += more;
        if (seconds >= 0 && seconds <= WEEK)
            found = seconds;
    }
    return found;
}
