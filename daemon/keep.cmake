# SPDX-License-Identifier: LGPL-2.1-or-later
# What the daemon keeps and decides: everything of it that needs no event loop.
add_library(mtkrb-keep STATIC
	agents.c archive.c archive-publish.c archive-tree.c config.c config-read.c config-rules.c config-slots.c job-files.c log.c rules.c scheduler.c slot-settings.c slots.c
	archive-share.c
	store.c store-audit.c store-backups.c store-batches.c
	store-job-list.c store-jobs.c store-slots.c store-sql.c
	config-hooks.c config-retention.c retention.c store-deeds.c store-hooks.c store-totals.c
	store-backup-list.c)
target_link_libraries(mtkrb-keep
	PUBLIC mtkrb-control mtkrb-base
	PRIVATE PkgConfig::SQLITE PkgConfig::INIH PkgConfig::SYSTEMD)
