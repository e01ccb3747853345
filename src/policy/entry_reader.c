/*
 * entry_reader: what the lists of a policy file have in common: groups, each with a name.
 */
#include "policy/entry_reader.h"

#include <string.h>

enum { LONGEST_NAME = 64 };

static gboolean
is_good_name(const char *name)
{
    gsize length = strlen(name);
    if (length == 0 || length > LONGEST_NAME)
        return FALSE;
    for (; *name != '\0'; name++)
        if (!g_ascii_isalnum(*name) && strchr("-_.", *name) == NULL)
            return FALSE;
    return TRUE;
}

const char *
entry_name(Reading *reading, const config_setting_t *entry, const char *kind, GHashTable *seen)
{
    const config_setting_t *at = reading_member(reading, entry, "name", CONFIG_TYPE_STRING);
    if (at == NULL) {
        if (config_setting_get_member(entry, "name") == NULL)
            reading_problem(reading, entry, "a %s needs a name", kind);
        return NULL;
    }
    const char *name = config_setting_get_string(at);
    if (!is_good_name(name)) {
        reading_problem(reading, at,
                        "\"%s\" is no name: letters, digits, \"-\", \"_\" and \".\", "
                        "at most %d of them",
                        name, LONGEST_NAME);
        return NULL;
    }
    const config_setting_t *earlier = g_hash_table_lookup(seen, name);
    if (earlier != NULL) {
        guint line;
        const char *file = reading_place(reading, earlier, &line);
        reading_problem(reading, at, "there is a %s \"%s\" already (%s:%u)", kind, name, file,
                        line);
        return NULL;
    }
    g_hash_table_insert(seen, (char *)name, (gpointer)at);
    return name;
}

guint
entry_count(Reading *reading, const config_setting_t *list, const char *form)
{
    if (list == NULL)
        return 0;
    guint count = (guint)config_setting_length(list);
    for (guint i = 0; i < count; i++) {
        const config_setting_t *entry = config_setting_get_elem(list, i);
        if (!config_setting_is_group(entry)) {
            reading_problem(reading, entry, "%s", form);
            return 0;
        }
    }
    return count;
}
