/*
 * reference: the short id that a rewritten reply and its event share.
 */
#include "engine/reference.h"

#include <string.h>

/* Without 0 and O, 1 and I: thirty-two, so that five random bits choose one. */
static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
G_STATIC_ASSERT(sizeof(alphabet) - 1 == 32);

#define LINE_LENGTH (sizeof(REFERENCE_LABEL) - 1 + REFERENCE_LENGTH)

char *
reference_new(guint64 random)
{
    char *reference = g_malloc(REFERENCE_LENGTH + 1);
    for (guint i = 0; i < REFERENCE_LENGTH; i++, random >>= 5)
        reference[i] = alphabet[random & 31];
    reference[REFERENCE_LENGTH] = '\0';
    return reference;
}

char *
reference_line(const char *reference)
{
    return g_strconcat(REFERENCE_LABEL, reference, NULL);
}

gboolean
reference_ends(const char *line)
{
    gsize length = strlen(line);
    if (length < LINE_LENGTH || (length > LINE_LENGTH && line[length - LINE_LENGTH - 1] != ' '))
        return FALSE;
    const char *label = line + length - LINE_LENGTH, *letters = label + strlen(REFERENCE_LABEL);
    return g_str_has_prefix(label, REFERENCE_LABEL) &&
           strspn(letters, alphabet) == REFERENCE_LENGTH;
}
