/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include "tests/bench/process.h"
#include "tests/integration/rig.h"

#define SETTLE_MSEC 500 /* what the start still has to do */

void bench_idle(struct figures *figures, bool quick)
{
	const unsigned int seconds = quick ? 5 : 10;
	uint64_t before = 0, after = 0;
	struct rig rig;

	rig_set_up(&rig, NULL);
	rig_start(&rig);
	sleep_ms(SETTLE_MSEC);
	assert_int_equal(process_status(rig.daemon, "voluntary_ctxt_switches", &before), 0);
	sleep_ms(seconds * 1000);
	assert_int_equal(process_status(rig.daemon, "voluntary_ctxt_switches", &after), 0);
	rig_tear_down(&rig);
	figures_add(figures, (struct figure){ .name = "idle-wake-ups",
					      .what = "wake-ups of a daemon with nothing to do",
					      .unit = "per second",
					      .kind = GOAL_BELOW,
					      .goal = 1,
					      .measured = (double)(after - before) / seconds });
}
