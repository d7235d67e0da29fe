// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//go:build linux && (amd64 || arm64)

package ccdm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// The interface of linux/dm-ioctl.h. All numbers are little-endian on the
// architectures of the build constraint.
const (
	control = "/dev/mapper/control"

	headerSize  = 312 // struct dm_ioctl
	atDataSize  = 12
	atDataStart = 16
	atTargets   = 20
	atOpen      = 24
	atFlags     = 28
	atDev       = 40
	atName      = 48
	nameSize    = 128
	atUUID      = 176
	uuidSize    = 129

	targetSize     = 40 // struct dm_target_spec
	atTargetLength = 8
	atTargetType   = 24
	targetTypeSize = 16

	atListNext = 8 // struct dm_name_list
	atListName = 12

	atVersions    = 4 // struct dm_target_versions
	atVersionName = 16

	ioctlBase    = 0xc138fd00 // _IOWR(0xfd, 0, struct dm_ioctl)
	dmVersion    = ioctlBase | 0
	dmList       = ioctlBase | 2
	dmCreate     = ioctlBase | 3
	dmRemove     = ioctlBase | 4
	dmSuspend    = ioctlBase | 6 // without flagSuspend: resume
	dmLoad       = ioctlBase | 9
	dmStatus     = ioctlBase | 12
	dmVersions   = ioctlBase | 13
	versionMajor = 4

	flagSuspend    = 1 << 1
	flagTable      = 1 << 4
	flagBufferFull = 1 << 8
	flagNoFlush    = 1 << 11
	flagDeferred   = 1 << 17

	bufferSize = 16 << 10
	bufferMost = 16 << 20
)

// request is a struct dm_ioctl, and the data that follows it.
type request []byte

func newRequest(name string, flags uint32) request {
	r := make(request, headerSize)
	binary.LittleEndian.PutUint32(r, versionMajor)
	binary.LittleEndian.PutUint32(r[atDataStart:], headerSize)
	binary.LittleEndian.PutUint32(r[atFlags:], flags)
	copy(r[atName:atName+nameSize-1], name)
	return r
}

// run sends the request, and again with more room until the answer fits.
func (r request) run(command uintptr) (answer, error) {
	f, err := os.OpenFile(control, os.O_RDWR, 0)
	if err != nil {
		return answer{}, err
	}
	defer f.Close()
	for size := bufferSize; size <= bufferMost; size *= 2 {
		if size < len(r) {
			continue
		}
		buffer := make([]byte, size)
		copy(buffer, r)
		binary.LittleEndian.PutUint32(buffer[atDataSize:], uint32(size))
		// The runtime interrupts system calls with signals.
		errno := syscall.EINTR
		for errno == syscall.EINTR {
			_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), command,
				uintptr(unsafe.Pointer(&buffer[0])))
		}
		if errno != 0 {
			return answer{}, errno
		}
		if binary.LittleEndian.Uint32(buffer[atFlags:])&flagBufferFull == 0 {
			return parseAnswer(buffer)
		}
	}
	return answer{}, syscall.EFBIG
}

// answer is what the kernel wrote over a request.
type answer struct {
	targets uint32
	open    int32
	flags   uint32
	dev     uint64
	name    string
	uuid    string
	data    []byte
}

func parseAnswer(b []byte) (answer, error) {
	if len(b) < headerSize {
		return answer{}, fmt.Errorf("answer of the kernel: expected at least %d bytes, found %d", headerSize, len(b))
	}
	start := uint64(binary.LittleEndian.Uint32(b[atDataStart:]))
	end := uint64(binary.LittleEndian.Uint32(b[atDataSize:]))
	if end > uint64(len(b)) {
		return answer{}, fmt.Errorf("answer of the kernel: expected at most %d bytes, found %d", len(b), end)
	}
	a := answer{
		targets: binary.LittleEndian.Uint32(b[atTargets:]),
		open:    int32(binary.LittleEndian.Uint32(b[atOpen:])),
		flags:   binary.LittleEndian.Uint32(b[atFlags:]),
		dev:     binary.LittleEndian.Uint64(b[atDev:]),
		name:    text(b[atName : atName+nameSize]),
		uuid:    text(b[atUUID : atUUID+uuidSize]),
	}
	// an answer without data may end before its data begin
	if start >= headerSize && start < end {
		a.data = b[start:end]
	}
	return a, nil
}

