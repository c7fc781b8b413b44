/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/archive/tree.h"
#include "daemon/config/config.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

struct place {
	char directory[32];
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->directory, "/tmp/test-config-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	(void)snprintf(place->path, sizeof(place->path), "%s/a.conf", place->directory);
	place->fd = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	fd_close(place->fd);
	assert_int_equal(archive_tree_remove(AT_FDCWD, place->directory), 0);
	free(place);
	return 0;
}

static void write_file(const struct place *place, const char *name, const char *text, size_t size)
{
	assert_int_equal(fd_replace_file(place->fd, name, text, size, 0600), 0);
}

static void put(const struct place *place, const char *name, const char *text)
{
	write_file(place, name, text, strlen(text));
}

static void load(const struct place *place, struct config *config)
{
	_cleanup_free_ char *error = NULL;
	int r = config_load(place->path, true, config, &error);

	if (r < 0)
		fail_msg("%d: %s", r, error);
}

static void test_defaults(void **state)
{
	const struct place *place = *state;
	struct config config;
	_cleanup_free_ char *error = NULL;

	assert_int_equal(config_load(place->path, false, &config, &error), 0);
	assert_null(error);
	assert_int_equal(config.log_level, LOG_INFO);
	assert_int_equal(config.workers, 64);
	assert_int_equal(config.rules.n, 0);
	assert_int_equal(config.rules.automatic.action, RULE_BACKUP);
	assert_int_equal(config.rules.automatic.verify, VERIFY_AUTO);
	assert_int_equal(config.rules.automatic.after, AFTER_RESET);
	assert_int_equal(config.rules.automatic.repeat_after_usec, 600000000);
	assert_true(config.rules.automatic.rebuild);
	assert_true(config.handshake_timeout_usb == 5.0);
	assert_true(config.handshake_timeout_uart == 60.0);
	assert_int_equal(config.resume_timeout_usec, 600000000);
	assert_int_equal(config.free_space_floor, 64 << 20);
	assert_true(config.deduplicate);
	assert_int_equal(config.slots.n, 0);
	assert_int_equal(config.retention.keep_last, 0);
	assert_false(config.retention.make_room);
	assert_true(config.hooks.enabled);
	assert_true(config.hooks.timeout == 60.0);
	assert_non_null(strstr(config.hooks.directory, "/hooks.d"));
	config_clear(&config);

	assert_int_equal(config_load(place->path, true, &config, &error), -ENOENT);
	assert_non_null(strstr(error, "a.conf: cannot be read: No such file"));
}

static void test_every_key(void **state)
{
	const struct place *place = *state;
	struct config config;

	put(place, "a.conf",
	    "\xef\xbb\xbf# a comment\n"
	    "[daemon]\nlog-level = debug\nworkers=7\n\n"
	    "[automatic]\r\nenabled=off\r\nverify=full\nafter=stay\nrepeat-after=2h\n"
	    "; another\n"
	    "[read]\nhandshake-timeout-usb=500ms\nhandshake-timeout-uart=2min\n"
	    "resume-timeout=0\n"
	    "[archive]\nfree-space-floor=2G ; enough\ndeduplicate=no\n"
	    "[retention]\nkeep-last=3\nkeep-for=30d\nkeep-label=ticket\n"
	    "keep-label=customer=Ms. O'Hara\nmake-room=yes\n"
	    "[hooks]\nenabled=no\ntimeout=5min\ndirectory=/srv/hooks\n"
	    "[slots]\nleft=pci-0000:00:14.0-usb-0:2.3\nright = platform-fd500000.pcie-usb-0:1.4");
	load(place, &config);
	assert_int_equal(config.log_level, LOG_DEBUG);
	assert_int_equal(config.workers, 7);
	assert_int_equal(config.rules.automatic.action, RULE_IGNORE);
	assert_int_equal(config.rules.automatic.verify, VERIFY_FULL);
	assert_int_equal(config.rules.automatic.after, AFTER_STAY);
	assert_int_equal(config.rules.automatic.repeat_after_usec, 7200000000ULL);
	assert_true(config.handshake_timeout_usb == 0.5);
	assert_true(config.handshake_timeout_uart == 120.0);
	assert_int_equal(config.resume_timeout_usec, 0);
	assert_int_equal(config.free_space_floor, 2ULL << 30);
	assert_false(config.deduplicate);
	assert_int_equal(config.slots.n, 2);
	assert_string_equal(config.slots.list[0].name, "left");
	assert_string_equal(config.slots.list[0].place, "pci-0000:00:14.0-usb-0:2.3");
	assert_string_equal(config.slots.list[1].name, "right");
	assert_string_equal(config.slots.list[1].place, "platform-fd500000.pcie-usb-0:1.4");
	assert_int_equal(config.retention.keep_last, 3);
	assert_int_equal(config.retention.keep_for_usec, 30 * 86400000000ULL);
	assert_int_equal(config.retention.n_keep_labels, 2);
	assert_string_equal(config.retention.keep_labels[0].key, "ticket");
	assert_null(config.retention.keep_labels[0].value);
	assert_string_equal(config.retention.keep_labels[1].key, "customer");
	assert_string_equal(config.retention.keep_labels[1].value, "Ms. O'Hara");
	assert_true(config.retention.make_room);
	assert_false(config.hooks.enabled);
	assert_true(config.hooks.timeout == 300.0);
	assert_string_equal(config.hooks.directory, "/srv/hooks");
	config_clear(&config);
	assert_int_equal(config.slots.n, 0);
}

