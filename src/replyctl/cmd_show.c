/*
 * replyctl show: the event behind a reference that somebody has read out.
 */
#include <stdio.h>
#include <string.h>

#include "engine/reference.h"
#include "replyctl/command.h"
#include "replyctl/event_files.h"
#include "replyctl/event_screen.h"
#include "replyctl/policy_file.h"
#include "replyctl/screen.h"

static const char description[] =
    "REFERENCE stands in the reply behind \"Reference:\"; case, blanks and dashes do\n"
    "not matter. The id of an event and a queue id are found as well. Rotated and\n"
    "gzip'd event logs are searched too, the newest first.\n\n"
    "Examples:\n"
    "  replyctl show KXYM2QRT\n"
    "  replyctl show --log /var/log/replymilter/events.jsonl 4F1Q2W3Xz9";

/* What is looked for, and what was found so far. */
typedef struct {
    const char *typed;
    char *reference;  /* as typed, without blanks and dashes */
    GPtrArray *found; /* of json_t * */
    GHashTable *ids;  /* of those, and of those that they join */
    gboolean hinted;  /* what helps where a file may not be read was said */
} Search;

static gboolean
equals(const json_t *event, const char *member, const char *value)
{
    const char *there = json_string_value(json_object_get(event, member));
    return there != NULL && strcmp(there, value) == 0;
}

static gboolean
is_wanted(const Search *search, const json_t *event)
{
    const char *reference = json_string_value(json_object_get(event, "reference"));
    return (reference != NULL && g_ascii_strcasecmp(reference, search->reference) == 0) ||
           equals(event, "id", search->typed) || equals(event, "queue_id", search->typed);
}

static void
remember_id(Search *search, const json_t *event, const char *member)
{
    const char *id = json_string_value(json_object_get(event, member));
    if (id != NULL)
        g_hash_table_add(search->ids, g_strdup(id));
}

static void
keep(Search *search, json_t *event)
{
    g_ptr_array_add(search->found, json_incref(event));
    remember_id(search, event, "id");
    remember_id(search, event, "joins");
}

static gboolean
look(json_t *event, gpointer data)
{
    if (is_wanted(data, event))
        keep(data, event);
    return TRUE;
}

static gboolean
is_found(const Search *search, const json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "id"));
    for (guint i = 0; i < search->found->len; i++)
        if (g_strcmp0(id, json_string_value(
                              json_object_get(g_ptr_array_index(search->found, i), "id"))) == 0)
            return TRUE;
    return FALSE;
}

/* The other door's view of the same refusal. */
static gboolean
look_for_joined(json_t *event, gpointer data)
{
    Search *search = data;
    const char *id = json_string_value(json_object_get(event, "id"));
    const char *joins = json_string_value(json_object_get(event, "joins"));
    gboolean joined = (id != NULL && g_hash_table_contains(search->ids, id)) ||
                      (joins != NULL && g_hash_table_contains(search->ids, joins));
    if (joined && !is_found(search, event))
        keep(search, event);
    return TRUE;
}

/* FALSE: a file could not be read, which was said; what was found elsewhere counts all the same. */
static gboolean
read_file(const char *path, gboolean again, EventFunction function, Search *search)
{
    g_autoptr(GError) error = NULL;
    if (event_files_read(path, again, function, search, &error))
        return TRUE;
    g_autofree char *hint = event_files_hint(path);
    command_complain("show: %s%s", error->message, search->hinted ? "" : hint);
    search->hinted |= *hint != '\0';
    return FALSE;
}

/* A refusal that two doors saw may stand in two files if they were rotated in between. */
static gboolean
search_files(Search *search, const GPtrArray *paths)
{
    gboolean whole = TRUE;
    guint i = 0;
    for (; i < paths->len && search->found->len == 0; i++)
        whole &= read_file(g_ptr_array_index(paths, i), FALSE, look, search);
    if (search->found->len == 0)
        return whole;
    for (guint near = i - 1; near < MIN(i + 1, paths->len); near++)
        whole &= read_file(g_ptr_array_index(paths, near), near < i, look_for_joined, search);
    return whole;
}

static gint
by_id(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(json_string_value(json_object_get(*(json_t *const *)a, "id")),
                     json_string_value(json_object_get(*(json_t *const *)b, "id")));
}

static void
print_found(const GPtrArray *found, gboolean as_json)
{
    for (guint i = 0; i < found->len; i++) {
        const json_t *event = g_ptr_array_index(found, i);
        if (!as_json) {
            event_screen_show(event);
            continue;
        }
        char *line = json_dumps(event, JSON_COMPACT | JSON_ENSURE_ASCII);
        puts(line);
        free(line);
    }
}

static char *
without_blanks(const char *typed)
{
    GString *letters = g_string_new(NULL);
    for (const char *at = typed; *at != '\0'; at++)
        if (*at != ' ' && *at != '-')
            g_string_append_c(letters, *at);
    return g_string_free(letters, FALSE);
}

static void
complain_of_none(const Search *search, const char *log, gboolean rotated, gboolean whole)
{
    gboolean misread = strlen(search->reference) == REFERENCE_LENGTH &&
                       strpbrk(search->reference, "01iIoO") != NULL;
    command_complain("show: no event has the reference, id or queue id \"%s\" in %s%s%s%s",
                     search->typed, whole ? "" : "what could be read of ", log,
                     rotated ? " and what was rotated of it" : "",
                     misread ? " (no reference has a 0, 1, I or O in it)" : "");
}

static int
show(const char *typed, const char *log, gboolean as_json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = event_files_find(log, &error);
    if (paths == NULL) {
        g_autofree char *hint = event_files_hint(log);
        command_complain("show: %s%s", error->message, hint);
        return COMMAND_FAILED;
    }
    Search search = {
        .typed = typed,
        .reference = without_blanks(typed),
        .found = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref),
        .ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    gboolean whole = search_files(&search, paths);
    g_ptr_array_sort(search.found, by_id);
    print_found(search.found, as_json);
    gboolean found = search.found->len > 0;
    if (!found)
        complain_of_none(&search, log, paths->len > 1, whole);
    g_free(search.reference);
    g_ptr_array_unref(search.found);
    g_hash_table_unref(search.ids);
    return found && whole ? COMMAND_DONE : COMMAND_FAILED;
}

int
cmd_show(int argc, char **argv)
{
    g_autofree char *config = NULL, *log = NULL;
    gboolean as_json = FALSE;
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config, "the policy whose event log it is",
         "FILE"},
        {"log", 'l', 0, G_OPTION_ARG_FILENAME, &log, "this event log, whatever the policy says",
         "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "the events as they are, one a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    if (argc < 2) {
        command_complain("show: which reference?");
        return COMMAND_USAGE;
    }
    /* "KXYM 2QRT" as two words. */
    g_autofree char *typed = g_strjoinv(" ", argv + 1);
    if (log == NULL && (log = event_files_log("show", config)) == NULL)
        return COMMAND_FAILED;
    return show(g_strstrip(typed), log, as_json);
}
