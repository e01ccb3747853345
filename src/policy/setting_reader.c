/*
 * setting_reader: the plain settings of a policy file, read by the rows of settings.h.
 */
#include "policy/setting_reader.h"

#include <string.h>
#include <sys/stat.h>

#include "policy/checked_file.h"
#include "policy/socket_name.h"

enum { KEY_OCTETS_MIN = 16, KEY_OCTETS_MAX = 4096 };

/* ---- one setting
 * ------------------------------------------------------------------------------------ */

static const char *
wanted(const SettingRow *row)
{
    switch (row->type) {
    case SETTING_BOOL:
        return "true or false";
    case SETTING_INTEGER:
        return "a whole number";
    case SETTING_SIZE:
        return "a size: \"256M\", or a number of octets";
    case SETTING_MODE:
        return "a string of octal digits: \"0660\"";
    case SETTING_STAGES:
    case SETTING_NETWORKS:
    case SETTING_RECIPIENTS:
        return "a string or a list of strings";
    default:
        return "a string in double quotes";
    }
}

static gboolean
type_fits(const SettingRow *row, int type)
{
    gboolean number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    switch (row->type) {
    case SETTING_BOOL:
        return type == CONFIG_TYPE_BOOL;
    case SETTING_INTEGER:
        return number;
    case SETTING_SIZE:
        return number || type == CONFIG_TYPE_STRING;
    case SETTING_STAGES:
    case SETTING_NETWORKS:
    case SETTING_RECIPIENTS:
        return type == CONFIG_TYPE_STRING || type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
    default:
        return type == CONFIG_TYPE_STRING;
    }
}

/* A truth value or a number in words; NULL: a string, or a list. */
static char *
scalar_text(const config_setting_t *at)
{
    switch (config_setting_type(at)) {
    case CONFIG_TYPE_BOOL:
        return g_strdup(config_setting_get_bool(at) ? "true" : "false");
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return g_strdup_printf("%lld", config_setting_get_int64(at));
    default:
        return NULL;
    }
}

static void
set_from_texts(Reading *reading, const config_setting_t *at, const SettingRow *row,
               const char *const *texts, guint count, PolicySettings *settings)
{
    g_autoptr(GError) error = NULL;
    const char *folder = source_folder(reading->source);
    if (!setting_set(settings, row, texts, count, folder, &error))
        reading_problem(reading, at, "\"%s\": %s", row->path, error->message);
}

static void
read_setting(Reading *reading, const config_setting_t *at, const SettingRow *row,
             PolicySettings *settings)
{
    if (!type_fits(row, config_setting_type(at))) {
        reading_problem(reading, at, "\"%s\" must be %s", row->path, wanted(row));
        return;
    }
    g_autofree char *scalar = scalar_text(at);
    if (scalar != NULL) {
        set_from_texts(reading, at, row, (const char *const *)&scalar, 1, settings);
        return;
    }
    g_autoptr(GPtrArray) texts = reading_strings(reading, at);
    if (texts != NULL)
        set_from_texts(reading, at, row, (const char *const *)texts->pdata, texts->len, settings);
}

/* ---- sections
 * ------------------------------------------------------------------------------------------- */

/* What else stands in a section, read by others. */
static gboolean
is_read_elsewhere(const char *section, const char *name)
{
    return strcmp(section, "replies") == 0 && strcmp(name, "rules") == 0;
}

static void
read_member(Reading *reading, const char *section, const config_setting_t *member,
            PolicySettings *settings)
{
    const char *name = config_setting_name(member);
    if (is_read_elsewhere(section, name))
        return;
    g_autofree char *path = g_strconcat(section, ".", name, NULL);
    int index = settings_find(path);
    guint count;
    if (index >= 0) {
        read_setting(reading, member, &settings_rows(&count)[index], settings);
        return;
    }
    g_autofree const char **names = settings_names(section);
    reading_unknown(reading, member, "setting", names);
}

static void
read_section(Reading *reading, const config_setting_t *section, PolicySettings *settings)
{
    const char *name = config_setting_name(section);
    if (!g_strv_contains(settings_sections(), name)) {
        reading_unknown(reading, section, "setting", settings_sections());
        return;
    }
    if (strcmp(name, "checks") == 0 || strcmp(name, "filters") == 0)
        return;
    if (!config_setting_is_group(section)) {
        reading_problem(reading, section, "\"%s\" must be a group: %s = { ... };", name, name);
        return;
    }
    if (strcmp(name, "classify") == 0)
        return;
    for (guint i = 0; i < (guint)config_setting_length(section); i++)
        read_member(reading, name, config_setting_get_elem(section, i), settings);
}

/* ---- what concerns more than one setting
 * ----------------------------------------------------------------- */

/* The setting of that path, or the whole file. */
static const config_setting_t *
place_of(const config_setting_t *root, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, ".", 2);
    const config_setting_t *section = config_setting_get_member(root, parts[0]);
    if (section == NULL || !config_setting_is_group(section))
        return NULL;
    return config_setting_get_member(section, parts[1]);
}

static void
check_door(Reading *reading, const config_setting_t *root, const char *section,
           const SocketSettings *door)
{
    g_autofree char *link_path = g_strconcat(section, ".link", NULL);
    g_autofree char *mode_path = g_strconcat(section, ".mode", NULL);
    const char *path = socket_name_path(door->socket);
    if (door->link != NULL && path != NULL && strcmp(door->link, path) == 0)
        reading_problem(reading, place_of(root, link_path),
                        "\"%s\" is the socket itself: leave it out, or give it another name",
                        link_path);
    else if (door->link != NULL && door->socket != NULL && path == NULL)
        reading_problem(reading, place_of(root, link_path),
                        "\"%s\" can only name a local socket, and \"%s\" is none", link_path,
                        door->socket);
    if (path != NULL && (door->mode & 0002) != 0)
        reading_warning(reading, place_of(root, mode_path),
                        "mode \"%04o\" lets every user of this host speak to the socket",
                        door->mode);
}

