/*
 * reading: what the readers of the policy's parts share while a policy is loaded.
 */
#include "policy/reading.h"

#include "base/text.h"
#include "policy/choice.h"
#include "policy/problem.h"

typedef struct {
    guint text_line; /* of the whole text; 0: the file as a whole */
    guint order;     /* of finding */
    PolicyProblem *problem;
} ReadingNote;

void
reading_init(Reading *reading, const Source *source)
{
    reading->source = source;
    reading->faults = g_ptr_array_new_with_free_func(g_free);
    reading->doubts = g_ptr_array_new_with_free_func(g_free);
}

static int
compare_notes(gconstpointer a, gconstpointer b)
{
    const ReadingNote *x = *(ReadingNote *const *)a, *y = *(ReadingNote *const *)b;
    if (x->text_line != y->text_line)
        return x->text_line < y->text_line ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void
hand_over(GPtrArray *notes, GPtrArray *receiver)
{
    g_ptr_array_sort(notes, compare_notes);
    for (guint i = 0; i < notes->len; i++) {
        ReadingNote *note = g_ptr_array_index(notes, i);
        if (receiver != NULL)
            g_ptr_array_add(receiver, note->problem);
        else
            policy_problem_free(note->problem);
    }
    g_ptr_array_unref(notes);
}

void
reading_finish(Reading *reading, GPtrArray *problems, GPtrArray *warnings)
{
    hand_over(reading->faults, problems);
    hand_over(reading->doubts, warnings);
}

const char *
reading_place(const Reading *reading, const config_setting_t *at, guint *line)
{
    guint text_line = at != NULL ? (guint)config_setting_source_line(at) : 0;
    const char *file = source_place(reading->source, text_line, line);
    if (text_line == 0)
        *line = 0;
    return file;
}

static void add_note(Reading *reading, GPtrArray *notes, const config_setting_t *at,
                     const char *format, va_list arguments) G_GNUC_PRINTF(4, 0);

static void
add_note(Reading *reading, GPtrArray *notes, const config_setting_t *at, const char *format,
         va_list arguments)
{
    guint line;
    const char *file = reading_place(reading, at, &line);
    ReadingNote *note = g_new0(ReadingNote, 1);
    note->text_line = at != NULL ? (guint)config_setting_source_line(at) : 0;
    note->order = notes->len;
    note->problem = problem_new_valist(file, line, format, arguments);
    g_ptr_array_add(notes, note);
}

void
reading_problem(Reading *reading, const config_setting_t *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_note(reading, reading->faults, at, format, arguments);
    va_end(arguments);
}

void
reading_warning(Reading *reading, const config_setting_t *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_note(reading, reading->doubts, at, format, arguments);
    va_end(arguments);
}

static void
reading_unlike_any(Reading *reading, const config_setting_t *at, const char *what,
                   const char *const *known)
{
    g_autofree char *all = g_strjoinv(", ", (char **)known);
    reading_problem(reading, at, "unknown %s \"%s\": it can be one of %s", what,
                    config_setting_name(at), all);
}

void
reading_unknown(Reading *reading, const config_setting_t *at, const char *what,
                const char *const *known)
{
    const char *name = config_setting_name(at);
    const char *nearest = text_nearest(name, known);
    if (nearest != NULL)
        reading_problem(reading, at, "unknown %s \"%s\": did you mean \"%s\"?", what, name,
                        nearest);
    else
        reading_unlike_any(reading, at, what, known);
}

void
reading_check_names(Reading *reading, const config_setting_t *group, const char *const *known)
{
    for (guint i = 0; i < (guint)config_setting_length(group); i++) {
        const config_setting_t *member = config_setting_get_elem(group, i);
        if (!g_strv_contains(known, config_setting_name(member)))
            reading_unknown(reading, member, "setting", known);
    }
}

static const char *
wanted_type(int type)
{
    switch (type) {
    case CONFIG_TYPE_GROUP:
        return "a group: { ... }";
    case CONFIG_TYPE_LIST:
        return "a list of groups: ( { ... }, { ... } )";
    case CONFIG_TYPE_BOOL:
        return "true or false";
    case CONFIG_TYPE_INT:
        return "a whole number";
    default:
        return "a string in double quotes";
    }
}

config_setting_t *
reading_member(Reading *reading, const config_setting_t *group, const char *name, int type)
{
    config_setting_t *member = config_setting_get_member(group, name);
    if (member == NULL)
        return NULL;
    int got = config_setting_type(member);
    if (got == type || (type == CONFIG_TYPE_INT && got == CONFIG_TYPE_INT64))
        return member;
    reading_problem(reading, member, "\"%s\" must be %s", name, wanted_type(type));
    return NULL;
}

int
reading_choice(Reading *reading, const config_setting_t *at, const char *name,
               const char *const *names)
{
    g_autoptr(GError) error = NULL;
    int index = choice_find(config_setting_name(at), name, names, &error);
    if (index < 0)
        reading_problem(reading, at, "%s", error->message);
    return index;
}

GPtrArray *
reading_strings(Reading *reading, const config_setting_t *at)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new();
    int type = config_setting_type(at);
    if (type == CONFIG_TYPE_STRING) {
        g_ptr_array_add(strings, (char *)config_setting_get_string(at));
        return g_steal_pointer(&strings);
    }
    gboolean list = type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
    for (guint i = 0; list && i < (guint)config_setting_length(at); i++) {
        const char *string = config_setting_get_string_elem(at, (int)i);
        if (string == NULL) {
            list = FALSE;
            break;
        }
        g_ptr_array_add(strings, (char *)string);
    }
    if (list)
        return g_steal_pointer(&strings);
    reading_problem(reading, at, "\"%s\" must be a string or a list of strings",
                    config_setting_name(at));
    return NULL;
}
