# Process 1 of the sandbox: $1 the lab's folder, mount points up to `--`, then a command. It takes in orphans, and with its end all end.
set -e
folder=$1
shift
mount -t tmpfs -o mode=755 tmpfs /run
while [ "$1" != -- ]; do
	mount -t tmpfs -o mode=755 tmpfs "$1"
	shift
done
shift
# The kubelet sets what belongs to the whole machine: let it set a copy.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
	copy=$folder/$(echo "$name" | tr / .)
	cat "/proc/sys/$name" >"$copy"
	mount --bind "$copy" "/proc/sys/$name"
done
ip link set lo up
# A bridge without ports carries the nodes' addresses: not every kernel has dummy devices.
ip link add node0 type bridge
ip address add 10.88.1.1/24 dev node0
ip address add 10.88.1.2/24 dev node0
ip link set node0 up
# Services are routed before there are rules for them.
ip route add 10.96.0.0/24 dev node0 src 10.88.1.1
export TMPDIR="$folder/tmp" COTTER_LAB_INSIDE=1
"$@" &
set +e
wait $!
exit $?
