/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * usage: make-corpus FOLDER
 * Writes the seeds of all targets into FOLDER/TARGET/. Each is made by what makes such things in
 * the project itself: the virtual watch, the writers of our own formats.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/worker/staging-state.h"
#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/control/label.h"
#include "protocol/control/layout-json.h"
#include "protocol/control/manifest.h"
#include "protocol/control/worker-message.h"
#include "protocol/device/da-report.h"
#include "protocol/device/read-map.h"
#include "protocol/firmware/cfg.h"
#include "protocol/firmware/layout.h"
#include "tests/da-image.h"
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/record.h"
#include "tests/fuzz/sparse.h"
#include "tests/unit/user-area-bench.h"
#include "tests/watch/flash-image.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MEID   "30313233343536373839616263646566"
#define CHAIN  1024U /* bytes of a file's chain that go into a seed */

static const char *folder;

static FILE *seed(const char *target, const char *name)
{
	_cleanup_free_ char *in = str_format("%s/%s", folder, target);
	_cleanup_free_ char *path = str_format("%s/%s/%s", folder, target, name);
	FILE *file;

	fuzz_require(mkdir(in, 0755) == 0 || errno == EEXIST);
	file = fopen(path, "we");
	fuzz_require(file);
	return file;
}

static void put(const char *target, const char *name, const void *data, size_t size)
{
	FILE *file = seed(target, name);

	fuzz_require(fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void put_text(const char *target, const char *name, const char *text)
{
	put(target, name, text, strlen(text));
}

/* ---- The wire ---- */

static void make_conversations(void)
{
	FILE *brom = seed("brom", "virtual-watch"), *da = seed("da", "virtual-watch");
	/* Sized as a report, with both end marks. */
	uint8_t report[DA_REPORT_SIZE_NEW] = { 0 };

	conversation_with_brom(record_new(brom));
	conversation_with_agent(record_new(da));
	fuzz_require(fclose(brom) == 0 && fclose(da) == 0);
	/* All that the host says comes back, with the handshake's answer before it. */
	put("brom", "echo", "\3\0\x5f\0\xf5\0\xaf\0\xfa\xe0\xe0\xe0\xe0\xc0\xe0\xe0", 16);
	for (size_t i = 0; i < 2; i++) {
		size_t size = i == 0 ? DA_REPORT_SIZE_OLD : DA_REPORT_SIZE_NEW;

		memset(report, 0, sizeof(report));
		memcpy(report + size - 11, "\x5a\x5a\0\0\0\0\0\0\4\7\xc1", 11);
		put("da-report", i == 0 ? "old" : "new", report, size);
	}
}

static void make_container(void)
{
	static const char bare[] = "da1=0:16:0x70007000:4,da2=16:16:0x10020000,table=32:36\n";
	struct da_image image = {
		.hw_code = 0x6261, .first_size = 20, .second_size = 33, .n_rows = 2
	};
	FILE *file = seed("da-file", "container");
	uint8_t parts[sizeof(bare) - 1 + 68] = { 0 };

	put_le16(image.rows[1], 0xFFFF);
	fuzz_require(da_image_write(&image, fileno(file)) == 0 && fclose(file) == 0);
	memcpy(parts, bare, sizeof(bare) - 1);
	put("da-file", "bare", parts, sizeof(parts));
}

/* ---- Images ---- */

static void put_piece(FILE *file, const uint8_t *image, uint64_t offset, uint64_t length)
{
	uint8_t head[SPARSE_PIECE];

	put_le32(head, (uint32_t)offset);
	put_le16(head + 3, (uint16_t)length);
	fwrite(head, 1, sizeof(head), file);
	fwrite(image + offset, 1, length, file);
}

/* The heads of everything that an image of the virtual watch has. */
static void make_image(void)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	_cleanup_free_ uint8_t *image = NULL;
	FILE *file = seed("image", "heads");

	fuzz_require(flash_image_new(1 << 20, "MT6261", &image) == 0);
	fuzz_require(layout_new(image, 1 << 20, &layout) == 0);
	fputc(63, file);
	fputc(0xff, file);
	put_piece(file, image, 0, 20);
	if (layout->has_boot_layout)
		put_piece(file, image, layout->boot_layout, 180);
	for (size_t i = 0; i < layout->n_parts; i++)
		put_piece(file, image, layout->parts[i].offset,
			  MIN_OF(layout->parts[i].chain_length, CHAIN));
	fuzz_require(fclose(file) == 0);
}

/* What of a disk is not zero. */
static void make_user_area(void)
{
	_cleanup_free_ struct disk *disk = new_disk();
	const uint8_t *data = disk->sectors[0];
	FILE *file = seed("user-area", "disk");

	fputc(0, file);
	fputc(sizeof(*disk) / SPARSE_PAGE - 1, file);
	fputc(0, file);
	for (size_t at = 0, end; at < sizeof(*disk); at = end) {
		end = at + 1;
		while (data[at] != 0 && end < sizeof(*disk) && data[end] != 0)
			end++;
		if (data[at] != 0)
			put_piece(file, data, at, end - at);
	}
	fuzz_require(fclose(file) == 0);
}

static void make_scatter(void)
{
	static const char *const boot[] = { "INT_BOOTLOADER", "EXT_BOOTLOADER" };
	static const char *const rest[] = { "ROM", "VIVA" };
	static const struct flash_part flash = { 3, { 0xC2, 0x25, 0x36 }, 3, 4 << 20 };
	const struct cfg cfg = { "MT6261", boot, 2, rest, 2, &flash, 1 };
	_cleanup_free_ char *text = NULL;

	fuzz_require(cfg_to_text(&cfg, &text) == 0);
	put_text("scatter", "cfg", text);
	put_text("scatter", "list",
		 "PRELOADER 0x0\n{\n}\nUBOOT 0x20000\n{\n}\n__NODL_FAT 0x80000\n{\n}\n");
	put_text(
		"scatter", "layout",
		"- general: MTK_PLATFORM_CFG\n  info:\n    - config_version: V1.1.2\n"
		"      platform: MT6261\n      project: watch\n"
		"- partition_index: SYS0\n  partition_name: PRELOADER\n  file_name: preloader.bin\n"
		"  is_download: true\n  type: SV5_BL_BIN\n  linear_start_addr: 0x0\n"
		"  physical_start_addr: 0x0\n  partition_size: 0x40000\n  region: EMMC_USER\n");
}

/* ---- JSON and texts ---- */

static void make_calls(void)
{
	static const char call[] =
		"\3{\"method\":\"io.mtkrbd.Control.Submit\",\"parameters\":{\"request\":{"
		"\"ranges\":"
		"[{\"name\":\"ROM_0\",\"start\":0,\"length\":4194304}],\"scatter\":\"fd:0:a.cfg\","
		"\"da\":\"a.bin\",\"da_layout\":\"da1=0:1:2\",\"method\":\"auto\",\"verify\":"
		"\"full\","
		"\"rebuild\":true,\"identify_flash\":false,\"slot\":\"A1\",\"chip\":\"MT6261\","
		"\"meid\":\"" MEID "\",\"count\":2,\"priority\":-5,\"labels\":{\"ticket\":\"47\"},"
		"\"timeout\":1.5e1,\"after\":\"off\"}},\"more\":false}";
	static const char two[] =
		"\0{\"method\":\"org.varlink.service.GetInfo\",\"oneway\":true}\0"
		"{\"error\":\"a.b.C\",\"parameters\":{\"x\":[\"\\u00e4\\ud83d\\ude00\"]}}";

	put("varlink", "submit", call, sizeof(call));
	put("varlink", "two", two, sizeof(two));
}

static void make_manifest(void)
{
	struct evidence evidence = { (char *)"request", (char *)"1 MiB were asked for", 1 << 20 };
	struct manifest_range range = { (char *)"ROM_0", 0, 1 << 20, (char *)"ROM_0", DIGEST };
	struct label label = { (char *)"ticket", (char *)"4711" };
	struct manifest manifest = {
		.id = (char *)"20261123T143110Z-MT6261-" MEID "-7",
		.created = 1795444270000000,
		.tool_version = (char *)"0.1.0",
		.watch = { .chip = (char *)"MT6261",
			   .hw_code = 0x6261,
			   .hw_version = 0xcb01,
			   .sw_version = 1,
			   .meid = (char *)MEID,
			   .jedec = (char *)"c22536",
			   .flash_size = 1 << 20,
			   .evidence = &evidence,
			   .n_evidence = 1 },
		.read = { .method = (char *)"brom",
			  .ranges = &range,
			  .n_ranges = 1,
			  .seconds = 1.5,
			  .verify_mode = (char *)"full",
			  .verify_bytes = 1 << 20,
			  .verify_ok = true },
		.health = 97,
		.coverage = { 3000, 100, 900, 2000 },
		.rebuild = { true, true, (char *)"4 firmware files" },
		.labels = &label,
		.n_labels = 1,
		.job = 7,
		.slot = (char *)"A1",
	};
	_cleanup_free_ char *text = NULL;

	fuzz_require(manifest_to_text(&manifest, &text) == 0);
	put_text("manifest", "backup", text);
}

static void make_layout_json(void)
{
	const struct image_piece pieces[] = {
		{ .content = IMAGE_PIECE_FILE,
		  .name = "ROM",
		  .kind = "file",
		  .file = "ROM",
		  .length = 4096,
		  .sha256 = DIGEST,
		  .sum = 7,
		  .listed = true },
		{ .content = IMAGE_PIECE_ERASED,
		  .name = "erased",
		  .kind = "erased",
		  .offset = 4096,
		  .length = 4096,
		  .sha256 = DIGEST },
	};
	const struct layout_json layout = { .size = 8192,
					    .sha256 = DIGEST,
					    .effective_size = 8192,
					    .project = "P",
					    .version = "V",
					    .platform = "MT6261",
					    .cfg_file = "config.cfg",
					    .cfg_sha256 = DIGEST,
					    .pieces = pieces,
					    .n_pieces = ARRAY_SIZE(pieces) };
	_cleanup_free_ char *text = NULL;

	fuzz_require(layout_json_to_text(&layout, &text) == 0);
	put_text("layout-json", "set", text);
}

static void make_read_map(void)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL;
	_cleanup_free_ char *text = NULL;
	FILE *file = seed("read-map", "half");

	fuzz_require(read_map_new(0x10000, &map) == 0 && read_map_add(map, 0x1000, 0x800) == 0 &&
		     read_map_add(map, 0x8000, 0x8000) == 0 && read_map_to_text(map, &text) == 0);
	fwrite("\0\0\1", 1, 3, file);
	fuzz_require(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void make_state(void)
{
	struct state_range range = { (char *)"ROM_0", 0, RANGE_AUTO, 1 << 20 };
	struct evidence evidence = { (char *)"flash-info", (char *)"the user area ends there",
				     1 << 20 };
	const struct staging_state state = { .chip = (char *)"MT6261",
					     .meid = (char *)MEID,
					     .ranges = &range,
					     .n_ranges = 1,
					     .resolved = true,
					     .flash_size = 1 << 20,
					     .evidence = { &evidence, 1 },
					     .seconds = 2.5,
					     .retries = 3 };
	_cleanup_free_ char *in = str_format("%s/staging-state", folder);
	_cleanup_close_ int dir = -1;

	fuzz_require(mkdir(in, 0755) == 0 || errno == EEXIST);
	dir = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_require(dir >= 0 && staging_state_save(dir, &state) == 0);
}

static void put_message(const char *name, const struct worker_message *message)
{
	char packet[4096];
	ssize_t n;
	int fds[2];

	fuzz_require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	fuzz_require(worker_message_send(fds[0], message, -1) == 0);
	n = recv(fds[1], packet, sizeof(packet), 0);
	fuzz_require(n > 0);
	put("worker-message", name, packet, (size_t)n);
	fd_close(fds[0]);
	fd_close(fds[1]);
}

static void make_messages(void)
{
	struct worker_message read = { .type = WORKER_READ };

	put_message("open", &(struct worker_message){
				    .type = WORKER_OPEN,
				    .open = { (char *)"/dev/ttyACM0", (char *)"auto", 5, 10 } });
	put_message("identity",
		    &(struct worker_message){ .type = WORKER_IDENTITY,
					      .identity = { (char *)"MT6261", (char *)MEID,
							    (char *)"brom", 0x6261 } });
	put_message("progress",
		    &(struct worker_message){ .type = WORKER_PROGRESS,
					      .progress = { PHASE_READ, 4096, 8192, 100, 40.5 } });
	put_message("failed",
		    &(struct worker_message){ .type = WORKER_FAILED,
					      .failure = { FAILURE_READ_FAILED, (char *)"at 0x1000",
							   (char *)"try again" } });
	put_message("done", &(struct worker_message){ .type = WORKER_DONE });
	fuzz_require(job_request_init(&read.read.request) == 0);
	read.read.job = 7;
	read.read.slot = strdup("A1");
	read.read.created = 1795444270000000;
	put_message("read", &read);
	worker_message_clear(&read);
}

static void make_config(void)
{
	put_text("config", "mtkrbd",
		 "[daemon]\nlog-level=info\nworkers=4\n[automatic]\nenabled=yes\nverify=sample\n"
		 "after=off\nrepeat-after=1d\n[read]\nhandshake-timeout-usb=5s\n"
		 "handshake-timeout-uart=10s\nresume-timeout=10min\n[archive]\n"
		 "free-space-floor=1G\n[slots]\nleft=pci-0000:00:14.0-usb-0:1.2\n");
	put_text("config", "bench",
		 "[rule shelf]\nslot=shelf*, box?\naction=ignore\n"
		 "[rule acme]\nchip=MT626[01]\nmode=brom\nmeid=00*\nlabel=customer=acme*\n"
		 "verify=full\nafter=off\nmethod=da\npriority=-5\nrebuild=no\n"
		 "identify-flash=yes\ntimeout=2h\nda=all.bin\nrepeat-after=1d\nadd-label=bench=2\n"
		 "[automatic]\nenabled=no\nadd-label=shop=1\n"
		 "[slot left]\npath=usb-0:1\nrule=acme\nlabel=customer=acme & sons\n"
		 "[slot modem]\nexcluded=yes\n");
}

static void make_tickets(void)
{
	put_text("ticket", "morning",
		 "4711\r\n4712;Ms. O'Hara;490154203237518;screen broken\n@A1\n4713\tÄnne\t\tred; "
		 "wet\n"
		 "@usb-0:1.2 4714;;;@\n");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	folder = argv[1];
	make_conversations();
	make_container();
	make_image();
	make_user_area();
	make_scatter();
	make_calls();
	make_manifest();
	make_layout_json();
	make_read_map();
	make_state();
	make_messages();
	make_config();
	make_tickets();
	return 0;
}
