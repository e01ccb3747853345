/*
 * classify_lines: one reply a line on standard input, one JSON object a line on standard output.
 *
 * For measuring rules while they are written: classify_lines FILE... or < FILE. With --time it
 * prints, instead, what one classification costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "classify/classifier.h"

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
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void
classify(const Classifier *classifier, const char *line, Classification *result)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse(line, -1);
    ClassifierSubject subject = {.reply = reply};
    classifier_reply(classifier, &subject, result);
}

static void
print_line(const Classifier *classifier, const char *line, guint number)
{
    Classification result;
    classify(classifier, line, &result);
    printf("{\"line\": %u, \"permanent\": %s", number, result.permanent ? "true" : "false");
    print_string("category", category_info(result.category)->name);
    print_string("action", action_name(result.action));
    print_string("confidence", confidence_name(result.confidence));
    print_string("rule", result.rule);
    print_string("match", result.match);
    print_string("provider", result.provider);
    print_string("dnsbl", result.dnsbl);
    if (result.retry_after >= 0)
        printf(", \"retry_after\": %" G_GINT64_FORMAT, result.retry_after);
    puts("}");
    classification_clear(&result);
}

/* Microseconds of the processor, whatever else the machine does. */
static double
cpu_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
print_time(const Classifier *classifier, GPtrArray *lines)
{
    enum { ROUNDS = 100 };
    double before = cpu_time();
    for (guint round = 0; round < ROUNDS; round++) {
        for (guint i = 0; i < lines->len; i++) {
            Classification result;
            classify(classifier, lines->pdata[i], &result);
            classification_clear(&result);
        }
    }
    printf("%.2f us a reply\n", (cpu_time() - before) / ROUNDS / lines->len);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    double before = cpu_time();
    g_autoptr(Classifier) classifier = classifier_new(&error);
    if (classifier == NULL) {
        fprintf(stderr, "classify_lines: %s\n", error->message);
        return EXIT_FAILURE;
    }
    gboolean timing = argc > 1 && strcmp(argv[1], "--time") == 0;
    if (timing)
        printf("%.0f ms to load\n", (cpu_time() - before) / 1000);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(free);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        g_ptr_array_add(lines, line);
        line = NULL;
        size = 0;
    }
    free(line);
    if (timing && lines->len > 0)
        print_time(classifier, lines);
    for (guint i = 0; !timing && i < lines->len; i++)
        print_line(classifier, lines->pdata[i], i + 1);
    return EXIT_SUCCESS;
}
