/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/bench.h"

#include <errno.h>

#include "protocol/base/strings.h"

static void bench_port_free(struct bench_port *port)
{
	port_clear(&port->port);
	free(port->place);
	free(port->syspath);
	free(port);
}
DEFINE_CLEANUP(struct bench_port *, bench_port_free);

void bench_clear(struct bench *bench)
{
	for (size_t i = 0; i < bench->n; i++)
		bench_port_free(bench->ports[i]);
	free(bench->ports);
	*bench = (struct bench){ 0 };
}

int bench_add(struct bench *bench, const char *place, const char *slot, const char *device,
	      const char *mode, const char *syspath, struct bench_port **ret)
{
	_cleanup_(bench_port_freep) struct bench_port *port = calloc(1, sizeof(*port));
	struct bench_port **grown;

	if (!port || str_replace(&port->place, place) < 0 ||
	    str_replace(&port->port.slot, slot) < 0 ||
	    str_replace(&port->port.device, device) < 0 ||
	    str_replace(&port->port.mode, mode) < 0 || str_replace(&port->syspath, syspath) < 0)
		return -ENOMEM;
	grown = reallocarray(bench->ports, bench->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	bench->ports = grown;
	*ret = grown[bench->n++] = TAKE_PTR(port);
	return 0;
}

void bench_remove(struct bench *bench, struct bench_port *port)
{
	for (size_t i = 0; i < bench->n; i++)
		if (bench->ports[i] == port) {
			bench->ports[i] = bench->ports[--bench->n];
			bench_port_free(port);
			return;
		}
}

struct bench_port *bench_by_device(const struct bench *bench, const char *device)
{
	for (size_t i = 0; i < bench->n; i++)
		if (!bench->ports[i]->gone && streq(bench->ports[i]->port.device, device))
			return bench->ports[i];
	return NULL;
}

struct bench_port *bench_by_slot(const struct bench *bench, const char *slot)
{
	for (size_t i = 0; i < bench->n; i++)
		if (!bench->ports[i]->gone && streq(bench->ports[i]->port.slot, slot))
			return bench->ports[i];
	return NULL;
}

struct bench_port *bench_by_syspath(const struct bench *bench, const char *syspath)
{
	for (size_t i = 0; i < bench->n; i++)
		if (!bench->ports[i]->gone && streq_ptr(bench->ports[i]->syspath, syspath))
			return bench->ports[i];
	return NULL;
}

struct bench_port *bench_by_job(const struct bench *bench, int64_t job)
{
	for (size_t i = 0; i < bench->n; i++)
		if (bench->ports[i]->assigned == job)
			return bench->ports[i];
	return NULL;
}

int bench_port_identify(struct bench_port *port, const struct worker_identity *identity)
{
	bench_port_forget(port);
	if (str_replace(&port->port.chip, identity->chip) < 0 ||
	    str_replace(&port->port.meid, identity->meid) < 0 ||
	    str_replace(&port->port.mode, identity->mode) < 0)
		return -ENOMEM;
	port->identified = true;
	return 0;
}

void bench_port_forget(struct bench_port *port)
{
	port->identified = false;
	free(TAKE_PTR(port->port.chip));
	free(TAKE_PTR(port->port.meid));
}
