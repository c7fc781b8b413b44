/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbd: reads its arguments and configuration, wires the parts together, runs the loop. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/log-ids.h"
#include "daemon/log.h"
#include "daemon/manager/manager.h"
#include "daemon/manager/status.h"
#include "daemon/methods/control.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define DEFAULT_CONFIG "/etc/mtkrbd/mtkrbd.conf"
#define DEFAULT_STATE  "/var/lib/mtkrbd"
#define DEFAULT_SOCKET "/run/mtkrbd/mtkrbd.sock"

struct arguments {
	const char *config;
	const char *state_directory;
	const char *socket;
	int log_level; /* negative: as the configuration says */
	bool udev;
};

struct program {
	struct arguments arguments;
	sd_event *event;
	struct manager *manager;
	struct control *control;
};

static const char help[] =
	"Usage: mtkrbd [OPTION...]\n"
	"Backs up the flash of MediaTek watches that are plugged in, and runs queued readback "
	"jobs.\n"
	"\n"
	"  --config=FILE           configuration (default " DEFAULT_CONFIG ",\n"
	"                          with the *.conf of FILE.d behind it)\n"
	"  --state-directory=DIR   jobs and backups (default " DEFAULT_STATE ")\n"
	"  --socket=PATH           control socket (default " DEFAULT_SOCKET ")\n"
	"  --no-udev               do not watch for ports; they are attached by mtkrbctl attach\n"
	"  --log-level=LEVEL       error, warning, notice, info or debug\n"
	"  --version, --help\n"
	"\n"
	"Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads the configuration again.\n";

/* 1 to go on, 0 when all is said, negative for usage. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	enum { CONFIG = 256, STATE, SOCKET, NO_UDEV, LOG_LEVEL, VERSION, HELP };
	static const struct option options[] = {
		{ "config", required_argument, NULL, CONFIG },
		{ "state-directory", required_argument, NULL, STATE },
		{ "socket", required_argument, NULL, SOCKET },
		{ "no-udev", no_argument, NULL, NO_UDEV },
		{ "log-level", required_argument, NULL, LOG_LEVEL },
		{ "version", no_argument, NULL, VERSION },
		{ "help", no_argument, NULL, HELP },
		{ 0 },
	};
	int option;

	*ret = (struct arguments){ NULL, DEFAULT_STATE, DEFAULT_SOCKET, -1, true };
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case CONFIG:
			ret->config = optarg;
			break;
		case STATE:
			ret->state_directory = optarg;
			break;
		case SOCKET:
			ret->socket = optarg;
			break;
		case NO_UDEV:
			ret->udev = false;
			break;
		case LOG_LEVEL:
			if (log_level_from_string(optarg, &ret->log_level) < 0) {
				fprintf(stderr, "mtkrbd: --log-level=%s: not a level\n", optarg);
				return -EINVAL;
			}
			break;
		case VERSION:
			printf("mtkrbd %s\n", MTKRB_VERSION);
			return 0;
		case 'h':
		case HELP:
			fputs(help, stdout);
			return 0;
		default:
			return -EINVAL;
		}
	if (optind < argc) {
		fprintf(stderr, "mtkrbd: unexpected argument %s (see --help)\n", argv[optind]);
		return -EINVAL;
	}
	return 1;
}

static int load_config(const struct arguments *arguments, struct config *ret)
{
	_cleanup_free_ char *error = NULL;
	int r = config_load(arguments->config ?: DEFAULT_CONFIG, arguments->config, ret, &error);

	if (r < 0) {
		log_error("%s", error ?: strerrordesc_np(-r));
		return r;
	}
	log_set_level(arguments->log_level >= 0 ? arguments->log_level : ret->log_level);
	return 0;
}

/* One beside us in a build tree, else in the libexec folder of whatever prefix we are in. */
static char *find_program(const char *name)
{
	static const char *const places[] = { "", "../libexec/mtkrbd/" };
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n <= 0)
		return str_format("%s/%s", MTKRB_LIBEXEC, name);
	program[n] = '\0';
	*strrchr(program, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *path = str_format("%s/%s%s", program, places[i], name);

		if (path && access(path, X_OK) >= 0)
			return path;
		free(path);
	}
	return str_format("%s/%s", MTKRB_LIBEXEC, name);
}

/* The hooks' socket is beside the control socket, so that a daemon by hand does not meet the system's. */
static char *hooks_socket(const char *control)
{
	const char *slash = strrchr(control, '/');

	return str_format("%.*shooks.sock", slash ? (int)(slash + 1 - control) : 0, control);
}

/* ---- signals ---- */

