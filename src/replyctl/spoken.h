/*
 * spoken: what several commands say in the same words.
 *
 * Threads: main.
 */
#pragma once

#include "classify/classifier.h"
#include "policy/fact.h"

/* "RCPT", "end of message". Constant. */
const char *spoken_point(CheckPoint point);

/* Prints by what the classifier knew a reply, and what else the text names. */
void spoken_evidence(const Classification *cause);
