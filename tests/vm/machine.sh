# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # what is not set here, run sets
#
# The guest and the watches that are plugged into it; for tests/vm/run, which sets $bin (the programs),
# $base (the image) and $work (a folder of its own).

fail()
{
	echo "failed: $1"
	exit 1
}

# /dev/kvm may be there and not run a stock kernel: only where the CPU itself says so.
if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
	accelerator='-accel kvm -cpu host'
else
	accelerator='-accel tcg,thread=multi'
fi

# machine_start [OPTION...]: boots, or with -loadvm goes on where it was saved
machine_start()
{
	rm -f "$work/agent" "$work/monitor" "$work"/usb?
	# shellcheck disable=SC2086 # they are words
	qemu-system-x86_64 -name mtkrbd -M q35 $accelerator -smp 2 -m 640 -nodefaults -display none \
		-kernel "$base/kernel" -initrd "$base/initrd" \
		-append 'root=/dev/vda rw console=ttyS0 quiet mitigations=off modprobe.blacklist=kvm_amd,kvm_intel' \
		-serial "file:$work/console.log" \
		-drive "file=$work/disk.qcow2,if=virtio,format=qcow2,cache=unsafe" \
		-drive "file=$work/payload.tar,if=virtio,format=raw,readonly=on" \
		-chardev "socket,id=monitor,path=$work/monitor,server=on,wait=off" -monitor chardev:monitor \
		-device virtio-serial -chardev "socket,id=agent,path=$work/agent,server=on,wait=off" \
		-device virtserialport,chardev=agent,name=agent -device virtio-rng-pci \
		-device qemu-xhci,id=usb -chardev "socket,id=usb0,path=$work/usb0,server=on,wait=off" \
		-device usb-redir,chardev=usb0,bus=usb.0,port=1 \
		-chardev "socket,id=usb1,path=$work/usb1,server=on,wait=off" \
		-device usb-redir,chardev=usb1,bus=usb.0,port=2 "$@" >"$work/qemu.log" 2>&1 &
	machine=$!
	until [ -S "$work/usb1" ]; do
		kill -0 "$machine" 2>/dev/null || fail "qemu: $(cat "$work/qemu.log")"
		sleep 0.1
	done
	number=0
	agent_connect
}

# end PROCESS: and its exit status
end()
{
	kill "$1" 2>/dev/null && wait "$1" 2>/dev/null
}

machine_stop()
{
	for process in ${watch0-} ${watch1-} ${wire-} ${machine-}; do
		end "$process" || :
	done
	watch0='' watch1='' wire='' machine=''
}

# machine_save NAME: puts it aside as it is, for machine_start -loadvm NAME
machine_save()
{
	agent_disconnect
	printf 'savevm %s\nquit\n' "$1" | socat -t 300 - "UNIX-CONNECT:$work/monitor" >/dev/null
	wait "$machine" || :
	machine=
}

agent_connect()
{
	rm -f "$work/to" "$work/from"
	mkfifo "$work/to" "$work/from"
	socat "UNIX-CONNECT:$work/agent" - <"$work/to" >"$work/from" 2>/dev/null &
	wire=$!
	exec 3>"$work/to" 4<"$work/from"
}

agent_disconnect()
{
	exec 3>&- 4<&-
	end "$wire" || :
	wire=
}

# guest SCRIPT: runs it as root in the guest; its output and exit status
guest()
{
	number=$((number + 1))
	printf '%s %s\n%s' "$number" "${#1}" "$1" >&3
	while read -r answered status size <&4; do
		[ "$answered" -eq "$number" ] || { head -c "$size" <&4 >/dev/null; continue; }
		head -c "$size" <&4
		return "$status"
	done
	fail 'the guest does not answer'
}

# await SECONDS CONDITION: a script of the guest that succeeds in time
await()
{
	guest "end=\$((\$(date +%s) + $1))
		until { $2; } >/dev/null 2>&1; do
			[ \$(date +%s) -lt \$end ] || exit 1
			sleep 0.3
		done" || fail "not within $1 s: $2"
}

# plug PORT OPTION...: a watch, into port 0 or 1
plug()
{
	port=$1
	shift
	"$bin/mtkrb-watch" --usbredir="$work/usb$port" --log="$work/watch$port.log" "$@" \
		>"$work/watch$port.out" 2>&1 &
	eval "watch$port=\$!"
}

unplug()
{
	eval "process=\$watch$1 watch$1="
	end "$process" || fail "the watch in port $1: $(cat "$work/watch$1.out")"
}
