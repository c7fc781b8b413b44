/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A scatter file is read before a job is made of it: mistakes in it are the user's to mend now. */

#include "client/complaint.h"
#include "protocol/base/cleanup.h"

/* path only for what is said: "PATH:LINE: why". -ECANCELED with *complaint. */
_must_check_ int scatter_check(int fd, const char *path, struct complaint *complaint);
