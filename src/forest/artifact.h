/*
 * artifact.h
 *	  The frame of an artifact: what its writer and its reader share beside
 *	  schema.h and tree.h.  docs/model-format.md describes all bytes.
 *
 *	  8 bytes magic, u16 format version, u16 flags (0); the sections; u32
 *	  CRC-32C of everything before it.  A section is u32 id, u32 length and its
 *	  bytes; ids ascend.  A reader skips a section it does not know if its id
 *	  has ARTIFACT_OPTIONAL, and refuses the artifact otherwise.
 */
#ifndef CHURNOPS_FOREST_ARTIFACT_H
#define CHURNOPS_FOREST_ARTIFACT_H

#include "core/bytes.h"

#define ARTIFACT_MAGIC "ChurnOps"
#define ARTIFACT_MAGIC_BYTES 8
#define ARTIFACT_HEADER_BYTES 12
#define ARTIFACT_CRC_BYTES 4
#define ARTIFACT_OPTIONAL UINT32_C(0x80000000)

typedef enum ArtifactSection
{
	ARTIFACT_FOREST = 1,		/* u32 algorithm version, u32 n_trees */
	ARTIFACT_SCHEMA = 2,		/* schema_put() */
	ARTIFACT_TREES = 3,			/* per tree u32 length and the bytes of tree.h */
	ARTIFACT_CALIBRATION = 4	/* calibration.h; only of models that are calibrated */
} ArtifactSection;

#define ARTIFACT_N_SECTIONS 4
#define ARTIFACT_N_REQUIRED 3	/* the first of them */

/* STATUS_CORRUPT with a reason; for all who read artifacts. */
extern Status artifact_damaged(Failure *why, const char *what);

/* The checksum of an artifact's bytes; polls the host. */
extern Status artifact_crc(const Host *host, const uint8_t *bytes, size_t n_bytes, uint32_t *crc,
						   Failure *why);

/*
 * Check the frame of an artifact and set readers, by section id, on the
 * sections; they point into bytes.
 * That of a section which is not there has no bytes (NULL).
 */
extern Status artifact_open(const Host *host, const uint8_t *bytes, size_t n_bytes,
							ByteReader sections[ARTIFACT_N_SECTIONS + 1], Failure *why);

#endif
