/*
 * privacy: the settings log.addresses and log.client, applied to whatever an event says.
 */
#include "record/privacy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "record/private_spans.h"

#define HIDDEN      "*"
#define HASH_DIGITS 16

/* Something the event's facts tell us to look for in texts. */
typedef struct {
    char *word;      /* in lower case */
    char *with;      /* what stands there instead */
    gboolean within; /* letters may stand beside it */
} Needle;

struct PrivacyFilter {
    const PolicySettings *settings;
    GArray *needles;
};

/* ---- single values -------------------------------------------------------------------------- */

/* `kind` keeps a name and an address of the same spelling apart. */
static char *
hashed(const PrivacyFilter *filter, const char *kind, const char *value)
{
    GBytes *key = filter->settings->log.key;
    if (key == NULL)
        return g_strdup("hidden");
    gsize size;
    const guchar *octets = g_bytes_get_data(key, &size);
    g_autofree char *folded = g_ascii_strdown(value, -1);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, octets, size);
    g_hmac_update(hmac, (const guchar *)kind, (gssize)strlen(kind) + 1);
    g_hmac_update(hmac, (const guchar *)folded, -1);
    return g_strdup_printf("hash:%.*s", HASH_DIGITS, g_hmac_get_string(hmac));
}

typedef struct {
    int family; /* 0: not an address */
    guchar octets[16];
} NetworkAddress;

/* An IPv4 address mapped into IPv6 counts as IPv4; leading zeros are none of octal's. */
static NetworkAddress
network_address(const char *text)
{
    NetworkAddress address = {0};
    guint part[4];
    char behind;
    static const guchar mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (strchr(text, ':') == NULL && strlen(text) <= 15 &&
        sscanf(text, "%3u.%3u.%3u.%3u%c", &part[0], &part[1], &part[2], &part[3], &behind) == 4) {
        gboolean fits = part[0] < 256 && part[1] < 256 && part[2] < 256 && part[3] < 256;
        address.family = fits ? AF_INET : 0;
        for (int i = 0; i < 4; i++)
            address.octets[i] = (guchar)(part[i] & 0xff);
    } else if (inet_pton(AF_INET6, text, address.octets) == 1) {
        address.family = AF_INET6;
        if (memcmp(address.octets, mapped, sizeof(mapped)) == 0) {
            address.family = AF_INET;
            memmove(address.octets, address.octets + sizeof(mapped), 4);
        }
    }
    return address;
}

static char *
network_address_format(const NetworkAddress *address, const char *behind)
{
    char text[INET6_ADDRSTRLEN];
    (void)inet_ntop(address->family, address->octets, text, sizeof(text));
    return g_strconcat(text, behind, NULL);
}

static char *
network_prefix(NetworkAddress address)
{
    if (address.family == AF_INET) {
        address.octets[3] = 0;
        return network_address_format(&address, "/24");
    }
    memset(address.octets + 6, 0, 10);
    return network_address_format(&address, "/48");
}

/* Says nothing about who it is. */
static gboolean
is_nobody(const char *name)
{
    static const char *const nobody[] = {"", "unknown", "localhost", "local"};
    for (gsize i = 0; i < G_N_ELEMENTS(nobody); i++)
        if (g_ascii_strcasecmp(name, nobody[i]) == 0)
            return TRUE;
    return FALSE;
}

char *
privacy_client(const PrivacyFilter *filter, const char *address)
{
    if (filter == NULL || address == NULL || filter->settings->log.client == PRIVACY_PLAIN ||
        is_nobody(address))
        return g_strdup(address);
    NetworkAddress network = network_address(address);
    if (filter->settings->log.client == PRIVACY_PARTIAL)
        return network.family != 0 ? network_prefix(network) : g_strdup(HIDDEN);
    g_autofree char *canonical =
        network.family != 0 ? network_address_format(&network, "") : g_strdup(address);
    return hashed(filter, "client", canonical);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]": the address inside, or NULL. */
