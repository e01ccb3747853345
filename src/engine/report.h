/*
 * report: what a mail that reports something (a bounce, feedback, an automatic answer) means here.
 *
 * The classifier has read it (classify/bounce.h); the site's rules may overrule what it makes of a
 * recipient, and a report that shows no proof may not have an address given up: what would be
 * `suppress` or `correct-address` is then `review` (bounces.trust). Pure; threads: any, each with
 * its own Decision.
 */
#pragma once

#include "engine/decision.h"
#include "engine/facts.h"
#include "engine/proof.h"

/* Is a mail read for what it reports? That of the null sender is, and that of those who take
 * reports. `sender` NULL: not known. */
gboolean report_is_expected(const Policy *policy, const char *sender, gboolean takes_reports);

/* How many decisions a bounce needs: one a recipient, and one for a report that names nobody. 0:
 * not-a-bounce. */
guint report_count(const Bounce *bounce);

/*
 * Decides about recipient `index` of a report. `facts` are those of the mail that carries it;
 * `reported` gets what is known of the mail that it speaks of. That one borrows from `facts`,
 * `bounce` and `decision`: it is not cleared, and lives no longer than they do. `decision` has been
 * initialised and is the caller's to clear.
 */
void report_decide(const Policy *policy, const ReportWay *way, const Facts *facts,
                   const Bounce *bounce, guint index, Facts *reported, Decision *decision);

/* Adds a category's name to those of a report, each of which stands there once; NULL behind the
 * last. */
void report_categories_add(const char *categories[CATEGORY_COUNT + 1], Category category);

/* Of a mail that may have been a report and was not read as a whole, so that nobody knows. */
void report_decide_unread(const Facts *facts, ReportGap gap, Facts *reported, Decision *decision);