static void test_slots_and_rules(void **state)
{
	const struct place *place = *state;
	const struct slot_setting *left, *bench;
	const struct rule *rule, *last;
	struct config config;

	put(place, "a.conf",
	    "[slot left]\nexcluded=yes\nrule=slow\nlabel=customer=one\nlabel=shelf=3=b\n"
	    "[rule slow]\nslot=left, right*\nchip = MT6261 MT2502\nmode=brom\nmeid=00*,FF*\n"
	    "label=customer=o?e\naction=ignore\nverify=full\nafter=off\nmethod=da\npriority=-7\n"
	    "rebuild=no\nidentify-flash=yes\ntimeout=2h\nda=all.bin\nrepeat-after=1d\n"
	    "add-label=bench=2\nadd-label=note=a b\n"
	    "[rule fast]\n"
	    "[automatic]\nverify=sample\nmethod=brom\nadd-label=bench=1\n"
	    "[slots]\nleft=pci-0000:00:14.0-usb-0:2.3\nright=pci-0000:00:14.0-usb-0:2.4\n"
	    "[slot bench]\nexcluded=no\n[slot left]\nlabel=shelf=4\n"
	    "[slot hub]\npath=pci-0000:00:14.0-usb-0:9\nrule=automatic\n");
	load(place, &config);
	assert_int_equal(config.slots.n, 4);
	left = &config.slots.list[0];
	assert_string_equal(left->place, "pci-0000:00:14.0-usb-0:2.3");
	assert_int_equal(left->exclusion, SLOT_EXCLUDED);
	assert_string_equal(left->rule, "slow");
	assert_int_equal(left->n_labels, 2);
	assert_string_equal(left->labels[1].value, "4");
	assert_string_equal(config.slots.list[1].name, "right");
	assert_int_equal(config.slots.list[1].exclusion, SLOT_EXCLUSION_UNSAID);
	bench = &config.slots.list[2];
	assert_string_equal(bench->place, "bench");
	assert_int_equal(bench->exclusion, SLOT_INCLUDED);
	assert_string_equal(config.slots.list[3].rule, "automatic");

	assert_int_equal(config.rules.n, 2);
	rule = &config.rules.list[0];
	assert_string_equal(rule->name, "slow");
	assert_string_equal(rule->slot, "left right*");
	assert_string_equal(rule->chip, "MT6261 MT2502");
	assert_string_equal(rule->mode, "brom");
	assert_string_equal(rule->meid, "00* FF*");
	assert_string_equal(rule->labels[0].value, "o?e");
	assert_int_equal(rule->action, RULE_IGNORE);
	assert_int_equal(rule->verify, VERIFY_FULL);
	assert_int_equal(rule->after, AFTER_OFF);
	assert_int_equal(rule->method, METHOD_DA);
	assert_int_equal(rule->priority, -7);
	assert_false(rule->rebuild);
	assert_true(rule->identify_flash);
	assert_true(rule->timeout == 7200.0);
	assert_string_equal(rule->da, "all.bin");
	assert_int_equal(rule->repeat_after_usec, 86400000000ULL);
	assert_int_equal(rule->n_job_labels, 2);
	assert_string_equal(rule->job_labels[0].value, "2");

	/* Whatever order the sections stand in, [automatic] fills in what a rule does not say. */
	last = &config.rules.list[1];
	assert_string_equal(last->name, "fast");
	assert_null(last->slot);
	assert_int_equal(last->action, RULE_BACKUP);
	assert_int_equal(last->verify, VERIFY_SAMPLE);
	assert_int_equal(last->method, METHOD_BROM);
	assert_true(last->rebuild);
	assert_int_equal(last->repeat_after_usec, 600000000);
	assert_string_equal(last->job_labels[0].value, "1");
	config_clear(&config);
}

