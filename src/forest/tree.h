/*
 * tree.h
 *	  The bytes of one tree: what a grower writes, what decoding reads, and what
 *	  the first rows are scored on as it is.
 *
 * u32 n_words, u32 depth (of the deepest leaf; root 0), then n_words words of
 * 32 bits, then values, then covers.
 *
 * The words are the tree's nodes in preorder: after a split comes its near
 * child (the one with more training rows), then the far one.
 *
 *	  leaf:	  TREE_LEAF and, in the other 31 bits,
 *			  two classes: P(class 1) × 2^30;
 *			  more: the class of a leaf of one class, else the number of classes
 *			  + its row of values;
 *			  regression: its place among the values.
 *	  split:  from the lowest bit: TREE_MISSING_LEFT, 8 bits of cut,
 *			  TREE_NEAR_RIGHT, 11 bits of feature, 10 bits of skip: how many
 *			  words the near child has with all below it.  If that is above
 *			  TREE_MAX_SKIP, skip is 0 and the next word holds it.
 *			  numeric: left are the bins ≤ cut;
 *			  category: cut is 0; ceil(n_bins / 32) words follow — bit b % 32 of
 *			  word b / 32 set: bin b goes left.
 *
 * Values are in the order of the leaves that have them: of more than two
 * classes one u32 per class, P × 2^30; of regression an i64, fixed point of the
 * schema; of two classes none.
 *
 * Covers: a varint for each leaf, in order: the training weight in it.
 */
#ifndef CHURNOPS_FOREST_TREE_H
#define CHURNOPS_FOREST_TREE_H

#include <stdint.h>

#define TREE_HEADER_BYTES 8
#define TREE_WORD_BYTES 4

#define TREE_LEAF UINT32_C(0x80000000)
#define TREE_MISSING_LEFT 0x001 /* missing values go left */
#define TREE_CUT_SHIFT 1
#define TREE_CUT 0xFF			/* once shifted */
#define TREE_TEST 0x1FF			/* both of these */
#define TREE_NEAR_RIGHT 0x200	/* the near child is the right one */
#define TREE_FEATURE_SHIFT 10
#define TREE_FEATURE 0x7FF		/* once shifted */
#define TREE_SKIP_SHIFT 21
#define TREE_MAX_SKIP 0x3FF		/* once shifted */

/* Fixed point of leaf probabilities: 1.0. */
#define TREE_ONE (UINT32_C(1) << 30)

static inline uint32_t
tree_word(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

/* Words of the set of a split of a category. */
static inline uint32_t
tree_set_words(uint32_t n_bins)
{
	return (n_bins + 31) / 32;
}

/*
 * What forest_grower_result() gives: the importance of each feature in this
 * tree (f64, n_features of them, not normalised; Σ of impurity decreases, of
 * targets in units of the fixed point), then the tree's bytes.
 */

#endif
