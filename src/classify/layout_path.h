/*
 * layout_path: a report without fields -> its recipients, by the layout of the MTA that wrote it.
 */
#pragma once

#include "classify/bounce_reading.h"

/* Adds the recipients to the bounce; FALSE if no layout fits. */
gboolean layout_path_read(BounceReading *reading);
