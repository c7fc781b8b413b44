/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that the client opens with its user's rights, for the daemon or for itself. */

#include "client/complaint.h"
#include "protocol/base/cleanup.h"

/* A file with download agents or a scatter file, for reading. -ECANCELED with *complaint. */
_must_check_ int user_file_open(const char *path, int *ret, struct complaint *complaint);

/* The last part of a path; borrowed. */
const char *user_file_name(const char *path);
