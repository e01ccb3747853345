/*
 * settings: the table of the policy's plain settings, and how each type is read and printed.
 */
#include "policy/settings.h"

#include <errno.h>
#include <grp.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "mail/smtp_stage.h"
#include "policy/choice.h"
#include "policy/octets.h"
#include "policy/socket_name.h"
#include "policy/syntax.h"

const char *const reply_mode_names[] = {"keep", "repair", "annotate", "replace", NULL};
const char *const disclosure_names[] = {"full", "brief", NULL};
const char *const check_action_names[] = {"refuse", "quarantine", "discard", NULL};
const char *const bounce_trust_names[] = {"own-mta", "proof", "all", NULL};
const char *const filter_failure_names[] = {"tempfail", "accept", "reject", NULL};

static const char *const address_privacy[] = {"plain", "domain", "hashed", NULL};
static const char *const client_privacy[] = {"plain", "prefix", "hashed", NULL};
static const char *const log_lines[] = {"none", "own", "all", NULL};
static const char *const facilities[] = {"mail",   "daemon", "local0", "local1", "local2", "local3",
                                         "local4", "local5", "local6", "local7", NULL};
static const char *const sections[] = {"milter",  "tables", "control", "metrics", "site",
                                       "replies", "checks", "filters", "bounces", "classify",
                                       "limits",  "log",    NULL};

#define FIELD(member) .offset = G_STRUCT_OFFSET(PolicySettings, member)

