/*
 * category: the failure categories, looked up by number and by name.
 *
 * The rows are generated from data/categories.tsv (scripts/generate-catalog).
 */
#include "catalog/category.h"

#include <string.h>

#include "catalog/category_table.h" /* generated: categories[], names[] */

static const char *const actions[ACTION_COUNT] = {
    [ACTION_NONE] = "none",
    [ACTION_SUPPRESS] = "suppress",
    [ACTION_CORRECT_ADDRESS] = "correct-address",
    [ACTION_RETRY] = "retry",
    [ACTION_RETRY_SLOWER] = "retry-slower",
    [ACTION_REVIEW] = "review",
    [ACTION_FIX_SENDER] = "fix-sender",
    [ACTION_FIX_AUTHENTICATION] = "fix-authentication",
    [ACTION_FIX_CONFIGURATION] = "fix-configuration",
    [ACTION_FIX_REPUTATION] = "fix-reputation",
    [ACTION_FIX_MESSAGE] = "fix-message",
};

/* The place of `name` among `count` names, or `count`. */
static guint
name_index(const char *name, const char *const *known, guint count)
{
    guint index = 0;
    while (index < count && strcmp(known[index], name) != 0)
        index++;
    return index;
}

const CategoryInfo *
category_info(Category category)
{
    g_assert((guint)category < CATEGORY_COUNT);
    return &categories[category];
}

gboolean
category_from_name(const char *name, Category *category)
{
    guint index = name_index(name, names, CATEGORY_COUNT);
    if (index == CATEGORY_COUNT)
        return FALSE;
    *category = (Category)index;
    return TRUE;
}

const char *const *
category_names(void)
{
    return names;
}

const char *
action_name(Action action)
{
    g_assert((guint)action < ACTION_COUNT);
    return actions[action];
}

gboolean
action_from_name(const char *name, Action *action)
{
    guint index = name_index(name, actions, ACTION_COUNT);
    if (index == ACTION_COUNT)
        return FALSE;
    *action = (Action)index;
    return TRUE;
}
