/*
 * document.h
 *	  Building documents.  Private to src/spec.
 *
 * The children of a node lie side by side in `places`, so they are collected
 * elsewhere until the node is complete.
 */
#ifndef CHURNOPS_SPEC_DOCUMENT_H
#define CHURNOPS_SPEC_DOCUMENT_H

#include "spec/spec.h"

extern Status spec_document_new(const Host *host, SpecDocument **out, Failure *why);

/* A new node at a place of the text, its number in *out. */
extern Status spec_node_new(SpecDocument *document, SpecKind kind, uint32_t line, uint32_t column,
							uint32_t *out, Failure *why);

/* Give a node its text, copied. */
extern Status spec_node_text(SpecDocument *document, uint32_t node, const char *text,
							 size_t n_bytes, Failure *why);

/* Give a list or a mapping its children: items, or keys and values in turn. */
extern Status spec_node_children(SpecDocument *document, uint32_t node, const uint32_t *children,
								 size_t n, Failure *why);

#endif
