/*
 * site_rules: classify.rules, which know better than the classifier what a reply means here.
 *
 * The first rule that matches decides the category and all that follows from it; as evidence stand
 * its id ("site:NAME") and the text. Provider, block list and time to come back stay the
 * classifier's. Pure; threads: any.
 */
#pragma once

#include "classify/bounce.h"
#include "policy/policy.h"

/* `cause` is what the classifier said of the subject. NULL policy: there are no rules. */
void site_rules_decide(const Policy *policy, const ClassifierSubject *subject,
                       Classification *cause);

/* The same for what a report says of a recipient; only failures and delays mean anything else
 * here. */
void site_rules_decide_recipient(const Policy *policy, const BounceRecipient *recipient,
                                 Classification *cause);
