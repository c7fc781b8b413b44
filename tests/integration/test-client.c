/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What mtkrbctl asks, what it makes of the answers, and how it ends. */
#include "tests/integration/client-bench.h"

/* ---- Exit statuses ---- */

static void test_usage_is_2(void **state)
{
	static const struct {
		const char *arguments, *message, *hint;
	} cases[] = {
		{ "", "A verb is missing", "hint: see 'mtkrbctl --help'" },
		{ "prots", "unknown verb: prots", "hint: did you mean 'mtkrbctl ports'?" },
		{ "xyzzy", "unknown verb: xyzzy", "hint: see" },
		{ "submit --labl=a=b", "unknown option: --labl", "hint: did you mean --label?" },
		{ "submit --count=0", "--count=0: not a whole number", "hint: see" },
		{ "submit --count", "--count needs an argument", "hint: see" },
		{ "submit --da-layout=da1=0", "da1 needs OFFSET:LENGTH:ADDRESS", "hint: see" },
		{ "da lst x.bin", "lst: not list FILE, add FILE or remove NAME", "hint: see" },
		{ "da add", "add: not list FILE, add FILE or remove NAME", "hint: see" },
		{ "submit --length=0", "length", "hint: see" },
		{ "jobs --state=new", "--state=new: not one of", "hint: see" },
		{ "jobs --label=batch", "--label=batch: not KEY=VALUE", "hint: see" },
		{ "jobs --since=soon", "--since=soon: not a date", "hint: see" },
		{ "attach /dev/x --mode=da", "--mode=da: not one of", "hint: see" },
		{ "show", "show: missing ID", "hint: see" },
		{ "show 1x", "not a job's number: 1x", "hint: see" },
		{ "remove", "remove: missing ID", "hint: see" },
		{ "ports --json=1", "--json takes no argument", "hint: see" },
		{ "-H -oProxyCommand=x status", "not a host: '-oProxyCommand=x'", "hint: as in" },
		{ "status --host=", "not a host: ''", "hint: as in" },
		{ "--socket=x -H y status", "--host does not go with --socket", "hint: see" },
		{ "-H y status --socket=x", "--socket does not go with --host", "hint: see" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(outcome_clear) struct outcome outcome =
			client_run(*state, cases[i].arguments);

		assert_int_equal(outcome.status, 2);
		assert_string_equal(outcome.out, "");
		assert_contains(outcome.err, cases[i].message);
		assert_contains(outcome.err, cases[i].hint);
	}
}

static void test_help_for_every_verb(void **state)
{
	static const char *const names[] = {
		"status", "ports",  "attach", "detach",  "submit", "batch",  "jobs",   "show",
		"follow", "cancel", "retry",  "backups", "backup", "verify", "remove", "monitor",
	};
	_cleanup_(outcome_clear) struct outcome program = client_run(*state, "--help");
	_cleanup_(outcome_clear) struct outcome version = client_run(*state, "--version");

	assert_int_equal(program.status, 0);
	assert_string_equal(version.out, "mtkrbctl " MTKRB_VERSION "\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *arguments = str_format("%s --help", names[i]);
		_cleanup_free_ char *usage = str_format("Usage: mtkrbctl %s", names[i]);
		_cleanup_free_ char *listed = str_format("\n  %s ", names[i]);
		_cleanup_(outcome_clear) struct outcome outcome = client_run(*state, arguments);

		assert_int_equal(outcome.status, 0);
		assert_contains(outcome.out, usage);
		assert_contains(outcome.out, "--socket=PATH");
		assert_contains(program.out, listed);
	}
}

static void test_no_daemon_is_3(void **state)
{
	struct bench *bench = *state;
	_cleanup_(outcome_clear) struct outcome missing = client_run(bench, "status");
	_cleanup_(outcome_clear) struct outcome stale = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(missing.status, 3);
	assert_contains(missing.err, bench->socket);
	assert_contains(missing.err, "hint: start it (systemctl start mtkrbd)");

	strcpy(address.sun_path, bench->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	stale = client_run(bench, "ports --json");
	assert_int_equal(stale.status, 3);
	assert_string_equal(stale.out, "");
	assert_contains(stale.err, "nobody listens");
}

static void test_socket_without_permission_is_5(void **state)
{
	static const struct step none[] = { { 0 } };
	struct bench *bench = *state;
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct running running;

	bench_start(bench, none);
	bench_finish(bench);
	assert_int_equal(chmod(bench->folder, 0755), 0);
	assert_int_equal(chmod(bench->socket, 0000), 0);
	running = client_start(bench, "status", geteuid() == 0);
	outcome = client_end(&running);
	assert_int_equal(outcome.status, 5);
	assert_contains(outcome.err, bench->socket);
	assert_contains(outcome.err, "hint: the socket is for members of the group mtkrb");
}

static void test_errors_of_the_daemon(void **state)
{
	static const struct {
		const char *arguments, *method, *parameters, *reply;
		int status;
		const char *message;
	} cases[] = {
		{ "show 9", "GetJob", "{\"id\":9}", ERROR(OURS("NoSuchJob"), "{\"id\":9}"), 4,
		  "no such job: 9" },
		{ "cancel 9 --json", "Cancel", "{\"id\":9}", ERROR(OURS("NoSuchJob"), "{\"id\":9}"),
		  4, "no such job: 9" },
		{ "remove b", "RemoveBackup", "{\"id\":\"b\"}",
		  ERROR(OURS("NoSuchBackup"), "{\"id\":\"b\"}"), 4, "no such backup: b" },
		{ "attach /dev/x", "Attach", "{\"device\":\"/dev/x\"}",
		  ERROR(OURS("NoSuchPort"), "{\"device\":\"/dev/x\"}"), 4,
		  "no such device: /dev/x" },
		{ "detach /dev/x", "Detach", "{\"device\":\"/dev/x\"}",
		  ERROR(OURS("NoSuchPort"), "{\"device\":\"/dev/x\"}"), 4, "no such port: /dev/x" },
		{ "cancel 9", "Cancel", "{\"id\":9}",
		  ERROR("org.varlink.service.PermissionDenied", "{}"), 5, "does not permit" },
		{ "retry 9", "Retry", "{\"id\":9}",
		  ERROR(OURS("WrongState"), "{\"id\":9,\"state\":\"done\"}"), 6,
		  "cannot retry job 9: it is done" },
		{ "attach /dev/x", "Attach", "{\"device\":\"/dev/x\"}",
		  ERROR(OURS("InvalidRequest"),
			"{\"field\":\"device\",\"message\":\"is \\u001b[2J\\u009bno terminal\"}"),
		  6, "device: is ?[2J?no terminal" },
		{ "attach /dev/x", "Attach", "{\"device\":\"/dev/x\"}",
		  ERROR(OURS("InvalidRequest"),
			"{\"field\":\"device\",\"message\":\"is on the bench already\"}"),
		  6, "hint: 'mtkrbctl ports'" },
		{ "ports", "ListPorts", "{}",
		  ERROR(OURS("LimitReached"), "{\"limit\":\"connections\",\"value\":256}"), 6,
		  "limit connections (256) reached" },
		{ "status", "GetStatus", "{}", ERROR(OURS("Failed"), "{\"message\":\"disk\"}"), 6,
		  "could not do GetStatus: disk" },
		{ "status", "GetStatus", "{}",
		  ERROR("org.varlink.service.MethodNotFound", "{\"method\":\"GetStatus\"}"), 6,
		  "does not know the method GetStatus" },
		{ "ports", "ListPorts", "{}", PARAMETERS("{\"ports\":[{}]}"), 3,
		  "cannot make sense of the daemon's answer to ListPorts" },
		{ "ports", "ListPorts", "{}", "[]", 3,
		  "cannot make sense of the daemon's answer to ListPorts" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct step steps[] = {
			{ cases[i].method, cases[i].parameters, .replies = { cases[i].reply } },
			{ 0 },
		};

		expect(state, steps, cases[i].arguments, cases[i].status, "", cases[i].message);
	}
}

static void test_daemon_that_hangs_up_is_3(void **state)
{
	static const struct step steps[] = { { "GetStatus", "{}", .hang_up = true }, { 0 } };

	expect(state, steps, "status", 3, "", "went away without an answer to GetStatus");
}

/* ---- What is shown ---- */

static void test_status(void **state)
{
#define STATUS                                                  \
	"{\"version\":\"0.1.0\",\"uptime\":3725.5,\"ports\":2," \
	"\"jobs\":{\"running\":1,\"done\":12},\"free\":1073741824}"
	static const struct step steps[] = {
		{ "GetStatus", "{}", .replies = { PARAMETERS(STATUS) } },
		{ 0 },
	};
	struct bench *bench = *state;
	_cleanup_free_ char *out = str_format("mtkrbd  0.1.0, up 1 h 2 min\n"
					      "socket  %s\n"
					      " ports  2\n"
					      "  jobs  1 running, 12 done\n"
					      "  free  1.0 GiB\n",
					      bench->socket);

	expect(state, steps, "status", 0, out, NULL);
	expect(state, steps, "--json status", 0, STATUS "\n", NULL);
}

static void test_ports(void **state)
{
	static const struct step steps[] = {
		{ "ListPorts", "{}", .replies = { PARAMETERS("{\"ports\":[" PORT "]}") } },
		{ 0 },
	};
	static const struct step none[] = {
		{ "ListPorts", "{}", .replies = { PARAMETERS("{\"ports\":[]}") } },
		{ 0 },
	};

	expect(state, steps, "ports", 0,
	       "SLOT     DEVICE        MODE  STATE  CHIP    ME ID     JOB\n"
	       "usb-0:2  /dev/ttyACM0  brom  busy   MT6261  ccddeeff    7\n",
	       NULL);
	expect(state, steps, "ports --json", 0, "{\"ports\":[" PORT "]}\n", NULL);
	expect(state, none, "ports", 0, "", "No ports.");
	expect(state, none, "ports --quiet", 0, "", NULL);
}

static void test_attach_makes_the_path_absolute(void **state)
{
	_cleanup_free_ char *folder = getcwd(NULL, 0);
	_cleanup_free_ char *parameters =
		str_format("{\"device\":\"%s/pty\",\"mode\":\"brom\",\"slot\":\"left\"}", folder);
	const struct step steps[] = {
		{ "Attach", parameters, .replies = { PARAMETERS("{\"port\":" PORT "}") } },
		{ 0 },
	};

	expect(state, steps, "attach pty --slot=left --mode=brom", 0,
	       "/dev/ttyACM0 attached as usb-0:2\n", NULL);
}

static void test_submit(void **state)
{
#define REQUEST(rest) \
	"{\"request\":{\"ranges\":[{\"name\":\"A\",\"start\":16,\"length\":1024}]," rest "}}"
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	static const struct step steps[] = {
		{ "Submit",
		  REQUEST("\"method\":\"brom\",\"verify\":\"full\",\"rebuild\":false,"
			  "\"slot\":\"left\",\"count\":2,\"priority\":-5,"
			  "\"labels\":{\"ticket\":\"47=11\"},\"timeout\":600.0,\"after\":\"off\""),
		  .replies = { PARAMETERS("{\"jobs\":[7,8]}") } },
		{ 0 },
	};
#define SUBMIT                                                                                     \
	"submit --range=A:0x10:1K --method=brom --verify=full --no-rebuild --slot=left --count=2 " \
	"--priority=-5 --label=ticket=47=11 --timeout=10min --after=off"

	expect(state, steps, SUBMIT, 0, "7\n8\n", NULL);
	expect(state, steps, SUBMIT " --json", 0, "{\"jobs\":[7,8]}\n", NULL);
}

static void test_jobs_are_fetched_in_pieces(void **state)
{
#define UNFINISHED "\"states\":[\"queued\",\"running\",\"waiting\"],"
	static const struct step steps[] = {
		{ "ListJobs", "{" UNFINISHED "\"limit\":1000}",
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(9, "running", READ_AT(45)) "," JOB(
			  8, "queued", "") "]}") } },
		{ "ListJobs", "{" UNFINISHED "\"limit\":998,\"before\":8}",
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(3, "waiting", "") "]}") } },
		{ "ListJobs", "{" UNFINISHED "\"limit\":997,\"before\":3}",
		  .replies = { PARAMETERS("{\"jobs\":[]}") } },
		{ 0 },
	};
	static const struct step endless[] = {
		{ "ListJobs", "{\"limit\":1000}",
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(9, "done", "") "]}") } },
		{ "ListJobs", "{\"limit\":999,\"before\":9}",
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(9, "done", "") "]}") } },
		{ 0 },
	};

	expect(state, steps, "jobs --json", 0,
	       "{\"jobs\":[" JOB(9, "running", READ_AT(45)) "," JOB(8, "queued", "") "," JOB(
		       3, "waiting", "") "]}\n",
	       NULL);
	expect(state, endless, "jobs --all", 3, "", "the newest first");
}

