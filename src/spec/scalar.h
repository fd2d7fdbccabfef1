/*
 * scalar.h
 *	  What a scalar is, by YAML 1.2's core schema.  Private to src/spec.
 */
#ifndef CHURNOPS_SPEC_SCALAR_H
#define CHURNOPS_SPEC_SCALAR_H

#include "core/bytes.h"
#include "spec/spec.h"

/* Numbers longer than this are texts to nobody's surprise. */
#define SPEC_NUMBER_BYTES 100

typedef struct SpecScalar
{
	SpecKind	kind;
	bool		boolean;
	double		number;
} SpecScalar;

/* Resolve a plain scalar, NUL-terminated. */
extern SpecScalar spec_resolve(const char *text);

/* An integer of several digits that begins with 0: octal in YAML 1.1, decimal in 1.2. */
extern bool spec_is_ambiguous(const char *text);

/* A text that YAML 1.1 reads as a boolean: yes, no, on, off, y, n in any case. */
extern bool spec_is_old_boolean(const char *text);

/* True if a JSON number can hold the node's: finite, and not so small that it becomes 0. */
extern bool spec_number_fits(const SpecNode *node, const char *text);

/* Write the number, which fits, as JSON: the digits as given. */
extern void spec_put_number(ByteWriter *out, const SpecNode *node, const char *text);

#endif
