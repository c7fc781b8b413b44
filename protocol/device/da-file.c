/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/device/da-layout.h"

/* The container's head. */
#define HEAD_BYTES    0x6CU
#define HEAD_MAGIC    "MTK_DOWNLOAD_AGENT"
#define HEAD_VERSION  0x20U
#define VERSION_BYTES 0x40U
#define HEAD_COUNT    0x68U

/* An entry: u16 numbers, then ten places of five u32 numbers; all little-endian. */
#define ENTRY_MAGIC  0xDADAU
#define ENTRY_BYTES  0xDCU
#define OLD_BYTES    0xD8U /* without sw_version and the word behind it */
#define REGION_BYTES 20U

#define NOR_TABLE_ADDRESS  0xF0000000U
#define NAND_TABLE_ADDRESS 0xF1000000U

struct da_file {
	int fd;
	uint64_t size;
	bool bare;
	char version[VERSION_BYTES + 1];
	struct da_entry *entries;
	size_t n_entries;
};

const char *da_generation_to_string(enum da_generation generation)
{
	static const char *const names[_DA_GENERATION_MAX] = {
		[DA_GENERATION_UNKNOWN] = "unknown",
		[DA_GENERATION_FEATURE_PHONE] = "feature-phone",
		[DA_GENERATION_IOT] = "iot",
		[DA_GENERATION_SMARTPHONE] = "smartphone",
	};

	return (size_t)generation < ARRAY_SIZE(names) ? names[generation] : "unknown";
}

