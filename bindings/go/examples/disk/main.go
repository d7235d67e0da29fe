// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//go:build linux && (amd64 || arm64)

// Command disk shows the package ccdm: it opens, closes, lists and describes mappings.
//
//	disk open [--destroy] [--cache-mib N] DEVICE NAME
//	disk close [--deferred] NAME
//	disk status NAME
//	disk list
package main

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"syscall"

	"ccdm"
)

// take removes a flag from the arguments, and reports whether it was there.
func take(args []string, flag string) ([]string, bool) {
	for i, arg := range args {
		if arg == flag {
			return append(append([]string{}, args[:i]...), args[i+1:]...), true
		}
	}
	return args, false
}

func status(name string) error {
	m, err := ccdm.Status(name)
	if err != nil {
		return err
	}
	fmt.Printf("name %s\nuuid %s\ndev %s\nbacking %s\nbytes %d\n", m.Name, m.UUID, m.Dev, m.Backing, m.Bytes)
	fmt.Printf("in-use %t\nsuspended %t\nactive %t\ntable %s\n", m.InUse, m.Suspended, m.Active(), m.Table)
	var words []string
	for name, value := range m.Words {
		words = append(words, name+":"+value)
	}
	sort.Strings(words)
	for _, word := range words {
		fmt.Println(word)
	}
	return nil
}

func list() error {
	names, err := ccdm.List()
	for _, name := range names {
		fmt.Println(name)
	}
	return err
}

func run(args []string) error {
	args, destroy := take(args, "--destroy")
	args, deferred := take(args, "--deferred")
	switch {
	case len(args) == 3 && args[0] == "open":
		return ccdm.Open(ccdm.Options{Device: args[1], Name: args[2], Destroy: destroy})
	case len(args) == 5 && args[0] == "open" && args[1] == "--cache-mib":
		cache, err := strconv.ParseUint(args[2], 10, 64)
		if err != nil {
			return err
		}
		return ccdm.Open(ccdm.Options{Device: args[3], Name: args[4], CacheMiB: cache, Destroy: destroy})
	case len(args) == 2 && args[0] == "close":
		return ccdm.Close(args[1], deferred)
	case len(args) == 2 && args[0] == "status":
		return status(args[1])
	case len(args) == 1 && args[0] == "list":
		return list()
	}
	return errors.New("usage: disk open [--destroy] [--cache-mib N] DEVICE NAME | close [--deferred] NAME | status NAME | list")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		fmt.Fprintf(os.Stderr, "disk: %s (errno %d)\n", err, int(errno))
		os.Exit(1)
	}
}
