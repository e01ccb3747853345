/*
 * facts: what a door knows about the reply it asks for, and who it is.
 */
#include "engine/facts.h"

#include <string.h>

static const char *const names[DOOR_COUNT] = {"milter",   "filter", "reject", "footer",
                                              "delivery", "rbl",    "log",    "command"};

const char *
door_name(Door door)
{
    g_assert(door < DOOR_COUNT);
    return names[door];
}

gboolean
door_is_table(Door door)
{
    return door == DOOR_REJECT || door == DOOR_FOOTER || door == DOOR_DELIVERY || door == DOOR_RBL;
}

gboolean
door_from_name(const char *name, Door *door)
{
    for (guint i = 0; i < DOOR_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *door = (Door)i;
            return TRUE;
        }
    return FALSE;
}

void
facts_init(Facts *facts, Door door)
{
    *facts = (Facts){.door = door, .stage = SMTP_STAGE_UNKNOWN, .size = -1};
}

void
facts_clear(Facts *facts)
{
    for (guint i = 0; i < FACT_COUNT; i++)
        g_free(facts->known[i]);
    g_clear_pointer(&facts->headers, g_ptr_array_unref);
    g_free(facts->queue_id);
    g_free(facts->hostname);
    facts_init(facts, facts->door);
}

/* The others have fields of their own, or belong to the reply. */
static gboolean
is_kept(Fact fact)
{
    switch (fact) {
    case FACT_STAGE:
    case FACT_CODE:
    case FACT_STATUS:
    case FACT_CATEGORY:
    case FACT_PROVIDER:
    case FACT_TEXT:
    case FACT_HEADER:
    case FACT_SIZE:
    case FACT_COUNT:
        return FALSE;
    default:
        return TRUE;
    }
}

void
facts_set(Facts *facts, Fact fact, const char *value)
{
    g_assert(is_kept(fact));
    char *copy = g_strdup(value);
    g_free(facts->known[fact]);
    facts->known[fact] = copy;
}

const char *
facts_get(const Facts *facts, Fact fact)
{
    g_assert(is_kept(fact));
    return facts->known[fact];
}
