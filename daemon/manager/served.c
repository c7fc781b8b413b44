/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/served.h"

#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/batch.h"

/* Without its battery a watch stays in the boot ROM for two minutes each time. */
#define KEPT_USEC (600 * USEC_PER_SEC)

static void forget(struct served_watch *watch)
{
	free(watch->meid);
	free(watch->batch);
	free(watch->ticket);
}

void served_clear(struct served *served)
{
	for (size_t i = 0; i < served->n; i++)
		forget(&served->watches[i]);
	free(served->watches);
	*served = (struct served){ 0 };
}

static int describe(struct served_watch *watch, const struct job *job)
{
	const struct job_request *request = &job->request;
	int r = str_replace(&watch->meid, job->port.meid);

	if (r >= 0)
		r = str_replace(&watch->batch,
				labels_get(request->labels, request->n_labels, LABEL_BATCH));
	if (r >= 0)
		r = str_replace(&watch->ticket,
				labels_get(request->labels, request->n_labels, LABEL_TICKET));
	return r;
}

void served_add(struct served *served, const struct job *job)
{
	struct served_watch watch = { .created = job->created, .until = time_now() + KEPT_USEC };
	struct served_watch *grown;

	if (!job->port.meid)
		return;
	served_forget_old(served);
	grown = reallocarray(served->watches, served->n + 1, sizeof(*grown));
	if (grown)
		served->watches = grown;
	if (!grown || describe(&watch, job) < 0) {
		forget(&watch);
		return;
	}
	served->watches[served->n++] = watch;
}

void served_seen(struct served *served, const char *meid)
{
	for (size_t i = 0; i < served->n; i++)
		if (streq_ptr(served->watches[i].meid, meid))
			served->watches[i].until = time_now() + KEPT_USEC;
}

void served_forget_old(struct served *served)
{
	uint64_t now = time_now();
	size_t n = 0;

	for (size_t i = 0; i < served->n; i++) {
		if (served->watches[i].until > now)
			served->watches[n++] = served->watches[i];
		else
			forget(&served->watches[i]);
	}
	served->n = n;
}
