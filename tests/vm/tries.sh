# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2016 # scripts of the guest are expanded there
# shellcheck disable=SC2034,SC2154 # shared with run
#
# What tests/vm/run tries. Each try_NAME begins with the guest as it was saved: mtkrbd installed and
# running, no watch plugged in, no backup made; only try_reboot boots. note() is what the table shows.

tries='plug rules drivers two unplug preloader killed watchdog stop upgrade group'
tries="$tries modem started activate reboot hook sleep verify catalog exposure"

slow=100000 # bytes a second: there is time to do something in the middle of a megabyte
meid_a=000102030405060708090A0B0C0D0E0F
meid_b=101112131415161718191A1B1C1D1E1F

note()
{
	echo "$1" >"$work/note"
}

# archived COUNT SECONDS: so many backups are there, and each is what is in the flash of the watch
archived()
{
	await "$2" "[ \$(ls -d /var/lib/mtkrbd/backups/*/*/*/ | wc -l) -eq $1 ]"
	for digest in $(guest 'find /var/lib/mtkrbd/backups -name ROM_0 -exec sha256sum {} +' |
		cut -d ' ' -f 1); do
		[ "$digest" = "$image_digest" ] || fail 'ROM_0 is not the flash of the watch'
	done
	await 20 '! mtkrbctl jobs --json --state=running | grep -q running'
}

# job ID MEMBER: a member of a job, a text or a number
job()
{
	guest "mtkrbctl --json show $1" | tr ',{' '[\n*]' |
		sed -n "s/^ *\"$2\" *: *\"\{0,1\}\([^\"}]*\).*/\1/p" | head -n 1
}

# flash_read PORT: bytes of flash that a watch was asked for
flash_read()
{
	sed -n 's/^read32 [0-9a-f]* \([0-9a-f]*\)$/\1/p' "$work/watch$1.log" | {
		sum=0
		while read -r words; do sum=$((sum + 0x$words * 4)); done
		echo "$sum"
	}
}

# reading ID: the worker is past the middle of the flash of the watch in port 0, for the first time
reading()
{
	await 60 "mtkrbctl --json show $1 | tr -d '\n' | grep -q '\"phase\" *: *\"read\"'"
	seconds=0
	until [ "$(flash_read 0)" -gt $((640 * 1024)) ]; do
		seconds=$((seconds + 1))
		[ $seconds -lt 60 ] || fail "only $(flash_read 0) bytes of the flash were read"
		sleep 1
	done
}

# went_on: the backup there is comes of a read that was broken off past the middle and did not begin
# anew, or it would have asked for more than 2.6 times the flash instead of twice and some
went_on()
{
	guest 'grep -q "\"resumed\" *: *true" /var/lib/mtkrbd/backups/*/*/*/manifest.json' || fail 'not resumed'
	read=$(flash_read 0)
	[ "$read" -lt $((1048576 * 5 / 2)) ] || fail "$read bytes were read: it began anew"
	note "attempts: $(job 1 attempts), $((read / 1024)) KiB read for twice 1024${1-}"
}

describe_plug='plugged in: a backup by itself, equal to the flash'
try_plug()
{
	plug 0 --flash="$image"
	archived 1 90
	note "$(job 1 device), $(guest 'mtkrbctl backups' | sed -n 2p | cut -c 1-24)"
}

describe_rules='udev: slot, group, nobody else'\''s port, no power saving'
try_rules()
{
	plug 0 --flash="$image" --fault=mute
	await 60 'ls /dev/mtkrb/*'
	guest 'set -e
		node=$(ls /dev/mtkrb/*)
		[ "$(stat -L -c "%G %a" "$node")" = "mtkrb 660" ]
		udevadm info -q property "$node" >/run/properties
		for line in MTKRB_MODE=brom ID_MM_DEVICE_IGNORE=1 ID_MM_PORT_IGNORE=1 \
			"MTKRB_SLOT=${node##*/}" SYSTEMD_WANTS=mtkrbd.service; do
			grep -qxF "$line" /run/properties || { echo "lacks $line"; cat /run/properties; exit 1; }
		done
		[ "$(cat /sys/bus/usb/devices/1-1/power/control)" = on ]
		echo "$node" >/run/node' || fail 'what udev made of it is above'
	note "$(guest 'cat /run/node')"
}

