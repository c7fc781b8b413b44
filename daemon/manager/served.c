/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/served.h"

#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/control/batch.h"

#define SERVED_MAX 1024U

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

static struct served_watch *find_oldest(struct served *served)
{
	struct served_watch *oldest = &served->watches[0];

	for (size_t i = 1; i < served->n; i++)
		if (served->watches[i].until < oldest->until)
			oldest = &served->watches[i];
	return oldest;
}

/* Its place: that of the same watch for the same jobs, a new one, or that of the oldest; NULL: no memory. */
static struct served_watch *find_place(struct served *served, const struct served_watch *watch)
{
	struct served_watch *grown;

	for (size_t i = 0; i < served->n; i++) {
		struct served_watch *other = &served->watches[i];

		if (streq(other->meid, watch->meid) && streq_ptr(other->ticket, watch->ticket) &&
		    (watch->batch ? streq_ptr(other->batch, watch->batch)
				  : other->created == watch->created))
			return other;
	}
	if (served->n == SERVED_MAX)
		return find_oldest(served);
	grown = reallocarray(served->watches, served->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	served->watches = grown;
	grown[served->n] = (struct served_watch){ 0 };
	return &grown[served->n++];
}

void served_add(struct served *served, const struct job *job)
{
	struct served_watch watch = { .job = job->id,
				      .created = job->created,
				      .until = time_now() + SERVED_USEC };
	struct served_watch *place = NULL;

	if (!job->port.meid || job->request.after == AFTER_STAY)
		return;
	served_forget_old(served);
	if (describe(&watch, job) >= 0)
		place = find_place(served, &watch);
	if (!place) {
		forget(&watch);
		return;
	}
	forget(place);
	*place = watch;
}

void served_seen(struct served *served, const char *meid)
{
	for (size_t i = 0; i < served->n; i++)
		if (streq_ptr(served->watches[i].meid, meid))
			served->watches[i].until = time_now() + SERVED_USEC;
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
