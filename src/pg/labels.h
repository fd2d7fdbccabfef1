/*
 * labels.h
 *	  Finding a model's class by its label.
 */
#ifndef CHURNOPS_PG_LABELS_H
#define CHURNOPS_PG_LABELS_H

#include "forest/forest.h"

typedef struct LabelEntry
{
	const char *label;			/* UTF-8 */
	size_t		n_bytes;
	int			class_index;
} LabelEntry;

typedef struct Labels
{
	int			n_classes;
	LabelEntry *entries;		/* in order of their bytes */
	const LabelEntry *last;		/* found last time, or NULL */
} Labels;

/* Made in the current memory context, over the model's own labels. */
extern void labels_init(Labels *labels, const ForestModel *forest);

/* The class of a label in UTF-8; -1 for a label that the model does not know. */
extern int	labels_find(Labels *labels, const char *label, size_t n_bytes);

#endif
