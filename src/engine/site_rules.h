/*
 * site_rules: classify.rules, which know better than the classifier what a reply means here.
 *
 * The first rule that matches decides the category and all that follows from it; as evidence stand
 * its id ("site:NAME") and the text. Provider, block list and time to come back stay the
 * classifier's. Pure; threads: any.
 */
#pragma once

#include "classify/classifier.h"
#include "policy/policy.h"

/* `cause` is what the classifier said of the subject. */
void site_rules_decide(const Policy *policy, const ClassifierSubject *subject,
                       Classification *cause);
