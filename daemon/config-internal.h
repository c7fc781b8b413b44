/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys of mtkrbd.conf that are read elsewhere than in config.c. Each returns -EINVAL or -ERANGE. */

#include "daemon/config.h"

/* ---- config-retention.c: [retention] ---- */

_must_check_ int config_set_keep_last(struct config *config, const char *value);
_must_check_ int config_set_keep_for(struct config *config, const char *value);
_must_check_ int config_add_keep_label(struct config *config, const char *value);
_must_check_ int config_set_make_room(struct config *config, const char *value);