const char *da_region_kind_to_string(enum da_region_kind kind)
{
	static const char *const names[_DA_REGION_KIND_MAX] = {
		[DA_REGION_OTHER] = "other",
		[DA_REGION_EMPTY] = "empty",
		[DA_REGION_EPP] = "epp",
		[DA_REGION_DA1] = "da1",
		[DA_REGION_DA2] = "da2",
		[DA_REGION_NOR_TABLE] = "nor-table",
		[DA_REGION_NAND_TABLE] = "nand-table",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "other";
}

/* ---- One entry ---- */

/* The head of an entry as both forms have it. */
struct entry_head {
	unsigned int first_region; /* the one that is started */
	unsigned int n_regions;
	size_t bytes; /* where the regions begin */
};

static int read_head(const uint8_t *p, bool old, size_t index, struct da_entry *entry,
		     struct entry_head *ret, char why[DA_WHY_SIZE])
{
	const uint8_t *rest = p + (old ? 8 : 12);
	struct entry_head head = {
		.first_region = get_le16(rest + 4),
		.n_regions = get_le16(rest + 6),
		.bytes = old ? 16 : 20,
	};

	if (get_le16(p) != ENTRY_MAGIC)
		return da_wrong(why, -EBADMSG, "entry %zu does not begin with DADA but with %04X",
				index, get_le16(p));
	entry->hw_code = get_le16(p + 2);
	entry->hw_sub = get_le16(p + 4);
	entry->hw_version = get_le16(p + 6);
	entry->sw_version = old ? 0 : get_le16(p + 8);
	entry->variant = get_le16(rest);
	entry->generation = da_generation_of(entry->hw_code);
	if (head.n_regions == 0 || head.n_regions > DA_ENTRY_REGIONS)
		return da_wrong(why, -EBADMSG, "entry %zu (chip %04X) has %u regions, not 1 to %u",
				index, entry->hw_code, head.n_regions, DA_ENTRY_REGIONS);
	if (head.first_region >= head.n_regions)
		return da_wrong(why, -EBADMSG,
				"entry %zu (chip %04X) starts region %u, and has only %u", index,
				entry->hw_code, head.first_region, head.n_regions);
	*ret = head;
	return 0;
}

static enum da_region_kind kind_of(const struct da_entry *entry, const struct da_region *region,
				   size_t index, size_t first)
{
	if (region->length == 0)
		return DA_REGION_EMPTY;
	if (region->load_address == NOR_TABLE_ADDRESS)
		return DA_REGION_NOR_TABLE;
	if (region->load_address == NAND_TABLE_ADDRESS)
		return DA_REGION_NAND_TABLE;
	if (index == first)
		return DA_REGION_DA1;
	if (index == first + 1)
		return DA_REGION_DA2;
	return entry->generation == DA_GENERATION_IOT && index == 0 ? DA_REGION_EPP
								    : DA_REGION_OTHER;
}

static int check_region(const struct da_file *file, const struct da_entry *entry,
			size_t entry_index, size_t index, char why[DA_WHY_SIZE])
{
	const struct da_region *region = &entry->regions[index];

	if (region->length == 0)
		return 0;
	if (!bytes_inside(file->size, region->offset, region->length))
		return da_wrong(why, -EBADMSG,
				"entry %zu (chip %04X), region %zu: 0x%x bytes at 0x%" PRIx64
				" go beyond the file's 0x%" PRIx64,
				entry_index, entry->hw_code, index, region->length, region->offset,
				file->size);
	if (region->signature_length > region->length)
		return da_wrong(why, -EBADMSG,
				"entry %zu (chip %04X), region %zu: a signature of 0x%x bytes in "
				"0x%x",
				entry_index, entry->hw_code, index, region->signature_length,
				region->length);
	if (!bytes_inside(UINT64_C(1) << 32, region->load_address, region->length))
		return da_wrong(why, -EBADMSG,
				"entry %zu (chip %04X), region %zu: 0x%x bytes at address %08X go "
				"beyond the 32-bit addresses",
				entry_index, entry->hw_code, index, region->length,
				region->load_address);
	return 0;
}

static int read_entry(const struct da_file *file, const uint8_t *p, bool old, size_t index,
		      struct da_entry *entry, char why[DA_WHY_SIZE])
{
	struct entry_head head = { 0 };
	int r = read_head(p, old, index, entry, &head, why);

	for (size_t i = 0; r >= 0 && i < head.n_regions; i++) {
		const uint8_t *q = p + head.bytes + i * REGION_BYTES;
		struct da_region *region = &entry->regions[i];

		/* The fourth number, where the signature begins, says nothing that these do not. */
		*region = (struct da_region){
			.offset = get_le32(q),
			.length = get_le32(q + 4),
			.load_address = get_le32(q + 8),
			.signature_length = get_le32(q + 16),
		};
		/* What else it says of nothing would be checked by nobody. */
		if (region->length == 0)
			*region = (struct da_region){ 0 };
		region->kind = kind_of(entry, region, i, head.first_region);
		r = check_region(file, entry, index, i, why);
	}
	if (r < 0)
		return r;
	entry->n_regions = head.n_regions;
	return 0;
}

/* ---- The container ---- */

static int read_table(struct da_file *file, const uint8_t *table, size_t size, bool old,
		      char why[DA_WHY_SIZE])
{
	size_t entry_bytes = old ? OLD_BYTES : ENTRY_BYTES;

	for (size_t i = 0; i < file->n_entries; i++) {
		int r;

		if (!bytes_inside(size, i * entry_bytes, entry_bytes))
			return da_wrong(why, -EBADMSG, "the file ends in entry %zu of %zu", i,
					file->n_entries);
		file->entries[i] = (struct da_entry){ 0 };
		r = read_entry(file, table + i * entry_bytes, old, i, &file->entries[i], why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The second entry tells the two forms apart; where there is but one, it fits only its own. */
static int read_entries(struct da_file *file, char why[DA_WHY_SIZE])
{
	size_t size = MIN_OF(file->size - HEAD_BYTES, file->n_entries * ENTRY_BYTES);
	_cleanup_free_ uint8_t *table = malloc(size + 1);
	char why_old[DA_WHY_SIZE];
	bool old;
	int r;

	file->entries = calloc(file->n_entries, sizeof(*file->entries));
	if (!table || !file->entries)
		return da_wrong(why, -ENOMEM, "out of memory");
	r = fd_pread_all(file->fd, table, size, HEAD_BYTES);
	if (r < 0)
		return da_wrong(why, r, "its entries cannot be read");
	if (file->n_entries > 1) {
		old = size >= ENTRY_BYTES + 2 && get_le16(table + ENTRY_BYTES) != ENTRY_MAGIC &&
		      get_le16(table + OLD_BYTES) == ENTRY_MAGIC;
		return read_table(file, table, size, old, why);
	}
	r = read_table(file, table, size, false, why);
	return r < 0 && read_table(file, table, size, true, why_old) >= 0 ? 0 : r;
}

static void set_version(struct da_file *file, const uint8_t *text)
{
	for (size_t i = 0; i < VERSION_BYTES && text[i]; i++)
		file->version[i] = text[i] >= 0x20 && text[i] < 0x7F ? (char)text[i] : '?';
}

static int read_container(struct da_file *file, const uint8_t head[HEAD_BYTES],
			  char why[DA_WHY_SIZE])
{
	uint32_t n = get_le32(head + HEAD_COUNT);

	if (n == 0 || n > DA_FILE_MAX_ENTRIES)
		return da_wrong(why, -EBADMSG, "its head counts %" PRIu32 " entries, not 1 to %u",
				n, DA_FILE_MAX_ENTRIES);
	file->n_entries = n;
	set_version(file, head + HEAD_VERSION);
	return read_entries(file, why);
}

static bool is_container(const uint8_t *head, size_t size)
{
	return size >= sizeof(HEAD_MAGIC) && memcmp(head, HEAD_MAGIC, sizeof(HEAD_MAGIC)) == 0;
}

static int read_bare(struct da_file *file, const char *layout, char why[DA_WHY_SIZE])
{
	if (!layout)
		return da_wrong(why, -EINVAL,
				"not a container of download agents (it does not begin with "
				"%s), and no layout says where its parts are",
				HEAD_MAGIC);
	file->bare = true;
	file->n_entries = 1;
	file->entries = calloc(1, sizeof(*file->entries));
	if (!file->entries)
		return da_wrong(why, -ENOMEM, "out of memory");
	return da_layout_parse(layout, file->size, file->entries, why);
}

static int read_file(struct da_file *file, const char *layout, char why[DA_WHY_SIZE])
{
	uint8_t head[HEAD_BYTES] = { 0 };
	size_t size = (size_t)MIN_OF(file->size, sizeof(head));
	int r = fd_pread_all(file->fd, head, size, 0);

	if (r < 0)
		return da_wrong(why, r, "it cannot be read");
	if (!is_container(head, size))
		return read_bare(file, layout, why);
	if (layout)
		return da_wrong(why, -EINVAL,
				"a container says itself where its parts are: leave "
				"the layout out");
	if (size < sizeof(head))
		return da_wrong(why, -EBADMSG, "the file ends in its head");
	return read_container(file, head, why);
}

int da_file_open(int fd, const char *layout, struct da_file **ret, char why[DA_WHY_SIZE])
{
	_cleanup_(da_file_freep) struct da_file *file = calloc(1, sizeof(*file));
	struct stat st;
	int r;

	if (!file)
		return da_wrong(why, -ENOMEM, "out of memory");
	if (fstat(fd, &st) < 0)
		return da_wrong(why, -errno, "it cannot be read");
	if (!S_ISREG(st.st_mode))
		return da_wrong(why, -EBADMSG, "not a regular file");
	if (st.st_size > (off_t)DA_FILE_MAX_BYTES)
		return da_wrong(why, -EFBIG, "larger than %u MiB", DA_FILE_MAX_BYTES >> 20);
	file->fd = fd;
	file->size = (uint64_t)st.st_size;
	r = read_file(file, layout, why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(file);
	return 0;
}

void da_file_free(struct da_file *file)
{
	if (!file)
		return;
	free(file->entries);
	free(file);
}

const char *da_file_version(const struct da_file *file)
{
	return file->bare ? NULL : file->version;
}

const struct da_entry *da_file_entries(const struct da_file *file, size_t *ret_n)
{
	*ret_n = file->n_entries;
	return file->entries;
}

const struct da_region *da_entry_region(const struct da_entry *entry, enum da_region_kind kind)
{
	for (size_t i = 0; i < entry->n_regions; i++) {
		if (entry->regions[i].kind == kind)
			return &entry->regions[i];
	}
	return NULL;
}

/* ---- Content ---- */

int da_file_read(const struct da_file *file, const struct da_region *region, uint64_t offset,
		 void *data, size_t size)
{
	if (!bytes_inside(region->length, offset, size) ||
	    !bytes_inside(file->size, region->offset, region->length))
		return -ERANGE;
	return fd_pread_all(file->fd, data, size, region->offset + offset);
}

int da_file_load(const struct da_file *file, const struct da_region *region, size_t limit,
		 uint8_t **ret)
{
	_cleanup_free_ uint8_t *data = NULL;
	int r;

	if (region->length > limit)
		return -EFBIG;
	data = malloc((size_t)region->length + 1);
	if (!data)
		return -ENOMEM;
	r = da_file_read(file, region, 0, data, region->length);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(data);
	return 0;
}