static void test_drop_ins(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *error = NULL;
	struct config config;

	assert_int_equal(mkdirat(place->fd, "a.conf.d", 0700), 0);
	put(place, "a.conf", "[daemon]\nworkers=1\nlog-level=error\n");
	put(place, "a.conf.d/20-b.conf", "[daemon]\nworkers=3\n");
	put(place, "a.conf.d/10-a.conf", "[daemon]\nworkers=2\n[slots]\na=usb-0:1\n");
	put(place, "a.conf.d/30-c.conf.bak", "rubbish\n");
	put(place, "a.conf.d/.40-d.conf", "rubbish\n");
	load(place, &config);
	assert_int_equal(config.workers, 3);
	assert_int_equal(config.log_level, LOG_ERR);
	assert_int_equal(config.slots.n, 1);
	config_clear(&config);

	put(place, "a.conf.d/90-z.conf", "\n[slots]\nb=usb-0:1\n");
	assert_int_equal(config_load(place->path, true, &config, &error), -EINVAL);
	assert_non_null(strstr(error, "a.conf.d/90-z.conf:3: [slots] b: this place has another"));
}

#define TEN(s)     s s s s s s s s s s
#define HUNDRED(s) TEN(TEN(s))

static const struct {
	const char *text;
	const char *error; /* behind the path */
} wrong[] = {
	{ "[daemon]\nlog-level=loud\n",
	  ":2: [daemon] log-level: not understood (allowed: error, warning, notice, info, debug)" },
	{ "[daemon]\n\n# x\nworkers=0\n",
	  ":4: [daemon] workers: out of range (allowed: 1 to 1024)" },
	{ "[daemon]\nworkers=1025\n", ":2: [daemon] workers: out of range (allowed: 1 to 1024)" },
	{ "[daemon]\nworkers=4x\n", ":2: [daemon] workers: not understood (allowed: 1 to 1024)" },
	{ "[daemon]\nworkers=\n", ":2: [daemon] workers: not understood" },
	{ "[daemon]\nworkers=-1\n", ":2: [daemon] workers: out of range" },
	{ "[automatic]\nenabled=maybe\n",
	  ":2: [automatic] enabled: not understood (allowed: yes, no)" },
	{ "[automatic]\nverify=twice\n",
	  ":2: [automatic] verify: not understood (allowed: auto, none, sample, full)" },
	{ "[automatic]\nafter=explode\n",
	  ":2: [automatic] after: not understood (allowed: reset, off, stay)" },
	{ "[automatic]\nrepeat-after=366d\n", ":2: [automatic] repeat-after: out of range" },
	{ "[automatic]\nrepeat-after=soon\n", ":2: [automatic] repeat-after: not understood" },
	{ "[read]\nhandshake-timeout-usb=99ms\n",
	  ":2: [read] handshake-timeout-usb: out of range (allowed: 100ms to 10min" },
	{ "[read]\nhandshake-timeout-usb=11min\n",
	  ":2: [read] handshake-timeout-usb: out of range" },
	{ "[read]\nhandshake-timeout-uart=0\n", ":2: [read] handshake-timeout-uart: out of range" },
	{ "[read]\nhandshake-timeout-uart=1 week\n",
	  ":2: [read] handshake-timeout-uart: not understood" },
	{ "[read]\nresume-timeout=8d\n", ":2: [read] resume-timeout: out of range" },
	{ "[read]\nresume-timeout=-1\n", ":2: [read] resume-timeout: not understood" },
	{ "[archive]\nfree-space-floor=99999999999999999999\n",
	  ":2: [archive] free-space-floor: out of range" },
	{ "[archive]\nfree-space-floor=1048577G\n",
	  ":2: [archive] free-space-floor: out of range" },
	{ "[archive]\ndeduplicate=maybe\n",
	  ":2: [archive] deduplicate: not understood (allowed: yes, no)" },
	{ "[archive]\nfree-space-floor=64MB\n", ":2: [archive] free-space-floor: not understood" },
	{ "[daemon]\nworker=4\n", ":2: [daemon] worker: unknown key" },
	{ "[read]\nworkers=4\n", ":2: [read] workers: unknown key" },
	{ "[retention]\nkeep-last=-1\n",
	  ":2: [retention] keep-last: out of range (allowed: 0 to 1000000)" },
	{ "[retention]\nkeep-for=forever\n", ":2: [retention] keep-for: not understood" },
	{ "[retention]\nkeep-label=a b\n",
	  ":2: [retention] keep-label: not understood (allowed: KEY or KEY=VALUE)" },
	{ "[retention]\nkeep-label==x\n", ":2: [retention] keep-label: not understood" },
	{ "[hooks]\ntimeout=0\n", ":2: [hooks] timeout: out of range (allowed: 1s to 1h" },
	{ "[hooks]\ndirectory=hooks.d\n",
	  ":2: [hooks] directory: not understood (allowed: an absolute path)" },
	{ "[deamon]\nworkers=4\n", ":1: [deamon]: unknown section (allowed: daemon, automatic" },
	{ "[daemon]\nworkers=4\n[empty]\n", ":3: [empty]: unknown section" },
	{ "workers=4\n", ":1: [] workers: unknown section" },
	{ "[daemon]\nworkers\n", ":2: []: neither [section] nor key=value" },
	{ "[daemon\nworkers=1\n", ":1: []: neither [section] nor key=value" },
	{ "[daemon]\nlog-level=info\n workers=4\n", ":3: [daemon] log-level: not understood" },
	{ "[daemon]\nworkers=x\nlog-level=loud\n", ":2: [daemon] workers: not understood" },
	{ "[slots]\na=usb-0:1\na=usb-0:2\n", ":3: [slots] a: this slot name is given twice" },
	{ "[slots]\na=usb-0:1\n\nb=usb-0:1\n",
	  ":4: [slots] b: this place has another name already" },
	{ "[slots]\na/b=usb-0:1\n", ":2: [slots] a/b: not a slot name" },
	{ "[slots]\n.a=usb-0:1\n", ":2: [slots] .a: not a slot name" },
	{ "[slots]\n" TEN("seven77") "=usb-0:1\n", "seven77: not a slot name" },
	{ "[slots]\na=usb 0\n", ":2: [slots] a: not a place" },
	{ "[slots]\na=\n", ":2: [slots] a: not a place" },
	{ "[slots]\na=pci-0000:00:14.0-usb-0:2.3:1.0\n",
	  ":2: [slots] a: names an interface, not a port" },
	{ "[slots]\nusb-0:1=usb-0:2\n", ":2: [slots] usb-0: not a place" },
	{ "[slot pci-usb-0:1]\n", ":1: [slot pci-usb-0:1]: not a slot name" },
	{ "[slot a/b]\n", ":1: [slot a/b]: not a slot name (allowed: names of up to 64" },
	{ "[slot]\npath=usb-0:1\n", ":1: [slot]: unknown section" },
	{ "[slot a]\npath=usb-0:1\npath=usb-0:2\n", ":3: [slot a] path: this slot name is given" },
	{ "[slots]\nb=usb-0:1\n[slot a]\npath=usb-0:1\n",
	  ":4: [slot a] path: this place has another name already" },
	{ "[slot a]\npath=usb-0:1:1.0\n", ":2: [slot a] path: names an interface" },
	{ "[slot a]\nexcluded=perhaps\n",
	  ":2: [slot a] excluded: not understood (allowed: yes, no)" },
	{ "[slot a]\n\nrule=fast\n", ":3: [slot a] rule: there is no [rule fast]" },
	{ "[slot a]\nrule=a/b\n", ":2: [slot a] rule: not understood (allowed: the NAME of" },
	{ "[slot a]\nlabel=customer\n",
	  ":2: [slot a] label: not understood (allowed: KEY=VALUE, up to 8 of them)" },
	{ "[slot a]\nlabel=a=1\nlabel=b=1\nlabel=c=1\nlabel=d=1\nlabel=e=1\nlabel=f=1\n"
	  "label=g=1\nlabel=h=1\nlabel=i=1\n",
	  ":10: [slot a] label: out of range (allowed: KEY=VALUE, up to 8" },
	{ "[slot a]\nrules=fast\n",
	  ":2: [slot a] rules: unknown key (allowed: path, excluded, rule, label)" },
	{ "[slot " TEN("names") "]\n", ":1: []: the section's name is too long" },
	{ "[daemon]\n  [slot " TEN("names") "]\n", ":2: []: the section's name is too long" },
	{ "[rule]\n", ":1: [rule]: unknown section (allowed: daemon, automatic, rule NAME" },
	{ "[rule a/b]\n", ":1: [rule a/b]: not a rule's name" },
	{ "[rule automatic]\n", ":1: [rule automatic]: not a rule's name (allowed: names of" },
	{ "[rule a]\nslot=\n", ":2: [rule a] slot: not understood (allowed: shell patterns" },
	{ "[rule a]\nmeid= , \n", ":2: [rule a] meid: not understood" },
	{ "[rule a]\nmode=com\n",
	  ":2: [rule a] mode: not understood (allowed: shell patterns with blanks or commas "
	  "between them that match brom or preloader)" },
	{ "[rule a]\nlabel=x\n", ":2: [rule a] label: not understood (allowed: KEY=PATTERN" },
	{ "[rule a]\naction=burn\n",
	  ":2: [rule a] action: not understood (allowed: backup, ignore)" },
	{ "[rule a]\nverify=twice\n", ":2: [rule a] verify: not understood (allowed: auto, none" },
	{ "[rule a]\nmethod=jtag\n",
	  ":2: [rule a] method: not understood (allowed: auto, brom, da)" },
	{ "[rule a]\npriority=1001\n",
	  ":2: [rule a] priority: out of range (allowed: -1000 to 1000)" },
	{ "[rule a]\nrebuild=maybe\n", ":2: [rule a] rebuild: not understood (allowed: yes, no)" },
	{ "[rule a]\nidentify-flash=2\n", ":2: [rule a] identify-flash: not understood" },
	{ "[rule a]\ntimeout=366d\n", ":2: [rule a] timeout: out of range (allowed: 0 (none) to" },
	{ "[rule a]\nda=../all.bin\n", ":2: [rule a] da: not understood (allowed: the name of" },
	{ "[rule a]\nda=fd:1\n", ":2: [rule a] da: not understood" },
	{ "[rule a]\nda=all.bin\nmethod=brom\n",
	  ":3: [rule a] method: method=brom has no use for da" },
	{ "[rule a]\nrepeat-after=soon\n", ":2: [rule a] repeat-after: not understood" },
	{ "[rule a]\nadd-label=rule=b\n",
	  ":2: [rule a] add-label: not understood (allowed: KEY=VALUE, up to 8 of them, not" },
	{ "[rule a]\nenabled=yes\n", ":2: [rule a] enabled: unknown key" },
	{ "[automatic]\nslot=a\n", ":2: [automatic] slot: unknown key" },
	{ "[daemon]\n# " HUNDRED("xy") "\n", ":2: []: the line is too long" },
	{ "[daemon]\nworkers=\xff\n", ": is not UTF-8 text" },
};

