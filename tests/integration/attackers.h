/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the clients of one user can do to the daemon at their worst. Each kind is done once and is
 * over when its function returns; a daemon that does not take it as it should ends the test.
 */

#include "tests/integration/rig.h"

#define ATTACKER_GET_STATUS "{\"method\":\"io.mtkrbd.Control.GetStatus\"}"
#define ATTACKER_LIST_JOBS  "{\"method\":\"io.mtkrbd.Control.ListJobs\"}"
#define ATTACKER_FOLLOW     "{\"method\":\"io.mtkrbd.Control.Follow\",\"more\":true}"

/* A connection to that socket. */
int attacker_dial(const char *path);

/* Bytes taken, negative when the daemon takes none any more. */
ssize_t attacker_say(int fd, const char *text, size_t size);

/* With the NUL that ends it; whether the daemon still takes it. */
bool attacker_call(int fd, const char *text);

/* One reply into text; false when the connection ended before. */
bool attacker_hear(int fd, char *text, size_t size);

/* The connection ends without another word. */
bool attacker_is_over(int fd);

/* Jobs whose list is as long as a reply may be. */
void attacker_fill_queue(const struct rig *rig);

/* A thousand connections, of which as many as the limit leaves beside witnesses others are served. */
void attack_crowd(const struct rig *rig);

/* A message of 100 MiB that does not end. */
void attack_endless(const struct rig *rig);

/* What is no call, or one of no sense to anybody. */
void attack_malformed(const struct rig *rig);

/* Clients that are gone in the middle of their answer. */
void attack_dying(const struct rig *rig);

/* Clients that ask and ask and read nothing. */
void attack_deaf(const struct rig *rig);
