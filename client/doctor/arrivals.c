/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/doctor/internal.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define RECORD_MAX      8192
#define RECENT_USEC     (120 * USEC_PER_SEC)
#define LOOK_MSEC       50 /* a boot ROM stays for two seconds and more */
#define ARRIVALS_MAX    256U
#define LOG_RECORDS_MAX 100000U

struct arrivals {
	uint64_t times[ARRIVALS_MAX]; /* the last ones, in a ring */
	unsigned int n;               /* ever */
	uint64_t last;                /* of any record */
};

/* The number at *at and the comma behind it; false where there is none. */
static bool take_number(const char **at, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*at, &end, 10);
	if (end == *at || *end != ',')
		return false;
	*at = end + 1;
	return true;
}

/* A record of /dev/kmsg: "6,1234,5678901,-;usb 1-2: New USB device found, idVendor=0e8d, …". */
static void note_record(struct arrivals *arrivals, const char *record)
{
	uint64_t level, sequence, usec;

	if (!take_number(&record, &level) || !take_number(&record, &sequence) ||
	    !take_number(&record, &usec))
		return;
	arrivals->last = usec;
	if (strstr(record, "New USB device found, idVendor=0e8d, idProduct=0003"))
		arrivals->times[arrivals->n++ % ARRIVALS_MAX] = usec;
}

/* One read of the real device gives one record; a file in its place gives many. */
static void note_records(struct arrivals *arrivals, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		note_record(arrivals, line);
}

unsigned int doctor_arrivals_logged(const char *root)
{
	_cleanup_free_ char *path = str_format("%s/dev/kmsg", root);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	struct arrivals arrivals = { 0 };
	char record[RECORD_MAX + 1];
	unsigned int recent = 0;

	for (unsigned int i = 0; fd >= 0 && i < LOG_RECORDS_MAX; i++) {
		ssize_t n = read(fd, record, RECORD_MAX);

		/* Overwritten while we read: the next read goes on behind the gap. */
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			break;
		record[n] = '\0';
		note_records(&arrivals, record);
	}
	for (unsigned int i = 0; i < MIN_OF(arrivals.n, ARRIVALS_MAX); i++)
		if (arrivals.last - arrivals.times[i] <= RECENT_USEC)
			recent++;
	return recent;
}

/* Boot ROMs that were not there at the last look; a device number is new at each plug-in. */
static unsigned int count_new(const struct doctor_usb *before, const struct doctor_usb *now)
{
	unsigned int n = 0;

	for (size_t i = 0; i < now->n_devices; i++) {
		const struct usb_device *device = &now->devices[i];
		const struct usb_device *old = doctor_usb_find(before, device->name);

		if (usb_is_boot(device) &&
		    (!old || !usb_is_boot(old) || old->number != device->number))
			n++;
	}
	return n;
}

int doctor_arrivals_watched(const char *root, unsigned int seconds, unsigned int *ret)
{
	uint64_t end = time_now() + seconds * USEC_PER_SEC;
	_cleanup_(doctor_usb_clear) struct doctor_usb before = { 0 };

	*ret = 0;
	for (;;) {
		struct doctor_usb now = { 0 };
		int r = doctor_usb_read(root, &now);

		if (r < 0)
			return r;
		*ret += count_new(&before, &now);
		doctor_usb_clear(&before);
		before = now;
		if (time_now() >= end)
			return 0;
		(void)poll(NULL, 0, LOOK_MSEC);
	}
}
