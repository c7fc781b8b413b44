/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/queue.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"

struct entry {
	struct job job;
	bool pending;           /* the job's state is not in the store yet */
	uint64_t waiting_since; /* monotonic, of JOB_WAITING */
	struct backup backup;   /* goes into the store with the job; id NULL: none */
	bool cancelled;         /* by cancelled_by, which the audit does not say yet */
	uid_t cancelled_by;
};

struct queue {
	struct store *store;
	queue_changed changed;
	queue_hooked hooked; /* NULL: no programs run after a job */
	void *userdata;
	struct entry **entries;  /* by id, ascending */
	const struct job **jobs; /* the same jobs, as queue_jobs shows them */
	size_t n, room;
	size_t n_pending;
};

static void entry_free(struct entry *entry)
{
	job_clear(&entry->job);
	backup_clear(&entry->backup);
	free(entry);
}

static int queue_reserve(struct queue *queue, size_t more)
{
	size_t room = queue->n + more;
	struct entry **entries;
	const struct job **jobs;

	if (room <= queue->room)
		return 0;
	room = MAX_OF(room, queue->room * 2);
	entries = reallocarray(queue->entries, room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	queue->entries = entries;
	jobs = reallocarray(queue->jobs, room, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	queue->jobs = jobs;
	queue->room = room;
	return 0;
}

/* Takes the job's content; room was reserved. Ids mostly ascend, so the search from the end is short. */
static int queue_insert(struct queue *queue, struct job *job, struct entry **ret)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	size_t at = queue->n;

	if (!entry)
		return -ENOMEM;
	entry->job = *job;
	*job = (struct job){ 0 };
	entry->waiting_since = time_now();
	for (; at > 0 && queue->entries[at - 1]->job.id > entry->job.id; at--) {
		queue->entries[at] = queue->entries[at - 1];
		queue->jobs[at] = queue->jobs[at - 1];
	}
	queue->entries[at] = entry;
	queue->jobs[at] = &entry->job;
	queue->n++;
	if (ret)
		*ret = entry;
	return 0;
}

static size_t queue_index(const struct queue *queue, int64_t id)
{
	size_t low = 0, high = queue->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (queue->entries[middle]->job.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < queue->n && queue->entries[low]->job.id == id ? low : SIZE_MAX;
}

static struct entry *queue_entry(const struct queue *queue, int64_t id)
{
	size_t i = queue_index(queue, id);

	return i == SIZE_MAX ? NULL : queue->entries[i];
}

static void queue_drop(struct queue *queue, struct entry *entry)
{
	size_t i = queue_index(queue, entry->job.id);

	queue->n--;
	memmove(queue->entries + i, queue->entries + i + 1,
		(queue->n - i) * sizeof(*queue->entries));
	memmove(queue->jobs + i, queue->jobs + i + 1, (queue->n - i) * sizeof(*queue->jobs));
	entry_free(entry);
}

int queue_new(struct store *store, queue_changed changed, void *userdata, struct queue **ret)
{
	_cleanup_(queue_freep) struct queue *queue = calloc(1, sizeof(*queue));
	struct job *jobs = NULL;
	size_t n = 0;
	int r;

	if (!queue)
		return -ENOMEM;
	*queue = (struct queue){ .store = store, .changed = changed, .userdata = userdata };
	r = store_load_unfinished(store, &jobs, &n);
	if (r >= 0)
		r = queue_reserve(queue, n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = queue_insert(queue, &jobs[i], NULL);
	for (size_t i = 0; i < n; i++)
		job_clear(&jobs[i]);
	free(jobs);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(queue);
	return 0;
}

void queue_set_hooked(struct queue *queue, queue_hooked hooked)
{
	queue->hooked = hooked;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	for (size_t i = 0; i < queue->n; i++)
		entry_free(queue->entries[i]);
	free(queue->entries);
	free(queue->jobs);
	free(queue);
}

static int make_jobs(const struct job_request *request, uid_t owner, struct job *jobs, size_t n)
{
	uint64_t now = time_real();

	for (size_t i = 0; i < n; i++) {
		int r = job_request_copy(request, &jobs[i].request);

		if (r < 0)
			return r;
		jobs[i].request.count = 1;
		jobs[i].owner = owner;
		jobs[i].created = jobs[i].asked = now;
	}
	return 0;
}

static int add_jobs(struct queue *queue, struct job *jobs, size_t n, int64_t *ret_ids)
{
	int r;

	r = queue_reserve(queue, n);
	if (r < 0)
		return r;
	r = store_submit_jobs(queue->store, jobs, n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct entry *entry;

		ret_ids[i] = jobs[i].id;
		r = queue_insert(queue, &jobs[i], &entry);
		if (r < 0)
			return r;
		queue->changed(&entry->job, queue->userdata);
	}
	return 0;
}

/* One user's jobs leave room for those of the others, the rules' among them. */
static bool has_room_for(const struct queue *queue, uid_t owner, size_t n)
{
	size_t own = 0;

	for (size_t i = 0; i < queue->n; i++)
		own += queue->entries[i]->job.owner == owner;
	return n + own <= LIMIT_QUEUED_PER_UID && n + queue->n <= LIMIT_QUEUED_JOBS;
}

int queue_submit(struct queue *queue, const struct job_request *request, uid_t owner,
		 int64_t *ret_ids)
{
	size_t n = (size_t)request->count;
	struct job *jobs;
	int r;

	if (!has_room_for(queue, owner, n))
		return -EDQUOT;
	jobs = calloc(n, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	r = make_jobs(request, owner, jobs, n);
	if (r >= 0)
		r = add_jobs(queue, jobs, n, ret_ids);
	for (size_t i = 0; i < n; i++)
		job_clear(&jobs[i]);
	free(jobs);
	return r;
}

const struct job *queue_find(const struct queue *queue, int64_t id)
{
	const struct entry *entry = queue_entry(queue, id);

	return entry ? &entry->job : NULL;
}

uint64_t queue_waiting_since(const struct queue *queue, int64_t id)
{
	const struct entry *entry = queue_entry(queue, id);

	return entry && entry->job.state == JOB_WAITING ? entry->waiting_since : USEC_NEVER;
}

const struct job *const *queue_jobs(const struct queue *queue, size_t *ret_n)
{
	*ret_n = queue->n;
	return queue->jobs;
}

static bool ends_with_hooks(const struct queue *queue, const struct job *job)
{
	return queue->hooked && (job->state == JOB_DONE || job->state == JOB_FAILED) &&
	       queue->hooked(job, queue->userdata);
}

static int entry_store(struct queue *queue, const struct entry *entry)
{
	struct store *store = queue->store;
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = entry->backup.id ? store_add_backup(store, &entry->backup, &entry->job)
			     : store_update_job(store, &entry->job);
	if (r >= 0 && entry->cancelled)
		r = store_audit_job(store, entry->cancelled_by, AUDIT_CANCEL, entry->job.id, NULL);
	if (r >= 0 && ends_with_hooks(queue, &entry->job))
		r = store_want_hooks(store, entry->job.id);
	return store_end(store, r);
}

/* Puts the entry's state into the store and tells of it; a finished job then leaves the queue. */
static int entry_commit(struct queue *queue, struct entry *entry)
{
	int r = entry_store(queue, entry);

	if (r < 0)
		return r;
	queue->changed(&entry->job, queue->userdata);
	if (job_state_is_final(entry->job.state))
		queue_drop(queue, entry);
	return 0;
}

static void entry_settle(struct queue *queue, struct entry *entry)
{
	if (entry_commit(queue, entry) >= 0)
		return;
	entry->pending = true;
	queue->n_pending++;
}

static int begin(struct queue *queue, int64_t id, enum job_state state, struct entry **ret)
{
	struct entry *entry = queue_entry(queue, id);

	if (!entry)
		return -ENOENT;
	if (entry->pending || !job_state_may_become(entry->job.state, state))
		return -EINVAL;
	entry->job.state = state;
	entry->job.progress = (struct progress){ 0 };
	if (job_state_is_final(state))
		entry->job.finished = time_real();
	*ret = entry;
	return 0;
}

static int set_failure(struct job *job, const struct failure *failure)
{
	struct failure copy = { 0 };
	int r = failure ? failure_copy(failure, &copy) : 0;

	if (r < 0)
		return r;
	failure_clear(&job->failure);
	job->failure = copy;
	return 0;
}

static void take_port(struct entry *entry, const struct port *port)
{
	struct port copy = { 0 };

	if (port_copy(port, &copy) < 0)
		return;
	/* The job belongs to the watch it began with, whatever sits at the port now. */
	if (entry->job.port.chip) {
		free(copy.chip);
		free(copy.meid);
		copy.chip = TAKE_PTR(entry->job.port.chip);
		copy.meid = TAKE_PTR(entry->job.port.meid);
	}
	port_clear(&entry->job.port);
	entry->job.port = copy;
}

int queue_start(struct queue *queue, int64_t id, const struct port *port)
{
	struct entry *entry = queue_entry(queue, id);
	enum job_state state = entry ? entry->job.state : JOB_QUEUED;
	bool had_watch = entry && entry->job.port.chip;
	int r;

	r = begin(queue, id, JOB_RUNNING, &entry);
	if (r < 0)
		return r;
	take_port(entry, port);
	if (!entry->job.started)
		entry->job.started = time_real();
	entry->job.attempts++;
	failure_clear(&entry->job.failure);
	r = entry_commit(queue, entry);
	if (r < 0) {
		entry->job.state = state;
		entry->job.attempts--;
		/* It did not begin with this one, and may be any other's. */
		if (!had_watch)
			port_clear(&entry->job.port);
	}
	return r;
}

int queue_wait(struct queue *queue, int64_t id, const struct failure *failure)
{
	struct entry *entry;
	int r;

	r = begin(queue, id, JOB_WAITING, &entry);
	if (r < 0)
		return r;
	entry->waiting_since = time_now();
	(void)set_failure(&entry->job, failure);
	entry_settle(queue, entry);
	return 0;
}

int queue_end(struct queue *queue, int64_t id, enum job_state state, const struct failure *failure)
{
	struct entry *entry;
	int r;

	r = begin(queue, id, state, &entry);
	if (r < 0)
		return r;
	(void)set_failure(&entry->job, failure);
	entry_settle(queue, entry);
	return 0;
}

int queue_cancel(struct queue *queue, int64_t id, uid_t uid, const struct failure *failure)
{
	struct entry *entry;
	int r;

	r = begin(queue, id, JOB_CANCELLED, &entry);
	if (r < 0)
		return r;
	(void)set_failure(&entry->job, failure);
	entry->cancelled = true;
	entry->cancelled_by = uid;
	entry_settle(queue, entry);
	return 0;
}

int queue_publish(struct queue *queue, int64_t id, struct backup *backup)
{
	struct entry *entry;
	int r;

	r = begin(queue, id, JOB_DONE, &entry);
	if (r < 0)
		return r;
	(void)set_failure(&entry->job, NULL);
	entry->backup = *backup;
	*backup = (struct backup){ 0 };
	r = str_replace(&entry->job.backup, entry->backup.id);
	if (r < 0)
		return r;
	entry_settle(queue, entry);
	return 0;
}

int queue_put_back(struct queue *queue, int64_t id)
{
	struct entry *entry;
	int r;

	r = begin(queue, id, JOB_QUEUED, &entry);
	if (r < 0)
		return r;
	port_clear(&entry->job.port);
	entry_settle(queue, entry);
	return 0;
}

int queue_retry(struct queue *queue, int64_t id, uid_t uid, const struct job **ret)
{
	struct job job = { 0 };
	struct entry *entry;
	int r;

	r = store_get_job(queue->store, id, &job);
	if (r < 0)
		return r;
	if (!job_state_is_final(job.state) || !job_state_may_become(job.state, JOB_QUEUED)) {
		job_clear(&job);
		return -EINVAL;
	}
	/* A cancelled job kept nothing of the watch it had; a failed one goes on with it. */
	if (job.state == JOB_CANCELLED)
		port_clear(&job.port);
	job.state = JOB_QUEUED;
	job.asked = time_real();
	job.finished = 0;
	failure_clear(&job.failure);
	r = queue_reserve(queue, 1);
	if (r >= 0)
		r = store_retry_job(queue->store, &job, uid);
	if (r >= 0)
		r = queue_insert(queue, &job, &entry);
	job_clear(&job);
	if (r < 0)
		return r;
	queue->changed(&entry->job, queue->userdata);
	*ret = &entry->job;
	return 0;
}

void queue_set_progress(struct queue *queue, int64_t id, const struct progress *progress)
{
	struct entry *entry = queue_entry(queue, id);

	if (!entry || entry->job.state != JOB_RUNNING)
		return;
	entry->job.progress = *progress;
	queue->changed(&entry->job, queue->userdata);
}

void queue_set_port(struct queue *queue, int64_t id, const struct port *port)
{
	struct entry *entry = queue_entry(queue, id);

	if (!entry || entry->pending)
		return;
	take_port(entry, port);
	/* Not left pending, which would hold up the job's end: that end stores it too. */
	(void)entry_commit(queue, entry);
}

bool queue_is_pending(const struct queue *queue)
{
	return queue->n_pending > 0;
}

int queue_flush(struct queue *queue)
{
	for (size_t i = queue->n; i > 0; i--) {
		struct entry *entry = queue->entries[i - 1];
		int r;

		if (!entry->pending)
			continue;
		entry->pending = false;
		r = entry_commit(queue, entry);
		if (r < 0) {
			entry->pending = true;
			return r;
		}
		queue->n_pending--;
	}
	return 0;
}