static void test_every_error(void **state)
{
	const struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct config config = { .workers = 99 };
		_cleanup_free_ char *error = NULL;

		put(place, "a.conf", wrong[i].text);
		assert_int_equal(config_load(place->path, true, &config, &error), -EINVAL);
		assert_non_null(error);
		assert_int_equal(strncmp(error, place->path, strlen(place->path)), 0);
		if (!strstr(error, wrong[i].error))
			fail_msg("expected %s, got %s", wrong[i].error, error);
		assert_null(strchr(error, '\n'));
		assert_int_equal(config.workers, 99);
	}
}

static void test_nul_and_size(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *error = NULL, *large = malloc(300 * 1024);
	struct config config;

	write_file(place, "a.conf", "[daemon]\n\0workers=x\n", 20);
	assert_int_equal(config_load(place->path, true, &config, &error), -EINVAL);
	assert_non_null(strstr(error, "is not UTF-8 text"));
	free(TAKE_PTR(error));

	assert_non_null(large);
	memset(large, '\n', 300 * 1024);
	write_file(place, "a.conf", large, 300 * 1024);
	assert_int_equal(config_load(place->path, true, &config, &error), -EFBIG);
	assert_non_null(strstr(error, "cannot be read"));
	free(TAKE_PTR(error));

	write_file(place, "a.conf", large, 256 * 1024);
	assert_int_equal(config_load(place->path, true, &config, &error), 0);
	config_clear(&config);
}