static int on_stop(_unused_ sd_event_source *source, const struct signalfd_siginfo *info,
		   void *userdata)
{
	struct program *program = userdata;

	log_event(LOG_INFO, &(struct log_context){ .id = LOG_ID_STOPPING }, "%s: stopping",
		  strsignal((int)info->ssi_signo));
	status_stopping();
	manager_stop(program->manager);
	return 0;
}

static int on_reload(_unused_ sd_event_source *source, const struct signalfd_siginfo *info,
		     void *userdata)
{
	struct program *program = userdata;
	struct config config = { 0 };

	status_reloading();
	if (load_config(&program->arguments, &config) >= 0) {
		manager_reconfigure(program->manager, &config);
		manager_audit(program->manager, info->ssi_uid, AUDIT_RELOAD, NULL, NULL);
		log_event(LOG_INFO, &(struct log_context){ .id = LOG_ID_CONFIG_READ },
			  "configuration read again");
	} else
		log_event(LOG_ERR, &(struct log_context){ .id = LOG_ID_CONFIG_BROKEN },
			  "the configuration is broken; the old one stays in use");
	status_ready();
	return 0;
}

static int add_signals(struct program *program)
{
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD); /* sd-event reaps the workers */
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(program->event, NULL, SIGTERM, on_stop, program);
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGINT, on_stop, program);
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGHUP, on_reload, program);
	return r;
}

/* ---- wiring ---- */

/* The socket that systemd opened for us, else our own. */
static int open_socket(struct program *program)
{
	const char *path = program->arguments.socket;
	int r, n = sd_listen_fds(1);

	if (n > 1) {
		log_error("systemd handed over %d sockets, one is needed", n);
		return -EINVAL;
	}
	if (n == 1) {
		r = control_adopt(program->control, SD_LISTEN_FDS_START);
		if (r < 0)
			log_error("the inherited socket cannot be used: %s", strerrordesc_np(-r));
		return r;
	}
	r = control_listen(program->control, path);
	if (r == -EADDRINUSE)
		log_error("%s: a daemon answers on this socket already (give --socket=PATH)", path);
	else if (r < 0)
		log_error("%s: %s", path, strerrordesc_np(-r));
	return r;
}

static int set_up(struct program *program)
{
	struct manager_options options = { .state_directory = program->arguments.state_directory,
					   .udev = program->arguments.udev };
	_cleanup_free_ char *worker = find_program("mtkrbd-worker"), *error = NULL;
	_cleanup_free_ char *hook = find_program("mtkrbd-hook");
	_cleanup_free_ char *socket = hooks_socket(program->arguments.socket);
	struct config config = { 0 };
	int r;

	r = load_config(&program->arguments, &config);
	if (r < 0)
		return r;
	options.worker = worker;
	options.hook = hook;
	options.hooks_socket = socket;
	r = worker && hook && socket ? sd_event_new(&program->event) : -ENOMEM;
	if (r >= 0)
		r = add_signals(program);
	if (r >= 0)
		r = sd_event_set_watchdog(program->event, true);
	if (r >= 0)
		r = manager_new(program->event, &options, &config, &program->manager, &error);
	config_clear(&config);
	if (r < 0) {
		log_error("%s", error ?: strerrordesc_np(-r));
		return r;
	}
	r = control_new(program->event, program->manager, &program->control);
	if (r < 0)
		return r;
	r = open_socket(program);
	return r < 0 ? r : manager_start(program->manager);
}

static void tear_down(struct program *program)
{
	control_free(program->control);
	manager_free(program->manager);
	sd_event_unref(program->event);
}

/* sysexits: a restart does not mend a broken configuration. */
static int exit_status(int error)
{
	return error == -EINVAL ? EX_CONFIG : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	_cleanup_(tear_down) struct program program = { 0 };
	int r;

	r = parse_arguments(argc, argv, &program.arguments);
	if (r <= 0)
		return r < 0 ? EX_USAGE : EXIT_SUCCESS;
	(void)umask(027);
	r = set_up(&program);
	if (r < 0) {
		log_event(LOG_ERR, &(struct log_context){ .id = LOG_ID_START_FAILED },
			  "mtkrbd cannot start; the line above says why");
		return exit_status(r);
	}
	status_ready();
	log_event(LOG_INFO, &(struct log_context){ .id = LOG_ID_STARTED }, "mtkrbd %s ready",
		  MTKRB_VERSION);
	r = sd_event_loop(program.event);
	if (r < 0)
		log_error("event loop: %s", strerrordesc_np(-r));
	return r < 0 ? EXIT_FAILURE : r;
}
