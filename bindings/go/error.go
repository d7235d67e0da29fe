// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

package ccdm

import (
	"fmt"
	"syscall"
)

// Error is the error of all functions of this package. Compare its number with
// errors.Is(err, syscall.EBUSY); each function says which numbers it returns.
type Error struct {
	Object string        // what the error is about: a path, a name, an option
	Text   string        // what was expected and what was found
	Errno  syscall.Errno // the kind of the error
}

// Error returns the object and the text.
func (e *Error) Error() string { return e.Object + ": " + e.Text }

// Unwrap returns the number, for errors.Is.
func (e *Error) Unwrap() error { return e.Errno }

func fail(errno syscall.Errno, object, format string, args ...interface{}) error {
	return &Error{Object: object, Text: fmt.Sprintf(format, args...), Errno: errno}
}