/* What we install must be readable, and say what the code does. */
static void test_shipped_file(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *text = NULL, *error = NULL;
	struct config shipped, uncommented;

	assert_int_equal(fd_read_file(AT_FDCWD, MTKRB_TEST_DATA "/../systemd/mtkrbd.conf", 65536,
				      &text, NULL),
			 0);
	put(place, "a.conf", text);
	load(place, &shipped);
	/* The defaults stand behind "#", without a space. */
	for (char *p = text; (p = strstr(p, "\n#")); p++)
		if (p[2] >= 'a' && p[2] <= 'z')
			p[1] = '\t';
	for (char *p = text; (p = strstr(p, "\n\t")); p++)
		memmove(p + 1, p + 2, strlen(p + 2) + 1);
	put(place, "a.conf", text);
	load(place, &uncommented);
	assert_int_equal(uncommented.slots.n, 1);
	assert_int_equal(uncommented.workers, shipped.workers);
	assert_int_equal(uncommented.log_level, shipped.log_level);
	assert_int_equal(uncommented.rules.automatic.action, shipped.rules.automatic.action);
	assert_int_equal(uncommented.rules.automatic.verify, shipped.rules.automatic.verify);
	assert_int_equal(uncommented.rules.automatic.after, shipped.rules.automatic.after);
	assert_int_equal(uncommented.rules.automatic.repeat_after_usec,
			 shipped.rules.automatic.repeat_after_usec);
	assert_int_equal(uncommented.rules.automatic.method, shipped.rules.automatic.method);
	assert_int_equal(uncommented.rules.automatic.priority, shipped.rules.automatic.priority);
	assert_int_equal(uncommented.rules.automatic.rebuild, shipped.rules.automatic.rebuild);
	assert_int_equal(uncommented.rules.automatic.identify_flash,
			 shipped.rules.automatic.identify_flash);
	assert_true(uncommented.rules.automatic.timeout == shipped.rules.automatic.timeout);
	assert_true(uncommented.handshake_timeout_usb == shipped.handshake_timeout_usb);
	assert_true(uncommented.handshake_timeout_uart == shipped.handshake_timeout_uart);
	assert_int_equal(uncommented.resume_timeout_usec, shipped.resume_timeout_usec);
	assert_int_equal(uncommented.free_space_floor, shipped.free_space_floor);
	assert_int_equal(uncommented.deduplicate, shipped.deduplicate);
	config_clear(&uncommented);
	config_clear(&shipped);
}

