/*
 * status_screen: how the daemon is (replymilter(8), CONTROL), for people.
 */
#pragma once

#include <jansson.h>

/* What is not in it is left out. */
void status_screen_show(const json_t *status);
