/*
 * shares: names, and how much of a whole each has.
 */
#include "replyctl/shares.h"

#include <stdio.h>
#include <string.h>

#include "replyctl/screen.h"

GArray *
shares_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(Share));
}

void
shares_add(GArray *shares, const char *name, guint64 count)
{
    const Share share = {name, count};
    if (count == 0)
        return;
    for (guint i = 0; i < shares->len; i++)
        if (strcmp(g_array_index(shares, Share, i).name, name) == 0) {
            g_array_index(shares, Share, i).count += count;
            return;
        }
    g_array_append_val(shares, share);
}

guint64
shares_sum(const GArray *shares)
{
    guint64 sum = 0;
    for (guint i = 0; i < shares->len; i++)
        sum += g_array_index(shares, Share, i).count;
    return sum;
}

static gint
compare(gconstpointer a, gconstpointer b)
{
    const Share *one = a, *two = b;
    if (one->count != two->count)
        return one->count > two->count ? -1 : 1;
    return strcmp(one->name, two->name);
}

static void
print_share(guint64 count, guint64 sum, const char *name)
{
    printf("  %9" G_GUINT64_FORMAT "  %5.1f %%  %s\n", count, 100.0 * (double)count / (double)sum,
           name);
}

void
shares_print(const char *heading, GArray *shares, guint most)
{
    guint64 sum = shares_sum(shares), shown = 0;
    if (sum == 0)
        return;
    g_array_sort(shares, compare);
    screen_heading("%s", heading);
    /* One line for the last of them is no longer than one for "others". */
    guint count = most > 0 && shares->len > most + 1 ? most : shares->len;
    for (guint i = 0; i < count; i++) {
        const Share *share = &g_array_index(shares, Share, i);
        print_share(share->count, sum, share->name);
        shown += share->count;
    }
    if (count < shares->len)
        print_share(sum - shown, sum, "others");
}