static const SettingRow rows[] = {
    {"milter.socket", SETTING_SOCKET, .needs_restart = TRUE, FIELD(milter.socket),
     .help = "Where the milter door listens: \"unix:/path\", \"local:/path\", \"inet:PORT@HOST\", "
             "\"inet6:PORT@HOST\", or \"fd:N\" for a socket that systemd hands over. Unset: this "
             "door stays shut, unless systemd or the option -p opens it."},
    {"milter.link", SETTING_PATH, .needs_restart = TRUE, FIELD(milter.link),
     .help = "A symbolic link to the socket, made at the start: the name that main.cf uses. A "
             "chrooted smtpd opens the name below /var/spool/postfix, everything else opens the "
             "link, and both reach the same socket."},
    {"milter.mode",
     SETTING_MODE,
     {"0660"},
     .needs_restart = TRUE,
     FIELD(milter.mode),
     .help = "The permission bits of the socket, in octal digits, as a string."},
    {"milter.group", SETTING_GROUP, .needs_restart = TRUE, FIELD(milter.group),
     .help = "The group of the socket. The MTA's user must be a member of it."},
    {"tables.socket", SETTING_SOCKET, .needs_restart = TRUE, FIELD(tables.socket),
     .help = "Where the tables of the socketmap protocol (reject, footer, delivery, rbl, sendmail) "
             "listen; the forms are those of milter.socket."},
    {"tables.link", SETTING_PATH, .needs_restart = TRUE, FIELD(tables.link),
     .help = "A symbolic link to that socket."},
    {"tables.mode",
     SETTING_MODE,
     {"0660"},
     .needs_restart = TRUE,
     FIELD(tables.mode),
     .help = "The permission bits of that socket."},
    {"tables.group", SETTING_GROUP, .needs_restart = TRUE, FIELD(tables.group),
     .help = "The group of that socket."},
    {"control.socket", SETTING_SOCKET, .needs_restart = TRUE, FIELD(control.socket),
     .help = "Where the running daemon can be asked and steered (`replyctl status`, `trace`, "
             "`loglevel`): a local socket, \"unix:/path\". Unset: this door stays shut, unless "
             "systemd opens it."},
    {"control.mode",
     SETTING_MODE,
     {"0660"},
     .needs_restart = TRUE,
     FIELD(control.mode),
     .help = "The permission bits of that socket: who may connect may ask. What changes something "
             "is for root and the daemon's own user, whatever they say."},
    {"control.group", SETTING_GROUP, .needs_restart = TRUE, FIELD(control.group),
     .help = "The group of that socket."},
    {"metrics.listen", SETTING_ADDRESS, .needs_restart = TRUE, FIELD(metrics.listen),
     .help = "Where Prometheus may fetch the daemon's metrics over HTTP, as /metrics: "
             "\"127.0.0.1:9125\" or \"[::1]:9125\". Who can connect can read them, so another "
             "address than one of the loopback network is for hosts behind a firewall. Unset: "
             "they are not served there; `replyctl stats` shows them."},
    {"site.hostname", SETTING_HOSTNAME, FIELD(site.hostname),
     .help = "The name that stands for this host in %{hostname}. Unset: the name that the MTA "
             "calls itself, else the system's host name."},
    {"site.networks",
     SETTING_NETWORKS,
     {"127.0.0.0/8", "::1"},
     FIELD(site.networks),
     .help = "Addresses and address blocks of our own hosts. They and clients that have logged in "
             "are insiders: what they send is outbound, and disclosure does not cut what they are "
             "told."},
    {"site.help_url", SETTING_URL, FIELD(site.help_url),
     .help = "The page that explains a refusal, for %{help_url}. It may itself hold %{status}, "
             "%{code}, %{category}, %{reference}, %{queue_id} and %{hostname}. Unset: no reply "
             "names a page. `replyctl pages` writes such pages."},
    {"site.contact", SETTING_TEXT, FIELD(site.contact),
     .help = "Whom to ask, for %{contact}: an address, a telephone number or a page. Unset: no "
             "reply names one."},
    {"site.reference",
     SETTING_BOOL,
     {"true"},
     FIELD(site.reference),
     .help =
         "Whether a reply that has been annotated or replaced carries a short random reference, "
         "which its event in the log carries too."},
    {"site.disclosure",
     SETTING_CHOICE,
     {"full"},
     .choices = disclosure_names,
     FIELD(site.disclosure),
     .help = "How much outsiders are told: all of it, or (brief) the general sentence of the "
             "failure's category only. At the tables nobody is known, and so everybody is an "
             "outsider. The event log gets everything either way."},
    {"replies.default",
     SETTING_CHOICE,
     {"annotate"},
     .choices = reply_mode_names,
     FIELD(replies.mode),
     .help = "What is done to a reply for which no rule says otherwise: keep it as it is; repair "
             "what is wrong on the wire or between its codes; annotate it, which also adds lines; "
             "replace its text with the sentence of its category."},
    {"replies.stages",
     SETTING_STAGES,
     {"mail", "rcpt", "data", "eom"},
     FIELD(replies.stages),
     .help =
         "The stages of a session whose replies are touched: mail, rcpt, data, eom, and connect, "
         "helo, starttls, auth, other. A rule with a condition on the stage can name others."},
    {"bounces.tag",
     SETTING_BOOL,
     {"false"},
     FIELD(bounces.tag),
     .help = "Whether mail that reports something (it has the null sender, or a recipient of "
             "bounces.recipients) gets headers that say what it means: X-Bounce-Kind, "
             "X-Bounce-Category, X-Bounce-Action, X-Bounce-Recipient and X-Bounce-Status, in each "
             "this host's name and a semicolon before the value. Such headers that come in with "
             "this host's name are removed from it first."},
    {"bounces.max_body",
     SETTING_SIZE,
     {"1M"},
     0,
     16 << 20,
     FIELD(bounces.max_body),
     .help = "How much of the body of such a mail is read. What stands behind it is passed over, "
             "and the event says so. 0: no mail is read, and none is tagged."},
    {"bounces.recipients", SETTING_RECIPIENTS, FIELD(bounces.recipients),
     .help = "Addresses to which reports come, as in a condition on the recipient: their mail is "
             "read whoever sends it. An address with a recipient of ours in it "
             "(bounces+user=example.org@example.net) also proves that the mail it reports was "
             "ours."},
    {"bounces.trust",
     SETTING_CHOICE,
     {"proof"},
     .choices = bounce_trust_names,
     FIELD(bounces.trust),
     .help = "Whose reports may have an address given up: those of this host's own MTA; also those "
             "that show that the mail was ours (proof); or all of them. The others are to be "
             "reviewed by a person, for anybody can make one up."},
    {"limits.memory",
     SETTING_SIZE,
     {"256M"},
     1 << 20,
     G_GINT64_CONSTANT(1) << 40,
     FIELD(limits.memory),
     .help = "The memory that all sessions together may take. Bodies that find no room in it are "
             "kept in files without a name, in $TMPDIR or /var/tmp."},
    {"limits.sessions",
     SETTING_INTEGER,
     {"2000"},
     1,
     65535,
     FIELD(limits.sessions),
     .help = "Sessions of the milter door at once. What comes above that is let through "
             "unchecked, or put off (4xx) if there are filters, with a warning."},
    {"limits.stop_timeout",
     SETTING_INTEGER,
     {"20"},
     0,
     3600,
     FIELD(limits.stop_timeout),
     .help = "Seconds that sessions are given to reach the end of their message when the daemon is "
             "told to stop."},
    {"log.events", SETTING_EVENTS, .needs_restart = TRUE, FIELD(log.events),
     .help = "Where events go: a file by its absolute path, \"stdout\", or \"syslog\". The file is "
             "opened anew on SIGHUP. Unset: there is no event log."},
    {"log.rate",
     SETTING_INTEGER,
     {"100"},
     0,
     1000000,
     FIELD(log.rate),
     .help = "Events written in a second at most; the rest of that second becomes one line with "
             "their number. 0: no limit."},
    {"log.syslog",
     SETTING_FACILITY,
     {"mail"},
     .choices = facilities,
     .needs_restart = TRUE,
     FIELD(log.syslog),
     .help = "The syslog facility of what the daemon says about itself."},
    {"log.lines",
     SETTING_CHOICE,
     {"own"},
     .choices = log_lines,
     FIELD(log.lines),
     .help = "Which events stand in words in what the daemon says about itself, too, each line "
             "with the queue id first: those of what replymilter or a filter behind it has "
             "refused, reworded, held or discarded, and of filters that failed (own); also those "
             "of what it has only seen (all); or none. They count for log.rate."},
    {"log.addresses",
     SETTING_CHOICE,
     {"plain"},
     .choices = address_privacy,
     FIELD(log.addresses),
     .help = "How mail addresses stand in events: as they are, as their domain only, or as a keyed "
             "hash."},
    {"log.client",
     SETTING_CHOICE,
     {"plain"},
     .choices = client_privacy,
     FIELD(log.client),
     .help = "How client addresses and names stand in events: as they are, as their network "
             "prefix only, or as a keyed hash."},
    {"log.key_file", SETTING_PATH, FIELD(log.key_file),
     .help = "The file with the key of the hashes: 16 to 4096 octets that nobody else can read, "
             "for example the output of `openssl rand 32`. Needed for \"hashed\"."},
};

