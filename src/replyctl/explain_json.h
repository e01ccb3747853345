/*
 * explain_json: what a reply, a category or a pattern of digits means, as a JSON object.
 *
 * The caller owns what is returned. replyctl(1) describes the members.
 */
#pragma once

#include <jansson.h>

#include "replyctl/digit_mask.h"
#include "replyctl/meaning.h"

json_t *explain_json_meaning(const Meaning *meaning);
json_t *explain_json_category(Category category);
json_t *explain_json_mask(const DigitMask *mask);
json_t *explain_json_categories(void);
