/*
 * row_memo.h
 *	  Bins of texts that a column had before.
 *
 * Most columns of categories have few and short values.  A text of up to
 * sixteen bytes is two words and a length, whose comparison takes no loop and
 * no guess; looking it up in the model's dictionary takes some of both.
 */
#ifndef CHURNOPS_PG_ROW_MEMO_H
#define CHURNOPS_PG_ROW_MEMO_H

#define ROW_MEMO_BYTES 16		/* of a text, at most */
#define ROW_MEMO_SET_BITS 5
#define ROW_MEMO_ENTRIES (2 << ROW_MEMO_SET_BITS)	/* two to a set */

typedef struct RowMemoText
{
	uint64		first;
	uint64		last;
	uint32		n_bytes;
} RowMemoText;

typedef struct RowMemoEntry
{
	uint64		first;
	uint64		last;
	uint32		n_bytes_1;		/* one more than the text has; 0: the entry is free */
	uint8		bin;
} RowMemoEntry;

/* All 0 is an empty one. */
typedef struct RowMemo
{
	RowMemoEntry entries[ROW_MEMO_ENTRIES];
} RowMemo;

/* With their number, these say which bytes there are. */
static inline RowMemoText
row_memo_text(const char *text, size_t n_bytes)
{
	RowMemoText key = {.n_bytes = (uint32) n_bytes};
	const uint8 *bytes = (const uint8 *) text;
	uint32		low;
	uint32		high;

	Assert(n_bytes <= ROW_MEMO_BYTES);
	if (n_bytes >= sizeof(key.first))
	{
		memcpy(&key.first, text, sizeof(key.first));
		memcpy(&key.last, text + n_bytes - sizeof(key.last), sizeof(key.last));
	}
	else if (n_bytes >= sizeof(low))
	{
		memcpy(&low, text, sizeof(low));
		memcpy(&high, text + n_bytes - sizeof(high), sizeof(high));
		key.first = (uint64) high << 32 | low;
	}
	else if (n_bytes > 0)
		key.first = bytes[0] | (uint64) bytes[n_bytes / 2] << 8 | (uint64) bytes[n_bytes - 1] << 16;
	return key;
}

/* The first of the two entries where a text may be. */
static inline RowMemoEntry *
row_memo_set(RowMemo *memo, RowMemoText key)
{
	const uint64 multiplier = UINT64CONST(0x9E3779B97F4A7C15);
	uint64		hash = (key.first ^ key.last * multiplier ^ key.n_bytes) * multiplier;

	return &memo->entries[hash >> (64 - ROW_MEMO_SET_BITS) << 1];
}

static inline bool
row_memo_is(const RowMemoEntry *entry, RowMemoText key)
{
	return ((entry->first ^ key.first) | (entry->last ^ key.last) |
			(entry->n_bytes_1 ^ (key.n_bytes + 1))) == 0;
}

/* The bin of a text, or -1. */
static inline int
row_memo_find(RowMemo *memo, RowMemoText key)
{
	const RowMemoEntry *set = row_memo_set(memo, key);
	bool		second = row_memo_is(&set[1], key);

	return second || row_memo_is(&set[0], key) ? set[second].bin : -1;
}

/* In place of the one of its set that came first. */
static inline void
row_memo_put(RowMemo *memo, RowMemoText key, uint8 bin)
{
	RowMemoEntry *set = row_memo_set(memo, key);

	set[0] = set[1];
	set[1] = (RowMemoEntry) {key.first, key.last, key.n_bytes + 1, bin};
}

#endif
