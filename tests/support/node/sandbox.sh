# A machine within the machine: processes, mounts and network of its own, which all end together.
#
# $1 the lab's folder, $2 its cgroup, $3 hold | watch, then a command. `watch` ends it with the caller: standard input is
# a pipe that nobody writes to. Run under `flock`, so that there is one at a time. Whatever an earlier run left is cleared
# first: one that was killed cannot clear up itself.
folder=$1 cgroup=$2 until=$3 child=
shift 3
exec 3<&0

# Mount points that the kubelet and the network plugins insist on.
points="/var/lib/kubelet /var/lib/cni /var/log/containers"

clear_up() {
	find /sys/fs/cgroup -depth -type d \( -path "*/$cgroup" -o -path "*/$cgroup/*" \) 2>/dev/null | while read -r group; do
		tries=0
		until rmdir "$group" 2>/dev/null || [ ! -d "$group" ] || [ $tries -ge 50 ]; do
			# Version 2 has one file for this; there is nobody left unless the machine was under great load.
			[ -e "$group/cgroup.kill" ] && echo 1 >"$group/cgroup.kill"
			sleep 0.1
			tries=$((tries + 1))
		done
	done
	[ -e "$folder/made" ] && while read -r point; do rmdir "$point" 2>/dev/null; done <"$folder/made"
	rm -rf "$folder"
}

prepare() {
	mkdir -p "$folder/tmp"
	for point in $points; do
		if [ ! -d "$point" ]; then
			mkdir -p "$point" && echo "$point" >>"$folder/made"
		fi
	done
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		mkdir -p "/sys/fs/cgroup/$cgroup"
	else
		for controller in /sys/fs/cgroup/*/; do
			mkdir -p "$controller$cgroup" 2>/dev/null
		done
	fi
	echo $$ >"$folder/keeper.pid"
}

trap '[ -n "$child" ] && kill -s KILL "$child"' INT TERM HUP
clear_up
prepare
# The death of this shell, even by SIGKILL, is the death of all: the signal goes to unshare and from there to process 1.
setpriv --pdeathsig KILL unshare --mount --propagation slave --net --pid --fork --kill-child=KILL --mount-proc \
	sh "$(dirname "$0")/inside.sh" "$folder" $points -- "$@" </dev/null 3<&- &
child=$!
watcher=
if [ "$until" = watch ]; then
	(
		trap '' INT TERM HUP
		read -r _ <&3
		kill -s KILL "$child"
	) >/dev/null 2>&1 &
	watcher=$!
fi
exec 3<&-
# A trapped signal ends a wait early.
while kill -s 0 "$child" 2>/dev/null; do
	wait "$child"
	code=$?
done
[ -n "$watcher" ] && kill -s KILL "$watcher"
clear_up
exit "${code:-1}"
