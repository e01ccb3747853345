/*
 * chance: unpredictable bits, fetched from the kernel in bulk.
 */
#include "server/chance.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"

static void
refill(Chance *chance)
{
    char *bytes = (char *)chance->words;
    size_t have = 0;

    while (have < sizeof chance->words) {
        ssize_t got = getrandom(bytes + have, sizeof chance->words - have, 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (errno != EINTR) {
            /* References that can be guessed would be worse than no daemon. */
            log_error("no random bits from the kernel: %s", g_strerror(errno));
            abort();
        }
    }
    chance->left = CHANCE_WORDS;
}

guint64
chance_next(Chance *chance)
{
    if (chance->left == 0)
        refill(chance);
    chance->left--;
    guint64 word = chance->words[chance->left];
    chance->words[chance->left] = 0;
    return word;
}
