/*
 * document.c
 *	  The tree of a YAML text.
 */
#include <string.h>

#include "core/memory.h"
#include "spec/document.h"

Status
spec_document_new(const Host *host, SpecDocument **out, Failure *why)
{
	Status		status = memory_new(host, 1, sizeof(SpecDocument), out, why);

	if (status != STATUS_OK)
		return status;
	(*out)->host = host;
	(*out)->root = SPEC_NONE;
	return STATUS_OK;
}

void
spec_document_free(SpecDocument *document)
{
	const Host *host;

	if (document == NULL)
		return;
	host = document->host;
	memory_free(host, document->nodes, document->nodes_capacity, sizeof(SpecNode));
	memory_free(host, document->places, document->places_capacity, sizeof(uint32_t));
	memory_free(host, document->texts, document->texts_capacity, 1);
	memory_free(host, document, 1, sizeof(SpecDocument));
}

Status
spec_node_new(SpecDocument *document, SpecKind kind, uint32_t line, uint32_t column,
			  uint32_t *out, Failure *why)
{
	size_t		n = document->n_nodes;
	Status		status = memory_grow(document->host, &document->nodes, &document->nodes_capacity,
									 n + 1, sizeof(SpecNode), why);

	if (status != STATUS_OK)
		return status;
	document->nodes[n] = (SpecNode) {.kind = kind, .line = line, .column = column, .n_nodes = 1};
	document->n_nodes = n + 1;
	*out = (uint32_t) n;
	return STATUS_OK;
}

Status
spec_node_text(SpecDocument *document, uint32_t node, const char *text, size_t n_bytes,
			   Failure *why)
{
	size_t		begin = document->n_texts;
	Status		status = memory_grow(document->host, &document->texts, &document->texts_capacity,
									 begin + n_bytes + 1, 1, why);

	if (status != STATUS_OK)
		return status;
	memcpy(document->texts + begin, text, n_bytes);
	document->texts[begin + n_bytes] = '\0';
	document->n_texts = begin + n_bytes + 1;
	document->nodes[node].text = begin;
	document->nodes[node].n_bytes = n_bytes;
	return STATUS_OK;
}

Status
spec_node_children(SpecDocument *document, uint32_t node, const uint32_t *children, size_t n,
				   Failure *why)
{
	size_t		begin = document->n_places;
	SpecNode   *parent;
	Status		status = memory_grow(document->host, &document->places, &document->places_capacity,
									 begin + n, sizeof(uint32_t), why);

	if (status != STATUS_OK)
		return status;
	if (n > 0)
		memcpy(document->places + begin, children, n * sizeof(uint32_t));
	document->n_places = begin + n;
	parent = &document->nodes[node];
	parent->first = (uint32_t) begin;
	parent->n = (uint32_t) (parent->kind == SPEC_MAP ? n / 2 : n);
	for (size_t i = 0; i < n; i++)
	{
		const SpecNode *child = &document->nodes[children[i]];

		if (child->height >= parent->height)
			parent->height = child->height + 1;
		/* no sum of what is allowed overflows; more is refused when it is complete */
		if (parent->n_nodes <= SPEC_MAX_NODES)
			parent->n_nodes += child->n_nodes;
	}
	return STATUS_OK;
}

const char *
spec_text(const SpecDocument *document, uint32_t node)
{
	return document->texts + document->nodes[node].text;
}

uint32_t
spec_item(const SpecDocument *document, uint32_t node, uint32_t i)
{
	return document->places[document->nodes[node].first + i];
}

uint32_t
spec_pair_key(const SpecDocument *document, uint32_t node, uint32_t i)
{
	return document->places[document->nodes[node].first + 2 * i];
}

uint32_t
spec_pair_value(const SpecDocument *document, uint32_t node, uint32_t i)
{
	return document->places[document->nodes[node].first + 2 * i + 1];
}

uint32_t
spec_get(const SpecDocument *document, uint32_t node, const char *key)
{
	if (node == SPEC_NONE || document->nodes[node].kind != SPEC_MAP)
		return SPEC_NONE;
	for (uint32_t i = 0; i < document->nodes[node].n; i++)
		if (strcmp(spec_text(document, spec_pair_key(document, node, i)), key) == 0)
			return spec_pair_value(document, node, i);
	return SPEC_NONE;
}
