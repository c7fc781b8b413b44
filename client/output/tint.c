/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/tint.h"

enum tint tint_job(enum job_state state)
{
	switch (state) {
	case JOB_RUNNING:
		return TINT_ACTIVE;
	case JOB_WAITING:
		return TINT_WARN;
	case JOB_DONE:
		return TINT_GOOD;
	case JOB_FAILED:
		return TINT_BAD;
	case JOB_CANCELLED:
		return TINT_FAINT;
	default:
		return TINT_NONE;
	}
}

enum tint tint_port(enum port_state state)
{
	switch (state) {
	case PORT_BUSY:
	case PORT_IDENTIFYING:
		return TINT_ACTIVE;
	case PORT_WAITING:
		return TINT_WARN;
	case PORT_FAILED:
		return TINT_BAD;
	case PORT_EXCLUDED:
		return TINT_FAINT;
	default:
		return TINT_NONE;
	}
}