// text returns the bytes before the first NUL.
func text(b []byte) string {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	return string(b)
}

// target is a line of a table or of a status.
type target struct {
	length uint64 // sectors
	kind   string
	line   string
}

// target returns the first line of an answer. A mapping without a table has an empty one.
func (a answer) target() (target, error) {
	if a.targets == 0 {
		return target{}, nil
	}
	if len(a.data) <= targetSize {
		return target{}, fmt.Errorf("line of the kernel: expected more than %d bytes, found %d", targetSize, len(a.data))
	}
	line := a.data[targetSize:]
	end := bytes.IndexByte(line, 0)
	if end < 0 {
		return target{}, fmt.Errorf("line of the kernel: expected a NUL at its end, found none in %d bytes", len(line))
	}
	return target{
		length: binary.LittleEndian.Uint64(a.data[atTargetLength:]),
		kind:   text(a.data[atTargetType : atTargetType+targetTypeSize]),
		line:   string(line[:end]),
	}, nil
}

// names returns the names in the answer to dmList.
func (a answer) names() ([]string, error) {
	var names []string
	for at, b := 0, a.data; len(b) > 0; {
		if len(b) <= atListName {
			return nil, fmt.Errorf("list of mappings: byte %d: expected more than %d bytes, found %d", at, atListName, len(b))
		}
		// an empty list has one element without a device
		if binary.LittleEndian.Uint64(b) == 0 {
			break
		}
		end := bytes.IndexByte(b[atListName:], 0)
		if end < 0 {
			return nil, fmt.Errorf("list of mappings: byte %d: expected a NUL after the name, found none", at)
		}
		names = append(names, string(b[atListName:atListName+end]))
		next := uint64(binary.LittleEndian.Uint32(b[atListNext:]))
		if next == 0 {
			break
		}
		if next <= atListName || next >= uint64(len(b)) {
			return nil, fmt.Errorf("list of mappings: byte %d: expected the next one after %d to %d bytes, found %d",
				at, atListName+1, len(b)-1, next)
		}
		b, at = b[next:], at+int(next)
	}
	return names, nil
}

// version returns the major version of a kind of target in the answer to dmVersions.
func (a answer) version(kind string) (major uint32, found bool, err error) {
	for at, b := 0, a.data; len(b) > 0; {
		if len(b) <= atVersionName {
			return 0, false, fmt.Errorf("list of targets: byte %d: expected more than %d bytes, found %d", at, atVersionName, len(b))
		}
		end := bytes.IndexByte(b[atVersionName:], 0)
		if end < 0 {
			return 0, false, fmt.Errorf("list of targets: byte %d: expected a NUL after the name, found none", at)
		}
		if string(b[atVersionName:atVersionName+end]) == kind {
			return binary.LittleEndian.Uint32(b[atVersions:]), true, nil
		}
		next := uint64(binary.LittleEndian.Uint32(b))
		if next == 0 {
			break
		}
		if next <= atVersionName || next >= uint64(len(b)) {
			return 0, false, fmt.Errorf("list of targets: byte %d: expected the next one after %d to %d bytes, found %d",
				at, atVersionName+1, len(b)-1, next)
		}
		b, at = b[next:], at+int(next)
	}
	return 0, false, nil
}

// number splits a device number of the kernel.
func number(dev uint64) (major, minor uint64) {
	return dev >> 8 & 0xfff, dev&0xff | dev>>12&0xfff00
}