static char *
literal_address(const char *name)
{
    gsize length = strlen(name);
    if (length < 3 || name[0] != '[' || name[length - 1] != ']')
        return NULL;
    gsize skip = g_ascii_strncasecmp(name + 1, "IPv6:", 5) == 0 ? 6 : 1;
    g_autofree char *inner = g_strndup(name + skip, length - 1 - MIN(skip, length - 1));
    return network_address(inner).family != 0 ? g_steal_pointer(&inner) : NULL;
}

static gboolean
is_host_name(const char *name)
{
    for (const char *i = name; *i != '\0'; i++)
        if (!g_ascii_isalnum(*i) && *i != '.' && *i != '-' && *i != '_')
            return FALSE;
    return strchr(name, '.') != NULL && name[0] != '.';
}

static gboolean
holds_client(const char *text)
{
    DecodedText decoded;
    g_autoptr(GArray) spans = private_spans_new();
    decoded_text_init(&decoded, text, FALSE);
    private_spans_clients(&decoded, spans);
    decoded_text_clear(&decoded);
    return spans->len > 0;
}

/* "*.example.org" of "host-1.dyn.example.org"; all hidden if that could still be an address. */
static char *
last_labels(const char *name)
{
    if (!is_host_name(name))
        return g_strdup(HIDDEN);
    const char *kept = name + strlen(name);
    int dots = 0;
    while (kept > name && (dots += kept[-1] == '.') < 2)
        kept--;
    gboolean numeric = strspn(kept, "0123456789.") == strlen(kept);
    if (numeric || holds_client(kept))
        return g_strdup(HIDDEN);
    return g_strconcat(kept > name ? "*." : "", kept, NULL);
}

char *
privacy_host(const PrivacyFilter *filter, const char *name)
{
    if (filter == NULL || name == NULL || is_nobody(name))
        return g_strdup(name);
    if (filter->settings->log.client == PRIVACY_PLAIN)
        return privacy_text(filter, name);
    g_autofree char *literal = literal_address(name);
    if (literal != NULL) {
        g_autofree char *inner = privacy_client(filter, literal);
        return g_strdup_printf("[%s]", inner);
    }
    if (network_address(name).family != 0)
        return privacy_client(filter, name);
    if (filter->settings->log.client == PRIVACY_HASHED)
        return hashed(filter, "host", name);
    return last_labels(name);
}

char *
privacy_address(const PrivacyFilter *filter, const char *address)
{
    if (filter == NULL || address == NULL || *address == '\0')
        return g_strdup(address);
    if (filter->settings->log.addresses == PRIVACY_PLAIN)
        return privacy_text(filter, address);
    if (filter->settings->log.addresses == PRIVACY_HASHED)
        return hashed(filter, "address", address);
    const char *at = strrchr(address, '@');
    g_autofree char *domain = privacy_text(filter, at);
    return g_strconcat(HIDDEN, domain, NULL);
}

/* ---- what the facts say --------------------------------------------------------------------- */

static void
add_needle(PrivacyFilter *filter, const char *word, const char *with, gboolean within)
{
    Needle needle = {.word = g_ascii_strdown(word, -1), .with = g_strdup(with), .within = within};
    g_array_append_val(filter->needles, needle);
}

static void
needle_clear(gpointer needle)
{
    g_free(((Needle *)needle)->word);
    g_free(((Needle *)needle)->with);
}

/* "user+detail" of "user+detail@example.org", and "user". */
static void
add_local_part(PrivacyFilter *filter, const char *address, gsize length, const char *with)
{
    g_autofree char *local = g_strndup(address, length);
    if (length > 1 && local[0] == '"' && local[length - 1] == '"') {
        g_autofree char *unquoted = g_strndup(local + 1, length - 2);
        if (*unquoted != '\0')
            add_needle(filter, unquoted, with, FALSE);
    } else if (length > 0) {
        add_needle(filter, local, with, FALSE);
    }
    gsize mailbox = strcspn(local, "+");
    if (mailbox > 0 && mailbox < length) {
        local[mailbox] = '\0';
        add_needle(filter, local, with, FALSE);
    }
}