const SettingRow *
settings_rows(guint *count)
{
    *count = G_N_ELEMENTS(rows);
    return rows;
}

int
settings_find(const char *path)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].path, path) == 0)
            return (int)i;
    return -1;
}

const char *const *
settings_sections(void)
{
    return sections;
}

const char **
settings_names(const char *section)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    gsize length = strlen(section);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strncmp(rows[i].path, section, length) == 0 && rows[i].path[length] == '.')
            g_ptr_array_add(names, (char *)rows[i].path + length + 1);
    if (names->len == 0)
        return NULL;
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* ---- fields
 * ---------------------------------------------------------------------------------------- */

#define FIELD_AT(settings, row, type) ((type *)(void *)((char *)(settings) + (row)->offset))
#define FIELD_OF(settings, row, type)                                                              \
    (*(const type *)(const void *)((const char *)(settings) + (row)->offset))

static gboolean
is_string(SettingType type)
{
    switch (type) {
    case SETTING_FACILITY:
    case SETTING_TEXT:
    case SETTING_HOSTNAME:
    case SETTING_PATH:
    case SETTING_EVENTS:
    case SETTING_SOCKET:
    case SETTING_ADDRESS:
    case SETTING_GROUP:
        return TRUE;
    default:
        return FALSE;
    }
}

gboolean
setting_takes_list(const SettingRow *row)
{
    return row->type == SETTING_STAGES || row->type == SETTING_NETWORKS ||
           row->type == SETTING_RECIPIENTS;
}

void
settings_init(PolicySettings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint count = g_strv_length((char **)rows[i].preset);
        gboolean set =
            count == 0 || setting_set(settings, &rows[i], rows[i].preset, count, NULL, NULL);
        g_assert(set);
    }
}

static void
clear_field(PolicySettings *settings, const SettingRow *row)
{
    if (is_string(row->type))
        g_clear_pointer(FIELD_AT(settings, row, char *), g_free);
    else if (row->type == SETTING_URL)
        g_clear_pointer(FIELD_AT(settings, row, Template *), template_free);
    else if (row->type == SETTING_NETWORKS)
        g_clear_pointer(FIELD_AT(settings, row, GArray *), g_array_unref);
    else if (row->type == SETTING_RECIPIENTS)
        g_clear_pointer(FIELD_AT(settings, row, Matcher *), matcher_free);
}

