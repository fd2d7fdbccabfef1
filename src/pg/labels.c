/*
 * labels.c
 *	  Finding a model's class by its label.
 */
#include "postgres.h"

#include "pg/labels.h"

static int
compare_bytes(const char *a, size_t n_a, const char *b, size_t n_b)
{
	int			order = memcmp(a, b, Min(n_a, n_b));

	return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

static int
compare_entries(const void *a, const void *b)
{
	const LabelEntry *x = a;
	const LabelEntry *y = b;

	return compare_bytes(x->label, x->n_bytes, y->label, y->n_bytes);
}

void
labels_init(Labels *labels, const ForestModel *forest)
{
	labels->n_classes = (int) forest_model_n_classes(forest);
	labels->entries = palloc(sizeof(LabelEntry) * Max(labels->n_classes, 1));
	labels->last = NULL;
	for (int i = 0; i < labels->n_classes; i++)
	{
		labels->entries[i].label = forest_model_class_label(forest, i);
		labels->entries[i].n_bytes = strlen(labels->entries[i].label);
		labels->entries[i].class_index = i;
	}
	qsort(labels->entries, labels->n_classes, sizeof(LabelEntry), compare_entries);
}

int
labels_find(Labels *labels, const char *label, size_t n_bytes)
{
	LabelEntry	wanted = {.label = label, .n_bytes = n_bytes};
	const LabelEntry *found = labels->last;

	if (found == NULL || compare_entries(found, &wanted) != 0)
		found = bsearch(&wanted, labels->entries, labels->n_classes, sizeof(LabelEntry),
						compare_entries);
	if (found == NULL)
		return -1;
	labels->last = found;
	return found->class_index;
}