static void
add_address(PrivacyFilter *filter, const char *address)
{
    if (address == NULL || *address == '\0')
        return;
    gboolean hash = filter->settings->log.addresses == PRIVACY_HASHED;
    const char *at = strrchr(address, '@');
    g_autofree char *whole = privacy_address(filter, address);
    add_needle(filter, address, whole, FALSE);
    add_local_part(filter, address, at != NULL ? (gsize)(at - address) : strlen(address),
                   hash ? whole : HIDDEN);
}

static void
add_ipv4_spellings(PrivacyFilter *filter, const guchar *o, const char *with)
{
    static const char *const forwards[] = {"%u.%u.%u.%u", "%u-%u-%u-%u", "%u_%u_%u_%u",
                                           "%02x%02x%02x%02x", "%03u%03u%03u%03u"};
    char text[32];
    for (gsize i = 0; i < G_N_ELEMENTS(forwards); i++) {
        (void)g_snprintf(text, sizeof(text), forwards[i], o[0], o[1], o[2], o[3]);
        if (i > 0)
            add_needle(filter, text, with, TRUE);
        (void)g_snprintf(text, sizeof(text), forwards[i], o[3], o[2], o[1], o[0]);
        add_needle(filter, text, with, TRUE);
    }
    guint number = (guint)o[0] << 24 | (guint)o[1] << 16 | (guint)o[2] << 8 | o[3];
    (void)g_snprintf(text, sizeof(text), "%u", number);
    add_needle(filter, text, with, TRUE);
}

static void
add_ipv6_spellings(PrivacyFilter *filter, const NetworkAddress *address, const char *with)
{
    g_autoptr(GString) digits = g_string_new(NULL);
    g_autoptr(GString) nibbles = g_string_new(NULL);
    g_autoptr(GString) groups = g_string_new(NULL);
    for (gsize i = 0; i < 16; i++) {
        g_string_append_printf(digits, "%02x", address->octets[i]);
        g_string_append_printf(groups, "%s%02x", i > 0 && i % 2 == 0 ? "-" : "",
                               address->octets[i]);
    }
    for (gsize i = digits->len; i > 0; i--)
        g_string_append_printf(nibbles, "%s%c", i < digits->len ? "." : "", digits->str[i - 1]);
    g_autofree char *dashed = network_address_format(address, "");
    g_strdelimit(dashed, ":", '-');
    const char *const spellings[] = {digits->str, nibbles->str, groups->str, dashed};
    for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++)
        add_needle(filter, spellings[i], with, TRUE);
}

static void
add_client(PrivacyFilter *filter, const char *client)
{
    if (client == NULL)
        return;
    NetworkAddress address = network_address(client);
    g_autofree char *whole = privacy_client(filter, client);
    const char *with = filter->settings->log.client == PRIVACY_HASHED ? whole : HIDDEN;
    if (address.family == AF_INET)
        add_ipv4_spellings(filter, address.octets, with);
    else if (address.family == AF_INET6)
        add_ipv6_spellings(filter, &address, with);
}

static void
add_host(PrivacyFilter *filter, const char *name)
{
    if (name == NULL || is_nobody(name) || strlen(name) < 2)
        return;
    g_autofree char *with = privacy_host(filter, name);
    add_needle(filter, name, with, FALSE);
}

PrivacyFilter *
privacy_filter_new(const PolicySettings *settings, const Facts *facts)
{
    if (settings->log.addresses == PRIVACY_PLAIN && settings->log.client == PRIVACY_PLAIN)
        return NULL;
    PrivacyFilter *filter = g_new0(PrivacyFilter, 1);
    filter->settings = settings;
    filter->needles = g_array_new(FALSE, FALSE, sizeof(Needle));
    g_array_set_clear_func(filter->needles, needle_clear);
    if (settings->log.client != PRIVACY_PLAIN) {
        add_client(filter, facts_get(facts, FACT_CLIENT));
        add_host(filter, facts_get(facts, FACT_CLIENT_NAME));
        add_host(filter, facts_get(facts, FACT_HELO));
    }
    if (settings->log.addresses != PRIVACY_PLAIN) {
        add_address(filter, facts_get(facts, FACT_SENDER));
        add_address(filter, facts_get(facts, FACT_RECIPIENT));
        add_address(filter, facts_get(facts, FACT_AUTH_USER));
    }
    return filter;
}

