/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/watch/boot-rom.h"
#include "tests/watch/flash-image.h"
#include "tests/watch/flash-layout.h"
#include "tests/watch/line.h"
#include "tests/watch/serve.h"

#define EXIT_USAGE            2
#define WATCHDOG_MSEC_DEFAULT 3500 /* the capture shows a port that comes back every 3.48 s */
#define RATE_MAX              (1U << 30)

static const char help[] =
	"Usage: mtkrb-watch --flash=FILE|new:SIZE [OPTION]...\n"
	"\n"
	"A virtual watch: the boot ROM of a MediaTek MT6261 and its serial flash on a pty, or\n"
	"on the USB of a virtual machine. Prints the path of its device on the first line, again\n"
	"whenever it is plugged in, and serves until it is killed.\n"
	"\n"
	"  --flash=FILE|new:SIZE   the flash image; new:4M makes a plausible one (1M to 64M)\n"
	"  --dump=FILE             write the flash image to FILE and end, without a watch\n"
	"  --chip=NAME             mt6261 (default), mt6260, mt2501, mt2502, mt2503, or 0xHWCODE\n"
	"  --meid=HEX              the ME ID, 32 hexadecimal digits\n"
	"  --link=PATH             a symbolic link to the device while it is plugged in\n"
	"  --tty=DEVICE            serve on this tty instead of a pty of its own\n"
	"  --usbredir=SOCKET       plug into a virtual machine that listens there, see below\n"
	"  --rate=BYTES_PER_S      speed of the line to the host (default: no limit)\n"
	"  --latency=US            pause before every answer, in microseconds\n"
	"  --watchdog=MS           reset unless the host stops the watchdog (default 3500, 0: "
	"never)\n"
	"  --replug=MS             come back that long after a hang-up (default: stay away)\n"
	"  --replug-as=preloader   and come back as a preloader, not as a boot ROM\n"
	"  --require-da            the boot ROM refuses to read the flash: an agent is needed\n"
	"  --da-build=old|new      the download agent that answers after an upload (default old)\n"
	"  --jedec=HEX             the flash id that it reports, C22536 (default: by size)\n"
	"  --nor-size=SIZE         the flash size that it reports (default: the image's)\n"
	"  --past-end=WHAT         behind the end of the flash: wrap (default), ff, error, stall\n"
	"  --fault=SPEC            something goes wrong (repeatable), see below\n"
	"  --log=FILE              one line per command, register write and fault\n"
	"  --help, --version\n"
	"\n"
	"Faults (OFFSET and SIZE take 0x and K/M):\n"
	"  unplug@OFFSET    hang up there, once        garbage     noise before the handshake\n"
	"  stall@OFFSET:MS  pause there, once          mute        never answer\n"
	"  flip@OFFSET      a wrong byte, once         secure      SLA and DAA on\n"
	"  short@OFFSET[:N] drop N bytes (1), once     echo        the line echoes the handshake\n"
	"  nack@N           refuse the N-th READ32     preloader   a preloader, not a boot ROM\n"
	"  max-block=BYTES  refuse longer READ32       no-combine  one write per field, please\n"
	"  alias=SIZE       the flash repeats          stream      a READ32 never ends\n"
	"                                              ff          answer FF to every byte\n"
	"  insert@OFFSET    a byte too many, once\n"
	"  da-sum@N         spoil the N-th packet      da-refuse   SEND_DA wants authentication\n"
	"  da-nack@N        refuse the N-th read       da-stage    start another kind of agent\n"
	"  da-range         refuse reads with 3039     da-security refuse reads with 6012\n"
	"                                              da-unknown-flash  3009\n"
	"\n"
	"Example:\n"
	"  mtkrb-watch --flash=new:4M --link=/tmp/watch --fault=unplug@2M --replug=500\n"
	"\n"
	"--usbredir makes it a USB device with the descriptors of a real boot ROM. The machine "
	"opens\n"
	"the socket, one for each watch; it can be plugged in and out while the machine runs:\n"
	"  qemu-system-x86_64 ... -device qemu-xhci -device usb-redir,chardev=watch \\\n"
	"      -chardev socket,id=watch,path=/tmp/usb,server=on,wait=off\n"
	"  mtkrb-watch --flash=new:4M --usbredir=/tmp/usb\n";

