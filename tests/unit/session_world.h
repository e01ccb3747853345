/*
 * session_world: what one session of the milter door needs around it, without an MTA.
 *
 * Include after test_support.h, and have policy_fixture_begin() and policy_fixture_end() around the
 * group. Each test has a folder and an event log of its own.
 */
#pragma once

#include <jansson.h>

#include <glib/gstdio.h>

#include "policy_fixture.h"
#include "server/milter_session.h"

typedef struct {
    char *folder;
    char *events; /* the event log, in the folder */
    DoorContext context;
    MilterSession *session;
} SessionWorld;

/* Around each test. */
static inline void
session_world_open(SessionWorld *world)
{
    world->folder = g_dir_make_tmp("replymilter-session-XXXXXX", NULL);
    world->events = g_build_filename(world->folder, "events.jsonl", NULL);
}

static inline void
session_world_close(SessionWorld *world)
{
    g_remove(world->events);
    g_rmdir(world->folder);
    g_free(world->events);
    g_free(world->folder);
}

/* `sections` stand in the policy behind those of the door, the site and the log. */
static inline Policy *
session_world_policy(const SessionWorld *world, const char *sections)
{
    g_autofree char *text = g_strdup_printf("milter = { socket = \"unix:%s/milter.sock\"; };\n"
                                            "site = { hostname = \"mx.example\"; };\n"
                                            "log = { events = \"%s\"; rate = 0; };\n%s\n",
                                            world->folder, world->events, sections);
    return policy_from(text);
}

/* A session; `mta` may be NULL. */
static inline MilterSession *
session_world_begin(SessionWorld *world, const char *sections, const SessionMta *mta)
{
    Policy *policy = session_world_policy(world, sections);
    world->context.events = event_log_open(policy_settings(policy), NULL);
    assert_non_null(world->context.events);
    world->context.joins = joins_new();
    world->context.filters = filter_states_new();
    world->context.policies = policy_holder_new(policy);
    world->session = milter_session_new(&world->context, mta);
    return world->session;
}

/* Ends it; returns the events, an array. */
static inline json_t *
session_world_end(SessionWorld *world)
{
    g_autofree char *text = NULL;
    milter_session_free(world->session);
    event_log_close(world->context.events, G_USEC_PER_SEC);
    joins_free(world->context.joins);
    policy_holder_free(world->context.policies);
    filter_states_free(world->context.filters);
    assert_true(g_file_get_contents(world->events, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strstrip(text), "\n", -1);
    json_t *events = json_array();
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        json_t *event = json_loads(*line, 0, NULL);
        assert_non_null(event);
        json_array_append_new(events, event);
    }
    return events;
}

static inline const char *
text_of(const json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}
