# A machine within the machine: processes, mounts and network of its own, which all end together.
#
# $1 the lab's folder, $2 its cgroup, $3 watch | hold | clear, then a command. `watch` ends it with the caller: standard
# input is a pipe that nobody writes to. `hold` goes on until SIGTERM. `clear` starts nothing. Run under `flock`, so that
# there is one at a time. Whatever an earlier run left is cleared first: one that was killed cannot clear up itself.
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
		for parent in /sys/fs/cgroup "/sys/fs/cgroup/$cgroup"; do
			for controller in $(cat "$parent/cgroup.controllers"); do
				echo "+$controller" >"$parent/cgroup.subtree_control" || true
			done
		done
		mkdir -p "/sys/fs/cgroup/$cgroup/node1" "/sys/fs/cgroup/$cgroup/node2"
	else
		for controller in /sys/fs/cgroup/*/; do
			mkdir -p "$controller$cgroup/node1" "$controller$cgroup/node2" 2>/dev/null
		done
	fi
	echo $$ >"$folder/keeper.pid"
}

trap '[ -n "$child" ] && kill -s KILL "$child"' INT TERM HUP
clear_up
[ "$until" = clear ] && exit 0
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
# Process 1 as this side counts. It is gone when all the others are.
init=
until [ -n "$init" ] || ! kill -s 0 "$child" 2>/dev/null; do
	read -r init _ <"/proc/$child/task/$child/children" || sleep 0.01
done 2>/dev/null
echo "$init" >"$folder/init.pid"
# A trapped signal ends a wait early.
while kill -s 0 "$child" 2>/dev/null; do
	wait "$child"
	code=$?
done
[ -n "$watcher" ] && kill -s KILL "$watcher"
while [ -n "$init" ] && [ -d "/proc/$init" ]; do sleep 0.02; done
clear_up
exit "${code:-1}"