void
settings_clear(PolicySettings *settings)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        clear_field(settings, &rows[i]);
    g_clear_pointer(&settings->log.key, g_bytes_unref);
}

/* ---- reading
 * ------------------------------------------------------------------------------------------ */

static gboolean
check_limits(const SettingRow *row, gint64 number, GError **error)
{
    gboolean size = row->type == SETTING_SIZE;
    if (number >= row->least && number <= row->most)
        return TRUE;
    g_autofree char *least =
        size ? octets_format(row->least) : g_strdup_printf("%d", (int)row->least);
    g_autofree char *most = size ? octets_format(row->most) : g_strdup_printf("%d", (int)row->most);
    return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "%" G_GINT64_FORMAT " is outside its limits: %s to %s", number, least, most);
}

static gboolean
set_number(PolicySettings *settings, const SettingRow *row, const char *text, GError **error)
{
    gint64 number;
    if (row->type == SETTING_INTEGER)
        number = g_ascii_strtoll(text, NULL, 10);
    else if (!octets_parse(text, &number))
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" is no size: write it as \"256M\"", text);
    if (!check_limits(row, number, error))
        return FALSE;
    if (row->type == SETTING_INTEGER)
        *FIELD_AT(settings, row, guint) = (guint)number;
    else
        *FIELD_AT(settings, row, guint64) = (guint64)number;
    return TRUE;
}

static gboolean
set_mode(PolicySettings *settings, const SettingRow *row, const char *text, GError **error)
{
    guint64 mode;
    gsize length = strlen(text);
    if (length < 3 || length > 4 || !g_ascii_string_to_unsigned(text, 8, 0, 0777, &mode, NULL))
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" is no file mode: write it in octal digits, as \"0660\"", text);
    *FIELD_AT(settings, row, guint) = (guint)mode;
    return TRUE;
}

static gboolean
set_choice(PolicySettings *settings, const SettingRow *row, const char *text, GError **error)
{
    int index = choice_find("value", text, row->choices, error);
    if (index >= 0)
        *FIELD_AT(settings, row, int) = index;
    return index >= 0;
}

static gboolean
check_path(const char *text, GError **error)
{
    return g_path_is_absolute(text) ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" is no absolute path: it must begin with \"/\"", text);
}

static gboolean
check_group(const char *text, GError **error)
{
    struct group entry, *found = NULL;
    char buffer[16384];
    int failure = getgrnam_r(text, &entry, buffer, sizeof(buffer), &found);
    /* ERANGE: it is there, with more members than the buffer holds. */
    return found != NULL || failure == ERANGE ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG, "there is no group \"%s\" on this host",
                      text);
}

static gboolean
check_address(const char *text, GError **error)
{
    g_autofree char *socket = socket_name_of_address(text, error);
    return socket != NULL;
}

static gboolean
check_hostname(const char *text, GError **error)
{
    for (const char *at = text; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && strchr("-._", *at) == NULL)
            return error_fail(error, REPLYMILTER_ERROR_CONFIG, "\"%s\" is no host name", text);
    return strlen(text) <= 255 ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG, "a host name has at most 255 octets");
}

static gboolean
check_text(const char *text, GError **error)
{
    enum { LONGEST_TEXT = 200 };
    if (!text_is_printable(text))
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "only printable ASCII can stand in a reply");
    return strlen(text) <= LONGEST_TEXT ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG, "the text is longer than %d octets",
                      LONGEST_TEXT);
}

static gboolean
check_string(const SettingRow *row, const char *text, GError **error)
{
    switch (row->type) {
    case SETTING_FACILITY:
        return choice_find("facility", text, row->choices, error) >= 0;
    case SETTING_HOSTNAME:
        return check_hostname(text, error);
    case SETTING_PATH:
        return check_path(text, error);
    case SETTING_EVENTS:
        return strcmp(text, "stdout") == 0 || strcmp(text, "syslog") == 0 ||
               g_path_is_absolute(text) ||
               error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" is no absolute path, nor \"stdout\" or \"syslog\"", text);
    case SETTING_SOCKET:
        return socket_name_check(text, error);
    case SETTING_ADDRESS:
        return check_address(text, error);
    case SETTING_GROUP:
        return check_group(text, error);
    default:
        return check_text(text, error);
    }
}

