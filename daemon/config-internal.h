/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys of mtkrbd.conf that are read elsewhere than in config.c. Each returns -EINVAL or -ERANGE. */

#include "daemon/config.h"

/* ---- config-retention.c: [retention] ---- */

_must_check_ int config_set_keep_last(struct config *config, const char *value);
_must_check_ int config_set_keep_for(struct config *config, const char *value);
_must_check_ int config_add_keep_label(struct config *config, const char *value);
_must_check_ int config_set_make_room(struct config *config, const char *value);

/* ---- config-hooks.c: [hooks] ---- */

_must_check_ int config_set_hooks_enabled(struct config *config, const char *value);
_must_check_ int config_set_hooks_timeout(struct config *config, const char *value);
_must_check_ int config_set_hooks_directory(struct config *config, const char *value);

/* hooks.d beside the configuration file, where none is configured. -ENOMEM. */
_must_check_ int config_default_hooks(struct config *config, const char *path);
