/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may do what. The socket's file mode decides who may talk to us at all (group mtkrb); this
 * decides about other people's jobs and backups.
 */

#include <stdbool.h>
#include <sys/types.h>

/* Change something of owner's: root, the daemon's own user, or the owner. */
bool auth_may_control(uid_t uid, uid_t owner);

/* Cancel or retry a job: one that the rules began is everybody's who may talk to us. */
bool auth_may_direct(uid_t uid, uid_t owner);
