/*
 * explain_json: an explanation as one JSON object on standard output.
 */
#pragma once

#include "replyctl/explain.h"

void explain_json_print(const Explanation *explanation);
