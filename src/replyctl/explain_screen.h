/*
 * explain_screen: what a reply, a category or a pattern of digits means, for people.
 *
 * What it means and what to do about it stands first, the digits and sources last.
 */
#pragma once

#include "replyctl/digit_mask.h"
#include "replyctl/meaning.h"

/* `all`: each cause with what to do about it, also where there are many. */
void explain_screen_meaning(const Meaning *meaning, gboolean all);
void explain_screen_category(Category category, gboolean all);
void explain_screen_mask(const DigitMask *mask);

/* The name and the meaning of each. */
void explain_screen_categories(void);