static gboolean
same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A name of the control door's that another door has too; NULL: none. */
static const char *
control_clash(const PolicySettings *settings, const char *control)
{
    const struct {
        const char *setting, *path;
    } others[] = {
        {"milter.socket", socket_name_path(settings->milter.socket)},
        {"milter.link", settings->milter.link},
        {"tables.socket", socket_name_path(settings->tables.socket)},
        {"tables.link", settings->tables.link},
    };
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        if (same_text(others[i].path, control))
            return others[i].setting;
    return NULL;
}

static void
check_control(Reading *reading, const config_setting_t *root, const PolicySettings *settings)
{
    const char *path = socket_name_path(settings->control.socket);
    const config_setting_t *at = place_of(root, "control.socket");
    if (settings->control.socket == NULL)
        return;
    if (path == NULL) {
        reading_problem(reading, at, "\"control.socket\" must be a local socket: \"unix:/path\"");
        return;
    }
    check_door(reading, root, "control", &settings->control);
    const char *clash = control_clash(settings, path);
    if (clash != NULL)
        reading_problem(reading, at, "\"control.socket\" is \"%s\" too: they need one each", clash);
}

static void
check_metrics(Reading *reading, const config_setting_t *root, const PolicySettings *settings)
{
    const char *listen = settings->metrics.listen;
    if (listen != NULL && !g_str_has_prefix(listen, "127.") && !g_str_has_prefix(listen, "[::1]:"))
        reading_warning(reading, place_of(root, "metrics.listen"),
                        "\"%s\" is no loopback address: whoever can reach it can read the metrics",
                        listen);
}

static void
check_doors(Reading *reading, const config_setting_t *root, const PolicySettings *settings)
{
    check_door(reading, root, "milter", &settings->milter);
    check_door(reading, root, "tables", &settings->tables);
    check_control(reading, root, settings);
    check_metrics(reading, root, settings);
    const char *milter = socket_name_path(settings->milter.socket);
    const char *tables = socket_name_path(settings->tables.socket);
    if (same_text(settings->milter.socket, settings->tables.socket) || same_text(milter, tables))
        reading_problem(reading, place_of(root, "tables.socket"),
                        "\"tables.socket\" is the socket of the milter: they need one each");
    if (same_text(settings->milter.link, settings->tables.link))
        reading_problem(reading, place_of(root, "tables.link"),
                        "\"tables.link\" is the link of the milter: they need one each");
    if (same_text(settings->milter.link, tables))
        reading_problem(reading, place_of(root, "milter.link"),
                        "\"milter.link\" is the socket of the tables");
    if (same_text(settings->tables.link, milter))
        reading_problem(reading, place_of(root, "tables.link"),
                        "\"tables.link\" is the socket of the milter");
}

static void
read_key(Reading *reading, const config_setting_t *root, PolicySettings *settings)
{
    const config_setting_t *at = place_of(root, "log.key_file");
    FileDemands demands = {.limit = KEY_OCTETS_MAX, .forbidden = S_IROTH | S_IWOTH};
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) key = checked_file_read(settings->log.key_file, demands, &error);
    if (key == NULL)
        reading_problem(reading, at, "\"log.key_file\": \"%s\" %s", settings->log.key_file,
                        error->message);
    else if (g_bytes_get_size(key) < KEY_OCTETS_MIN)
        reading_problem(reading, at, "\"log.key_file\": \"%s\" holds less than %d octets",
                        settings->log.key_file, KEY_OCTETS_MIN);
    else
        settings->log.key = g_steal_pointer(&key);
}

static void
check_privacy(Reading *reading, const config_setting_t *root, PolicySettings *settings)
{
    if (settings->log.key_file != NULL)
        read_key(reading, root, settings);
    else if (settings->log.addresses == PRIVACY_HASHED)
        reading_problem(reading, place_of(root, "log.addresses"),
                        "\"log.addresses\" is \"hashed\", which needs \"log.key_file\"");
    else if (settings->log.client == PRIVACY_HASHED)
        reading_problem(reading, place_of(root, "log.client"),
                        "\"log.client\" is \"hashed\", which needs \"log.key_file\"");
}

static void
check_bounces(Reading *reading, const config_setting_t *root, const PolicySettings *settings)
{
    const Matcher *recipients = settings->bounces.recipients;
    const char *slow = recipients != NULL ? matcher_slow_pattern(recipients) : NULL;
    if (slow != NULL)
        reading_warning(reading, place_of(root, "bounces.recipients"),
                        "\"bounces.recipients\": the regular expression %s can run into its "
                        "limit, and then does not match",
                        slow);
    if (settings->bounces.tag && settings->bounces.max_body == 0)
        reading_warning(reading, place_of(root, "bounces.tag"),
                        "nothing is tagged: \"bounces.max_body\" is 0");
}

void
settings_read(Reading *reading, const config_setting_t *root, PolicySettings *settings)
{
    for (guint i = 0; i < (guint)config_setting_length(root); i++)
        read_section(reading, config_setting_get_elem(root, i), settings);
    check_doors(reading, root, settings);
    check_bounces(reading, root, settings);
    check_privacy(reading, root, settings);
}
