// Command pause waits: what the lab's Pods run, and what holds their sandboxes.
//
// It ends at SIGTERM, or after as many seconds as its argument says. As the first process of a Pod it also reaps children.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	var end <-chan time.Time
	if len(os.Args) > 1 {
		seconds, err := strconv.Atoi(os.Args[1])
		if err != nil {
			fmt.Fprintf(os.Stderr, "pause: %q is not a number of seconds\n", os.Args[1])
			os.Exit(2)
		}
		end = time.After(time.Duration(seconds) * time.Second)
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for {
		select {
		case <-end:
			return
		case got := <-signals:
			if got != syscall.SIGCHLD {
				return
			}
			for pid := 1; pid > 0; pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil) {
			}
		}
	}
}