describe_drivers='ttyACM (cdc_acm) once, ttyUSB (option) the next time'
try_drivers()
{
	plug 0 --flash="$image" --meid=$meid_a
	archived 1 90
	first=$(job 1 device)
	unplug 0
	await 20 '! ls /dev/ttyACM* /dev/ttyUSB*'
	plug 0 --flash="$image" --meid=$meid_b
	archived 2 90
	second=$(job 2 device)
	note "$first, then $second"
	case $first$second in
	/dev/ttyACM*/dev/ttyUSB*) ;;
	*) fail "both drivers were to be seen, but: $first, $second" ;;
	esac
}

describe_two='two at once'
try_two()
{
	plug 0 --flash="$image" --meid=$meid_a --rate=$slow
	plug 1 --flash="$image" --meid=$meid_b --rate=$slow
	await 60 '[ $(mtkrbctl --json jobs --state=running | tr -d "\n" | grep -o "\"phase\"" | wc -l) -eq 2 ]'
	archived 2 120
	note "$(job 1 device) and $(job 2 device)"
}

describe_unplug='unplugged in mid-read and plugged in again: goes on there'
try_unplug()
{
	plug 0 --flash="$image" --fault=unplug@600K --replug=3000
	await 60 'mtkrbctl --json show 1 | grep -q waiting'
	archived 1 120
	went_on
}

describe_preloader='boot ROM, then back as preloader (0e8d:2000)'
try_preloader()
{
	plug 0 --flash="$image" --fault=unplug@300K --replug=1000 --replug-as=preloader
	archived 1 120
	[ "$(job 1 mode)" = preloader ] || fail "job 1 ended on a port in mode $(job 1 mode)"
	note "$(job 1 device), attempts: $(job 1 attempts)"
}

describe_killed='kill -9 of the daemon: started again, the job goes on'
try_killed()
{
	plug 0 --flash="$image" --rate=$slow --replug=500
	reading 1
	guest 'kill -9 $(systemctl show -P MainPID mtkrbd)'
	await 30 '[ $(systemctl show -P NRestarts mtkrbd) -eq 1 ] && mtkrbctl status'
	archived 1 180
	went_on
}

describe_watchdog='kill -STOP of the daemon: ended and started again, the job stays'
try_watchdog()
{
	own=$(guest 'systemctl show -P WatchdogUSec mtkrbd')
	case $own in
	'' | 0 | infinity) fail 'the service has no watchdog' ;;
	esac
	# Sooner than in the unit, and long enough that the daemon does ask for more time.
	guest 'set -e
		mkdir -p /run/systemd/system/mtkrbd.service.d
		printf "[Service]\nWatchdogSec=5\n" >/run/systemd/system/mtkrbd.service.d/vm.conf
		systemctl daemon-reload
		systemctl restart mtkrbd
		mtkrbctl submit
		sleep 7
		[ "$(systemctl show -P NRestarts mtkrbd)" -eq 0 ]
		kill -STOP "$(systemctl show -P MainPID mtkrbd)"'
	before=$(date +%s)
	await 60 '[ $(systemctl show -P NRestarts mtkrbd) -eq 1 ] && mtkrbctl status'
	seconds=$(($(date +%s) - before))
	guest 'journalctl -u mtkrbd --no-pager' | grep -q 'Watchdog timeout' || fail 'it was not the watchdog'
	[ "$(job 1 state)" = queued ] || fail "the job is $(job 1 state)"
	plug 0 --flash="$image"
	archived 1 90
	[ "$(job 1 state)" = 'done' ] || fail "the job is $(job 1 state)"
	note "back in $seconds s, with 5s instead of $own"
}

describe_stop='systemctl stop in mid-read keeps the job, start goes on'
try_stop()
{
	plug 0 --flash="$image" --rate=$slow --replug=500
	reading 1
	before=$(date +%s)
	guest 'systemctl stop mtkrbd.service mtkrbd.socket && systemctl show -P Result mtkrbd' >"$work/result"
	seconds=$(($(date +%s) - before))
	grep -qx success "$work/result" || fail "stop: $(cat "$work/result")"
	guest 'systemctl start mtkrbd.socket mtkrbd.service'
	archived 1 180
	went_on "; stopped in $seconds s"
}

describe_upgrade='dpkg -i in mid-read: the job goes on'
try_upgrade()
{
	if ! guest 'ls /root/packages/*.deb' >/dev/null; then
		note 'no package is installed'
		exit 77
	fi
	plug 0 --flash="$image" --rate=$((slow / 2)) --replug=500
	reading 1
	before=$(guest 'systemctl show -P MainPID mtkrbd')
	guest 'dpkg -i /root/packages/*.deb && systemctl is-active mtkrbd.socket mtkrbd.service'
	[ "$(guest 'systemctl show -P MainPID mtkrbd')" != "$before" ] || fail 'the old daemon still runs'
	archived 1 180
	went_on
}

