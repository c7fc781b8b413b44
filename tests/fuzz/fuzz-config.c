/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbd.conf. */

#include <sys/mman.h>

#include "daemon/config/config.h"
#include "protocol/base/fd.h"
#include "tests/fuzz/fuzz.h"

/* Each rule makes a job, whatever slot it is in: all their labels fit on it. */
static void make_jobs(const struct rules *rules, const struct slot_setting *setting)
{
	const struct rule_subject subject = {
		.slot = setting->name,
		.labels = setting->labels,
		.n_labels = setting->n_labels,
		.bound = setting->rule,
	};
	const struct rule_verdict verdict = rules_decide(rules, &subject, NULL);

	/* Nothing that is configured is bound to what is not there. */
	fuzz_require(verdict.rule || verdict.identify);
	for (size_t i = 0; i <= rules->n; i++) {
		struct job_request request = { 0 };

		fuzz_require(rule_request(i < rules->n ? &rules->list[i] : &rules->automatic,
					  &subject, &request) == 0);
		job_request_clear(&request);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("mtkrbd.conf", MFD_CLOEXEC);
	_cleanup_free_ char *why = NULL;
	struct config config = { 0 };
	char path[64];

	fuzz_require(fd >= 0 && fd_write_all(fd, data, size) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, true, &config, &why) < 0) {
		fuzz_require(why);
		return 0;
	}
	fuzz_require(config.workers > 0);
	for (size_t i = 0; i < config.slots.n; i++) {
		fuzz_require(config.slots.list[i].name && config.slots.list[i].place);
		make_jobs(&config.rules, &config.slots.list[i]);
	}
	config_clear(&config);
	return 0;
}
