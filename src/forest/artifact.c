/*
 * artifact.c
 *	  The frame of an artifact: header, sections, checksum.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/artifact.h"
#include "forest/forest.h"

/* Bytes summed up between two polls. */
#define CRC_STEP_BYTES ((size_t) 1 << 20)

Status
artifact_damaged(Failure *why, const char *what)
{
	return fail(why, STATUS_CORRUPT, "model is damaged: %s", what);
}

Status
artifact_crc(const Host *host, const uint8_t *bytes, size_t n_bytes, uint32_t *crc, Failure *why)
{
	*crc = 0;
	for (size_t done = 0; done < n_bytes;)
	{
		size_t		step = n_bytes - done;
		Status		status = host_poll(host, why);

		if (status != STATUS_OK)
			return status;
		if (step > CRC_STEP_BYTES)
			step = CRC_STEP_BYTES;
		*crc = bytes_crc32c(*crc, bytes + done, step);
		done += step;
	}
	return STATUS_OK;
}

static Status
unknown_format(Failure *why, const char *what, uint32_t number)
{
	Status		status = fail(why, STATUS_UNSUPPORTED, "model has an unknown %s %u", what,
							  (unsigned) number);

	fail_detail(why, "Models of format version %d and before are known.", FOREST_FORMAT_VERSION);
	fail_hint(why, "Use the version of the extension that made the model, or a later one.");
	return status;
}

/* Magic, checksum and version; *body is then what lies between header and checksum. */
static Status
read_frame(const Host *host, const uint8_t *bytes, size_t n_bytes, ByteReader *body, Failure *why)
{
	ByteReader	r;
	uint32_t	crc;
	uint16_t	version;
	uint16_t	flags;
	Status		status;

	if (n_bytes < ARTIFACT_HEADER_BYTES + ARTIFACT_CRC_BYTES ||
		memcmp(bytes, ARTIFACT_MAGIC, ARTIFACT_MAGIC_BYTES) != 0)
		return artifact_damaged(why, "it does not begin as a model does");
	status = artifact_crc(host, bytes, n_bytes - ARTIFACT_CRC_BYTES, &crc, why);
	if (status != STATUS_OK)
		return status;
	bytes_reader_begin(&r, bytes + n_bytes - ARTIFACT_CRC_BYTES, ARTIFACT_CRC_BYTES);
	if (bytes_get_u32(&r) != crc)
		return artifact_damaged(why, "its checksum is wrong");

	bytes_reader_begin(body, bytes, n_bytes - ARTIFACT_CRC_BYTES);
	(void) bytes_get(body, ARTIFACT_MAGIC_BYTES);
	version = bytes_get_u16(body);
	flags = bytes_get_u16(body);
	if (version == 0)
		return artifact_damaged(why, "its format version is 0");
	if (version > FOREST_FORMAT_VERSION)
		return unknown_format(why, "format version", version);
	if (flags != 0)
		return unknown_format(why, "flags", flags);
	return STATUS_OK;
}

static Status
read_sections(ByteReader *body, ByteReader *sections, Failure *why)
{
	uint32_t	last_id = 0;

	while (bytes_left(body) > 0)
	{
		uint32_t	id = bytes_get_u32(body);
		uint32_t	n_bytes = bytes_get_u32(body);
		const uint8_t *bytes = bytes_get(body, n_bytes);

		if (body->failed || id <= last_id)
			return artifact_damaged(why, "its sections are malformed");
		last_id = id;
		if (id <= ARTIFACT_N_SECTIONS)
			bytes_reader_begin(&sections[id], bytes, n_bytes);
		else if ((id & ARTIFACT_OPTIONAL) == 0)
			return unknown_format(why, "section", id);
	}
	for (uint32_t id = 1; id <= ARTIFACT_N_REQUIRED; id++)
		if (sections[id].bytes == NULL)
			return artifact_damaged(why, "a section is missing");
	return STATUS_OK;
}

Status
artifact_open(const Host *host, const uint8_t *bytes, size_t n_bytes,
			  ByteReader sections[ARTIFACT_N_SECTIONS + 1], Failure *why)
{
	ByteReader	body;
	Status		status = read_frame(host, bytes, n_bytes, &body, why);

	if (status != STATUS_OK)
		return status;
	memset(sections, 0, (ARTIFACT_N_SECTIONS + 1) * sizeof(ByteReader));
	return read_sections(&body, sections, why);
}