describe_group='a user of the group submits, another may not'
try_group()
{
	guest 'useradd -m -G mtkrb alice && useradd -m bob && sed -i "s/^#enabled=yes/enabled=no/" /etc/mtkrbd/mtkrbd.conf &&
		systemctl reload mtkrbd'
	guest 'runuser -u bob -- mtkrbctl submit' && fail 'bob submitted a job'
	[ $? -eq 5 ] || fail 'bob was not told that he is not permitted'
	id=$(guest 'runuser -u alice -- mtkrbctl submit' | tr -cd 0-9)
	plug 0 --flash="$image"
	archived 1 90
	uid=$(guest 'id -u alice')
	[ "$(job "$id" owner)" = "$uid" ] || fail "the job belongs to $(job "$id" owner), not to $uid"
	guest 'runuser -u alice -- sh -c "cat /var/lib/mtkrbd/backups/*/*/*/report.txt" >/dev/null' ||
		fail 'alice cannot read the backup'
	guest 'runuser -u bob -- ls /var/lib/mtkrbd/backups' && fail 'bob can look into the backups'
	note 'job done for alice, bob: exit 5'
}

describe_modem='ModemManager runs, and no byte of it reaches the watch'
try_modem()
{
	await 20 'systemctl is-active ModemManager'
	# A watch that waits for ever, and no daemon that would talk to it.
	guest 'systemctl stop mtkrbd.service mtkrbd.socket
		systemctl mask --quiet --runtime mtkrbd.service mtkrbd.socket'
	plug 0 --flash="$image" --watchdog=0
	await 20 'ls /dev/ttyACM0'
	sleep 20
	if grep '^unknown' "$work/watch0.log"; then fail 'the bytes above arrived'; fi
	unplug 0
	# That it would be seen: one that is told to take the watch for a modem.
	guest 'set -e
		mv /usr/lib/udev/rules.d/65-mtkrbd.rules /run
		mkdir -p /run/udev/rules.d
		echo "ATTRS{idVendor}==\"0e8d\", ENV{ID_MM_DEVICE_PROCESS}=\"1\"" >/run/udev/rules.d/65-vm.rules
		udevadm control --reload
		modprobe -r option'
	plug 0 --flash="$image" --watchdog=0
	seconds=0
	until grep -qx 'unknown 41' "$work/watch0.log"; do
		seconds=$((seconds + 1))
		[ $seconds -lt 40 ] || fail 'ModemManager asks nothing, even when it is told to: nothing is shown'
		sleep 1
	done
	note "none in 20 s; told to take it, an AT after $seconds s"
}

describe_started='a plug starts the daemon (SYSTEMD_WANTS)'
try_started()
{
	guest 'systemctl stop mtkrbd.service mtkrbd.socket'
	plug 0 --flash="$image"
	archived 1 90
	note "$(guest 'systemctl is-active mtkrbd.service')"
}

describe_activate='the socket alone is there: a client starts the daemon'
try_activate()
{
	guest 'systemctl stop mtkrbd.service && systemctl is-active mtkrbd.socket'
	if guest 'systemctl is-active mtkrbd.service'; then fail 'the daemon is still there'; fi
	guest 'mtkrbctl status'
	note "$(guest 'systemctl is-active mtkrbd.service')"
}

describe_reboot='reboot with a queued job; the first plug after it (DeviceAllow)'
try_reboot()
{
	guest 'mtkrbctl submit --label=ticket=4711' >/dev/null
	guest 'systemd-run --quiet --on-active=1 systemctl reboot'
	agent_disconnect
	seconds=0
	until grep -aq 'login:' "$work/console.log"; do
		seconds=$((seconds + 1))
		[ $seconds -lt 240 ] || fail 'it does not come up again'
		sleep 1
	done
	agent_connect
	await 60 'systemctl is-active mtkrbd && mtkrbctl status'
	[ "$(job 1 state)" = queued ] || fail "the job is $(job 1 state)"
	plug 0 --flash="$image"
	archived 1 120
	[ "$(job 1 state)" = 'done' ] || fail "the job is $(job 1 state)"
	guest 'grep -ho "\"ticket\"[^,}]*" /var/lib/mtkrbd/backups/*/*/*/manifest.json' | grep -q 4711 ||
		fail 'the backup is not that of the job'
	note "up in $seconds s, $(job 1 device)"
}

