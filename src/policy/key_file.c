/*
 * key_file: one key a line, and perhaps a value behind it.
 *
 * Address blocks are keys of a hash table too, in their printed form: a client is looked up once
 * for each prefix length that the file has, the longest first.
 */
#include "policy/key_file.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/address_block.h"
#include "policy/checked_file.h"

enum { PREFIX_LENGTHS = 129 };

struct KeyFile {
    Fact fact;
    GHashTable *entries; /* key -> Entry */
    gboolean has_values;
    gboolean prefixes[PREFIX_LENGTHS]; /* which lengths of blocks there are */
};

typedef struct {
    char *value; /* "" for none */
    guint line;
} Entry;

static void
free_entry(gpointer data)
{
    Entry *entry = data;
    g_free(entry->value);
    g_free(entry);
}

static void set_fault(GError **error, const char *path, guint line, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void
set_fault(GError **error, const char *path, guint line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG, "%s:%u: %s", path, line, what);
}

/* The key as it is looked up, or NULL and an error. */
static char *
normal_key(KeyFile *file, const char *key, GError **error)
{
    if (file->fact == FACT_SENDER && strcmp(key, "<>") == 0)
        return g_strdup("");
    if (file->fact != FACT_CLIENT)
        return g_ascii_strdown(key, -1);
    AddressBlock block;
    if (!address_block_parse(key, &block, error))
        return NULL;
    file->prefixes[block.bits] = TRUE;
    return address_block_format(&block);
}

static gboolean
add_entry(KeyFile *file, const char *path, guint line, const char *key, const char *value,
          GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autofree char *normal = normal_key(file, key, &fault);
    if (normal == NULL) {
        set_fault(error, path, line, "%s", fault->message);
        return FALSE;
    }
    if (!text_is_printable(value)) {
        set_fault(error, path, line, "the value holds what cannot stand in a reply");
        return FALSE;
    }
    const Entry *earlier = g_hash_table_lookup(file->entries, normal);
    if (earlier != NULL) {
        g_autofree char *shown = text_escape(key);
        set_fault(error, path, line, "\"%s\" has stood in line %u already", shown, earlier->line);
        return FALSE;
    }
    Entry *entry = g_new0(Entry, 1);
    entry->value = g_strdup(value);
    entry->line = line;
    file->has_values = file->has_values || *value != '\0';
    g_hash_table_insert(file->entries, g_steal_pointer(&normal), entry);
    return TRUE;
}

/* Splits a line in place. */
static gboolean
add_line(KeyFile *file, const char *path, guint number, char *line, GError **error)
{
    line = g_strstrip(line);
    if (line[0] == '\0' || line[0] == '#')
        return TRUE;
    gsize length = strcspn(line, " \t");
    char *value = line + length + strspn(line + length, " \t");
    line[length] = '\0';
    return add_entry(file, path, number, line, value, error);
}

KeyFile *
key_file_load(const char *path, Fact fact, GError **error)
{
    FileDemands demands = {.limit = KEY_FILE_MAX_OCTETS, .forbidden = S_IWOTH};
    gsize length;
    g_autofree char *text = checked_file_read_text(path, demands, &length, error);
    if (text == NULL) {
        g_prefix_error(error, "\"%s\" ", path);
        return NULL;
    }
    KeyFile *file = g_new0(KeyFile, 1);
    file->fact = fact;
    file->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entry);
    char *rest = text;
    for (guint number = 1; rest != NULL; number++) {
        char *line = strsep(&rest, "\n");
        if (!add_line(file, path, number, line, error)) {
            key_file_free(file);
            return NULL;
        }
    }
    return file;
}

void
key_file_free(KeyFile *file)
{
    if (file == NULL)
        return;
    g_hash_table_unref(file->entries);
    g_free(file);
}

static const char *
find_exactly(const KeyFile *file, const char *key)
{
    const Entry *entry = g_hash_table_lookup(file->entries, key);
    return entry != NULL ? entry->value : NULL;
}

static const char *
find_client(const KeyFile *file, const char *client)
{
    AddressBlock address;
    if (!address_block_from_address(client, &address))
        return NULL;
    for (int bits = PREFIX_LENGTHS - 1; bits >= 0; bits--) {
        if (!file->prefixes[bits])
            continue;
        AddressBlock wide = address_block_widen(&address, (guint8)bits);
        g_autofree char *key = address_block_format(&wide);
        const char *value = find_exactly(file, key);
        if (value != NULL)
            return value;
    }
    return NULL;
}

const char *
key_file_find(const KeyFile *file, const char *key)
{
    if (file->fact == FACT_CLIENT)
        return find_client(file, key);
    g_autofree char *normal = g_ascii_strdown(key, -1);
    const char *value = find_exactly(file, normal);
    gboolean mailbox = file->fact == FACT_SENDER || file->fact == FACT_RECIPIENT;
    const char *at = mailbox ? strrchr(normal, '@') : NULL;
    if (value == NULL && at != NULL)
        value = find_exactly(file, at);
    return value;
}

gboolean
key_file_has_values(const KeyFile *file)
{
    return file->has_values;
}
