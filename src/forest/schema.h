/*
 * schema.h
 *	  What a forest knows about its features, classes and target: the part of
 *	  a model that encodes rows, shared by training and scoring so that the
 *	  two cannot disagree.
 *
 * A row of p features becomes p bytes, its bins.  A numeric bin b holds the
 * values x with cuts[b-1] < x ≤ cuts[b] (bin = number of cuts below x); a
 * category is its position in the dictionary, the most frequent first; the
 * others share one bin, OTHER, if there are any in training.  A missing value
 * is FOREST_MISSING.  A category unseen in training is OTHER, or missing
 * where training had no OTHER.
 */
#ifndef CHURNOPS_FOREST_SCHEMA_H
#define CHURNOPS_FOREST_SCHEMA_H

#include "core/bytes.h"
#include "core/cpu.h"
#include "forest/forest.h"

/* A category, or a class label: NUL-terminated, n_bytes without the NUL. */
typedef struct ForestText
{
	char	   *bytes;
	uint32_t	n_bytes;
} ForestText;

typedef struct ForestFeature
{
	ForestText	name;
	ForestKind	kind;
	uint32_t	n_bins;			/* bins of values, 1 … 255; missing not counted */
	double	   *cuts;			/* n_bins − 1, strictly increasing; NULL for categories */
	double	   *table;			/* of a model: the cuts as search.c wants them; else NULL */
	ForestText *categories;		/* n_categories, by code; NULL for numbers */
	uint32_t	n_categories;
	bool		has_other;		/* then code n_categories is OTHER, and n_bins one more */
	uint16_t   *slots;			/* hash table over categories: code + 1, 0 empty */
	uint32_t	n_slots;		/* a power of two, or 0 */
	double		importance;		/* MDI; filled when the forest is assembled */
} ForestFeature;

typedef struct ForestSchema
{
	ForestTask	task;
	uint32_t	n_features;
	ForestFeature *features;
	uint32_t	n_classes;		/* 0 for regression */
	ForestText *classes;		/* in class order */

	/*
	 * Regression: a fixed-point value v stands for offset + v × 2^−shift
	 * (shift may be negative).
	 */
	double		target_offset;
	int32_t		target_shift;
} ForestSchema;

extern void schema_free(const Host *host, ForestSchema *schema);

/* Copy bytes into a ForestText. */
extern Status schema_text(const Host *host, const char *bytes, size_t n_bytes, ForestText *out,
						  Failure *why);

/* Build the hash table of a feature whose categories are filled. */
extern Status schema_index_categories(const Host *host, ForestFeature *feature, Failure *why);

/* The bin of a value. */
extern uint8_t schema_encode(const ForestFeature *feature, const ForestCell *cell);
extern uint8_t schema_encode_number(const ForestFeature *feature, double number);

/* The bins of n numbers of a model's features: of numbers[i] into row[features[i]]. */
extern void schema_encode_numbers(const ForestSchema *schema, const uint16_t *features,
								  const double *numbers, uint32_t n, CpuLevel level,
								  uint8_t *row);

/* The table that schema_encode_numbers() needs, made of the cuts. */
extern Status search_table(const Host *host, ForestFeature *feature, Failure *why);
extern size_t search_table_bytes(const ForestFeature *feature);
extern void search_table_free(const Host *host, ForestFeature *feature);

/* The artifact's form, docs/model-format.md; get checks everything. */
extern void schema_put(ByteWriter *w, const ForestSchema *schema);
extern Status schema_get(ByteReader *r, const Host *host, ForestSchema *out, Failure *why);

/* Bytes that a schema holds, beside the struct itself. */
extern size_t schema_bytes(const ForestSchema *schema);

#endif