void
privacy_filter_free(PrivacyFilter *filter)
{
    if (filter == NULL)
        return;
    g_array_unref(filter->needles);
    g_free(filter);
}

/* ---- texts ---------------------------------------------------------------------------------- */

static void
find_in(const PrivacyFilter *filter, const DecodedText *text, GArray *spans)
{
    gboolean addresses = filter->settings->log.addresses != PRIVACY_PLAIN;
    gboolean clients = filter->settings->log.client != PRIVACY_PLAIN;
    for (guint i = 0; i < filter->needles->len; i++) {
        const Needle *needle = &g_array_index(filter->needles, Needle, i);
        private_spans_word(text, needle->word, needle->within, needle->with, spans);
    }
    if (addresses)
        private_spans_addresses(text, spans);
    if (clients)
        private_spans_clients(text, spans);
    private_spans_packed(text, addresses, clients, spans);
}

/* By place; of those at the same place the longest first. */
static int
compare_spans(gconstpointer left, gconstpointer right)
{
    const Span *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->end == b->end ? 0 : (a->end > b->end ? -1 : 1);
}

static GArray *
find_spans(const PrivacyFilter *filter, const char *text)
{
    DecodedText written, decoded;
    GArray *spans = private_spans_new();
    decoded_text_init(&written, text, FALSE);
    find_in(filter, &written, spans);
    decoded_text_clear(&written);
    decoded_text_init(&decoded, text, TRUE);
    if (decoded.differs)
        find_in(filter, &decoded, spans);
    decoded_text_clear(&decoded);
    g_array_sort(spans, compare_spans);
    return spans;
}

static char *
replacement(const PrivacyFilter *filter, const Span *span)
{
    gboolean partly = filter->settings->log.addresses == PRIVACY_PARTIAL;
    switch (span->kind) {
    case SPAN_ADDRESS:
        return partly ? g_strdup(HIDDEN) : hashed(filter, "address", span->value);
    case SPAN_CLIENT:
        return privacy_client(filter, span->value);
    case SPAN_WORD:
        return g_strdup(span->with);
    default:
        return g_strdup(HIDDEN);
    }
}

/* An address of which only the local part is hidden ends there: its domain is looked at again. */
static gsize
hidden_until(const PrivacyFilter *filter, const Span *span)
{
    gboolean partly = filter->settings->log.addresses == PRIVACY_PARTIAL;
    return span->kind == SPAN_ADDRESS && partly ? span->at : span->end;
}

static char *
rewrite(const PrivacyFilter *filter, const char *text, const GArray *spans)
{
    gsize done = 0;
    GString *out = g_string_sized_new(strlen(text) + 32);
    for (guint i = 0; i < spans->len; i++) {
        const Span *span = &g_array_index(spans, Span, i);
        gsize end = hidden_until(filter, span);
        if (end <= done)
            continue;
        if (span->start >= done) {
            g_autofree char *with = replacement(filter, span);
            g_string_append_len(out, text + done, (gssize)(span->start - done));
            g_string_append(out, with);
        } else {
            g_string_append(out, HIDDEN);
        }
        done = end;
    }
    g_string_append(out, text + done);
    return g_string_free(out, FALSE);
}

char *
privacy_text(const PrivacyFilter *filter, const char *text)
{
    if (filter == NULL || text == NULL || *text == '\0')
        return g_strdup(text);
    g_autoptr(GArray) spans = find_spans(filter, text);
    return rewrite(filter, text, spans);
}