/* The empty string unsets, but for a facility: there is always one. */
static gboolean
set_string(PolicySettings *settings, const SettingRow *row, const char *text, GError **error)
{
    gboolean unset = *text == '\0' && row->type != SETTING_FACILITY;
    if (!unset && !check_string(row, text, error))
        return FALSE;
    clear_field(settings, row);
    *FIELD_AT(settings, row, char *) = unset ? NULL : g_strdup(text);
    return TRUE;
}

/* The others hold what a client or another server has written, which has no place in a URL. */
static gboolean
check_url_variables(const Template *url, GError **error)
{
    static const Variable allowed[] = {VARIABLE_STATUS,    VARIABLE_CODE,     VARIABLE_CATEGORY,
                                       VARIABLE_REFERENCE, VARIABLE_QUEUE_ID, VARIABLE_HOSTNAME};
    guint known = 0;
    for (guint i = 0; i < G_N_ELEMENTS(allowed); i++)
        known |= 1u << allowed[i];
    for (guint i = 0; i < VARIABLE_COUNT; i++)
        if (template_uses(url, (Variable)i) && (known & (1u << i)) == 0)
            return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                              "%%{%s} cannot stand in a URL: %%{status}, %%{code}, %%{category}, "
                              "%%{reference}, %%{queue_id} and %%{hostname} can",
                              variable_name((Variable)i));
    return TRUE;
}

static gboolean
set_url(PolicySettings *settings, const SettingRow *row, const char *text, GError **error)
{
    enum { LONGEST_URL = 300 };
    if (*text == '\0') {
        clear_field(settings, row);
        return TRUE;
    }
    gboolean web = g_str_has_prefix(text, "http://") || g_str_has_prefix(text, "https://");
    if (!web || strpbrk(text, " <>\"") != NULL)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" is no URL: it begins with \"https://\" and has no spaces", text);
    if (strlen(text) > LONGEST_URL)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG, "the URL is longer than %d octets",
                          LONGEST_URL);
    g_autoptr(Template) url = template_new(text, error);
    if (url == NULL || !check_url_variables(url, error))
        return FALSE;
    clear_field(settings, row);
    *FIELD_AT(settings, row, Template *) = g_steal_pointer(&url);
    return TRUE;
}

static gboolean
set_stages(PolicySettings *settings, const SettingRow *row, const char *const *texts, guint count,
           GError **error)
{
    guint bits = 0;
    for (guint i = 0; i < count; i++) {
        int index = choice_find("stage", texts[i], smtp_stage_names(), error);
        if (index < 0)
            return FALSE;
        bits |= 1u << (index + 1);
    }
    *FIELD_AT(settings, row, guint) = bits;
    return TRUE;
}

static gboolean
set_networks(PolicySettings *settings, const SettingRow *row, const char *const *texts, guint count,
             GError **error)
{
    g_autoptr(GArray) blocks = g_array_new(FALSE, FALSE, sizeof(AddressBlock));
    for (guint i = 0; i < count; i++) {
        AddressBlock block;
        if (!address_block_parse(texts[i], &block, error))
            return FALSE;
        g_array_append_val(blocks, block);
    }
    clear_field(settings, row);
    *FIELD_AT(settings, row, GArray *) = g_steal_pointer(&blocks);
    return TRUE;
}

/* An empty list, and the empty text, unset. */
static gboolean
set_recipients(PolicySettings *settings, const SettingRow *row, const char *const *texts,
               guint count, const char *folder, GError **error)
{
    gboolean unset = count == 0 || (count == 1 && *texts[0] == '\0');
    Matcher *matcher = unset ? NULL : matcher_new(FACT_RECIPIENT, texts, count, folder, error);
    if (!unset && matcher == NULL)
        return FALSE;
    clear_field(settings, row);
    *FIELD_AT(settings, row, Matcher *) = matcher;
    return TRUE;
}

gboolean
setting_set(PolicySettings *settings, const SettingRow *row, const char *const *texts, guint count,
            const char *folder, GError **error)
{
    g_assert(count == 1 || setting_takes_list(row));
    switch (row->type) {
    case SETTING_BOOL:
        *FIELD_AT(settings, row, gboolean) = strcmp(texts[0], "true") == 0;
        return TRUE;
    case SETTING_INTEGER:
    case SETTING_SIZE:
        return set_number(settings, row, texts[0], error);
    case SETTING_MODE:
        return set_mode(settings, row, texts[0], error);
    case SETTING_CHOICE:
        return set_choice(settings, row, texts[0], error);
    case SETTING_URL:
        return set_url(settings, row, texts[0], error);
    case SETTING_STAGES:
        return set_stages(settings, row, texts, count, error);
    case SETTING_NETWORKS:
        return set_networks(settings, row, texts, count, error);
    case SETTING_RECIPIENTS:
        return set_recipients(settings, row, texts, count, folder, error);
    default:
        return set_string(settings, row, texts[0], error);
    }
}

