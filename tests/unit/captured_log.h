/*
 * captured_log: what the code under test says about itself.
 *
 * Include after test_support.h. Between begin and end standard error is a file: a check that fails
 * in between is not seen, so check behind it. Never twice at once.
 */
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/log.h"

static int captured_log_kept = -1;

static inline void
captured_log_begin(void)
{
    int file = memfd_create("captured log", MFD_CLOEXEC);
    log_open(LOG_TO_STDERR, "test", "mail");
    captured_log_kept = dup(STDERR_FILENO);
    assert_true(file >= 0 && captured_log_kept >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    (void)close(file);
}

/* All lines since captured_log_begin(), each with its newline. The caller frees them. */
static inline char *
captured_log_end(void)
{
    struct stat status;
    int file = dup(STDERR_FILENO);
    assert_int_equal(dup2(captured_log_kept, STDERR_FILENO), STDERR_FILENO);
    (void)close(captured_log_kept);
    log_open((LogTarget)0, "test", "mail");
    assert_int_equal(fstat(file, &status), 0);
    char *lines = g_malloc0((gsize)status.st_size + 1);
    assert_int_equal(pread(file, lines, (size_t)status.st_size, 0), status.st_size);
    (void)close(file);
    return lines;
}
