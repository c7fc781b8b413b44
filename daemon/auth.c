/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/auth.h"

#include <unistd.h>

bool auth_may_control(uid_t uid, uid_t owner)
{
	return uid == 0 || uid == getuid() || uid == owner;
}

bool auth_may_direct(uid_t uid, uid_t owner)
{
	return owner == getuid() || auth_may_control(uid, owner);
}