enum option_id {
	OPTION_HELP = 256,
	OPTION_VERSION,
	OPTION_FLASH,
	OPTION_DUMP,
	OPTION_CHIP,
	OPTION_MEID,
	OPTION_LINK,
	OPTION_TTY,
	OPTION_USBREDIR,
	OPTION_RATE,
	OPTION_LATENCY,
	OPTION_WATCHDOG,
	OPTION_REPLUG,
	OPTION_REPLUG_AS,
	OPTION_REQUIRE_DA,
	OPTION_PAST_END,
	OPTION_DA_BUILD,
	OPTION_JEDEC,
	OPTION_NOR_SIZE,
	OPTION_FAULT,
	OPTION_LOG,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "flash", required_argument, NULL, OPTION_FLASH },
	{ "dump", required_argument, NULL, OPTION_DUMP },
	{ "chip", required_argument, NULL, OPTION_CHIP },
	{ "meid", required_argument, NULL, OPTION_MEID },
	{ "link", required_argument, NULL, OPTION_LINK },
	{ "tty", required_argument, NULL, OPTION_TTY },
	{ "usbredir", required_argument, NULL, OPTION_USBREDIR },
	{ "rate", required_argument, NULL, OPTION_RATE },
	{ "latency", required_argument, NULL, OPTION_LATENCY },
	{ "watchdog", required_argument, NULL, OPTION_WATCHDOG },
	{ "replug", required_argument, NULL, OPTION_REPLUG },
	{ "replug-as", required_argument, NULL, OPTION_REPLUG_AS },
	{ "require-da", no_argument, NULL, OPTION_REQUIRE_DA },
	{ "past-end", required_argument, NULL, OPTION_PAST_END },
	{ "da-build", required_argument, NULL, OPTION_DA_BUILD },
	{ "jedec", required_argument, NULL, OPTION_JEDEC },
	{ "nor-size", required_argument, NULL, OPTION_NOR_SIZE },
	{ "fault", required_argument, NULL, OPTION_FAULT },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ NULL, 0, NULL, 0 },
};

struct watch {
	const char *flash_name;
	const char *dump_name;
	const char *log_name;
	struct boot_rom_config rom;
	struct line_config line;
	struct serve_config serve;
	struct faults faults;
	int log_fd;
	bool jedec_given;
	bool made; /* the image is ours, not a mapping */
};

static _printf_(2, 3) int usage(const char *hint, const char *format, ...)
{
	va_list ap;

	fputs("mtkrb-watch: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nhint: %s\n", hint);
	return -EINVAL;
}

/* What a system error means for a file, and what can be done. */
static int file_failed(const char *option, const char *path, int error, const char *hint)
{
	fprintf(stderr, "mtkrb-watch: --%s=%s: %s\n", option, path, strerror(-error));
	fprintf(stderr, "hint: %s\n", hint);
	return error;
}

static int set_number(const char *option, const char *value, int64_t max, uint64_t unit,
		      uint64_t *ret)
{
	int64_t number;

	if (parse_int(value, 0, max, &number) < 0)
		return usage("see mtkrb-watch --help",
			     "--%s=%s: a whole number from 0 to %lld is needed", option, value,
			     (long long)max);
	*ret = (uint64_t)number * unit;
	return 0;
}

static int set_fault(struct watch *w, const char *value)
{
	switch (faults_add(&w->faults, value)) {
	case 0:
		return 0;
	case -ERANGE:
		return usage("alias= takes a multiple of 4096; nack@, da-…@ and a gap count from 1",
			     "--fault=%s: the number is out of range", value);
	case -ENOSPC:
		return usage("leave some out", "--fault=%s: at most %d faults", value, FAULTS_MAX);
	default:
		return usage("mtkrb-watch --help lists the faults; for example flip@0x1000",
			     "--fault=%s: not a fault", value);
	}
}

static int set_chip(struct watch *w, const char *value)
{
	if (chip_find(value, &w->rom.chip) < 0)
		return usage("mt6261, mt6260, mt2501, mt2502, mt2503, or a code such as 0x6572",
			     "--chip=%s: no such chip", value);
	return 0;
}

static int set_me_id(struct watch *w, const char *value)
{
	if (hex_decode(value, w->rom.me_id, sizeof(w->rom.me_id)) < 0)
		return usage("for example 4D544B52422D57415443482D30303032",
			     "--meid=%s: 32 hexadecimal digits are needed", value);
	return 0;
}

static int set_past_end(struct watch *w, const char *value)
{
	if (flash_past_end_parse(value, &w->rom.past_end) < 0)
		return usage("one of wrap, ff, error, stall", "--past-end=%s: not known", value);
	return 0;
}

static int set_replug_as(struct watch *w, const char *value)
{
	w->rom.replug_as_preloader = true;
	return streq(value, "preloader")
		       ? 0
		       : usage("only preloader", "--replug-as=%s: not known", value);
}

static int set_da_build(struct watch *w, const char *value)
{
	w->rom.agent.newer = streq(value, "new");
	if (!w->rom.agent.newer && !streq(value, "old"))
		return usage("old or new", "--da-build=%s: not known", value);
	return 0;
}

static int set_jedec(struct watch *w, const char *value)
{
	if (hex_decode(value, w->rom.agent.jedec, sizeof(w->rom.agent.jedec)) < 0)
		return usage("for example C22536", "--jedec=%s: 6 hexadecimal digits are needed",
			     value);
	w->jedec_given = true;
	return 0;
}

