/*
 * address: a mailbox or path as it stands in an SMTP command, read loosely.
 */
#include "mail/address.h"

#include <string.h>

/* "rfc822; a@b" (RFC 3464 section 2.1.2): what stands behind the address type. */
static const char *
skip_address_type(const char *path)
{
    gsize letters = strcspn(path, "; \t<@");
    const char *behind = path + letters + strspn(path + letters, " \t");
    if (letters == 0 || *behind != ';')
        return path;
    return behind + 1;
}

char *
address_parse(const char *path)
{
    path = skip_address_type(path + strspn(path, " \t"));
    path += strspn(path, " \t");
    gsize length = strlen(path);
    if (path[0] == '<') {
        const char *end = strrchr(path, '>');
        path++;
        length = end != NULL ? (gsize)(end - path) : strlen(path);
    }
    /* The source route of RFC 5321 appendix C, "@one,@two:". */
    if (length > 0 && path[0] == '@') {
        const char *colon = memchr(path, ':', length);
        if (colon != NULL) {
            length -= (gsize)(colon + 1 - path);
            path = colon + 1;
        }
    }
    g_autofree char *inner = g_strndup(path, length);
    return g_strdup(g_strstrip(inner));
}

char *
address_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL ? g_ascii_strdown(at + 1, -1) : g_strdup("");
}
