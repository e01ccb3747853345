/*
 * octets: amounts of data as people write them.
 */
#include "policy/octets.h"

static const char units[] = {'K', 'M', 'G'};

gboolean
octets_parse(const char *text, gint64 *octets)
{
    gint64 number = 0;
    if (!g_ascii_isdigit(*text))
        return FALSE;
    for (; g_ascii_isdigit(*text); text++) {
        gint64 digit = *text - '0';
        if (number > (G_MAXINT64 - digit) / 10)
            return FALSE;
        number = number * 10 + digit;
    }
    for (guint i = 0, shift = 10; i < G_N_ELEMENTS(units); i++, shift += 10) {
        if (g_ascii_toupper(*text) != units[i])
            continue;
        if (number > G_MAXINT64 >> shift)
            return FALSE;
        number <<= shift;
        text++;
        break;
    }
    *octets = number;
    return *text == '\0';
}

char *
octets_format(gint64 octets)
{
    guint unit = 0;
    while (octets != 0 && octets % 1024 == 0 && unit < G_N_ELEMENTS(units)) {
        octets /= 1024;
        unit++;
    }
    if (unit == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT, octets);
    return g_strdup_printf("%" G_GINT64_FORMAT "%c", octets, units[unit - 1]);
}