static int set_nor_size(struct watch *w, const char *value)
{
	uint64_t size;

	if (parse_size(value, &size) < 0 || size == 0 || size > UINT32_MAX)
		return usage("for example 4M", "--nor-size=%s: not a size below 4 GiB", value);
	w->rom.agent.nor_size = size;
	return 0;
}

/* 1: done, nothing to serve. */
static int set_option(struct watch *w, int id, const char *value)
{
	switch (id) {
	case OPTION_HELP:
		fputs(help, stdout);
		return 1;
	case OPTION_VERSION:
		puts("mtkrb-watch " MTKRB_VERSION);
		return 1;
	case OPTION_FLASH:
		w->flash_name = value;
		return 0;
	case OPTION_DUMP:
		w->dump_name = value;
		return 0;
	case OPTION_CHIP:
		return set_chip(w, value);
	case OPTION_MEID:
		return set_me_id(w, value);
	case OPTION_LINK:
		w->line.link = value;
		return 0;
	case OPTION_TTY:
		w->line.tty = value;
		return 0;
	case OPTION_USBREDIR:
		w->line.usbredir = value;
		return 0;
	case OPTION_RATE:
		return set_number("rate", value, RATE_MAX, 1, &w->line.rate);
	case OPTION_LATENCY:
		return set_number("latency", value, INT32_MAX, NSEC_PER_USEC,
				  &w->serve.latency_nsec);
	case OPTION_WATCHDOG:
		return set_number("watchdog", value, INT32_MAX, USEC_PER_MSEC,
				  &w->rom.watchdog_usec);
	case OPTION_REPLUG:
		return set_number("replug", value, INT32_MAX, USEC_PER_MSEC * NSEC_PER_USEC,
				  &w->serve.replug_nsec);
	case OPTION_REPLUG_AS:
		return set_replug_as(w, value);
	case OPTION_REQUIRE_DA:
		w->rom.require_agent = true;
		return 0;
	case OPTION_PAST_END:
		return set_past_end(w, value);
	case OPTION_DA_BUILD:
		return set_da_build(w, value);
	case OPTION_JEDEC:
		return set_jedec(w, value);
	case OPTION_NOR_SIZE:
		return set_nor_size(w, value);
	case OPTION_FAULT:
		return set_fault(w, value);
	case OPTION_LOG:
		w->log_name = value;
		return 0;
	default:
		fputs("hint: mtkrb-watch --help lists the options\n", stderr);
		return -EINVAL;
	}
}

static int parse_options(struct watch *w, int argc, char **argv)
{
	int id, r;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		r = set_option(w, id, optarg);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return usage("the image is named by --flash=FILE", "%s: no such argument",
			     argv[optind]);
	if (w->line.usbredir && (w->line.tty || w->line.link))
		return usage("its device is in the machine; leave --tty and --link out",
			     "--usbredir=%s: there is no tty here", w->line.usbredir);
	if (!w->flash_name)
		return usage("--flash=new:4M makes one", "no flash image: --flash is missing");
	return 0;
}

static int make_flash(struct watch *w, const char *size_name)
{
	uint8_t *data;
	uint64_t size;
	int r;

	if (parse_size(size_name, &size) < 0 || !flash_image_size_ok(size))
		return usage("1M, 2M, 4M, 8M, 16M, 32M or 64M; other sizes come from a file",
			     "--flash=new:%s: no size for a new image", size_name);
	r = flash_image_new(size, w->rom.chip.platform, &data);
	if (r < 0)
		return file_failed("flash", w->flash_name, r, "choose a smaller image");
	w->rom.flash = data;
	w->rom.flash_size = size;
	w->made = true;
	return 0;
}

static int load_flash(struct watch *w)
{
	const char *size_name = strafter(w->flash_name, "new:");
	int r;

	if (size_name)
		return make_flash(w, size_name);
	r = flash_map(w->flash_name, &w->rom.flash, &w->rom.flash_size);
	if (r == -EINVAL || r == -EFBIG)
		return usage("--flash=new:4M makes a whole one",
			     "--flash=%s: the size must be a multiple of 4 from 4 KiB to 256 MiB",
			     w->flash_name);
	if (r < 0)
		return file_failed("flash", w->flash_name, r,
				   "name an image that you can read, or --flash=new:4M");
	return 0;
}

/* The id of the part that a made image of this size has on board. */
static void choose_jedec(struct watch *w)
{
	static const uint8_t other[AGENT_JEDEC_SIZE] = { 0xC2, 0x20, 0x16 };
	struct flash_layout layout;
	const uint8_t *jedec = other;

	if (w->jedec_given)
		return;
	if (flash_layout_get(w->rom.flash_size, &layout))
		jedec = layout.ids[0];
	memcpy(w->rom.agent.jedec, jedec, sizeof(w->rom.agent.jedec));
}

