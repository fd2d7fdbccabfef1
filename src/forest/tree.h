/*
 * tree.h
 *	  The bytes of one tree: what a grower writes, what decoding reads.
 *
 * A tree is the list of its nodes in preorder; after a split comes its near
 * child (the one with more training rows), then the far one, so links need
 * not be stored and any well-formed list is a tree.  Per node:
 *
 *	  u8 flags
 *	  split:  u16 feature; then
 *			  numeric: u8 cut — left are the bins ≤ cut;
 *			  category: ceil(n_bins / 8) bytes — bit b set: bin b goes left.
 *	  leaf:	  varint cover — the training weight in it; then
 *			  TREE_PURE: u16 class; else
 *			  two classes: u32, P(class 1) × 2^30;
 *			  more: one u32 per class, P × 2^30;
 *			  regression: i64, fixed point of the schema.
 *
 * before them: u32 n_nodes, u32 depth (of the deepest leaf; root 0).  The
 * cover of a split is the sum of its leaves' covers.
 */
#ifndef CHURNOPS_FOREST_TREE_H
#define CHURNOPS_FOREST_TREE_H

#define TREE_LEAF 0x01
#define TREE_CATEGORY 0x02
#define TREE_NEAR_RIGHT 0x04	/* the near child is the right one */
#define TREE_MISSING_LEFT 0x08	/* missing values go left */
#define TREE_PURE 0x10			/* a leaf of one class */
#define TREE_FLAGS 0x1F

/* Fixed point of leaf probabilities: 1.0. */
#define TREE_ONE (UINT32_C(1) << 30)

/*
 * What forest_grower_result() gives: the importance of each feature in this
 * tree (f64, n_features of them, not normalised; Σ of impurity decreases, of
 * targets in units of the fixed point), then the tree's bytes.
 */

#endif
