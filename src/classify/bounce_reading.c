/*
 * bounce_reading: the parts of a reading that are made on demand.
 */
#include "classify/bounce_reading.h"

/* Times that the report's text is searched: a recipient takes two at most. */
#define MOST_LOOKUPS 400

void
bounce_reading_init(BounceReading *reading, const Classifier *classifier, const MimeView *view,
                    Bounce *bounce)
{
    *reading = (BounceReading){
        .classifier = classifier,
        .view = view,
        .bounce = bounce,
    };
    failure_reader_init(&reading->failures, classifier);
}

void
bounce_reading_clear(BounceReading *reading)
{
    failure_reader_clear(&reading->failures);
    report_text_free(reading->text);
    layout_reading_free(reading->layout);
}

const ReportText *
bounce_reading_text(BounceReading *reading)
{
    if (reading->text == NULL)
        reading->text = report_text_new(reading->view);
    return reading->text;
}

gboolean
bounce_reading_is_from_system(BounceReading *reading)
{
    const Layouts *layouts = classifier_layouts(reading->classifier);
    return layouts != NULL && layouts_sender_is_system(layouts, reading->view->header);
}

const LayoutReading *
bounce_reading_layout(BounceReading *reading)
{
    const Layouts *layouts = classifier_layouts(reading->classifier);
    if (!reading->layout_read && layouts != NULL)
        reading->layout = layout_read(layouts, reading->view);
    reading->layout_read = TRUE;
    return reading->layout;
}

gboolean
bounce_reading_may_look(BounceReading *reading)
{
    return reading->lookups++ < MOST_LOOKUPS;
}

void
bounce_reading_add_near(BounceReading *reading, Failure *failure, const char *address)
{
    if (*address == '\0' || !bounce_reading_may_look(reading))
        return;
    g_autoptr(GPtrArray) entries = report_text_near(bounce_reading_text(reading), address);
    for (guint i = 0; i < entries->len; i++)
        failure_add_prose(failure, g_ptr_array_index(entries, i));
}

gboolean
bounce_reading_take(BounceReading *reading, BounceRecipient *recipient)
{
    GPtrArray *recipients = reading->bounce->recipients;
    gboolean room = recipients->len < BOUNCE_MAX_RECIPIENTS;
    if (room)
        g_ptr_array_add(recipients, recipient);
    else
        bounce_recipient_free(recipient);
    reading->bounce->truncated = reading->bounce->truncated || !room;
    return room;
}