static int dump_flash(const struct watch *w)
{
	int r;

	r = fd_replace_file(AT_FDCWD, w->dump_name, w->rom.flash, w->rom.flash_size, 0644);
	if (r < 0)
		return file_failed("dump", w->dump_name, r, "name a file you can write");
	return 0;
}

static void write_log(void *userdata, const char *line)
{
	const struct watch *w = userdata;

	dprintf(w->log_fd, "%s\n", line);
}

static int open_log(struct watch *w)
{
	if (!w->log_name)
		return 0;
	w->log_fd = open(w->log_name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (w->log_fd < 0)
		return file_failed("log", w->log_name, -errno, "name a file you can write");
	w->rom.log = write_log;
	w->rom.userdata = w;
	return 0;
}

static int open_signals(struct watch *w)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	/* The default slack of 50 us would be much of a microsecond latency. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	w->serve.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return w->serve.signal_fd < 0 ? -errno : 0;
}

static void print_device(const char *device)
{
	puts(device);
	fflush(stdout);
}

static int report_usb(const char *socket, int r)
{
	switch (r) {
	case -EPIPE:
		return file_failed("usbredir", socket, -ECONNRESET,
				   "the machine ended; --replug=MS waits for it to come back");
	case -EPROTO:
		return file_failed("usbredir", socket, r,
				   "what listens there does not speak usbredir; name the chardev "
				   "of a usb-redir device");
	case -EACCES:
		return file_failed("usbredir", socket, r,
				   "you may not open the socket, or the machine's filter= refuses "
				   "0e8d:0003");
	case -ENOENT:
	case -ECONNREFUSED:
		return file_failed("usbredir", socket, r,
				   "start the machine first, with -chardev "
				   "socket,path=...,server=on,wait=off");
	case -ENAMETOOLONG:
		return file_failed("usbredir", socket, r,
				   "a socket's path is shorter than 108 characters");
	default:
		return file_failed("usbredir", socket, r, "name the socket of a usb-redir chardev");
	}
}

static int report_serve(const struct watch *w, int r)
{
	if (w->line.usbredir)
		return report_usb(w->line.usbredir, r);
	if (r == -EEXIST)
		return file_failed("link", w->line.link, r,
				   "something that is no link is there; remove it");
	if (r == -EPIPE)
		return file_failed("tty", w->line.tty ? w->line.tty : "", -ENODEV,
				   "the far end went away; --replug=MS waits and opens it again");
	if (w->line.tty)
		return file_failed("tty", w->line.tty, r,
				   "name a tty that you can open, or leave --tty out to get a pty");
	if (r < 0 && w->line.link)
		return file_failed("link", w->line.link, r, "name a path you can write");
	if (r < 0)
		fprintf(stderr, "mtkrb-watch: pty: %s\nhint: is /dev/pts mounted?\n", strerror(-r));
	return r;
}

static int run(struct watch *w)
{
	_cleanup_boot_rom_ struct boot_rom *rom = NULL;
	_cleanup_line_ struct line *line = NULL;
	int r;

	r = open_log(w);
	if (r < 0)
		return r;
	r = boot_rom_new(&w->rom, &rom);
	if (r >= 0)
		r = line_new(&w->line, &line);
	if (r >= 0)
		r = open_signals(w);
	if (r < 0) {
		fprintf(stderr, "mtkrb-watch: start: %s\nhint: try again\n", strerror(-r));
		return r;
	}
	w->serve.rom = rom;
	w->serve.line = line;
	w->serve.plugged = print_device;
	r = serve(&w->serve);
	return r < 0 ? report_serve(w, r) : 0;
}

static void watch_done(struct watch *w)
{
	if (w->made)
		free((void *)w->rom.flash);
	else
		flash_unmap(w->rom.flash, w->rom.flash_size);
	fd_close(w->log_fd);
	fd_close(w->serve.signal_fd);
}

int main(int argc, char **argv)
{
	struct watch w = {
		.rom = { .me_id = "MTKRB-WATCH-0001",
			 .watchdog_usec = WATCHDOG_MSEC_DEFAULT * USEC_PER_MSEC },
		.serve = { .replug_nsec = UINT64_MAX, .signal_fd = -1 },
		.log_fd = -1,
	};
	int r;

	w.rom.faults = &w.faults;
	r = set_chip(&w, "mt6261");
	if (r >= 0)
		r = parse_options(&w, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	r = load_flash(&w);
	if (r == -EINVAL)
		return EXIT_USAGE;
	if (r >= 0)
		choose_jedec(&w);
	if (r >= 0)
		r = w.dump_name ? dump_flash(&w) : run(&w);
	watch_done(&w);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