/* ---- printing
 * ------------------------------------------------------------------------------------------ */

static char *
print_stages(guint bits)
{
    g_autoptr(GString) out = g_string_new("[");
    for (int stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++)
        if (bits & (1u << stage))
            g_string_append_printf(out, "%s\"%s\"", out->len > 1 ? ", " : " ",
                                   smtp_stage_name((SmtpStage)stage));
    return g_strconcat(out->str, " ]", NULL);
}

static char *
print_networks(const GArray *blocks)
{
    g_autoptr(GString) out = g_string_new("[");
    for (guint i = 0; i < blocks->len; i++) {
        g_autofree char *block = address_block_format(&g_array_index(blocks, AddressBlock, i));
        g_string_append_printf(out, "%s\"%s\"", i > 0 ? ", " : " ", block);
    }
    return g_strconcat(out->str, " ]", NULL);
}

static char *
print_quoted(const char *text)
{
    return text != NULL ? syntax_quote(text) : NULL;
}

static char *
print_size(guint64 octets)
{
    g_autofree char *text = octets_format((gint64)octets);
    return syntax_quote(text);
}

char *
setting_print(const PolicySettings *settings, const SettingRow *row)
{
    switch (row->type) {
    case SETTING_BOOL:
        return g_strdup(FIELD_OF(settings, row, gboolean) ? "true" : "false");
    case SETTING_INTEGER:
        return g_strdup_printf("%u", FIELD_OF(settings, row, guint));
    case SETTING_SIZE:
        return print_size(FIELD_OF(settings, row, guint64));
    case SETTING_MODE:
        return g_strdup_printf("\"%04o\"", FIELD_OF(settings, row, guint));
    case SETTING_CHOICE:
        return syntax_quote(row->choices[FIELD_OF(settings, row, int)]);
    case SETTING_STAGES:
        return print_stages(FIELD_OF(settings, row, guint));
    case SETTING_NETWORKS:
        return print_networks(FIELD_OF(settings, row, GArray *));
    case SETTING_RECIPIENTS: {
        const Matcher *matcher = FIELD_OF(settings, row, Matcher *);
        return matcher != NULL ? g_strdup(matcher_text(matcher)) : NULL;
    }
    case SETTING_URL: {
        const Template *url = FIELD_OF(settings, row, Template *);
        return url != NULL ? syntax_quote(template_text(url)) : NULL;
    }
    default:
        return print_quoted(FIELD_OF(settings, row, char *));
    }
}

/* What the manual says of a type that has no numbers in it. */
static const char *const descriptions[] = {
    [SETTING_BOOL] = "true or false",
    [SETTING_MODE] = "a file mode as a string",
    [SETTING_TEXT] = "a string",
    [SETTING_HOSTNAME] = "a host name",
    [SETTING_URL] = "a URL with variables",
    [SETTING_PATH] = "an absolute path",
    [SETTING_EVENTS] = "an absolute path, \"stdout\" or \"syslog\"",
    [SETTING_SOCKET] = "a socket",
    [SETTING_ADDRESS] = "an address and port",
    [SETTING_GROUP] = "a group",
    [SETTING_STAGES] = "a stage or a list of them",
    [SETTING_NETWORKS] = "an address block or a list of them",
    [SETTING_RECIPIENTS] = "an address with stars, or another value of a condition, or a list",
};

char *
setting_describe(const SettingRow *row)
{
    if (row->choices != NULL) {
        g_autofree char *all = g_strjoinv(", ", (char **)row->choices);
        return g_strdup_printf("one of %s", all);
    }
    if (row->type == SETTING_INTEGER)
        return g_strdup_printf("a whole number from %d to %d", (int)row->least, (int)row->most);
    if (row->type == SETTING_SIZE) {
        g_autofree char *least = octets_format(row->least), *most = octets_format(row->most);
        return g_strdup_printf("a number of octets, or a size from \"%s\" to \"%s\"", least, most);
    }
    return g_strdup(descriptions[row->type]);
}
