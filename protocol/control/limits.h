/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every bound that a peer of the control socket can run into, in one place. */

#define LIMIT_REQUEST_BYTES (64U * 1024U)   /* one call; the largest real one is below 4 KiB */
#define LIMIT_REPLY_BYTES   (1024U * 1024U) /* one reply; lists are cut to fit and say so */
#define LIMIT_OUTPUT_BYTES  (2048U * 1024U) /* unsent replies of one connection */
#define LIMIT_OUTPUT_PER_UID \
	(8192U * 1024U) /* of all its connections: who has not read for longest is dropped */
#define LIMIT_JSON_DEPTH          16U   /* deepest real request is 4 */
#define LIMIT_CONNECTIONS         1024U /* all users */
#define LIMIT_CONNECTIONS_PER_UID 256U
#define LIMIT_REQUEST_SECONDS     10U           /* to finish a call that was begun */
#define LIMIT_RANGES              64U           /* of one job */
#define LIMIT_LABELS              32U           /* of one job */
#define LIMIT_NAME_BYTES          64U           /* slot, range, label key, chip */
#define LIMIT_FIRMWARE_BYTES      256U          /* what a firmware calls itself */
#define LIMIT_LABEL_BYTES         512U          /* a label's value */
#define LIMIT_DEVICE_BYTES        256U          /* a device path */
#define LIMIT_LAYOUT_BYTES        256U          /* where the parts of a bare agent lie */
#define LIMIT_AGENT_BYTES         (16ULL << 20) /* a file of download agents; the largest known: 4 MB */
#define LIMIT_SCATTER_BYTES       (1ULL << 20) /* a scatter file; the largest known: 20 KB */
#define LIMIT_AGENTS              32U          /* files of download agents the daemon keeps */
#define LIMIT_SLOTS               1024U        /* places of which something is stored */
#define LIMIT_SLOT_LABELS         8U           /* of one slot: they go onto its automatic jobs */
#define LIMIT_RULE_LABELS         8U           /* of one rule: with the slot's they fit on a job */
#define LIMIT_PRIORITY            1000         /* of a job, up and down */
#define LIMIT_COUNT               1000U        /* jobs of one Submit */
#define LIMIT_LIST                1000U        /* rows of one list reply, also the default */
#define LIMIT_VERIFICATIONS       16U          /* backups that are read again at one time */
#define LIMIT_WORDS               8U           /* that a backup is looked for by */
#define LIMIT_BACKUP_ID_BYTES     200U
#define LIMIT_QUEUED_JOBS         100000U        /* unfinished jobs the daemon keeps */
#define LIMIT_QUEUED_PER_UID      10000U         /* of them, one user's */
#define LIMIT_READ_BYTES          (256ULL << 20) /* of one range: the boot ROM's flash window */
#define LIMIT_WORKER_MESSAGE      (64U * 1024U)  /* between daemon and worker */
#define LIMIT_MANIFEST_BYTES      (256U * 1024U)
#define LIMIT_HOOKS               32U             /* programs after a job */
#define LIMIT_HOOK_VARIABLES      32U             /* of the environment of one */
#define LIMIT_HOOK_MESSAGE_BYTES  200U            /* the first line of what one complains about */
#define LIMIT_HOOK_CALL_BYTES     (1024U * 1024U) /* what they are told: job, backup, manifest */
