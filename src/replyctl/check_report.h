/*
 * check_report: what a good policy makes the MTA do, and where its rules and checks speak.
 */
#pragma once

#include "policy/policy.h"

void check_report_print(const Policy *policy);

/* Warns, on standard error, of rules that can match nowhere. */
void check_report_warn(const Policy *policy);
