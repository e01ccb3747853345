/*
 * classify_mails: mails as files -> one JSON object a recipient on standard output, with the fields
 * of `replyctl classify --json`.
 *
 * For measuring rules and layouts while they are written: classify_mails FILE...
 */
#include <stdio.h>
#include <stdlib.h>

#include "classify/bounce.h"

static void
print_string(const char *key, const char *text)
{
    printf(", \"%s\": ", key);
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((guchar)*text < ' ')
            printf("\\u%04x", (guint)(guchar)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void
print_mail(const char *file, const Bounce *bounce)
{
    g_autofree char *base = g_path_get_basename(file);
    printf("{\"v\": 1");
    print_string("file", base);
    print_string("layout", bounce->layout);
    print_string("reporting_mta", bounce->reporting_mta);
    print_string("message_id", bounce->message_id);
    print_string("original_sender", bounce->original_sender);
}

static void
print_recipient(const char *file, const Bounce *bounce, const BounceRecipient *recipient)
{
    const Classification *result = &recipient->classification;
    char status[ENHANCED_STATUS_TEXT_SIZE];
    print_mail(file, bounce);
    print_string("kind", mail_kind_name(recipient->kind));
    print_string("recipient", recipient->recipient);
    print_string("status", enhanced_status_format(recipient->reply->status, status));
    print_string("category", category_info(result->category)->name);
    print_string("action", action_name(result->action));
    print_string("confidence", confidence_name(result->confidence));
    print_string("text", recipient->text);
    print_string("remote_mta", recipient->remote_mta);
    print_string("rule", result->rule);
    print_string("match", result->match);
    printf(", \"code\": %u, \"weight\": %u, \"permanent\": %s}\n", recipient->reply->code,
           result->weight, result->permanent ? "true" : "false");
}

static gboolean
classify(const Classifier *classifier, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *octets = NULL;
    gsize length;
    if (!g_file_get_contents(file, &octets, &length, &error)) {
        fprintf(stderr, "classify_mails: %s\n", error->message);
        return FALSE;
    }
    g_autoptr(MimeView) view = mime_view_new(octets, length, &mime_limits_default);
    g_autoptr(Bounce) bounce = bounce_read(classifier, view);
    for (guint i = 0; i < bounce->recipients->len; i++)
        print_recipient(file, bounce, g_ptr_array_index(bounce->recipients, i));
    if (bounce->recipients->len == 0) {
        print_mail(file, bounce);
        print_string("kind", mail_kind_name(bounce->kind));
        puts("}");
    }
    return TRUE;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Classifier) classifier = classifier_new(&error);
    gboolean done = TRUE;
    if (classifier == NULL) {
        fprintf(stderr, "classify_mails: %s\n", error->message);
        return EXIT_FAILURE;
    }
    mime_view_init();
    for (int i = 1; i < argc; i++)
        done = classify(classifier, argv[i]) && done;
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
