/*
 * spec_fixture.h
 *	  Checking a pipeline with names as the binding has them.
 */
#ifndef CHURNOPS_TEST_SPEC_FIXTURE_H
#define CHURNOPS_TEST_SPEC_FIXTURE_H

#include "spec/spec.h"

/* Some hyper-parameters and metrics. */
extern SpecNames spec_fixture_names(void);

/* Read and check a text and free what was made; the JSON is looked at and dropped. */
extern Status spec_fixture_check(const Host *host, const char *yaml, size_t n_bytes,
								 SpecProblems *problems, Failure *why);

/*
 * The JSON of a text, in memory of the program, or NULL with *problems or *why
 * filled.
 */
extern char *spec_fixture_json(const Host *host, const char *yaml, SpecProblems *problems,
							   Failure *why);

#endif