describe_hook='a program in hooks.d runs, as a user of its own'
try_hook()
{
	guest 'set -e
		mkdir -p /etc/mtkrbd/hooks.d
		cat >/etc/mtkrbd/hooks.d/say <<"END"
#!/bin/sh
echo "$(id -un) $MTKRB_JOB $MTKRB_EVENT $(sha256sum <"$MTKRB_BACKUP_PATH/ROM_0")" >"$HOME/said"
END
		chmod 755 /etc/mtkrbd/hooks.d/say'
	plug 0 --flash="$image"
	archived 1 90
	await 30 'grep -q . /var/lib/mtkrbd-hooks/said'
	said=$(guest 'cat /var/lib/mtkrbd-hooks/said')
	[ "$said" = "mtkrb-hooks 1 done $image_digest  -" ] || fail "the program wrote: $said"
	note 'mtkrb-hooks read the backup'
}

describe_sleep='the machine is kept awake while a watch is read'
try_sleep()
{
	plug 0 --flash="$image" --rate=$slow
	reading 1
	lock=$(guest 'systemd-inhibit --list --no-legend --no-pager' | grep mtkrb) || fail 'nothing keeps it awake'
	case $lock in
	*block*) ;;
	*) fail "mtkrbd was not permitted to keep it awake: $lock" ;;
	esac
	archived 1 120
	await 20 '! systemd-inhibit --list --no-legend --no-pager | grep mtkrb'
	note 'block, until it is done'
}

describe_verify='mtkrbd-verify.service: a backup is whole, then a byte is flipped'
try_verify()
{
	plug 0 --flash="$image"
	archived 1 90
	# Its timer would start it as well, at an hour of its own, when a month is over.
	guest 'systemctl stop mtkrbd-verify.timer'
	verify_next_month >"$work/verified" || fail "a whole backup: $(cat "$work/verified")"
	grep -q '1 verified, 0 damaged' "$work/verified" || fail "of one whole backup: $(cat "$work/verified")"
	guest 'mtkrbctl backups --damaged' | grep MT6261 && fail 'a whole backup is listed as damaged'

	guest 'cd /var/lib/mtkrbd/backups/*/*/*/ && head -c 1 ROM_0 | tr "\000-\377" "\001-\377\000" |
		dd of=ROM_0 bs=1 conv=notrunc status=none'
	if verify_next_month >"$work/verified"; then fail 'the flipped byte was not seen'; fi
	grep -q '1 verified, 1 damaged' "$work/verified" || fail "of a damaged one: $(cat "$work/verified")"
	[ "$(guest 'systemctl is-failed mtkrbd-verify.service')" = failed ] || fail 'the unit did not fail'
	guest 'mtkrbctl backups --damaged' | grep -q MT6261 || fail 'it is not listed as damaged'
	note "$(sed -n 's/.* is damaged: \(.* is\) .*/\1 another/p; /verified/p' "$work/verified" | xargs)"
}

# verify_next_month: when the backup is due again; what the unit says, and its exit status
verify_next_month()
{
	guest 'date -s "+31 days" >/dev/null
		systemctl start mtkrbd-verify.service
		status=$?
		journalctl --sync
		journalctl -o cat --no-pager _SYSTEMD_INVOCATION_ID="$(systemctl show -P InvocationID mtkrbd-verify)"
		exit $status'
}

describe_catalog='journalctl -x explains a message of the daemon'
try_catalog()
{
	plug 0 --flash="$image"
	archived 1 90
	# An explanation of systemd's own about the unit does not count.
	await 10 'journalctl -x -u mtkrbd --no-pager | grep -q "Defined-By: mtkrbd"'
	note "$(guest 'journalctl -x -u mtkrbd --no-pager' | grep -B 1 'Defined-By: mtkrbd' |
		sed -n 's/.*Subject: //p' | tail -n 1)"
}

describe_exposure='nothing of it is root, in mid-read; systemd-analyze security'
try_exposure()
{
	plug 0 --flash="$image" --rate=$slow
	reading 1
	users=$(guest 'ps -o user=,comm= -p "$(paste -s -d , \
		/sys/fs/cgroup/system.slice/mtkrbd.service/cgroup.procs)"')
	printf '%s\n' "$users" | grep -q 'mtkrbd-worker' || fail "no worker is among: $users"
	if printf '%s\n' "$users" | grep -v '^mtkrb '; then fail 'the processes above are not of the user mtkrb'; fi
	exposure=$(guest 'systemd-analyze security --no-pager mtkrbd.service' | tail -n 1 |
		sed 's/.*: \([0-9.]*\) .*/\1/')
	case $exposure in
	1.[0-4] | 0.[0-9]) ;;
	*) fail "exposure $exposure, not below 1.5" ;;
	esac
	note "$(printf '%s\n' "$users" | wc -l) processes of the user mtkrb, exposure $exposure"
}
