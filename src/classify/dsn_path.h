/*
 * dsn_path: a delivery status notification -> its recipients.
 *
 * Action says what happened; where it is missing, the class of the status and the text do. What a
 * failure's text is comes from Diagnostic-Code, and where that says little from the comment in
 * Status, the layout, and the lines near the address, in this order. Fields that stand in a text
 * part count if no person wrote the mail.
 */
#pragma once

#include "classify/bounce_reading.h"

/* Adds the recipients to the bounce; FALSE if the mail has no such report. */
gboolean dsn_path_read(BounceReading *reading);