/* Its examples are ones that can be copied. */
static void test_shipped_examples(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *text = NULL;
	struct config config;

	assert_int_equal(fd_read_file(AT_FDCWD, MTKRB_TEST_DATA "/../systemd/mtkrbd.conf", 65536,
				      &text, NULL),
			 0);
	for (char *p = text; (p = strstr(p, "\n#   ")); p++)
		memmove(p + 1, p + 5, strlen(p + 5) + 1);
	put(place, "a.conf", text);
	load(place, &config);
	assert_int_equal(config.rules.n, 2);
	assert_string_equal(config.rules.list[0].name, "shelf");
	assert_int_equal(config.rules.list[0].action, RULE_IGNORE);
	assert_string_equal(config.rules.list[1].chip, "MT6260 MT2502");
	assert_int_equal(config.rules.list[1].after, AFTER_OFF);
	assert_int_equal(config.rules.list[1].n_job_labels, 2);
	assert_string_equal(config.rules.automatic.da, "MTK_AllInOne_DA.bin");
	assert_int_equal(config.slots.n, 2);
	assert_string_equal(config.slots.list[0].rule, "acme");
	assert_int_equal(config.slots.list[1].exclusion, SLOT_EXCLUDED);
	config_clear(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slots_and_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_drop_ins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nul_and_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shipped_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shipped_examples, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
