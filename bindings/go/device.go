// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//go:build linux && (amd64 || arm64)

package ccdm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"
)

const (
	blkROGet = 0x125e  // of linux/fs.h: is the device read-only?
	edge     = 1 << 20 // bytes at each end of a device that must be zeros
)

// errnoOf returns the number in an error of the system, or EIO.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return syscall.EIO
}

// device is an open block device.
type device struct {
	*os.File
	bytes    uint64
	readOnly bool
}

// openDevice opens a block device for reading. flags: syscall.O_EXCL, to fail if it is in use
func openDevice(path string, flags int) (*device, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fail(errnoOf(err), path, "expected a block device: %s", errnoOf(err))
	}
	if info.Mode()&(os.ModeDevice|os.ModeCharDevice) != os.ModeDevice {
		return nil, fail(syscall.ENOTBLK, path, "expected a block device, found another file")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|flags, 0)
	if errors.Is(err, syscall.EBUSY) {
		return nil, fail(syscall.EBUSY, path, "expected a device without users, found one in use")
	} else if err != nil {
		return nil, fail(errnoOf(err), path, "cannot open it: %s", errnoOf(err))
	}
	size, err := f.Seek(0, io.SeekEnd)
	var readOnly int32
	if err == nil {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), blkROGet, uintptr(unsafe.Pointer(&readOnly)))
		if errno != 0 {
			err = errno
		}
	}
	if err != nil {
		f.Close()
		return nil, fail(errnoOf(err), path, "cannot examine it: %s", errnoOf(err))
	}
	return &device{File: f, bytes: uint64(size), readOnly: readOnly != 0}, nil
}

// firstData returns the position of the first byte other than zero in the first and in
// the last MiB of something that has this size; found is false if there is none.
func firstData(r io.ReaderAt, size int64) (at int64, found bool, err error) {
	b := make([]byte, edge)
	for _, from := range []int64{0, size - edge} {
		if from < 0 {
			from = 0
		}
		n := size - from
		if n > edge {
			n = edge
		}
		if _, err := r.ReadAt(b[:n], from); err != nil && !(n == 0 && err == io.EOF) {
			return 0, false, err
		}
		for i, x := range b[:n] {
			if x != 0 {
				return from + int64(i), true, nil
			}
		}
	}
	return 0, false, nil
}

// isDevice reports whether path leads to the block device with this number.
func isDevice(path string, dev uint64) bool {
	var st syscall.Stat_t
	return syscall.Stat(path, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFBLK && st.Rdev == dev
}

// createNode makes /dev/mapper/NAME: the link that udev would make, or a device node
// where /dev has no file for the device.
func createNode(name string, dev uint64) error {
	path := Path(name)
	_, minor := number(dev)
	real := fmt.Sprintf("dm-%d", minor)
	// udev may make the same link at the same time
	if isDevice(path, dev) {
		return nil
	}
	var err error
	if isDevice("/dev/"+real, dev) {
		err = os.Symlink("../"+real, path)
	} else {
		err = syscall.Mknod(path, syscall.S_IFBLK|0o600, int(dev))
	}
	if err == nil || isDevice(path, dev) {
		return nil
	}
	if errors.Is(err, syscall.EEXIST) {
		return fail(syscall.EEXIST, path, "expected no file, found one that belongs to no mapping; remove it")
	}
	return fail(errnoOf(err), path, "cannot create it: %s", errnoOf(err))
}

// removeNode removes /dev/mapper/NAME if it is the link or the node of a device that has
// just been closed. Another file of this name stays.
func removeNode(name string, dev uint64) {
	path := Path(name)
	_, minor := number(dev)
	link, err := os.Readlink(path)
	if (err == nil && link == fmt.Sprintf("../dm-%d", minor)) || (err != nil && isDevice(path, dev)) {
		os.Remove(path)
	}
}