/* Whoever asks for a label or a time wants what has ended too. */
static void test_jobs_by_label_and_time(void **state)
{
#define CHOSEN "\"labels\":{\"batch\":\"a=b\",\"ticket\":\"7\"},\"since\":\"2026-11-23T00:00:00Z\"}"
	static const struct step steps[] = {
		{ "ListJobs", "{\"limit\":1000," CHOSEN,
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(9, "done", "") "]}") } },
		{ "ListJobs", "{\"limit\":999,\"before\":9," CHOSEN,
		  .replies = { PARAMETERS("{\"jobs\":[]}") } },
		{ 0 },
	};

	expect(state, steps, "jobs --json --label=batch=a=b --label=ticket=7 --since=2026-11-23", 0,
	       "{\"jobs\":[" JOB(9, "done", "") "]}\n", NULL);
}

static void test_jobs_table(void **state)
{
	static const struct step steps[] = {
		{ "ListJobs", "{\"states\":[\"running\",\"failed\"],\"limit\":2}",
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(19, "running", READ_AT(45)) "," JOB(
			  8, "failed", NO_WATCH) "]}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct bench *bench = *state;

	bench_start(bench, steps);
	outcome = client_run(bench, "jobs --state=failed --state=running --limit=2");
	assert_int_equal(outcome.status, 0);
	assert_contains(outcome.out, "ID  STATE    SLOT  CHIP  PROGRESS");
	assert_contains(outcome.out, "19  running  -     -     read 45 %, 0:05");
	assert_contains(outcome.out, " 8  failed   -     -     handshake-timeout");
	bench_finish(bench);
}

static void test_show(void **state)
{
	static const struct step steps[] = {
		{ "GetJob", "{\"id\":7}",
		  .replies = { PARAMETERS(
			  "{\"job\":" JOB(7, "failed", ",\"port\":" PORT NO_WATCH) "}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct bench *bench = *state;

	bench_start(bench, steps);
	outcome = client_run(bench, "show 7");
	assert_int_equal(outcome.status, 0);
	assert_contains(outcome.out, "     job  7\n");
	assert_contains(outcome.out, "   state  failed\n");
	assert_contains(outcome.out, " failure  handshake-timeout\n");
	assert_contains(outcome.out, "  reason  no answer on usb-0:2\n");
	assert_contains(outcome.out, "    hint  hold the boot key\n");
	assert_contains(outcome.out, "   ME ID  00112233445566778899aabbccddeeff\n");
	bench_finish(bench);
}

static void test_backups(void **state)
{
	static const struct step steps[] = {
		{ "ListBackups",
		  "{\"chip\":\"MT6261\",\"labels\":{\"ticket\":\"4711\"},"
		  "\"since\":\"2026-11-23T00:00:00Z\"}",
		  .replies = { PARAMETERS("{\"backups\":[" BACKUP("/b") "]}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct bench *bench = *state;

	bench_start(bench, steps);
	outcome = client_run(bench, "backups --chip=MT6261 --label=ticket=4711 --since=2026-11-23");
	if (outcome.status)
		print_error("%s", outcome.err);
	assert_int_equal(outcome.status, 0);
	assert_contains(outcome.out, BACKUP_ID "  MT6261  4.0 MiB");
	assert_contains(outcome.out, "  ticket=4711    97 %  -\n");
	bench_finish(bench);
}

static void test_backup_is_found_by_its_id(void **state)
{
	static const struct step steps[] = {
		{ "GetBackup", "{\"id\":\"" BACKUP_ID "\"}",
		  .replies = { PARAMETERS("{\"backup\":" BACKUP("/nowhere") "}") } },
		{ 0 },
	};

	expect(state, steps, "backup " BACKUP_ID " --json", 0,
	       "{\"backup\":" BACKUP("/nowhere") "}\n", NULL);
}

/* What cannot be meant is said with its word, and nobody is asked. */
static void test_wrong_words(void **state)
{
	static const struct step steps[] = { { 0 } };

	expect(state, steps, "submit --label=a=\x1b[31m", 2, "", "--label=a=?[31m: a key is");
	expect(state, steps, "submit --label=a=1 --label=a=2", 2, "", "--label=a=2: this key is");
	expect(state, steps, "backup \xff", 2, "", "not UTF-8");
	expect(state, steps, "slot forget \xff", 2, "", "not UTF-8");
	expect(state, steps, "batch start \xff", 2, "", "'?' cannot be the name of a batch");
	expect(state, steps, "backups --before=yesterday", 2, "",
	       "--before=yesterday: not the id of a backup");
}

#define DUE "{\"not_verified_since\":\"9999-12-31T23:59:59Z\",\"limit\":100}"

/* Where the daemon's clock leaves a backup on the list, it is read once all the same. */
static void test_verify_once(void **state)
{
	static const struct step steps[] = {
		{ "ListBackups", DUE,
		  .replies = { PARAMETERS("{\"backups\":[" BACKUP("/x") "],\"more\":true}") } },
		{ "VerifyBackup", "{\"id\":\"" BACKUP_ID "\"}",
		  .replies = { PARAMETERS("{\"ok\":true}") } },
		{ "ListBackups", DUE,
		  .replies = { PARAMETERS("{\"backups\":[" BACKUP("/x") "],\"more\":true}") } },
		{ 0 },
	};

	expect(state, steps, "verify --all", 0, BACKUP_ID ": ok\n", "1 verified, 0 damaged.");
}

/* What was not asked is not counted either; --all does not undo what is asked for. */
static void test_verify_refused(void **state)
{
	static const struct step steps[] = {
		{ "ListBackups", "{\"not_verified_since\":\"2026-11-01T00:00:00Z\",\"limit\":100}",
		  .replies = { ERROR("org.varlink.service.InvalidParameter",
				     "{\"parameter\":\"limit\"}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };

	bench_start(*state, steps);
	outcome = client_run(*state, "verify --older-than=2026-11-01T00:00:00Z --all");
	assert_int_not_equal(outcome.status, 0);
	assert_null(strstr(outcome.err, "verified"));
	bench_finish(*state);
}

static void test_verify(void **state)
{
	static const struct step steps[] = {
		{ "VerifyBackup", "{\"id\":\"a\"}", .replies = { PARAMETERS("{\"ok\":true}") } },
		{ "VerifyBackup", "{\"id\":\"b\"}",
		  .replies = { PARAMETERS("{\"ok\":false,\"detail\":\"ROM_0 differs\"}") } },
		{ 0 },
	};

	expect(state, steps, "verify a b", 1, "a: ok\n", "backup b is damaged: ROM_0 differs");
	expect(state, steps, "verify a b --json", 1,
	       "{\"ok\":true,\"id\":\"a\"}\n"
	       "{\"ok\":false,\"detail\":\"ROM_0 differs\",\"id\":\"b\"}\n",
	       "hint: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_usage_is_2),
		BENCH_TEST(test_help_for_every_verb),
		BENCH_TEST(test_no_daemon_is_3),
		BENCH_TEST(test_socket_without_permission_is_5),
		BENCH_TEST(test_errors_of_the_daemon),
		BENCH_TEST(test_daemon_that_hangs_up_is_3),
		BENCH_TEST(test_status),
		BENCH_TEST(test_ports),
		BENCH_TEST(test_attach_makes_the_path_absolute),
		BENCH_TEST(test_submit),
		BENCH_TEST(test_jobs_are_fetched_in_pieces),
		BENCH_TEST(test_jobs_by_label_and_time),
		BENCH_TEST(test_jobs_table),
		BENCH_TEST(test_show),
		BENCH_TEST(test_backups),
		BENCH_TEST(test_backup_is_found_by_its_id),
		BENCH_TEST(test_verify),
		BENCH_TEST(test_wrong_words),
		BENCH_TEST(test_verify_once),
		BENCH_TEST(test_verify_refused),
	};

	if (!getenv("MTKRB_BIN_DIR")) {
		fputs("MTKRB_BIN_DIR must name the folder of mtkrbctl\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
