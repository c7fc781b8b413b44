/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The MESSAGE_ID of what an operator filters by: `journalctl MESSAGE_ID=...`. systemd/mtkrbd.catalog
 * says for each what it means and what to do (`journalctl -x`); a lint compares the two. An id keeps
 * its meaning for ever; a new one comes from `systemd-id128 new`.
 */

#define LOG_ID_STARTED           "5df6b9bead9a46c1b830c3e29c754733"
#define LOG_ID_STOPPING          "dddcceda2afc480c86c5def0af8e884a"
#define LOG_ID_START_FAILED      "ffa9912a60db4ea0b277011b27278ed7"
#define LOG_ID_CONFIG_READ       "30a522e5036a471d8c62a00baa26c39e"
#define LOG_ID_CONFIG_BROKEN     "2982e35a5b3a405abac250c771d0b04d"
#define LOG_ID_JOB_DONE          "82bd9e51b73c4557bb18493c7fd167e1"
#define LOG_ID_JOB_FAILED        "6d3b38894f184eb8b124774dd1690398"
#define LOG_ID_JOB_WAITING       "40bf86b0920642be9f93dd1814f6205d"
#define LOG_ID_JOB_CANCELLED     "7697212f45dd497d8aba1e296173721c"
#define LOG_ID_PORT_FAILED       "ece658dbfcac406e8f68462bc32d5349"
#define LOG_ID_BACKUP_ADOPTED    "a13253d31ea740ebab53e01c0e0d870b"
#define LOG_ID_BACKUP_MISSING    "595383c005e947e3a2baf62eb8df4e20"
#define LOG_ID_BACKUP_UNREADABLE "e5524b5e108f4c43bbd41244ae631b7f"
#define LOG_ID_BACKUP_DAMAGED    "b04289cf0eac4d5481be1aa7d08cd471"
#define LOG_ID_BACKUP_REMOVED    "acba7042651a496092e775f99ee4ebfe"
#define LOG_ID_STORE_TROUBLE     "4f84f8e39b0b4d6bb899f83fcdd006c4"
#define LOG_ID_STORE_WELL        "9ab33dc1a91141dcbcbbd72a0303d367"
#define LOG_ID_WORKER_TROUBLE    "f9779d1eff034f9387b867af1e112838"
