/*
 * recipient_name: addresses that are no Internet address, and the choice.
 */
#include "classify/recipient_name.h"

#include <string.h>

#include "mail/address.h"

/* Domains that exist inside a network only. */
static gboolean
is_internal(const char *domain)
{
    static const char *const endings[] = {".local",    ".localdomain", ".lan",
                                          ".internal", ".intra",       ".intranet",
                                          ".corp",     ".home",        ".private"};
    for (guint i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(domain, endings[i]))
            return TRUE;
    return FALSE;
}

gboolean
recipient_name_is_real(const char *address)
{
    /* Exchange's wrapping of what is no address. */
    if (g_ascii_strncasecmp(address, "IMCEA", 5) == 0 || strchr("/|@\"", *address) != NULL)
        return *address == '"' && strstr(address, "\"@") != NULL;
    g_autofree char *domain = address_domain(address);
    gboolean literal = *domain == '[';
    return *domain != '\0' && strpbrk(domain, " \t<>()|/") == NULL &&
           (literal || strchr(domain, '.') != NULL) && !is_internal(domain);
}

char *
recipient_name_of(const DsnRecipient *recipient)
{
    if (recipient_name_is_real(recipient->final_recipient))
        return g_strdup(recipient->final_recipient);
    if (recipient_name_is_real(recipient->original_recipient))
        return g_strdup(recipient->original_recipient);
    const char *actual = header_fields_get(recipient->fields, "X-Actual-Recipient");
    g_autofree char *address = address_parse(actual != NULL ? actual : "");
    return g_strdup(recipient_name_is_real(address) ? address : "");
}
